/*
 * What a site deletes. Packs are what a backup wrote; what the records say of
 * them is made up.
 */
#include "snapshot/log/log.h"
#include "snapshot/replicate/reap.h"
#include "tests/unit/prune_fixture.h"
#include "tests/unit/site_fixture.h"

#include <time.h>

/* A site with one snapshot of 'files', and no retention lock. */
struct stand {
	struct realm *realm;
	struct sitedir *site;
	struct condemned pack; /* gone, and one of the snapshot's */
	uint8_t index[1][OBJECT_NAME_LEN];
};

struct finding {
	uint64_t pieces;
	struct condemned c;
};

static int
visit_pack(void *arg, const struct object_ref *ref, uint64_t size,
    UNUSED struct err *err)
{
	struct finding *f = arg;

	if ((size + PIECE / 2) / PIECE != f->pieces)
		return 0;
	f->c = (struct condemned){.cls = OBJECT_PACK, .gone = true};
	memcpy(f->c.name, ref->name, sizeof(f->c.name));
	return 0;
}

/* The pack that has so many pieces in it. */
static struct condemned
find_pack(const struct stand *s, uint64_t pieces)
{
	const struct dataset *ds = access_find(s->realm->admin, "files");
	struct finding f = {.pieces = pieces};

	assert_ok(store_list(access_store(s->realm->admin), OBJECT_PACK, ds->id,
	    visit_pack, &f, &err));
	assert_true(f.c.gone);
	return f.c;
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
	size_t n;

	assert_non_null(s);
	s->realm = realm_new();
	put_pieces(s->realm, "one", "ab");
	realm_backup(s->realm, "files", s->realm->source, 0);
	s->pack = find_pack(s, 2);
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

/* --- packs that are leaving --------------------------------------------- */

#define LOCK 1000

/* The snapshots so far arrived ${ago} s ago, as far as they weren't there. */
static void
arrive(const struct stand *s, int64_t ago)
{
	const struct dataset *ds = access_find(s->realm->admin, "files");
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *log = open_log(s, &lock);

	assert_ok(sitedb_arrived(sitedir_db(s->site), ds->id,
	    log_head(log)->seq, time(NULL) - ago, &err));
}

/* Two pieces; then one; then a prune, by which the other's pack is leaving. */
static void
let_one_leave(struct stand *s)
{
	struct prune_result out;

	assert_ok(sitedb_lengthen(sitedir_db(s->site), LOCK, &err));
	arrive(s, 2 * LOCK);
	put_pieces(s->realm, "one", "cefgh");
	realm_backup(s->realm, "files", s->realm->source, 1);
	arrive(s, 2 * LOCK);
	out = prune_with(s->realm->admin, "files", 100);
	assert_true(out.leaving.n > 0);
}

static void
reaper_run__a_leaving_pack_that_nothing_needs_again_may_go(void **state)
{
	struct stand *s = *state;

	let_one_leave(s);
	/* So little is new that its index is joined with no older one. */
	put_pieces(s->realm, "two", "");
	realm_backup(s->realm, "files", s->realm->source, 2);
	arrive(s, 0);
	say_prune(s, false, &s->pack, 1);
	assert_int_equal(reap(s).removed, 1);
}

/* The snapshot stores nothing; but its own index says what it relies on. */
static void
reaper_run__a_leaving_pack_that_is_needed_again_is_locked_anew(void **state)
{
	struct stand *s = *state;

	let_one_leave(s);
	put_pieces(s->realm, "two", "ab");
	realm_backup(s->realm, "files", s->realm->source, 2);
	arrive(s, 0);
	assert_whole(s->realm);
	say_prune(s, false, &s->pack, 1);
	assert_int_equal(reap(s).removed, 0);
}

/* Once it has been said: a set that grew with each run would grow without end. */
static void
backup_run__takes_up_a_leaving_pack_once(void **state)
{
	struct stand *s = *state;
	size_t n = 0;

	let_one_leave(s);
	for (int i = 0; i < 20; i++) {
		AUTO(store_lock) struct store_lock *lock = NULL;
		AUTO(log) struct log *log = NULL;

		/* It is read each time, with what the leaving pack has of it. */
		put_pieces(s->realm, "two", i % 2 == 0 ? "ab" : "ba");
		realm_backup(s->realm, "files", s->realm->source, 2 + i);
		log = open_log(s, &lock);
		(void)log_indexes(log, &n);
	}
	assert_true(n < 10);
	assert_whole(s->realm);
}

/*
 * What is unchanged is taken over unread from the last snapshot of the same
 * source, which was not the newest when the record was made.
 */
static void
reaper_run__what_another_source_needs_unread_is_locked_anew(void **state)
{
	struct stand *s = *state;
	struct realm *r = s->realm;
	char other[2 * SCRATCH_PATH], own[sizeof(r->state)];

	let_one_leave(s);
	(void)snprintf(other, sizeof(other), "%s/other", r->dir);
	assert_int_equal(mkdir(other, 0755), 0);
	/* By another machine, so to say. */
	memcpy(own, r->state, sizeof(own));
	(void)snprintf(r->state, sizeof(r->state), "%s/state2", r->dir);
	realm_backup(r, "files", other, 2);
	memcpy(r->state, own, sizeof(own));
	arrive(s, 2 * LOCK);
	(void)prune_with(r->admin, "files", 100);
	s->pack = find_pack(s, 5);
	realm_backup(r, "files", r->source, 3);
	arrive(s, 0);
	assert_whole(s->realm);
	say_prune(s, false, &s->pack, 1);
	assert_int_equal(reap(s).removed, 0);
}

#define reap_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    reap_test(reaper_run__removes_what_the_newest_prune_lists),
	    reap_test(reaper_run__keeps_what_the_newest_prune_does_not_list),
	    reap_test(reaper_run__keeps_what_the_newest_prune_needs),
	    reap_test(
		reaper_run__a_leaving_pack_that_nothing_needs_again_may_go),
	    reap_test(
		reaper_run__a_leaving_pack_that_is_needed_again_is_locked_anew),
	    reap_test(backup_run__takes_up_a_leaving_pack_once),
	    reap_test(
		reaper_run__what_another_source_needs_unread_is_locked_anew),
	    reap_test(reaper_run__keeps_all_while_an_index_is_not_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
