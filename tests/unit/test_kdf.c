#include "crypto/kdf.h"

#include "tests/unit/hex.h"

static struct err err;

/* RFC 5869, appendix A: the SHA-256 cases. */
static const struct {
	const char *ikm, *salt, *info, *prk, *okm;
} rfc5869[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	"000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
	"077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
	"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
	"34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
     "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
     "404142434445464748494a4b4c4d4e4f",
	"606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
	"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
	"b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
	"d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
	"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
	"06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
	"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
	"59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
	"cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
	"19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
	"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
	"9d201395faa4b61a96c8"},
};

static void
hkdf__matches_rfc_5869(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rfc5869); i++) {
		uint8_t ikm[80], salt[80], info[80], want[82], okm[82];
		size_t ikmlen = hex(rfc5869[i].ikm, ikm);
		size_t saltlen = hex(rfc5869[i].salt, salt);
		size_t infolen = hex(rfc5869[i].info, info);
		struct key32 prk;

		assert_int_equal(hex(rfc5869[i].prk, want), sizeof(prk));
		assert_int_equal(
		    hkdf_extract(salt, saltlen, ikm, ikmlen, &prk, &err), 0);
		assert_memory_equal(prk.b, want, sizeof(prk));

		size_t len = hex(rfc5869[i].okm, want);

		assert_int_equal(
		    hkdf_expand(&prk, info, infolen, okm, len, &err), 0);
		assert_memory_equal(okm, want, len);

		memset(okm, 0, sizeof(okm));
		assert_int_equal(hkdf(salt, saltlen, ikm, ikmlen, info, infolen,
				     okm, len, &err),
		    0);
		assert_memory_equal(okm, want, len);
	}
}

static void
hkdf_expand__refuses_lengths_out_of_range(void **state)
{
	static const uint8_t info[1025];
	static uint8_t out[255 * 32 + 1];
	const struct key32 prk = {{1}};

	(void)state;
	assert_int_equal(hkdf_expand(&prk, NULL, 0, out, 0, &err), ERR_USAGE);
	assert_int_equal(
	    hkdf_expand(&prk, NULL, 0, out, sizeof(out), &err), ERR_USAGE);
	assert_int_equal(
	    hkdf_expand(&prk, info, sizeof(info), out, 32, &err), ERR_USAGE);
	assert_int_equal(hkdf_expand(&prk, info, 1024, out, 255 * 32, &err), 0);
}

/* RFC 7914, section 12, but for the one that takes a gigabyte. */
static const struct {
	const char *pass, *salt;
	unsigned logn;
	uint32_t r, p;
	const char *out;
} rfc7914[] = {
    {"", "", 4, 1, 1,
	"77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
	"fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"},
    {"password", "NaCl", 10, 8, 16,
	"fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
	"2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"},
    {"pleaseletmein", "SodiumChloride", 14, 8, 1,
	"7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
	"d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"},
};

static void
scrypt_derive__matches_rfc_7914(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rfc7914); i++) {
		uint8_t out[64], want[64];

		hex(rfc7914[i].out, want);
		assert_int_equal(
		    scrypt_derive(rfc7914[i].pass, strlen(rfc7914[i].pass),
			rfc7914[i].salt, strlen(rfc7914[i].salt),
			rfc7914[i].logn, rfc7914[i].r, rfc7914[i].p, out,
			sizeof(out), &err),
		    0);
		assert_memory_equal(out, want, sizeof(out));
	}
}

static void
scrypt_derive__refuses_costs_out_of_range(void **state)
{
	static const struct {
		unsigned logn;
		uint32_t r, p;
	} bad[] = {{0, 8, 1}, {25, 8, 1}, {10, 0, 1}, {10, 65, 1}, {10, 8, 0},
	    {10, 8, 65}};
	uint8_t out[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(scrypt_derive("x", 1, "y", 1, bad[i].logn,
				     bad[i].r, bad[i].p, out, 32, &err),
		    ERR_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hkdf__matches_rfc_5869),
	    cmocka_unit_test(hkdf_expand__refuses_lengths_out_of_range),
	    cmocka_unit_test(scrypt_derive__matches_rfc_7914),
	    cmocka_unit_test(scrypt_derive__refuses_costs_out_of_range),
	};

	return cmocka_run_group_tests_name("kdf", tests, NULL, NULL);
}
