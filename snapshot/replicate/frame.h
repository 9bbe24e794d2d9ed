#ifndef SNAPSHOT_REPLICATE_FRAME_H
#define SNAPSHOT_REPLICATE_FRAME_H

/*
 * The frames in which two stores speak (PROTOCOL.md section 3). Bytes only:
 * every decoder takes what a stranger may have sent. Thread: safe.
 *
 * Encoders append a body; that memory ran out, the writer knows. Decoders fail
 * with ERR_CORRUPT: malformed, or more than PROTOCOL.md allows. They copy, but
 * where it says that they borrow, or allocate.
 */
#include "crypto/bytes.h"
#include "crypto/err.h"
#include "crypto/hash.h"
#include "crypto/receipt.h"
#include "snapshot/store/store.h"

#define FRAME_HEAD 8
#define FRAME_MAX (256 * 1024)    /* bytes of a body */
#define FRAME_NAMES_MAX 4096      /* names in a HAVE or NAMES */
#define FRAME_HEADS_MAX 4096      /* datasets in a STATE */
#define FRAME_HEADS_ALL (1 << 18) /* in one and those that follow it */
#define FRAME_NAMES_ALL (1 << 20) /* in one NAMES and those that follow it */
#define FRAME_TEXT_MAX 1023
#define FRAME_NAME_MAX 255 /* how a peer calls itself */

#define PROTOCOL_VERSION 1

enum frame_type {
	FRAME_END = 0, /* no frame: the other side said goodbye */
	FRAME_HELLO = 1,
	FRAME_WHO = 2,
	FRAME_ROOT = 3,
	FRAME_KEY = 4,
	FRAME_KNOWN = 5,
	FRAME_READY = 6,
	FRAME_STATE = 7,
	FRAME_HAVE = 8,
	FRAME_WANT = 9,
	FRAME_PUT = 10,
	FRAME_DATA = 11,
	FRAME_ABORT = 12,
	FRAME_COMMIT = 13,
	FRAME_ACK = 14,
	FRAME_RECEIPT = 15,
	FRAME_NAK = 16,
	FRAME_GET = 17,
	FRAME_LIST = 18,
	FRAME_NAMES = 19,
	FRAME_DONE = 20,
	FRAME_PING = 21,
	FRAME_PONG = 22,
	FRAME_ERROR = 23,
	FRAME_GAP = 24,
};
#define FRAME_TYPES 25

/** frame_type_name(type): "HELLO"; "?" for one that is none. */
const char *frame_type_name(enum frame_type type);

/** frame_head(type, len, out): The ${FRAME_HEAD} bytes before a body. */
void frame_head(enum frame_type type, size_t len, uint8_t out[FRAME_HEAD]);
/** frame_parse_head(in, type, len, err): A body of ${len} bytes follows. */
NODISCARD int frame_parse_head(const uint8_t in[FRAME_HEAD],
    enum frame_type *type, size_t *len, struct err *err);

/* --- HELLO -------------------------------------------------------------- */

enum hello_mode {
	HELLO_SERVER = 0, /* an answer */
	HELLO_PUSH = 1,   /* the client sends what the server lacks */
	HELLO_PULL = 2,   /* the server sends what the client lacks */
	HELLO_FETCH = 3,  /* the client asks for single objects */
};

struct hello {
	uint16_t lowest, highest; /* versions it speaks; a server: the chosen */
	enum hello_mode mode;
	bool follow; /* HELLO_PULL: go on as new records come */
	uint8_t fingerprint[FINGERPRINT_LEN];
	char name[FRAME_NAME_MAX + 1]; /* how it calls itself; may be "" */
};
void frame_hello(const struct hello *h, struct wr *w);
/**
 * frame_parse_hello(buf, len, out, err):
 * ERR_VERSION: none of the versions is spoken here; the text names both.
 */
NODISCARD int frame_parse_hello(
    const uint8_t *buf, size_t len, struct hello *out, struct err *err);

/* --- STATE -------------------------------------------------------------- */

/* How far the receiver has come with a dataset's log. */
struct frame_log {
	uint8_t dataset[STORE_DATASET_LEN];
	uint64_t seq;
	uint8_t head[OBJECT_NAME_LEN];
	bool whole; /* all that this record needs is there */
};

struct frame_state {
	bool more; /* another STATE follows */
	uint8_t keys[HASH_LEN];
	struct frame_log *logs; /* borrowed, or the caller's to free */
	size_t n;
};
void frame_state(const struct frame_state *s, struct wr *w);
/** frame_parse_state(): ${out}->logs is allocated: free(). */
NODISCARD int frame_parse_state(
    const uint8_t *buf, size_t len, struct frame_state *out, struct err *err);

/**
 * frame_logs_add(v, n, s, err): Append ${s}'s logs to *${v}: free().
 * Errors: ERR_CORRUPT more than FRAME_HEADS_ALL; ERR_NOMEM.
 */
NODISCARD int frame_logs_add(struct frame_log **v, size_t *n,
    const struct frame_state *s, struct err *err);

/* --- names -------------------------------------------------------------- */

/*
 * HAVE: objects of one class and dataset. NAMES: keys. Borrows from its bytes.
 */
struct frame_names {
	enum object_class cls; /* HAVE only: key, index or pack */
	uint8_t dataset[STORE_DATASET_LEN];
	bool more; /* NAMES only */
	const uint8_t (*names)[OBJECT_NAME_LEN];
	size_t n;
};
void frame_have(const struct frame_names *f, struct wr *w);
NODISCARD int frame_parse_have(
    const uint8_t *buf, size_t len, struct frame_names *out, struct err *err);
void frame_names(const struct frame_names *f, struct wr *w);
NODISCARD int frame_parse_names(
    const uint8_t *buf, size_t len, struct frame_names *out, struct err *err);

/* WANT: which of a HAVE's names are wanted; a bit each. Borrows. */
struct frame_want {
	size_t n;
	const uint8_t *bits;
};
/** frame_want_bytes(n): Of the bits of ${n} names. */
size_t frame_want_bytes(size_t n);
void frame_want(const struct frame_want *f, struct wr *w);
NODISCARD int frame_parse_want(
    const uint8_t *buf, size_t len, struct frame_want *out, struct err *err);
/** frame_wanted(f, i): Whether the ${i}-th is. */
bool frame_wanted(const struct frame_want *f, size_t i);

/* --- objects ------------------------------------------------------------ */

/* PUT; GET, whose size is 0. Any class but the root's. */
struct frame_object {
	struct object_ref ref;
	uint64_t size;
};
void frame_put(const struct frame_object *f, struct wr *w);
NODISCARD int frame_parse_put(
    const uint8_t *buf, size_t len, struct frame_object *out, struct err *err);
void frame_get(const struct object_ref *ref, struct wr *w);
NODISCARD int frame_parse_get(
    const uint8_t *buf, size_t len, struct object_ref *out, struct err *err);

/* COMMIT: the records ${first} to ${last} of a log were sent. */
struct frame_commit {
	uint8_t dataset[STORE_DATASET_LEN];
	uint64_t first, last;
};
void frame_commit(const struct frame_commit *f, struct wr *w);
NODISCARD int frame_parse_commit(
    const uint8_t *buf, size_t len, struct frame_commit *out, struct err *err);

/* --- answers ------------------------------------------------------------ */

void frame_ack(uint64_t objects, struct wr *w);
NODISCARD int frame_parse_ack(
    const uint8_t *buf, size_t len, uint64_t *objects, struct err *err);

/* NAK: an object that was not taken, or a group of records (OBJECT_LOG). */
struct frame_nak {
	struct object_ref ref;
	struct err why; /* code and text */
};
void frame_nak(const struct frame_nak *f, struct wr *w);
NODISCARD int frame_parse_nak(
    const uint8_t *buf, size_t len, struct frame_nak *out, struct err *err);

/*
 * GAP: a log up to the record ${ref} is durable, but for record ${missing}, and
 * maybe more before it: so there is no receipt.
 */
struct frame_gap {
	struct object_ref ref;
	uint64_t missing;
};
void frame_gap(const struct frame_gap *f, struct wr *w);
NODISCARD int frame_parse_gap(
    const uint8_t *buf, size_t len, struct frame_gap *out, struct err *err);

/** frame_error(), frame_parse_error(): ERROR: code and text. */
void frame_error(const struct err *why, struct wr *w);
NODISCARD int frame_parse_error(
    const uint8_t *buf, size_t len, struct err *out, struct err *err);

/** frame_who(), frame_parse_who(): WHO: whether the root is wanted. */
void frame_who(bool root, struct wr *w);
NODISCARD int frame_parse_who(
    const uint8_t *buf, size_t len, bool *root, struct err *err);

#endif
