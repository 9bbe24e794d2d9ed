#ifndef CRYPTO_NAMER_H
#define CRYPTO_NAMER_H

/*
 * The uses of a dataset's id key: naming chunks (HMAC-SHA256, under a key of
 * its own for each kind of chunk, so that no file's bytes can pass for a tree)
 * and deciding cuts (a pseudo-random function of 64 bytes: AES-256 CBC-MAC,
 * sound because the length is fixed).
 * Source: KEYS.md 'Names and cuts'. Thread: a namer belongs to one thread.
 */
#include "crypto/secret.h"

#define CHUNK_NAME_LEN 32
#define CUT_WINDOW 64

struct chunk_name {
	uint8_t b[CHUNK_NAME_LEN];
};

enum chunk_kind {
	CHUNK_DATA = 0, /* a run of a file's bytes */
	CHUNK_LIST = 1, /* a node of a file's chunk list */
	CHUNK_TREE = 2, /* a page of a directory */
	CHUNK_KINDS
};

struct namer;

/** namer_new(key, out, err): Keeps no reference to ${key}; namer_free() wipes. */
NODISCARD int namer_new(
    const struct id_key *key, struct namer **out, struct err *err);
void namer_free(struct namer *n);
DEFINE_AUTO(namer, namer_free)

/** namer_name(n, kind, buf, len, out, err): Cost: about 1.6 GB/s. */
NODISCARD int namer_name(struct namer *n, enum chunk_kind kind, const void *buf,
    size_t len, struct chunk_name *out, struct err *err);

/** namer_cut(n, window, out, err): 64 pseudo-random bits of the 64 bytes. */
NODISCARD int namer_cut(struct namer *n, const uint8_t window[CUT_WINDOW],
    uint64_t *out, struct err *err);

/**
 * namer_local_key(id_key, label, out, err):
 * A key for what this machine keeps to itself about the dataset (SQLite).
 */
NODISCARD int namer_local_key(const struct id_key *key, const char *label,
    struct key32 *out, struct err *err);

#endif
