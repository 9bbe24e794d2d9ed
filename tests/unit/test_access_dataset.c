#include "snapshot/store/object_ref.h"
#include "tests/unit/access_fixture.h"

#include <sys/stat.h>

/* --- making datasets ---------------------------------------------------- */

static void
access_create_dataset__makes_one_that_everybody_sees(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds;

	assert_ok(access_create_dataset(w->alice, "db/clarity", &ds, &err));
	assert_string_equal(ds->name, "db/clarity");
	assert_true(ds->may_read);
	assert_true(ds->may_write);
	assert_int_equal(keyring_latest(ds->keys)->epoch, 1);
	assert_ptr_equal(access_find(w->alice, "db/clarity"), ds);
	assert_null(access_find(w->alice, "db"));
	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_ADMIN, NULL, INT64_MAX, &err));
	a = world_entered(w, host);
	assert_memory_equal(
	    access_find(a, "db/clarity")->id, ds->id, DATASET_ID_LEN);
}

static void
object_path(const struct world *w, const struct object_ref *ref,
    char out[2 * SCRATCH_PATH])
{
	char text[OBJECT_REF_TEXT];

	object_ref_text(ref, text);
	(void)snprintf(out, (size_t)2 * SCRATCH_PATH, "%s/%s", w->path, text);
}

/* The one key set that is there. */
static struct object_ref
key_set_ref(const struct access *a)
{
	struct object_ref ref = {.cls = OBJECT_KEY};

	for (size_t i = 0; i < a->nkeys; i++) {
		if (a->keys[i]->kind == KEY_SET)
			memcpy(ref.name, a->keys[i]->name, OBJECT_NAME_LEN);
	}
	return ref;
}

static struct access *
alice_again(struct world *w)
{
	struct credential cred = by_pass(NULL, ALICE_PASS);
	struct access *a = NULL;

	assert_ok(access_open_clock(w->path, &cred, &w->clock, &a, &err));
	return a;
}

/* Its name can't be read: it may be that of the dataset that is asked for. */
static void
access_create_dataset__not_beside_a_damaged_key_set(void **state)
{
	struct world *w = *state;
	const struct dataset *ds = world_dataset(w, "a");
	struct object_ref ref = key_set_ref(w->alice);
	char path[2 * SCRATCH_PATH];
	AUTO(access) struct access *a = NULL;

	object_path(w, &ref, path);
	(void)chmod(path, 0600);
	scratch_write(path, "VRVk", 4);
	a = alice_again(w);
	assert_int_equal(access_datasets(a), 0);
	assert_fails(ERR_CORRUPT, "varve check",
	    access_create_dataset(a, "a", &ds, &err));
	assert_null(ds);
	assert_int_equal(access_datasets(a), 0);
}

static void
access_create_dataset__not_beside_a_lost_key_set(void **state)
{
	struct world *w = *state;
	const struct dataset *ds = world_dataset(w, "a");
	struct object_ref ref = key_set_ref(w->alice);
	struct object_ref record = {.cls = OBJECT_LOG, .seq = 1};
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(access) struct access *a = NULL;
	AUTO(access) struct access *b = NULL;

	memcpy(record.dataset, ds->id, DATASET_ID_LEN);
	assert_ok(store_lock_dataset(
	    w->alice->store, ds->id, STORE_LOCK_RUN, &lock, &err));
	assert_ok(store_remove(w->alice->store, &ref, &err));

	/* A dataset that was never written to has lost nothing. */
	a = alice_again(w);
	assert_ok(access_create_dataset(a, "b", &ds, &err));

	assert_ok(store_put(w->alice->store, &record, "r", 1, &err));
	b = alice_again(w);
	assert_fails(ERR_CORRUPT, "no key set that opens",
	    access_create_dataset(b, "a", &ds, &err));
	assert_int_equal(access_datasets(b), 1);
}

static void
access_create_dataset__refuses_names_that_cant_be(void **state)
{
	struct world *w = *state;
	static const char *const bad[] = {"", "/", "a/", "/a", "a//b", ".",
	    "a/..", "latest", "a/latest", "2026-11-21", "-a", "@a", "a@b",
	    "a:b", "a\nb", "\xff"};
	const struct dataset *ds = NULL;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(ERR_USAGE, "name",
		    access_create_dataset(w->alice, bad[i], &ds, &err));
	assert_null(ds);
	assert_int_equal(access_datasets(w->alice), 0);
}

static void
access_create_dataset__refuses_names_that_clash(void **state)
{
	struct world *w = *state;
	const struct dataset *ds;

	(void)world_dataset(w, "a/b");
	assert_fails(ERR_USAGE, "already",
	    access_create_dataset(w->alice, "a/b", &ds, &err));
	assert_null(ds);
	assert_fails(ERR_USAGE, "folder",
	    access_create_dataset(w->alice, "a", &ds, &err));
	assert_fails(ERR_USAGE, "folder",
	    access_create_dataset(w->alice, "a/b/c", &ds, &err));
	(void)world_dataset(w, "a/bc");
	(void)world_dataset(w, "a/c");
	(void)world_dataset(w, "a-b");
	assert_int_equal(access_datasets(w->alice), 4);
}

/* Also those that came since this one looked last. */
static void
access_create_dataset__looks_again(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds;

	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_ADMIN, NULL, INT64_MAX, &err));
	a = world_entered(w, host);
	(void)world_dataset(w, "a");
	assert_fails(
	    ERR_USAGE, "already", access_create_dataset(a, "a", &ds, &err));
}

static void
access_create_dataset__withdraws_when_another_was_as_quick(void **state)
{
	struct world *w = *state;
	const struct dataset *ds = NULL;
	uint8_t rival[DATASET_ID_LEN];
	int keys;
	char path[SCRATCH_PATH + 32];

	(void)snprintf(path, sizeof(path), "%s/keys", w->path);
	keys = scratch_count(path);
	assert_ok(keyset_new("a/b", &w->rival, &err));
	memcpy(rival, w->rival->dataset, sizeof(rival));
	assert_fails(ERR_LOCKED, "another admin",
	    access_create_dataset(w->alice, "a", &ds, &err));
	assert_null(ds);
	assert_null(w->rival);

	/* Nothing is left of it but the other's. */
	assert_int_equal(scratch_count(path), keys + 1);
	assert_int_equal(access_datasets(w->alice), 1);
	assert_memory_equal(
	    access_dataset(w->alice, 0)->id, rival, DATASET_ID_LEN);
	assert_ok(access_create_dataset(w->alice, "b", &ds, &err));
	assert_string_equal(ds->name, "b");
	assert_int_equal(damage_count(w->alice), 0);
}

/* --- names that clash all the same -------------------------------------- */

/* As from a store that was apart. Returns how its name shows with its id. */
static const char *
smuggle(struct world *w, const char *name, const char *folder, char *shown)
{
	AUTO(keyset) struct keyset *ks = NULL;
	size_t at = strlen(folder);

	assert_ok(keyset_new(name, &ks, &err));
	(void)world_key_set(w, ks, access_identity(w->alice));
	(void)sprintf(shown, "%s~%02x%02x%02x%02x%s", folder, ks->dataset[0],
	    ks->dataset[1], ks->dataset[2], ks->dataset[3], name + at);
	return shown;
}

static struct access *
reopen(struct world *w)
{
	struct credential cred = {.recovery = w->recovery};
	struct access *a = NULL;

	assert_ok(access_open(w->path, &cred, &a, &err));
	return a;
}

static void
access_find__reaches_all_datasets_of_one_name(void **state)
{
	struct world *w = *state;
	AUTO(access) struct access *a = NULL;
	char x[300], y[300];
	bool changed;

	(void)smuggle(w, "a", "a", x);
	(void)smuggle(w, "a", "a", y);
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_true(changed);
	a = reopen(w);
	assert_int_equal(access_datasets(a), 2);
	assert_null(access_find(a, "a"));
	assert_non_null(access_find(a, x));
	assert_non_null(access_find(a, y));
	assert_ptr_not_equal(access_find(a, x), access_find(a, y));
}

static void
access_find__reaches_a_dataset_in_the_folder_of_another(void **state)
{
	struct world *w = *state;
	AUTO(access) struct access *a = NULL;
	char x[300], ignored[300];

	(void)smuggle(w, "a", "", ignored);
	(void)smuggle(w, "a/b", "a", x);
	(void)smuggle(w, "ab", "", ignored);
	a = reopen(w);
	assert_int_equal(access_datasets(a), 3);
	assert_non_null(access_find(a, "a"));
	assert_non_null(access_find(a, x));
	assert_null(access_find(a, "a/b"));
	assert_non_null(access_find(a, "ab"));
}

static void
access_refresh__keeps_the_names_that_were_shown(void **state)
{
	struct world *w = *state;
	const struct dataset *a = world_dataset(w, "a");
	const struct dataset *cd = world_dataset(w, "c/d");
	char second[300], under[300], above[300];
	bool changed;

	(void)smuggle(w, "a", "a", second);
	(void)smuggle(w, "a/b", "a", under);
	(void)smuggle(w, "c", "c", above);
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_true(changed);
	assert_int_equal(access_datasets(w->alice), 5);
	assert_ptr_equal(access_find(w->alice, "a"), a);
	assert_ptr_equal(access_find(w->alice, "c/d"), cd);
	assert_non_null(access_find(w->alice, second));
	assert_non_null(access_find(w->alice, under));
	assert_non_null(access_find(w->alice, above));
}

static void
access_find__takes_the_longest_names(void **state)
{
	struct world *w = *state;
	AUTO(access) struct access *a = NULL;
	char name[DATASET_NAME_MAX + 1], x[300], y[300];

	memset(name, 'n', DATASET_NAME_MAX);
	name[DATASET_NAME_MAX] = '\0';
	(void)smuggle(w, name, name, x);
	(void)smuggle(w, name, name, y);
	a = reopen(w);
	assert_non_null(access_find(a, x));
	assert_non_null(access_find(a, y));
}

/* --- looking again ------------------------------------------------------ */

static void
access_datasets__are_sorted_by_name(void **state)
{
	struct world *w = *state;
	static const char *const names[] = {"m", "z/a", "b", "a", "z/B"};
	static const char *const sorted[] = {"a", "b", "m", "z/B", "z/a"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)world_dataset(w, names[i]);
	assert_int_equal(access_datasets(w->alice), ARRAY_LEN(sorted));
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++)
		assert_string_equal(
		    access_dataset(w->alice, i)->name, sorted[i]);
}

static void
access_refresh__sees_what_came_since(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	AUTO(access) struct access *a = NULL;
	const struct dataset *m = world_dataset(w, "m"), *mine;
	bool changed;

	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_WRITER, m, INT64_MAX, &err));
	a = world_entered(w, host);
	mine = access_find(a, "m");
	assert_ok(access_refresh(a, &changed, &err));
	assert_false(changed);

	/* A dataset that is not for this key changes nothing. */
	(void)world_dataset(w, "b");
	assert_ok(access_refresh(a, &changed, &err));
	assert_false(changed);

	assert_ok(access_grant(w->alice, &host->pub, ROLE_READER,
	    access_find(w->alice, "b"), INT64_MAX, &err));
	assert_ok(access_refresh(a, &changed, &err));
	assert_true(changed);
	assert_int_equal(access_datasets(a), 2);
	assert_true(access_find(a, "b")->may_read);
	assert_ptr_equal(access_find(a, "m"), mine);
	assert_string_equal(mine->name, "m");

	/* The private half takes the place of the keys without it. */
	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_READER, m, INT64_MAX, &err));
	assert_ok(access_refresh(a, &changed, &err));
	assert_true(changed);
	assert_true(mine->may_read);
	assert_true(keyring_can_read(mine->keys));
	assert_ok(access_refresh(a, &changed, &err));
	assert_false(changed);
}

static void
access_refresh__notices_a_grant_that_was_taken_away(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds = world_dataset(w, "a");
	struct object_ref ref =
	    world_grant(w, &(struct forgery){
			       .role = ROLE_READER,
			       .subject = host,
			       .issuer = access_identity(w->alice),
			       .keys = keyring_latest(ds->keys),
			       .from = START,
			       .until = INT64_MAX,
			   });
	bool changed;

	a = world_entered(w, host);
	assert_int_equal(access_datasets(a), 1);
	assert_ok(store_remove(access_store(w->alice), &ref, &err));
	assert_ok(access_refresh(a, &changed, &err));
	assert_true(changed);
	assert_int_equal(access_datasets(a), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(access_create_dataset__makes_one_that_everybody_sees),
	    world_test(access_create_dataset__not_beside_a_damaged_key_set),
	    world_test(access_create_dataset__not_beside_a_lost_key_set),
	    world_test(access_create_dataset__refuses_names_that_cant_be),
	    world_test(access_create_dataset__refuses_names_that_clash),
	    world_test(access_create_dataset__looks_again),
	    world_test(
		access_create_dataset__withdraws_when_another_was_as_quick),
	    world_test(access_find__reaches_all_datasets_of_one_name),
	    world_test(access_find__reaches_a_dataset_in_the_folder_of_another),
	    world_test(access_refresh__keeps_the_names_that_were_shown),
	    world_test(access_find__takes_the_longest_names),
	    world_test(access_datasets__are_sorted_by_name),
	    world_test(access_refresh__sees_what_came_since),
	    world_test(access_refresh__notices_a_grant_that_was_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
