#include "snapshot/store/dirstore.h"
#include "snapshot/store/object_ref.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_MODE 0666 /* whoever may write in the dataset may lock it */

struct dirlock {
	struct store_lock base;
	int fd;
};

/* Whoever can lock a draft's file knows that its writer is dead. */
static int
sweep_one(void *arg, int dir, const struct dirent *e, UNUSED struct err *err)
{
	const struct dirstore *d = arg;
	uint8_t id[DRAFT_ID_LEN];
	char path[sizeof("tmp/") + sizeof(e->d_name)];
	int fd;

	if (!object_ref_hex(e->d_name, id, sizeof(id)))
		return 0;
	fd = openat(
	    dir, e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		(void)snprintf(path, sizeof(path), "tmp/%s", e->d_name);
		(void)d->io->unlink(d->io->arg, d->root, path, 0);
	}
	(void)close(fd);
	return 0;
}

void
dirstore_sweep(struct dirstore *d)
{
	/* A leftover takes space and harms nothing; the next sweep tries again. */
	if (dirstore_each(d, "tmp", sweep_one, d, NULL) != 0)
		return;
}

static int
open_lock(struct dirstore *d, const char *path, int *fd, struct err *err)
{
	*fd = d->io->open(d->io->arg, d->root, path,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, LOCK_MODE);
	if (*fd < 0)
		return dirstore_fail(d, err, "open", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_LOCKED,
		    "'%s/%s' is held: another process is adding to this "
		    "dataset",
		    d->base.address, path);
	return dirstore_fail(d, err, "lock", path);
}

int
dirstore_lock(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    struct store_lock **out, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	char path[OBJECT_REF_TEXT];
	struct dirlock *lock;
	int rc;

	*out = NULL;
	lock = calloc(1, sizeof(*lock));
	if (lock == NULL)
		return err_nomem(err);
	lock->base.store = s;
	lock->fd = -1;
	object_ref_dataset_dir(dataset, path);
	rc = dirstore_make_dir(d, path, err);
	if (rc == 0) {
		(void)strcat(path, "/lock");
		rc = open_lock(d, path, &lock->fd, err);
	}
	if (rc == ERR_DENIED)
		err_wrap(err, "the store '%s' can only be read", s->address);
	if (rc != 0) {
		dirstore_unlock(&lock->base);
		return rc;
	}
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
