#include "crypto/identity.h"

#include "crypto/hpke.h"
#include "tests/unit/hex.h"
#include "tests/unit/key_vectors.h"

#include <stdlib.h>

static struct err err;

static struct identity *
new_identity(enum identity_kind kind, const char *name)
{
	struct identity *id = NULL;

	assert_int_equal(identity_new(kind, name, &id, &err), 0);
	return id;
}

static void
assert_public_equal(
    const struct identity_public *a, const struct identity_public *b)
{
	assert_memory_equal(a->id, b->id, IDENTITY_ID_LEN);
	assert_int_equal(a->kind, b->kind);
	assert_string_equal(a->name, b->name);
	assert_memory_equal(a->seal.b, b->seal.b, KEY_LEN);
	assert_memory_equal(a->sign.b, b->sign.b, KEY_LEN);
}

static void
identity_new__makes_matching_halves(void **state)
{
	AUTO(identity) struct identity *a = new_identity(IDENTITY_HOST, "db1");
	AUTO(identity) struct identity *b = new_identity(IDENTITY_HOST, "db1");
	struct x25519_public seal;
	struct ed25519_public sign;

	(void)state;
	assert_int_equal(hpke_public(&a->seal, &seal, &err), 0);
	assert_memory_equal(a->pub.seal.b, seal.b, KEY_LEN);
	assert_int_equal(sign_public(&a->sign, &sign, &err), 0);
	assert_memory_equal(a->pub.sign.b, sign.b, KEY_LEN);
	assert_string_equal(a->pub.name, "db1");
	assert_memory_not_equal(a->pub.id, b->pub.id, IDENTITY_ID_LEN);
	assert_memory_not_equal(a->seal.b, b->seal.b, KEY_LEN);
	assert_memory_not_equal(a->seal.b, a->sign.b, KEY_LEN);
}

static void
identity_new__refuses_names_unfit_to_print(void **state)
{
	static char longest[IDENTITY_NAME_MAX + 2];
	static const char *const bad[] = {
	    "", "a\nb", "a\x7f", "\x1b[2J",
	    "\xc2\x80",         /* U+0080, a control character */
	    "a\xe2\x80\x8b",    /* U+200B, which does not show */
	    "\xff",             /* never in UTF-8 */
	    "\xc0\x80",         /* overlong */
	    "\xe0\x80\x80",     /* overlong */
	    "\xf0\x80\x80\x80", /* overlong */
	    "\xed\xa0\x80",     /* a surrogate */
	    "\xf4\x90\x80\x80", /* beyond U+10FFFF */
	    "\xe2\x82",         /* cut short */
	    "\xe2(\xa1",        /* not continued */
	    "\x80",             /* not begun */
	};
	static const char *const good[] = {
	    "a", "Ada Lovelace", "J\xc3\xb6rg", /* two bytes */
	    "\xe2\x82\xac",                     /* three */
	    "\xf0\x9f\x94\x91",                 /* four */
	    "\xf4\x8f\xbf\xbf",                 /* U+10FFFF */
	    "\xc2\xa0", /* U+00A0, the first after the controls */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct identity *id;

		assert_int_equal(
		    identity_new(IDENTITY_PERSON, bad[i], &id, &err),
		    ERR_USAGE);
		assert_null(id);
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		identity_free(new_identity(IDENTITY_PERSON, good[i]));
	memset(longest, 'x', IDENTITY_NAME_MAX);
	identity_free(new_identity(IDENTITY_PERSON, longest));
	longest[IDENTITY_NAME_MAX] = 'x';

	struct identity *id;

	assert_int_equal(
	    identity_new(IDENTITY_PERSON, longest, &id, &err), ERR_USAGE);
}

static void
identity_public__survives_coding(void **state)
{
	AUTO(identity)
	struct identity *id = new_identity(IDENTITY_PERSON, "Ada");
	WR_AUTO struct wr w = {0};
	struct identity_public got;
	struct rd r;

	(void)state;
	identity_public_encode(&id->pub, &w);
	wr_u8(&w, 0x77);
	r = rd_init(w.buf, w.len);
	assert_int_equal(identity_public_decode(&r, &got, &err), 0);
	assert_public_equal(&got, &id->pub);
	assert_int_equal(rd_u8(&r), 0x77);
	assert_true(rd_done(&r));
}

static void
identity_public_decode__refuses_what_is_cut_or_odd(void **state)
{
	AUTO(identity)
	struct identity *id = new_identity(IDENTITY_PERSON, "Ada");
	WR_AUTO struct wr w = {0};
	struct identity_public got;
	struct rd r;

	(void)state;
	identity_public_encode(&id->pub, &w);
	for (size_t len = 0; len < w.len; len++) {
		r = rd_init(w.buf, len);
		assert_int_equal(
		    identity_public_decode(&r, &got, &err), ERR_CORRUPT);
	}
	w.buf[0] = 4; /* no such kind */
	r = rd_init(w.buf, w.len);
	assert_int_equal(identity_public_decode(&r, &got, &err), ERR_CORRUPT);
	w.buf[0] = 1;
	w.buf[2] = 0; /* a NUL in the name */
	r = rd_init(w.buf, w.len);
	assert_int_equal(identity_public_decode(&r, &got, &err), ERR_CORRUPT);
}

static void
assert_is_vector(const struct identity *id, const char *name)
{
	struct x25519_private seal;
	struct ed25519_private sign;

	run(0, seal.b, KEY_LEN);
	run(0x20, sign.b, KEY_LEN);
	assert_memory_equal(id->seal.b, seal.b, KEY_LEN);
	assert_memory_equal(id->sign.b, sign.b, KEY_LEN);
	assert_string_equal(id->pub.name, name);
}

static void
identity_decode__opens_the_published_objects(void **state)
{
	AUTO(identity) struct identity *ada = NULL;
	AUTO(identity) struct identity *db1 = NULL;
	uint8_t buf[512];

	(void)state;
	assert_int_equal(
	    identity_decode(buf, hex(V_PERSON, buf), PASSPHRASE, &ada, &err),
	    0);
	assert_is_vector(ada, "Ada");
	assert_int_equal(ada->pub.kind, IDENTITY_PERSON);
	assert_hex(ada->pub.id, V_PERSON_ID);
	assert_int_equal(
	    identity_decode(buf, hex(V_HOST, buf), NULL, &db1, &err), 0);
	assert_is_vector(db1, "db1");
	assert_int_equal(db1->pub.kind, IDENTITY_HOST);
}

static void
identity_encode__locks_a_person_under_a_passphrase(void **state)
{
	AUTO(identity)
	struct identity *id = new_identity(IDENTITY_PERSON, "Ada");
	AUTO(identity) struct identity *got = NULL;
	WR_AUTO struct wr w = {0};
	struct identity_public pub;

	(void)state;
	assert_int_equal(identity_encode(id, PASSPHRASE, &w, &err), 0);
	assert_int_equal(identity_peek(w.buf, w.len, &pub, &err), 0);
	assert_public_equal(&pub, &id->pub);
	assert_int_equal(
	    identity_decode(w.buf, w.len, PASSPHRASE, &got, &err), 0);
	assert_public_equal(&got->pub, &id->pub);
	assert_memory_equal(got->seal.b, id->seal.b, KEY_LEN);
	assert_memory_equal(got->sign.b, id->sign.b, KEY_LEN);
	/* The cost is the one that is promised, and no half lies open. */
	assert_int_equal(w.buf[8 + 1 + 4 + 64], IDENTITY_LOGN);
	assert_null(memmem(w.buf, w.len, id->seal.b, KEY_LEN));
	assert_null(memmem(w.buf, w.len, id->sign.b, KEY_LEN));
}

static void
identity_decode__refuses_a_wrong_passphrase(void **state)
{
	static const char *const wrong[] = {
	    "correct Horse", "correct hors", "correct horse ", ""};
	uint8_t buf[512];
	size_t len = hex(V_PERSON, buf);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct identity *id;

		assert_int_equal(
		    identity_decode(buf, len, wrong[i], &id, &err), ERR_AUTH);
		assert_null(id);
	}
}

static void
identity__wants_a_passphrase_of_persons_only(void **state)
{
	AUTO(identity)
	struct identity *ada = new_identity(IDENTITY_PERSON, "A");
	AUTO(identity) struct identity *db1 = new_identity(IDENTITY_HOST, "d");
	WR_AUTO struct wr w = {0};
	struct identity *id;
	uint8_t buf[512];

	(void)state;
	assert_int_equal(identity_encode(ada, NULL, &w, &err), ERR_USAGE);
	assert_int_equal(identity_encode(ada, "", &w, &err), ERR_USAGE);
	assert_int_equal(identity_encode(db1, "x", &w, &err), ERR_USAGE);
	assert_int_equal(w.len, 0);
	assert_int_equal(
	    identity_decode(buf, hex(V_PERSON, buf), NULL, &id, &err),
	    ERR_USAGE);
	assert_int_equal(
	    identity_decode(buf, hex(V_HOST, buf), "x", &id, &err), ERR_USAGE);
}

/* What the byte at ${i} of an object stands for says how a change shows. */
static int
expected_after_change(size_t i)
{
	if (i < 4 || i == 6 || i == 7)
		return ERR_CORRUPT; /* magic, reserved */
	if (i < 6)
		return ERR_VERSION;
	return 0;
}

static void
identity_decode__refuses_any_change(void **state)
{
	static const char *const objects[] = {V_PERSON, V_HOST};
	static const char *const pass[] = {PASSPHRASE, NULL};
	uint8_t buf[512];

	(void)state;
	for (size_t o = 0; o < ARRAY_LEN(objects); o++) {
		size_t len = hex(objects[o], buf);

		for (size_t i = 0; i < len; i++) {
			struct identity *id;
			int want = expected_after_change(i);
			int rc;

			buf[i] ^= 4;
			rc = identity_decode(buf, len, pass[o], &id, &err);
			if (want != 0)
				assert_int_equal(rc, want);
			else
				assert_true(
				    rc == ERR_AUTH || rc == ERR_CORRUPT);
			assert_null(id);
			buf[i] ^= 4;
		}
	}
}

static void
identity_decode__refuses_other_lengths(void **state)
{
	uint8_t buf[513];
	size_t len = hex(V_HOST, buf);
	struct identity *id;

	(void)state;
	buf[len] = 0;
	assert_int_equal(
	    identity_decode(buf, len + 1, NULL, &id, &err), ERR_CORRUPT);
	for (size_t i = 0; i < len; i++) {
		/* On the heap, so that a sanitizer sees any read beyond. */
		uint8_t *cut = malloc(i + 1);

		memcpy(cut, buf, i);
		assert_int_equal(
		    identity_decode(cut, i, NULL, &id, &err), ERR_CORRUPT);
		free(cut);
	}
}

/* A hostile object may not make its reader spend what it likes. */
static void
identity_peek__refuses_costs_out_of_bounds(void **state)
{
	static const uint8_t bad[][3] = {{0, 0, 0}, {9, 8, 1}, {21, 8, 1},
	    {255, 8, 1}, {16, 7, 1}, {16, 9, 1}, {16, 255, 1}, {16, 8, 0},
	    {16, 8, 5}, {16, 8, 255}};
	static const uint8_t good[][3] = {{11, 8, 1}, {20, 8, 4}};
	const size_t at = 8 + 1 + 4 + 64;
	struct identity_public pub;
	uint8_t buf[512];
	size_t len = hex(V_PERSON, buf);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		memcpy(buf + at, bad[i], 3);
		assert_int_equal(
		    identity_peek(buf, len, &pub, &err), ERR_CORRUPT);
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		memcpy(buf + at, good[i], 3);
		/* It could be, but nobody signed it. */
		assert_int_equal(identity_peek(buf, len, &pub, &err), ERR_AUTH);
	}
	/* And a host's has none at all, nor a salt. */
	len = hex(V_HOST, buf);
	memcpy(buf + at, good[0], 3);
	assert_int_equal(identity_peek(buf, len, &pub, &err), ERR_CORRUPT);
	len = hex(V_HOST, buf);
	buf[at + 3] = 1;
	assert_int_equal(identity_peek(buf, len, &pub, &err), ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(identity_new__makes_matching_halves),
	    cmocka_unit_test(identity_new__refuses_names_unfit_to_print),
	    cmocka_unit_test(identity_public__survives_coding),
	    cmocka_unit_test(
		identity_public_decode__refuses_what_is_cut_or_odd),
	    cmocka_unit_test(identity_decode__opens_the_published_objects),
	    cmocka_unit_test(
		identity_encode__locks_a_person_under_a_passphrase),
	    cmocka_unit_test(identity_decode__refuses_a_wrong_passphrase),
	    cmocka_unit_test(identity__wants_a_passphrase_of_persons_only),
	    cmocka_unit_test(identity_decode__refuses_any_change),
	    cmocka_unit_test(identity_decode__refuses_other_lengths),
	    cmocka_unit_test(identity_peek__refuses_costs_out_of_bounds),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
