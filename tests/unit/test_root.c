#include "crypto/root.h"

#include "tests/unit/key_fixture.h"

#include <ctype.h>
#include <stdlib.h>

static void
root_decode__reads_the_published_root(void **state)
{
	struct key_fixture *f = *state;
	uint8_t store[STORE_ID_LEN];
	char text[FINGERPRINT_TEXT];

	run(0xc0, store, sizeof(store));
	assert_memory_equal(f->root.store, store, sizeof(store));
	assert_true(f->root.created == CREATED);
	assert_memory_equal(f->root.admin.id, f->ada->pub.id, IDENTITY_ID_LEN);
	assert_memory_equal(
	    f->root.master_seal.b, f->master->seal_pub.b, KEY_LEN);
	assert_memory_equal(
	    f->root.master_sign.b, f->master->sign_pub.b, KEY_LEN);
	root_fingerprint_text(f->root.fingerprint, text);
	assert_string_equal(text, V_FINGERPRINT);
}

static void
root_create__makes_what_root_decode_reads(void **state)
{
	struct key_fixture *f = *state;
	WR_AUTO struct wr w = {0};
	WR_AUTO struct wr w2 = {0};
	struct root made, read, other;

	assert_int_equal(
	    root_create(f->ada, f->master, -5, &w, &made, &f->err), 0);
	assert_int_equal(root_decode(w.buf, w.len, &read, &f->err), 0);
	assert_memory_equal(made.fingerprint, read.fingerprint, 32);
	assert_memory_equal(made.store, read.store, STORE_ID_LEN);
	assert_true(read.created == -5);
	assert_string_equal(read.admin.name, "Ada");
	assert_int_equal(
	    root_create(f->ada, f->master, -5, &w2, &other, &f->err), 0);
	assert_memory_not_equal(made.store, other.store, STORE_ID_LEN);
}

static void
root_decode__refuses_any_change(void **state)
{
	struct key_fixture *f = *state;
	uint8_t buf[513];
	size_t len = hex(V_ROOT, buf);
	struct root root;

	for (size_t i = 0; i < len; i++) {
		int rc;

		buf[i] ^= 0x20;
		rc = root_decode(buf, len, &root, &f->err);
		assert_changed(i, rc);
		buf[i] ^= 0x20;
	}
	buf[len] = 0;
	assert_int_equal(
	    root_decode(buf, len + 1, &root, &f->err), ERR_CORRUPT);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(
		    root_decode(buf, i, &root, &f->err), ERR_CORRUPT);
}

static void
master_from_seed__gives_pairs_that_match(void **state)
{
	struct key_fixture *f = *state;
	AUTO(master) struct master *a = NULL;
	AUTO(master) struct master *b = NULL;

	assert_int_equal(master_new(&a, &f->err), 0);
	assert_int_equal(master_from_seed(&a->seed, &b, &f->err), 0);
	assert_memory_equal(a, b, sizeof(*a));
	assert_memory_not_equal(a->seal.b, a->sign.b, KEY_LEN);
	assert_memory_not_equal(a->seed.b, f->master->seed.b, KEY_LEN);
}

static void
recovery_parse__reads_the_published_key(void **state)
{
	struct key_fixture *f = *state;
	AUTO(recovery) struct recovery *r = NULL;
	char text[RECOVERY_TEXT];
	uint8_t key[KEY_LEN];

	assert_int_equal(recovery_parse(V_RECOVERY_TEXT, &r, &f->err), 0);
	run(0x11, key, sizeof(key));
	assert_memory_equal(r->key.b, key, sizeof(key));
	recovery_text(r, text);
	assert_string_equal(text, V_RECOVERY_TEXT);
}

/* As people type: small letters, blanks, other groups. */
static void
recovery_parse__is_lenient_about_form(void **state)
{
	struct key_fixture *f = *state;
	AUTO(recovery) struct recovery *r = NULL;
	AUTO(recovery) struct recovery *got = NULL;
	char text[RECOVERY_TEXT], typed[2 * RECOVERY_TEXT];
	size_t n = 0;

	assert_int_equal(recovery_new(&r, &f->err), 0);
	recovery_text(r, text);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '-')
			continue;
		if (n % 7 == 0)
			typed[n++] = ' ';
		typed[n++] = (char)tolower(*p);
	}
	typed[n++] = '\n';
	typed[n] = '\0';
	assert_int_equal(recovery_parse(typed, &got, &f->err), 0);
	assert_memory_equal(got->key.b, r->key.b, KEY_LEN);
}

static void
recovery_parse__refuses_every_single_mistake(void **state)
{
	struct key_fixture *f = *state;
	char text[] = V_RECOVERY_TEXT;
	struct recovery *r;

	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		char c = text[i];

		if (c == '-')
			continue;
		text[i] = c == 'A' ? 'B' : 'A';
		assert_int_equal(recovery_parse(text, &r, &f->err), ERR_USAGE);
		assert_null(r);
		text[i] = c;
	}
}

static void
recovery_parse__refuses_other_texts(void **state)
{
	static const char *const bad[] = {
	    "",
	    "hello",
	    V_RECOVERY_TEXT "A",
	    "1" V_RECOVERY_TEXT,
	    V_RECOVERY_TEXT V_RECOVERY_TEXT,
	    V_FINGERPRINT,
	    "CEJB-GFAV-CYLR-QGI2-DMOB-2HQ7-EAQS-EIZE-EUTC-OKBJ-FIVS-YLJO-F4YK",
	    "CEJB_GFAV",
	    "\xff\x80",
	};
	struct key_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct recovery *r;

		assert_int_equal(
		    recovery_parse(bad[i], &r, &f->err), ERR_USAGE);
		assert_null(r);
	}
}

static void
recovery_open__opens_the_published_object(void **state)
{
	struct key_fixture *f = *state;
	AUTO(recovery) struct recovery *r = NULL;
	AUTO(master) struct master *m = NULL;
	uint8_t buf[256];
	size_t len = hex(V_RECOVERY, buf);

	assert_int_equal(recovery_parse(V_RECOVERY_TEXT, &r, &f->err), 0);
	assert_int_equal(recovery_open(r, &f->root, buf, len, &m, &f->err), 0);
	assert_memory_equal(m, f->master, sizeof(*m));
}

static void
recovery_seal__gives_the_master_key_to_its_holder_only(void **state)
{
	struct key_fixture *f = *state;
	AUTO(recovery) struct recovery *r = NULL;
	AUTO(recovery) struct recovery *wrong = NULL;
	AUTO(master) struct master *m = NULL;
	WR_AUTO struct wr w = {0};

	assert_int_equal(recovery_new(&r, &f->err), 0);
	assert_int_equal(recovery_new(&wrong, &f->err), 0);
	assert_int_equal(recovery_seal(r, &f->root, f->master, &w, &f->err), 0);
	assert_int_equal(
	    recovery_open(wrong, &f->root, w.buf, w.len, &m, &f->err),
	    ERR_AUTH);
	assert_null(m);
	assert_int_equal(
	    recovery_open(r, &f->root, w.buf, w.len, &m, &f->err), 0);
	assert_memory_equal(m->seed.b, f->master->seed.b, KEY_LEN);
}

static void
recovery_open__refuses_another_store(void **state)
{
	struct key_fixture *f = *state;
	AUTO(recovery) struct recovery *r = NULL;
	AUTO(master) struct master *other = NULL;
	WR_AUTO struct wr root_bytes = {0};
	WR_AUTO struct wr w = {0};
	struct master *m;
	struct root root;

	assert_int_equal(recovery_new(&r, &f->err), 0);
	assert_int_equal(
	    root_create(f->ada, f->master, 0, &root_bytes, &root, &f->err), 0);
	assert_int_equal(recovery_seal(r, &root, f->master, &w, &f->err), 0);
	assert_int_equal(
	    recovery_open(r, &f->root, w.buf, w.len, &m, &f->err), ERR_AUTH);
	/* The same store id, but another root. */
	memcpy(root.store, f->root.store, STORE_ID_LEN);
	wr_reset(&w);
	assert_int_equal(recovery_seal(r, &root, f->master, &w, &f->err), 0);
	assert_int_equal(
	    recovery_open(r, &f->root, w.buf, w.len, &m, &f->err), ERR_AUTH);
	/* The right root, but not the master key that it names. */
	assert_int_equal(master_new(&other, &f->err), 0);
	wr_reset(&w);
	assert_int_equal(recovery_seal(r, &f->root, other, &w, &f->err), 0);
	assert_int_equal(
	    recovery_open(r, &f->root, w.buf, w.len, &m, &f->err), ERR_AUTH);
	assert_null(m);
}

static void
recovery_open__refuses_any_change(void **state)
{
	struct key_fixture *f = *state;
	AUTO(recovery) struct recovery *r = NULL;
	uint8_t buf[256];
	size_t len = hex(V_RECOVERY, buf);
	struct master *m;

	assert_int_equal(recovery_parse(V_RECOVERY_TEXT, &r, &f->err), 0);
	for (size_t i = 0; i < len; i++) {
		int rc;

		buf[i] ^= 1;
		rc = recovery_open(r, &f->root, buf, len, &m, &f->err);
		assert_changed(i, rc);
		if (i >= 8)
			assert_int_equal(rc, ERR_AUTH);
		buf[i] ^= 1;
	}
	buf[len] = 0;
	assert_int_equal(
	    recovery_open(r, &f->root, buf, len + 1, &m, &f->err), ERR_CORRUPT);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(
		    recovery_open(r, &f->root, buf, i, &m, &f->err),
		    ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(root_decode__reads_the_published_root),
	    cmocka_unit_test(root_create__makes_what_root_decode_reads),
	    cmocka_unit_test(root_decode__refuses_any_change),
	    cmocka_unit_test(master_from_seed__gives_pairs_that_match),
	    cmocka_unit_test(recovery_parse__reads_the_published_key),
	    cmocka_unit_test(recovery_parse__is_lenient_about_form),
	    cmocka_unit_test(recovery_parse__refuses_every_single_mistake),
	    cmocka_unit_test(recovery_parse__refuses_other_texts),
	    cmocka_unit_test(recovery_open__opens_the_published_object),
	    cmocka_unit_test(
		recovery_seal__gives_the_master_key_to_its_holder_only),
	    cmocka_unit_test(recovery_open__refuses_another_store),
	    cmocka_unit_test(recovery_open__refuses_any_change),
	};

	return cmocka_run_group_tests_name(
	    "root", tests, key_fixture_new, key_fixture_free);
}
