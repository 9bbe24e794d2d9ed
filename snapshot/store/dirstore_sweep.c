#include "snapshot/store/dirstore.h"
#include "snapshot/store/object_ref.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

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
