#ifndef SNAPSHOT_REPLICATE_RECEIVE_INTERNAL_H
#define SNAPSHOT_REPLICATE_RECEIVE_INTERNAL_H

/*
 * Private to this folder.
 *
 *	channel --> receive.c ---> job ---> receive_commit.c --> store
 *	            reads frames,           makes a job durable,
 *	            hashes, writes          takes its records,
 *	            drafts                  acknowledges
 *
 * While one job is being made durable the next one fills. A job is handed over
 * when it has records to take, or is full; then it holds whatever has come.
 *
 *	receive_object.c	an object, from its PUT to its last byte
 *	receive_state.c	what is here already, for the other side
 *	receive_job.c	what a job holds
 *	receive_log.c	which records may be taken
 *	receive_settle.c	which have to give way
 *	receive_confirm.c	what is said of those that were taken
 *	receive_room.c	how many may be in memory
 *	record_set.c	what their index sets need
 */
#include "snapshot/log/log.h"
#include "snapshot/replicate/receive.h"
#include "snapshot/replicate/record_set.h"
#include "snapshot/site/settle.h"
#include "snapshot/store/store_batch.h"

#include <pthread.h>
#include <stdatomic.h>

/* When a job is full: the other side has to wait. */
#define JOB_OBJECTS 256
#define JOB_BYTES (UINT64_C(64) * 1024 * 1024)
#define JOB_KEYS 1024
#define JOB_KEYS_BYTES (UINT64_C(4) * 1024 * 1024)
/* Of all records that wait for their COMMIT, or for being taken. */
#define JOB_RECORDS ((size_t)1 << 17)
#define JOB_RECORDS_BYTES (UINT64_C(128) * 1024 * 1024)
/* Of those and the ones that are being taken: for more it takes the room. */
#define JOB_RECORDS_SMALL (UINT64_C(4) * 1024 * 1024)

/* A key object or a record, in memory. */
struct blob {
	struct object_ref ref;
	uint8_t *buf;
	size_t len;
};

struct blobs {
	struct blob *v;
	size_t n, cap;
	uint64_t bytes;
};
/** blobs_add(b, ref, buf, len, err): ${buf} is taken over, also on failure. */
NODISCARD int blobs_add(struct blobs *b, const struct object_ref *ref,
    uint8_t *buf, size_t len, struct err *err);
void blobs_clear(struct blobs *b);

/* The records of one COMMIT. */
struct job_group {
	uint8_t dataset[STORE_DATASET_LEN];
	struct blobs records;
};

struct job {
	struct store_batch *objects;
	struct blobs keys;
	struct job_group *groups;
	size_t ngroups, capgroups;
	uint64_t record_bytes; /* of the groups */
	size_t nrecords;
	uint64_t came; /* objects of all kinds that are in it */
	bool done;     /* the other side said so */
};
/**
 * job_group(j, dataset, records, err): ${records} are moved, if it succeeds.
 */
NODISCARD int job_group(struct job *j, const uint8_t dataset[STORE_DATASET_LEN],
    struct blobs *records, struct err *err);
/** job_take(from, to, err): All but the object that was begun. */
NODISCARD int job_take(struct job *from, struct job *to, struct err *err);
bool job_is_full(const struct job *j);
bool job_is_empty(const struct job *j);
void job_clear(struct job *j);

/* What is known of a dataset's log; the committing thread's. */
struct log_tail {
	uint8_t dataset[STORE_DATASET_LEN];
	uint64_t mark; /* the store's, when it was read */
	bool read;
	uint64_t seq;     /* 0: there is no record */
	uint64_t missing; /* the first record before it that isn't here, or 0 */
	uint8_t head[OBJECT_NAME_LEN];
	int64_t
	    time; /* at which the newest that came was signed; 0: none came */
	struct record_set set; /* the head's */
	bool whole; /* all that it needs is here; true without a record */
	uint64_t
	    receipt;  /* the newest that this connection was given one for */
	uint64_t gap; /* ... or was told of, where an older one is missing */
};
void log_tail_clear(struct log_tail *t);
/** log_tail_read(s, t, err): Bring it up to date with the store. */
NODISCARD int log_tail_read(
    struct store *s, struct log_tail *t, struct err *err);
/** log_tail_look(s, t, err): The same, but its seq and head are known. */
NODISCARD int log_tail_look(
    struct store *s, struct log_tail *t, struct err *err);
/**
 * log_tail_check(a, t, group, skip, err):
 * Whether the group's records may be taken after ${t}; then ${t} is as if they
 * were. *${skip}: so many of them are there already.
 * When all are, whether the head has become whole.
 * Errors: ERR_CORRUPT malformed, doesn't follow, another history, drops packs;
 * ERR_AUTH not signed by who may; ERR_NOT_FOUND something is missing that the
 * last one needs; ERR_IO, ERR_NOMEM.
 */
NODISCARD int log_tail_check(const struct access *a, struct log_tail *t,
    const struct job_group *group, size_t *skip, struct err *err);

/* A dataset of which nothing can be taken here, whatever comes. */
struct unusable {
	uint8_t dataset[STORE_DATASET_LEN];
	struct err why;
};

struct receiver {
	struct party *party;
	struct store *store;
	struct channel *channel;
	const struct receive_options *opt;
	struct unusable *unusable; /* as it was when this began */
	size_t nunusable;

	/* The reading thread's. */
	bool in_object;
	struct frame_object object;
	uint64_t left;        /* bytes of it that are to come */
	uint8_t *memory;      /* of a key or a record: what came of it */
	struct blobs waiting; /* records before their COMMIT */
	bool spoilt;          /* one of them is missing: all are dropped */
	bool refused;         /* the object is: its bytes are passed over */
	struct err refusal;   /* and why */
	bool known_dataset;   /* there is a key set of this one */
	uint8_t dataset[STORE_DATASET_LEN];

	/* The committing thread's. */
	struct log_tail *tails;
	size_t ntails, captails;
	uint64_t acknowledged;

	atomic_uint_fast64_t
	    notes; /* of what was refused: see receive_note() */

	/* Held to change the key objects, or to look at them while reading. */
	pthread_mutex_t keys;

	pthread_mutex_t mu;
	pthread_cond_t changed;
	uint64_t held;  /* guarded by mu: bytes of records, with their blobs */
	bool room;      /* guarded by mu: it has opt->room */
	size_t nkeys;   /* guarded by mu: that came, and are not taken yet */
	bool hurry;     /* guarded by mu: they are waited for */
	struct job job; /* guarded by mu: it fills */
	bool closing;   /* guarded by mu: no more comes */
	bool told_done; /* guarded by mu */
	struct err failure; /* guarded by mu; code 0: none. The first counts */
	struct err
	    unheard; /* guarded by mu: why nothing can be said any more */
};

/**
 * receive_put(r, f, err), receive_data(r, f, err), receive_abort(r, f, err):
 * An object's frames. Bytes that aren't what its name says harm nobody but this
 * object: the other side is told. Errors: ERR_CORRUPT the protocol was not
 * kept; ERR_NOMEM; those of the store; why the committing thread has ended.
 */
NODISCARD int receive_put(
    struct receiver *r, const struct frame *f, struct err *err);
NODISCARD int receive_data(
    struct receiver *r, const struct frame *f, struct err *err);
NODISCARD int receive_abort(
    struct receiver *r, const struct frame *f, struct err *err);

/** receive_wait_room(r, err): Until the job that fills has room for more. */
NODISCARD int receive_wait_room(struct receiver *r, struct err *err);

/**
 * receive_hold(r, size, err):
 * Before memory is taken for a record of ${size} bytes: wait until it may be.
 * The reading thread's. Errors: why the committing thread has ended.
 */
NODISCARD int receive_hold(struct receiver *r, uint64_t size, struct err *err);
/** receive_release(r, size): One was given up. By any thread, as those below. */
void receive_release(struct receiver *r, uint64_t size);
/** receive_release_all(r, records): Clear them. */
void receive_release_all(struct receiver *r, struct blobs *records);
/** receive_release_job(r, j): Clear it. */
void receive_release_job(struct receiver *r, struct job *j);

/** receive_commit(arg): The committing thread; ${arg} is the receiver. */
void *receive_commit(void *arg);

/** receive_lock(r, dataset, out, err): The log's; waits for it, but not for ever. */
NODISCARD int receive_lock(struct receiver *r,
    const uint8_t dataset[STORE_DATASET_LEN], struct store_lock **out,
    struct err *err);

/**
 * receive_settle(r, t, err):
 * Set records aside, where an admin has settled that others count. The lock of
 * ${t}'s dataset is held.
 */
NODISCARD int receive_settle(
    struct receiver *r, struct log_tail *t, struct err *err);
/** receive_settle_all(r, err): The same of all datasets; takes their locks. */
NODISCARD int receive_settle_all(struct receiver *r, struct err *err);

/**
 * receive_send_state(p, c, r, err):
 * STATE, one or more. A dataset whose log can't be listed is one of ${r}'s that
 * are unusable, and told of; where ${r} is NULL it is an error: who asks must
 * not take it for one that isn't here.
 */
NODISCARD int receive_send_state(const struct party *p, struct channel *c,
    struct receiver *r, struct err *err);
/** receive_unusable(r, dataset): Why nothing of it can be taken; or NULL. */
const struct err *receive_unusable(
    const struct receiver *r, const uint8_t dataset[STORE_DATASET_LEN]);
/**
 * receive_is_ours(rc): Whether it is neither the sender's fault, nor of what it
 * sent, nor of one dataset.
 */
bool receive_is_ours(int rc);

/**
 * receive_confirm(r, t, err):
 * Say how far the log of ${t} is durable, if that is new: by RECEIPT, where all
 * of it is here, or else by GAP. Nothing of one whose newest record isn't whole.
 */
NODISCARD int receive_confirm(
    struct receiver *r, struct log_tail *t, struct err *err);

/**
 * receive_say(r, type, body, err):
 * To the other side. Where that can't be told anything any more nothing is:
 * what it has sent is still read, as far as it lies here, and taken; then
 * receive_run() fails. Errors: ERR_NOMEM, ERR_BUG.
 */
NODISCARD int receive_say(struct receiver *r, enum frame_type type,
    const struct wr *body, struct err *err);

/** receive_nak(r, ref, why, err): Tell, note and count what was not taken. */
NODISCARD int receive_nak(struct receiver *r, const struct object_ref *ref,
    const struct err *why, struct err *err);

/* Of one connection: each may be a commit, and a line in a journal. */
#define NOTES_MAX 100

/**
 * receive_note(r, ref, what):
 * For the site's people, and the caller's. Beyond NOTES_MAX they are counted,
 * and it is said once that they are.
 */
void receive_note(
    struct receiver *r, const struct object_ref *ref, const struct err *what);
/** receive_note_rest(r): At the end: how many were only counted. */
void receive_note_rest(struct receiver *r);

/** receive_fail(r, why): It can't go on: whoever reads is stopped. */
void receive_fail(struct receiver *r, const struct err *why);

#endif
