#ifndef SNAPSHOT_LOG_RECORD_H
#define SNAPSHOT_LOG_RECORD_H

/*
 * Log records: signed, chained, sealed (FORMAT.md section 9). Bytes only;
 * log.h finds and follows them.
 */
#include "crypto/keyring.h"
#include "snapshot/store/store.h"
#include "snapshot/tree/entry.h"

#define RECORD_MAX (16 * 1024 * 1024)
#define RECORD_HOST_MAX 255
#define RECORD_SOURCE_MAX 4096
#define RECORD_PROGRAM_MAX 255

enum record_type { RECORD_SNAPSHOT = 1 };
enum snapshot_kind { SNAPSHOT_FULL = 1, SNAPSHOT_DIFFERENTIAL = 2 };

struct moment {
	int64_t s; /* Unix seconds, UTC */
	uint32_t ns;
};
int moment_compare(struct moment a, struct moment b);

/* The part of a record that is in the clear. */
struct record_head {
	uint8_t dataset[DATASET_ID_LEN];
	uint32_t epoch;
	uint64_t seq;
	uint8_t prev[OBJECT_NAME_LEN];
	uint8_t signer[IDENTITY_ID_LEN];
};

/* A snapshot. Owns its strings: snapshot_free(). */
struct snapshot {
	uint64_t seq;                /* of its record */
	uint8_t id[OBJECT_NAME_LEN]; /* its record's name */
	uint8_t prev[OBJECT_NAME_LEN];
	uint8_t signer[IDENTITY_ID_LEN];
	struct moment time;
	struct moment end;
	enum snapshot_kind kind;
	char *host;
	char *source;
	char *program;
	uint8_t *root; /* encoded entry of the root */
	size_t root_len;
	struct dir_totals totals; /* from the root entry */
	uint64_t added_chunks, added_bytes, added_stored;
	uint64_t unreadable, changed;
	uint64_t problems_size;
	struct content problems;
	uint64_t next_ino;
	uint8_t (*indexes)[OBJECT_NAME_LEN];
	size_t nindexes;
};
void snapshot_free(struct snapshot *s);
DEFINE_AUTO(snapshot, snapshot_free)

/**
 * record_encode_snapshot(s, head, ks, signer, w, err):
 * Append the whole record: ${head}'s dataset, seq and prev are the caller's;
 * its epoch and signer are filled in here.
 */
NODISCARD int record_encode_snapshot(const struct snapshot *s,
    struct record_head *head, const struct keyset *ks,
    const struct identity *signer, struct wr *w, struct err *err);

/** record_peek(buf, len, out, err): The head; nothing is authenticated. */
NODISCARD int record_peek(
    const uint8_t *buf, size_t len, struct record_head *out, struct err *err);

/** record_check(buf, len, signer, err): ERR_AUTH: not signed by ${signer}. */
NODISCARD int record_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err);

/**
 * record_decode_snapshot(buf, len, kr, out, err):
 * Open the box and parse. ${id} is left to the caller.
 * Errors: ERR_CORRUPT, ERR_VERSION, ERR_AUTH; ERR_DENIED no key for its epoch.
 */
NODISCARD int record_decode_snapshot(const uint8_t *buf, size_t len,
    const struct keyring *kr, struct snapshot **out, struct err *err);

#endif
