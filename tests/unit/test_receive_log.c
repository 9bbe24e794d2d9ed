/*
 * Which records a site takes after those that it has. They are a real store's,
 * which is the site as well.
 */
#include "snapshot/replicate/receive_internal.h"
#include "tests/unit/prune_fixture.h"

/* Records of 'files' in order. */
struct stand {
	struct realm *realm;
	const struct dataset *ds;
	struct object_ref records[8];
	size_t n;
};

static int
note_record(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED struct err *err)
{
	struct stand *s = arg;

	assert_true(s->n < ARRAY_LEN(s->records));
	s->records[s->n++] = *ref;
	return 0;
}

static void
list_records(struct stand *s)
{
	s->n = 0;
	assert_ok(store_list(access_store(s->realm->admin), OBJECT_LOG,
	    s->ds->id, note_record, s, &err));
}

/* Three snapshots. */
static int
setup(void **state)
{
	static const char *const pieces[] = {"a", "ab", "bc"};
	struct stand *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->realm = realm_new();
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		put_pieces(s->realm, "one", pieces[i]);
		realm_backup(s->realm, "files", s->realm->source, (int)i);
	}
	s->ds = access_find(s->realm->admin, "files");
	list_records(s);
	assert_int_equal(s->n, 3);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct stand *s = *state;

	realm_free(s->realm);
	free(s);
	return 0;
}

/* --- records that anybody with keys can add ----------------------------- */

static struct log *
open_log(const struct stand *s, struct store_lock **lock)
{
	struct log *log;

	assert_ok(store_lock_dataset(access_store(s->realm->admin), s->ds->id,
	    STORE_LOCK_APPEND, lock, &err));
	assert_ok(log_load(s->realm->admin, s->ds, NULL, &log, &err));
	return log;
}

/* With an empty set: a snapshot that drops all packs. */
static void
add_empty_snapshot(struct stand *s)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *log = open_log(s, &lock);
	const struct snapshot *was = log_snapshot(log, log_count(log) - 1);
	struct snapshot *snap = malloc(sizeof(*snap));

	assert_non_null(snap);
	*snap = *was;
	snap->time.s += 3600;
	snap->end.s += 3600;
	snap->host = strdup(was->host);
	snap->source = strdup(was->source);
	snap->program = strdup(was->program);
	snap->root = malloc(was->root_len);
	assert_non_null(snap->root);
	memcpy(snap->root, was->root, was->root_len);
	assert_ok(log_append(log, snap, NULL, 0, &err));
	list_records(s);
}

static void
add_empty_prune(struct stand *s)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *log = open_log(s, &lock);
	const struct record_prune prune = {.gone_objects = 0};
	const struct record_lists none = {.nindexes = 0};

	assert_ok(log_append_prune(log, &prune, &none, &err));
	list_records(s);
}

/* --- asking ------------------------------------------------------------- */

/* A site that has the first ${n} records. */
static struct log_tail
tail_at(const struct stand *s, size_t n)
{
	struct log_tail t = {.seq = n, .whole = true};

	memcpy(t.dataset, s->ds->id, STORE_DATASET_LEN);
	if (n > 0) {
		memcpy(t.head, s->records[n - 1].name, OBJECT_NAME_LEN);
		assert_ok(
		    log_tail_look(access_store(s->realm->admin), &t, &err));
	}
	return t;
}

/* The records from number ${first} to ${last} come. */
static int
offer(const struct stand *s, struct log_tail *t, size_t first, size_t last,
    struct err *why)
{
	struct job_group g = {.records = {.n = 0}};
	size_t skip;
	int rc;

	for (size_t i = first; i <= last; i++) {
		uint8_t *buf;
		size_t len;

		assert_ok(store_get(access_store(s->realm->admin),
		    &s->records[i - 1], RECORD_MAX, &buf, &len, &err));
		assert_ok(
		    blobs_add(&g.records, &s->records[i - 1], buf, len, &err));
	}
	rc = log_tail_check(s->realm->admin, t, &g, &skip, why);
	blobs_clear(&g.records);
	return rc;
}

static void
log_tail_check__takes_what_follows(void **state)
{
	const struct stand *s = *state;

	for (size_t have = 0; have < s->n; have++) {
		struct log_tail t = tail_at(s, have);

		assert_true(t.whole);
		assert_ok(offer(s, &t, have + 1, s->n, &err));
		assert_int_equal(t.seq, s->n);
		assert_true(t.whole);
		log_tail_clear(&t);
	}
}

static void
log_tail_check__refuses_a_gap(void **state)
{
	const struct stand *s = *state;
	struct log_tail t = tail_at(s, 1);

	assert_fails(
	    ERR_CORRUPT, "record 2 was to come next", offer(s, &t, 3, 3, &err));
	assert_int_equal(t.seq, 1);
	log_tail_clear(&t);
}

static void
log_tail_check__refuses_a_snapshot_that_drops_packs(void **state)
{
	struct stand *s = *state;
	struct log_tail t = tail_at(s, 3);

	add_empty_snapshot(s);
	assert_fails(ERR_CORRUPT, "only a prune may drop packs",
	    offer(s, &t, 4, 4, &err));
	log_tail_clear(&t);
	/* Nor in company. */
	t = tail_at(s, 1);
	assert_fails(ERR_CORRUPT, "only a prune may drop packs",
	    offer(s, &t, 2, 4, &err));
	assert_int_equal(t.seq, 1);
	log_tail_clear(&t);
}

static void
log_tail_check__lets_a_prune_drop_packs(void **state)
{
	struct stand *s = *state;
	struct log_tail t = tail_at(s, 3);

	add_empty_prune(s);
	add_empty_snapshot(s);
	assert_ok(offer(s, &t, 4, 4, &err));
	assert_ok(offer(s, &t, 5, 5, &err));
	log_tail_clear(&t);
	t = tail_at(s, 2);
	assert_ok(offer(s, &t, 3, 5, &err));
	log_tail_clear(&t);
}

/* --- a head that is not whole ------------------------------------------- */

static void
log_tail_read__sees_what_is_missing(void **state)
{
	const struct stand *s = *state;
	struct store *store = access_store(s->realm->admin);
	struct files files;

	files_find(s->realm, "packs/", &files);
	assert_true(files.n > 0);
	for (size_t i = 0; i < files.n; i++) {
		struct original o = original_take(s->realm, files.name[i]);
		struct log_tail t = {.seq = 0};

		memcpy(t.dataset, s->ds->id, STORE_DATASET_LEN);
		original_remove(&o);
		assert_ok(log_tail_read(store, &t, &err));
		assert_int_equal(t.seq, 3);
		assert_false(t.whole);
		assert_fails(
		    ERR_NOT_FOUND, "it needs", offer(s, &t, 3, 3, &err));
		original_put(&o);
		o = original_take(s->realm, files.name[i]);
		original_cut(&o, o.len - 1);
		assert_fails(
		    ERR_CORRUPT, "is damaged", offer(s, &t, 3, 3, &err));
		assert_false(t.whole);
		original_put(&o);
		assert_ok(offer(s, &t, 3, 3, &err));
		assert_true(t.whole);
		log_tail_clear(&t);
	}
}

/* What the head does not have, a new record may not take for granted. */
static void
log_tail_check__looks_at_all_after_a_head_that_is_not_whole(void **state)
{
	const struct stand *s = *state;
	struct original o;
	struct files files;
	struct log_tail t;

	files_find(s->realm, "packs/", &files);
	o = original_take(s->realm, files.name[0]);
	original_remove(&o);
	for (size_t have = 1; have < s->n; have++) {
		t = tail_at(s, have);
		assert_fails(ERR_NOT_FOUND, "it needs",
		    offer(s, &t, have + 1, s->n, &err));
		log_tail_clear(&t);
	}
	original_put(&o);
}

#define stand_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    stand_test(log_tail_check__takes_what_follows),
	    stand_test(log_tail_check__refuses_a_gap),
	    stand_test(log_tail_check__refuses_a_snapshot_that_drops_packs),
	    stand_test(log_tail_check__lets_a_prune_drop_packs),
	    stand_test(log_tail_read__sees_what_is_missing),
	    stand_test(
		log_tail_check__looks_at_all_after_a_head_that_is_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
