#include "snapshot/access/site.h"

#include "tests/unit/access_fixture.h"

/* A site's key, and what it asks for. */
static struct identity *
new_site(const char *name)
{
	struct identity *id;

	assert_ok(identity_new(IDENTITY_SITE, name, &id, &err));
	return id;
}

static void
add(struct world *w, const struct identity *key, const char *country)
{
	struct site_request r = world_request(w, key, country);
	struct statement st;

	assert_ok(
	    site_add(w->alice, key->pub.name, "tls://dr:7710", &r, &st, &err));
}

/* A statement signed by whoever is told to, beside the store's own way. */
static struct object_ref
put_statement(struct world *w, const struct identity *key,
    const struct identity *issuer, int64_t from)
{
	struct site_request r = world_request(w, key, "GB");
	struct statement st = {.site = r.site, .from = from};
	WR_AUTO struct wr o = {0};
	bool changed;
	struct object_ref ref;

	memcpy(st.store, access_root(w->alice)->store, STORE_ID_LEN);
	(void)strcpy(st.address, "tls://evil:1");
	assert_ok(statement_make(&st, issuer, NULL, &o, &err));
	ref = world_put(w, o.buf, o.len);
	assert_ok(access_refresh(w->alice, &changed, &err));
	return ref;
}

static void
site_find__finds_what_was_added(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site("dr");
	AUTO(access) struct access *keyless = NULL;
	struct statement st;

	assert_fails(
	    ERR_NOT_FOUND, "'dr'", site_find(w->alice, "dr", &st, &err));
	add(w, dr, "GB");
	/* Whoever has no key sees the same. */
	assert_ok(access_open_keyless(w->path, &keyless, &err));
	assert_ok(site_find(keyless, "dr", &st, &err));
	assert_string_equal(st.address, "tls://dr:7710");
	assert_string_equal(st.site.country, "GB");
	assert_true(st.from == START);
	assert_ok(site_allowed(keyless, &st, START, &err));
	assert_ok(site_check_key(&st, &dr->pub.sign, &err));
	assert_ok(site_find_key(keyless, &dr->pub.sign, &st, &err));
	assert_ok(site_find_id(keyless, dr->pub.id, &st, &err));
	assert_int_equal(damage_count(keyless), 0);
}

static void
site_find__takes_nothing_from_a_stranger(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site("dr");
	AUTO(identity) struct identity *mallory = world_host("mallory");
	struct object_ref ref = put_statement(w, dr, mallory, START);
	struct statement st;

	assert_fails(
	    ERR_AUTH, "no admin", site_find(w->alice, "dr", &st, &err));
	assert_int_equal(damage_code(w->alice, &ref), ERR_AUTH);
	assert_fails(ERR_NOT_FOUND, "this key",
	    site_find_key(w->alice, &dr->pub.sign, &st, &err));
}

static void
site_find__takes_nothing_that_is_forged(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site("dr");
	AUTO(identity) struct identity *liar = world_host("liar");
	struct statement st;

	/* It names alice as its issuer, and somebody else signed it. */
	memcpy(
	    liar->pub.id, access_identity(w->alice)->pub.id, IDENTITY_ID_LEN);
	(void)put_statement(w, dr, liar, START);
	assert_fails(ERR_AUTH, "forged", site_find(w->alice, "dr", &st, &err));
}

static void
site_find__passes_over_a_forgery_beside_the_true_one(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site("dr");
	AUTO(identity) struct identity *evil = new_site("dr");
	AUTO(identity) struct identity *mallory = world_host("mallory");
	struct statement st;

	add(w, dr, "GB");
	(void)put_statement(w, evil, mallory, START + 50);
	assert_ok(site_find(w->alice, "dr", &st, &err));
	assert_ok(site_check_key(&st, &dr->pub.sign, &err));
	assert_fails(ERR_NOT_FOUND, "this key",
	    site_find_key(w->alice, &evil->pub.sign, &st, &err));
}

static void
site_find__goes_by_the_newest(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *old = new_site("dr");
	AUTO(identity) struct identity *new = new_site("dr");
	struct statement st;

	add(w, old, "GB");
	/* In the same second: dated after it all the same. */
	add(w, new, "GB");
	assert_ok(site_find(w->alice, "dr", &st, &err));
	assert_ok(site_check_key(&st, &new->pub.sign, &err));
	assert_fails(ERR_AUTH, "not site 'dr'",
	    site_check_key(&st, &old->pub.sign, &err));
	assert_fails(ERR_NOT_FOUND, "this key",
	    site_find_key(w->alice, &old->pub.sign, &st, &err));
	assert_fails(ERR_NOT_FOUND, "this key",
	    site_find_id(w->alice, old->pub.id, &st, &err));
}

static void
site_find__goes_by_an_admin_who_has_left_no_more(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *bob = NULL;
	AUTO(identity) struct identity *dr = new_site("dr");
	struct statement st;

	assert_ok(identity_new(IDENTITY_PERSON, "bob", &bob, &err));
	assert_ok(access_grant(
	    w->alice, &bob->pub, ROLE_ADMIN, NULL, START + 10, &err));
	(void)put_statement(w, dr, bob, START + 10);
	assert_fails(
	    ERR_AUTH, "no admin", site_find(w->alice, "dr", &st, &err));
	(void)put_statement(w, dr, bob, START + 9);
	assert_ok(site_find(w->alice, "dr", &st, &err));
}

static void
site_add__refuses_a_request_that_is_not_for_it(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site("dr");
	struct site_request r = world_request(w, dr, "GB");
	struct statement st;

	assert_fails(ERR_USAGE, "calls itself 'dr'",
	    site_add(w->alice, "london", "tls://x:1", &r, &st, &err));
	r.fingerprint[0] ^= 1;
	assert_fails(ERR_AUTH, "another store",
	    site_add(w->alice, "dr", "tls://x:1", &r, &st, &err));
	r = world_request(w, dr, "GB");
	r.site.until = START;
	assert_fails(ERR_USAGE, "expired",
	    site_add(w->alice, "dr", "tls://x:1", &r, &st, &err));
	r = world_request(w, dr, "GB");
	assert_fails(
	    ERR_USAGE, "address", site_add(w->alice, "dr", "", &r, &st, &err));
}

static void
site_add__is_for_admins(void **state)
{
	struct world *w = *state;
	const struct dataset *ds = world_dataset(w, "d");
	AUTO(identity) struct identity *host = world_host("h");
	AUTO(identity) struct identity *dr = new_site("dr");
	AUTO(access) struct access *a = NULL;
	static const char *const gb[] = {"GB"};
	struct site_request r = world_request(w, dr, "GB");
	struct statement st;

	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_WRITER, ds, INT64_MAX, &err));
	a = world_entered(w, host);
	assert_fails(ERR_DENIED, "only an admin",
	    site_add(a, "dr", "tls://x:1", &r, &st, &err));
	assert_fails(ERR_DENIED, "only an admin", site_remove(a, "dr", &err));
	assert_fails(ERR_DENIED, "only an admin", site_allow(a, gb, 1, &err));
}

static void
site_remove__ends_it(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site("dr");
	struct statement st;

	assert_fails(ERR_NOT_FOUND, "'dr'", site_remove(w->alice, "dr", &err));
	add(w, dr, "GB");
	assert_ok(site_remove(w->alice, "dr", &err));
	assert_ok(site_find(w->alice, "dr", &st, &err));
	assert_true(statement_ended(&st));
	assert_fails(ERR_DENIED, "taken away on 2001-09-09",
	    site_allowed(w->alice, &st, START, &err));
	assert_fails(
	    ERR_NOT_FOUND, "already", site_remove(w->alice, "dr", &err));
	/* And it can come back. */
	add(w, dr, "GB");
	assert_ok(site_find(w->alice, "dr", &st, &err));
	assert_ok(site_allowed(w->alice, &st, START, &err));
}

static void
site_allowed__ends_with_the_accreditation(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site("dr");
	struct statement st;

	add(w, dr, "GB");
	assert_ok(site_find(w->alice, "dr", &st, &err));
	assert_ok(site_allowed(w->alice, &st, START + 999, &err));
	assert_fails(ERR_DENIED, "expired on 2001-09-09",
	    site_allowed(w->alice, &st, START + 1000, &err));
}

static void
site_allowed__goes_by_the_newest_policy(void **state)
{
	static const char *const isles[] = {"IE", "GB", "IE"};
	static const char *const france[] = {"FR"};
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site("dr");
	struct site_request r = world_request(w, dr, "FR");
	struct statement st;
	struct policy p;

	assert_fails(ERR_NOT_FOUND, "policy", site_policy(w->alice, &p, &err));
	add(w, dr, "GB");
	assert_ok(site_allow(w->alice, isles, ARRAY_LEN(isles), &err));
	assert_ok(site_policy(w->alice, &p, &err));
	assert_int_equal(p.n, 2);
	assert_ok(site_find(w->alice, "dr", &st, &err));
	assert_ok(site_allowed(w->alice, &st, START, &err));
	assert_fails(ERR_DENIED, "(GB, IE)",
	    site_add(w->alice, "dr", "tls://x:1", &r, &st, &err));

	assert_ok(site_allow(w->alice, france, 1, &err));
	assert_ok(site_find(w->alice, "dr", &st, &err));
	assert_fails(ERR_DENIED, "stands in GB",
	    site_allowed(w->alice, &st, START, &err));
}

static void
site_policy__takes_nothing_from_a_stranger(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *mallory = world_host("mallory");
	static const char *const gb[] = {"GB"};
	struct policy p = {.from = START + 5, .n = 1, .countries = {"KP"}};
	WR_AUTO struct wr o = {0};
	struct object_ref ref;
	bool changed;

	memcpy(p.store, access_root(w->alice)->store, STORE_ID_LEN);
	assert_ok(policy_make(&p, mallory, NULL, &o, &err));
	ref = world_put(w, o.buf, o.len);
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_int_equal(damage_code(w->alice, &ref), ERR_AUTH);
	assert_fails(ERR_NOT_FOUND, "policy", site_policy(w->alice, &p, &err));
	assert_ok(site_allow(w->alice, gb, 1, &err));
	assert_ok(site_policy(w->alice, &p, &err));
	assert_string_equal(p.countries[0], "GB");
}

static void
site_policy__is_one_of_this_store(void **state)
{
	struct world *w = *state;
	const struct identity *alice = access_identity(w->alice);
	struct policy p = {.from = START, .n = 1, .countries = {"GB"}};
	WR_AUTO struct wr o = {0};
	struct object_ref ref;
	bool changed;

	/* Signed by alice, but for a store that isn't this one. */
	assert_ok(policy_make(&p, alice, NULL, &o, &err));
	ref = world_put(w, o.buf, o.len);
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_int_equal(damage_code(w->alice, &ref), ERR_AUTH);
	assert_fails(ERR_NOT_FOUND, "policy", site_policy(w->alice, &p, &err));
}

/* --- what is dated ahead ------------------------------------------------ */

#define DAY ((int64_t)86400)

/* A policy of alice's own, dated as is told. */
static struct object_ref
put_policy(struct world *w, const char *country, int64_t from)
{
	struct policy p = {.from = from, .n = 1};
	WR_AUTO struct wr o = {0};
	struct object_ref ref;
	bool changed;

	memcpy(p.store, access_root(w->alice)->store, STORE_ID_LEN);
	(void)strcpy(p.countries[0], country);
	assert_ok(policy_make(&p, access_identity(w->alice), NULL, &o, &err));
	ref = world_put(w, o.buf, o.len);
	assert_ok(access_refresh(w->alice, &changed, &err));
	return ref;
}

static void
assert_policy(const struct access *a, const char *country)
{
	struct policy p;

	assert_ok(site_policy(a, &p, &err));
	assert_string_equal(p.countries[0], country);
}

static void
site_allow__replaces_what_is_dated_a_little_ahead(void **state)
{
	static const char *const gb[] = {"GB"};
	struct world *w = *state;

	(void)put_policy(w, "KP", START + DAY);
	assert_ok(site_allow(w->alice, gb, 1, &err));
	assert_policy(w->alice, "GB");
}

/* It says so, and what is to be done helps. */
static void
site_allow__fails_where_it_would_not_count(void **state)
{
	static const char *const gb[] = {"GB"};
	static const int64_t ahead[] = {START + DAY + 1, (int64_t)1 << 40};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(ahead); i++) {
		struct object_ref ref = put_policy(w, "KP", ahead[i]);
		size_t before = w->alice->nkeys;

		assert_fails(ERR_DENIED, "take that file out",
		    site_allow(w->alice, gb, 1, &err));
		assert_int_equal(w->alice->nkeys, before);
		assert_policy(w->alice, "KP");
		assert_ok(store_remove(w->alice->store, &ref, &err));
		assert_ok(site_allow(w->alice, gb, 1, &err));
		assert_policy(w->alice, "GB");
	}
}

static void
site_add__fails_where_it_would_not_count(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *dr = new_site("dr");
	struct site_request r = world_request(w, dr, "GB");
	struct statement st;

	(void)put_statement(w, dr, access_identity(w->alice), START + DAY + 1);
	assert_fails(ERR_DENIED, "statement of site 'dr'",
	    site_add(w->alice, "dr", "tls://x:1", &r, &st, &err));
}

/* Somebody else's comes between the look and the store. */
struct rival {
	struct world *w;
	bool done;
};

static int64_t
rival_now(void *arg)
{
	struct rival *rival = arg;
	struct world *w = rival->w;
	struct policy p = {.from = START + 9, .n = 1, .countries = {"IE"}};
	WR_AUTO struct wr o = {0};

	if (!rival->done) {
		rival->done = true;
		memcpy(p.store, access_root(w->alice)->store, STORE_ID_LEN);
		assert_ok(
		    policy_make(&p, access_identity(w->alice), NULL, &o, &err));
		(void)world_put(w, o.buf, o.len);
	}
	return START;
}

static void
site_allow__tells_when_another_one_counts(void **state)
{
	static const char *const gb[] = {"GB"};
	struct world *w = *state;
	struct access_clock clock = w->alice->clock;
	struct rival rival = {.w = w};
	bool changed;

	/* Nothing of it is at hand when it is looked for what there is. */
	assert_ok(access_refresh(w->alice, &changed, &err));
	w->alice->clock = (struct access_clock){rival_now, &rival};
	assert_fails(ERR_LOCKED, "another one counts",
	    site_allow(w->alice, gb, 1, &err));
	w->alice->clock = clock;
	assert_policy(w->alice, "IE");
}

/* One that is behind must not go by an older one, or by none. */
static void
site_policy__is_hidden_by_no_clock(void **state)
{
	static const char *const gb[] = {"GB"}, *const ie[] = {"IE"};
	struct world *w = *state;

	assert_ok(site_allow(w->alice, gb, 1, &err));
	w->now += 100 * DAY;
	assert_ok(site_allow(w->alice, ie, 1, &err));
	w->now -= 1000 * DAY;
	assert_policy(w->alice, "IE");
}

static int
on_site(void *arg, const struct statement *st, struct err *err)
{
	char *names = arg;

	(void)err;
	(void)strcat(
	    strcat(names, st->site.pub.name), statement_ended(st) ? "- " : " ");
	return 0;
}

static void
site_each__shows_each_name_once(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *b = new_site("b");
	AUTO(identity) struct identity *a = new_site("a");
	AUTO(identity) struct identity *c = new_site("c");
	AUTO(identity) struct identity *mallory = world_host("mallory");
	char names[64] = "";

	add(w, b, "GB");
	add(w, a, "GB");
	add(w, a, "IE");
	assert_ok(site_remove(w->alice, "b", &err));
	(void)put_statement(w, c, mallory, START);
	assert_ok(site_each(w->alice, on_site, names, &err));
	assert_string_equal(names, "a b- ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(site_find__finds_what_was_added),
	    world_test(site_find__takes_nothing_from_a_stranger),
	    world_test(site_find__takes_nothing_that_is_forged),
	    world_test(site_find__passes_over_a_forgery_beside_the_true_one),
	    world_test(site_find__goes_by_the_newest),
	    world_test(site_find__goes_by_an_admin_who_has_left_no_more),
	    world_test(site_add__refuses_a_request_that_is_not_for_it),
	    world_test(site_add__is_for_admins),
	    world_test(site_remove__ends_it),
	    world_test(site_allowed__ends_with_the_accreditation),
	    world_test(site_allowed__goes_by_the_newest_policy),
	    world_test(site_allow__replaces_what_is_dated_a_little_ahead),
	    world_test(site_allow__fails_where_it_would_not_count),
	    world_test(site_add__fails_where_it_would_not_count),
	    world_test(site_allow__tells_when_another_one_counts),
	    world_test(site_policy__is_hidden_by_no_clock),
	    world_test(site_policy__takes_nothing_from_a_stranger),
	    world_test(site_policy__is_one_of_this_store),
	    world_test(site_each__shows_each_name_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
