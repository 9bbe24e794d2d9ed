#ifndef CRYPTO_PACKKEY_H
#define CRYPTO_PACKKEY_H

/*
 * The keys of packs. A run encapsulates once to the dataset's seal key (HPKE);
 * every pack of the run has a fresh salt, from which its own AES key and its
 * commitment follow. The maker keeps only the run's secret, in memory, and can
 * open nothing once the run is over.
 * Source: KEYS.md 'Packs'.
 */
#include "crypto/aead.h"
#include "crypto/hpke.h"

#define PACK_SALT_LEN 32
#define PACK_COMMIT_LEN 32
#define DATASET_ID_LEN 16

/* What a pack's header says in the clear, and its keys are bound to. */
struct pack_id {
	uint16_t version; /* of the pack format */
	uint8_t kind;     /* what the pack holds: FORMAT.md 'Packs' */
	uint8_t dataset[DATASET_ID_LEN];
	uint32_t epoch;
	uint8_t enc[HPKE_ENC_LEN];
	uint8_t salt[PACK_SALT_LEN];
	uint8_t commit[PACK_COMMIT_LEN];
};

/* The sealing side of one run. Thread: packrun_pack() is safe. */
struct packrun;

/**
 * packrun_new(seal, dataset, epoch, out, err):
 * Encapsulate to ${seal}. *${out} is the caller's, in secret memory.
 * Errors: those of hpke_export_send(). Cost: two X25519 operations.
 */
NODISCARD int packrun_new(const struct x25519_public *seal,
    const uint8_t dataset[DATASET_ID_LEN], uint32_t epoch, struct packrun **out,
    struct err *err);
void packrun_free(struct packrun *run);
DEFINE_AUTO(packrun, packrun_free)

/**
 * packrun_pack(run, version, kind, id, out, err):
 * A new pack's identity (all fields of ${id} are filled) and the context that
 * seals its segments, the caller's.
 */
NODISCARD int packrun_pack(const struct packrun *run, uint16_t version,
    uint8_t kind, struct pack_id *id, struct aead **out, struct err *err);

/*
 * The opening side. It remembers the secrets of recent runs (X25519 is slow
 * beside the rest). Thread: packopener_pack() is safe.
 */
struct packopener;

/** packopener_new(seal, out, err): Keeps a copy of ${seal}, in secret memory. */
NODISCARD int packopener_new(const struct x25519_private *seal,
    struct packopener **out, struct err *err);
void packopener_free(struct packopener *o);
DEFINE_AUTO(packopener, packopener_free)

/**
 * packopener_pack(o, id, out, err):
 * The context that opens the segments of the pack that ${id} heads; the
 * caller's. Cost: an X25519 operation for a run that is not remembered.
 * Errors: ERR_AUTH the commitment does not hold: another key, or tampered.
 */
NODISCARD int packopener_pack(struct packopener *o, const struct pack_id *id,
    struct aead **out, struct err *err);

#endif
