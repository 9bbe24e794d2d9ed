/*
 * Down and up the trees. Like a backup's walk it opens no path whole and keeps
 * only the deepest directories open, so that no depth is too much.
 */
#include "snapshot/restore/restore_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Directories kept open above the one being filled. */
#define OPEN_LEVELS 64

int
restore_path(
    struct restore *rs, const uint8_t *name, size_t len, struct err *err)
{
	size_t at = rs->path_len, need = at + len + 2;

	if (need > rs->path_cap) {
		char *path = realloc(rs->path, need * 2);

		if (path == NULL)
			return err_nomem(err);
		rs->path = path;
		rs->path_cap = need * 2;
	}
	if (at > 0)
		rs->path[at++] = '/';
	memcpy(rs->path + at, name, len);
	rs->path[at + len] = '\0';
	return 0;
}

const char *
restore_path_name(const struct restore *rs)
{
	const char *slash = strrchr(rs->path, '/');

	return slash != NULL ? slash + 1 : rs->path;
}

/* --- down and up ------------------------------------------------------- */

static struct level *
top(struct restore *rs)
{
	return &rs->levels[rs->depth - 1];
}

static void
level_clear(struct level *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->raw);
	dir_cursor_free(l->cur);
}

int
restore_push(struct restore *rs, int fd, struct span raw, struct err *err)
{
	struct level *l;
	struct stat st;

	if (rs->depth == rs->cap) {
		size_t cap = rs->cap * 2 + 16;

		l = realloc(rs->levels, cap * sizeof(*l));
		if (l == NULL) {
			close(fd);
			return err_nomem(err);
		}
		rs->levels = l;
		rs->cap = cap;
	}
	l = &rs->levels[rs->depth++];
	memset(l, 0, sizeof(*l));
	l->fd = fd;
	l->path_len = rs->path_len;
	if (fstat(fd, &st) != 0)
		return err_errno(err, "cannot look at '%s'", rs->path);
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	if ((l->raw = malloc(raw.len)) == NULL)
		return err_nomem(err);
	memcpy(l->raw, raw.p, raw.len);
	if (rs->depth > OPEN_LEVELS + 1) {
		struct level *far = l - OPEN_LEVELS;

		close(far->fd);
		far->fd = -1;
	}
	return entry_decode(l->raw, raw.len, &l->e, err);
}

/* Take ${fd} (taken over) for the directory ${l}, if it is the one. */
static int
take_back(struct level *l, int fd, struct err *err)
{
	struct stat st;

	if (fd < 0)
		return err_errno(err, "cannot go back up");
	if (fstat(fd, &st) != 0 || st.st_dev != l->dev || st.st_ino != l->ino) {
		close(fd);
		return err_set(
		    err, ERR_IO, "a directory was moved while it was filled");
	}
	l->fd = fd;
	return 0;
}

/* Back in a directory that was closed: '..', else where it was made. */
static int
reopen(struct restore *rs, struct level *l, const struct level *child,
    struct err *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int way, ret;

	if (take_back(l, openat(child->fd, "..", flags), NULL) == 0)
		return 0;
	way = restore_open_dir(rs, rs->path, l->path_len, err);
	if (way < 0)
		return way;
	ret = take_back(l, openat(way, ".", flags), err);
	close(way);
	return ret;
}

static void
pop(struct restore *rs)
{
	level_clear(top(rs));
	rs->depth--;
	if (rs->depth > 0)
		rs->path_len = top(rs)->path_len;
}

/*
 * Make the top directory's parent open, unless there is none. One that can't be
 * found again is told and given up.
 */
static int
reach_parent(struct restore *rs, struct err *err)
{
	struct err why;
	char after;
	int ret;

	while (rs->depth > 1 && (top(rs) - 1)->fd < 0) {
		struct level *l = top(rs);

		ret = reopen(rs, l - 1, l, &why);
		if (ret == 0)
			break;
		if (restore_is_fatal(ret))
			return err_copy(err, &why);
		after = rs->path[(l - 1)->path_len];
		rs->path[(l - 1)->path_len] = '\0';
		restore_tell(rs, rs->path, &why);
		rs->path[(l - 1)->path_len] = after;
		level_clear(l - 1);
		*(l - 1) = *l;
		rs->depth--;
	}
	return 0;
}

/*
 * All entries are made: back up, and the directory's own metadata, after which
 * it may not be possible to go up from it.
 */
static int
leave(struct restore *rs, struct err *err)
{
	int ret = reach_parent(rs, err);
	const struct level *l = top(rs);
	struct err why;

	if (ret == 0 && apply_fd(rs->apply, l->fd, &l->e, &why) != 0) {
		rs->path[l->path_len] = '\0';
		restore_tell(rs, rs->path, &why);
	}
	pop(rs);
	return ret;
}

/* --- the walk ---------------------------------------------------------- */

static int
make_dir(struct restore *rs, const struct dir_entry *de, struct err *err)
{
	const char *name = restore_path_name(rs);
	int dirfd = top(rs)->fd, fd;

	if (mkdirat(dirfd, name, 0700) != 0)
		return err_errno(err, "cannot make a directory");
	fd = openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open the new directory");
	rs->out->dirs++;
	rs->path_len = strlen(rs->path);
	return restore_push(rs, fd, de->raw, err);
}

static int
restore_entry(struct restore *rs, const struct dir_entry *de, struct err *err)
{
	struct err why;
	int ret = restore_path(rs, de->name.p, de->name.len, err);

	if (ret != 0)
		return ret;
	if (rs->opt->progress != NULL)
		atomic_fetch_add(&rs->opt->progress->entries, 1);
	if (de->e.type == ENTRY_DIR)
		ret = make_dir(rs, de, &why);
	else
		ret = restore_make(
		    rs, top(rs)->fd, restore_path_name(rs), de, &why);
	/* Where there is no room, say, this one is told of before it ends. */
	if (ret != 0 && ret != ERR_CANCELLED)
		restore_tell(rs, rs->path, &why);
	return restore_is_fatal(ret) ? err_copy(err, &why) : 0;
}

/* The next entry of the top directory; 0 when there is none. */
static int
next_entry(struct restore *rs, struct err *err)
{
	struct dir_entry de; /* the cursor's */
	struct level *l = top(rs);
	int ret;

	if (l->cur == NULL) {
		ret = dir_cursor_new(rs->chunks, &l->e.dir, &l->cur, err);
		if (ret != 0)
			return ret;
	}
	if ((ret = dir_cursor_next(l->cur, &de, err)) != 1)
		return ret;
	ret = restore_entry(rs, &de, err);
	return ret == 0 ? 1 : ret;
}

int
restore_walk(struct restore *rs, struct err *err)
{
	struct err why;
	int ret;

	while (rs->depth > 0) {
		if (rs->opt->stop != NULL && atomic_load(rs->opt->stop))
			return err_set(err, ERR_CANCELLED, "stopped");
		ret = next_entry(rs, &why);
		if (restore_is_fatal(ret))
			return err_copy(err, &why);
		if (ret < 0) {
			/* The rest of this directory can't be read. */
			rs->path[top(rs)->path_len] = '\0';
			restore_tell(rs, rs->path, &why);
		}
		if (ret != 1 && (ret = leave(rs, err)) != 0)
			return ret;
	}
	return 0;
}

void
restore_levels_clear(struct restore *rs)
{
	while (rs->depth > 0)
		level_clear(&rs->levels[--rs->depth]);
	free(rs->levels);
	free(rs->path);
}
