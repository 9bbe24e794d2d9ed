/* A dataset's log: snapshot/log/log*.c. */
#include "snapshot/log/log_internal.h"
#include "tests/unit/access_fixture.h"
#include "tests/unit/log_fixture.h"

#include <time.h>

#define LONG_LOG 6480 /* 72 a day for 90 days */

/* A log as its parts, for putting together wrongly. */
struct bench {
	struct world *w;
	const struct dataset *ds;
	struct heads *heads;
	uint64_t seq; /* of the last record planted */
	uint8_t prev[OBJECT_NAME_LEN];
};

static struct bench
new_bench(struct world *w)
{
	struct bench b = {.w = w, .ds = world_dataset(w, "customers")};

	assert_ok(
	    heads_open(w->dir, access_root(w->alice), w->path, &b.heads, &err));
	return b;
}

static const struct keyset *
keys_of(const struct bench *b)
{
	return keyring_latest(b->ds->keys);
}

/* --- files ------------------------------------------------------------- */

static void
record_path(const struct bench *b, uint64_t seq,
    const uint8_t name[OBJECT_NAME_LEN], char out[SCRATCH_PATH + 256])
{
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = seq};
	char text[OBJECT_REF_TEXT];

	memcpy(ref.dataset, b->ds->id, DATASET_ID_LEN);
	memcpy(ref.name, name, OBJECT_NAME_LEN);
	object_ref_text(&ref, text);
	(void)snprintf(out, SCRATCH_PATH + 256, "%s/%s", b->w->path, text);
}

static void
remove_record(const struct bench *b, uint64_t seq, const uint8_t *name)
{
	char path[SCRATCH_PATH + 256];

	record_path(b, seq, name, path);
	assert_int_equal(unlink(path), 0);
}

static struct wr
read_record(const struct bench *b, uint64_t seq, const uint8_t *name)
{
	struct wr w = {0};
	char path[SCRATCH_PATH + 256];
	FILE *file;
	uint8_t *p = wr_space(&w, 65536);

	record_path(b, seq, name, path);
	file = fopen(path, "rb");
	assert_non_null(file);
	w.len = fread(p, 1, 65536, file);
	(void)fclose(file);
	return w;
}

/* Put bytes where record ${seq} goes, under their own name. */
static void
plant_bytes(struct bench *b, uint64_t seq, const struct wr *w)
{
	char path[SCRATCH_PATH + 256];

	assert_ok(sha256(w->buf, w->len, b->prev, &err));
	b->seq = seq;
	record_path(b, seq, b->prev, path);
	scratch_write(path, w->buf, w->len);
}

/* A record as anybody could make it who has these keys. */
static struct wr
make_record(const struct bench *b, const struct keyset *ks,
    const struct identity *signer, int64_t s)
{
	AUTO(record) struct record *r = record_at(s, 0);
	struct wr w = {0};

	r->head.seq = b->seq + 1;
	memcpy(r->head.dataset, ks->dataset, DATASET_ID_LEN);
	memcpy(r->head.prev, b->prev, OBJECT_NAME_LEN);
	assert_ok(record_encode(r, &fixture_lists, ks, signer, &w, &err));
	return w;
}

static void
plant(struct bench *b, const struct identity *signer, int64_t s)
{
	WR_AUTO struct wr w = make_record(b, keys_of(b), signer, s);

	plant_bytes(b, b->seq + 1, &w);
}

/* --- logs -------------------------------------------------------------- */

static struct log *
must_load(const struct bench *b)
{
	struct log *l = NULL;

	assert_ok(log_load(b->w->alice, b->ds, b->heads, &l, &err));
	return l;
}

static void
assert_no_load(const struct bench *b, int want, const char *part)
{
	struct log *l = NULL;

	assert_fails(
	    want, part, log_load(b->w->alice, b->ds, b->heads, &l, &err));
	assert_null(l);
}

/* Shorter than the store shows, and it says why. */
static void
assert_damaged(const struct log *l, size_t n, int want, const char *part)
{
	const struct err *damage = log_damage(l);

	assert_int_equal(log_count(l), n);
	assert_non_null(damage);
	assert_int_equal(damage->code, want);
	if (strstr(damage->text, part) == NULL)
		fail_msg("'%s' is not in: %s", part, damage->text);
}

static void
assert_loads(const struct bench *b, size_t n, int want, const char *part)
{
	AUTO(log) struct log *l = must_load(b);

	assert_damaged(l, n, want, part);
}

static int
add(struct log *l, int64_t s, uint32_t ns, struct err *err)
{
	return log_append(l, snapshot_at(s, ns), fixture_indexes, 2, err);
}

static void
append(struct log *l, int64_t s, uint32_t ns)
{
	assert_ok(add(l, s, ns, &err));
}

/* A log of ${n} records, made as it should be, and their names. */
static struct log *
log_of(struct bench *b, size_t n)
{
	struct log *l;

	*b = new_bench(b->w);
	l = must_load(b);
	for (size_t i = 0; i < n; i++)
		append(l, START + 100 * (int64_t)i, 0);
	if (n > 0)
		memcpy(b->prev, log_head(l)->id, OBJECT_NAME_LEN);
	b->seq = n;
	return l;
}

static void
end_bench(struct bench *b, struct log *l)
{
	log_free(l);
	heads_close(b->heads);
}

/* --- as it should be --------------------------------------------------- */

static void
log_load__empty(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 0);
	bool changed = true;

	assert_int_equal(log_count(l), 0);
	assert_null(log_head(l));
	assert_ptr_equal(log_dataset(l), b.ds);
	assert_ok(log_refresh(l, &changed, &err));
	assert_false(changed);
	assert_ok(log_check(l, &err));
	end_bench(&b, l);
}

static void
log_append__is_loaded_again(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 3);
	AUTO(log) struct log *again = must_load(&b);

	assert_int_equal(log_count(l), 3);
	assert_int_equal(log_count(again), 3);
	for (size_t i = 0; i < 3; i++) {
		const struct snapshot *a = log_snapshot(l, i);
		const struct snapshot *c = log_snapshot(again, i);

		assert_int_equal(a->seq, i + 1);
		assert_int_equal(c->seq, i + 1);
		assert_memory_equal(a->id, c->id, OBJECT_NAME_LEN);
		assert_memory_equal(a->prev, c->prev, OBJECT_NAME_LEN);
		assert_memory_equal(a->signer,
		    access_identity(b.w->alice)->pub.id, IDENTITY_ID_LEN);
		assert_int_equal(c->time.s, START + 100 * (int64_t)i);
		assert_int_equal(a->totals.files, 3);
		assert_int_equal(c->totals.bytes, 1000);
		assert_string_equal(c->host, "db1");
	}
	assert_ptr_equal(log_head(again), log_snapshot(again, 2));
	assert_ok(log_check(again, &err));
	end_bench(&b, l);
}

static void
log_append__nudges_a_time_that_is_taken(void **state)
{
	static const struct {
		uint32_t ns, want;
	} cases[] = {
	    {5000000, 5000000},
	    {5000000, 6000000},
	    {5000001, 7000001}, /* 6.000001 is within 1 ms of 6 and 7 */
	    {4000001, 8000001},
	    {4000000, 4000000},
	};
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 0);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		append(l, START, cases[i].ns);
		assert_int_equal(log_head(l)->time.ns, cases[i].want);
		assert_int_equal(log_head(l)->time.s, START);
	}
	append(l, START, 999999999);
	append(l, START, 999999999);
	assert_int_equal(log_head(l)->time.s, START + 1);
	assert_int_equal(log_head(l)->time.ns, 999999);
	end_bench(&b, l);
}

static void
log_append__takes_over_what_it_refuses(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	struct snapshot *s = snapshot_at(START + 500, 0);

	s->root[0] = ENTRY_FILE;
	assert_fails(ERR_CORRUPT, "customers", log_append(l, s, NULL, 0, &err));
	assert_int_equal(log_count(l), 1);
	append(l, START + 600, 0);
	assert_int_equal(log_count(l), 2);
	end_bench(&b, l);
}

static void
log_append__somebody_was_faster(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	AUTO(log) struct log *other = must_load(&b);
	bool changed;

	append(other, START + 1000, 0);
	assert_fails(ERR_LOCKED, "record 2", add(l, START + 2000, 0, &err));
	assert_int_equal(log_count(l), 1);
	assert_ok(log_refresh(l, &changed, &err));
	assert_true(changed);
	append(l, START + 2000, 0);
	assert_int_equal(log_head(l)->seq, 3);
	end_bench(&b, l);
}

static void
log_refresh__reads_what_came_since(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 2);
	AUTO(log) struct log *reader = must_load(&b);
	const struct snapshot *first = log_snapshot(reader, 0);
	bool changed = true;

	assert_ok(log_refresh(reader, &changed, &err));
	assert_false(changed);
	append(l, START + 1000, 0);
	append(l, START + 2000, 0);
	assert_ok(log_refresh(reader, &changed, &err));
	assert_true(changed);
	assert_int_equal(log_count(reader), 4);
	assert_ptr_equal(log_snapshot(reader, 0), first);
	assert_memory_equal(
	    log_head(reader)->id, log_head(l)->id, OBJECT_NAME_LEN);
	assert_ok(log_refresh(reader, &changed, &err));
	assert_false(changed);
	end_bench(&b, l);
}

/* As many as a database has: all there, in order, and fast. */
static void
log_load__a_long_log(void **state)
{
	struct bench b = new_bench(*state);
	const struct identity *alice = access_identity(b.w->alice);
	struct log *l = NULL;
	struct timespec t0, t1;
	int64_t us;

	append(l = must_load(&b), START, 0); /* makes the directories */
	memcpy(b.prev, log_head(l)->id, OBJECT_NAME_LEN);
	b.seq = 1;
	log_free(l);
	while (b.seq < LONG_LOG)
		plant(&b, alice, START + 1200 * (int64_t)b.seq);
	(void)clock_gettime(CLOCK_MONOTONIC, &t0);
	l = must_load(&b);
	(void)clock_gettime(CLOCK_MONOTONIC, &t1);
	us = (t1.tv_sec - t0.tv_sec) * 1000000 +
	     (t1.tv_nsec - t0.tv_nsec) / 1000;
	print_message("%d records: %jd us\n", LONG_LOG, (intmax_t)us);
	assert_int_equal(log_count(l), LONG_LOG);
	for (size_t i = 0; i < LONG_LOG; i++) {
		assert_int_equal(log_snapshot(l, i)->seq, i + 1);
		assert_int_equal(
		    log_snapshot(l, i)->time.s, START + 1200 * (int64_t)i);
	}
	assert_memory_equal(log_head(l)->id, b.prev, OBJECT_NAME_LEN);
	end_bench(&b, l);
}

/* --- who may write ----------------------------------------------------- */

/* A host with a role on a dataset. */
static struct identity *
host_as(struct world *w, const char *name, enum role role,
    const struct dataset *ds, int64_t until)
{
	struct identity *host = world_host(name);
	struct access *a;
	bool changed;

	assert_ok(access_grant(w->alice, &host->pub, role, ds, until, &err));
	assert_ok(access_refresh(w->alice, &changed, &err));
	a = world_entered(w, host);
	assert_non_null(access_find(a, ds->name));
	access_close(a);
	return host;
}

static void
log_append__by_a_writer(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "db1", ROLE_WRITER, b.ds, INT64_MAX);
	AUTO(access) struct access *a = world_entered(b.w, host);
	AUTO(log) struct log *theirs = NULL;
	bool changed;

	assert_ok(
	    log_load(a, access_find(a, "customers"), b.heads, &theirs, &err));
	assert_int_equal(log_count(theirs), 1);
	append(theirs, START + 1000, 0);
	assert_ok(log_refresh(l, &changed, &err));
	assert_int_equal(log_count(l), 2);
	assert_memory_equal(log_head(l)->signer, host->pub.id, IDENTITY_ID_LEN);
	assert_ok(log_check(l, &err));
	end_bench(&b, l);
}

static void
log_append__not_by_a_reader(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "desk", ROLE_READER, b.ds, INT64_MAX);
	AUTO(access) struct access *a = world_entered(b.w, host);
	AUTO(log) struct log *theirs = NULL;

	assert_ok(
	    log_load(a, access_find(a, "customers"), b.heads, &theirs, &err));
	assert_fails(
	    ERR_DENIED, "may not write", add(theirs, START + 1000, 0, &err));
	assert_int_equal(log_count(theirs), 1);
	end_bench(&b, l);
}

static void
log_load__signed_by_a_reader(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "desk", ROLE_READER, b.ds, INT64_MAX);
	bool changed;

	plant(&b, host, START + 1000);
	assert_loads(&b, 1, ERR_AUTH, "record 2");

	/* Nor does it show in a log that is open. */
	assert_null(log_damage(l));
	for (int i = 0; i < 2; i++) {
		assert_ok(log_refresh(l, &changed, &err));
		assert_false(changed);
		assert_damaged(l, 1, ERR_AUTH, "record 2");
	}
	assert_fails(ERR_AUTH, "record 2", log_check(l, &err));
	end_bench(&b, l);
}

static void
log_load__signed_by_another_dataset_s_writer(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	const struct dataset *other = world_dataset(b.w, "other");
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "db2", ROLE_WRITER, other, INT64_MAX);

	plant(&b, host, START + 1000);
	assert_loads(&b, 1, ERR_AUTH, "record 2");
	end_bench(&b, l);
}

static void
log_load__signed_after_the_grant_ended(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "db1", ROLE_WRITER, b.ds, START + 500);

	/* Records end 60 s after their snapshot's time. */
	plant(&b, host, START + 439);
	log_free(must_load(&b));
	plant(&b, host, START + 440);
	assert_loads(&b, 2, ERR_AUTH, "record 3");
	end_bench(&b, l);
}

static void
log_load__signed_in_another_s_name(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	AUTO(identity) struct identity *host = world_host("thief");

	memcpy(
	    host->pub.id, access_identity(b.w->alice)->pub.id, IDENTITY_ID_LEN);
	plant(&b, host, START + 1000);
	assert_loads(&b, 1, ERR_AUTH, "record 2");
	end_bench(&b, l);
}

/*
 * A forged record under a good one is found by log_check() alone: only whoever
 * signed the newest could have put it there.
 */
static void
log_check__finds_a_forged_record_in_the_middle(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	AUTO(identity) struct identity *host = world_host("thief");
	AUTO(log) struct log *again = NULL;

	plant(&b, host, START + 1000);
	plant(&b, access_identity(b.w->alice), START + 2000);
	again = must_load(&b);
	assert_int_equal(log_count(again), 3);
	assert_fails(ERR_AUTH, "record 2", log_check(again, &err));
	end_bench(&b, l);
}

/* --- a later epoch ----------------------------------------------------- */

/* A writer who was given only the latest epoch. */
static void
log_load__records_of_an_epoch_not_given(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 2);
	AUTO(keyring) struct keyring *late = NULL;
	struct dataset ds = *b.ds;
	struct keyset *next = NULL;
	AUTO(log) struct log *theirs = NULL;

	assert_ok(keyset_next(keys_of(&b), &next, &err));
	assert_ok(keyring_new(&late, &err));
	assert_ok(keyring_add(late, next, &err));
	ds.keys = late;
	assert_fails(ERR_DENIED, "epoch 1",
	    log_load(b.w->alice, &ds, b.heads, &theirs, &err));

	WR_AUTO struct wr w =
	    make_record(&b, next, access_identity(b.w->alice), START + 1000);
	plant_bytes(&b, 3, &w);
	assert_ok(log_load(b.w->alice, &ds, b.heads, &theirs, &err));
	assert_int_equal(log_count(theirs), 1);
	assert_int_equal(log_head(theirs)->seq, 3);
	append(theirs, START + 2000, 0);
	assert_int_equal(log_head(theirs)->seq, 4);
	assert_int_equal(log_count(theirs), 2);
	/* Who signed what is closed shows all the same. */
	assert_int_equal(log_records(theirs), 4);
	assert_false(log_record(theirs, 1)->open);
	assert_ok(log_check(theirs, &err));
	end_bench(&b, l);
}

/* --- inode numbers ----------------------------------------------------- */

/* As of a writer that says anything. */
static void
append_numbers(struct log *l, int64_t s, uint64_t next_ino)
{
	struct snapshot *snap = snapshot_at(s, 0);

	snap->next_ino = next_ino;
	assert_ok(log_append(l, snap, fixture_indexes, 2, &err));
}

static void
log_next_ino__a_writer_takes_no_more_than_it_uses(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 0);
	AUTO(log) struct log *again = NULL;
	AUTO(log) struct log *tail = NULL;

	assert_int_equal(log_next_ino(l), 1);
	append_numbers(l, START, 6);
	assert_int_equal(log_next_ino(l), 6);
	assert_null(log_warning(l));
	/* Five entries and the root: it may have used six. */
	append_numbers(l, START + 1, ENTRY_INO_MAX + 1);
	assert_int_equal(log_next_ino(l), 12);
	assert_non_null(log_warning(l));
	append_numbers(l, START + 2, 18);
	assert_int_equal(log_next_ino(l), 18);
	/* Nor does it make others give numbers out again. */
	append_numbers(l, START + 3, 1);
	assert_int_equal(log_next_ino(l), 18);

	again = must_load(&b);
	assert_int_equal(log_next_ino(again), 18);
	assert_non_null(strstr(log_warning(again)->text, "record 2 of"));
	for (int i = 4; i < 20; i++)
		append_numbers(l, START + i, 18);
	append_numbers(l, START + 20, 20);
	assert_ok(log_load_tail(b.w->alice, b.ds, b.heads, &tail, &err));
	assert_int_equal(tail->base, 13);
	assert_int_equal(log_next_ino(tail), 20);
	append_numbers(tail, START + 21, ENTRY_INO_MAX + 1);
	assert_int_equal(log_next_ino(tail), 26);
	end_bench(&b, l);
}

/* --- a store that lies ------------------------------------------------- */

static void
log_load__a_flipped_bit(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 3);
	const uint8_t *name = log_snapshot(l, 1)->id;
	WR_AUTO struct wr w = read_record(&b, 2, name);
	char path[SCRATCH_PATH + 256];

	w.buf[w.len / 2] ^= 1;
	record_path(&b, 2, name, path);
	scratch_write(path, w.buf, w.len);
	assert_no_load(&b, ERR_CORRUPT, "");
	assert_fails(ERR_CORRUPT, "", log_check(l, &err));
	end_bench(&b, l);
}

/* The same, under the name that its bytes now have. */
static void
log_load__a_flipped_bit_renamed(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 3);
	const uint8_t *name = log_snapshot(l, 1)->id;
	WR_AUTO struct wr w = read_record(&b, 2, name);

	heads_close(STEAL(b.heads));
	remove_record(&b, 2, name);
	w.buf[w.len - 1] ^= 1; /* the signature: everything else holds */
	plant_bytes(&b, 2, &w);
	/* Record 3 does not follow it, and by itself it is forged. */
	assert_loads(&b, 1, ERR_AUTH, "record 2");
	end_bench(&b, l);
}

static void
log_load__swapped_records(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 3);
	const uint8_t *name1 = log_snapshot(l, 0)->id;
	const uint8_t *name2 = log_snapshot(l, 1)->id;
	WR_AUTO struct wr w1 = read_record(&b, 1, name1);
	WR_AUTO struct wr w2 = read_record(&b, 2, name2);

	remove_record(&b, 1, name1);
	remove_record(&b, 2, name2);
	plant_bytes(&b, 1, &w2);
	plant_bytes(&b, 2, &w1);
	assert_no_load(&b, ERR_CORRUPT, "says that it is record 2");
	end_bench(&b, l);
}

static void
log_load__a_removed_record(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 3);
	bool changed;

	remove_record(&b, 2, log_snapshot(l, 1)->id);
	assert_no_load(&b, ERR_CORRUPT, "has no record 2, but a record 3");
	assert_fails(
	    ERR_CORRUPT, "has no record 2", log_refresh(l, &changed, &err));
	end_bench(&b, l);
}

static void
log_load__cut_back(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 3);
	bool changed;

	remove_record(&b, 3, log_snapshot(l, 2)->id);
	assert_no_load(&b, ERR_CORRUPT,
	    "log of dataset 'customers' was cut back: this machine has seen"
	    " record 3 of it, the store shows 2");
	assert_fails(ERR_CORRUPT, "cut back", log_refresh(l, &changed, &err));
	assert_fails(ERR_CORRUPT, "cut back", add(l, START + 1000, 0, &err));
	remove_record(&b, 2, log_snapshot(l, 1)->id);
	remove_record(&b, 1, log_snapshot(l, 0)->id);
	assert_no_load(&b, ERR_CORRUPT, "the store shows 0");
	/* Who remembers nothing can't know. */
	heads_close(STEAL(b.heads));
	log_free(must_load(&b));
	end_bench(&b, l);
}

static void
log_load__rewritten(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 3);

	/* As a thief with a writer's key would: a new record 3. */
	remove_record(&b, 3, log_snapshot(l, 2)->id);
	memcpy(b.prev, log_snapshot(l, 1)->id, OBJECT_NAME_LEN);
	b.seq = 2;
	plant(&b, access_identity(b.w->alice), START + 5000);
	assert_no_load(&b, ERR_CORRUPT, "record 3 is not the one");
	plant(&b, access_identity(b.w->alice), START + 6000);
	assert_no_load(&b, ERR_CORRUPT, "record 3 is not the one");
	end_bench(&b, l);
}

static void
log_load__a_fork(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 2);

	memcpy(b.prev, log_snapshot(l, 0)->id, OBJECT_NAME_LEN);
	b.seq = 1;
	plant(&b, access_identity(b.w->alice), START + 5000);
	/* The one that was seen; who has seen neither can't tell. */
	assert_loads(&b, 2, ERR_CORRUPT, "two records 2");
	heads_close(STEAL(b.heads));
	assert_loads(&b, 1, ERR_CORRUPT, "two records 2");
	end_bench(&b, l);
}

static void
log_load__a_break_in_the_chain(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 2);

	memset(b.prev, 0x77, OBJECT_NAME_LEN);
	plant(&b, access_identity(b.w->alice), START + 5000);
	assert_loads(&b, 2, ERR_CORRUPT, "does not follow");
	end_bench(&b, l);
}

static void
log_load__an_old_record_again(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 2);
	WR_AUTO struct wr w = read_record(&b, 2, log_snapshot(l, 1)->id);

	plant_bytes(&b, 3, &w);
	assert_loads(&b, 2, ERR_CORRUPT, "says that it is record 2");
	end_bench(&b, l);
}

static void
log_load__a_record_of_another_dataset(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 2);
	const struct dataset *other = world_dataset(b.w, "other");
	const struct identity *alice = access_identity(b.w->alice);
	WR_AUTO struct wr w =
	    make_record(&b, keyring_latest(other->keys), alice, START + 1000);

	plant_bytes(&b, 3, &w);
	assert_loads(&b, 2, ERR_CORRUPT, "of another dataset");

	/* With this dataset's id in its head, its box is still the other's. */
	remove_record(&b, 3, b.prev);
	memcpy(w.buf + 8, b.ds->id, DATASET_ID_LEN);
	plant_bytes(&b, 3, &w);
	assert_loads(&b, 2, ERR_AUTH, "record 3");
	end_bench(&b, l);
}

static void
log_load__two_snapshots_of_one_moment(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 2);

	plant(&b, access_identity(b.w->alice), START + 100);
	assert_loads(&b, 2, ERR_CORRUPT, "same time");
	end_bench(&b, l);
}

/* --- an end that is damaged -------------------------------------------- */

static struct wr
junk(const char *text)
{
	struct wr w = {0};

	wr_bytes(&w, text, strlen(text));
	return w;
}

static void
log_load__junk_at_the_end(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 3);
	AUTO(log) struct log *again = NULL;
	WR_AUTO struct wr w = junk("not a record");

	plant_bytes(&b, 4, &w);
	again = must_load(&b);
	assert_damaged(again, 3, ERR_CORRUPT, "record 4");
	assert_memory_equal(
	    log_head(again)->id, log_snapshot(l, 2)->id, OBJECT_NAME_LEN);
	assert_fails(ERR_CORRUPT, "record 4", log_check(again, &err));

	/* Nobody adds to it: what would the next record follow? */
	assert_fails(
	    ERR_CORRUPT, "varve check", add(again, START + 1000, 0, &err));

	/* Once it is gone, all is well. */
	remove_record(&b, 4, b.prev);
	append(l, START + 1000, 0);
	log_free(STEAL(again));
	again = must_load(&b);
	assert_int_equal(log_count(again), 4);
	assert_null(log_damage(again));
	end_bench(&b, l);
}

/* Beside a record, it takes nothing away: it is not signed. */
static void
log_load__junk_beside_a_record(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 3);
	WR_AUTO struct wr one = junk("a first of its number");
	WR_AUTO struct wr two = junk("a second of its number");

	plant_bytes(&b, 2, &one);
	assert_loads(&b, 3, ERR_CORRUPT, "two records 2");
	plant_bytes(&b, 3, &two);
	assert_loads(&b, 3, ERR_CORRUPT, "two records 2");
	assert_fails(
	    ERR_CORRUPT, "second record", add(l, START + 1000, 0, &err));
	heads_close(STEAL(b.heads));
	assert_loads(&b, 3, ERR_CORRUPT, "two records 2");
	end_bench(&b, l);
}

static void
log_load__nothing_but_junk(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	WR_AUTO struct wr w = junk("not a record");

	heads_close(STEAL(b.heads));
	remove_record(&b, 1, b.prev);
	plant_bytes(&b, 1, &w);
	assert_no_load(&b, ERR_CORRUPT, "record 1");
	end_bench(&b, l);
}

/* A prefix that is older than what was seen is no way out. */
static void
log_load__never_less_than_was_seen(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 3);
	char path[SCRATCH_PATH + 256];

	record_path(&b, 3, log_snapshot(l, 2)->id, path);
	scratch_write(path, "cut", 3);
	assert_no_load(&b, ERR_CORRUPT, "");
	heads_close(STEAL(b.heads));
	assert_loads(&b, 2, ERR_CORRUPT, "record 3");
	end_bench(&b, l);
}

static void
log_load__a_newer_version_at_the_end(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 2);
	WR_AUTO struct wr w = make_record(
	    &b, keys_of(&b), access_identity(b.w->alice), START + 1000);

	w.buf[4] = 2;
	plant_bytes(&b, 3, &w);
	assert_loads(&b, 2, ERR_VERSION, "record 3");
	end_bench(&b, l);
}

/* What came before the damage counts, though it was not there before. */
static void
log_refresh__up_to_the_damage(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	AUTO(log) struct log *other = must_load(&b);
	WR_AUTO struct wr w = junk("not a record");
	bool changed;

	append(other, START + 1000, 0);
	plant_bytes(&b, 3, &w);
	assert_ok(log_refresh(l, &changed, &err));
	assert_true(changed);
	assert_damaged(l, 2, ERR_CORRUPT, "record 3");
	remove_record(&b, 3, b.prev);
	assert_ok(log_refresh(l, &changed, &err));
	assert_false(changed);
	assert_null(log_damage(l));
	end_bench(&b, l);
}

/* Records end 60 s after their snapshot's time. */
static void
log_append__not_after_the_grant_has_ended(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = log_of(&b, 1);
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "db1", ROLE_WRITER, b.ds, START + 500);
	AUTO(access) struct access *a = world_entered(b.w, host);
	AUTO(log) struct log *theirs = NULL;

	assert_ok(
	    log_load(a, access_find(a, "customers"), b.heads, &theirs, &err));
	append(theirs, START + 439, 0);
	assert_fails(ERR_DENIED, "ended during the backup",
	    add(theirs, START + 440, 0, &err));
	assert_int_equal(log_count(theirs), 2);
	log_free(STEAL(theirs));
	theirs = must_load(&b);
	assert_int_equal(log_count(theirs), 2);
	assert_null(log_damage(theirs));
	end_bench(&b, l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_load__empty),
	    world_test(log_append__is_loaded_again),
	    world_test(log_append__nudges_a_time_that_is_taken),
	    world_test(log_append__takes_over_what_it_refuses),
	    world_test(log_append__somebody_was_faster),
	    world_test(log_refresh__reads_what_came_since),
	    world_test(log_load__a_long_log),
	    world_test(log_append__by_a_writer),
	    world_test(log_append__not_by_a_reader),
	    world_test(log_load__signed_by_a_reader),
	    world_test(log_load__signed_by_another_dataset_s_writer),
	    world_test(log_load__signed_after_the_grant_ended),
	    world_test(log_load__signed_in_another_s_name),
	    world_test(log_check__finds_a_forged_record_in_the_middle),
	    world_test(log_load__records_of_an_epoch_not_given),
	    world_test(log_next_ino__a_writer_takes_no_more_than_it_uses),
	    world_test(log_load__a_flipped_bit),
	    world_test(log_load__a_flipped_bit_renamed),
	    world_test(log_load__swapped_records),
	    world_test(log_load__a_removed_record),
	    world_test(log_load__cut_back),
	    world_test(log_load__rewritten),
	    world_test(log_load__a_fork),
	    world_test(log_load__a_break_in_the_chain),
	    world_test(log_load__an_old_record_again),
	    world_test(log_load__a_record_of_another_dataset),
	    world_test(log_load__two_snapshots_of_one_moment),
	    world_test(log_load__junk_at_the_end),
	    world_test(log_load__junk_beside_a_record),
	    world_test(log_load__nothing_but_junk),
	    world_test(log_load__never_less_than_was_seen),
	    world_test(log_load__a_newer_version_at_the_end),
	    world_test(log_refresh__up_to_the_damage),
	    world_test(log_append__not_after_the_grant_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
