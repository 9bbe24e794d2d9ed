#include "snapshot/site/aside.h"

#include <string.h>
#include <time.h>

void
aside_name(int64_t clock, char out[ASIDE_NAME])
{
	time_t t = (time_t)clock;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, ASIDE_NAME, "aside/%Y-%m-%dT%H-%M-%SZ", &tm) == 0)
		(void)strcpy(out, "aside/records");
}

/*
 * Before any record goes: were it done after them, and not done at all for a
 * crash, those that come in their place would have come long ago. What is known
 * of the last that stays is known by a later one's row, and written anew.
 */
static int
forget(struct sitedb *db, const uint8_t dataset[STORE_DATASET_LEN],
    uint64_t keep, struct err *err)
{
	struct err why;
	int64_t when = 0;
	int known = ERR_NOT_FOUND, rc;

	if (keep > 0)
		known = sitedb_arrival(db, dataset, keep, &when, &why);
	if (known != 0 && known != ERR_NOT_FOUND)
		return err_copy(err, &why);
	rc = sitedb_forget(db, dataset, keep, err);
	if (rc != 0 || known != 0)
		return rc;
	return sitedb_arrived(db, dataset, keep, when, err);
}

int
aside_move(struct store *s, struct sitedb *db, const struct record_refs *refs,
    uint64_t keep, const char *name, uint64_t *moved, struct err *err)
{
	int rc;

	*moved = 0;
	if (record_refs_last(refs) <= keep)
		return 0;
	rc = forget(db, refs->v[0].dataset, keep, err);
	for (size_t i = refs->n; rc == 0 && i-- > 0;) {
		if (refs->v[i].seq <= keep)
			break;
		rc = store_set_aside(s, &refs->v[i], name, err);
		*moved += rc == 0;
	}
	return rc;
}
