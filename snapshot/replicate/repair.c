/*
 * In the order in which one thing leads to the next: key objects; then, of each
 * dataset, records, from the newest back by the names that they give each other;
 * the indexes of the newest record's set; the packs that these list; and then
 * whatever else is there.
 */
#include "snapshot/replicate/repair.h"

#include "snapshot/content/index.h"
#include "snapshot/content/name_set.h"
#include "snapshot/log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECE ((size_t)1024 * 1024)

struct repair {
	struct party *party;
	struct store *store;
	const struct repair_options *opt;
	struct repair_result *out;
	struct channel *channel;
	struct store_batch *batch;
	struct sha256_ctx *sha;
	uint8_t *buf;         /* PIECE bytes */
	struct name_set seen; /* names that were looked at */
	uint8_t dataset[STORE_DATASET_LEN];
	/* Of that dataset's log, as listed. */
	struct source_record {
		uint64_t seq;
		uint8_t name[OBJECT_NAME_LEN];
	} * records;
	size_t n, cap;
};

/* --- one object --------------------------------------------------------- */

static int
hash_object(struct repair *r, const struct object_ref *ref, uint64_t size,
    uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	int again, rc = 0;

	for (uint64_t off = 0; off < size && rc == 0; off += PIECE) {
		size_t n = size - off < PIECE ? (size_t)(size - off) : PIECE;

		if (r->opt->stop != NULL && atomic_load(r->opt->stop))
			rc = err_set(err, ERR_CANCELLED, "stopped");
		if (rc == 0)
			rc = store_read_at(r->store, ref, off, r->buf, n, err);
		if (rc == 0)
			rc = sha256_update(r->sha, r->buf, n, err);
		if (rc == 0 && r->opt->progress != NULL)
			atomic_fetch_add(&r->opt->progress->bytes, n);
	}
	if (rc == 0)
		r->out->bytes += size;
	/* Also after a failure: the hash starts over. */
	again = sha256_final(r->sha, name, rc == 0 ? err : NULL);
	return rc != 0 ? rc : again;
}

/* Not the object's fault: it says nothing of it. */
static bool
is_fatal(int rc)
{
	return rc == ERR_NOMEM || rc == ERR_BUG || rc == ERR_CANCELLED;
}

/* *${what}: NULL, or what is wrong with it. */
static int
examine(struct repair *r, const struct object_ref *ref, const char **what,
    struct err *err)
{
	uint8_t name[OBJECT_NAME_LEN];
	struct err why;
	uint64_t size;
	int rc = store_size(r->store, ref, &size, &why);

	*what = NULL;
	r->out->objects++;
	if (r->opt->progress != NULL)
		atomic_fetch_add(&r->opt->progress->objects, 1);
	if (rc == 0)
		rc = hash_object(r, ref, size, name, &why);
	if (is_fatal(rc))
		return err_copy(err, &why);
	if (rc == ERR_NOT_FOUND)
		*what = "missing";
	else if (rc != 0)
		*what = "can't be read";
	else if (memcmp(name, ref->name, OBJECT_NAME_LEN) != 0)
		*what = "damaged";
	return 0;
}

/* What is fetched has been compared with its name when it is in the batch. */
static int
replace(struct repair *r, const struct object_ref *ref, bool missing,
    struct err *err)
{
	int rc = fetch_object(r->channel, ref, r->batch, err);

	if (rc == 0 && !missing)
		rc = store_set_aside(r->store, ref, r->out->aside, err);
	return rc != 0 ? rc : store_batch_commit(r->batch, err);
}

/* What one object lacks keeps nobody from the next, unless the line is cut. */
static bool
goes_on(int rc)
{
	return rc == ERR_NOT_FOUND || rc == ERR_CORRUPT || rc == ERR_DENIED;
}

static int
mend(struct repair *r, const struct object_ref *ref, const char *what,
    struct err *err)
{
	bool missing = strcmp(what, "missing") == 0;
	struct err why = {0};
	int rc;

	r->out->missing += missing;
	r->out->damaged += !missing;
	if (r->opt->dry_run)
		rc = err_set(&why, ERR_CANCELLED, "nothing was fetched");
	else
		rc = replace(r, ref, missing, &why);
	if (rc == 0) {
		r->out->repaired++;
		if (r->opt->progress != NULL)
			atomic_fetch_add(&r->opt->progress->repaired, 1);
	} else if (!r->opt->dry_run && !goes_on(rc)) {
		return err_copy(err, &why);
	}
	r->opt->on_object(r->opt->arg, ref, what, rc == 0 ? NULL : &why);
	return 0;
}

/* Look at an object that has to be there, once. *${good}: it is whole now. */
static int
visit(
    struct repair *r, const struct object_ref *ref, bool *good, struct err *err)
{
	uint64_t before = r->out->repaired;
	struct chunk_name name;
	const char *what;
	int rc;

	memcpy(&name, ref->name, sizeof(name));
	*good = true;
	rc = name_set_add(&r->seen, &name, err);
	if (rc <= 0)
		return rc;
	rc = examine(r, ref, &what, err);
	if (rc == 0 && what != NULL) {
		rc = mend(r, ref, what, err);
		*good = r->out->repaired > before;
	}
	return rc;
}

static int
visit_listed(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	bool good;

	return visit(arg, ref, &good, err);
}

/* --- key objects -------------------------------------------------------- */

/* One that isn't here: it has to count before it is stored. */
static int
take_key(struct repair *r, const struct object_ref *ref, struct err *err)
{
	struct key_offer offer = {0};
	uint8_t *buf = NULL;
	struct err why;
	int rc = fetch_bytes(r->channel, ref, frame_object_max(OBJECT_KEY),
	    &buf, &offer.len, &why);

	if (rc == 0) {
		offer.buf = buf;
		rc = access_take(r->party->access, &offer, 1, &why);
		if (rc == 0 && !offer.taken) {
			rc = offer.why.code;
			why = offer.why;
		}
	}
	free(buf);
	if (rc != 0 && !goes_on(rc) && rc != ERR_AUTH && rc != ERR_VERSION)
		return err_copy(err, &why);
	/* What counts for nothing isn't missing. */
	if (rc != 0)
		return 0;
	r->out->missing++;
	r->out->repaired++;
	r->opt->on_object(r->opt->arg, ref, "missing", NULL);
	return 0;
}

struct key_names {
	uint8_t (*v)[OBJECT_NAME_LEN];
	size_t n, cap;
};

static int
note_name(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct key_names *k = arg;

	if (k->n == k->cap) {
		size_t cap = k->cap == 0 ? 64 : 2 * k->cap;
		uint8_t(*v)[OBJECT_NAME_LEN] =
		    reallocarray(k->v, cap, OBJECT_NAME_LEN);

		if (v == NULL)
			return err_nomem(err);
		k->v = v;
		k->cap = cap;
	}
	memcpy(k->v[k->n++], ref->name, OBJECT_NAME_LEN);
	return 0;
}

static int
repair_keys(struct repair *r, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_KEY};
	struct key_names names = {0};
	int rc = store_list(r->store, OBJECT_KEY, NULL, visit_listed, r, err);

	if (rc == 0 && !r->opt->dry_run)
		rc = fetch_key_names(r->channel, note_name, &names, err);
	for (size_t i = 0; i < names.n && rc == 0; i++) {
		struct chunk_name name;

		memcpy(&name, names.v[i], sizeof(name));
		memcpy(ref.name, names.v[i], OBJECT_NAME_LEN);
		if (!name_set_has(&r->seen, &name))
			rc = take_key(r, &ref, err);
	}
	free(names.v);
	return rc;
}

/* --- a dataset's log ---------------------------------------------------- */

static int
note_record(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct repair *r = arg;

	if (r->n == r->cap) {
		size_t cap = r->cap == 0 ? 256 : 2 * r->cap;
		struct source_record *v =
		    reallocarray(r->records, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		r->records = v;
		r->cap = cap;
	}
	r->records[r->n].seq = ref->seq;
	memcpy(r->records[r->n++].name, ref->name, OBJECT_NAME_LEN);
	return 0;
}

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
	ref.seq = r->records[r->n - 1].seq;
	memcpy(ref.name, r->records[r->n - 1].name, OBJECT_NAME_LEN);
	for (bool first = true; rc == 0 && good && ref.seq > 0;
	     first = false, ref.seq--) {
		rc = visit(r, &ref, &good, err);
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

	return visit(arg, ref, &good, err);
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
		rc = visit(r, &ref, &good, err);
		if (rc == 0 && good)
			rc = index_peek(r->store, &ref, visit_pack, r, err);
	}
	return rc;
}

/* What nothing leads to: its name still says what it has to be. */
static int
repair_rest(struct repair *r, struct err *err)
{
	static const enum object_class classes[] = {
	    OBJECT_LOG, OBJECT_INDEX, OBJECT_PACK};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(classes) && rc == 0; i++)
		rc = store_list(
		    r->store, classes[i], r->dataset, visit_listed, r, err);
	return rc;
}

static int
repair_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct repair *r = arg;
	struct follows newest = {0};
	int rc;

	r->n = 0;
	memcpy(r->dataset, ref->dataset, STORE_DATASET_LEN);
	rc = store_list(r->store, OBJECT_LOG, r->dataset, note_record, r, err);
	if (rc == 0 && r->n > 0)
		rc = repair_log(r, &newest, err);
	if (rc == 0)
		rc = repair_set(r, &newest, err);
	if (rc == 0)
		rc = repair_rest(r, err);
	free(newest.indexes);
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
	r->buf = malloc(PIECE);
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
	free(r.records);
	free(r.buf);
	return rc;
}
