#ifndef TESTS_UNIT_LOG_PLACE_H
#define TESTS_UNIT_LOG_PLACE_H

/* A dataset's log with records of all types, and what is planted in it. */
#include "snapshot/log/log_internal.h"
#include "tests/unit/access_fixture.h"
#include "tests/unit/log_fixture.h"

/* A dataset of alice's, and what two machines remember of it. */
struct place {
	struct world *w;
	const struct dataset *ds;
	struct heads *heads;
};

static inline UNUSED struct place
new_place(struct world *w)
{
	struct place s = {.w = w, .ds = world_dataset(w, "customers")};

	assert_ok(
	    heads_open(w->dir, access_root(w->alice), w->path, &s.heads, &err));
	return s;
}

static inline UNUSED struct log *
must_load(const struct place *s)
{
	struct log *l = NULL;

	assert_ok(log_load(s->w->alice, s->ds, s->heads, &l, &err));
	return l;
}

static inline UNUSED struct log *
must_load_tail(const struct place *s)
{
	struct log *l = NULL;

	assert_ok(log_load_tail(s->w->alice, s->ds, s->heads, &l, &err));
	return l;
}

static inline UNUSED void
add(struct log *l, int64_t s)
{
	assert_ok(log_append(l, snapshot_at(s, 0), fixture_indexes, 2, &err));
}

static inline UNUSED void
add_many(struct log *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(l, START + 100 * (int64_t)i);
}

static inline UNUSED void
expire(struct log *l, size_t first, size_t n)
{
	const struct snapshot *v[64];

	for (size_t i = 0; i < n; i++)
		v[i] = log_snapshot(l, first + i);
	assert_ok(log_append_expire(l, v, n, "--keep-last 1", &err));
}

static inline UNUSED void
record_path(
    const struct place *s, const struct record *r, char out[SCRATCH_PATH + 256])
{
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = r->head.seq};
	char text[OBJECT_REF_TEXT];

	memcpy(ref.dataset, s->ds->id, DATASET_ID_LEN);
	memcpy(ref.name, r->name, OBJECT_NAME_LEN);
	object_ref_text(&ref, text);
	(void)snprintf(out, SCRATCH_PATH + 256, "%s/%s", s->w->path, text);
}

static inline UNUSED void
remove_record(const struct place *s, const struct record *r)
{
	char path[SCRATCH_PATH + 256];

	record_path(s, r, path);
	assert_int_equal(unlink(path), 0);
}

/* Other bytes stand under its name. */
static inline UNUSED void
damage_record(const struct place *s, const struct record *r)
{
	char path[SCRATCH_PATH + 256];

	record_path(s, r, path);
	scratch_write(path, "cut", 3);
}

/* What a machine that knows nothing of the dataset sees. */
static inline UNUSED struct log *
elsewhere(const struct place *s)
{
	struct log *l = NULL;

	assert_ok(log_load(s->w->alice, s->ds, NULL, &l, &err));
	return l;
}

/* A record, out of the store and back into it. */
struct aside {
	char from[SCRATCH_PATH + 256];
	char to[SCRATCH_PATH + 16];
};

static inline UNUSED void
put_aside(const struct place *s, const struct record *r, struct aside *a)
{
	record_path(s, r, a->from);
	(void)snprintf(a->to, sizeof(a->to), "%s/aside-%02x%02x", s->w->dir,
	    r->name[0], r->name[1]);
	assert_int_equal(rename(a->from, a->to), 0);
}

static inline UNUSED void
put_back(const struct aside *a)
{
	assert_int_equal(rename(a->to, a->from), 0);
}

static inline UNUSED void
assert_gap(const struct log *l, size_t count, const char *part)
{
	assert_null(log_damage(l));
	assert_int_equal(log_count(l), count);
	assert_non_null(log_gap(l));
	if (strstr(log_gap(l)->text, part) == NULL)
		fail_msg("'%s' is not in: %s", part, log_gap(l)->text);
}

/* A record as anybody could make it who has these keys of the dataset. */
static inline UNUSED void
plant_under(const struct place *s, struct record *r, const struct keyset *ks,
    const struct identity *signer)
{
	AUTO(log) struct log *l = NULL;
	WR_AUTO struct wr w = {0};
	struct object_ref ref = {.cls = OBJECT_LOG};

	assert_ok(log_load(s->w->alice, s->ds, NULL, &l, &err));
	ref.seq = r->head.seq = log_number(l) + 1;
	r->head.time = r->head.time != 0 ? r->head.time : START;
	memcpy(ref.dataset, s->ds->id, DATASET_ID_LEN);
	memcpy(r->head.dataset, s->ds->id, DATASET_ID_LEN);
	memcpy(
	    r->head.prev, l->records[l->nrecords - 1]->name, OBJECT_NAME_LEN);
	assert_ok(record_encode(r, &fixture_lists, ks, signer, &w, &err));
	assert_ok(
	    store_put(access_store(s->w->alice), &ref, w.buf, w.len, &err));
}

static inline UNUSED void
plant(const struct place *s, struct record *r, const struct identity *signer)
{
	plant_under(s, r, keyring_latest(s->ds->keys), signer);
}

static inline UNUSED void
assert_damaged(
    const struct place *s, size_t records, int want, const char *part)
{
	AUTO(log) struct log *l = NULL;
	const struct err *damage;

	assert_ok(log_load(s->w->alice, s->ds, NULL, &l, &err));
	damage = log_damage(l);
	assert_int_equal(log_records(l), records);
	assert_non_null(damage);
	assert_int_equal(damage->code, want);
	if (strstr(damage->text, part) == NULL)
		fail_msg("'%s' is not in: %s", part, damage->text);
}

#endif
