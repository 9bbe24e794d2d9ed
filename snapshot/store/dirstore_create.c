#include "snapshot/store/dirstore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The directories of an empty store. */
static const char *const layout[] = {"tmp", "keys", "datasets"};

/* What a creation has made, to be undone if it fails. */
struct made {
	bool top;
	bool claimed; /* the directory is locked for this creation */
	bool dirs[ARRAY_LEN(layout)];
	bool replica; /* a site's own directory may be there */
};

static int
make_top(const char *address, const struct sysio *io, struct made *made,
    struct err *err)
{
	struct stat st;

	if (io->mkdir(io->arg, AT_FDCWD, address, DIR_MODE) == 0) {
		made->top = true;
		return 0;
	}
	if (errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND,
		    "cannot make a store at '%s': its parent directory is not "
		    "there",
		    address);
	if (errno != EEXIST)
		return err_errno(err, "cannot make a store at '%s'", address);
	if (stat(address, &st) == 0 && !S_ISDIR(st.st_mode))
		return err_set(err, ERR_USAGE,
		    "cannot make a store at '%s': it is not a directory",
		    address);
	return 0;
}

static int
refuse_entry(
    void *arg, UNUSED int dir, UNUSED const struct dirent *e, struct err *err)
{
	const struct dirstore *d = arg;

	return err_set(err, ERR_USAGE,
	    "cannot make a store at '%s': it is not empty", d->base.address);
}

/* A filesystem's own lost+found, and what a crash left of our own, are fine. */
static int
check_entry(void *arg, int dir, const struct dirent *e, struct err *err)
{
	const struct dirstore *d = arg;

	if (strcmp(e->d_name, "lost+found") == 0)
		return 0;
	if (strcmp(e->d_name, "site") == 0)
		return err_set(err, ERR_USAGE,
		    "cannot make a store at '%s': it is a site, which waits"
		    " for another store's objects",
		    d->base.address);
	for (size_t i = 0; i < ARRAY_LEN(layout); i++)
		if (strcmp(e->d_name, layout[i]) == 0)
			return dirstore_each(
			    d, layout[i], refuse_entry, arg, err);
	return refuse_entry(arg, dir, e, err);
}

static int
check_replica_entry(void *arg, int dir, const struct dirent *e, struct err *err)
{
	if (strcmp(e->d_name, "site") == 0)
		return 0;
	return check_entry(arg, dir, e, err);
}

/* The directory belongs to one creation at a time. */
static int
claim(struct dirstore *d, struct made *made, struct err *err)
{
	if (faccessat(d->root, "varve", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, ERR_USAGE,
		    "there is a store at '%s' already", d->base.address);
	if (flock(d->root, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return err_set(err, ERR_LOCKED,
			    "another process is making a store at '%s'",
			    d->base.address);
		return err_errno(err, "cannot lock '%s'", d->base.address);
	}
	made->claimed = true;
	/* Before they are looked at: drafts of a creation that crashed. */
	dirstore_sweep(d);
	return dirstore_each(
	    d, ".", made->replica ? check_replica_entry : check_entry, d, err);
}

static int
make_layout(struct dirstore *d, struct made *made, struct err *err)
{
	const struct sysio *io = d->io;

	for (size_t i = 0; i < ARRAY_LEN(layout); i++) {
		if (io->mkdir(io->arg, d->root, layout[i], DIR_MODE) == 0)
			made->dirs[i] = true;
		else if (errno != EEXIST)
			return dirstore_fail(d, err, "make", layout[i]);
	}
	if (made->top) {
		int rc = dirstore_sync_dir(d, "..", err);

		if (rc != 0)
			return rc;
	}
	return dirstore_sync_dir(d, ".", err);
}

static int
write_root(const struct dirstore *d, struct store_draft *draft,
    const void *root, size_t len, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_ROOT};
	int rc = dirstore_draft_write(draft, root, len, err);

	if (rc == 0)
		rc = dirstore_draft_commit(draft, &ref, err);
	/* It may have its name already; but not if that was another's. */
	if (rc != 0 && rc != ERR_USAGE)
		(void)d->io->unlink(d->io->arg, d->root, "varve", 0);
	return rc;
}

static int
check_prepared(struct dirstore *d, struct err *err)
{
	char site[STORE_SITE_MAX];
	bool replica;
	int rc = dirstore_replica(&d->base, &replica, site, err);

	if (rc != 0 || replica)
		return rc;
	return err_set(err, ERR_USAGE, "'%s' was not prepared as a replica",
	    d->base.address);
}

/* The root object comes last: without it there is no store. */
static int
fill(struct dirstore *d, const void *root, size_t len, struct made *made,
    struct err *err)
{
	struct store_draft *draft;
	int rc = claim(d, made, err);

	if (rc == 0)
		rc = make_layout(d, made, err);
	if (rc == 0 && made->replica)
		rc = check_prepared(d, err);
	if (rc != 0)
		return rc;
	rc = dirstore_draft_new(&d->base, &draft, err);
	if (rc != 0)
		return rc;
	rc = write_root(d, draft, root, len, err);
	dirstore_draft_free(draft);
	return rc;
}

/*
 * The failure is reported already; what can't be removed stays behind. So does
 * a new directory that another creation has claimed in the meantime, or may.
 */
static void
undo(const char *address, const struct sysio *io, struct store *s,
    const struct made *made)
{
	if (!made->claimed)
		return;
	for (size_t i = 0; i < ARRAY_LEN(layout); i++)
		if (made->dirs[i])
			(void)io->unlink(io->arg, dirstore_of(s)->root,
			    layout[i], AT_REMOVEDIR);
	if (made->top)
		(void)io->unlink(io->arg, AT_FDCWD, address, AT_REMOVEDIR);
}

static int
create(const char *address, const void *root, size_t len,
    const struct sysio *io, bool replica, struct store **out, struct err *err)
{
	AUTO(store) struct store *s = NULL;
	struct made made = {.replica = replica};
	int rc;

	*out = NULL;
	rc = make_top(address, io, &made, err);
	if (rc == 0)
		rc = dirstore_attach(address, io, &s, err);
	if (rc == 0)
		rc = fill(dirstore_of(s), root, len, &made, err);
	if (rc != 0) {
		undo(address, io, s, &made);
		return rc;
	}
	(void)flock(dirstore_of(s)->root, LOCK_UN);
	*out = STEAL(s);
	return 0;
}

int
dirstore_create(const char *address, const void *root, size_t len,
    const struct sysio *io, struct store **out, struct err *err)
{
	return create(address, root, len, io, false, out, err);
}

int
dirstore_finish_replica(const char *address, const void *root, size_t len,
    const struct sysio *io, struct store **out, struct err *err)
{
	return create(address, root, len, io, true, out, err);
}

int
dirstore_prepare_replica(const char *address, const char *site,
    const struct sysio *io, struct err *err)
{
	AUTO(store) struct store *s = NULL;
	struct made made = {.replica = true};
	int rc;

	rc = make_top(address, io, &made, err);
	if (rc == 0)
		rc = dirstore_attach(address, io, &s, err);
	if (rc == 0)
		rc = claim(dirstore_of(s), &made, err);
	if (rc == 0)
		rc = make_layout(dirstore_of(s), &made, err);
	if (rc == 0)
		rc = dirstore_set_replica(s, site, err);
	if (rc != 0)
		undo(address, io, s, &made);
	return rc;
}
