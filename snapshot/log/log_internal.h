#ifndef SNAPSHOT_LOG_LOG_INTERNAL_H
#define SNAPSHOT_LOG_LOG_INTERNAL_H

/*
 * Private to this folder: a log, as its files share it.
 *
 *	log.c		what others ask of it; taking snapshots in and out
 *	log_list.c	what the store shows, against what is known already
 *	log_load.c	reading and checking new records
 *	log_check.c	signatures
 *	log_append.c	writing one
 */
#include "snapshot/log/log.h"

/* A record, as the chain needs it. */
struct log_record {
	uint8_t name[OBJECT_NAME_LEN];
	/* NULL: of an epoch that this key was not given. */
	struct snapshot *snapshot;
};

struct log {
	struct access *access;
	const struct dataset *ds;
	struct heads *heads;        /* may be NULL */
	uint64_t mark;              /* the store's, when it was last listed */
	struct log_record *records; /* record i has the sequence number i + 1 */
	size_t nrecords;
	struct snapshot **snapshots; /* those of the records that have one */
	struct snapshot **by_time;   /* the same, by time */
	size_t nsnapshots;
	size_t cap; /* of all three arrays */
	/* What is wrong with the records that follow, code 0: nothing. */
	struct err damage;
};

/* The record that this machine saw last; ${seq} 0 when it has seen none. */
struct log_seen {
	uint64_t seq;
	uint8_t name[OBJECT_NAME_LEN];
};

/* The records that the store shows, by sequence number, as they are. */
struct log_list {
	struct object_ref *refs;
	size_t n;
	size_t cap;
	struct log_seen seen;
};
void log_list_clear(struct log_list *list);
#define LOG_LIST_AUTO __attribute__((cleanup(log_list_clear)))

/**
 * log_list_read(l, list, err):
 * List the records. There may be gaps, and several of one number. Errors:
 * ERR_CORRUPT records missing or exchanged that this log, or this machine, has
 * seen.
 */
NODISCARD int log_list_read(
    struct log *l, struct log_list *list, struct err *err);
/** log_list_find(list, seq): The first that is not before ${seq}, or n. */
size_t log_list_find(const struct log_list *list, uint64_t seq);

/** log_reserve(l, n, err): Room for ${n} records in all. */
NODISCARD int log_reserve(struct log *l, size_t n, struct err *err);

/**
 * log_take(l, name, s, err):
 * The next record; room is reserved. Takes ${s} (may be NULL) over, also when
 * it fails. Errors: ERR_CORRUPT its time is another snapshot's.
 */
NODISCARD int log_take(struct log *l, const uint8_t name[OBJECT_NAME_LEN],
    struct snapshot *s, struct err *err);

/** log_truncate(l, n): Forget all but the first ${n} records. */
void log_truncate(struct log *l, size_t n);

/**
 * log_time_taken(l, m): Whether a snapshot is less than a millisecond away.
 */
bool log_time_taken(const struct log *l, struct moment m);

/** log_after(l, m): How many of by_time are at or before ${m}. */
size_t log_after(const struct log *l, struct moment m);

/** log_get(l, ref, buf, len, err): A record's bytes; free(). */
NODISCARD int log_get(const struct log *l, const struct object_ref *ref,
    uint8_t **buf, size_t *len, struct err *err);
/** log_wrap(l, seq, err): Say which record ${err} is about. */
int log_wrap(const struct log *l, uint64_t seq, struct err *err);
/** log_check_signature(): That of a record which says it holds ${s}. */
NODISCARD int log_check_signature(const struct log *l, const struct snapshot *s,
    const uint8_t *buf, size_t len, struct err *err);
/** log_check_record(l, i, err): The ${i}-th's signature, from the store. */
NODISCARD int log_check_record(const struct log *l, size_t i, struct err *err);

/** log_remember(l, err): Make the newest record the remembered head. */
NODISCARD int log_remember(struct log *l, struct err *err);

#endif
