/*
 * Who only says that they may. Hosts stand in for persons: opening by a key file
 * needs no scrypt.
 */
#include "crypto/object.h"
#include "tests/unit/access_fixture.h"

/* --- forgeries ---------------------------------------------------------- */

static void
access_open__ignores_a_grant_by_one_who_is_no_admin(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("mallory");
	AUTO(identity) struct identity *friend = world_host("friend");
	const struct dataset *ds = world_granted(w, "a", host, ROLE_READER);
	struct object_ref ref = world_grant(w, &(struct forgery){
						   .role = ROLE_READER,
						   .subject = friend,
						   .issuer = host,
						   .keys = world_keys(ds),
						   .from = START,
						   .until = INT64_MAX,
					       });
	struct access *a;

	assert_fails(
	    ERR_DENIED, "never granted", world_enter(w, friend, &a, &err));
	world_refresh(w);
	assert_int_equal(damage_code(w->alice, &ref), ERR_AUTH);
	assert_int_equal(damage_count(w->alice), 1);
}

static void
access_open__ignores_a_reader_who_makes_himself_admin(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("mallory");
	AUTO(access) struct access *a = NULL;
	struct object_ref ref;

	(void)world_granted(w, "a", host, ROLE_READER);
	(void)world_dataset(w, "b");
	ref = world_grant(w, &(struct forgery){
				 .role = ROLE_ADMIN,
				 .subject = host,
				 .issuer = host,
				 .from = START,
				 .until = INT64_MAX,
			     });
	a = world_entered(w, host);
	assert_false(access_is_admin(a));
	assert_int_equal(access_datasets(a), 1);
	assert_int_equal(damage_code(a, &ref), ERR_AUTH);
}

static void
access_open__ignores_admins_who_vouch_for_each_other(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *x = world_host("x");
	AUTO(identity) struct identity *y = world_host("y");
	struct forgery f = {
	    .role = ROLE_ADMIN,
	    .subject = x,
	    .issuer = y,
	    .from = START,
	    .until = INT64_MAX,
	};
	struct access *a;

	(void)world_grant(w, &f);
	f.subject = y;
	f.issuer = x;
	(void)world_grant(w, &f);
	assert_fails(ERR_DENIED, "never", world_enter(w, x, &a, &err));
	assert_fails(ERR_DENIED, "never", world_enter(w, y, &a, &err));
	world_refresh(w);
	assert_int_equal(damage_count(w->alice), 2);
}

/* That a grant lets nobody in, and is named as forged. */
static void
assert_ignored(struct world *w, const struct forgery *f)
{
	struct object_ref ref = world_grant(w, f);
	struct access *a;

	assert_fails(ERR_DENIED, "never", world_enter(w, f->subject, &a, &err));
	world_refresh(w);
	assert_int_equal(damage_code(w->alice, &ref), ERR_AUTH);
}

/* The signature of one person under the id of another. */
static void
access_open__ignores_a_borrowed_issuer(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("mallory");
	AUTO(identity) struct identity *as = world_host("mallory");

	memcpy(as->pub.id, access_identity(w->alice)->pub.id, IDENTITY_ID_LEN);
	assert_ignored(w, &(struct forgery){
			      .role = ROLE_ADMIN,
			      .subject = host,
			      .issuer = as,
			      .from = START,
			      .until = INT64_MAX,
			  });
}

static void
access_open__ignores_another_master_keys_signature(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("mallory");
	AUTO(master) struct master *other = NULL;

	assert_ok(master_new(&other, &err));
	assert_ignored(w, &(struct forgery){
			      .role = ROLE_ADMIN,
			      .subject = host,
			      .master = other,
			      .from = START,
			      .until = INT64_MAX,
			  });
}

static void
access_open__ignores_what_an_admin_issued_out_of_his_time(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *bob = world_host("bob");
	AUTO(identity) struct identity *carol = world_host("carol");
	struct forgery f = {
	    .role = ROLE_ADMIN,
	    .subject = carol,
	    .issuer = bob,
	    .until = INT64_MAX,
	};
	struct access *a;

	world_make_admin(w, bob, START + 100);
	w->now = START + 300;
	f.from = START - 1;
	(void)world_grant(w, &f);
	f.from = START + 100;
	(void)world_grant(w, &f);
	assert_fails(ERR_DENIED, "never", world_enter(w, carol, &a, &err));
	world_refresh(w);
	assert_int_equal(damage_count(w->alice), 2);

	/* What he issued in his time outlasts it. */
	f.from = START + 99;
	(void)world_grant(w, &f);
	assert_ok(world_enter(w, carol, &a, &err));
	assert_true(access_is_admin(a));
	access_close(a);
}

/* Whatever the order in which the objects are found. */
static void
access_open__follows_a_long_chain_of_admins(void **state)
{
	struct world *w = *state;
	struct identity *chain[8];
	AUTO(access) struct access *a = NULL;

	for (size_t i = 0; i < ARRAY_LEN(chain); i++) {
		chain[i] = world_host("link");
		(void)world_grant(
		    w, &(struct forgery){
			   .role = ROLE_ADMIN,
			   .subject = chain[i],
			   .issuer =
			       i > 0 ? chain[i - 1] : access_identity(w->alice),
			   .from = START,
			   .until = INT64_MAX,
		       });
	}
	a = world_entered(w, chain[ARRAY_LEN(chain) - 1]);
	assert_true(access_is_admin(a));
	assert_int_equal(damage_count(a), 0);
	for (size_t i = 0; i < ARRAY_LEN(chain); i++)
		identity_free(chain[i]);
}

static void
access_open__ignores_a_grant_of_another_store(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	static const uint8_t other[STORE_ID_LEN] = {1};

	assert_ignored(w, &(struct forgery){
			      .role = ROLE_ADMIN,
			      .subject = host,
			      .issuer = access_identity(w->alice),
			      .store = other,
			      .from = START,
			      .until = INT64_MAX,
			  });
}

/* Every byte of a grant matters: none can be changed without being noticed. */
static void
access_open__ignores_a_tampered_grant(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	const struct dataset *ds = world_dataset(w, "a");
	struct object_ref ref =
	    world_grant(w, &(struct forgery){
			       .role = ROLE_READER,
			       .subject = host,
			       .issuer = access_identity(w->alice),
			       .keys = world_keys(ds),
			       .from = START,
			       .until = START + 100,
			   });
	uint8_t *buf;
	size_t len;
	struct access *a;

	assert_ok(store_get(
	    access_store(w->alice), &ref, GRANT_OBJECT_MAX, &buf, &len, &err));
	assert_ok(store_remove(access_store(w->alice), &ref, &err));
	for (size_t i = 0; i < len; i++) {
		buf[i] ^= 1;
		(void)world_put(w, buf, len);
		buf[i] ^= 1;
	}
	assert_fails(ERR_DENIED, "never", world_enter(w, host, &a, &err));
	world_refresh(w);
	/* All but one, whose letter says that it is of a kind to come. */
	assert_int_equal(damage_count(w->alice), len - 1);
	(void)world_put(w, buf, len);
	assert_ok(world_enter(w, host, &a, &err));
	assert_int_equal(access_datasets(a), 1);
	access_close(a);
	free(buf);
}

/*
 * A grant as ${role} that alice signed, with keys in it that grant_make()
 * refuses to put there; and with ${dataset} in the clear.
 */
static struct object_ref
craft_grant(struct world *w, const struct identity *host, enum role role,
    const uint8_t dataset[DATASET_ID_LEN], const struct keyset *ks,
    bool with_private)
{
	WR_AUTO struct wr keys = {.secret = true};
	WR_AUTO struct wr o = {0};

	object_head_write(&o, 'g');
	wr_bytes(&o, access_root(w->alice)->store, STORE_ID_LEN);
	wr_u8(&o, (uint8_t)role);
	wr_bytes(&o, dataset, DATASET_ID_LEN);
	wr_u32(&o, ks->epoch);
	identity_public_encode(&host->pub, &o);
	wr_u64(&o, START);
	wr_u64(&o, START + 100);
	wr_bytes(&o, access_identity(w->alice)->pub.id, IDENTITY_ID_LEN);
	keyset_encode(ks, with_private, &keys);
	assert_ok(object_seal(
	    &o, "varve/1/grant", &host->pub.seal, keys.buf, keys.len, &err));
	assert_ok(object_sign(
	    &o, "varve/1/sign/grant", &access_identity(w->alice)->sign, &err));
	return world_put(w, o.buf, o.len);
}

static void
access_open__refuses_keys_that_are_not_what_the_grant_says(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(access) struct access *a = NULL;
	const struct dataset *x = world_dataset(w, "x");
	const struct dataset *y = world_dataset(w, "y");
	struct object_ref bad[] = {
	    craft_grant(w, host, ROLE_WRITER, x->id, world_keys(y), false),
	    craft_grant(w, host, ROLE_WRITER, x->id, world_keys(x), true),
	    craft_grant(w, host, ROLE_READER, x->id, world_keys(x), false),
	};
	struct object_ref good =
	    craft_grant(w, host, ROLE_WRITER, y->id, world_keys(y), false);

	a = world_entered(w, host);
	assert_int_equal(damage_code(a, &good), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(damage_code(a, &bad[i]), ERR_CORRUPT);
	assert_int_equal(access_datasets(a), 1);
	assert_string_equal(access_dataset(a, 0)->name, "y");
	assert_false(access_dataset(a, 0)->may_read);
}

static void
access_open__refuses_another_master_key(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("bob");
	AUTO(access) struct access *a = NULL;
	static const struct key32 wrong = {.b = {1}};
	struct object_ref ref;

	(void)world_dataset(w, "a");
	ref = world_grant(w, &(struct forgery){
				 .role = ROLE_ADMIN,
				 .subject = host,
				 .issuer = access_identity(w->alice),
				 .seed = &wrong,
				 .from = START,
				 .until = INT64_MAX,
			     });
	a = world_entered(w, host);
	assert_false(access_is_admin(a));
	assert_int_equal(access_datasets(a), 0);
	assert_int_equal(damage_code(a, &ref), ERR_CORRUPT);
}

static void
access_refresh__ignores_a_key_set_by_one_who_is_no_admin(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("mallory");
	AUTO(keyset) struct keyset *ks = NULL;
	struct object_ref ref;

	assert_ok(keyset_new("trap", &ks, &err));
	ref = world_key_set(w, ks, host);
	world_refresh(w);
	assert_int_equal(access_datasets(w->alice), 0);
	assert_int_equal(damage_code(w->alice, &ref), ERR_AUTH);

	/* Once its signer has become an admin, it counts. */
	world_make_admin(w, host, INT64_MAX);
	assert_non_null(access_find(w->alice, "trap"));
	assert_int_equal(damage_count(w->alice), 0);
}

/* --- who may sign a log ------------------------------------------------- */

static void
access_signer__knows_admins_and_writers_in_their_time(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *writer = world_host("db1");
	AUTO(identity) struct identity *reader = world_host("bob");
	AUTO(identity) struct identity *admin = world_host("carol");
	const struct dataset *ds = world_granted(w, "a", writer, ROLE_WRITER);
	const struct dataset *other =
	    world_granted(w, "b", reader, ROLE_READER);
	static const uint8_t unknown[IDENTITY_ID_LEN] = {1};
	static const uint8_t master[IDENTITY_ID_LEN];
	const struct access *a = w->alice;
	const struct identity_public *alice = &access_identity(a)->pub;
	struct ed25519_public key;

	world_make_admin(w, admin, START + 50);
	assert_ok(access_signer(a, alice->id, ds->id, 0, &key, &err));
	assert_memory_equal(&key, &alice->sign, sizeof(key));
	assert_ok(access_signer(a, writer->pub.id, ds->id, START, &key, &err));
	assert_memory_equal(&key, &writer->pub.sign, sizeof(key));
	assert_ok(
	    access_signer(a, writer->pub.id, ds->id, START + 99, &key, &err));
	assert_ok(
	    access_signer(a, admin->pub.id, other->id, START + 49, &key, &err));
	assert_memory_equal(&key, &admin->pub.sign, sizeof(key));

	assert_fails(ERR_AUTH, "'db1'",
	    access_signer(a, writer->pub.id, ds->id, START - 1, &key, &err));
	assert_fails(ERR_AUTH, "'db1'",
	    access_signer(a, writer->pub.id, ds->id, START + 100, &key, &err));
	assert_fails(ERR_AUTH, "'db1'",
	    access_signer(a, writer->pub.id, other->id, START, &key, &err));
	assert_fails(ERR_AUTH, "'bob'",
	    access_signer(a, reader->pub.id, other->id, START, &key, &err));
	assert_fails(ERR_AUTH, "'carol'",
	    access_signer(a, admin->pub.id, ds->id, START + 50, &key, &err));
	assert_fails(ERR_AUTH, "unknown",
	    access_signer(a, unknown, ds->id, START, &key, &err));
	assert_fails(ERR_AUTH, "unknown",
	    access_signer(a, master, ds->id, START, &key, &err));
}

static void
access_signer__ignores_a_forged_grant(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("mallory");
	const struct dataset *ds = world_dataset(w, "a");
	struct ed25519_public key;

	(void)world_grant(w, &(struct forgery){
				 .role = ROLE_WRITER,
				 .subject = host,
				 .issuer = host,
				 .keys = world_keys(ds),
				 .from = START,
				 .until = INT64_MAX,
			     });
	world_refresh(w);
	assert_fails(ERR_AUTH, "'mallory'",
	    access_signer(w->alice, host->pub.id, ds->id, START, &key, &err));
}

static void
access_signer_name__knows_all_who_were_granted_something(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(identity) struct identity *stranger = world_host("db2");
	const struct access *a = w->alice;

	(void)world_granted(w, "a", host, ROLE_WRITER);
	assert_string_equal(
	    access_signer_name(a, access_identity(a)->pub.id), "alice");
	assert_string_equal(access_signer_name(a, host->pub.id), "db1");
	assert_null(access_signer_name(a, stranger->pub.id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(access_open__ignores_a_grant_by_one_who_is_no_admin),
	    world_test(access_open__ignores_a_reader_who_makes_himself_admin),
	    world_test(access_open__ignores_admins_who_vouch_for_each_other),
	    world_test(access_open__ignores_a_borrowed_issuer),
	    world_test(access_open__ignores_another_master_keys_signature),
	    world_test(
		access_open__ignores_what_an_admin_issued_out_of_his_time),
	    world_test(access_open__follows_a_long_chain_of_admins),
	    world_test(access_open__ignores_a_grant_of_another_store),
	    world_test(access_open__ignores_a_tampered_grant),
	    world_test(
		access_open__refuses_keys_that_are_not_what_the_grant_says),
	    world_test(access_open__refuses_another_master_key),
	    world_test(
		access_refresh__ignores_a_key_set_by_one_who_is_no_admin),
	    world_test(access_signer__knows_admins_and_writers_in_their_time),
	    world_test(access_signer__ignores_a_forged_grant),
	    world_test(
		access_signer_name__knows_all_who_were_granted_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
