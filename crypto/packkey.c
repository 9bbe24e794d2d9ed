#include "crypto/packkey.h"
#include "crypto/commit.h"
#include "crypto/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Runs whose packs are read by turns; X25519 costs as much as 512 KiB read. */
#define RUNS_KEPT 64
#define RUN_LABEL "varve/1/run"

_Static_assert(
    PACK_SALT_LEN == COMMIT_SALT_LEN && PACK_COMMIT_LEN == COMMIT_LEN,
    "a pack's key is made as a box's is");

/* What a run's secret belongs to. */
struct run_id {
	uint8_t dataset[DATASET_ID_LEN];
	uint32_t epoch;
	uint8_t enc[HPKE_ENC_LEN];
};

struct packrun {
	struct run_id id;
	struct key32 secret;
};

/* KEYS.md 'Packs': HPKE's info for a run. */
static void
put_run_info(
    struct wr *w, const uint8_t dataset[DATASET_ID_LEN], uint32_t epoch)
{
	static const char label[] = RUN_LABEL;

	wr_bytes(w, label, sizeof(label));
	wr_bytes(w, dataset, DATASET_ID_LEN);
	wr_u32(w, epoch);
}

/* KEYS.md 'Packs': the pack's key and commitment, from the run's secret. */
static int
derive(const struct key32 *secret, const struct pack_id *id,
    struct commit_keys *out, struct err *err)
{
	static const char label[] = "varve/1/pack";
	WR_AUTO struct wr info = {0};

	wr_bytes(&info, label, sizeof(label));
	wr_u16(&info, id->version);
	wr_u8(&info, id->kind);
	wr_bytes(&info, id->dataset, DATASET_ID_LEN);
	wr_u32(&info, id->epoch);
	wr_bytes(&info, id->enc, HPKE_ENC_LEN);
	return commit_derive(secret, id->salt, &info, out, err);
}

int
packrun_new(const struct x25519_public *seal,
    const uint8_t dataset[DATASET_ID_LEN], uint32_t epoch, struct packrun **out,
    struct err *err)
{
	AUTO(packrun) struct packrun *run = secret_alloc(sizeof(*run));
	WR_AUTO struct wr info = {0};
	int rc;

	*out = NULL;
	put_run_info(&info, dataset, epoch);
	if (run == NULL || info.failed)
		return err_nomem(err);
	memcpy(run->id.dataset, dataset, DATASET_ID_LEN);
	run->id.epoch = epoch;
	rc = hpke_export_send(seal, info.buf, info.len, RUN_LABEL, run->id.enc,
	    &run->secret, err);
	if (rc != 0)
		return rc;
	*out = STEAL(run);
	return 0;
}

void
packrun_free(struct packrun *run)
{
	secret_free(run);
}

int
packrun_pack(const struct packrun *run, uint16_t version, uint8_t kind,
    struct pack_id *id, struct aead **out, struct err *err)
{
	WIPE struct commit_keys keys = {0};
	int rc;

	*out = NULL;
	*id = (struct pack_id){
	    .version = version, .kind = kind, .epoch = run->id.epoch};
	memcpy(id->dataset, run->id.dataset, DATASET_ID_LEN);
	memcpy(id->enc, run->id.enc, HPKE_ENC_LEN);
	rc = random_bytes(id->salt, PACK_SALT_LEN, err);
	if (rc == 0)
		rc = derive(&run->secret, id, &keys, err);
	if (rc != 0)
		return rc;
	memcpy(id->commit, keys.commit, PACK_COMMIT_LEN);
	return aead_new(&keys.key, out, err);
}

/* A run whose secret is remembered; ${used} is 0 for a free place. */
struct kept_run {
	struct run_id id;
	uint64_t used;
	struct key32 secret;
};

struct opener_secrets {
	struct x25519_private seal;
	struct kept_run kept[RUNS_KEPT]; /* guarded by mu */
};

struct packopener {
	pthread_mutex_t mu;
	uint64_t clock;                 /* guarded by mu; counts uses */
	struct opener_secrets *secrets; /* in secret memory */
	struct x25519_public pub;       /* of the private half in there */
};

int
packopener_new(
    const struct x25519_private *seal, struct packopener **out, struct err *err)
{
	struct packopener *o = calloc(1, sizeof(*o));
	int rc;

	*out = NULL;
	if (o == NULL)
		return err_nomem(err);
	o->secrets = secret_alloc(sizeof(*o->secrets));
	if (o->secrets == NULL || pthread_mutex_init(&o->mu, NULL) != 0) {
		secret_free(o->secrets);
		free(o);
		return err_nomem(err);
	}
	o->secrets->seal = *seal;
	rc = hpke_public(seal, &o->pub, err);
	if (rc != 0) {
		packopener_free(o);
		return rc;
	}
	*out = o;
	return 0;
}

void
packopener_free(struct packopener *o)
{
	if (o == NULL)
		return;
	pthread_mutex_destroy(&o->mu);
	secret_free(o->secrets);
	free(o);
}

static bool
same_run(const struct run_id *a, const struct run_id *b)
{
	return a->epoch == b->epoch &&
	       memcmp(a->enc, b->enc, HPKE_ENC_LEN) == 0 &&
	       memcmp(a->dataset, b->dataset, DATASET_ID_LEN) == 0;
}

/* The place of ${id}, or else the one to give it; the caller holds mu. */
static struct kept_run *
find_place(struct packopener *o, const struct run_id *id, bool *found)
{
	struct kept_run *oldest = &o->secrets->kept[0];

	for (size_t i = 0; i < RUNS_KEPT; i++) {
		struct kept_run *k = &o->secrets->kept[i];

		if (k->used != 0 && same_run(&k->id, id)) {
			*found = true;
			return k;
		}
		if (k->used < oldest->used)
			oldest = k;
	}
	*found = false;
	return oldest;
}

static bool
recall(struct packopener *o, const struct run_id *id, struct key32 *secret)
{
	struct kept_run *k;
	bool found;

	pthread_mutex_lock(&o->mu);
	k = find_place(o, id, &found);
	if (found) {
		*secret = k->secret;
		k->used = ++o->clock;
	}
	pthread_mutex_unlock(&o->mu);
	return found;
}

static void
keep(struct packopener *o, const struct run_id *id, const struct key32 *secret)
{
	struct kept_run *k;
	bool found;

	pthread_mutex_lock(&o->mu);
	k = find_place(o, id, &found);
	k->id = *id;
	k->secret = *secret;
	k->used = ++o->clock;
	pthread_mutex_unlock(&o->mu);
}

static int
derive_run(const struct packopener *o, const struct run_id *id,
    struct key32 *secret, struct err *err)
{
	WR_AUTO struct wr info = {0};

	put_run_info(&info, id->dataset, id->epoch);
	if (info.failed)
		return err_nomem(err);
	return hpke_export_receive(&o->secrets->seal, &o->pub, id->enc,
	    info.buf, info.len, RUN_LABEL, secret, err);
}

int
packopener_pack(struct packopener *o, const struct pack_id *id,
    struct aead **out, struct err *err)
{
	WIPE struct commit_keys keys = {0};
	WIPE struct key32 secret = {0};
	struct run_id run = {.epoch = id->epoch};
	bool kept;
	int rc = 0;

	*out = NULL;
	memcpy(run.dataset, id->dataset, DATASET_ID_LEN);
	memcpy(run.enc, id->enc, HPKE_ENC_LEN);
	/* Derived without the lock: two threads may do it twice, unharmed. */
	kept = recall(o, &run, &secret);
	if (!kept)
		rc = derive_run(o, &run, &secret, err);
	if (rc == 0)
		rc = derive(&secret, id, &keys, err);
	if (rc == 0)
		rc = commit_check(&keys, id->commit, err);
	if (rc != 0)
		return rc;
	/* Only now, so that forged packs can't push real runs out. */
	if (!kept)
		keep(o, &run, &secret);
	return aead_new(&keys.key, out, err);
}
