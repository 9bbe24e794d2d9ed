/*
 * What a role lets one do, in all epochs, and until when. Hosts stand in for
 * persons: opening by a key file needs no scrypt.
 */
#include "tests/unit/access_fixture.h"

/* --- roles -------------------------------------------------------------- */

static void
access_grant__lets_a_reader_read(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds, *mine;

	(void)world_dataset(w, "other");
	ds = world_granted(w, "a", host, ROLE_READER);
	a = world_entered(w, host);
	assert_false(access_is_admin(a));
	assert_int_equal(access_datasets(a), 1);
	mine = access_dataset(a, 0);
	assert_string_equal(mine->name, "a");
	assert_memory_equal(mine->id, ds->id, DATASET_ID_LEN);
	assert_true(mine->may_read);
	assert_false(mine->may_write);
	assert_memory_equal(
	    &world_keys(mine)->seal, &world_keys(ds)->seal, KEY_LEN);
}

static void
access_grant__gives_a_writer_no_private_half(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds = world_granted(w, "a", host, ROLE_WRITER),
			     *mine;
	static const struct x25519_private none;

	a = world_entered(w, host);
	assert_int_equal(access_datasets(a), 1);
	mine = access_find(a, "a");
	assert_false(mine->may_read);
	assert_true(mine->may_write);
	assert_false(keyring_can_read(mine->keys));
	assert_false(world_keys(mine)->has_private);
	assert_memory_equal(&world_keys(mine)->seal, &none, sizeof(none));
	assert_memory_equal(
	    &world_keys(mine)->seal_pub, &world_keys(ds)->seal_pub, KEY_LEN);
	assert_memory_equal(
	    &world_keys(mine)->id, &world_keys(ds)->id, KEY_LEN);
	assert_memory_equal(
	    &world_keys(mine)->index, &world_keys(ds)->index, KEY_LEN);
}

static void
access_grant__lets_one_who_reads_and_writes_do_both(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds = world_granted(w, "a", host, ROLE_WRITER);

	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_READER, ds, START + 100, &err));
	a = world_entered(w, host);
	assert_int_equal(access_datasets(a), 1);
	assert_true(access_dataset(a, 0)->may_read);
	assert_true(access_dataset(a, 0)->may_write);
}

static void
access_grant__makes_an_admin_of_all_datasets(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds;

	(void)world_dataset(w, "a");
	world_make_admin(w, host, INT64_MAX);
	a = world_entered(w, host);
	assert_true(access_is_admin(a));
	assert_true(access_find(a, "a")->may_read);
	assert_true(access_find(a, "a")->may_write);
	assert_ok(access_create_dataset(a, "b", &ds, &err));
	world_refresh(w);
	assert_non_null(access_find(w->alice, "b"));
}

static void
access_grant__gives_a_replica_nothing(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("dr");
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds = world_dataset(w, "a");

	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_REPLICA, NULL, START + 100, &err));
	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_REPLICA, ds, START + 100, &err));
	assert_int_equal(damage_count(w->alice), 0);
	a = world_entered(w, host);
	assert_int_equal(access_datasets(a), 0);
	assert_false(access_is_admin(a));
}

static void
access_grant__is_for_admins_alone(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds;

	(void)world_granted(w, "a", host, ROLE_READER);
	a = world_entered(w, host);
	assert_fails(ERR_DENIED, "only an admin",
	    access_grant(a, &host->pub, ROLE_WRITER, access_find(a, "a"),
		START + 100, &err));
	assert_fails(ERR_DENIED, "only an admin",
	    access_create_dataset(a, "b", &ds, &err));
	assert_null(ds);
}

static void
access_grant__refuses_what_makes_no_sense(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	const struct dataset *ds = world_dataset(w, "a");
	const struct identity_public *who = &host->pub;

	assert_fails(ERR_USAGE, "reader",
	    access_grant(w->alice, who, ROLE_READER, NULL, START + 1, &err));
	assert_fails(ERR_USAGE, "admin",
	    access_grant(w->alice, who, ROLE_ADMIN, ds, START + 1, &err));
	assert_fails(ERR_USAGE, "without a role",
	    access_grant(w->alice, who, ROLE_NONE, NULL, START + 1, &err));
	assert_fails(ERR_USAGE, "passed",
	    access_grant(w->alice, who, ROLE_READER, ds, START, &err));
	assert_fails(ERR_DENIED, "never granted",
	    world_enter(w, host, &(struct access *){NULL}, &err));
}

/* A grant ends no other: that is said, not left to be found out. */
static void
access_grant__refuses_to_seem_shorter(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	const struct dataset *ds = world_granted(w, "a", host, ROLE_READER);
	const struct dataset *other = world_dataset(w, "b");
	const struct identity_public *who = &host->pub;

	assert_ok(
	    access_grant(w->alice, who, ROLE_READER, ds, START + 200, &err));
	assert_fails(ERR_USAGE, "'bob' is reader for longer already",
	    access_grant(w->alice, who, ROLE_READER, ds, START + 199, &err));
	assert_ok(
	    access_grant(w->alice, who, ROLE_READER, ds, START + 200, &err));
	assert_ok(
	    access_grant(w->alice, who, ROLE_WRITER, ds, START + 199, &err));
	assert_ok(
	    access_grant(w->alice, who, ROLE_READER, other, START + 199, &err));
}

/* --- epochs ------------------------------------------------------------- */

/* The next epoch of a dataset, seen by alice. */
static void
new_epoch(struct world *w, const struct dataset *ds)
{
	AUTO(keyset) struct keyset *next = NULL;

	assert_ok(keyset_next(world_keys(ds), &next, &err));
	(void)world_key_set(w, next, access_identity(w->alice));
	world_refresh(w);
	assert_int_equal(world_keys(ds)->epoch, 2);
}

static void
access_grant__gives_a_writer_all_epochs_that_there_are(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(access) struct access *a = NULL;
	AUTO(access) struct access *later = NULL;
	const struct dataset *ds = world_granted(w, "a", host, ROLE_WRITER);
	AUTO(identity) struct identity *newer = world_host("db2");

	new_epoch(w, ds);
	a = world_entered(w, host);
	assert_int_equal(world_keys(access_find(a, "a"))->epoch, 1);
	assert_null(keyring_epoch(access_find(a, "a")->keys, 2));

	assert_ok(access_grant(
	    w->alice, &newer->pub, ROLE_WRITER, ds, START + 100, &err));
	later = world_entered(w, newer);
	assert_int_equal(world_keys(access_find(later, "a"))->epoch, 2);
	for (uint32_t e = 1; e <= 2; e++)
		assert_false(keyring_epoch(access_find(later, "a")->keys, e)
				 ->has_private);
}

static void
access_grant__gives_a_reader_all_epochs(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *old = world_host("old");
	AUTO(identity) struct identity *new = world_host("new");
	const struct dataset *ds = world_granted(w, "a", old, ROLE_READER);
	const struct keyring *keys;
	AUTO(access) struct access *a = NULL;
	AUTO(access) struct access *b = NULL;

	new_epoch(w, ds);
	assert_ok(access_grant(
	    w->alice, &new->pub, ROLE_READER, ds, START + 100, &err));
	a = world_entered(w, old);
	keys = access_find(a, "a")->keys;
	assert_true(keyring_epoch(keys, 1)->has_private);
	assert_null(keyring_epoch(keys, 2));
	b = world_entered(w, new);
	keys = access_find(b, "a")->keys;
	assert_true(keyring_epoch(keys, 1)->has_private);
	assert_true(keyring_epoch(keys, 2)->has_private);
}

static void
access_refresh__tells_of_a_second_key_set_for_an_epoch(void **state)
{
	struct world *w = *state;
	const struct dataset *ds = world_dataset(w, "a");
	AUTO(keyset) struct keyset *twin = NULL;
	struct object_ref ref;

	assert_ok(keyset_next(world_keys(ds), &twin, &err));
	twin->epoch = 1;
	ref = world_key_set(w, twin, access_identity(w->alice));
	world_refresh(w);
	assert_int_equal(damage_code(w->alice, &ref), ERR_CORRUPT);
	assert_int_equal(damage_count(w->alice), 1);
	assert_memory_not_equal(
	    &world_keys(ds)->seal_pub, &twin->seal_pub, KEY_LEN);
}

/* --- time --------------------------------------------------------------- */

static void
access_open__refuses_what_has_ended_or_not_begun(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	struct access *a;

	(void)world_granted(w, "a", host, ROLE_READER);
	w->now = START - 1;
	assert_fails(
	    ERR_DENIED, "valid at this time", world_enter(w, host, &a, &err));
	w->now = START;
	assert_ok(world_enter(w, host, &a, &err));
	access_close(a);
	w->now = START + 99;
	assert_ok(world_enter(w, host, &a, &err));
	access_close(a);
	w->now = START + 100;
	assert_fails(
	    ERR_DENIED, "valid at this time", world_enter(w, host, &a, &err));
}

static void
access_refresh__ends_what_has_ended(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds;
	bool changed;

	(void)world_granted(w, "a", host, ROLE_READER);
	a = world_entered(w, host);
	ds = access_find(a, "a");
	assert_ok(access_refresh(a, &changed, &err));
	assert_false(changed);
	w->now = START + 100;
	assert_ok(access_refresh(a, &changed, &err));
	assert_true(changed);
	assert_int_equal(access_datasets(a), 0);
	assert_null(access_find(a, "a"));
	assert_false(ds->may_read);
	w->now = START;
	assert_ok(access_refresh(a, &changed, &err));
	assert_true(changed);
	assert_ptr_equal(access_find(a, "a"), ds);
	assert_true(ds->may_read);
}

static void
access_refresh__takes_the_master_key_from_one_who_was_admin(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds = world_dataset(w, "a");
	bool changed;

	world_make_admin(w, host, START + 100);
	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_WRITER, ds, START + 200, &err));
	a = world_entered(w, host);
	assert_true(access_find(a, "a")->may_read);
	w->now = START + 100;
	assert_ok(access_refresh(a, &changed, &err));
	assert_true(changed);
	assert_false(access_is_admin(a));
	assert_false(access_find(a, "a")->may_read);
	assert_true(access_find(a, "a")->may_write);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(access_grant__lets_a_reader_read),
	    world_test(access_grant__gives_a_writer_no_private_half),
	    world_test(access_grant__lets_one_who_reads_and_writes_do_both),
	    world_test(access_grant__makes_an_admin_of_all_datasets),
	    world_test(access_grant__gives_a_replica_nothing),
	    world_test(access_grant__is_for_admins_alone),
	    world_test(access_grant__refuses_what_makes_no_sense),
	    world_test(access_grant__refuses_to_seem_shorter),
	    world_test(access_grant__gives_a_writer_all_epochs_that_there_are),
	    world_test(access_grant__gives_a_reader_all_epochs),
	    world_test(access_refresh__tells_of_a_second_key_set_for_an_epoch),
	    world_test(access_open__refuses_what_has_ended_or_not_begun),
	    world_test(access_refresh__ends_what_has_ended),
	    world_test(
		access_refresh__takes_the_master_key_from_one_who_was_admin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
