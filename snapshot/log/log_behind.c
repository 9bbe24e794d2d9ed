#include "snapshot/log/log_internal.h"
#include "snapshot/log/when.h"

#include <stdio.h>

/*
 * A replica gets what the primary has some time after a machine may have seen it
 * there, and it is read when the primary is gone. So that it ends before is no
 * damage. Whoever can write to a store could set the mark of a replica in one
 * that was cut back: then every reader still tells of it, and nothing is added.
 */

bool
log_may_lag(struct store *s, uint64_t seen, uint64_t shown)
{
	char site[STORE_SITE_MAX];
	struct err why;
	bool replica;

	if (shown >= seen)
		return false;
	/* Who can't tell takes it for one, and adds nothing. */
	return store_replica(s, &replica, site, &why) != 0 || replica;
}

const struct log_behind *
log_behind(const struct log *l)
{
	return l->behind.seen == 0 ? NULL : &l->behind;
}

const char *
log_behind_text(
    const struct log_behind *b, const char *dataset, char out[LOG_BEHIND_TEXT])
{
	uint64_t n = b->seen - b->shown;
	char newest[2 * WHEN_DAY_TEXT];
	int len = snprintf(out, LOG_BEHIND_TEXT,
	    "this replica is %ju record%s behind what this machine has seen of"
	    " dataset '%s'",
	    (uintmax_t)n, n == 1 ? "" : "s", dataset);

	if (b->any)
		when_iso(b->newest, newest);
	(void)snprintf(out + len, LOG_BEHIND_TEXT - (size_t)len, "; %s%s",
	    b->any ? "the newest snapshot here is of " : "no snapshot is here",
	    b->any ? newest : "");
	return out;
}

int
log_whole(const struct log *l, struct err *err)
{
	char text[LOG_BEHIND_TEXT];
	int rc = log_sound(l, err);

	if (rc != 0 || l->behind.seen == 0)
		return rc;
	return err_set(err, ERR_DENIED, "%s",
	    log_behind_text(&l->behind, l->ds->name, text));
}

int
log_behind_look(struct store *s, const uint8_t dataset[DATASET_ID_LEN],
    struct heads *heads, struct log_behind *out, struct err *err)
{
	RECORD_REFS_AUTO struct record_refs refs = {0};
	struct head_seen seen = {0};
	uint64_t shown;
	int rc = log_recall(heads, dataset, &seen, err);

	*out = (struct log_behind){0};
	/* Of a primary, nothing is listed. */
	if (rc != 0 || !log_may_lag(s, seen.seq, 0))
		return rc;
	rc = record_refs_list(s, dataset, &refs, err);
	if (rc != 0)
		return rc;
	shown = record_refs_last(&refs);
	if (shown < seen.seq)
		*out = (struct log_behind){.seen = seen.seq, .shown = shown};
	return 0;
}
