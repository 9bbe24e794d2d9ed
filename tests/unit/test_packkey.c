#include "crypto/packkey.h"

#include "tests/unit/hex.h"
#include "tests/unit/key_vectors.h"

#include <pthread.h>

static struct err err;
static const uint8_t dataset[DATASET_ID_LEN] = "a dataset's id..";

struct pair {
	struct x25519_private priv;
	struct x25519_public pub;
};

static struct pair
new_pair(void)
{
	struct pair p;

	assert_int_equal(hpke_keypair(&p.priv, &p.pub, &err), 0);
	return p;
}

/* Seal a segment in a new pack of ${run}. */
static struct pack_id
new_pack(const struct packrun *run, uint8_t kind, uint8_t segment[23])
{
	AUTO(aead) struct aead *a = NULL;
	struct pack_id id;

	assert_int_equal(packrun_pack(run, 1, kind, &id, &a, &err), 0);
	assert_int_equal(aead_seal(a, 5, "ad", 2, (const uint8_t *)"segment", 7,
			     segment, &err),
	    0);
	return id;
}

static int
open_pack(struct packopener *o, const struct pack_id *id,
    const uint8_t segment[23], struct err *e)
{
	AUTO(aead) struct aead *a = NULL;
	uint8_t pt[7];
	int rc = packopener_pack(o, id, &a, e);

	if (rc == 0)
		rc = aead_open(a, 5, "ad", 2, segment, 23, pt, e);
	if (rc == 0 && memcmp(pt, "segment", 7) != 0)
		rc = ERR_BUG;
	return rc;
}

static void
packopener_pack__opens_the_published_pack(void **state)
{
	AUTO(packopener) struct packopener *o = NULL;
	struct x25519_private seal;
	struct pack_id id = {.version = 1, .kind = 2, .epoch = 3};
	uint8_t segment[23];

	(void)state;
	run(0, seal.b, sizeof(seal.b));
	run(0xa0, id.dataset, sizeof(id.dataset));
	run(0x60, id.salt, sizeof(id.salt));
	hex(V_PACK_ENC, id.enc);
	hex(V_PACK_COMMIT, id.commit);
	assert_int_equal(hex(V_PACK_SEGMENT, segment), sizeof(segment));
	assert_int_equal(packopener_new(&seal, &o, &err), 0);
	assert_int_equal(open_pack(o, &id, segment, &err), 0);
}

static void
packrun_pack__fills_all_of_the_id(void **state)
{
	AUTO(packrun) struct packrun *r = NULL;
	struct pair p = new_pair();
	uint8_t segment[23];
	struct pack_id a, b;

	(void)state;
	assert_int_equal(packrun_new(&p.pub, dataset, 7, &r, &err), 0);
	a = new_pack(r, 4, segment);
	b = new_pack(r, 4, segment);
	assert_int_equal(a.version, 1);
	assert_int_equal(a.kind, 4);
	assert_int_equal(a.epoch, 7);
	assert_memory_equal(a.dataset, dataset, sizeof(dataset));
	assert_memory_equal(a.enc, b.enc, sizeof(a.enc));
	assert_memory_not_equal(a.salt, b.salt, sizeof(a.salt));
	assert_memory_not_equal(a.commit, b.commit, sizeof(a.commit));
}

static void
packopener_pack__refuses_any_change_of_the_id(void **state)
{
	AUTO(packrun) struct packrun *r = NULL;
	AUTO(packopener) struct packopener *o = NULL;
	struct pair p = new_pair();
	struct pack_id id, bad;
	uint8_t segment[23];

	(void)state;
	assert_int_equal(packrun_new(&p.pub, dataset, 7, &r, &err), 0);
	assert_int_equal(packopener_new(&p.priv, &o, &err), 0);
	id = new_pack(r, 4, segment);
	/* Twice: with the run unknown, and with it remembered. */
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < 32; i++) {
			bad = id;
			bad.enc[i] ^= 1;
			assert_int_equal(
			    open_pack(o, &bad, segment, &err), ERR_AUTH);
			bad = id;
			bad.salt[i] ^= 1;
			assert_int_equal(
			    open_pack(o, &bad, segment, &err), ERR_AUTH);
			bad = id;
			bad.commit[i] ^= 1;
			assert_int_equal(
			    open_pack(o, &bad, segment, &err), ERR_AUTH);
			bad = id;
			bad.dataset[i % DATASET_ID_LEN] ^= 1;
			assert_int_equal(
			    open_pack(o, &bad, segment, &err), ERR_AUTH);
		}
		bad = id;
		bad.version++;
		assert_int_equal(open_pack(o, &bad, segment, &err), ERR_AUTH);
		bad = id;
		bad.kind++;
		assert_int_equal(open_pack(o, &bad, segment, &err), ERR_AUTH);
		bad = id;
		bad.epoch++;
		assert_int_equal(open_pack(o, &bad, segment, &err), ERR_AUTH);
		assert_int_equal(open_pack(o, &id, segment, &err), 0);
	}
}

static void
packopener_pack__refuses_another_datasets_key(void **state)
{
	AUTO(packrun) struct packrun *r = NULL;
	AUTO(packopener) struct packopener *o = NULL;
	struct pair p = new_pair(), other = new_pair();
	struct pack_id id;
	uint8_t segment[23];

	(void)state;
	assert_int_equal(packrun_new(&p.pub, dataset, 7, &r, &err), 0);
	assert_int_equal(packopener_new(&other.priv, &o, &err), 0);
	id = new_pack(r, 4, segment);
	assert_int_equal(open_pack(o, &id, segment, &err), ERR_AUTH);
	memset(id.enc, 0, sizeof(id.enc));
	assert_int_equal(open_pack(o, &id, segment, &err), ERR_AUTH);
}

/* More runs than it remembers, over and over. */
static void
packopener_pack__opens_packs_of_many_runs(void **state)
{
	enum { RUNS = 100 };
	AUTO(packopener) struct packopener *o = NULL;
	static struct pack_id ids[RUNS];
	static uint8_t segments[RUNS][23];
	struct pair p = new_pair();

	(void)state;
	assert_int_equal(packopener_new(&p.priv, &o, &err), 0);
	for (uint32_t i = 0; i < RUNS; i++) {
		AUTO(packrun) struct packrun *r = NULL;

		assert_int_equal(packrun_new(&p.pub, dataset, i, &r, &err), 0);
		ids[i] = new_pack(r, 1, segments[i]);
	}
	for (size_t i = 0; i < 3 * RUNS; i++) {
		size_t n = i * 7 % RUNS;

		assert_int_equal(open_pack(o, &ids[n], segments[n], &err), 0);
	}
}

struct worker {
	struct packopener *o;
	const struct packrun *run;
	int rc;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct err e;

	for (int i = 0; i < 200 && w->rc == 0; i++) {
		AUTO(aead) struct aead *a = NULL;
		struct pack_id id;
		uint8_t segment[23];

		w->rc = packrun_pack(w->run, 1, 1, &id, &a, &e);
		if (w->rc == 0)
			w->rc = aead_seal(a, 5, "ad", 2,
			    (const uint8_t *)"segment", 7, segment, &e);
		if (w->rc == 0)
			w->rc = open_pack(w->o, &id, segment, &e);
	}
	return NULL;
}

static void
packopener_pack__serves_several_threads(void **state)
{
	enum { THREADS = 4 };
	AUTO(packrun) struct packrun *r = NULL;
	AUTO(packopener) struct packopener *o = NULL;
	struct pair p = new_pair();
	struct worker workers[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	assert_int_equal(packrun_new(&p.pub, dataset, 1, &r, &err), 0);
	assert_int_equal(packopener_new(&p.priv, &o, &err), 0);
	for (size_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.o = o, .run = r};
		assert_int_equal(
		    pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(workers[i].rc, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(packopener_pack__opens_the_published_pack),
	    cmocka_unit_test(packrun_pack__fills_all_of_the_id),
	    cmocka_unit_test(packopener_pack__refuses_any_change_of_the_id),
	    cmocka_unit_test(packopener_pack__refuses_another_datasets_key),
	    cmocka_unit_test(packopener_pack__opens_packs_of_many_runs),
	    cmocka_unit_test(packopener_pack__serves_several_threads),
	};

	return cmocka_run_group_tests_name("packkey", tests, NULL, NULL);
}
