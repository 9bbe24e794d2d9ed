#include "snapshot/access/peer.h"

#include "tests/unit/access_fixture.h"

#include <time.h>

#define OFFERS 8

/* Key objects that somebody sends, and that are not in the store. */
struct letter {
	struct key_offer v[OFFERS];
	size_t n;
};

static int
keep(void *arg, const uint8_t *buf, size_t len, UNUSED struct err *err)
{
	struct letter *l = arg;
	uint8_t *copy = malloc(len);

	assert_non_null(copy);
	assert_true(l->n < OFFERS);
	memcpy(copy, buf, len);
	l->v[l->n++] = (struct key_offer){.buf = copy, .len = len};
	return 0;
}

static void
letter_clear(struct letter *l)
{
	for (size_t i = 0; i < l->n; i++)
		free((void *)(uintptr_t)l->v[i].buf);
}
#define LETTER_AUTO __attribute__((cleanup(letter_clear)))

/* Take an object out of the store, and into the letter. */
static void
take_out(struct world *w, const struct key_object *o, struct letter *l)
{
	struct object_ref ref = {.cls = OBJECT_KEY};

	assert_ok(keep(l, o->buf, o->len, &err));
	memcpy(ref.name, o->name, OBJECT_NAME_LEN);
	assert_ok(store_remove(w->alice->store, &ref, &err));
}

static void
take_kind_out(struct world *w, enum key_kind kind, struct letter *l)
{
	for (size_t i = 0; i < w->alice->nkeys; i++) {
		if (w->alice->keys[i]->kind == kind)
			take_out(w, w->alice->keys[i], l);
	}
}

static struct identity *
new_site(struct world *w, const char *name, const char *country)
{
	struct site_request r;
	struct statement st;
	struct identity *id;

	assert_ok(identity_new(IDENTITY_SITE, name, &id, &err));
	r = world_request(w, id, country);
	assert_ok(site_add(w->alice, name, "tls://x:1", &r, &st, &err));
	return id;
}

static size_t
keys_at_hand(const struct world *w)
{
	AUTO(access) struct access *a = NULL;

	assert_ok(access_open_keyless(w->path, &a, &err));
	return a->nkeys;
}

/* --- to be known by what one sends -------------------------------------- */

/* A keyless look at the store, when its one statement is in the letter. */
static struct access *
without_statement(struct world *w, struct letter *l)
{
	struct access *a;

	take_kind_out(w, KEY_STATEMENT, l);
	assert_int_equal(l->n, 1);
	assert_ok(access_open_keyless(w->path, &a, &err));
	return a;
}

static void
access_meet__knows_a_site_by_its_statement(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site(w, "dr", "GB");
	LETTER_AUTO struct letter l = {.n = 0};
	AUTO(access) struct access *a = without_statement(w, &l);
	const size_t before = keys_at_hand(w);
	char text[PEER_TEXT];

	assert_fails(ERR_DENIED, "neither",
	    access_peer(a, &dr->pub.sign, START, text, &err));
	assert_ok(access_meet(a, l.v, l.n, &dr->pub.sign, START, text, &err));
	assert_string_equal(text, "site 'dr'");
	assert_true(l.v[0].taken);
	assert_ok(access_peer(a, &dr->pub.sign, START, text, &err));
	assert_int_equal(keys_at_hand(w), before + 1);
}

static void
access_meet__takes_nothing_of_a_stranger(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site(w, "dr", "GB");
	AUTO(identity) struct identity *mallory = world_host("mallory");
	LETTER_AUTO struct letter l = {.n = 0};
	AUTO(access) struct access *a = without_statement(w, &l);
	const size_t before = keys_at_hand(w);
	char text[PEER_TEXT];

	assert_fails(ERR_DENIED, "neither",
	    access_meet(a, l.v, l.n, &mallory->pub.sign, START, text, &err));
	assert_false(l.v[0].taken);
	assert_fails(ERR_DENIED, "neither",
	    access_peer(a, &dr->pub.sign, START, text, &err));
	assert_int_equal(a->nkeys, before);
	assert_int_equal(keys_at_hand(w), before);
}

static void
access_meet__takes_grants_and_statements_alone(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site(w, "dr", "GB");
	LETTER_AUTO struct letter l = {.n = 0};
	AUTO(access) struct access *a = NULL;
	char text[PEER_TEXT];
	size_t before;

	(void)world_dataset(w, "files");
	take_kind_out(w, KEY_SET, &l);
	take_kind_out(w, KEY_STATEMENT, &l);
	assert_int_equal(l.n, 2);
	before = keys_at_hand(w);
	assert_ok(access_open_keyless(w->path, &a, &err));
	assert_ok(access_meet(a, l.v, l.n, &dr->pub.sign, START, text, &err));
	assert_false(l.v[0].taken);
	assert_true(l.v[1].taken);
	assert_int_equal(a->nkeys, before + 1);
	assert_int_equal(keys_at_hand(w), before + 1);
	/* As it would take it of one that it knows. */
	assert_ok(access_take(a, l.v, l.n, &err));
	assert_true(l.v[0].taken && l.v[1].taken);
	assert_int_equal(keys_at_hand(w), before + 2);
}

/* A site that is empty must not take what hides the genuine one for good. */
static void
access_take__refuses_a_recovery_object_of_others(void **state)
{
	struct world *w = *state;
	LETTER_AUTO struct letter l = {.n = 0};
	AUTO(recovery) struct recovery *recovery = NULL;
	AUTO(master) struct master *other = NULL;
	AUTO(access) struct access *a = NULL;
	WR_AUTO struct wr forged = {0};

	assert_ok(recovery_new(&recovery, &err));
	assert_ok(master_new(&other, &err));
	assert_ok(recovery_seal(
	    recovery, access_root(w->alice), other, &forged, &err));
	assert_ok(keep(&l, forged.buf, forged.len, &err));
	take_kind_out(w, KEY_RECOVERY, &l);
	assert_ok(access_open_keyless(w->path, &a, &err));
	assert_ok(access_take(a, l.v, l.n, &err));
	assert_false(l.v[0].taken);
	assert_int_equal(l.v[0].why.code, ERR_AUTH);
	assert_true(l.v[1].taken);
}

/* --- who may fetch ------------------------------------------------------ */

static void
access_peer_fetch__is_for_allowed_sites(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site(w, "dr", "GB");
	AUTO(identity) struct identity *far = new_site(w, "far", "US");
	const struct ed25519_public *site = &dr->pub.sign;
	const char *gb[] = {"GB"};

	assert_ok(access_peer_fetch(w->alice, site, START, &err));
	assert_fails(ERR_DENIED, "expired",
	    access_peer_fetch(w->alice, site, START + 1000, &err));
	assert_ok(access_peer_fetch(w->alice, &far->pub.sign, START, &err));
	assert_ok(site_allow(w->alice, gb, 1, &err));
	assert_ok(access_peer_fetch(w->alice, site, START, &err));
	assert_fails(ERR_DENIED, "US",
	    access_peer_fetch(w->alice, &far->pub.sign, START, &err));
	assert_ok(site_remove(w->alice, "dr", &err));
	assert_fails(ERR_DENIED, "taken away",
	    access_peer_fetch(w->alice, site, START, &err));
}

/* What would stand in front of all that come after it is not let in. */
static void
access_take__refuses_what_is_dated_far_ahead(void **state)
{
	const int64_t now = (int64_t)time(NULL);
	struct world *w = *state;
	AUTO(access) struct access *a = NULL;

	for (int days = 0; days <= 2; days += 2) {
		LETTER_AUTO struct letter l = {.n = 0};
		struct policy p = {.from = now + days * 86400 + 5,
		    .n = 1,
		    .countries = {"KP"}};
		WR_AUTO struct wr o = {0};

		memcpy(p.store, access_root(w->alice)->store, STORE_ID_LEN);
		assert_ok(
		    policy_make(&p, access_identity(w->alice), NULL, &o, &err));
		assert_ok(keep(&l, o.buf, o.len, &err));
		access_close(STEAL(a));
		assert_ok(access_open_keyless(w->path, &a, &err));
		assert_ok(access_take(a, l.v, l.n, &err));
		assert_int_equal(l.v[0].taken, days == 0);
		if (days > 0)
			assert_non_null(strstr(l.v[0].why.text, "ahead"));
		assert_ok(site_policy(a, &p, &err));
		assert_true(p.from == now + 5);
	}
}

static void
access_peer_fetch__is_for_admins(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *admin = world_host("admin");
	AUTO(identity) struct identity *writer = world_host("writer");
	AUTO(identity) struct identity *mallory = world_host("mallory");
	const struct dataset *ds = world_dataset(w, "files");

	assert_ok(access_grant(
	    w->alice, &admin->pub, ROLE_ADMIN, NULL, START + 100, &err));
	assert_ok(access_grant(
	    w->alice, &writer->pub, ROLE_WRITER, ds, START + 100, &err));
	assert_ok(access_peer_fetch(
	    w->alice, &access_identity(w->alice)->pub.sign, START, &err));
	assert_ok(access_peer_fetch(w->alice, &admin->pub.sign, START, &err));
	assert_fails(ERR_DENIED, "sites and admins",
	    access_peer_fetch(w->alice, &admin->pub.sign, START + 100, &err));
	assert_fails(ERR_DENIED, "sites and admins",
	    access_peer_fetch(w->alice, &writer->pub.sign, START, &err));
	assert_fails(ERR_DENIED, "sites and admins",
	    access_peer_fetch(w->alice, &mallory->pub.sign, START, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(access_meet__knows_a_site_by_its_statement),
	    world_test(access_meet__takes_nothing_of_a_stranger),
	    world_test(access_meet__takes_grants_and_statements_alone),
	    world_test(access_take__refuses_a_recovery_object_of_others),
	    world_test(access_take__refuses_what_is_dated_far_ahead),
	    world_test(access_peer_fetch__is_for_allowed_sites),
	    world_test(access_peer_fetch__is_for_admins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
