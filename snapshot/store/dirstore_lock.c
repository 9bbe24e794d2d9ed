/*
 * A dataset's locks: files that are locked with the kernel's locks on open file
 * descriptions (fcntl(2), F_OFD_SETLK). Unlike those of flock(), they can be
 * looked at without being taken, so that who looks is in nobody's way.
 */
#include "snapshot/store/dirstore.h"
#include "snapshot/store/object_ref.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOCK_MODE 0666 /* whoever may write in the dataset may lock it */
#define WAIT_MS 10000
#define TRY_EVERY_MS 20

struct dirlock {
	struct store_lock base;
	int fd;
	char path[OBJECT_REF_TEXT];
};

static const struct {
	const char *name;
	unsigned wait_ms;
	const char *holder;
} kinds[] = {
    [STORE_LOCK_APPEND] = {"/lock", WAIT_MS, "is adding to this dataset"},
    [STORE_LOCK_RUN] = {"/run", 0, "is backing this dataset up"},
    [STORE_LOCK_PRUNE] = {"/prune", 0, "is pruning this dataset"},
};

static void
lock_path(const uint8_t dataset[STORE_DATASET_LEN], enum store_lock_kind kind,
    char path[OBJECT_REF_TEXT])
{
	object_ref_dataset_dir(dataset, path);
	(void)strcat(path, kinds[kind].name);
}

static void
pause_ms(long ms)
{
	struct timespec ts = {.tv_nsec = ms * 1000000};

	(void)nanosleep(&ts, NULL);
}

/* --- taking ------------------------------------------------------------- */

static int
take(const struct dirstore *d, const struct dirlock *l,
    enum store_lock_kind kind, struct err *err)
{
	for (unsigned ms = 0;; ms += TRY_EVERY_MS) {
		struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

		if (fcntl(l->fd, F_OFD_SETLK, &all) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return dirstore_fail(d, err, "lock", l->path);
		if (ms >= kinds[kind].wait_ms)
			break;
		pause_ms(TRY_EVERY_MS);
	}
	return err_set(err, ERR_LOCKED, "'%s/%s' is held: another process %s",
	    d->base.address, l->path, kinds[kind].holder);
}

/* The note of the holder before must not pass for this one's. */
static int
forget_note(const struct dirstore *d, const struct dirlock *l, struct err *err)
{
	return ftruncate(l->fd, 0) == 0
		   ? 0
		   : dirstore_fail(d, err, "write", l->path);
}

static int
open_lock(struct dirstore *d, struct dirlock *l, enum store_lock_kind kind,
    struct err *err)
{
	int rc;

	l->fd = d->io->open(d->io->arg, d->root, l->path,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, LOCK_MODE);
	if (l->fd < 0)
		return dirstore_fail(d, err, "open", l->path);
	rc = take(d, l, kind, err);
	return rc == 0 ? forget_note(d, l, err) : rc;
}

int
dirstore_lock(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    enum store_lock_kind kind, struct store_lock **out, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	char dir[OBJECT_REF_TEXT];
	struct dirlock *lock;
	int rc;

	*out = NULL;
	lock = calloc(1, sizeof(*lock));
	if (lock == NULL)
		return err_nomem(err);
	lock->base.store = s;
	lock->fd = -1;
	lock_path(dataset, kind, lock->path);
	object_ref_dataset_dir(dataset, dir);
	rc = dirstore_make_dir(d, dir, err);
	if (rc == 0)
		rc = open_lock(d, lock, kind, err);
	if (rc == ERR_DENIED)
		err_wrap(err, "the store '%s' can only be read", s->address);
	if (rc != 0) {
		dirstore_unlock(&lock->base);
		return rc;
	}
	if (kind != STORE_LOCK_APPEND)
		dirstore_sweep(d);
	*out = &lock->base;
	return 0;
}

void
dirstore_unlock(struct store_lock *lock)
{
	struct dirlock *l = (struct dirlock *)lock;

	if (l->fd >= 0)
		(void)close(l->fd);
	free(l);
}

/* --- notes -------------------------------------------------------------- */

/*
 * Written in one piece into an empty file, so that who reads it sees all of it
 * or nothing.
 */
int
dirstore_lock_note(
    struct store_lock *lock, const void *buf, size_t len, struct err *err)
{
	const struct dirlock *l = (const struct dirlock *)lock;
	ssize_t n = pwrite(l->fd, buf, len, 0);

	if (n >= 0 && (size_t)n < len)
		errno = ENOSPC;
	if (n < 0 || (size_t)n < len)
		return dirstore_fail(
		    dirstore_of(lock->store), err, "write", l->path);
	return 0;
}

static int
read_state(const struct dirstore *d, int fd, const char *path,
    struct store_lock_state *out, struct err *err)
{
	struct flock all = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	ssize_t n;

	if (fcntl(fd, F_OFD_GETLK, &all) != 0)
		return dirstore_fail(d, err, "look at", path);
	out->held = all.l_type != F_UNLCK;
	if (!out->held)
		return 0;
	n = pread(fd, out->note, sizeof(out->note), 0);
	if (n < 0)
		return dirstore_fail(d, err, "read", path);
	out->len = (size_t)n;
	return 0;
}

int
dirstore_lock_look(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    enum store_lock_kind kind, struct store_lock_state *out, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	char path[OBJECT_REF_TEXT];
	int fd, rc;

	lock_path(dataset, kind, path);
	fd = openat(
	    d->root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : dirstore_fail(d, err, "open", path);
	rc = read_state(d, fd, path, out, err);
	(void)close(fd);
	return rc;
}
