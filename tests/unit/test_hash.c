#include "crypto/hash.h"

#include "tests/unit/hex.h"

#include <stdlib.h>

static struct err err;

/* FIPS 180-4's examples, as NIST publishes them. */
static void
sha256__matches_published_examples(void **state)
{
	static const struct {
		const char *msg, *digest;
	} cases[] = {
	    {"", "e3b0c44298fc1c149afbf4c8996fb924"
		 "27ae41e4649b934ca495991b7852b855"},
	    {"abc", "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039"
		"a33ce45964ff2167f6ecedd419db06c1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t out[HASH_LEN], want[HASH_LEN];

		hex(cases[i].digest, want);
		assert_int_equal(
		    sha256(cases[i].msg, strlen(cases[i].msg), out, &err), 0);
		assert_memory_equal(out, want, HASH_LEN);
	}
}

static void
sha256_final__starts_over(void **state)
{
	AUTO(sha256_ctx) struct sha256_ctx *ctx = NULL;
	uint8_t whole[HASH_LEN], parts[HASH_LEN];

	(void)state;
	assert_int_equal(sha256("abc", 3, whole, &err), 0);
	assert_int_equal(sha256_new(&ctx, &err), 0);
	for (int round = 0; round < 2; round++) {
		memset(parts, 0, sizeof(parts));
		assert_int_equal(sha256_update(ctx, "a", 1, &err), 0);
		assert_int_equal(sha256_update(ctx, "bc", 2, &err), 0);
		assert_int_equal(sha256_final(ctx, parts, &err), 0);
		assert_memory_equal(parts, whole, HASH_LEN);
	}
}

/* OpenSSL gets them in pieces. */
static void
sha256_update__of_any_length_is_sha256(void **state)
{
	static const size_t lens[] = {
	    0, 1, 4095, 4096, 4097, 8191, 8192, 12289, 100000};
	static uint8_t buf[100000];
	AUTO(sha256_ctx) struct sha256_ctx *ctx = NULL;
	uint8_t whole[HASH_LEN], pieces[HASH_LEN];

	(void)state;
	assert_int_equal(random_bytes(buf, sizeof(buf), &err), 0);
	assert_int_equal(sha256_new(&ctx, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		assert_int_equal(sha256(buf, lens[i], whole, &err), 0);
		assert_int_equal(sha256_update(ctx, buf, lens[i], &err), 0);
		assert_int_equal(sha256_final(ctx, pieces, &err), 0);
		assert_memory_equal(pieces, whole, HASH_LEN);
	}
}

struct hmac_case {
	const char *key, *data, *mac;
};

#define AA20 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define AA131 AA20 AA20 AA20 AA20 AA20 AA20 "aaaaaaaaaaaaaaaaaaaaaa"
#define DD10 "dddddddddddddddddddd"
#define CD10 "cdcdcdcdcdcdcdcdcdcd"

/* RFC 4231, section 4; case 5, whose output is truncated, by its 16 bytes. */
static const struct hmac_case rfc4231[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {AA20, DD10 DD10 DD10 DD10 DD10,
	"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
	CD10 CD10 CD10 CD10 CD10,
	"82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
	"546573742057697468205472756e636174696f6e",
	"a3b6167473100ee06e0c796c2955552b"},
    {AA131,
	"54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65"
	"204b6579202d2048617368204b6579204669727374",
	"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {AA131,
	"5468697320697320612074657374207573696e672061206c6172676572207468616e"
	"20626c6f636b2d73697a65206b657920616e642061206c6172676572207468616e20"
	"626c6f636b2d73697a6520646174612e20546865206b6579206e6565647320746f20"
	"626520686173686564206265666f7265206265696e67207573656420627920746865"
	"20484d414320616c676f726974686d2e",
	"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static void
hmac_sha256__matches_rfc_4231(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rfc4231); i++) {
		uint8_t key[160], data[160], want[HASH_LEN], out[HASH_LEN];
		size_t keylen = hex(rfc4231[i].key, key);
		size_t len = hex(rfc4231[i].data, data);
		size_t outlen = hex(rfc4231[i].mac, want);

		assert_int_equal(
		    hmac_sha256(key, keylen, data, len, out, &err), 0);
		assert_memory_equal(out, want, outlen);
	}
}

static void
hmac_sha256__takes_an_empty_key_and_message(void **state)
{
	uint8_t out[HASH_LEN];

	(void)state;
	assert_int_equal(hmac_sha256(NULL, 0, NULL, 0, out, &err), 0);
	assert_hex(out, "b613679a0814d9ec772f95d778c35fc5"
			"ff1697c493715653c6c712144292c5ad");
}

static void
random_bytes__fills_all_of_it(void **state)
{
	static uint8_t a[100000], b[100000];
	size_t equal = 0;

	(void)state;
	assert_int_equal(random_bytes(a, sizeof(a), &err), 0);
	assert_int_equal(random_bytes(b, sizeof(b), &err), 0);
	for (size_t i = 0; i < sizeof(a); i++)
		equal += a[i] == b[i];
	/* 391 are expected; 1,000 is 30 standard deviations away. */
	assert_true(equal < 1000);
}

static void
ct_equal__compares_every_byte(void **state)
{
	uint8_t a[33] = {0}, b[33] = {0};

	(void)state;
	assert_true(ct_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(b); i++) {
		b[i] = 0x80;
		assert_false(ct_equal(a, b, sizeof(a)));
		b[i] = 0;
	}
	b[32] = 1;
	assert_true(ct_equal(a, b, 32));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256__matches_published_examples),
	    cmocka_unit_test(sha256_final__starts_over),
	    cmocka_unit_test(sha256_update__of_any_length_is_sha256),
	    cmocka_unit_test(hmac_sha256__matches_rfc_4231),
	    cmocka_unit_test(hmac_sha256__takes_an_empty_key_and_message),
	    cmocka_unit_test(random_bytes__fills_all_of_it),
	    cmocka_unit_test(ct_equal__compares_every_byte),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
