#ifndef SNAPSHOT_LOG_RECORD_H
#define SNAPSHOT_LOG_RECORD_H

/*
 * Log records: signed, chained, sealed (FORMAT.md section 9). Bytes only;
 * log.h finds and follows them. What needs no key is record_peek() and
 * record_check(). Thread: safe.
 */
#include "crypto/keyring.h"
#include "snapshot/log/rules.h"
#include "snapshot/store/store.h"
#include "snapshot/tree/entry.h"

#define RECORD_MAX (16 * 1024 * 1024)
#define RECORD_INDEXES_MAX 4096
#define RECORD_HOST_MAX 255
#define RECORD_SOURCE_MAX 4096
#define RECORD_PROGRAM_MAX 255
#define RECORD_WHY_MAX 4096
#define RECORD_SITE_MAX 255

enum record_type {
	RECORD_SNAPSHOT = 1,
	RECORD_EXPIRE = 2,
	RECORD_HOLD = 3,
	RECORD_RULES = 4,
	RECORD_PRUNE = 5,
	RECORD_PRIMARY = 6,
};

/* --- in the clear ------------------------------------------------------- */

struct record_head {
	uint8_t dataset[DATASET_ID_LEN];
	uint32_t epoch;
	enum record_type type;
	uint64_t seq;
	uint8_t prev[OBJECT_NAME_LEN];
	uint8_t signer[IDENTITY_ID_LEN];
	int64_t time; /* Unix seconds at which it was signed */
};

/* Of a condemned object, OBJECT_INDEX or OBJECT_PACK. */
struct condemned {
	enum object_class cls;
	uint8_t name[OBJECT_NAME_LEN];
	bool gone; /* or else leaving */
};

/* Lists to put into a record; borrows. */
struct record_lists {
	/* Oldest first, no two the same; RECORD_INDEXES_MAX at most. */
	const uint8_t (*indexes)[OBJECT_NAME_LEN];
	size_t nindexes;
	/* Ascending, see record_condemned_compare(); of a prune only. */
	const struct condemned *condemned;
	size_t ncondemned;
};

/* What a record says to everybody. Borrows from its bytes. */
struct record_clear {
	struct record_head head;
	const uint8_t (*indexes)[OBJECT_NAME_LEN];
	size_t nindexes;
	const uint8_t *condemned; /* encoded: record_condemned() */
	size_t ncondemned;
};

/**
 * record_peek(buf, len, out, err):
 * The part in the clear; nothing is authenticated. So of many indexes, each is
 * really another object: whoever signs a record can't have one opened again and
 * again.
 * Errors: ERR_CORRUPT; ERR_VERSION a type that is not known.
 */
NODISCARD int record_peek(
    const uint8_t *buf, size_t len, struct record_clear *out, struct err *err);

/** record_check(buf, len, signer, err): ERR_AUTH: not signed by ${signer}. */
NODISCARD int record_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err);

/** record_condemned(c, i): The ${i}-th condemned object. */
struct condemned record_condemned(const struct record_clear *c, size_t i);
/**
 * record_find_condemned(c, cls, name, out):
 * Whether the record condemns that object. Cost: O(log n).
 */
bool record_find_condemned(const struct record_clear *c, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], struct condemned *out);
/** record_condemned_compare(a, b): By class (indexes first), then name. */
int record_condemned_compare(
    const struct condemned *a, const struct condemned *b);
/** record_admin_only(type): Whether only admins may sign such a record. */
bool record_admin_only(enum record_type type);

/* --- in the box --------------------------------------------------------- */

enum snapshot_kind { SNAPSHOT_FULL = 1, SNAPSHOT_DIFFERENTIAL = 2 };

struct moment {
	int64_t s; /* Unix seconds, UTC */
	uint32_t ns;
};
int moment_compare(struct moment a, struct moment b);

/* A snapshot. Owns its strings: snapshot_free(). */
struct snapshot {
	uint64_t seq;                /* of its record */
	uint8_t id[OBJECT_NAME_LEN]; /* its record's name */
	uint8_t prev[OBJECT_NAME_LEN];
	uint8_t signer[IDENTITY_ID_LEN];
	/*
	 * What later records of its log say, as sequence numbers of these; 0:
	 * none. The log's to set, see log.h.
	 */
	uint64_t expired;
	uint64_t held;
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
};
void snapshot_free(struct snapshot *s);
DEFINE_AUTO(snapshot, snapshot_free)

/* A snapshot, as records name it. */
struct record_target {
	uint64_t seq;
	uint8_t id[OBJECT_NAME_LEN];
};

struct record_expire {
	struct record_target *targets; /* ascending by seq */
	size_t n;
	char *why;
};

struct record_hold {
	struct record_target target;
	bool on;
	char *why;
};

struct record_prune {
	uint64_t gone_objects, gone_bytes; /* that this record condemns anew */
	uint64_t leaving_objects, leaving_bytes;
	uint64_t written_packs, written_bytes; /* in place of others */
	uint64_t gone_chunks;
	uint64_t dead_bytes; /* that stay, in packs that are needed */
};

struct record_primary {
	char *site;
	uint8_t id[IDENTITY_ID_LEN];
	uint64_t change; /* from 1 */
};

/* A record. Owns what it holds: record_free(). */
struct record {
	struct record_head head;
	uint8_t name[OBJECT_NAME_LEN]; /* its object's; the caller's to fill */
	/* False: of an epoch that this key was not given; no body then. */
	bool open;
	/*
	 * Its bytes are not to be had: ${why}. Of the head only seq is known,
	 * and the name where the record after it says it. Not open.
	 */
	bool lost;
	union {
		struct err *why;
		struct snapshot *snapshot;
		struct record_expire expire;
		struct record_hold hold;
		struct rules rules;
		struct record_prune prune;
		struct record_primary primary;
	};
};
/** record_release(r): Free what it holds, but not ${r}; zero then. */
void record_release(struct record *r);
void record_free(struct record *r);
DEFINE_AUTO(record, record_free)

/**
 * record_encode(r, lists, ks, signer, w, err):
 * Append the whole record: the head's dataset, type, seq, prev and time are the
 * caller's; its epoch and signer are filled in here. A snapshot's time is its
 * end's, whatever the head says. Nothing is appended on failure.
 * Errors: ERR_USAGE a text too long; ERR_FULL too many indexes; ERR_BUG what no
 * record can hold.
 */
NODISCARD int record_encode(struct record *r, const struct record_lists *lists,
    const struct keyset *ks, const struct identity *signer, struct wr *w,
    struct err *err);

/**
 * record_decode(buf, len, kr, out, err):
 * Open the box and parse. ${name} is left to the caller.
 * Errors: ERR_CORRUPT, ERR_VERSION, ERR_AUTH; ERR_DENIED no key for its epoch.
 */
NODISCARD int record_decode(const uint8_t *buf, size_t len,
    const struct keyring *kr, struct record **out, struct err *err);

#endif
