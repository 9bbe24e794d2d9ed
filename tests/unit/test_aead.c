#include "crypto/aead_internal.h"

#include "tests/unit/hex.h"

static struct err err;

#define KEY_T15                                                                \
	"feffe9928665731c6d6a8f9467308308"                                     \
	"feffe9928665731c6d6a8f9467308308"
#define PT_T15                                                                 \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"     \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define CT_T15                                                                 \
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"     \
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
#define ZERO16 "00000000000000000000000000000000"

/*
 * McGrew and Viega, 'The Galois/Counter Mode of Operation', appendix B: the
 * cases with a 256-bit key and a 96-bit nonce (13 to 16).
 */
static const struct {
	const char *key, *nonce, *ad, *pt, *ct, *tag;
} gcm[] = {
    {ZERO16 ZERO16, "000000000000000000000000", "", "", "",
	"530f8afbc74536b9a963b4f1c4cb738b"},
    {ZERO16 ZERO16, "000000000000000000000000", "", ZERO16,
	"cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {KEY_T15, "cafebabefacedbaddecaf888", "", PT_T15 "1aafd255",
	CT_T15 "898015ad", "b094dac5d93471bdec1a502270e3cc6c"},
    {KEY_T15, "cafebabefacedbaddecaf888",
	"feedfacedeadbeeffeedfacedeadbeefabaddad2", PT_T15, CT_T15,
	"76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void
aead_seal_nonce__matches_published_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gcm); i++) {
		AUTO(aead) struct aead *a = NULL;
		struct key32 key;
		uint8_t nonce[AEAD_NONCE_LEN], ad[32], pt[64];
		uint8_t want[80], out[80], back[64];
		size_t adlen = hex(gcm[i].ad, ad);
		size_t len = hex(gcm[i].pt, pt);

		hex(gcm[i].key, key.b);
		hex(gcm[i].nonce, nonce);
		assert_int_equal(hex(gcm[i].ct, want), len);
		hex(gcm[i].tag, want + len);
		assert_int_equal(aead_new(&key, &a, &err), 0);
		assert_int_equal(
		    aead_seal_nonce(a, nonce, ad, adlen, pt, len, out, &err),
		    0);
		assert_memory_equal(out, want, len + AEAD_TAG_LEN);
		assert_int_equal(aead_open_nonce(a, nonce, ad, adlen, out,
				     len + AEAD_TAG_LEN, back, &err),
		    0);
		assert_memory_equal(back, pt, len);
	}
}

static void
aead_seal__puts_the_counter_last_and_big_endian(void **state)
{
	AUTO(aead) struct aead *a = NULL;
	const struct key32 key = {{7}};
	uint8_t nonce[AEAD_NONCE_LEN], x[20], y[20];

	(void)state;
	hex("000000000102030405060708", nonce);
	assert_int_equal(aead_new(&key, &a, &err), 0);
	assert_int_equal(aead_seal(a, 0x0102030405060708, "ad", 2,
			     (const uint8_t *)"text", 4, x, &err),
	    0);
	assert_int_equal(aead_seal_nonce(a, nonce, "ad", 2,
			     (const uint8_t *)"text", 4, y, &err),
	    0);
	assert_memory_equal(x, y, sizeof(x));
}

static void
aead_open__takes_many_lengths_in_place(void **state)
{
	static uint8_t buf[70000 + AEAD_TAG_LEN];
	static const size_t lens[] = {0, 1, 15, 16, 17, 4096, 65536, 70000};
	AUTO(aead) struct aead *a = NULL;
	const struct key32 key = {{9}};

	(void)state;
	assert_int_equal(aead_new(&key, &a, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		memset(buf, (int)i + 1, lens[i]);
		assert_int_equal(
		    aead_seal(a, i, NULL, 0, buf, lens[i], buf, &err), 0);
		assert_int_equal(aead_open(a, i, NULL, 0, buf,
				     lens[i] + AEAD_TAG_LEN, buf, &err),
		    0);
		for (size_t j = 0; j < lens[i]; j++)
			assert_int_equal(buf[j], i + 1);
	}
}

static void
aead_open__refuses_and_wipes_what_was_changed(void **state)
{
	static const uint8_t zero[24];
	AUTO(aead) struct aead *a = NULL;
	const struct key32 key = {{9}};
	uint8_t ct[24 + AEAD_TAG_LEN], out[24];

	(void)state;
	assert_int_equal(aead_new(&key, &a, &err), 0);
	assert_int_equal(
	    aead_seal(a, 1, "ad", 2,
		(const uint8_t *)"four and twenty bytes..!", 24, ct, &err),
	    0);
	for (size_t i = 0; i < sizeof(ct); i++) {
		ct[i] ^= 4;
		memset(out, 0xee, sizeof(out));
		assert_int_equal(
		    aead_open(a, 1, "ad", 2, ct, sizeof(ct), out, &err),
		    ERR_AUTH);
		assert_memory_equal(out, zero, sizeof(out));
		ct[i] ^= 4;
	}
	assert_int_equal(
	    aead_open(a, 2, "ad", 2, ct, sizeof(ct), out, &err), ERR_AUTH);
	assert_int_equal(
	    aead_open(a, 1, "aD", 2, ct, sizeof(ct), out, &err), ERR_AUTH);
	assert_int_equal(
	    aead_open(a, 1, "ad", 1, ct, sizeof(ct), out, &err), ERR_AUTH);
	assert_int_equal(
	    aead_open(a, 1, "ad", 2, ct, sizeof(ct) - 1, out, &err), ERR_AUTH);
	assert_int_equal(
	    aead_open(a, 1, "ad", 2, ct, sizeof(ct), out, &err), 0);
	assert_memory_equal(out, "four and twenty bytes..!", 24);
}

static void
aead_open__refuses_less_than_a_tag(void **state)
{
	AUTO(aead) struct aead *a = NULL;
	const struct key32 key = {{9}};
	uint8_t ct[AEAD_TAG_LEN] = {0}, out[1];

	(void)state;
	assert_int_equal(aead_new(&key, &a, &err), 0);
	assert_int_equal(
	    aead_open(a, 1, NULL, 0, ct, sizeof(ct) - 1, out, &err),
	    ERR_CORRUPT);
	assert_int_equal(
	    aead_open(a, 1, NULL, 0, ct, 0, out, &err), ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(aead_seal_nonce__matches_published_vectors),
	    cmocka_unit_test(aead_seal__puts_the_counter_last_and_big_endian),
	    cmocka_unit_test(aead_open__takes_many_lengths_in_place),
	    cmocka_unit_test(aead_open__refuses_and_wipes_what_was_changed),
	    cmocka_unit_test(aead_open__refuses_less_than_a_tag),
	};

	return cmocka_run_group_tests_name("aead", tests, NULL, NULL);
}
