/* Making a store, and opening it: by which credential, as which person. */
#include "tests/unit/access_fixture.h"

/* --- making and opening a store ----------------------------------------- */

static void
access_init__opens_as_the_first_admin(void **state)
{
	struct world *w = *state;
	const struct root *root = access_root(w->alice);

	assert_true(access_is_admin(w->alice));
	assert_string_equal(access_identity(w->alice)->pub.name, "alice");
	assert_int_equal(access_identity(w->alice)->pub.kind, IDENTITY_PERSON);
	assert_int_equal(access_datasets(w->alice), 0);
	assert_null(access_find(w->alice, "a"));
	assert_int_equal(damage_count(w->alice), 0);
	assert_string_equal(root->admin.name, "alice");
	assert_int_equal(root->created, START);
	assert_string_equal(store_address(access_store(w->alice)), w->path);
}

static void
access_init__refuses_what_is_there(void **state)
{
	struct world *w = *state;
	struct access *a = w->alice;
	struct recovery *r = w->recovery;

	assert_fails(ERR_USAGE, "already",
	    access_init(w->path, "bob", "secret", &a, &r, &err));
	assert_null(a);
	assert_null(r);
}

static void
access_init__refuses_an_empty_passphrase(void **state)
{
	struct world *w = *state;
	char path[SCRATCH_PATH + 32];
	struct access *a;
	struct recovery *r;

	(void)snprintf(path, sizeof(path), "%s/other", w->dir);
	assert_fails(ERR_USAGE, "passphrase",
	    access_init(path, "bob", "", &a, &r, &err));
	assert_fails(ERR_USAGE, "passphrase",
	    access_init(path, "bob", NULL, &a, &r, &err));
	assert_false(scratch_exists(path));
}

static void
access_open__takes_the_passphrase(void **state)
{
	struct world *w = *state;
	struct credential cred = by_pass(NULL, ALICE_PASS);
	AUTO(access) struct access *a = NULL;

	(void)world_dataset(w, "a");
	assert_ok(access_open(w->path, &cred, &a, &err));
	assert_true(access_is_admin(a));
	assert_memory_equal(access_identity(a)->pub.id,
	    access_identity(w->alice)->pub.id, IDENTITY_ID_LEN);
	assert_int_equal(access_datasets(a), 1);
	assert_true(access_dataset(a, 0)->may_read);
	assert_true(access_dataset(a, 0)->may_write);
}

static void
access_open__refuses_a_wrong_passphrase(void **state)
{
	struct world *w = *state;
	struct credential cred = by_pass(NULL, ALICE_PASS " ");
	struct access *a = w->alice;

	assert_fails(ERR_AUTH, "cannot unlock 'alice'",
	    access_open(w->path, &cred, &a, &err));
	assert_null(a);
}

static int
no_pass(UNUSED void *arg, const char *name, char **pass, struct err *err)
{
	assert_string_equal(name, "alice");
	*pass = NULL;
	return err_set(err, ERR_CANCELLED, "nothing typed");
}

static void
access_open__passes_on_what_the_prompt_says(void **state)
{
	struct world *w = *state;
	struct credential cred = {.passphrase = no_pass};
	struct access *a;

	assert_fails(ERR_CANCELLED, "nothing typed",
	    access_open(w->path, &cred, &a, &err));
}

static void
access_open__needs_one_credential(void **state)
{
	struct world *w = *state;
	struct credential none = {0};
	struct credential both = {.keyfile = "k", .recovery = w->recovery};
	struct access *a;

	assert_fails(
	    ERR_USAGE, "needed", access_open(w->path, &none, &a, &err));
	assert_fails(ERR_USAGE, "both", access_open(w->path, &both, &a, &err));
}

static void
access_open__says_when_there_is_no_store(void **state)
{
	struct world *w = *state;
	struct credential cred = by_pass(NULL, ALICE_PASS);
	char path[SCRATCH_PATH + 32];
	struct access *a;

	(void)snprintf(path, sizeof(path), "%s/missing", w->dir);
	assert_fails(ERR_NOT_FOUND, path, access_open(path, &cred, &a, &err));
}

static void
access_open__takes_the_recovery_key(void **state)
{
	struct world *w = *state;
	struct credential cred = {.recovery = w->recovery};
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds;

	(void)world_dataset(w, "a");
	assert_ok(access_open(w->path, &cred, &a, &err));
	assert_null(access_identity(a));
	assert_true(access_is_admin(a));
	assert_int_equal(access_datasets(a), 1);
	assert_true(access_dataset(a, 0)->may_read);
	assert_false(access_dataset(a, 0)->may_write);

	/* What it signs by the master key counts for everybody. */
	assert_ok(access_create_dataset(a, "b", &ds, &err));
	assert_false(ds->may_write);
	assert_ok(access_refresh(w->alice, &(bool){false}, &err));
	assert_non_null(access_find(w->alice, "b"));
	assert_true(access_find(w->alice, "b")->may_write);
	assert_int_equal(damage_count(w->alice), 0);
}

static void
access_open__by_recovery_key_makes_a_new_admin(void **state)
{
	struct world *w = *state;
	struct credential cred = {.recovery = w->recovery};
	AUTO(identity) struct identity *host = world_host("rescue");
	AUTO(access) struct access *a = NULL;
	AUTO(access) struct access *rescued = NULL;

	assert_ok(access_open(w->path, &cred, &a, &err));
	a->clock = w->clock;
	assert_ok(
	    access_grant(a, &host->pub, ROLE_ADMIN, NULL, START + 10, &err));
	rescued = world_entered(w, host);
	assert_true(access_is_admin(rescued));
}

static void
access_open__refuses_another_recovery_key(void **state)
{
	struct world *w = *state;
	AUTO(recovery) struct recovery *other = NULL;
	struct credential cred;
	struct access *a;

	assert_ok(recovery_new(&other, &err));
	cred = (struct credential){.recovery = other};
	assert_fails(
	    ERR_AUTH, "does not open", access_open(w->path, &cred, &a, &err));
}

static void
access_open_keyless__opens_no_dataset(void **state)
{
	struct world *w = *state;
	const struct dataset *ds = world_dataset(w, "a");
	const struct identity_public *alice = &access_identity(w->alice)->pub;
	AUTO(access) struct access *a = NULL;
	struct ed25519_public key;

	assert_ok(access_open_keyless(w->path, &a, &err));
	assert_int_equal(access_datasets(a), 0);
	assert_null(access_identity(a));
	assert_false(access_is_admin(a));
	assert_ok(access_signer(a, alice->id, ds->id, START, &key, &err));
	assert_memory_equal(&key, &alice->sign, sizeof(key));
}

/* --- which person ------------------------------------------------------- */

static struct identity *
add_person(struct world *w, const char *name, const char *pass)
{
	struct identity *id;

	assert_ok(identity_new(IDENTITY_PERSON, name, &id, &err));
	assert_ok(access_add_person(w->alice, id, pass, &err));
	return id;
}

static void
access_open__asks_which_person(void **state)
{
	struct world *w = *state;
	AUTO(identity) UNUSED struct identity *bob = add_person(w, "bob", "b");
	struct credential cred = by_pass(NULL, ALICE_PASS);
	struct access *a;

	assert_fails(
	    ERR_USAGE, "'alice'", access_open(w->path, &cred, &a, &err));
	assert_fails(ERR_USAGE, "'bob'", access_open(w->path, &cred, &a, &err));
}

static void
access_open__finds_a_person_by_name_or_id(void **state)
{
	struct world *w = *state;
	AUTO(identity) UNUSED struct identity *bob = add_person(w, "bob", "b");
	struct credential cred = by_pass("alice", ALICE_PASS);
	char id[ID_TEXT];
	struct access *a;

	assert_ok(access_open(w->path, &cred, &a, &err));
	assert_string_equal(access_identity(a)->pub.name, "alice");
	access_close(a);

	access_id_text(access_identity(w->alice)->pub.id, id);
	id[10] = '\0';
	cred = by_pass(id, ALICE_PASS);
	assert_ok(access_open(w->path, &cred, &a, &err));
	assert_string_equal(access_identity(a)->pub.name, "alice");
	access_close(a);

	id[3] = '\0';
	assert_fails(
	    ERR_NOT_FOUND, "no person", access_open(w->path, &cred, &a, &err));
	cred = by_pass("carol", ALICE_PASS);
	assert_fails(ERR_NOT_FOUND, "no person 'carol'",
	    access_open(w->path, &cred, &a, &err));
	(void)world_put(w, "x", 1);
	/* A check by a key needs what can't be opened here, too. */
	assert_fails(ERR_NOT_FOUND,
	    "1 key object can't be used (see 'varve check --no-keys')",
	    access_open(w->path, &cred, &a, &err));
}

static void
access_open__never_guesses_between_namesakes(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *fake = NULL;
	WR_AUTO struct wr buf = {0};
	struct credential cred = by_pass("alice", ALICE_PASS);
	char id[ID_TEXT];
	struct access *a;

	assert_ok(identity_new(IDENTITY_PERSON, "alice", &fake, &err));
	assert_fails(
	    ERR_USAGE, "already", access_add_person(w->alice, fake, "x", &err));
	assert_ok(identity_encode(fake, "x", &buf, &err));
	(void)world_put(w, buf.buf, buf.len);

	assert_fails(ERR_USAGE, "digits of the id",
	    access_open(w->path, &cred, &a, &err));
	access_id_text(access_identity(w->alice)->pub.id, id);
	cred.person = id;
	assert_ok(access_open(w->path, &cred, &a, &err));
	access_close(a);
}

static void
access_open__tries_each_passphrase_of_a_person(void **state)
{
	struct world *w = *state;
	struct credential first = by_pass(NULL, ALICE_PASS);
	struct credential second = by_pass(NULL, "battery staple");
	struct credential third = by_pass(NULL, "neither");
	struct access *a;

	assert_ok(access_add_person(
	    w->alice, access_identity(w->alice), "battery staple", &err));
	assert_ok(access_open(w->path, &first, &a, &err));
	access_close(a);
	assert_ok(access_open(w->path, &second, &a, &err));
	access_close(a);
	assert_fails(ERR_AUTH, "alice", access_open(w->path, &third, &a, &err));
}

static void
access_open__refuses_whom_nothing_was_granted(void **state)
{
	struct world *w = *state;
	AUTO(identity) UNUSED struct identity *bob = add_person(w, "bob", "b");
	struct credential cred = by_pass("bob", "b");
	struct access *a = w->alice;

	assert_fails(
	    ERR_DENIED, "never granted", access_open(w->path, &cred, &a, &err));
	assert_null(a);
}

static void
access_add_person__takes_no_host_and_no_empty_passphrase(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(identity) struct identity *bob = NULL;

	assert_ok(identity_new(IDENTITY_PERSON, "bob", &bob, &err));
	assert_fails(
	    ERR_USAGE, "host", access_add_person(w->alice, host, "x", &err));
	assert_fails(ERR_USAGE, "passphrase",
	    access_add_person(w->alice, bob, "", &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(access_init__opens_as_the_first_admin),
	    world_test(access_init__refuses_what_is_there),
	    world_test(access_init__refuses_an_empty_passphrase),
	    world_test(access_open__takes_the_passphrase),
	    world_test(access_open__refuses_a_wrong_passphrase),
	    world_test(access_open__passes_on_what_the_prompt_says),
	    world_test(access_open__needs_one_credential),
	    world_test(access_open__says_when_there_is_no_store),
	    world_test(access_open__takes_the_recovery_key),
	    world_test(access_open__by_recovery_key_makes_a_new_admin),
	    world_test(access_open__refuses_another_recovery_key),
	    world_test(access_open_keyless__opens_no_dataset),
	    world_test(access_open__asks_which_person),
	    world_test(access_open__finds_a_person_by_name_or_id),
	    world_test(access_open__never_guesses_between_namesakes),
	    world_test(access_open__tries_each_passphrase_of_a_person),
	    world_test(access_open__refuses_whom_nothing_was_granted),
	    world_test(
		access_add_person__takes_no_host_and_no_empty_passphrase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
