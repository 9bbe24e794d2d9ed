/*
 * What a site deletes. Packs are what a backup wrote; what the records say of
 * them is made up.
 */
#include "snapshot/log/log.h"
#include "snapshot/replicate/reap.h"
#include "tests/unit/prune_fixture.h"
#include "tests/unit/site_fixture.h"

/* A site with one snapshot of 'files', and no retention lock. */
struct stand {
	struct realm *realm;
	struct sitedir *site;
	struct condemned pack; /* gone, and one of the snapshot's */
	uint8_t index[1][OBJECT_NAME_LEN];
};

static int
note_pack(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED struct err *err)
{
	struct condemned *c = arg;

	*c = (struct condemned){.cls = OBJECT_PACK, .gone = true};
	memcpy(c->name, ref->name, sizeof(c->name));
	return 0;
}

static struct log *
open_log(const struct stand *s, struct store_lock **lock)
{
	const struct dataset *ds = access_find(s->realm->admin, "files");
	struct log *log;

	assert_ok(store_lock_dataset(access_store(s->realm->admin), ds->id,
	    STORE_LOCK_APPEND, lock, &err));
	assert_ok(log_load(s->realm->admin, ds, NULL, &log, &err));
	return log;
}

static int
setup(void **state)
{
	struct stand *s = calloc(1, sizeof(*s));
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *log = NULL;
	const struct dataset *ds;
	size_t n;

	assert_non_null(s);
	s->realm = realm_new();
	put_pieces(s->realm, "one", "ab");
	realm_backup(s->realm, "files", s->realm->source, 0);
	ds = access_find(s->realm->admin, "files");
	assert_ok(store_list(access_store(s->realm->admin), OBJECT_PACK, ds->id,
	    note_pack, &s->pack, &err));
	log = open_log(s, &lock);
	memcpy(s->index, log_indexes(log, &n), sizeof(s->index));
	assert_int_equal(n, 1);
	s->site = site_new(s->realm->store, "dr", FIRST_TIME, 0);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct stand *s = *state;

	sitedir_close(s->site);
	realm_free(s->realm);
	free(s);
	return 0;
}

/* A prune record; ${set}: the snapshot's index is in its set. */
static void
say_prune(const struct stand *s, bool set, const struct condemned *c, size_t n)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *log = open_log(s, &lock);
	const struct record_prune prune = {.gone_objects = n};
	const struct record_lists lists = {
	    .indexes = s->index,
	    .nindexes = set,
	    .condemned = c,
	    .ncondemned = n,
	};

	assert_ok(log_append_prune(log, &prune, &lists, &err));
}

/* A snapshot with an empty set, as if it needed nothing. */
static void
say_nothing_needed(const struct stand *s)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *log = open_log(s, &lock);
	struct snapshot *snap = calloc(1, sizeof(*snap));

	assert_non_null(snap);
	*snap = *log_snapshot(log, log_count(log) - 1);
	snap->time.s += 3600;
	snap->end.s += 3600;
	snap->host = strdup(snap->host);
	snap->source = strdup(snap->source);
	snap->program = strdup(snap->program);
	snap->root = malloc(snap->root_len);
	assert_non_null(snap->root);
	memcpy(snap->root, log_snapshot(log, log_count(log) - 1)->root,
	    snap->root_len);
	assert_ok(log_append(log, snap, NULL, 0, &err));
}

static struct reap_result
reap(const struct stand *s)
{
	AUTO(reaper) struct reaper *reaper = NULL;
	struct access *a = s->realm->admin;
	struct party p = {
	    .address = s->realm->store, .access = a, .site = s->site};
	struct reap_result out;

	assert_ok(store_set_replica(access_store(a), "dr", &err));
	assert_ok(reaper_new(&reaper, &err));
	assert_ok(reaper_run(reaper, &p, &out, &err));
	return out;
}

static void
reaper_run__removes_what_the_newest_prune_lists(void **state)
{
	struct stand *s = *state;
	size_t packs = count_of(s->realm, "packs/");

	say_prune(s, false, &s->pack, 1);
	assert_int_equal(reap(s).removed, 1);
	assert_int_equal(count_of(s->realm, "packs/"), packs - 1);
}

static void
reaper_run__keeps_what_the_newest_prune_does_not_list(void **state)
{
	struct stand *s = *state;

	say_prune(s, true, &s->pack, 1);
	say_prune(s, true, NULL, 0);
	say_nothing_needed(s);
	assert_int_equal(reap(s).removed, 0);
}

static void
reaper_run__keeps_what_the_newest_prune_needs(void **state)
{
	struct stand *s = *state;

	say_prune(s, true, &s->pack, 1);
	say_nothing_needed(s);
	assert_int_equal(reap(s).removed, 0);
}

/* What such an index needs, nobody can tell. */
static void
reaper_run__keeps_all_while_an_index_is_not_here(void **state)
{
	struct stand *s = *state;
	struct object_ref ref = {.cls = OBJECT_INDEX};
	struct store *store = access_store(s->realm->admin);
	struct reap_result out;

	say_prune(s, true, &s->pack, 1);
	memcpy(ref.dataset, access_find(s->realm->admin, "files")->id,
	    STORE_DATASET_LEN);
	memcpy(ref.name, s->index[0], OBJECT_NAME_LEN);
	assert_ok(store_remove(store, &ref, &err));
	out = reap(s);
	assert_int_equal(out.removed, 0);
	assert_int_equal(out.kept, 1);
	assert_true(out.next == INT64_MAX);
}

#define reap_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    reap_test(reaper_run__removes_what_the_newest_prune_lists),
	    reap_test(reaper_run__keeps_what_the_newest_prune_does_not_list),
	    reap_test(reaper_run__keeps_what_the_newest_prune_needs),
	    reap_test(reaper_run__keeps_all_while_an_index_is_not_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
