#include "crypto/keyset.h"

#include "tests/unit/key_fixture.h"

static struct keyset *
published(struct key_fixture *f)
{
	struct keyset *ks = NULL;
	uint8_t buf[256];
	struct rd r = rd_init(buf, hex(V_KEYSET_PRIVATE, buf));

	assert_int_equal(keyset_decode(&r, &ks, &f->err), 0);
	return ks;
}

static void
keyset_name_check__takes_names_fit_for_a_mount(void **state)
{
	static const char *const good[] = {"customers", "db/clarity", "a/b/c/d",
	    "x", "2026", "2026-11-2", "2026-11-21T14", "2026-11-211", "latest2",
	    "Latest", "...", ".hidden", "a-b", "a b", "J\xc3\xb6rg",
	    "2026_11_21"};
	struct key_fixture *f = *state;
	char longest[DATASET_NAME_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(keyset_name_check(good[i], &f->err), 0);
	memset(longest, 'x', sizeof(longest));
	longest[DATASET_NAME_MAX] = '\0';
	assert_int_equal(keyset_name_check(longest, &f->err), 0);
	longest[DATASET_NAME_MAX] = 'x';
	longest[DATASET_NAME_MAX + 1] = '\0';
	assert_int_equal(keyset_name_check(longest, &f->err), ERR_USAGE);
}

static void
keyset_name_check__says_which_rule_is_broken(void **state)
{
	static const struct {
		const char *name, *why;
	} bad[] = {
	    {"", "is empty"},
	    {"/", "has an empty folder"},
	    {"/a", "has an empty folder"},
	    {"a/", "has an empty folder"},
	    {"a//b", "has an empty folder"},
	    {".", "has a folder '.' or '..'"},
	    {"a/../b", "has a folder '.' or '..'"},
	    {"latest", "has a folder 'latest'"},
	    {"a/latest/b", "has a folder 'latest'"},
	    {"-rf", "has a folder that starts with '-'"},
	    {"a/-b", "has a folder that starts with '-'"},
	    {"2026-11-21", "has a folder that looks like a date"},
	    {"a/9999-99-99", "has a folder that looks like a date"},
	    {"@x", "has an '@' or a ':'"},
	    {"a@b", "has an '@' or a ':'"},
	    {"a:b", "has an '@' or a ':'"},
	    {"a\nb", "is not UTF-8 without control characters"},
	    {"a\xff", "is not UTF-8 without control characters"},
	};
	struct key_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(
		    keyset_name_check(bad[i].name, &f->err), ERR_USAGE);
		assert_non_null(strstr(f->err.text, bad[i].why));
	}
}

/* What there is already can be read. */
static void
keyset_name_check_new__refuses_what_looks_like_others(void **state)
{
	static const struct {
		const char *name, *why;
	} bad[] = {
	    {"a\xe2\x80\xae/b", "don't show"}, /* U+202E */
	    {"a\xef\xbb\xbf", "don't show"},   /* U+FEFF */
	    {"a\xc2\xad/b", "don't show"},     /* U+00AD */
	    {" ", "starts or ends with a blank"},
	    {"a/b /c", "starts or ends with a blank"},
	    {"a/ b", "starts or ends with a blank"},
	};
	static const char *const good[] = {"a b/c", "\xe2\x80\xaf", "\xd9\x85"};
	struct key_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(keyset_name_check(bad[i].name, &f->err), 0);
		assert_int_equal(
		    keyset_name_check_new(bad[i].name, &f->err), ERR_USAGE);
		assert_non_null(strstr(f->err.text, bad[i].why));
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(keyset_name_check_new(good[i], &f->err), 0);
	assert_int_equal(keyset_name_check_new("a:b", &f->err), ERR_USAGE);
}

static void
keyset_new__starts_at_epoch_1_with_fresh_keys(void **state)
{
	struct key_fixture *f = *state;
	AUTO(keyset) struct keyset *a = NULL;
	AUTO(keyset) struct keyset *b = NULL;
	struct keyset *bad;
	struct x25519_public pub;

	assert_int_equal(keyset_new("customers", &a, &f->err), 0);
	assert_int_equal(keyset_new("customers", &b, &f->err), 0);
	assert_string_equal(a->name, "customers");
	assert_int_equal(a->epoch, 1);
	assert_true(a->has_private);
	assert_int_equal(hpke_public(&a->seal, &pub, &f->err), 0);
	assert_memory_equal(a->seal_pub.b, pub.b, KEY_LEN);
	assert_memory_not_equal(a->dataset, b->dataset, DATASET_ID_LEN);
	assert_memory_not_equal(a->seal.b, b->seal.b, KEY_LEN);
	assert_memory_not_equal(a->id.b, b->id.b, KEY_LEN);
	assert_memory_not_equal(a->index.b, b->index.b, KEY_LEN);
	assert_memory_not_equal(a->index.b, a->id.b, KEY_LEN);
	assert_int_equal(keyset_new("a//b", &bad, &f->err), ERR_USAGE);
	assert_null(bad);
}

static void
keyset_next__changes_all_but_the_id_key(void **state)
{
	struct key_fixture *f = *state;
	AUTO(keyset) struct keyset *a = NULL;
	AUTO(keyset) struct keyset *b = NULL;
	struct keyset *c;
	struct x25519_public pub;

	assert_int_equal(keyset_new("customers", &a, &f->err), 0);
	assert_int_equal(keyset_next(a, &b, &f->err), 0);
	assert_memory_equal(a->dataset, b->dataset, DATASET_ID_LEN);
	assert_string_equal(b->name, "customers");
	assert_int_equal(b->epoch, 2);
	assert_true(b->has_private);
	assert_int_equal(hpke_public(&b->seal, &pub, &f->err), 0);
	assert_memory_equal(b->seal_pub.b, pub.b, KEY_LEN);
	assert_memory_equal(a->id.b, b->id.b, KEY_LEN);
	assert_memory_not_equal(a->seal.b, b->seal.b, KEY_LEN);
	assert_memory_not_equal(a->seal_pub.b, b->seal_pub.b, KEY_LEN);
	assert_memory_not_equal(a->index.b, b->index.b, KEY_LEN);
	a->epoch = UINT32_MAX;
	assert_int_equal(keyset_next(a, &c, &f->err), ERR_USAGE);
	assert_null(c);
}

static void
keyset_decode__reads_the_published_key_sets(void **state)
{
	struct key_fixture *f = *state;
	AUTO(keyset) struct keyset *ks = published(f);
	AUTO(keyset) struct keyset *pub = NULL;
	uint8_t buf[256], want[KEY_LEN], none[KEY_LEN] = {0};
	struct rd r;

	assert_string_equal(ks->name, "db/clarity");
	assert_int_equal(ks->epoch, 2);
	assert_true(ks->has_private);
	run(0x51, want, sizeof(want));
	assert_memory_equal(ks->seal.b, want, KEY_LEN);
	run(0x71, want, sizeof(want));
	assert_memory_equal(ks->id.b, want, KEY_LEN);
	run(0x91, want, sizeof(want));
	assert_memory_equal(ks->index.b, want, KEY_LEN);

	r = rd_init(buf, hex(V_KEYSET_PUBLIC, buf));
	assert_int_equal(keyset_decode(&r, &pub, &f->err), 0);
	assert_false(pub->has_private);
	assert_memory_equal(pub->seal.b, none, KEY_LEN);
	assert_memory_equal(pub->seal_pub.b, ks->seal_pub.b, KEY_LEN);
	assert_memory_equal(pub->id.b, ks->id.b, KEY_LEN);
}

static void
keyset_encode__writes_the_published_bytes(void **state)
{
	struct key_fixture *f = *state;
	AUTO(keyset) struct keyset *ks = published(f);
	WR_AUTO struct wr w = {.secret = true};

	keyset_encode(ks, true, &w);
	assert_int_equal(2 * w.len, strlen(V_KEYSET_PRIVATE));
	assert_hex(w.buf, V_KEYSET_PRIVATE);
	wr_reset(&w);
	keyset_encode(ks, false, &w);
	assert_int_equal(2 * w.len, strlen(V_KEYSET_PUBLIC));
	assert_hex(w.buf, V_KEYSET_PUBLIC);
	/* What isn't there can't be given. */
	wr_reset(&w);
	ks->has_private = false;
	keyset_encode(ks, true, &w);
	assert_true(w.failed);
}

static void
keyset_decode__refuses_malformed_bytes(void **state)
{
	struct key_fixture *f = *state;
	uint8_t buf[256] = {0};
	size_t len = hex(V_KEYSET_PRIVATE, buf);
	struct keyset *ks;
	struct rd r;

	for (size_t i = 0; i < len; i++) {
		r = rd_init(buf, i);
		assert_int_equal(keyset_decode(&r, &ks, &f->err), ERR_CORRUPT);
		assert_null(ks);
	}
	r = rd_init(buf, len + 1);
	assert_int_equal(keyset_decode(&r, &ks, &f->err), ERR_CORRUPT);
	buf[0] = 2; /* neither with nor without */
	r = rd_init(buf, len);
	assert_int_equal(keyset_decode(&r, &ks, &f->err), ERR_CORRUPT);
	buf[0] = 1;
	buf[17] = 0; /* epoch 0 */
	r = rd_init(buf, len);
	assert_int_equal(keyset_decode(&r, &ks, &f->err), ERR_CORRUPT);
	buf[17] = 2;
	buf[22] = '@'; /* a name that can't be */
	r = rd_init(buf, len);
	assert_int_equal(keyset_decode(&r, &ks, &f->err), ERR_CORRUPT);
	buf[22] = 0;
	r = rd_init(buf, len);
	assert_int_equal(keyset_decode(&r, &ks, &f->err), ERR_CORRUPT);
}

static void
keyset_open__opens_the_published_object(void **state)
{
	struct key_fixture *f = *state;
	AUTO(keyset) struct keyset *want = published(f);
	AUTO(keyset) struct keyset *got = NULL;
	struct keyset_head head;
	uint8_t buf[512];
	size_t len = hex(V_KEYSET, buf);

	assert_int_equal(keyset_peek(buf, len, &head, &f->err), 0);
	assert_memory_equal(head.dataset, want->dataset, DATASET_ID_LEN);
	assert_int_equal(head.epoch, 2);
	assert_memory_equal(head.signer, f->ada->pub.id, IDENTITY_ID_LEN);
	assert_int_equal(keyset_open(buf, len, &f->root, &f->ada->pub.sign,
			     f->master, &got, &f->err),
	    0);
	assert_memory_equal(got, want, sizeof(*got));
}

static void
keyset_seal__makes_what_keyset_open_reads(void **state)
{
	struct key_fixture *f = *state;
	AUTO(keyset) struct keyset *ks = published(f);
	AUTO(keyset) struct keyset *by_admin = NULL;
	AUTO(keyset) struct keyset *by_master = NULL;
	const uint8_t none[IDENTITY_ID_LEN] = {0};
	struct keyset_head head;
	WR_AUTO struct wr w = {0};
	struct keyset *bad;

	assert_int_equal(
	    keyset_seal(ks, &f->root, f->ada, NULL, &w, &f->err), 0);
	assert_int_equal(keyset_open(w.buf, w.len, &f->root, &f->ada->pub.sign,
			     f->master, &by_admin, &f->err),
	    0);
	assert_memory_equal(by_admin, ks, sizeof(*ks));
	assert_int_equal(
	    keyset_open(w.buf, w.len, &f->root, NULL, f->master, &bad, &f->err),
	    ERR_AUTH);

	wr_reset(&w);
	assert_int_equal(
	    keyset_seal(ks, &f->root, NULL, f->master, &w, &f->err), 0);
	assert_int_equal(keyset_peek(w.buf, w.len, &head, &f->err), 0);
	assert_memory_equal(head.signer, none, sizeof(none));
	assert_int_equal(keyset_open(w.buf, w.len, &f->root, NULL, f->master,
			     &by_master, &f->err),
	    0);
	assert_memory_equal(by_master, ks, sizeof(*ks));
	assert_int_equal(keyset_open(w.buf, w.len, &f->root, &f->ada->pub.sign,
			     f->master, &bad, &f->err),
	    ERR_AUTH);
	assert_null(bad);
}

static void
keyset_seal__needs_the_private_half_and_a_signer(void **state)
{
	struct key_fixture *f = *state;
	AUTO(keyset) struct keyset *ks = published(f);
	WR_AUTO struct wr w = {0};

	assert_int_equal(
	    keyset_seal(ks, &f->root, NULL, NULL, &w, &f->err), ERR_USAGE);
	ks->has_private = false;
	assert_int_equal(
	    keyset_seal(ks, &f->root, f->ada, NULL, &w, &f->err), ERR_USAGE);
	assert_int_equal(w.len, 0);
}

static void
keyset_open__refuses_other_keys_and_stores(void **state)
{
	struct key_fixture *f = *state;
	AUTO(master) struct master *other = NULL;
	uint8_t buf[512];
	size_t len = hex(V_KEYSET, buf);
	struct root root = f->root;
	struct keyset *ks;

	assert_int_equal(master_new(&other, &f->err), 0);
	assert_int_equal(keyset_open(buf, len, &f->root, &f->ada->pub.sign,
			     other, &ks, &f->err),
	    ERR_AUTH);
	assert_int_equal(keyset_open(buf, len, &f->root, &other->sign_pub,
			     f->master, &ks, &f->err),
	    ERR_AUTH);
	root.store[0] ^= 1;
	assert_int_equal(keyset_open(buf, len, &root, &f->ada->pub.sign,
			     f->master, &ks, &f->err),
	    ERR_AUTH);
	assert_null(ks);
}

static void
keyset_open__refuses_any_change(void **state)
{
	struct key_fixture *f = *state;
	uint8_t buf[513];
	size_t len = hex(V_KEYSET, buf);
	struct keyset *ks;
	struct keyset_head head;

	for (size_t i = 0; i < len; i++) {
		int rc;

		buf[i] ^= 2;
		rc = keyset_open(buf, len, &f->root, &f->ada->pub.sign,
		    f->master, &ks, &f->err);
		assert_changed(i, rc);
		assert_null(ks);
		buf[i] ^= 2;
	}
	buf[len] = 0;
	assert_int_equal(
	    keyset_peek(buf, len + 1, &head, &f->err), ERR_CORRUPT);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(
		    keyset_peek(buf, i, &head, &f->err), ERR_CORRUPT);
}

static void
keyset_claim__says_what_the_keys_call_the_dataset(void **state)
{
	struct key_fixture *f = *state;
	AUTO(keyset) struct keyset *want = published(f);
	AUTO(master) struct master *other = NULL;
	char name[DATASET_NAME_MAX + 1];
	uint8_t buf[512];
	size_t len = hex(V_KEYSET, buf);

	assert_int_equal(keyset_claim(buf, len, f->master, name, &f->err), 0);
	assert_string_equal(name, want->name);
	assert_int_equal(
	    keyset_claim(buf, len - 1, f->master, name, &f->err), ERR_CORRUPT);
	assert_int_equal(master_new(&other, &f->err), 0);
	assert_int_equal(
	    keyset_claim(buf, len, other, name, &f->err), ERR_AUTH);
	buf[8] ^= 1; /* another store */
	assert_int_equal(
	    keyset_claim(buf, len, f->master, name, &f->err), ERR_AUTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keyset_name_check__takes_names_fit_for_a_mount),
	    cmocka_unit_test(keyset_name_check__says_which_rule_is_broken),
	    cmocka_unit_test(
		keyset_name_check_new__refuses_what_looks_like_others),
	    cmocka_unit_test(keyset_new__starts_at_epoch_1_with_fresh_keys),
	    cmocka_unit_test(keyset_next__changes_all_but_the_id_key),
	    cmocka_unit_test(keyset_decode__reads_the_published_key_sets),
	    cmocka_unit_test(keyset_encode__writes_the_published_bytes),
	    cmocka_unit_test(keyset_decode__refuses_malformed_bytes),
	    cmocka_unit_test(keyset_open__opens_the_published_object),
	    cmocka_unit_test(keyset_seal__makes_what_keyset_open_reads),
	    cmocka_unit_test(keyset_seal__needs_the_private_half_and_a_signer),
	    cmocka_unit_test(keyset_open__refuses_other_keys_and_stores),
	    cmocka_unit_test(keyset_open__refuses_any_change),
	    cmocka_unit_test(keyset_claim__says_what_the_keys_call_the_dataset),
	};

	return cmocka_run_group_tests_name(
	    "keyset", tests, key_fixture_new, key_fixture_free);
}
