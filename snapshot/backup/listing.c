#include "snapshot/backup/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int
listing_read(int fd, struct listing *out, struct err *err)
{
	struct listing l = {0};
	struct dirent *de;
	DIR *dir = NULL;
	int own, ret = 0;

	memset(out, 0, sizeof(*out));
	if ((own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_errno(err, "cannot list");
	if ((dir = fdopendir(own)) == NULL) {
		ret = err_errno(err, "cannot list");
		close(own);
		return ret;
	}
	while (ret == 0) {
		errno = 0;
		if ((de = readdir(dir)) == NULL) {
			if (errno != 0)
				ret = err_errno(err, "cannot list");
			break;
		}
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			ret = append(&l, de->d_name, err);
	}
	closedir(dir);
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
