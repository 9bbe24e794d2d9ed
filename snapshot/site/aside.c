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

int
aside_move(struct store *s, struct sitedb *db, const struct record_refs *refs,
    uint64_t keep, int64_t when, const char *name, uint64_t *moved,
    struct err *err)
{
	int rc;

	*moved = 0;
	if (record_refs_last(refs) <= keep)
		return 0;
	/*
	 * Before any record goes: were it done after them, and not done at all
	 * for a crash, those that come in their place would have come long ago.
	 */
	rc = sitedb_restart(db, refs->v[0].dataset, keep, when, err);
	for (size_t i = refs->n; rc == 0 && i-- > 0;) {
		if (refs->v[i].seq <= keep)
			break;
		rc = store_set_aside(s, &refs->v[i], name, err);
		*moved += rc == 0;
	}
	return rc;
}
