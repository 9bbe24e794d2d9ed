#include "snapshot/replicate/doom.h"

#include "snapshot/content/index.h"
#include "snapshot/log/log.h"

#include <stdlib.h>
#include <string.h>

/* --- reading the log ---------------------------------------------------- */

static int
on_prune(struct doom *d, const struct record_clear *clear, struct err *err)
{
	d->prunes++;
	d->any = true;
	name_set_clear(&d->current);
	for (size_t i = 0; i < clear->ncondemned; i++) {
		struct condemned c = record_condemned(clear, i);
		struct doomed *o = doomed_find(&d->set, c.cls, c.name);
		int rc =
		    o == NULL ? doomed_add(&d->set, c.cls, c.name, &o, err) : 0;

		if (rc != 0)
			return rc;
		/* A new row. */
		if (o->listed == 0 || o->listed != d->prunes - 1) {
			o->since = clear->head.seq;
			o->newest = d->snapshot;
		}
		o->listed = d->prunes;
		o->gone = c.gone;
	}
	return 0;
}

/* A pack that a snapshot's own index lists: it has been taken up again. */
static int
rescue(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, UNUSED struct err *err)
{
	const struct doom *d = arg;
	struct doomed *o = doomed_find(&d->set, OBJECT_PACK, ref->name);

	if (o != NULL) {
		o->listed = 0;
		o->gone = false;
	}
	return 0;
}

/* ${there}: whether there is such an index. */
static int
peek(struct doom *d, const uint8_t name[OBJECT_NAME_LEN],
    index_listed_fn *visit, bool *there, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_INDEX};
	struct err why;
	int rc;

	memcpy(ref.dataset, d->dataset, STORE_DATASET_LEN);
	memcpy(ref.name, name, OBJECT_NAME_LEN);
	rc = index_peek(d->store, &ref, visit, d, &why);
	*there = rc != ERR_NOT_FOUND;
	return rc == 0 || rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
}

/* An index that is no longer here lists nothing that could be rescued by it. */
static int
on_snapshot(struct doom *d, const struct record_clear *clear, struct err *err)
{
	d->snapshot = clear->head.seq;
	for (size_t i = 0; d->any && i < clear->nindexes; i++) {
		struct doomed *o;
		bool there;
		int rc;

		if (name_set_has_object(&d->indexes, clear->indexes[i]))
			continue;
		o = doomed_find(&d->set, OBJECT_INDEX, clear->indexes[i]);
		if (o != NULL) {
			o->listed = 0;
			o->gone = false;
		}
		rc = peek(d, clear->indexes[i], rescue, &there, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
remember_indexes(
    struct doom *d, const struct record_clear *clear, struct err *err)
{
	int rc = 0;

	name_set_clear(&d->indexes);
	for (size_t i = 0; i < clear->nindexes && rc >= 0; i++) {
		const uint8_t *name = clear->indexes[i];

		rc = name_set_add_object(&d->indexes, name, err);
		if (rc >= 0 && d->any)
			rc = name_set_add_object(&d->current, name, err);
	}
	return rc < 0 ? rc : 0;
}

/* Signed by who may, every one was taken; so only the words matter here. */
static int
on_record(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct doom *d = arg;
	struct record_clear clear;
	uint8_t *buf;
	size_t len;
	int rc = store_get(d->store, ref, RECORD_MAX, &buf, &len, err);

	if (rc != 0)
		return rc;
	rc = record_peek(buf, len, &clear, err);
	if (rc == 0 && clear.head.type == RECORD_PRUNE)
		rc = on_prune(d, &clear, err);
	else if (rc == 0 && clear.head.type == RECORD_SNAPSHOT)
		rc = on_snapshot(d, &clear, err);
	if (rc == 0)
		rc = remember_indexes(d, &clear, err);
	free(buf);
	return rc;
}

/* --- what is still needed ----------------------------------------------- */

static int
mark_needed(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, UNUSED struct err *err)
{
	const struct doom *d = arg;
	struct doomed *o = doomed_find(&d->set, OBJECT_PACK, ref->name);

	if (o != NULL)
		o->needed = true;
	return 0;
}

/*
 * What a writer's record says takes nothing off the list: an admin's set counts
 * until another admin's takes its place. While one of these indexes is not
 * here, nobody knows what it needs.
 */
static int
find_needed(struct doom *d, struct err *err)
{
	static const struct chunk_name none;
	int rc = 0;

	for (size_t i = 0; i < d->current.cap && rc == 0; i++) {
		const struct chunk_name *name = &d->current.slots[i];
		struct doomed *o;
		uint8_t index[OBJECT_NAME_LEN];
		bool there;

		if (memcmp(name, &none, sizeof(none)) == 0)
			continue;
		memcpy(index, name, sizeof(index));
		o = doomed_find(&d->set, OBJECT_INDEX, index);
		if (o != NULL)
			o->needed = true;
		rc = peek(d, index, mark_needed, &there, err);
		if (rc == 0 && !there)
			d->blind = true;
	}
	return rc;
}

/* --- the whole ---------------------------------------------------------- */

int
doom_read(struct doom *d, struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], struct err *err)
{
	int rc;

	*d = (struct doom){.store = s};
	memcpy(d->dataset, dataset, STORE_DATASET_LEN);
	rc = store_list(s, OBJECT_LOG, dataset, on_record, d, err);
	return rc == 0 && d->set.n > 0 ? find_needed(d, err) : rc;
}

/* By the newest prune record: what older ones said may be overruled. */
bool
doom_is_gone(const struct doom *d, const struct doomed *o)
{
	return o->gone && !o->needed && o->listed == d->prunes;
}

void
doom_clear(struct doom *d)
{
	doomed_clear(&d->set);
	name_set_clear(&d->indexes);
	name_set_clear(&d->current);
}
