/* Indexes that the sets of snapshots have left out since the last prune. */
#include "snapshot/content/name_set.h"
#include "snapshot/prune/prune_internal.h"

#include <string.h>

struct dropping {
	struct prune *p;
	struct name_set seen; /* indexes that were looked at */
	bool lacks; /* the one at hand lists a pack that is not known */
};

/* An index_listed_fn. */
static int
look(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, UNUSED struct err *err)
{
	struct dropping *d = arg;

	d->lacks |= live_pack_number(&d->p->live, ref->name) == LIVE_NONE;
	return 0;
}

/*
 * One that has gone was condemned by an admin, or is damage that check finds.
 */
static int
look_into(
    struct dropping *d, const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	struct prune *p = d->p;
	struct object_ref ref;
	int rc = name_set_add_object(&d->seen, name, err);

	if (rc <= 0 || names_have(&p->were, name) ||
	    present_find(&p->indexes, name) == NULL)
		return rc < 0 ? rc : 0;
	d->lacks = false;
	prune_ref(p, OBJECT_INDEX, name, &ref);
	rc = index_peek(p->store, &ref, look, d, err);
	if (rc == 0 && d->lacks)
		rc = live_open_dropped(&p->live, name, &p->packs, err);
	return rc;
}

static int
look_into_set(struct dropping *d, uint64_t seq, struct err *err)
{
	SENTENCE_AUTO struct sentence s = {0};
	size_t len;
	int rc = log_record_bytes(d->p->log, seq, &s.bytes, &len, err);

	if (rc == 0)
		rc = record_peek(s.bytes, len, &s.clear, err);
	for (size_t i = 0; rc == 0 && i < s.clear.nindexes; i++)
		rc = look_into(d, s.clear.indexes[i], err);
	return rc;
}

int
open_dropped(struct prune *p, struct err *err)
{
	struct dropping d = {.p = p};
	const struct record *last = log_prune(p->log);
	int rc = 0;

	for (size_t i = log_records(p->log); rc == 0 && i > 0; i--) {
		const struct record *r = log_record(p->log, i - 1);

		if (last != NULL && r->head.seq < last->head.seq)
			break;
		rc = look_into_set(&d, r->head.seq, err);
	}
	name_set_clear(&d.seen);
	return rc;
}
