#include "snapshot/backup/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES (32 * 1024)

static int
append(struct listing *l, const char *name, struct err *err)
{
	size_t len = strlen(name) + 1;

	if (len > l->cap - l->len) {
		size_t cap = l->cap * 2 + 4096;
		char *arena = realloc(l->arena, cap);

		if (arena == NULL)
			return err_nomem(err);
		l->arena = arena;
		l->cap = cap;
	}
	memcpy(l->arena + l->len, name, len);
	l->len += len;
	l->n++;
	return 0;
}

/* Listings of many directories may be held: with no room left over. */
static void
shrink(struct listing *l)
{
	char *arena = l->len > 0 ? realloc(l->arena, l->len) : NULL;

	if (arena == NULL)
		return;
	l->arena = arena;
	l->cap = l->len;
}

/* strcmp() compares as unsigned bytes, and puts a prefix first. */
static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
sort(struct listing *l, struct err *err)
{
	const char *p = l->arena;

	l->names = malloc((l->n + 1) * sizeof(*l->names));
	if (l->names == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < l->n; i++, p += strlen(p) + 1)
		l->names[i] = p;
	qsort(l->names, l->n, sizeof(*l->names), compare);
	return 0;
}

/* The ${len} bytes of directory entries that the kernel wrote to ${buf}. */
static int
append_all(struct listing *l, const char *buf, size_t len, struct err *err)
{
	const struct dirent64 *de;
	int ret = 0;

	for (size_t at = 0; at < len && ret == 0; at += de->d_reclen) {
		/* Its layout, at an offset it aligned. */
		de = (const void *)(buf + at);
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			ret = append(l, de->d_name, err);
	}
	return ret;
}

int
listing_open(int dir, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags | O_NOATIME);

	/* Not our directory: its access time will show that it was listed. */
	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, flags);
	return fd;
}

/* opendir() would cost five calls more for each directory. */
int
listing_read(int fd, struct listing *out, struct err *err)
{
	_Alignas(struct dirent64) char buf[READ_BYTES];
	struct listing l = {0};
	ssize_t n;
	int ret = 0;

	memset(out, 0, sizeof(*out));
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, "cannot list");
	do {
		n = getdents64(fd, buf, sizeof(buf));
		if (n < 0)
			ret = err_errno(err, "cannot list");
		else
			ret = append_all(&l, buf, (size_t)n, err);
	} while (n > 0 && ret == 0);
	shrink(&l);
	if (ret == 0)
		ret = sort(&l, err);
	if (ret != 0)
		listing_clear(&l);
	else
		*out = l;
	return ret;
}

void
listing_clear(struct listing *l)
{
	free(l->arena);
	free(l->names);
	memset(l, 0, sizeof(*l));
}

bool
listing_has(const struct listing *l, const char *name)
{
	return l->n > 0 && bsearch(&name, l->names, l->n, sizeof(*l->names),
			       compare) != NULL;
}
