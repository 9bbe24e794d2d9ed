#include "crypto/sign.h"

#include "tests/unit/hex.h"

static struct err err;

/* RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc). */
static const struct {
	const char *priv, *pub, *msg, *sig;
} rfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
	"fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	"72",
	"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
	"af82",
	"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	"18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
	"ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	"dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
	"09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

static void
sign_make__matches_rfc_8032(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rfc8032); i++) {
		struct ed25519_private priv;
		struct ed25519_public pub, want_pub;
		uint8_t msg[64], sig[SIGNATURE_LEN], want[SIGNATURE_LEN];
		size_t len = hex(rfc8032[i].msg, msg);

		hex(rfc8032[i].priv, priv.b);
		hex(rfc8032[i].pub, want_pub.b);
		hex(rfc8032[i].sig, want);
		assert_int_equal(sign_public(&priv, &pub, &err), 0);
		assert_memory_equal(pub.b, want_pub.b, sizeof(pub));
		assert_int_equal(sign_make(&priv, msg, len, sig, &err), 0);
		assert_memory_equal(sig, want, sizeof(sig));
		assert_int_equal(sign_check(&pub, msg, len, sig, &err), 0);
	}
}

static void
sign_check__refuses_any_change(void **state)
{
	struct ed25519_private priv;
	struct ed25519_public pub, other;
	uint8_t msg[16] = "sixteen bytes...", sig[SIGNATURE_LEN];

	(void)state;
	assert_int_equal(sign_keypair(&priv, &pub, &err), 0);
	assert_int_equal(sign_make(&priv, msg, sizeof(msg), sig, &err), 0);
	for (size_t i = 0; i < sizeof(sig); i++) {
		sig[i] ^= 1;
		assert_int_equal(
		    sign_check(&pub, msg, sizeof(msg), sig, &err), ERR_AUTH);
		sig[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(msg); i++) {
		msg[i] ^= 0x80;
		assert_int_equal(
		    sign_check(&pub, msg, sizeof(msg), sig, &err), ERR_AUTH);
		msg[i] ^= 0x80;
	}
	assert_int_equal(
	    sign_check(&pub, msg, sizeof(msg) - 1, sig, &err), ERR_AUTH);
	assert_int_equal(sign_keypair(&priv, &other, &err), 0);
	assert_int_equal(
	    sign_check(&other, msg, sizeof(msg), sig, &err), ERR_AUTH);
	assert_int_equal(sign_check(&pub, msg, sizeof(msg), sig, &err), 0);
}

/* A signature plus the group's order holds too where that is not checked. */
static void
sign_check__refuses_the_malleable_twin(void **state)
{
	static const char order[] =
	    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
	struct ed25519_private priv;
	struct ed25519_public pub;
	uint8_t sig[SIGNATURE_LEN], l[32];
	unsigned carry = 0;

	(void)state;
	hex(order, l);
	assert_int_equal(sign_keypair(&priv, &pub, &err), 0);
	assert_int_equal(sign_make(&priv, "m", 1, sig, &err), 0);
	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)sig[32 + i] + l[i];
		sig[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(sign_check(&pub, "m", 1, sig, &err), ERR_AUTH);
}

/* A key that is no point of the curve must be an answer, not a crash. */
static void
sign_check__refuses_a_public_key_off_the_curve(void **state)
{
	struct ed25519_public pub;
	uint8_t sig[SIGNATURE_LEN] = {0};

	(void)state;
	memset(pub.b, 0xff, sizeof(pub.b));
	pub.b[0] = 0x02;
	assert_int_equal(sign_check(&pub, "m", 1, sig, &err), ERR_AUTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sign_make__matches_rfc_8032),
	    cmocka_unit_test(sign_check__refuses_any_change),
	    cmocka_unit_test(sign_check__refuses_the_malleable_twin),
	    cmocka_unit_test(sign_check__refuses_a_public_key_off_the_curve),
	};

	return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
