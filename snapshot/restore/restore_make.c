#include "snapshot/restore/restore_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* --- hard links -------------------------------------------------------- */

/* The first link of a file with several was made. */
static int
note_first(struct restore *rs, const struct dir_entry *de,
    struct made_file **out, struct err *err)
{
	int ret;

	made_lock(rs->made);
	ret = made_add(
	    rs->made, de->raw.p, de->raw.len, de->e.nlink, rs->path, out, err);
	made_unlock(rs->made);
	return ret;
}

static void
forget_first(struct restore *rs, struct made_file *file)
{
	if (file == NULL)
		return;
	made_lock(rs->made);
	made_take(rs->made, file);
	made_unlock(rs->made);
	made_file_free(file);
}

/* Open the directory with the first ${len} bytes of ${path}, by steps. */
int
restore_open_dir(
    struct restore *rs, const char *path, size_t len, struct err *err)
{
	int fd = fcntl(rs->root_fd, F_DUPFD_CLOEXEC, 0);
	const char *end = path + len;

	while (fd >= 0 && path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		size_t n = (size_t)((slash != NULL ? slash : end) - path);
		char *step = strndup(path, n);
		int next;

		if (step == NULL) {
			close(fd);
			return err_nomem(err);
		}
		next = openat(
		    fd, step, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		free(step);
		close(fd);
		fd = next;
		path += slash != NULL ? n + 1 : n;
	}
	if (fd < 0)
		return err_errno(err, "cannot reach the directory again");
	return fd;
}

/* The directory of ${path}, and the name in it. */
static int
open_parent_of(
    struct restore *rs, const char *path, const char **name, struct err *err)
{
	const char *slash = strrchr(path, '/');

	*name = slash != NULL ? slash + 1 : path;
	return restore_open_dir(
	    rs, path, slash != NULL ? (size_t)(slash - path) : 0, err);
}

static int
make_link(struct restore *rs, const char *first, int dirfd, const char *name,
    struct err *err)
{
	const char *first_name;
	int from = open_parent_of(rs, first, &first_name, err), ret;

	if (from < 0)
		return from;
	ret = linkat(from, first_name, dirfd, name, 0);
	if (ret != 0)
		ret = err_errno(err, "cannot link to '%s'", first);
	close(from);
	return ret;
}

/* One more name of what is whole. */
static void
count_link(struct restore *rs, const struct entry *e)
{
	pthread_mutex_lock(&rs->mu);
	if (e->type == ENTRY_FILE) {
		rs->out->files++;
		rs->out->bytes += e->size;
	} else {
		rs->out->others++;
	}
	pthread_mutex_unlock(&rs->mu);
}

/*
 * Link to what was made of the same entry: 1, or 0 when there is none. Nobody
 * finds the file to have failed between the link and the note of it.
 */
static int
link_to_made(struct restore *rs, int dirfd, const char *name,
    const struct dir_entry *de, struct err *err)
{
	struct made_file *file;
	int ret;

	made_lock(rs->made);
	ret = made_find(rs->made, de->raw.p, de->raw.len, &file, err);
	if (file != NULL) {
		bool filled = file->filled;

		ret = make_link(rs, file->paths[0], dirfd, name, err);
		if (ret == 0) {
			ret = made_link(rs->made, file, rs->path, err);
			if (ret != 0)
				(void)unlinkat(dirfd, name, 0);
			else if (filled)
				count_link(rs, &de->e);
		}
		ret = ret == 0 ? 1 : ret;
	}
	made_unlock(rs->made);
	return ret;
}

/*
 * The directory keeps its time, and a user may have no right to write in it any
 * more.
 */
void
restore_unmake(struct restore *rs, const char *path)
{
	const char *name;
	int dir = open_parent_of(rs, path, &name, NULL);
	struct timespec times[2];
	char proc[64];
	struct stat st;

	if (dir < 0)
		return;
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", dir);
	/* What can't be removed stays, empty; its failure has been told. */
	if (fstat(dir, &st) == 0) {
		if (unlinkat(dir, name, 0) != 0 && errno == EACCES &&
		    chmod(proc, st.st_mode | S_IRWXU) == 0) {
			(void)unlinkat(dir, name, 0);
			(void)chmod(proc, st.st_mode & 07777);
		}
		times[0] = st.st_atim;
		times[1] = st.st_mtim;
		(void)utimensat(AT_FDCWD, proc, times, 0);
	}
	close(dir);
}

/* --- files ------------------------------------------------------------- */

/* Begin to fill a new file. When it can't be, nothing is left of it. */
static int
make_file(struct restore *rs, int dirfd, const char *name,
    const struct dir_entry *de, struct err *err)
{
	struct made_file *file = NULL;
	int ret = 0;
	int fd = openat(dirfd, name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(err, "cannot make the file");
	if (de->e.nlink > 1)
		ret = note_first(rs, de, &file, err);
	if (ret != 0)
		close(fd);
	else
		ret = filler_add(rs->filler, fd, rs->path, de, file, err);
	if (ret != 0) {
		forget_first(rs, file);
		(void)unlinkat(dirfd, name, 0); /* the failure is told */
	}
	return ret;
}

static int
make_symlink(
    int dirfd, const char *name, const struct entry *e, struct err *err)
{
	char *target = strndup((const char *)e->target.p, e->target.len);
	int ret;

	if (target == NULL)
		return err_nomem(err);
	ret = symlinkat(target, dirfd, name);
	if (ret != 0)
		ret = err_errno(err, "cannot make the symlink");
	free(target);
	return ret;
}

static int
make_special(
    int dirfd, const char *name, const struct entry *e, struct err *err)
{
	mode_t mode = (entry_mode(e) & S_IFMT) | 0600;
	dev_t dev = 0;

	if (e->type == ENTRY_CHAR || e->type == ENTRY_BLOCK)
		dev = makedev(e->rdev_major, e->rdev_minor);
	if (mknodat(dirfd, name, mode, dev) != 0)
		return err_errno(err, "cannot make the special file");
	return 0;
}

static int
make_other(struct restore *rs, int dirfd, const char *name,
    const struct dir_entry *de, struct err *err)
{
	const struct entry *e = &de->e;
	struct made_file *file = NULL;
	int ret = e->type == ENTRY_SYMLINK ? make_symlink(dirfd, name, e, err)
					   : make_special(dirfd, name, e, err);

	if (ret != 0)
		return ret;
	pthread_mutex_lock(&rs->mu);
	rs->out->others++;
	pthread_mutex_unlock(&rs->mu);
	if (e->nlink > 1) {
		if ((ret = note_first(rs, de, &file, err)) != 0)
			return ret;
		made_lock(rs->made);
		made_filled(rs->made, file);
		made_unlock(rs->made);
	}
	return apply_at(rs->apply, dirfd, name, e, err);
}

int
restore_make(struct restore *rs, int dirfd, const char *name,
    const struct dir_entry *de, struct err *err)
{
	int ret;

	if (de->e.nlink > 1) {
		ret = link_to_made(rs, dirfd, name, de, err);
		if (ret != 0)
			return ret < 0 ? ret : 0;
	}
	if (de->e.type == ENTRY_FILE)
		return make_file(rs, dirfd, name, de, err);
	return make_other(rs, dirfd, name, de, err);
}
