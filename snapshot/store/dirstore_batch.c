/*
 * Many drafts given their names at once. A file that is synced by itself costs
 * a journal commit, and so does each directory; one sync of the filesystem does
 * for all of them, but also waits for what others wrote. So few are synced one by
 * one.
 */
#include "snapshot/store/dirstore.h"
#include "snapshot/store/object_ref.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FEW 8

static int
sync_all(const struct dirstore *d, struct err *err)
{
	if (d->io->syncfs(d->io->arg, d->root) != 0)
		return dirstore_fail(d, err, "sync", ".");
	return 0;
}

int
dirstore_sync(struct store *s, struct err *err)
{
	return sync_all(dirstore_of(s), err);
}

static int
sync_drafts(const struct dirstore *d, struct store_draft *const *drafts,
    size_t n, struct err *err)
{
	int rc = 0;

	if (n > FEW)
		return sync_all(d, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = dirstore_draft_sync(drafts[i], err);
	return rc;
}

/* The directories in which names were made; up to FEW of them are known. */
struct touched {
	char dirs[FEW][OBJECT_REF_TEXT];
	size_t n; /* FEW + 1: more */
};

static void
touch(struct touched *t, const struct object_ref *ref)
{
	char dir[OBJECT_REF_TEXT];

	if (t->n > FEW)
		return;
	object_ref_dir(ref, dir);
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->dirs[i], dir) == 0)
			return;
	}
	if (t->n < FEW)
		memcpy(t->dirs[t->n], dir, sizeof(dir));
	t->n++;
}

static int
sync_touched(const struct dirstore *d, const struct touched *t, struct err *err)
{
	int rc = 0;

	if (t->n > FEW)
		return sync_all(d, err);
	for (size_t i = 0; i < t->n && rc == 0; i++)
		rc = dirstore_sync_dir(d, t->dirs[i], err);
	return rc;
}

int
dirstore_drafts_commit(struct store *s, struct store_draft *const *drafts,
    const struct object_ref *refs, size_t n, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	struct touched touched = {.n = 0};
	int rc = sync_drafts(d, drafts, n, err);

	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = dirstore_draft_name(drafts[i], &refs[i], err);
		touch(&touched, &refs[i]);
	}
	/* Also when a name was there: its writer may not have come this far. */
	return rc != 0 ? rc : sync_touched(d, &touched, err);
}
