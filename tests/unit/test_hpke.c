#include "crypto/hpke_internal.h"

#include "tests/unit/hex.h"

static struct err err;

/*
 * The vector for mode 0, kem_id 32, kdf_id 1, aead_id 2 of the test-vectors.json
 * that RFC 9180, appendix A, names as its machine-readable source; the RFC
 * itself prints this KEM with AES-128-GCM and ChaCha20-Poly1305 only.
 */
#define INFO "4f6465206f6e2061204772656369616e2055726e"
#define SK_E "179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11"
#define PK_E "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256"
#define SK_R "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d"
#define PK_R "430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c"
#define SHARED                                                                 \
	"3101c54c3a4f87439eaac080699ed9bbcc726ffe44e860c0424ccb7e3e2ead7b"
#define KEY "f50b0609186798729ed0564b36ef2ef8044f1f9d05636874d1f46c819c7a669f"
#define BASE_NONCE "151d9929e2449747889bc923"
#define AAD "436f756e742d30"
#define PT "4265617574792069732074727574682c20747275746820626561757479"
#define CT                                                                     \
	"e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a4" \
	"1de125a925cdad859d5b7a"
#define EXPORT_EMPTY                                                           \
	"ded6cffafaea6b812cbf3e241e88332adbc077aca81512914213810ee291770a"
#define EXPORT_TEST_CONTEXT                                                    \
	"7c5ded445732c14fe09727d29b4251c0fd38455fe8440571e687f0886aac94d2"

static const char info_text[] = "Ode on a Grecian Urn";

static void
hpke_public__matches_the_vector(void **state)
{
	struct x25519_private priv;
	struct x25519_public pub;

	(void)state;
	hex(SK_R, priv.b);
	assert_int_equal(hpke_public(&priv, &pub, &err), 0);
	assert_hex(pub.b, PK_R);
	hex(SK_E, priv.b);
	assert_int_equal(hpke_public(&priv, &pub, &err), 0);
	assert_hex(pub.b, PK_E);
}

static void
hpke_schedule__matches_the_vector(void **state)
{
	struct hpke_pair ephemeral;
	struct x25519_private priv;
	struct x25519_public to;
	struct key32 sent, received, exported;
	struct hpke_context ctx;

	(void)state;
	hex(SK_E, ephemeral.priv.b);
	hex(PK_E, ephemeral.pub.b);
	hex(SK_R, priv.b);
	hex(PK_R, to.b);
	assert_int_equal(hpke_encap(&to, &ephemeral, &sent, &err), 0);
	assert_hex(sent.b, SHARED);
	assert_int_equal(
	    hpke_decap(&priv, &to, ephemeral.pub.b, &received, &err), 0);
	assert_hex(received.b, SHARED);
	assert_int_equal(
	    hpke_schedule(&sent, info_text, strlen(info_text), &ctx, &err), 0);
	assert_hex(ctx.key.b, KEY);
	assert_hex(ctx.nonce, BASE_NONCE);
	assert_int_equal(hpke_export(&ctx, "", &exported, &err), 0);
	assert_hex(exported.b, EXPORT_EMPTY);
	assert_int_equal(hpke_export(&ctx, "TestContext", &exported, &err), 0);
	assert_hex(exported.b, EXPORT_TEST_CONTEXT);
}

static void
hpke_seal__matches_the_vector(void **state)
{
	struct hpke_pair ephemeral;
	struct x25519_private priv;
	struct x25519_public to;
	uint8_t info[20], aad[7], pt[29], box[29 + HPKE_OVERHEAD], back[29];
	const char *want = PK_E CT;

	(void)state;
	hex(SK_E, ephemeral.priv.b);
	hex(PK_E, ephemeral.pub.b);
	hex(SK_R, priv.b);
	hex(PK_R, to.b);
	assert_int_equal(hex(INFO, info), sizeof(info));
	assert_int_equal(hex(AAD, aad), sizeof(aad));
	assert_int_equal(hex(PT, pt), sizeof(pt));
	assert_int_equal(strlen(want), 2 * sizeof(box));
	assert_int_equal(hpke_seal_with(&ephemeral, &to, info, sizeof(info),
			     aad, sizeof(aad), pt, sizeof(pt), box, &err),
	    0);
	assert_hex(box, PK_E CT);
	assert_int_equal(hpke_open(&priv, &to, info, sizeof(info), aad,
			     sizeof(aad), box, sizeof(box), back, &err),
	    0);
	assert_memory_equal(back, pt, sizeof(pt));
}

static void
hpke_export_receive__matches_the_vector(void **state)
{
	struct x25519_private priv;
	struct x25519_public pub;
	uint8_t enc[HPKE_ENC_LEN];
	struct key32 secret;

	(void)state;
	hex(SK_R, priv.b);
	hex(PK_R, pub.b);
	hex(PK_E, enc);
	assert_int_equal(hpke_export_receive(&priv, &pub, enc, info_text,
			     strlen(info_text), "TestContext", &secret, &err),
	    0);
	assert_hex(secret.b, EXPORT_TEST_CONTEXT);
}

static void
hpke_export__agrees_on_both_sides_only(void **state)
{
	struct x25519_private priv, other_priv;
	struct x25519_public pub, other_pub;
	uint8_t enc[HPKE_ENC_LEN], enc2[HPKE_ENC_LEN];
	struct key32 sent, again, got;

	(void)state;
	assert_int_equal(hpke_keypair(&priv, &pub, &err), 0);
	assert_int_equal(hpke_keypair(&other_priv, &other_pub, &err), 0);
	assert_int_equal(
	    hpke_export_send(&pub, "i", 1, "l", enc, &sent, &err), 0);
	assert_int_equal(
	    hpke_export_send(&pub, "i", 1, "l", enc2, &again, &err), 0);
	assert_memory_not_equal(enc, enc2, sizeof(enc));
	assert_memory_not_equal(sent.b, again.b, sizeof(sent));
	assert_int_equal(
	    hpke_export_receive(&priv, &pub, enc, "i", 1, "l", &got, &err), 0);
	assert_memory_equal(sent.b, got.b, sizeof(sent));
	assert_int_equal(
	    hpke_export_receive(&priv, &pub, enc, "j", 1, "l", &got, &err), 0);
	assert_memory_not_equal(sent.b, got.b, sizeof(sent));
	assert_int_equal(
	    hpke_export_receive(&priv, &pub, enc, "i", 1, "m", &got, &err), 0);
	assert_memory_not_equal(sent.b, got.b, sizeof(sent));
	assert_int_equal(hpke_export_receive(&other_priv, &other_pub, enc, "i",
			     1, "l", &got, &err),
	    0);
	assert_memory_not_equal(sent.b, got.b, sizeof(sent));
}

static void
hpke_open__refuses_what_is_not_meant_for_it(void **state)
{
	static const uint8_t zero[5];
	struct x25519_private priv, other_priv;
	struct x25519_public pub, other_pub;
	uint8_t box[5 + HPKE_OVERHEAD], out[5];

	(void)state;
	assert_int_equal(hpke_keypair(&priv, &pub, &err), 0);
	assert_int_equal(hpke_keypair(&other_priv, &other_pub, &err), 0);
	assert_int_equal(
	    hpke_seal(&pub, "i", 1, "ad", 2, "hello", 5, box, &err), 0);
	for (size_t i = 0; i < sizeof(box); i++) {
		/* X25519 ignores the last bit of enc, but HPKE binds it. */
		box[i] ^= 0x80;
		memset(out, 0xee, sizeof(out));
		assert_int_equal(hpke_open(&priv, &pub, "i", 1, "ad", 2, box,
				     sizeof(box), out, &err),
		    ERR_AUTH);
		assert_memory_equal(out, zero, sizeof(out));
		box[i] ^= 0x80;
	}
	assert_int_equal(hpke_open(&other_priv, &other_pub, "i", 1, "ad", 2,
			     box, sizeof(box), out, &err),
	    ERR_AUTH);
	assert_int_equal(hpke_open(&priv, &other_pub, "i", 1, "ad", 2, box,
			     sizeof(box), out, &err),
	    ERR_AUTH);
	assert_int_equal(hpke_open(&priv, &pub, "j", 1, "ad", 2, box,
			     sizeof(box), out, &err),
	    ERR_AUTH);
	assert_int_equal(hpke_open(&priv, &pub, "i", 1, "ae", 2, box,
			     sizeof(box), out, &err),
	    ERR_AUTH);
	assert_int_equal(hpke_open(&priv, &pub, "i", 1, "ad", 2, box,
			     HPKE_OVERHEAD - 1, out, &err),
	    ERR_CORRUPT);
	assert_int_equal(hpke_open(&priv, &pub, "i", 1, "ad", 2, box,
			     sizeof(box), out, &err),
	    0);
	assert_memory_equal(out, "hello", 5);
}

/* RFC 7748, section 6.1, and RFC 9180, section 7.1.4. */
static void
hpke__refuses_public_keys_of_low_order(void **state)
{
	static const char *const low[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	struct x25519_private priv;
	struct x25519_public mine, pub;
	uint8_t box[HPKE_OVERHEAD], enc[HPKE_ENC_LEN], out[1];
	struct key32 secret;

	(void)state;
	assert_int_equal(hpke_keypair(&priv, &mine, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(low); i++) {
		hex(low[i], pub.b);
		assert_int_equal(
		    hpke_seal(&pub, "", 0, "", 0, "", 0, box, &err), ERR_AUTH);
		assert_int_equal(
		    hpke_export_send(&pub, "", 0, "", enc, &secret, &err),
		    ERR_AUTH);
		memset(box, 0, sizeof(box));
		memcpy(box, pub.b, HPKE_ENC_LEN);
		assert_int_equal(hpke_open(&priv, &mine, "", 0, "", 0, box,
				     sizeof(box), out, &err),
		    ERR_AUTH);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hpke_public__matches_the_vector),
	    cmocka_unit_test(hpke_schedule__matches_the_vector),
	    cmocka_unit_test(hpke_seal__matches_the_vector),
	    cmocka_unit_test(hpke_export_receive__matches_the_vector),
	    cmocka_unit_test(hpke_export__agrees_on_both_sides_only),
	    cmocka_unit_test(hpke_open__refuses_what_is_not_meant_for_it),
	    cmocka_unit_test(hpke__refuses_public_keys_of_low_order),
	};

	return cmocka_run_group_tests_name("hpke", tests, NULL, NULL);
}
