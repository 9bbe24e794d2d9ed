#include "crypto/object.h"
#include "snapshot/store/store_ops.h"
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
	assert_fails(ERR_NOT_FOUND, "1 key object can't be used",
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

/* --- key files ---------------------------------------------------------- */

static void
make_keyfile(struct world *w, const char *name, char path[SCRATCH_PATH + 32])
{
	AUTO(identity) struct identity *host = world_host(name);

	(void)snprintf(path, SCRATCH_PATH + 32, "%s/%s.key", w->dir, name);
	assert_ok(access_write_keyfile(host, path, &err));
	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_ADMIN, NULL, INT64_MAX, &err));
}

static void
access_write_keyfile__is_the_owners_alone(void **state)
{
	struct world *w = *state;
	char path[SCRATCH_PATH + 32];
	struct stat st;
	mode_t old = umask(0);

	make_keyfile(w, "db1", path);
	(void)umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void
access_write_keyfile__replaces_nothing(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db2");
	char path[SCRATCH_PATH + 32];

	make_keyfile(w, "db1", path);
	assert_fails(
	    ERR_USAGE, "exists", access_write_keyfile(host, path, &err));
	assert_fails(ERR_NOT_FOUND, "/nowhere/",
	    access_write_keyfile(host, "/nowhere/at/all", &err));
	assert_fails(ERR_USAGE, "person",
	    access_write_keyfile(access_identity(w->alice), "k", &err));
}

static void
access_open__takes_a_key_file(void **state)
{
	struct world *w = *state;
	char path[SCRATCH_PATH + 32];
	struct credential cred = {.keyfile = path};
	struct access *a;

	make_keyfile(w, "db1", path);
	assert_ok(access_open_clock(w->path, &cred, &w->clock, &a, &err));
	assert_string_equal(access_identity(a)->pub.name, "db1");
	assert_int_equal(access_identity(a)->pub.kind, IDENTITY_HOST);
	access_close(a);
}

static void
access_open__refuses_a_key_file_that_others_can_read(void **state)
{
	struct world *w = *state;
	static const mode_t modes[] = {0644, 0640, 0604, 0620, 0601};
	char path[SCRATCH_PATH + 32];
	struct credential cred = {.keyfile = path};
	struct access *a;

	make_keyfile(w, "db1", path);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_fails(ERR_DENIED, "chmod 600",
		    access_open(w->path, &cred, &a, &err));
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_ok(access_open_clock(w->path, &cred, &w->clock, &a, &err));
	access_close(a);
}

static void
access_open__refuses_what_is_no_key_file(void **state)
{
	struct world *w = *state;
	char path[SCRATCH_PATH + 32];
	struct credential cred = {.keyfile = path};
	static const uint8_t zeros[IDENTITY_OBJECT_MAX + 1];
	struct access *a;

	(void)snprintf(path, sizeof(path), "%s/k", w->dir);
	assert_fails(
	    ERR_NOT_FOUND, path, access_open(w->path, &cred, &a, &err));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_fails(
	    ERR_CORRUPT, "not a file", access_open(w->path, &cred, &a, &err));
	scratch_write(path, zeros, sizeof(zeros));
	assert_int_equal(chmod(path, 0600), 0);
	assert_fails(
	    ERR_CORRUPT, "too long", access_open(w->path, &cred, &a, &err));
	scratch_write(path, zeros, sizeof(zeros) - 1);
	assert_int_equal(chmod(path, 0600), 0);
	assert_fails(ERR_CORRUPT, path, access_open(w->path, &cred, &a, &err));
}

/* --- damage keeps nobody out -------------------------------------------- */

static void
access_open__passes_over_damaged_objects(void **state)
{
	struct world *w = *state;
	struct credential cred = by_pass(NULL, ALICE_PASS);
	static const char newer[] = "VRVg\x02\0\0\0 of tomorrow";
	static const char kind[] = "VRVz\x01\0\0\0 a kind to come";
	static const char upper[] = "VRVZ\x01\0\0\0 no kind";
	static const char pack[] = "VRVp\x01\0\0\0 in the wrong place";
	static const char reserved[] = "VRVz\x01\0\x01\0";
	static const char version[] = "VRVz\0\0\0\0";
	struct object_ref r[] = {
	    world_put(w, "", 0),
	    world_put(w, "VRV", 3),
	    world_put(w, newer, sizeof(newer)),
	    world_put(w, upper, sizeof(upper)),
	    world_put(w, pack, sizeof(pack)),
	    world_put(w, reserved, 8),
	    world_put(w, version, 8),
	};
	struct object_ref unknown = world_put(w, kind, sizeof(kind));
	AUTO(access) struct access *a = NULL;

	(void)world_dataset(w, "a");
	assert_ok(access_open(w->path, &cred, &a, &err));
	assert_int_equal(access_datasets(a), 1);
	assert_int_equal(damage_count(a), ARRAY_LEN(r));
	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		assert_int_equal(
		    damage_code(a, &r[i]), i == 2 ? ERR_VERSION : ERR_CORRUPT);
	assert_int_equal(damage_code(a, &unknown), 0);
}

static void
access_open__passes_over_objects_that_are_not_their_name(void **state)
{
	struct world *w = *state;
	struct object_ref ref = world_put(w, "VRVg", 4);
	char text[OBJECT_REF_TEXT], path[2 * SCRATCH_PATH];
	AUTO(access) struct access *a = NULL;

	object_ref_text(&ref, text);
	(void)snprintf(path, sizeof(path), "%s/%s", w->path, text);
	scratch_write(path, "VRVz", 4);
	assert_ok(access_open_keyless(w->path, &a, &err));
	assert_int_equal(damage_code(a, &ref), ERR_CORRUPT);
	assert_int_equal(damage_count(a), 1);
}

/* A store of which no object can be read. */
static int
get_io(UNUSED struct store *s, UNUSED const struct object_ref *ref,
    UNUSED size_t max, UNUSED uint8_t **buf, UNUSED size_t *len,
    struct err *err)
{
	return err_set(err, ERR_IO, "bad sector");
}

static int
get_nomem(UNUSED struct store *s, UNUSED const struct object_ref *ref,
    UNUSED size_t max, UNUSED uint8_t **buf, UNUSED size_t *len,
    struct err *err)
{
	return err_nomem(err);
}

static int
get_gone(UNUSED struct store *s, UNUSED const struct object_ref *ref,
    UNUSED size_t max, UNUSED uint8_t **buf, UNUSED size_t *len,
    struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "gone");
}

/* Another dataset comes while ${get} takes the place of reading. */
static const struct store_ops *
break_store(struct world *w, struct store_ops *broken,
    int (*get)(struct store *, const struct object_ref *, size_t, uint8_t **,
	size_t *, struct err *))
{
	struct store *store = access_store(w->alice);
	const struct store_ops *whole = store->ops;
	AUTO(keyset) struct keyset *ks = NULL;

	assert_ok(keyset_new("late", &ks, &err));
	(void)world_key_set(w, ks, access_identity(w->alice));
	*broken = *whole;
	broken->get = get;
	store->ops = broken;
	return whole;
}

static void
access_refresh__tries_again_what_could_not_be_read(void **state)
{
	struct world *w = *state;
	struct store_ops broken;
	const struct store_ops *whole = break_store(w, &broken, get_io);
	bool changed;

	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_int_equal(damage_count(w->alice), 1);
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_false(changed);
	assert_int_equal(damage_count(w->alice), 1);
	access_store(w->alice)->ops = whole;
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_true(changed);
	assert_int_equal(damage_count(w->alice), 0);
	assert_non_null(access_find(w->alice, "late"));
}

static void
access_refresh__leaves_all_as_it_was_without_memory(void **state)
{
	struct world *w = *state;
	const struct dataset *ds;
	struct store_ops broken;
	const struct store_ops *whole;
	bool changed;

	assert_ok(access_create_dataset(w->alice, "a", &ds, &err));
	whole = break_store(w, &broken, get_nomem);
	assert_fails(
	    ERR_NOMEM, "memory", access_refresh(w->alice, &changed, &err));
	assert_false(changed);
	assert_int_equal(access_datasets(w->alice), 1);
	assert_ptr_equal(access_find(w->alice, "a"), ds);
	access_store(w->alice)->ops = whole;
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_true(changed);
	assert_int_equal(access_datasets(w->alice), 2);
}

static void
access_refresh__takes_no_notice_of_what_went_meanwhile(void **state)
{
	struct world *w = *state;
	struct store_ops broken;
	const struct store_ops *whole = break_store(w, &broken, get_gone);
	bool changed;

	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_false(changed);
	assert_int_equal(damage_count(w->alice), 0);
	access_store(w->alice)->ops = whole;
}

static void
access_visit_damage__tells_of_a_hosts_key_in_the_store(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db1");
	WR_AUTO struct wr buf = {.secret = true};
	struct object_ref ref;
	bool changed;

	assert_ok(identity_encode(host, NULL, &buf, &err));
	ref = world_put(w, buf.buf, buf.len);
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_int_equal(damage_code(w->alice, &ref), ERR_CORRUPT);
}

static int
stop(UNUSED void *arg, UNUSED const struct object_ref *ref,
    UNUSED const struct err *why, struct err *err)
{
	return err_set(err, ERR_CANCELLED, "enough");
}

/* --- the recovery object ------------------------------------------------ */

static const struct key_object *
object_of(const struct access *a, enum key_kind kind)
{
	for (size_t i = 0; i < a->nkeys; i++) {
		if (a->keys[i]->kind == kind)
			return a->keys[i];
	}
	fail();
	return NULL;
}

static void
access_visit_damage__tells_of_a_missing_recovery_object(void **state)
{
	struct world *w = *state;
	struct object_ref ref = {.cls = OBJECT_KEY};
	const struct object_ref none = {.cls = OBJECT_KEY};
	bool changed;

	assert_int_equal(damage_count(w->alice), 0);
	memcpy(
	    ref.name, object_of(w->alice, KEY_RECOVERY)->name, OBJECT_NAME_LEN);
	assert_ok(store_remove(w->alice->store, &ref, &err));
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_int_equal(damage_count(w->alice), 1);
	assert_int_equal(damage_code(w->alice, &none), ERR_NOT_FOUND);
}

static void
access_visit_damage__tells_of_wrong_recovery_objects(void **state)
{
	struct world *w = *state;
	const struct key_object *o = object_of(w->alice, KEY_RECOVERY);
	struct object_ref own = {.cls = OBJECT_KEY};
	struct object_ref cut, other, second;
	uint8_t copy[136];
	bool changed;

	assert_int_equal(o->len, sizeof(copy));
	memcpy(own.name, o->name, OBJECT_NAME_LEN);
	memcpy(copy, o->buf, sizeof(copy));
	cut = world_put(w, copy, sizeof(copy) - 1);
	copy[8] ^= 1;
	other = world_put(w, copy, sizeof(copy));
	copy[8] ^= 1;
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_int_equal(damage_count(w->alice), 2);
	assert_int_equal(damage_code(w->alice, &cut), ERR_CORRUPT);
	assert_int_equal(damage_code(w->alice, &other), ERR_AUTH);

	copy[sizeof(copy) - 1] ^= 1;
	second = world_put(w, copy, sizeof(copy));
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_int_equal(damage_count(w->alice), 4);
	assert_int_equal(damage_code(w->alice, &own), ERR_CORRUPT);
	assert_int_equal(damage_code(w->alice, &second), ERR_CORRUPT);
}

/* --- copies of a person ------------------------------------------------- */

/* Where log2 of scrypt's N stands in alice's object. */
#define LOGN_AT (8 + 1 + 1 + 5 + 64)

/* With other salts, signed by ${signer}. */
static void
put_copies(
    struct world *w, const struct identity *signer, uint8_t logn, uint8_t n)
{
	const struct key_object *o = object_of(w->alice, KEY_PERSON);

	assert_int_equal(o->buf[LOGN_AT], IDENTITY_LOGN);
	for (uint8_t i = 0; i < n; i++) {
		WR_AUTO struct wr copy = {0};

		wr_bytes(&copy, o->buf, o->len - SIGNATURE_LEN);
		copy.buf[LOGN_AT] = logn;
		copy.buf[LOGN_AT + 3] = i;
		assert_ok(object_sign(
		    &copy, "varve/1/sign/identity", &signer->sign, &err));
		(void)world_put(w, copy.buf, copy.len);
	}
}

/* Enough of them would use up all that is tried. */
static void
access_open__copies_of_a_person_by_others_are_none(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *eve = NULL;
	struct credential cred = by_pass(NULL, ALICE_PASS);
	AUTO(access) struct access *a = NULL;

	assert_ok(identity_new(IDENTITY_PERSON, "eve", &eve, &err));
	put_copies(w, eve, 10, 40);
	put_copies(w, eve, IDENTITY_LOGN, 40);
	assert_ok(access_open(w->path, &cred, &a, &err));
	assert_int_equal(damage_count(a), 80);
}

static void
access_open__dear_copies_of_a_person_cost_nothing(void **state)
{
	struct world *w = *state;
	const struct identity *alice = access_identity(w->alice);
	struct credential cred = by_pass(NULL, ALICE_PASS);
	struct credential wrong = by_pass(NULL, "wrong");
	AUTO(access) struct access *a = NULL;

	put_copies(w, alice, 10, 8);
	put_copies(w, alice, 20, 3);
	assert_ok(access_open(w->path, &cred, &a, &err));
	access_close(STEAL(a));
	assert_fails(ERR_AUTH, "3 of 12 copies are too dear to try",
	    access_open(w->path, &wrong, &a, &err));
}

static void
access_visit_damage__ends_with_the_visitor(void **state)
{
	struct world *w = *state;

	(void)world_put(w, "x", 1);
	assert_ok(access_refresh(w->alice, &(bool){false}, &err));
	assert_fails(ERR_CANCELLED, "enough",
	    access_visit_damage(w->alice, stop, NULL, &err));
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
	    world_test(access_write_keyfile__is_the_owners_alone),
	    world_test(access_write_keyfile__replaces_nothing),
	    world_test(access_open__takes_a_key_file),
	    world_test(access_open__refuses_a_key_file_that_others_can_read),
	    world_test(access_open__refuses_what_is_no_key_file),
	    world_test(access_open__passes_over_damaged_objects),
	    world_test(
		access_open__passes_over_objects_that_are_not_their_name),
	    world_test(access_refresh__tries_again_what_could_not_be_read),
	    world_test(access_refresh__leaves_all_as_it_was_without_memory),
	    world_test(access_refresh__takes_no_notice_of_what_went_meanwhile),
	    world_test(access_visit_damage__tells_of_a_hosts_key_in_the_store),
	    world_test(access_visit_damage__tells_of_a_missing_recovery_object),
	    world_test(access_visit_damage__tells_of_wrong_recovery_objects),
	    world_test(access_open__copies_of_a_person_by_others_are_none),
	    world_test(access_open__dear_copies_of_a_person_cost_nothing),
	    world_test(access_visit_damage__ends_with_the_visitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
