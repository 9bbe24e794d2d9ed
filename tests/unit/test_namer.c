#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/namer.h"

#include "tests/unit/hex.h"
#include "tests/unit/key_vectors.h"

static struct err err;

static struct id_key
vector_key(void)
{
	struct id_key key;

	run(0, key.b, sizeof(key.b));
	return key;
}

static void
namer_name__matches_the_published_names(void **state)
{
	static const char *const want[CHUNK_KINDS] = {
	    V_NAME_DATA, V_NAME_LIST, V_NAME_TREE};
	AUTO(namer) struct namer *n = NULL;
	struct id_key key = vector_key();
	struct chunk_name name;
	uint8_t b[CHUNK_NAME_LEN];

	(void)state;
	assert_int_equal(namer_new(&key, &n, &err), 0);
	/* Twice, since a name must not depend on those before it. */
	for (int round = 0; round < 2; round++) {
		for (unsigned k = 0; k < CHUNK_KINDS; k++) {
			assert_int_equal(
			    namer_name(n, k, "chunk", 5, &name, &err), 0);
			hex(want[k], b);
			assert_memory_equal(name.b, b, sizeof(b));
		}
	}
}

/* KEYS.md 'Names and cuts', at once; namer_name() hands over pieces. */
static void
namer_name__of_any_length_is_an_hmac(void **state)
{
	static const size_t lens[] = {1, 4095, 4096, 4097, 8192, 12289, 100000};
	static const char label[] = "varve/1/name/data";
	static uint8_t buf[100000];
	AUTO(namer) struct namer *n = NULL;
	const struct id_key key = vector_key();
	struct key32 k;
	struct chunk_name name;
	uint8_t want[HASH_LEN];

	(void)state;
	assert_int_equal(random_bytes(buf, sizeof(buf), &err), 0);
	assert_int_equal(namer_new(&key, &n, &err), 0);
	assert_int_equal(hkdf(NULL, 0, key.b, sizeof(key.b), label,
			     strlen(label), k.b, sizeof(k.b), &err),
	    0);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		assert_int_equal(
		    namer_name(n, CHUNK_DATA, buf, lens[i], &name, &err), 0);
		assert_int_equal(
		    hmac_sha256(k.b, sizeof(k.b), buf, lens[i], want, &err), 0);
		assert_memory_equal(name.b, want, sizeof(name.b));
	}
}

static void
namer_name__depends_on_key_and_content(void **state)
{
	AUTO(namer) struct namer *n = NULL;
	AUTO(namer) struct namer *other = NULL;
	const struct id_key key = {{1}}, other_key = {{2}};
	struct chunk_name a, b;

	(void)state;
	assert_int_equal(namer_new(&key, &n, &err), 0);
	assert_int_equal(namer_new(&other_key, &other, &err), 0);
	assert_int_equal(namer_name(n, CHUNK_DATA, "x", 1, &a, &err), 0);
	assert_int_equal(namer_name(n, CHUNK_DATA, "y", 1, &b, &err), 0);
	assert_memory_not_equal(a.b, b.b, sizeof(a.b));
	assert_int_equal(namer_name(other, CHUNK_DATA, "x", 1, &b, &err), 0);
	assert_memory_not_equal(a.b, b.b, sizeof(a.b));
	assert_int_equal(namer_name(n, CHUNK_DATA, NULL, 0, &b, &err), 0);
	assert_memory_not_equal(a.b, b.b, sizeof(a.b));
}

static void
namer_cut__matches_the_published_value(void **state)
{
	AUTO(namer) struct namer *n = NULL;
	struct id_key key = vector_key();
	uint8_t window[CUT_WINDOW], other[CUT_WINDOW] = {1};
	uint64_t v;

	(void)state;
	run(0, window, sizeof(window));
	assert_int_equal(namer_new(&key, &n, &err), 0);
	/* Again and again, since a cut must not depend on those before it. */
	for (int round = 0; round < 3; round++) {
		assert_int_equal(namer_cut(n, window, &v, &err), 0);
		assert_true(v == V_CUT);
		assert_int_equal(namer_cut(n, other, &v, &err), 0);
		assert_true(v != V_CUT);
	}
}

static void
namer_cut__depends_on_every_byte(void **state)
{
	AUTO(namer) struct namer *n = NULL;
	struct id_key key = vector_key();
	uint8_t window[CUT_WINDOW];
	uint64_t v;

	(void)state;
	run(0, window, sizeof(window));
	assert_int_equal(namer_new(&key, &n, &err), 0);
	for (size_t i = 0; i < CUT_WINDOW; i++) {
		window[i] ^= 1;
		assert_int_equal(namer_cut(n, window, &v, &err), 0);
		assert_true(v != V_CUT);
		window[i] ^= 1;
	}
}

static void
namer_local_key__depends_on_key_and_label(void **state)
{
	struct id_key key = vector_key();
	const struct id_key other = {{9}};
	struct key32 a, b;

	(void)state;
	assert_int_equal(namer_local_key(&key, "test", &a, &err), 0);
	assert_hex(a.b, V_LOCAL);
	assert_int_equal(namer_local_key(&key, "tesu", &b, &err), 0);
	assert_memory_not_equal(a.b, b.b, sizeof(a.b));
	assert_int_equal(namer_local_key(&other, "test", &b, &err), 0);
	assert_memory_not_equal(a.b, b.b, sizeof(a.b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(namer_name__matches_the_published_names),
	    cmocka_unit_test(namer_name__of_any_length_is_an_hmac),
	    cmocka_unit_test(namer_name__depends_on_key_and_content),
	    cmocka_unit_test(namer_cut__matches_the_published_value),
	    cmocka_unit_test(namer_cut__depends_on_every_byte),
	    cmocka_unit_test(namer_local_key__depends_on_key_and_label),
	};

	return cmocka_run_group_tests_name("namer", tests, NULL, NULL);
}
