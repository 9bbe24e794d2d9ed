/*
 * In the order in which one thing leads to the next: key objects; then, of each
 * dataset, records, from the newest back by the names that they give each
 * other; the indexes of the newest record's set; the packs that these list; and
 * then whatever else is there.
 */
#include "snapshot/replicate/repair_internal.h"

#include "snapshot/content/index.h"
#include "snapshot/log/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- a dataset's log ---------------------------------------------------- */

/* What follows from a record: the name of the one before, the index set. */
struct follows {
	uint8_t prev[OBJECT_NAME_LEN];
	uint8_t (*indexes)[OBJECT_NAME_LEN];
	size_t n;
};

static int
read_record(struct repair *r, const struct object_ref *ref, bool wants_indexes,
    struct follows *f, struct err *err)
{
	struct record_clear clear;
	uint8_t *buf;
	size_t len;
	int rc = store_get(r->store, ref, RECORD_MAX, &buf, &len, err);

	if (rc != 0)
		return rc;
	rc = record_peek(buf, len, &clear, err);
	if (rc == 0)
		memcpy(f->prev, clear.head.prev, OBJECT_NAME_LEN);
	if (rc == 0 && wants_indexes) {
		f->n = clear.nindexes;
		f->indexes = calloc(f->n + 1, OBJECT_NAME_LEN);
		if (f->indexes == NULL)
			rc = err_nomem(err);
		else if (f->n > 0)
			memcpy(
			    f->indexes, clear.indexes, f->n * OBJECT_NAME_LEN);
	}
	free(buf);
	return rc;
}

/*
 * Back from the newest record that is listed. Where the chain breaks for good,
 * what is listed before it is looked at all the same, by repair_rest().
 */
static int
repair_log(struct repair *r, struct follows *newest, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_LOG};
	struct follows f = {0};
	bool good = true;
	int rc = 0;

	memcpy(ref.dataset, r->dataset, STORE_DATASET_LEN);
	ref.seq = r->records.v[r->records.n - 1].seq;
	memcpy(ref.name, r->records.v[r->records.n - 1].name, OBJECT_NAME_LEN);
	for (bool first = true; rc == 0 && good && ref.seq > 0;
	     first = false, ref.seq--) {
		rc = repair_visit(r, &ref, &good, err);
		if (rc != 0 || !good)
			break;
		rc = read_record(r, &ref, first, first ? newest : &f, err);
		memcpy(
		    ref.name, first ? newest->prev : f.prev, OBJECT_NAME_LEN);
	}
	return rc;
}

/* --- indexes and packs -------------------------------------------------- */

static int
visit_pack(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, struct err *err)
{
	bool good;

	return repair_visit(arg, ref, &good, err);
}

static int
repair_set(struct repair *r, const struct follows *newest, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_INDEX};
	int rc = 0;

	memcpy(ref.dataset, r->dataset, STORE_DATASET_LEN);
	for (size_t i = 0; i < newest->n && rc == 0; i++) {
		bool good;

		memcpy(ref.name, newest->indexes[i], OBJECT_NAME_LEN);
		rc = repair_visit(r, &ref, &good, err);
		if (rc == 0 && good)
			rc = index_peek(r->store, &ref, visit_pack, r, err);
	}
	return rc;
}

/* --- all of it ---------------------------------------------------------- */

/* What is wrong with one dataset keeps nobody from the others. */
static int
pass_over(struct repair *r, const struct err *why, struct err *err)
{
	if (why->code != ERR_CORRUPT)
		return err_copy(err, why);
	if (!r->unlisted) {
		r->out->unlisted++;
		r->opt->on_unlisted(r->opt->arg, why);
	}
	r->unlisted = true;
	return 0;
}

/* What the newest record leads to. */
static int
repair_led(struct repair *r, struct err *err)
{
	struct follows newest = {0};
	int rc = record_refs_list(r->store, r->dataset, &r->records, err);

	if (rc == 0 && r->records.n > 0)
		rc = repair_log(r, &newest, err);
	if (rc == 0)
		rc = repair_set(r, &newest, err);
	free(newest.indexes);
	return rc;
}

/* What nothing leads to, too: its name still says what it has to be. */
static int
repair_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	static const enum object_class classes[] = {
	    OBJECT_LOG, OBJECT_INDEX, OBJECT_PACK};
	struct repair *r = arg;
	struct err why;
	int rc;

	memcpy(r->dataset, ref->dataset, STORE_DATASET_LEN);
	r->unlisted = false;
	rc = repair_led(r, &why);
	if (rc != 0)
		rc = pass_over(r, &why, err);
	for (size_t i = 0; i < ARRAY_LEN(classes) && rc == 0; i++) {
		rc = store_list(r->store, classes[i], r->dataset,
		    repair_visit_listed, r, &why);
		if (rc != 0)
			rc = pass_over(r, &why, err);
	}
	return rc;
}

/* --- the whole ---------------------------------------------------------- */

static int
begin(struct repair *r, struct err *err)
{
	time_t now = time(NULL);
	struct tm tm;
	int rc;

	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(r->out->aside, sizeof(r->out->aside),
		    "aside/%Y-%m-%dT%H-%M-%SZ", &tm);
	r->buf = malloc(REPAIR_PIECE);
	if (r->buf == NULL)
		return err_nomem(err);
	rc = sha256_new(&r->sha, err);
	if (rc == 0)
		rc = store_batch_new(r->store, &r->batch, err);
	return rc;
}

int
repair_run(struct party *p, struct channel *c, const struct repair_options *opt,
    struct repair_result *out, struct err *err)
{
	struct repair r = {
	    .party = p,
	    .store = access_store(p->access),
	    .channel = c,
	    .opt = opt,
	    .out = out,
	};
	int rc;

	memset(out, 0, sizeof(*out));
	rc = begin(&r, err);
	if (rc == 0)
		rc = repair_keys(&r, err);
	if (rc == 0)
		rc = store_list_datasets(r.store, repair_dataset, &r, err);
	if (out->repaired == 0 || out->damaged == 0)
		out->aside[0] = '\0';
	store_batch_free(r.batch);
	sha256_free(r.sha);
	name_set_clear(&r.seen);
	record_refs_clear(&r.records);
	free(r.buf);
	return rc;
}
