#include "tests/unit/access_fixture.h"

/* Stores that are opened for some of their datasets. */

static int
open_for(struct world *w, const struct identity *host, const char *const *names,
    size_t n, struct access **out, struct err *e)
{
	char path[SCRATCH_PATH + 32];
	struct credential cred = {.keyfile = path};

	(void)snprintf(path, sizeof(path), "%s/wanted.key", w->dir);
	(void)unlink(path);
	assert_ok(access_write_keyfile(host, path, &err));
	return access_open_datasets_clock(
	    w->path, &cred, names, n, &w->clock, out, e);
}

/* ${host}'s access to what shows as ${name}; NULL: to all. */
static struct access *
entered_for(struct world *w, const struct identity *host, const char *name)
{
	struct access *a = NULL;

	assert_ok(open_for(w, host, &name, name != NULL, &a, &err));
	return a;
}

static struct access *
alice_for(struct world *w, const char *name)
{
	struct credential cred = by_pass(NULL, ALICE_PASS);
	struct access *a = NULL;

	assert_ok(access_open_datasets_clock(
	    w->path, &cred, &name, 1, &w->clock, &a, &err));
	return a;
}

static struct access *
recovered_for(struct world *w, const char *name)
{
	struct credential cred = {.recovery = w->recovery};
	struct access *a = NULL;

	assert_ok(access_open_datasets_clock(
	    w->path, &cred, &name, name != NULL, &w->clock, &a, &err));
	return a;
}

/* A key set as from a store that was apart. */
static void
smuggle(struct world *w, const char *name)
{
	AUTO(keyset) struct keyset *ks = NULL;

	assert_ok(keyset_new(name, &ks, &err));
	(void)world_key_set(w, ks, access_identity(w->alice));
}

/* --- what is opened ----------------------------------------------------- */

static void
access_open_datasets__opens_a_hosts_grants_on_that_alone(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(access) struct access *a = NULL;
	const struct dataset *b;

	(void)world_granted(w, "a", host, ROLE_READER);
	b = world_granted(w, "b", host, ROLE_WRITER);
	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_READER, b, START + 100, &err));
	(void)world_granted(w, "c", host, ROLE_WRITER);
	a = entered_for(w, host, "b");
	assert_int_equal(access_datasets(a), 1);
	assert_memory_equal(access_find(a, "b")->id, b->id, DATASET_ID_LEN);
	assert_true(access_find(a, "b")->may_read);
	assert_true(access_find(a, "b")->may_write);
	assert_null(access_find(a, "a"));
}

static void
access_open_datasets__opens_an_admins_key_set_of_that_alone(void **state)
{
	struct world *w = *state;
	AUTO(access) struct access *a = NULL;
	AUTO(access) struct access *by_recovery = NULL;
	bool changed = true;

	(void)world_dataset(w, "a");
	(void)world_dataset(w, "b/c");
	a = alice_for(w, "b/c");
	assert_true(access_is_admin(a));
	assert_int_equal(access_datasets(a), 1);
	assert_true(access_find(a, "b/c")->may_read);
	assert_true(access_find(a, "b/c")->may_write);
	assert_ok(access_refresh(a, &changed, &err));
	assert_false(changed);

	by_recovery = recovered_for(w, "a");
	assert_int_equal(access_datasets(by_recovery), 1);
	assert_non_null(access_find(by_recovery, "a"));
}

/* So many that threads share them. */
static void
access_open_datasets__finds_one_of_many(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(access) struct access *by_host = NULL;
	AUTO(access) struct access *by_admin = NULL;
	char name[16];

	for (unsigned i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof(name), "d/%u", i);
		(void)world_granted(
		    w, name, host, i % 2 == 0 ? ROLE_READER : ROLE_WRITER);
	}
	by_host = entered_for(w, host, "d/33");
	assert_int_equal(access_datasets(by_host), 1);
	assert_true(access_find(by_host, "d/33")->may_write);
	assert_false(access_find(by_host, "d/33")->may_read);
	by_admin = alice_for(w, "d/34");
	assert_int_equal(access_datasets(by_admin), 1);
	assert_true(access_find(by_admin, "d/34")->may_read);
}

static void
access_open_datasets__takes_several_names(void **state)
{
	struct world *w = *state;
	static const char *const names[] = {"a", "c"};
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(access) struct access *a = NULL;

	(void)world_granted(w, "a", host, ROLE_READER);
	(void)world_granted(w, "b", host, ROLE_READER);
	(void)world_granted(w, "c", host, ROLE_READER);
	assert_ok(open_for(w, host, names, ARRAY_LEN(names), &a, &err));
	assert_int_equal(access_datasets(a), 2);
	assert_non_null(access_find(a, "a"));
	assert_non_null(access_find(a, "c"));
}

/* So that who is told 'no such dataset' can be told of others. */
static void
access_open_datasets__opens_all_where_one_is_missing(void **state)
{
	struct world *w = *state;
	static const char *const names[] = {"a", "d"};
	char longest[2 * DATASET_NAME_MAX];
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(access) struct access *a = NULL;
	AUTO(access) struct access *b = NULL;

	(void)world_granted(w, "a", host, ROLE_READER);
	(void)world_granted(w, "b", host, ROLE_READER);
	assert_ok(open_for(w, host, names, ARRAY_LEN(names), &a, &err));
	assert_int_equal(access_datasets(a), 2);
	assert_null(access_find(a, "d"));

	memset(longest, '~', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	b = entered_for(w, host, longest);
	assert_int_equal(access_datasets(b), 2);
}

static void
access_open_datasets__refuses_whom_access_open_refuses(void **state)
{
	struct world *w = *state;
	static const char *const name = "a";
	AUTO(identity) struct identity *host = world_host("db1");
	struct access *a;

	(void)world_dataset(w, "a");
	assert_fails(
	    ERR_DENIED, "never granted", open_for(w, host, &name, 1, &a, &err));
	(void)world_granted(w, "b", host, ROLE_READER);
	w->now = START + 100;
	assert_fails(ERR_DENIED, "valid at this time",
	    open_for(w, host, &name, 1, &a, &err));
	assert_null(a);
}

/* --- under which names -------------------------------------------------- */

/* What ${name} finds must not depend on how much was opened. */
static void
assert_finds_the_same(
    struct world *w, const struct access *all, const char *name)
{
	AUTO(access) struct access *some = recovered_for(w, name);
	const struct dataset *want = access_find(all, name);
	const struct dataset *got = access_find(some, name);

	if (want == NULL) {
		assert_null(got);
		assert_int_equal(access_datasets(some), access_datasets(all));
		return;
	}
	assert_non_null(got);
	assert_memory_equal(got->id, want->id, DATASET_ID_LEN);
	assert_true(access_datasets(some) < access_datasets(all));
	assert_int_equal(got->may_read, want->may_read);
	assert_int_equal(got->may_write, want->may_write);
	/* And what shows beside it, shows under no other name than ever. */
	for (size_t i = 0; i < access_datasets(some); i++) {
		const struct dataset *ds = access_dataset(some, i);

		assert_memory_equal(
		    access_find(all, ds->name)->id, ds->id, DATASET_ID_LEN);
	}
}

static void
access_open_datasets__finds_what_access_open_finds(void **state)
{
	struct world *w = *state;
	static const char *const names[] = {"a", "a", "a/b", "a/b", "a/b/c",
	    "ab", "c/d", "c/d/e/f", "c/d/e", "g~01234567", "g", "h~", "i/j~",
	    "k~0123abcd/l", "m"};
	AUTO(access) struct access *all = NULL;
	char longest[DATASET_NAME_MAX + 1];

	memset(longest, 'n', DATASET_NAME_MAX);
	longest[DATASET_NAME_MAX] = '\0';
	smuggle(w, longest);
	smuggle(w, longest);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		smuggle(w, names[i]);
	all = recovered_for(w, NULL);
	assert_int_equal(access_datasets(all), ARRAY_LEN(names) + 2);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_finds_the_same(w, all, names[i]);
	for (size_t i = 0; i < access_datasets(all); i++)
		assert_finds_the_same(w, all, access_dataset(all, i)->name);
	assert_finds_the_same(w, all, longest);
	assert_finds_the_same(w, all, "a~00000000");
	assert_finds_the_same(w, all, "");
}

/* --- what others put there ---------------------------------------------- */

/* A grant by nobody of consequence, as whose keys ${ks} are given. */
static struct object_ref
forge(struct world *w, const struct identity *host, const struct keyset *ks)
{
	AUTO(identity) struct identity *mallory = world_host("mallory");

	return world_grant(w, &(struct forgery){
				  .role = ROLE_WRITER,
				  .subject = host,
				  .issuer = mallory,
				  .keys = ks,
				  .from = START,
				  .until = INT64_MAX,
			      });
}

/* Keys that call a dataset by another name than it has. */
static struct object_ref
forge_name(struct world *w, const struct identity *host,
    const struct dataset *ds, const char *name)
{
	AUTO(keyset) struct keyset *ks = NULL;

	assert_ok(keyset_new(name, &ks, &err));
	memcpy(ks->dataset, ds->id, DATASET_ID_LEN);
	return forge(w, host, ks);
}

static void
access_open_datasets__a_forged_grant_names_nothing(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(keyset) struct keyset *trap = NULL;
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds = world_granted(w, "a", host, ROLE_WRITER);
	struct object_ref refs[2];

	(void)world_granted(w, "b", host, ROLE_WRITER);
	assert_ok(keyset_new("a", &trap, &err));
	refs[0] = forge(w, host, trap);
	refs[1] = forge_name(w, host, ds, "z");
	a = entered_for(w, host, "a");
	assert_int_equal(access_datasets(a), 1);
	assert_memory_equal(access_find(a, "a")->id, ds->id, DATASET_ID_LEN);
	for (size_t i = 0; i < ARRAY_LEN(refs); i++)
		assert_int_equal(damage_code(a, &refs[i]), ERR_AUTH);
	assert_int_equal(damage_count(a), ARRAY_LEN(refs));
}

/* A rival of the same name must not vanish behind another name. */
static void
access_open_datasets__a_forged_grant_hides_nothing(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(access) struct access *a = NULL;
	const struct dataset *both[2];

	smuggle(w, "a");
	smuggle(w, "a");
	world_refresh(w);
	assert_int_equal(access_datasets(w->alice), 2);
	for (size_t i = 0; i < 2; i++) {
		both[i] = access_dataset(w->alice, i);
		assert_ok(access_grant(w->alice, &host->pub, ROLE_WRITER,
		    both[i], INT64_MAX, &err));
		for (int n = 0; n < 8; n++)
			(void)forge_name(w, host, both[i], "z");
	}
	a = entered_for(w, host, "a");
	assert_null(access_find(a, "a"));
	for (size_t i = 0; i < 2; i++) {
		AUTO(access)
		struct access *b = entered_for(w, host, both[i]->name);

		assert_int_equal(access_datasets(b), 2);
		assert_memory_equal(access_find(b, both[i]->name)->id,
		    both[i]->id, DATASET_ID_LEN);
	}
}

static void
access_open_datasets__a_forged_key_set_names_nothing(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *mallory = world_host("mallory");
	AUTO(keyset) struct keyset *trap = NULL;
	AUTO(access) struct access *a = NULL;
	struct object_ref ref;

	(void)world_dataset(w, "a");
	(void)world_dataset(w, "b");
	assert_ok(keyset_new("a", &trap, &err));
	ref = world_key_set(w, trap, mallory);
	a = alice_for(w, "a");
	assert_int_equal(access_datasets(a), 1);
	assert_non_null(access_find(a, "a"));
	assert_int_equal(damage_code(a, &ref), ERR_AUTH);
}

/* --- later -------------------------------------------------------------- */

static void
access_refresh__goes_on_with_what_was_asked_for(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(keyset) struct keyset *next = NULL;
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds = world_granted(w, "a", host, ROLE_WRITER);
	const struct dataset *mine;
	bool changed;

	a = entered_for(w, host, "a");
	mine = access_find(a, "a");
	(void)world_granted(w, "b", host, ROLE_WRITER);
	assert_ok(access_refresh(a, &changed, &err));
	assert_false(changed);
	assert_int_equal(access_datasets(a), 1);

	assert_ok(keyset_next(world_keys(ds), &next, &err));
	(void)world_key_set(w, next, access_identity(w->alice));
	world_refresh(w);
	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_WRITER, ds, START + 200, &err));
	assert_ok(access_refresh(a, &changed, &err));
	assert_true(changed);
	assert_ptr_equal(access_find(a, "a"), mine);
	assert_int_equal(keyring_latest(mine->keys)->epoch, 2);

	w->now = START + 200;
	assert_ok(access_refresh(a, &changed, &err));
	assert_true(changed);
	assert_null(access_find(a, "a"));
	assert_false(mine->may_write);
}

/* It clashes with none of those that were not asked for. */
static void
access_create_dataset__looks_at_all_datasets(void **state)
{
	struct world *w = *state;
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds;

	(void)world_dataset(w, "a");
	(void)world_dataset(w, "b/c");
	a = alice_for(w, "a");
	assert_fails(
	    ERR_USAGE, "already", access_create_dataset(a, "b/c", &ds, &err));
	assert_fails(
	    ERR_USAGE, "folder", access_create_dataset(a, "b", &ds, &err));
	assert_ok(access_create_dataset(a, "d", &ds, &err));
	assert_int_equal(access_datasets(a), 3);
}

static void
access_key_set_lost__wants_all_to_be_opened(void **state)
{
	struct world *w = *state;
	AUTO(access) struct access *a = NULL;
	const struct dataset *b;

	(void)world_dataset(w, "a");
	b = world_dataset(w, "b");
	a = alice_for(w, "a");
	assert_fails(ERR_BUG, "all", access_key_set_lost(a, b->id, &err));
	assert_ok(access_key_set_lost(w->alice, b->id, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(
		access_open_datasets__opens_a_hosts_grants_on_that_alone),
	    world_test(
		access_open_datasets__opens_an_admins_key_set_of_that_alone),
	    world_test(access_open_datasets__finds_one_of_many),
	    world_test(access_open_datasets__takes_several_names),
	    world_test(access_open_datasets__opens_all_where_one_is_missing),
	    world_test(access_open_datasets__refuses_whom_access_open_refuses),
	    world_test(access_open_datasets__finds_what_access_open_finds),
	    world_test(access_open_datasets__a_forged_grant_names_nothing),
	    world_test(access_open_datasets__a_forged_grant_hides_nothing),
	    world_test(access_open_datasets__a_forged_key_set_names_nothing),
	    world_test(access_refresh__goes_on_with_what_was_asked_for),
	    world_test(access_create_dataset__looks_at_all_datasets),
	    world_test(access_key_set_lost__wants_all_to_be_opened),
	};

	return cmocka_run_group_tests_name("access_wanted", tests, NULL, NULL);
}
