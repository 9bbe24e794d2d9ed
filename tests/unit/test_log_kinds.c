/* A log's records other than snapshots. */
#include "snapshot/log/when.h"
#include "tests/unit/log_place.h"

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

static void
put_index(const struct place *s, const uint8_t name[OBJECT_NAME_LEN])
{
	char path[SCRATCH_PATH + 256], text[OBJECT_REF_TEXT];
	struct object_ref ref = {.cls = OBJECT_INDEX};

	memcpy(ref.dataset, s->ds->id, sizeof(ref.dataset));
	memcpy(ref.name, name, sizeof(ref.name));
	object_ref_text(&ref, text);
	(void)snprintf(path, sizeof(path), "%s/%s", s->w->path, text);
	*strrchr(path, '/') = '\0';
	(void)mkdir(path, 0755);
	path[strlen(path)] = '/';
	scratch_write(path, "x", 1);
}

/* The newest record's whether they are there or not, and others that are. */
static void
log_all_indexes__of_older_records_first(void **state)
{
	static const uint8_t set[2][OBJECT_NAME_LEN] = {{0xc1}, {0xa2}};
	static const struct condemned condemned = {
	    .cls = OBJECT_PACK, .name = {0x01}};
	const struct record_lists lists = {set, 2, &condemned, 1};
	const struct record_prune prune = {0};
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	uint8_t(*names)[OBJECT_NAME_LEN];
	size_t n;

	add_many(l, 2);
	assert_ok(log_append_prune(l, &prune, &lists, &err));
	for (int there = 0; there < 2; there++) {
		if (there == 1)
			put_index(&s, fixture_indexes[0]);
		assert_ok(log_all_indexes(l, &names, &n, &err));
		assert_int_equal(n, 2 + there);
		assert_int_equal(names[0][0], there == 1 ? 0xa1 : 0xc1);
		assert_memory_equal(names[there], set, sizeof(set));
		free(names);
	}
	heads_close(s.heads);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_all_indexes__of_older_records_first),
	    world_test(log_append_expire__takes_snapshots_away),
	    world_test(log_append_expire__all_of_them),
	    world_test(log_append_expire__not_what_is_held_or_gone),
	    world_test(log_load__records_that_contradict),
	    world_test(log_load__a_writer_takes_nothing_away),
	    world_test(log_append_rules__the_last_counts),
	    world_test(log_append_prune__moves_the_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
