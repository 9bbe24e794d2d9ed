#include "snapshot/store/dirstore.h"
#include "snapshot/store/fdcache.h"
#include "snapshot/store/object_ref.h"

#include <stdio.h>
#include <string.h>

/*
 * An object that is moved aside keeps its path, below another directory. The new
 * name is made durable before the old one's end is: a crash may leave it in
 * either place.
 */
int
dirstore_set_aside(struct store *s, const struct object_ref *ref,
    const char *aside, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	char from[OBJECT_REF_TEXT], dir[OBJECT_REF_TEXT];
	char to[2 * OBJECT_REF_TEXT], to_dir[2 * OBJECT_REF_TEXT];
	int rc;

	object_ref_text(ref, from);
	object_ref_dir(ref, dir);
	(void)snprintf(to, sizeof(to), "%s/%s", aside, from);
	(void)snprintf(to_dir, sizeof(to_dir), "%s/%s", aside, dir);
	rc = dirstore_make_dir(d, to_dir, err);
	if (rc != 0)
		return rc;
	if (d->io->rename(d->io->arg, d->root, from, to, 0) != 0)
		return dirstore_fail(d, err, "move aside", from);
	fdcache_drop(d->files, ref);
	rc = dirstore_sync_dir(d, to_dir, err);
	return rc != 0 ? rc : dirstore_sync_dir(d, dir, err);
}
