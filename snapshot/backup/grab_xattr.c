#include "snapshot/backup/grab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#define TRIES 4 /* a list may grow while it is read */
/* Beyond it all values go to chunks: an entry has a limit (FORMAT.md 8). */
#define INLINE_TOTAL (128 * 1024)

/*
 * One way to list and get, for files that are open, and for those that can't be:
 * the path is a link of /proc to one that is held, and so is followed.
 */
struct source {
	int fd;
	const char *path;
};

static ssize_t
list_xattrs(const struct source *s, char *buf, size_t len)
{
	return s->fd >= 0 ? flistxattr(s->fd, buf, len)
			  : listxattr(s->path, buf, len);
}

static ssize_t
get_xattr(const struct source *s, const char *name, void *buf, size_t len)
{
	return s->fd >= 0 ? fgetxattr(s->fd, name, buf, len)
			  : getxattr(s->path, name, buf, len);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The list's names, sorted. *${arena} holds them; both are the caller's. */
static int
read_names(const struct source *s, char **arena, const char ***names, size_t *n,
    int *errnum, struct err *err)
{
	char *end, *p;
	ssize_t len = 0;

	for (unsigned i = 0; i < TRIES; i++) {
		if ((len = list_xattrs(s, NULL, 0)) <= 0)
			break;
		free(*arena);
		if ((*arena = malloc((size_t)len)) == NULL)
			return err_nomem(err);
		len = list_xattrs(s, *arena, (size_t)len);
		if (len >= 0 || errno != ERANGE)
			break;
	}
	if (len < 0)
		*errnum = errno;
	if (len <= 0)
		return 0;
	if ((*names = calloc((size_t)len, sizeof(**names))) == NULL)
		return err_nomem(err);
	end = *arena + len;
	for (p = *arena; p < end; p += strlen(p) + 1)
		(*names)[(*n)++] = p;
	qsort(*names, *n, sizeof(**names), compare);
	return 0;
}

/* Encode one attribute; a value that went away meanwhile is passed over. */
static int
grab_one(struct ingest_lane *lane, const struct source *s, const char *name,
    uint8_t *value, struct item *it, struct err *err)
{
	struct xattr x = {.name = {(const uint8_t *)name, strlen(name)}};
	ssize_t len = get_xattr(s, name, value, ENTRY_XATTR_MAX);
	int ret;

	if (len < 0) {
		if (errno != ENODATA) {
			it->fate = ITEM_UNREADABLE;
			it->errnum = errno;
		}
		return 0;
	}
	x.value.p = value;
	x.value.len = (size_t)len;
	x.value_len = (uint32_t)len;
	if (len > ENTRY_XATTR_INLINE ||
	    (len > 0 && it->xattrs.len > INLINE_TOTAL)) {
		x.in_chunk = true;
		ret = ingest_chunk(
		    lane, CHUNK_DATA, value, (size_t)len, &x.chunk, err);
		if (ret != 0)
			return ret;
	}
	xattr_encode(&x, &it->xattrs);
	it->nxattrs++;
	return it->xattrs.failed ? err_nomem(err) : 0;
}

int
grab_xattrs(struct ingest_lane *lane, int fd, const char *path, struct item *it,
    struct err *err)
{
	struct source s = {.fd = fd, .path = path};
	const char **names = NULL;
	uint8_t *value = NULL;
	char *arena = NULL;
	size_t n = 0;
	int errnum = 0, ret;

	wr_reset(&it->xattrs);
	it->nxattrs = 0;
	ret = read_names(&s, &arena, &names, &n, &errnum, err);
	if (errnum != 0 && errnum != ENOTSUP && errnum != ENOSYS &&
	    errnum != ENOENT) {
		it->fate = ITEM_UNREADABLE;
		it->errnum = errnum;
	}
	if (ret == 0 && n > 0 && (value = malloc(ENTRY_XATTR_MAX)) == NULL)
		ret = err_nomem(err);
	for (size_t i = 0; i < n && ret == 0; i++)
		ret = grab_one(lane, &s, names[i], value, it, err);
	free(value);
	free(names);
	free(arena);
	return ret;
}
