#include "snapshot/site/lag.h"

#include "snapshot/content/index.h"
#include "snapshot/content/name_set.h"
#include "snapshot/log/record.h"
#include "snapshot/store/record_refs.h"

#include <stdlib.h>
#include <string.h>

struct lag_log {
	struct store *store;
	struct record_refs all;
};

/* --- the log ------------------------------------------------------------ */

int
lag_log_new(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    struct lag_log **out, struct err *err)
{
	AUTO(lag_log) struct lag_log *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (l == NULL)
		return err_nomem(err);
	l->store = s;
	rc = record_refs_list(s, dataset, &l->all, err);
	if (rc != 0)
		return rc;
	*out = STEAL(l);
	return 0;
}

void
lag_log_free(struct lag_log *l)
{
	if (l == NULL)
		return;
	record_refs_clear(&l->all);
	free(l);
}

uint64_t
lag_log_head(const struct lag_log *l)
{
	return record_refs_last(&l->all);
}

/* Record ${i}; ${buf} is the caller's (free), and ${clear} points into it. */
static int
read_record(const struct lag_log *l, size_t i, uint8_t **buf,
    struct record_clear *clear, struct err *err)
{
	char text[OBJECT_REF_TEXT];
	size_t len;
	int rc = store_get(l->store, &l->all.v[i], RECORD_MAX, buf, &len, err);

	if (rc == 0 && (rc = record_peek(*buf, len, clear, err)) != 0) {
		object_ref_text(&l->all.v[i], text);
		(void)err_wrap(err, "'%s'", text);
	}
	return rc;
}

int
lag_log_newest(const struct lag_log *l, int64_t *time, struct err *err)
{
	for (size_t i = l->all.n; i-- > 0;) {
		struct record_clear clear;
		uint8_t *buf = NULL;
		int rc = read_record(l, i, &buf, &clear, err);
		bool found = rc == 0 && clear.head.type == RECORD_SNAPSHOT;

		if (found)
			*time = clear.head.time;
		free(buf);
		if (rc != 0 || found)
			return rc;
	}
	return err_set(err, ERR_NOT_FOUND, "no snapshot");
}

/* --- bytes -------------------------------------------------------------- */

/*
 * The site has what the newest record that it holds needs. Of what the newest
 * one here needs, the rest is what it lacks; each pack is counted once, however
 * many indexes list it.
 *
 * A prune takes the indexes of older records away, and with them the word for
 * what these need. It is told then by the packs' age: what a record needs is
 * stored before it, by the same clock. A pack that is as old, but was only taken
 * up afterwards, from a run that had been stopped, isn't counted.
 */
struct packs {
	const struct lag_log *log;
	struct name_set indexes; /* of the record that the site holds */
	struct name_set seen;
	bool pruned;  /* some of these indexes are gone */
	int64_t held; /* when that record was stored */
	uint64_t bytes;
};

static void
packs_clear(struct packs *p)
{
	name_set_clear(&p->indexes);
	name_set_clear(&p->seen);
}
#define PACKS_AUTO __attribute__((cleanup(packs_clear)))

/* An index_listed_fn: of what the site has. */
static int
note_pack(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, struct err *err)
{
	struct packs *p = arg;
	int rc = name_set_add_object(&p->seen, ref->name, err);

	return rc < 0 ? rc : 0;
}

/* An index_listed_fn: of what is needed here. */
static int
count_pack(void *arg, const struct object_ref *ref, uint64_t size,
    UNUSED enum pack_kind kind, struct err *err)
{
	struct packs *p = arg;
	int64_t when;
	int rc = name_set_add_object(&p->seen, ref->name, err);

	if (rc <= 0)
		return rc;
	if (!p->pruned || store_time(p->log->store, ref, &when, NULL) != 0 ||
	    when > p->held)
		p->bytes += size;
	return 0;
}

/* The packs of an index; 1: it is not there. */
static int
look_into(const struct packs *p, const struct object_ref *index,
    index_listed_fn *visit, void *arg, struct err *err)
{
	struct err why;
	int rc = index_peek(p->log->store, index, visit, arg, &why);

	if (rc == ERR_NOT_FOUND)
		return 1;
	return rc == 0 ? 0 : err_copy(err, &why);
}

/*
 * Of record ${i}: what the site has, or with ${count} what is needed here. The
 * indexes that both have list nothing that is missing.
 */
static int
go_over(struct packs *p, size_t i, bool count, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_INDEX};
	struct record_clear clear = {0};
	uint8_t *buf = NULL;
	int rc = read_record(p->log, i, &buf, &clear, err);

	memcpy(ref.dataset, p->log->all.v[i].dataset, STORE_DATASET_LEN);
	if (rc == 0 && !count)
		rc =
		    store_time(p->log->store, &p->log->all.v[i], &p->held, err);
	for (size_t k = 0; rc == 0 && k < clear.nindexes; k++) {
		memcpy(ref.name, clear.indexes[k], OBJECT_NAME_LEN);
		rc = name_set_add_object(&p->indexes, ref.name, err);
		if (rc > 0)
			rc = look_into(
			    p, &ref, count ? count_pack : note_pack, p, err);
		if (rc > 0 && !count)
			p->pruned = true;
		if (rc > 0)
			rc = 0;
	}
	free(buf);
	return rc;
}

/* ${held}: how many records of the log the site has. */
static int
measure_bytes(
    const struct lag_log *l, size_t held, uint64_t *bytes, struct err *err)
{
	PACKS_AUTO struct packs p = {.log = l};
	int rc = held > 0 ? go_over(&p, held - 1, false, err) : 0;

	if (rc == 0)
		rc = go_over(&p, l->all.n - 1, true, err);
	*bytes = p.bytes;
	return rc;
}

/* --- the lag ------------------------------------------------------------ */

static int
measure_snapshots(const struct lag_log *l, size_t held, int64_t now,
    struct lag *out, struct err *err)
{
	int64_t oldest = now;

	for (size_t i = held; i < l->all.n; i++) {
		struct record_clear clear;
		uint8_t *buf = NULL;
		int rc = read_record(l, i, &buf, &clear, err);

		if (rc == 0 && clear.head.type == RECORD_SNAPSHOT) {
			out->snapshots++;
			if (clear.head.time < oldest)
				oldest = clear.head.time;
		}
		free(buf);
		if (rc != 0)
			return rc;
	}
	out->seconds = now - oldest;
	return 0;
}

/* How many of the log's records the site has; false: another history. */
static bool
find_held(const struct lag_log *l, const struct receipt *r, size_t *held)
{
	for (size_t i = l->all.n; i-- > 0;) {
		*held = i + 1;
		if (l->all.v[i].seq == r->seq)
			return memcmp(l->all.v[i].name, r->head,
				   OBJECT_NAME_LEN) == 0;
	}
	return false;
}

static int
read_receipt(const struct lag_log *l, const struct identity_public *site,
    struct receipts *receipts, struct receipt *r, struct err *err)
{
	uint8_t buf[RECEIPT_LEN];
	int rc =
	    receipts_get(receipts, site->id, l->all.v[0].dataset, buf, err);

	return rc != 0 ? rc : receipt_decode(buf, sizeof(buf), site, r, err);
}

int
lag_measure(const struct lag_log *l, const struct identity_public *site,
    struct receipts *receipts, int64_t now, struct lag *out, struct err *err)
{
	struct receipt r;
	struct err why;
	size_t held = 0;
	int rc;

	*out = (struct lag){0};
	if (l->all.n == 0)
		return 0;
	rc = read_receipt(l, site, receipts, &r, &why);
	if (rc != 0 && rc != ERR_NOT_FOUND)
		return err_copy(err, &why);
	if (rc == 0) {
		out->received = true;
		out->seq = r.seq;
		out->time = r.time;
		out->forked = !find_held(l, &r, &held);
	}
	out->records = l->all.n - held;
	if (out->forked || out->records == 0)
		return 0;
	rc = measure_snapshots(l, held, now, out, err);
	return rc != 0 ? rc : measure_bytes(l, held, &out->bytes, err);
}
