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

static int
write_line(int fd, const struct recovery *recovery)
{
	char text[RECOVERY_TEXT];
	size_t len;
	bool ok;

	recovery_text(recovery, text);
	len = strlen(text);
	ok = write(fd, text, len) == (ssize_t)len && write(fd, "\n", 1) == 1 &&
	     fsync(fd) == 0;
	secret_wipe(text, sizeof(text));
	return ok ? 0 : -1;
}

int
recovery_file_write(
    const char *path, const struct recovery *recovery, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = 0;

	if (fd < 0 && errno == EEXIST)
		return err_set(
		    err, ERR_USAGE, "there is a file '%s' already", path);
	if (fd < 0 || write_line(fd, recovery) != 0)
		r = err_errno(err, "cannot write '%s'", path);
	if (fd >= 0 && close(fd) != 0 && r == 0)
		r = err_errno(err, "cannot write '%s'", path);
	return r;
}
