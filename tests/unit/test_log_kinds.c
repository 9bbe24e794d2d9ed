/* A log's records other than snapshots, its tail, and another primary. */
#include "snapshot/log/log_internal.h"
#include "snapshot/log/when.h"
#include "tests/unit/access_fixture.h"
#include "tests/unit/log_fixture.h"

/* A dataset of alice's, and what two machines remember of it. */
struct place {
	struct world *w;
	const struct dataset *ds;
	struct heads *heads;
};

static struct place
new_place(struct world *w)
{
	struct place s = {.w = w, .ds = world_dataset(w, "customers")};

	assert_ok(
	    heads_open(w->dir, access_root(w->alice), w->path, &s.heads, &err));
	return s;
}

static struct log *
must_load(const struct place *s)
{
	struct log *l = NULL;

	assert_ok(log_load(s->w->alice, s->ds, s->heads, &l, &err));
	return l;
}

static struct log *
must_load_tail(const struct place *s)
{
	struct log *l = NULL;

	assert_ok(log_load_tail(s->w->alice, s->ds, s->heads, &l, &err));
	return l;
}

static void
add(struct log *l, int64_t s)
{
	assert_ok(log_append(l, snapshot_at(s, 0), fixture_indexes, 2, &err));
}

static void
add_many(struct log *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(l, START + 100 * (int64_t)i);
}

static void
expire(struct log *l, size_t first, size_t n)
{
	const struct snapshot *v[64];

	for (size_t i = 0; i < n; i++)
		v[i] = log_snapshot(l, first + i);
	assert_ok(log_append_expire(l, v, n, "--keep-last 1", &err));
}

static void
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

static void
remove_record(const struct place *s, const struct record *r)
{
	char path[SCRATCH_PATH + 256];

	record_path(s, r, path);
	assert_int_equal(unlink(path), 0);
}

/* A record as anybody could make it who has the dataset's keys. */
static void
plant(const struct place *s, struct record *r, const struct identity *signer)
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
	assert_ok(record_encode(
	    r, &fixture_lists, keyring_latest(s->ds->keys), signer, &w, &err));
	assert_ok(
	    store_put(access_store(s->w->alice), &ref, w.buf, w.len, &err));
}

static void
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

/* --- expire ----------------------------------------------------------------- */

static void
log_append_expire__takes_snapshots_away(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *reader = NULL;
	AUTO(log) struct log *again = NULL;
	const struct snapshot *second, *found;
	bool changed;

	add_many(l, 5);
	reader = must_load(&s);
	second = log_snapshot(reader, 1);
	expire(l, 0, 3);
	assert_ok(log_refresh(reader, &changed, &err));
	assert_true(changed);
	again = must_load(&s);
	for (int i = 0; i < 3; i++) {
		const struct log *one = i == 0 ? l : i == 1 ? reader : again;

		assert_int_equal(log_count(one), 2);
		assert_int_equal(log_snapshot(one, 0)->seq, 4);
		assert_int_equal(log_head(one)->seq, 5);
		assert_int_equal(log_records(one), 6);
		assert_int_equal(log_record_at(one, 2)->snapshot->expired, 6);
		assert_int_equal(log_record_at(one, 4)->snapshot->expired, 0);
		assert_string_equal(
		    log_record_at(one, 6)->expire.why, "--keep-last 1");
		assert_int_equal(log_record(one, 5)->head.time, START);
	}
	/* The pointer lives on, for who has it. */
	assert_string_equal(second->host, "db1");
	/* Nothing selects what has expired. */
	assert_fails(ERR_NOT_FOUND, "its oldest is of",
	    when_select(reader, "2001-09-09T01:49Z",
		(struct moment){START + 9999, 0}, &found, &err));
	assert_ok(log_check(again, &err));
	heads_close(s.heads);
}

static void
log_append_expire__all_of_them(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *again = NULL;
	const uint8_t(*indexes)[OBJECT_NAME_LEN];
	size_t n;

	add_many(l, 2);
	expire(l, 0, 2);
	again = must_load(&s);
	assert_int_equal(log_count(again), 0);
	assert_null(log_head(again));
	assert_int_equal(log_newest(again)->seq, 2);
	/* The set stays as it was: nothing moved. */
	indexes = log_indexes(again, &n);
	assert_int_equal(n, 2);
	assert_memory_equal(indexes, fixture_indexes, sizeof(fixture_indexes));
	/* And its time is not given out again. */
	add(again, START + 100);
	assert_int_equal(log_head(again)->time.ns, 1000000);
	heads_close(s.heads);
}

static void
log_append_expire__not_what_is_held_or_gone(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	const struct snapshot *first;

	add_many(l, 2);
	first = log_snapshot(l, 0);
	assert_ok(log_append_hold(l, first, true, "a lawsuit", &err));
	assert_int_equal(first->held, 3);
	assert_fails(
	    ERR_USAGE, "is held", log_append_expire(l, &first, 1, "", &err));
	assert_ok(log_append_hold(l, first, false, "", &err));
	assert_int_equal(first->held, 0);
	expire(l, 0, 1);
	assert_fails(ERR_USAGE, "has expired",
	    log_append_expire(l, &first, 1, "", &err));
	assert_fails(ERR_USAGE, "has expired",
	    log_append_hold(l, first, true, "", &err));
	assert_int_equal(log_records(l), 5);
	heads_close(s.heads);
}

/* An expiration that does not fit is damage, whoever signed it. */
static void
log_load__records_that_contradict(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	const struct identity *alice = access_identity(s.w->alice);
	struct record_target t[2] = {{0}};
	struct record expire = {
	    .head = {.type = RECORD_EXPIRE},
	    .expire = {t, 1, (char *)(uintptr_t) ""},
	};
	struct record primary = {
	    .head = {.type = RECORD_PRIMARY},
	    .primary = {(char *)(uintptr_t) "dr", {1}, 2},
	};

	add_many(l, 2);
	assert_ok(log_append_hold(l, log_snapshot(l, 0), true, "why", &err));
	for (int i = 0; i < 4; i++) {
		static const char *const want[] = {"is held", "another or no",
		    "another or no", "comes after change 0"};
		AUTO(log) struct log *all = NULL;

		memcpy(t[0].id, log_snapshot(l, 0)->id, OBJECT_NAME_LEN);
		t[0].seq = i == 1 ? 2 : i == 2 ? 3 : 1;
		if (i == 2)
			memcpy(t[0].id, log_record_at(l, 3)->name,
			    OBJECT_NAME_LEN);
		plant(&s, i < 3 ? &expire : &primary, alice);
		assert_damaged(&s, 3, ERR_CORRUPT, want[i]);
		/* Its name, to be rid of it. */
		struct log_list list = {0};

		all = must_load(&s);
		assert_ok(log_list_read(all, &list, &err));
		assert_int_equal(list.all.n, 4);
		assert_ok(store_remove(
		    access_store(s.w->alice), &list.all.v[3], &err));
		log_list_clear(&list);
	}
	heads_close(s.heads);
}

/* --- who may ------------------------------------------------------------------ */

static void
log_load__a_writer_takes_nothing_away(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(identity) struct identity *host = world_host("db1");
	struct record_target t = {.seq = 1};
	struct record r = {
	    .expire = {&t, 1, (char *)(uintptr_t) ""},
	    .head = {.type = RECORD_EXPIRE},
	};
	AUTO(access) struct access *a = NULL;
	AUTO(log) struct log *theirs = NULL;
	AUTO(log) struct log *mine = NULL;
	const struct snapshot *first;
	bool changed;

	add_many(l, 2);
	assert_ok(access_grant(
	    s.w->alice, &host->pub, ROLE_WRITER, s.ds, INT64_MAX, &err));
	a = world_entered(s.w, host);
	assert_ok(
	    log_load(a, access_find(a, "customers"), NULL, &theirs, &err));
	first = log_snapshot(theirs, 0);
	assert_fails(ERR_DENIED, "is no admin",
	    log_append_expire(theirs, &first, 1, "", &err));
	assert_fails(ERR_DENIED, "is no admin",
	    log_append_hold(theirs, first, true, "", &err));

	/* Signed all the same, and with a snapshot on top that may be. */
	memcpy(t.id, first->id, OBJECT_NAME_LEN);
	plant(&s, &r, host);
	assert_damaged(&s, 2, ERR_AUTH, "was no admin");
	assert_ok(log_refresh(l, &changed, &err));
	assert_non_null(log_damage(l));
	assert_int_equal(log_count(l), 2);
	mine = must_load(&s);
	assert_int_equal(log_count(mine), 2);
	assert_int_equal(first->expired, 0);
	heads_close(s.heads);
}

static void
log_append_rules__the_last_counts(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *again = NULL;
	const struct rules one = {{90 * 86400}};
	const struct rules two = {{0, 3}};

	assert_null(log_rules(l));
	assert_ok(log_append_rules(l, &one, &err));
	assert_int_equal(log_count(l), 0);
	add_many(l, 1);
	assert_ok(log_append_rules(l, &two, &err));
	again = must_load(&s);
	assert_memory_equal(log_rules(again), &two, sizeof(two));
	assert_int_equal(log_record(again, 0)->head.type, RECORD_RULES);
	assert_int_equal(log_head(again)->seq, 2);
	heads_close(s.heads);
}

static void
log_append_prune__moves_the_set(void **state)
{
	static const uint8_t set[1][OBJECT_NAME_LEN] = {{0xc1}};
	static const struct condemned condemned[] = {
	    {.cls = OBJECT_INDEX, .name = {0xa1}, .gone = true},
	    {.cls = OBJECT_INDEX, .name = {0xa2}, .gone = true},
	    {.cls = OBJECT_PACK, .name = {0x01}},
	};
	const struct record_lists lists = {set, 1, condemned, 3};
	const struct record_prune prune = {.gone_objects = 2, .dead_bytes = 9};
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *again = NULL;
	const uint8_t(*indexes)[OBJECT_NAME_LEN];
	struct record_clear clear;
	uint8_t *buf;
	size_t n, len;

	add_many(l, 1);
	assert_null(log_prune(l));
	assert_ok(log_append_prune(l, &prune, &lists, &err));
	again = must_load(&s);
	indexes = log_indexes(again, &n);
	assert_int_equal(n, 1);
	assert_int_equal(indexes[0][0], 0xc1);
	assert_int_equal(log_prune(again)->head.seq, 2);
	assert_int_equal(log_prune(again)->prune.dead_bytes, 9);
	assert_ok(log_record_bytes(again, 2, &buf, &len, &err));
	assert_ok(record_peek(buf, len, &clear, &err));
	assert_int_equal(clear.ncondemned, 3);
	assert_ok(log_verify(s.w->alice, &clear, buf, len, &err));
	free(buf);
	assert_fails(ERR_NOT_FOUND, "no record 3",
	    log_record_bytes(again, 3, &buf, &len, &err));
	heads_close(s.heads);
}

/* --- the tail ------------------------------------------------------------------ */

static void
log_load_tail__what_is_new_and_a_snapshot(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *tail = NULL;
	AUTO(log) struct log *again = NULL;
	const uint8_t(*indexes)[OBJECT_NAME_LEN];
	size_t n;

	add_many(l, 40);
	tail = must_load_tail(&s);
	assert_int_equal(tail->base, 32);
	assert_int_equal(log_records(tail), 8);
	assert_int_equal(log_head(tail)->seq, 40);
	assert_int_equal(log_record_at(tail, 33)->head.seq, 33);
	assert_null(log_record_at(tail, 32));
	assert_null(log_record_at(tail, 41));
	indexes = log_indexes(tail, &n);
	assert_int_equal(n, 2);
	assert_memory_equal(indexes, fixture_indexes, sizeof(fixture_indexes));
	add(tail, START + 100000);
	assert_int_equal(log_head(tail)->seq, 41);
	/* The clock has gone back, to a time that is taken far before. */
	add(tail, START + 100);
	assert_int_equal(log_head(tail)->time.ns, 1000000);
	add(tail, START + 100);
	assert_int_equal(log_head(tail)->time.ns, 2000000);
	again = must_load(&s);
	assert_null(log_damage(again));
	assert_int_equal(log_count(again), 43);
	assert_ok(log_check(again, &err));
	assert_ok(log_check(tail, &err));
	heads_close(s.heads);
}

/* The newest snapshot that is left may lie far back. */
static void
log_load_tail__looks_for_a_snapshot(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *tail = NULL;
	AUTO(log) struct log *none = NULL;

	add_many(l, 30);
	expire(l, 11, 19);
	tail = must_load_tail(&s);
	assert_int_equal(tail->base, 0);
	assert_int_equal(log_head(tail)->seq, 11);
	expire(l, 0, 11);
	none = must_load_tail(&s);
	assert_int_equal(none->base, 0);
	assert_int_equal(log_count(none), 0);
	assert_int_equal(log_newest(none)->seq, 30);
	heads_close(s.heads);
}

static void
log_load_tail__all_of_it_where_nothing_was_seen(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *tail = NULL;

	add_many(l, 20);
	assert_ok(log_load_tail(s.w->alice, s.ds, NULL, &tail, &err));
	assert_int_equal(tail->base, 0);
	assert_int_equal(log_count(tail), 20);
	heads_close(s.heads);
}

static void
log_load_tail__finds_what_is_missing(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	struct log *tail = NULL;

	add_many(l, 30);
	remove_record(&s, log_record_at(l, 3));
	assert_fails(ERR_CORRUPT, "has no record 3",
	    log_load_tail(s.w->alice, s.ds, s.heads, &tail, &err));
	remove_record(&s, log_record_at(l, 30));
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load_tail(s.w->alice, s.ds, s.heads, &tail, &err));
	assert_null(tail);
	heads_close(s.heads);
}

/* A tail's expirations of what lies before it are as good as any. */
static void
log_load_tail__expires_what_lies_before(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *tail = NULL;
	bool changed;

	add_many(l, 30);
	tail = must_load_tail(&s);
	expire(l, 0, 24);
	assert_ok(log_refresh(tail, &changed, &err));
	assert_true(changed);
	assert_null(log_damage(tail));
	assert_int_equal(log_count(tail), 6);
	add(tail, START + 100000);
	assert_ok(log_refresh(l, &changed, &err));
	assert_int_equal(log_count(l), 7);
	heads_close(s.heads);
}

/* --- another primary -------------------------------------------------------------- */

/* Away with the records from ${seq} on, as if the site had never had them. */
static void
cut(const struct place *s, const struct log *l, uint64_t seq)
{
	for (uint64_t i = seq; log_record_at(l, i) != NULL; i++)
		remove_record(s, log_record_at(l, i));
}

static const uint8_t dr[IDENTITY_ID_LEN] = {0xd1};

static void
log_load__another_primary_cut_records_off(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *there = NULL;
	AUTO(log) struct log *back = NULL;
	AUTO(log) struct log *tail = NULL;
	struct log *none = NULL;

	add_many(l, 12);
	cut(&s, l, 9);
	/* The site, which has seen 8 records, becomes the primary. */
	assert_ok(log_load(s.w->alice, s.ds, NULL, &there, &err));
	assert_int_equal(log_records(there), 8);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	assert_ok(log_append_primary(there, "dr-london", dr, &err));

	back = must_load(&s);
	assert_int_equal(log_records(back), 9);
	assert_int_equal(log_count(back), 8);
	assert_null(log_damage(back));
	assert_non_null(log_warning(back));
	assert_non_null(strstr(log_warning(back)->text, "'dr-london'"));
	assert_non_null(strstr(log_warning(back)->text, "to record 12"));
	assert_int_equal(log_record_at(back, 9)->primary.change, 1);
	/* Said once: now this is what the machine has seen. */
	tail = must_load_tail(&s);
	assert_null(log_warning(tail));
	assert_int_equal(log_number(tail), 9);
	add(tail, START + 5000);

	/* The change is no excuse for what is cut off after it. */
	cut(&s, tail, 10);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	/* But the next one is. */
	log_free(STEAL(there));
	assert_ok(log_load(s.w->alice, s.ds, NULL, &there, &err));
	assert_ok(log_append_primary(there, "primary", dr, &err));
	log_free(STEAL(back));
	back = must_load(&s);
	assert_non_null(log_warning(back));
	assert_int_equal(log_record_at(back, 10)->primary.change, 2);
	heads_close(s.heads);
}

/* A machine that has seen a history which an admin then took away. */
static void
log_load__an_admin_settled_another_history(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *there = NULL;
	AUTO(log) struct log *back = NULL;
	AUTO(log) struct log *again = NULL;
	struct settlement st = {.seq = 9};
	struct log *none = NULL;

	add_many(l, 12);
	cut(&s, l, 9);
	assert_ok(log_load(s.w->alice, s.ds, NULL, &there, &err));
	add(there, START + 5000);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));

	memcpy(st.dataset, s.ds->id, DATASET_ID_LEN);
	memcpy(st.prev, log_record_at(there, 8)->name, OBJECT_NAME_LEN);
	memcpy(st.name, log_record_at(there, 9)->name, OBJECT_NAME_LEN);
	assert_ok(access_settle(s.w->alice, &st, &err));
	back = must_load(&s);
	assert_int_equal(log_records(back), 9);
	assert_non_null(log_warning(back));
	assert_non_null(
	    strstr(log_warning(back)->text, "an admin has settled"));
	add(back, START + 6000);
	/* It is no excuse for what is cut off later. */
	cut(&s, back, 10);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	/* Nor is another one, of which it doesn't hold the record. */
	st.name[0] ^= 1;
	assert_ok(access_settle(s.w->alice, &st, &err));
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	heads_close(s.heads);
}

static void
log_load__a_writer_makes_no_primary(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(identity) struct identity *host = world_host("db1");
	struct record r = {
	    .head = {.type = RECORD_PRIMARY},
	    .primary = {(char *)(uintptr_t) "thief", {1}, 1},
	};
	struct log *none = NULL;

	assert_ok(access_grant(
	    s.w->alice, &host->pub, ROLE_WRITER, s.ds, INT64_MAX, &err));
	add_many(l, 12);
	cut(&s, l, 9);
	plant(&s, &r, host);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	heads_close(s.heads);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_append_expire__takes_snapshots_away),
	    world_test(log_append_expire__all_of_them),
	    world_test(log_append_expire__not_what_is_held_or_gone),
	    world_test(log_load__records_that_contradict),
	    world_test(log_load__a_writer_takes_nothing_away),
	    world_test(log_append_rules__the_last_counts),
	    world_test(log_append_prune__moves_the_set),
	    world_test(log_load_tail__what_is_new_and_a_snapshot),
	    world_test(log_load_tail__looks_for_a_snapshot),
	    world_test(log_load_tail__all_of_it_where_nothing_was_seen),
	    world_test(log_load_tail__finds_what_is_missing),
	    world_test(log_load_tail__expires_what_lies_before),
	    world_test(log_load__another_primary_cut_records_off),
	    world_test(log_load__an_admin_settled_another_history),
	    world_test(log_load__a_writer_makes_no_primary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
