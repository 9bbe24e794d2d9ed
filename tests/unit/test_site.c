#include "crypto/policy.h"
#include "crypto/receipt.h"
#include "crypto/site.h"

#include "tests/unit/key_fixture.h"

#define LATEST ((int64_t)1 << 40) /* at which one may begin */

struct fixture {
	struct identity *site, *other, *admin;
	struct master *master;
	struct err err;
};

static int
setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){0};
	if (identity_new(IDENTITY_SITE, "dr-london", &f.site, &f.err) != 0 ||
	    identity_new(IDENTITY_SITE, "dr-paris", &f.other, &f.err) != 0 ||
	    identity_new(IDENTITY_PERSON, "ada", &f.admin, &f.err) != 0 ||
	    master_new(&f.master, &f.err) != 0)
		return -1;
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	identity_free(f->site);
	identity_free(f->other);
	identity_free(f->admin);
	master_free(f->master);
	return 0;
}

#define site_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct site
a_site(const struct fixture *f)
{
	struct site s = {.pub = f->site->pub, .until = 2000000000};

	(void)strcpy(s.country, "GB");
	(void)strcpy(s.accreditation, "ISO/IEC 27001:2022");
	return s;
}

static void
assert_same_site(const struct site *a, const struct site *b)
{
	assert_memory_equal(a->pub.id, b->pub.id, IDENTITY_ID_LEN);
	assert_string_equal(a->pub.name, b->pub.name);
	assert_string_equal(a->country, b->country);
	assert_string_equal(a->accreditation, b->accreditation);
	assert_true(a->until == b->until);
}

static void
site_name_ok__takes_what_can_stand_on_a_command_line(void **state)
{
	static const char *const good[] = {"a", "dr-london", "DR.2_b", "9"};
	static const char *const bad[] = {"", "-s", ".x", "a b", "a/b", "a:b",
	    "\xc3\xa9", "a\n",
	    "0123456789012345678901234567890123456789012345678901234567890123"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(site_name_ok(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(site_name_ok(bad[i]));
}

static void
country_ok__takes_two_capital_letters(void **state)
{
	static const char *const bad[] = {
	    "", "G", "gb", "GBR", "G1", "\xc3\xa9"};

	(void)state;
	assert_true(country_ok("GB"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(country_ok(bad[i]));
}

/* --- requests ----------------------------------------------------------- */

static void
new_request(struct fixture *f, struct site_request *r, struct wr *w)
{
	*r = (struct site_request){.site = a_site(f)};
	memset(r->fingerprint, 7, FINGERPRINT_LEN);
	assert_int_equal(site_request_make(r, f->site, w, &f->err), 0);
}

static void
site_request_parse__reads_what_was_written(void **state)
{
	struct fixture *f = *state;
	struct site_request r, got;
	WR_AUTO struct wr w = {0};
	WR_AUTO struct wr text = {0};

	new_request(f, &r, &w);
	wr_bytes(&text, "Dear admin,\n\n", 13);
	site_request_text(w.buf, w.len, &text);
	wr_bytes(&text, "Yours\n", 6);
	assert_int_equal(
	    site_request_parse((const char *)text.buf, text.len, &got, &f->err),
	    0);
	assert_same_site(&got.site, &r.site);
	assert_memory_equal(got.fingerprint, r.fingerprint, FINGERPRINT_LEN);
}

static void
site_request_parse__refuses_a_text_without_one(void **state)
{
	static const char *const texts[] = {"", "hello",
	    "-----BEGIN VARVE SITE REQUEST-----\n",
	    "-----END VARVE SITE REQUEST-----\n"
	    "-----BEGIN VARVE SITE REQUEST-----\n",
	    "-----BEGIN VARVE SITE REQUEST-----\n"
	    "-----END VARVE SITE REQUEST-----\n",
	    "-----BEGIN VARVE SITE REQUEST-----\nAAAA!\n"
	    "-----END VARVE SITE REQUEST-----\n"};
	struct fixture *f = *state;
	struct site_request got;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(site_request_parse(
				     texts[i], strlen(texts[i]), &got, &f->err),
		    ERR_CORRUPT);
}

static void
site_request_decode__refuses_any_changed_byte(void **state)
{
	struct fixture *f = *state;
	struct site_request r;
	WR_AUTO struct wr w = {0};

	new_request(f, &r, &w);
	for (size_t i = 0; i < w.len; i++) {
		w.buf[i] ^= 1;
		assert_int_not_equal(
		    site_request_decode(w.buf, w.len, &r, &f->err), 0);
		w.buf[i] ^= 1;
		assert_int_not_equal(
		    site_request_decode(w.buf, i, &r, &f->err), 0);
	}
	assert_int_equal(site_request_decode(w.buf, w.len, &r, &f->err), 0);
}

static void
site_request_make__refuses_what_no_site_can_be(void **state)
{
	struct fixture *f = *state;
	struct site_request r = {.site = a_site(f)};
	WR_AUTO struct wr w = {0};

	assert_int_equal(
	    site_request_make(&r, f->admin, &w, &f->err), ERR_USAGE);
	r.site.accreditation[0] = '\0';
	assert_int_equal(
	    site_request_make(&r, f->site, &w, &f->err), ERR_USAGE);
	r.site = a_site(f);
	(void)strcpy(r.site.country, "gb");
	assert_int_equal(
	    site_request_make(&r, f->site, &w, &f->err), ERR_USAGE);
	assert_int_equal(w.len, 0);
}

/* --- statements --------------------------------------------------------- */

static struct statement
a_statement(const struct fixture *f)
{
	struct statement st = {.site = a_site(f), .from = 1000000000};

	memset(st.store, 3, STORE_ID_LEN);
	(void)strcpy(st.address, "tls://dr.example:7710");
	return st;
}

static void
statement_peek__reads_what_was_made(void **state)
{
	struct fixture *f = *state;
	struct statement st = a_statement(f), got;
	WR_AUTO struct wr w = {0};

	assert_int_equal(statement_make(&st, f->admin, NULL, &w, &f->err), 0);
	assert_int_equal(statement_peek(w.buf, w.len, &got, &f->err), 0);
	assert_same_site(&got.site, &st.site);
	assert_memory_equal(got.store, st.store, STORE_ID_LEN);
	assert_string_equal(got.address, st.address);
	assert_true(got.from == st.from);
	assert_memory_equal(got.issuer, f->admin->pub.id, IDENTITY_ID_LEN);
	assert_false(statement_ended(&got));
	assert_int_equal(
	    statement_check(w.buf, w.len, &f->admin->pub.sign, &f->err), 0);
	assert_int_equal(
	    statement_check(w.buf, w.len, &f->site->pub.sign, &f->err),
	    ERR_AUTH);
}

static void
statement_make__can_be_signed_by_the_master_key(void **state)
{
	static const uint8_t none[IDENTITY_ID_LEN];
	struct fixture *f = *state;
	struct statement st = a_statement(f), got;
	WR_AUTO struct wr w = {0};

	assert_int_equal(statement_make(&st, NULL, f->master, &w, &f->err), 0);
	assert_int_equal(statement_peek(w.buf, w.len, &got, &f->err), 0);
	assert_memory_equal(got.issuer, none, sizeof(none));
	assert_int_equal(
	    statement_check(w.buf, w.len, &f->master->sign_pub, &f->err), 0);
}

static void
statement_make__refuses_what_none_can_say(void **state)
{
	struct fixture *f = *state;
	struct statement st = a_statement(f);
	WR_AUTO struct wr w = {0};

	assert_int_equal(
	    statement_make(&st, NULL, NULL, &w, &f->err), ERR_USAGE);
	(void)strcpy(st.address, "-oProxyCommand=evil");
	assert_int_equal(
	    statement_make(&st, f->admin, NULL, &w, &f->err), ERR_USAGE);
	st.address[0] = '\0';
	assert_int_equal(
	    statement_make(&st, f->admin, NULL, &w, &f->err), ERR_USAGE);
	/* One that takes the site away needs none. */
	st.site.until = st.from;
	assert_true(statement_ended(&st));
	assert_int_equal(statement_make(&st, f->admin, NULL, &w, &f->err), 0);
}

static void
statement_check__refuses_any_changed_byte(void **state)
{
	struct fixture *f = *state;
	struct statement st = a_statement(f);
	WR_AUTO struct wr w = {0};

	assert_int_equal(statement_make(&st, f->admin, NULL, &w, &f->err), 0);
	for (size_t i = 0; i < w.len; i++) {
		w.buf[i] ^= 0x20;
		assert_int_not_equal(
		    statement_check(w.buf, w.len, &f->admin->pub.sign, &f->err),
		    0);
		w.buf[i] ^= 0x20;
	}
	wr_u8(&w, 0);
	assert_int_equal(
	    statement_peek(w.buf, w.len, &st, &f->err), ERR_CORRUPT);
}

/* So none is the last that there can be. */
static void
statement_peek__refuses_what_begins_too_late(void **state)
{
	struct fixture *f = *state;
	struct statement st = a_statement(f), got;
	WR_AUTO struct wr w = {0};

	st.from = LATEST + 1;
	st.site.until = INT64_MAX;
	assert_int_equal(
	    statement_make(&st, f->admin, NULL, &w, &f->err), ERR_USAGE);
	st.from = LATEST;
	assert_int_equal(statement_make(&st, f->admin, NULL, &w, &f->err), 0);
	assert_int_equal(statement_peek(w.buf, w.len, &got, &f->err), 0);
	w.buf[w.len - 64 - 16 - 8] = 1;
	assert_int_equal(
	    statement_peek(w.buf, w.len, &got, &f->err), ERR_CORRUPT);
}

/* --- policies ----------------------------------------------------------- */

static void
policy_make__says_which_countries(void **state)
{
	struct fixture *f = *state;
	struct policy p = {.from = 5, .n = 2, .countries = {"GB", "IE"}}, got;
	WR_AUTO struct wr w = {0};

	assert_int_equal(policy_make(&p, f->admin, NULL, &w, &f->err), 0);
	assert_int_equal(policy_peek(w.buf, w.len, &got, &f->err), 0);
	assert_int_equal(got.n, 2);
	assert_true(policy_names(&got, "GB") && policy_names(&got, "IE"));
	assert_false(policy_names(&got, "FR"));
	assert_int_equal(
	    policy_check(w.buf, w.len, &f->admin->pub.sign, &f->err), 0);
	assert_int_equal(
	    policy_check(w.buf, w.len, &f->site->pub.sign, &f->err), ERR_AUTH);
}

static void
policy_make__refuses_what_is_no_list_of_countries(void **state)
{
	static const struct policy bad[] = {
	    {.n = 0},
	    {.n = POLICY_COUNTRIES_MAX + 1},
	    {.n = 1, .countries = {"gb"}},
	    {.n = 2, .countries = {"IE", "GB"}},
	    {.n = 2, .countries = {"GB", "GB"}},
	    {.from = LATEST + 1, .n = 1, .countries = {"GB"}},
	};
	struct fixture *f = *state;
	WR_AUTO struct wr w = {0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
		    policy_make(&bad[i], f->admin, NULL, &w, &f->err),
		    ERR_USAGE);
}

static void
policy_peek__refuses_what_begins_too_late(void **state)
{
	struct fixture *f = *state;
	struct policy p = {.from = LATEST, .n = 1, .countries = {"GB"}}, got;
	WR_AUTO struct wr w = {0};

	assert_int_equal(policy_make(&p, f->admin, NULL, &w, &f->err), 0);
	assert_int_equal(policy_peek(w.buf, w.len, &got, &f->err), 0);
	w.buf[24] = 1;
	assert_int_equal(policy_peek(w.buf, w.len, &got, &f->err), ERR_CORRUPT);
}

static void
policy_make__holds_as_many_as_may_be(void **state)
{
	struct fixture *f = *state;
	struct policy p = {.n = POLICY_COUNTRIES_MAX}, got;
	WR_AUTO struct wr w = {0};

	for (size_t i = 0; i < p.n; i++) {
		p.countries[i][0] = (char)('A' + i / 26);
		p.countries[i][1] = (char)('A' + i % 26);
	}
	assert_int_equal(policy_make(&p, f->admin, NULL, &w, &f->err), 0);
	assert_int_equal(policy_peek(w.buf, w.len, &got, &f->err), 0);
	assert_int_equal(got.n, p.n);
}

/* --- receipts ----------------------------------------------------------- */

static void
receipt_decode__knows_who_gave_it(void **state)
{
	struct fixture *f = *state;
	struct receipt r = {.seq = 12, .time = 1234567890}, got;
	uint8_t buf[RECEIPT_LEN];

	memset(r.store, 1, sizeof(r.store));
	memset(r.dataset, 2, sizeof(r.dataset));
	memset(r.head, 3, sizeof(r.head));
	assert_int_equal(receipt_make(&r, f->site, buf, &f->err), 0);
	assert_int_equal(
	    receipt_decode(buf, sizeof(buf), &f->site->pub, &got, &f->err), 0);
	assert_memory_equal(got.store, r.store, sizeof(r.store));
	assert_memory_equal(got.site, f->site->pub.id, IDENTITY_ID_LEN);
	assert_memory_equal(got.dataset, r.dataset, sizeof(r.dataset));
	assert_memory_equal(got.head, r.head, sizeof(r.head));
	assert_true(got.seq == 12 && got.time == r.time);
	assert_int_equal(
	    receipt_decode(buf, sizeof(buf), &f->other->pub, &got, &f->err),
	    ERR_AUTH);
	for (size_t i = 0; i < sizeof(buf); i++) {
		buf[i] ^= 4;
		assert_int_not_equal(receipt_decode(buf, sizeof(buf),
					 &f->site->pub, &got, &f->err),
		    0);
		buf[i] ^= 4;
		assert_int_equal(
		    receipt_peek(buf, i, &got, &f->err), ERR_CORRUPT);
	}
}

static void
receipt_peek__refuses_a_record_that_can_not_be(void **state)
{
	struct fixture *f = *state;
	struct receipt r = {.seq = 0}, got;
	uint8_t buf[RECEIPT_LEN];

	assert_int_equal(receipt_make(&r, f->site, buf, &f->err), 0);
	assert_int_equal(
	    receipt_peek(buf, sizeof(buf), &got, &f->err), ERR_CORRUPT);
	r.seq = UINT64_MAX;
	assert_int_equal(receipt_make(&r, f->site, buf, &f->err), 0);
	assert_int_equal(
	    receipt_peek(buf, sizeof(buf), &got, &f->err), ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    site_test(site_name_ok__takes_what_can_stand_on_a_command_line),
	    site_test(country_ok__takes_two_capital_letters),
	    site_test(site_request_parse__reads_what_was_written),
	    site_test(site_request_parse__refuses_a_text_without_one),
	    site_test(site_request_decode__refuses_any_changed_byte),
	    site_test(site_request_make__refuses_what_no_site_can_be),
	    site_test(statement_peek__reads_what_was_made),
	    site_test(statement_make__can_be_signed_by_the_master_key),
	    site_test(statement_make__refuses_what_none_can_say),
	    site_test(statement_peek__refuses_what_begins_too_late),
	    site_test(policy_peek__refuses_what_begins_too_late),
	    site_test(statement_check__refuses_any_changed_byte),
	    site_test(policy_make__says_which_countries),
	    site_test(policy_make__refuses_what_is_no_list_of_countries),
	    site_test(policy_make__holds_as_many_as_may_be),
	    site_test(receipt_decode__knows_who_gave_it),
	    site_test(receipt_peek__refuses_a_record_that_can_not_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
