#include "tools/recovery_file.h"

#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 256

int
recovery_file_read(const char *path, struct recovery **out, struct err *err)
{
	char text[FILE_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int r;

	*out = NULL;
	if (fd < 0)
		return err_errno(
		    err, "cannot open recovery key file '%s'", path);
	n = read(fd, text, FILE_MAX);
	if (n < 0) {
		r = err_errno(err, "cannot read recovery key file '%s'", path);
	} else {
		text[n] = '\0';
		text[strcspn(text, "\r\n")] = '\0';
		r = recovery_parse(text, out, err);
		if (r != 0)
			r = err_wrap(err, "recovery key file '%s'", path);
	}
	(void)close(fd);
	secret_wipe(text, sizeof(text));
	return r;
}

int
recovery_file_create(const char *path, int *fd, struct err *err)
{
	*fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*fd >= 0)
		return 0;
	if (errno == EEXIST)
		return err_set(
		    err, ERR_USAGE, "there is a file '%s' already", path);
	return err_errno(err, "cannot make '%s'", path);
}

int
recovery_file_write(
    int fd, const char *path, const struct recovery *recovery, struct err *err)
{
	char text[RECOVERY_TEXT + 1];
	size_t len;
	ssize_t n;
	int r = 0;

	recovery_text(recovery, text);
	len = strlen(text);
	text[len++] = '\n';
	n = write(fd, text, len);
	if (n >= 0 && (size_t)n < len)
		errno = ENOSPC;
	if (n != (ssize_t)len || fsync(fd) != 0)
		r = err_errno(err, "cannot write '%s'", path);
	secret_wipe(text, sizeof(text));
	return r;
}
