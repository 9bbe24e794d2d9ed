/* What a prune takes away, what it leaves, and what it says of it. */
#include "tests/unit/prune_fixture.h"

#include <utime.h>

/* Three snapshots of 'files': ab, bc, c. */
static void
three(struct realm *r)
{
	put_pieces(r, "one", "ab");
	realm_backup(r, "files", r->source, 0);
	put_pieces(r, "one", "bc");
	realm_backup(r, "files", r->source, 1);
	put_pieces(r, "one", "c");
	realm_backup(r, "files", r->source, 2);
}

/* --- nothing to do ------------------------------------------------------ */

static void
prune_run__with_nothing_expired(void **state)
{
	struct realm *r = *state;
	uint64_t before;
	struct prune_result out;

	three(r);
	before = bytes_of(r, "packs/");
	out = prune_with(r->admin, "files", 25);
	assert_int_equal(out.snapshots, 3);
	assert_int_equal(out.dead_chunks, 0);
	assert_int_equal(out.dead.n, 0);
	assert_int_equal(out.written.n, 0);
	assert_int_equal(bytes_of(r, "packs/"), before);
	assert_whole(r);
	/* It said which packs the newest does not need; now that is known. */
	assert_true(out.leaving.n > 0);
	assert_true(out.record > 0);
	out = prune_with(r->admin, "files", 25);
	assert_int_equal(out.record, 0);
}

static void
prune_run__of_a_dataset_without_snapshots(void **state)
{
	struct realm *r = *state;
	const struct dataset *ds;
	struct prune_result out;

	assert_ok(access_create_dataset(r->admin, "new", &ds, &err));
	out = prune_with(r->admin, "new", 0);
	assert_int_equal(out.snapshots, 0);
	assert_int_equal(out.record, 0);
}

/* --- taking away -------------------------------------------------------- */

static void
prune_run__what_was_expired_is_gone(void **state)
{
	struct realm *r = *state;
	struct prune_result out;

	three(r);
	assert_true(bytes_of(r, "packs/") > 3 * PIECE);
	expire_one(r->admin, "files", 0);
	assert_whole(r);
	out = prune_with(r->admin, "files", 0);
	assert_int_equal(out.snapshots, 2);
	assert_true(out.dead_chunks > 0);
	assert_true(out.removed.bytes > PIECE);
	assert_int_equal(out.waiting.n, 0);
	/*
	 * Of three pieces two are left, and the chunk across the border of two.
	 */
	assert_in_range(bytes_of(r, "packs/"), 2 * PIECE, 3 * PIECE - 60000);
	assert_whole(r);

	expire_one(r->admin, "files", 0);
	(void)prune_with(r->admin, "files", 0);
	assert_in_range(bytes_of(r, "packs/"), PIECE, 2 * PIECE - 60000);
	assert_whole(r);
}

static void
prune_run__everything_expired(void **state)
{
	struct realm *r = *state;
	struct prune_result out;

	three(r);
	for (int i = 0; i < 3; i++)
		expire_one(r->admin, "files", 0);
	out = prune_with(r->admin, "files", 25);
	assert_int_equal(out.chunks, 0);
	assert_int_equal(count_of(r, "packs/"), 0);
	assert_int_equal(count_of(r, "index/"), 0);
	assert_whole(r);

	/* And it can begin again. */
	put_pieces(r, "one", "ab");
	realm_backup(r, "files", r->source, 3);
	assert_whole(r);
	assert_true(bytes_of(r, "packs/") > 2 * PIECE);
}

static void
prune_run__keeps_what_is_not_dead_enough(void **state)
{
	struct realm *r = *state;
	struct prune_result out;
	uint64_t before;

	put_pieces(r, "one", "abcdefgh");
	realm_backup(r, "files", r->source, 0);
	put_pieces(r, "one", "bcdefgh");
	realm_backup(r, "files", r->source, 1);
	expire_one(r->admin, "files", 0);
	out = prune_with(r->admin, "files", 90);
	assert_int_equal(out.repacked.n, 0);
	assert_true(out.kept_dead.bytes > PIECE / 2);
	assert_true(bytes_of(r, "packs/") > 8 * PIECE);
	assert_whole(r);

	/* What is dead is taken up again by whom it serves: no data is added. */
	before = bytes_of(r, "packs/");
	put_pieces(r, "one", "abcdefgh");
	realm_backup(r, "files", r->source, 2);
	assert_true(bytes_of(r, "packs/") < before + 10000);
	assert_whole(r);

	put_pieces(r, "one", "bcd");
	realm_backup(r, "files", r->source, 3);
	expire_one(r->admin, "files", 1);
	expire_one(r->admin, "files", 0);
	out = prune_with(r->admin, "files", 25);
	assert_true(out.repacked.n > 0);
	assert_true(out.written.n > 0);
	assert_true(bytes_of(r, "packs/") < 4 * PIECE);
	assert_whole(r);
}

static void
prune_run__dry(void **state)
{
	const struct prune_options opt = {.dry_run = true, .max_dead = 0};
	struct realm *r = *state;
	struct prune_result out;
	uint64_t before;
	size_t objects;

	three(r);
	expire_one(r->admin, "files", 0);
	before = bytes_of(r, "packs/");
	objects = count_of(r, "");
	assert_ok(prune_run(
	    r->admin, access_find(r->admin, "files"), NULL, &opt, &out, &err));
	assert_true(out.dead.n + out.repacked.n > 0);
	assert_true(out.dead_chunks > 0);
	assert_int_equal(out.removed.n, 0);
	assert_int_equal(out.record, 0);
	assert_int_equal(bytes_of(r, "packs/"), before);
	assert_int_equal(count_of(r, ""), objects);
}

/* --- fewer -------------------------------------------------------------- */

static void
prune_run__merges_what_is_small(void **state)
{
	struct realm *r = *state;
	struct prune_result out;
	char name[16];

	for (int i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof(name), "file-%d", i);
		put_pieces(r, name, (char[]){(char)('a' + i), '\0'});
		realm_backup(r, "files", r->source, i);
	}
	assert_true(count_of(r, "packs/") >= 24);
	out = prune_with(r->admin, "files", 25);
	assert_true(out.merged.n >= 20);
	assert_int_equal(out.written.n, 2);
	assert_true(count_of(r, "packs/") <= 4);
	assert_true(count_of(r, "index/") <= 3);
	assert_whole(r);
	assert_int_equal(snapshots_of(r->admin, "files"), 12);

	out = prune_with(r->admin, "files", 25);
	assert_int_equal(out.merged.n, 0);
}

/* --- what runs have left ------------------------------------------------ */

static void
prune_run__orphans_go_once_they_are_old(void **state)
{
	const struct utimbuf old = {1000000000, 1000000000};
	struct realm *r = *state;
	struct object_ref ref = {.cls = OBJECT_PACK};
	struct prune_result out;
	char text[OBJECT_REF_TEXT], path[2 * SCRATCH_PATH];

	three(r);
	(void)prune_with(r->admin, "files", 25);
	memcpy(ref.dataset, access_find(r->admin, "files")->id,
	    sizeof(ref.dataset));
	assert_ok(
	    store_put(access_store(r->admin), &ref, "left behind", 11, &err));
	object_ref_text(&ref, text);
	(void)snprintf(path, sizeof(path), "%s/%s", r->store, text);
	out = prune_with(r->admin, "files", 25);
	assert_int_equal(out.orphans.n, 0);
	assert_true(scratch_exists(path));
	assert_int_equal(utime(path, &old), 0);
	out = prune_with(r->admin, "files", 25);
	assert_int_equal(out.orphans.n, 1);
	assert_int_equal(out.orphans.bytes, 11);
	assert_false(scratch_exists(path));
	assert_whole(r);
}

static void
prune_run__superseded_indexes_go(void **state)
{
	struct realm *r = *state;
	AUTO(log) struct log *log = NULL;
	struct prune_result out;
	size_t before, n;

	/* Now and then one takes those before it in. */
	three(r);
	for (int i = 3; i < 10; i++) {
		const char piece[] = {(char)('a' + i), '\0'};

		put_pieces(r, "one", piece);
		realm_backup(r, "files", r->source, i);
	}
	before = count_of(r, "index/");
	out = prune_with(r->admin, "files", 25);
	assert_true(out.indexes.n > 0);
	/* Those of the set are left, and no others. */
	assert_true(count_of(r, "index/") < before);
	assert_ok(log_load(
	    r->admin, access_find(r->admin, "files"), NULL, &log, &err));
	(void)log_indexes(log, &n);
	assert_int_equal(count_of(r, "index/"), n);
	assert_whole(r);
}

/* --- damage ------------------------------------------------------------- */

static void
prune_run__refuses_where_it_can_t_tell(void **state)
{
	const struct prune_options opt = {.max_dead = 0};
	struct realm *r = *state;
	struct prune_result out;
	struct files files;
	struct err why;
	size_t before;

	three(r);
	expire_one(r->admin, "files", 0);
	files_find(r, "packs/", &files);
	before = files.n;
	for (size_t i = 0; i < files.n; i++) {
		struct original o = original_take(r, files.name[i]);

		if (object_kind(r, files.name[i]) == 1)
			original_flip(&o, 140);
		original_put(&o);
	}
	assert_whole(r);
	for (size_t i = 0; i < files.n; i++) {
		struct original o;

		if (object_kind(r, files.name[i]) != 1)
			continue;
		o = original_take(r, files.name[i]);
		original_flip(&o, 140);
		free(o.buf);
	}
	assert_int_equal(
	    ERR_CORRUPT, prune_run(r->admin, access_find(r->admin, "files"),
			     NULL, &opt, &out, &why));
	assert_non_null(strstr(why.text, "varve check"));
	assert_int_equal(count_of(r, "packs/"), before);
}

static void
count_damage(void *arg, UNUSED const struct object_ref *pack,
    UNUSED const struct err *why)
{
	++*(int *)arg;
}

static void
prune_run__a_damaged_pack_stays(void **state)
{
	int told = 0;
	const struct prune_options opt = {
	    .max_dead = 0, .on_damage = count_damage, .arg = &told};
	struct realm *r = *state;
	struct prune_result out;
	struct original o;
	char pack[192];

	/* The one pack of data that there is then holds all of 'ab'. */
	put_pieces(r, "one", "ab");
	realm_backup(r, "files", r->source, 0);
	o = take_pack(r, 0, pack);
	assert_true(o.len > 2 * PIECE);
	put_pieces(r, "one", "bc");
	realm_backup(r, "files", r->source, 1);
	put_pieces(r, "one", "c");
	realm_backup(r, "files", r->source, 2);
	expire_one(r->admin, "files", 0);
	original_flip(&o, o.len / 2 + PIECE / 2);
	free(o.buf);
	assert_ok(prune_run(
	    r->admin, access_find(r->admin, "files"), NULL, &opt, &out, &err));
	assert_int_equal(out.damaged, 1);
	assert_int_equal(told, 1);
	assert_true(bytes_of(r, "packs/") > 3 * PIECE);
}

struct lost {
	size_t n, missing;
	uint64_t chunks;
	char name[OBJECT_REF_TEXT];
};

static void
note_lost(void *arg, const struct object_ref *pack, uint64_t chunks,
    const struct err *why)
{
	struct lost *lost = arg;

	lost->n++;
	lost->missing += why->code == ERR_NOT_FOUND;
	lost->chunks += chunks;
	object_ref_text(pack, lost->name);
}

/* The pack of data that has the most bytes. */
static const char *
biggest_pack(const struct realm *r, const struct files *files)
{
	const char *name = NULL;
	size_t most = 0;

	for (size_t i = 0; i < files->n; i++) {
		struct original o = original_take(r, files->name[i]);

		if (object_kind(r, files->name[i]) == 0 && o.len > most) {
			most = o.len;
			name = files->name[i];
		}
		free(o.buf);
	}
	assert_non_null(name);
	return name;
}

static void
prune_run__names_the_packs_that_are_lost(void **state)
{
	struct lost lost = {0};
	const struct prune_options opt = {
	    .max_dead = 0, .on_lost = note_lost, .arg = &lost};
	struct realm *r = *state;
	const struct dataset *ds;
	struct prune_result out;
	struct files files;
	const char *name;
	struct original o;
	size_t before;

	three(r);
	ds = access_find(r->admin, "files");
	expire_one(r->admin, "files", 0);
	files_find(r, "packs/", &files);
	name = biggest_pack(r, &files);
	o = original_take(r, name);
	original_remove(&o);
	before = count_of(r, "");
	assert_ok(prune_run(r->admin, ds, NULL, &opt, &out, &err));
	assert_int_equal(lost.n, 1);
	assert_int_equal(lost.missing, 1);
	assert_string_equal(lost.name, name);
	assert_true(out.lost_chunks > 0);
	assert_int_equal(out.lost_chunks, lost.chunks);
	assert_int_equal(out.lost_packs, 1);
	assert_int_equal(out.unlisted_chunks, 0);
	/* Nothing was taken away, and nothing written. */
	assert_int_equal(out.record, 0);
	assert_int_equal(count_of(r, ""), before);

	/* Cut short is another thing than missing. */
	original_cut(&o, o.len - 1);
	lost = (struct lost){0};
	assert_ok(prune_run(r->admin, ds, NULL, &opt, &out, &err));
	assert_int_equal(lost.n, 1);
	assert_int_equal(lost.missing, 0);
	assert_string_equal(lost.name, name);

	original_put(&o);
	lost = (struct lost){0};
	assert_ok(prune_run(r->admin, ds, NULL, &opt, &out, &err));
	assert_int_equal(lost.n, 0);
	assert_int_equal(out.lost_packs, 0);
	assert_true(out.removed.n > 0);
}

/* --- who may ------------------------------------------------------------ */

static void
prune_run__not_by_the_recovery_key(void **state)
{
	const struct prune_options opt = {.max_dead = 0};
	struct realm *r = *state;
	struct prune_result out;
	AUTO(access) struct access *a = NULL;
	struct err why;

	three(r);
	a = realm_open(r);
	assert_int_equal(ERR_DENIED,
	    prune_run(a, access_find(a, "files"), NULL, &opt, &out, &why));
}

static void
prune_run__one_at_a_time(void **state)
{
	const struct prune_options opt = {.max_dead = 0};
	struct realm *r = *state;
	struct prune_result out;
	struct store_lock *lock;
	struct err why;

	three(r);
	assert_ok(store_lock_dataset(access_store(r->admin),
	    access_find(r->admin, "files")->id, STORE_LOCK_PRUNE, &lock, &err));
	assert_int_equal(
	    ERR_LOCKED, prune_run(r->admin, access_find(r->admin, "files"),
			    NULL, &opt, &out, &why));
	store_unlock(lock);
	(void)prune_with(r->admin, "files", 0);
}

#define prune_test(f) cmocka_unit_test_setup_teardown(f, begin_realm, end_realm)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    prune_test(prune_run__with_nothing_expired),
	    prune_test(prune_run__of_a_dataset_without_snapshots),
	    prune_test(prune_run__what_was_expired_is_gone),
	    prune_test(prune_run__everything_expired),
	    prune_test(prune_run__keeps_what_is_not_dead_enough),
	    prune_test(prune_run__dry),
	    prune_test(prune_run__merges_what_is_small),
	    prune_test(prune_run__orphans_go_once_they_are_old),
	    prune_test(prune_run__superseded_indexes_go),
	    prune_test(prune_run__refuses_where_it_can_t_tell),
	    prune_test(prune_run__a_damaged_pack_stays),
	    prune_test(prune_run__names_the_packs_that_are_lost),
	    prune_test(prune_run__not_by_the_recovery_key),
	    prune_test(prune_run__one_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
