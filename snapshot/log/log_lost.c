#include "snapshot/log/log_internal.h"

#include <string.h>

/*
 * A record whose bytes are gone takes its own snapshot with it, and must not
 * take the others: each is signed, and the chain goes on behind the gap. But the
 * chain of hashes is broken there, so the records before the gap have to stand
 * on a signature of their own, and those behind it, as always, on that of the
 * newest. What the lost ones said is not known: nobody but backups adds to such a
 * log.
 */

/* A store that shows greater gaps is not worth an attempt. */
#define LOST_MAX 4096

/* The first of the lost records that the records at hand end with; or 0. */
static uint64_t
lost_since(const struct log *l)
{
	size_t n = l->nrecords;

	while (n > 0 && l->records[n - 1]->lost)
		n--;
	return n == l->nrecords ? 0 : l->base + n + 1;
}

/* Those at hand, back to the gap before, if there is one. */
static int
check_segment(const struct log *l, struct err *err)
{
	int rc = 0;

	for (size_t n = l->nrecords; rc == 0 && n > 0; n--) {
		const struct record *r = l->records[n - 1];

		if (r->lost)
			break;
		if (n == l->nrecords || record_admin_only(r->head.type))
			rc = log_check_record(l, r->head.seq, err);
	}
	return rc;
}

int
log_lose(struct log *l, const struct err *why, size_t room, struct err *err)
{
	uint64_t since = lost_since(l);
	struct err local;
	int rc = 0;

	if (since == 0)
		rc = check_segment(l, &local);
	else if (log_number(l) - since + 1 >= LOST_MAX)
		return err_copy(err, why);
	if (rc != 0)
		return err_copy(
		    err, rc == ERR_NOMEM || rc == ERR_CANCELLED ? &local : why);
	rc = log_reserve(l, l->nrecords + 1 + room, err);
	return rc != 0 ? rc : log_take_lost(l, why, err);
}

int
log_rejoin(struct log *l, const struct head_seen *seen,
    const uint8_t prev[OBJECT_NAME_LEN], struct err *err)
{
	uint64_t since = lost_since(l);

	if (since == 0)
		return 0;
	if (seen->seq >= since && seen->seq <= log_number(l) &&
	    (seen->seq < log_number(l) ||
		memcmp(prev, seen->name, OBJECT_NAME_LEN) != 0))
		return err_set(err, ERR_CORRUPT,
		    "nothing shows that it follows what this machine has seen");
	memcpy(l->records[l->nrecords - 1]->name, prev, OBJECT_NAME_LEN);
	return 0;
}
