/*
 * An object is written to tmp/ under a random name, made durable, and only
 * then given its own name, which is made durable in turn. The writer holds its
 * file with flock(), so that a leftover can be told from work in progress.
 */
#include "crypto/hash.h"
#include "snapshot/store/dirstore.h"
#include "snapshot/store/fdcache.h"
#include "snapshot/store/object_ref.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY 1 /* neither done nor failed */

struct draft {
	struct store_draft base;
	int fd;
	bool linked; /* whether the name in tmp/ is there */
	char path[sizeof("tmp/") + 2 * DRAFT_ID_LEN];
	uint64_t size;
};

/* A draft that is given up vanishes; if it can't, a later sweep removes it. */
static void
drop_draft(const struct dirstore *d, struct draft *w)
{
	if (w->linked)
		(void)d->io->unlink(d->io->arg, d->root, w->path, 0);
	if (w->fd >= 0)
		(void)close(w->fd);
	w->linked = false;
	w->fd = -1;
}

/*
 * Hold the draft's file. RETRY: in the moment before, a sweep has taken it
 * for dead.
 */
static int
hold_draft(const struct dirstore *d, const struct draft *w, struct err *err)
{
	struct stat st;

	if (flock(w->fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK
			   ? RETRY
			   : dirstore_fail(d, err, "lock", w->path);
	if (fstat(w->fd, &st) != 0)
		return dirstore_fail(d, err, "look at", w->path);
	return st.st_nlink == 0 ? RETRY : 0;
}

/* One try at a new file in tmp/; RETRY with another name. */
static int
open_draft(const struct dirstore *d, struct draft *w, struct err *err)
{
	const struct sysio *io = d->io;
	uint64_t id[2];
	int rc = random_bytes(id, sizeof(id), err);

	if (rc != 0)
		return rc;
	(void)snprintf(w->path, sizeof(w->path), "tmp/%016llx%016llx",
	    (unsigned long long)id[0], (unsigned long long)id[1]);
	w->fd = io->open(io->arg, d->root, w->path,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OBJECT_MODE);
	if (w->fd < 0)
		return errno == EEXIST
			   ? RETRY
			   : dirstore_fail(d, err, "write", w->path);
	w->linked = true;
	rc = hold_draft(d, w, err);
	if (rc != 0)
		drop_draft(d, w);
	return rc;
}

int
dirstore_draft_new(struct store *s, struct store_draft **out, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	struct draft *w = calloc(1, sizeof(*w));
	int rc;

	*out = NULL;
	if (w == NULL)
		return err_nomem(err);
	w->base.store = s;
	w->fd = -1;
	do {
		/* tmp/ need not outlast a crash: it only has to be there. */
		if (d->io->mkdir(d->io->arg, d->root, "tmp", DIR_MODE) != 0 &&
		    errno != EEXIST)
			rc = dirstore_fail(d, err, "make", "tmp");
		else
			rc = open_draft(d, w, err);
	} while (rc == RETRY);
	if (rc != 0) {
		free(w);
		return rc;
	}
	*out = &w->base;
	return 0;
}

int
dirstore_draft_write(
    struct store_draft *draft, const void *buf, size_t len, struct err *err)
{
	const struct dirstore *d = dirstore_of(draft->store);
	struct draft *w = (struct draft *)draft;
	const uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = d->io->write(d->io->arg, w->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			return dirstore_fail(d, err, "write", w->path);
		}
		p += n;
		len -= (size_t)n;
		w->size += (uint64_t)n;
	}
	return 0;
}

/* --- giving a draft its name ------------------------------------------- */

/*
 * Rename without replacing. Filesystems that can't (NFS) can link and unlink;
 * a crash in between leaves a second name in tmp/, which a sweep removes.
 */
static int
rename_draft(const struct dirstore *d, struct draft *w, const char *to)
{
	const struct sysio *io = d->io;

	if (io->rename(io->arg, d->root, w->path, to, RENAME_NOREPLACE) == 0) {
		w->linked = false;
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -1;
	return io->link(io->arg, d->root, w->path, to);
}

/*
 * Something has the name already. Of the same size it is the same object (its
 * name is its hash); of another, a copy that was damaged.
 * RETRY: it has gone again.
 */
static int
check_present(struct dirstore *d, const struct draft *w,
    const struct object_ref *ref, const char *text, struct err *err)
{
	struct err e;
	uint64_t size;
	int rc;

	if (ref->cls == OBJECT_ROOT)
		return err_set(err, ERR_USAGE,
		    "there is a store at '%s' already", d->base.address);
	rc = dirstore_size(&d->base, ref, &size, &e);
	if (rc == ERR_NOT_FOUND)
		return RETRY;
	if (rc != 0)
		return err_copy(err, &e);
	if (size != w->size)
		return err_set(err, ERR_CORRUPT,
		    "'%s/%s' is damaged: it has %llu bytes, and should have "
		    "%llu",
		    d->base.address, text, (unsigned long long)size,
		    (unsigned long long)w->size);
	return 0;
}

int
dirstore_draft_sync(const struct store_draft *draft, struct err *err)
{
	const struct dirstore *d = dirstore_of(draft->store);
	const struct draft *w = (const struct draft *)draft;

	if (d->io->fsync(d->io->arg, w->fd) != 0)
		return dirstore_fail(d, err, "sync", w->path);
	return 0;
}

int
dirstore_draft_name(
    struct store_draft *draft, const struct object_ref *ref, struct err *err)
{
	struct dirstore *d = dirstore_of(draft->store);
	struct draft *w = (struct draft *)draft;
	char text[OBJECT_REF_TEXT];
	char dir[OBJECT_REF_TEXT];
	bool remade = false;
	int rc;

	object_ref_text(ref, text);
	object_ref_dir(ref, dir);
	do {
		rc = dirstore_make_dir(d, dir, err);
		if (rc != 0 || rename_draft(d, w, text) == 0)
			return rc;
		if (errno == EEXIST) {
			rc = check_present(d, w, ref, text, err);
		} else if (errno == ENOENT && !remade) {
			/* The directory has been removed since we saw it. */
			dirstore_forget_dirs(d);
			remade = true;
			rc = RETRY;
		} else {
			rc = dirstore_fail(d, err, "write", text);
		}
	} while (rc == RETRY);
	return rc;
}

int
dirstore_draft_commit(
    struct store_draft *draft, const struct object_ref *ref, struct err *err)
{
	struct dirstore *d = dirstore_of(draft->store);
	char dir[OBJECT_REF_TEXT];
	int rc = dirstore_draft_sync(draft, err);

	if (rc == 0)
		rc = dirstore_draft_name(draft, ref, err);
	object_ref_dir(ref, dir);
	/* Also when it was there: its writer may not have come this far. */
	return rc != 0 ? rc : dirstore_sync_dir(d, dir, err);
}

void
dirstore_draft_free(struct store_draft *draft)
{
	drop_draft(dirstore_of(draft->store), (struct draft *)draft);
	free(draft);
}

int
dirstore_remove(struct store *s, const struct object_ref *ref, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	char text[OBJECT_REF_TEXT];
	char dir[OBJECT_REF_TEXT];

	object_ref_text(ref, text);
	if (d->io->unlink(d->io->arg, d->root, text, 0) != 0)
		return dirstore_fail(d, err, "remove", text);
	fdcache_drop(d->files, ref);
	/* A pack that a crash brings back is dead weight, and pruned again. */
	if (ref->cls == OBJECT_PACK)
		return 0;
	object_ref_dir(ref, dir);
	return dirstore_sync_dir(d, dir, err);
}
