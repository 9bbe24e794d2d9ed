/*
 * Taking back what a repack has written, when the store's disk is full: then
 * the packs that nobody needs go first, and make the room. No record names any
 * of it yet, and nobody else knows it: what is written anew has names that
 * nothing else can have.
 */
#include "snapshot/prune/prune_internal.h"

#include <string.h>

static int
remove_one(const struct prune *p, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	struct object_ref ref;
	struct err why;
	int rc;

	prune_ref(p, cls, name, &ref);
	rc = store_remove(p->store, &ref, &why);
	return rc == 0 || rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
}

struct looking {
	const struct prune *p;
	bool own; /* the index at hand lists a pack of this run's */
};

/* An index_listed_fn. */
static int
look(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, UNUSED struct err *err)
{
	struct looking *l = arg;

	l->own |= present_find(&l->p->own, ref->name) != NULL;
	return 0;
}

/* Other new indexes are those of backups that are running. */
static int
remove_index(
    const struct prune *p, const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	struct looking l = {.p = p};
	struct object_ref ref;
	struct err why;
	int rc;

	prune_ref(p, OBJECT_INDEX, name, &ref);
	rc = index_peek(p->store, &ref, look, &l, &why);
	/* A backup makes one of several of its own, and removes those. */
	if (rc == ERR_NOT_FOUND || rc == ERR_CORRUPT || rc == ERR_VERSION)
		return 0;
	if (rc != 0)
		return err_copy(err, &why);
	return l.own ? remove_one(p, OBJECT_INDEX, name, err) : 0;
}

/* Before the packs: an index that lists what is not there is damage. */
static int
remove_indexes(const struct prune *p, struct err *err)
{
	PRESENT_AUTO struct present now = {0};
	int rc = present_list(&now, p->store, OBJECT_INDEX, p->ds->id, err);

	for (size_t i = 0; rc == 0 && i < now.n; i++)
		if (present_find(&p->indexes, now.v[i].name) == NULL)
			rc = remove_index(p, now.v[i].name, err);
	return rc;
}

int
undo_repack(struct prune *p, uint64_t *bytes, struct err *err)
{
	int rc = 0;

	*bytes = 0;
	present_sort(&p->own);
	names_clear(&p->set);
	if (p->own.n > 0)
		rc = remove_indexes(p, err);
	for (size_t i = 0; rc == 0 && i < p->own.n; i++) {
		rc = remove_one(p, OBJECT_PACK, p->own.v[i].name, err);
		*bytes += p->own.v[i].size;
	}
	present_clear(&p->own);
	memset(&p->out->written, 0, sizeof(p->out->written));
	return rc;
}
