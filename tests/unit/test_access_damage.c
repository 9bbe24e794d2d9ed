/* Key objects that are damaged, missing or too many keep nobody out. */
#include "crypto/object.h"
#include "snapshot/store/store_ops.h"
#include "tests/unit/access_fixture.h"

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
	uint8_t copy[RECOVERY_OBJECT_LEN];
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
	assert_int_equal(damage_count(w->alice), 3);
	assert_int_equal(damage_code(w->alice, &own), 0);
	assert_int_equal(damage_code(w->alice, &second), ERR_AUTH);
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
