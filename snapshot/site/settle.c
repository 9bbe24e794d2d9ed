#include "snapshot/site/settle.h"

#include <string.h>

/* Whether the record before is the one that both histories have. */
static bool
fits(const struct settlement *by, const struct record_refs *refs)
{
	for (size_t i = 0; i < refs->n; i++)
		if (refs->v[i].seq == by->seq - 1 &&
		    memcmp(refs->v[i].name, by->prev, OBJECT_NAME_LEN) == 0)
			return true;
	return by->seq == 1;
}

int
settle_pending(struct store *s, const struct settlement *by, bool *pending,
    struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = by->seq};
	struct err why;
	uint64_t size;
	int rc;

	memcpy(ref.dataset, by->dataset, STORE_DATASET_LEN);
	memcpy(ref.name, by->name, OBJECT_NAME_LEN);
	rc = store_size(s, &ref, &size, &why);
	*pending = rc == ERR_NOT_FOUND;
	return rc == 0 || rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
}

int
settle_run(struct store *s, const struct settlement *by, struct sitedb *db,
    int64_t clock, struct settled *out, struct err *err)
{
	RECORD_REFS_AUTO struct record_refs refs = {0};
	struct site_time now;
	bool pending;
	int rc = settle_pending(s, by, &pending, err);

	*out = (struct settled){.by = *by};
	if (rc != 0 || !pending)
		return rc;
	rc = record_refs_list(s, by->dataset, &refs, err);
	if (rc != 0 || !fits(by, &refs))
		return rc;
	rc = sitedb_clock(db, clock, &now, err);
	if (rc != 0)
		return rc;
	aside_name(clock, out->aside);
	return aside_move(s, db, &refs, by->seq - 1, now.borne, out->aside,
	    &out->records, err);
}
