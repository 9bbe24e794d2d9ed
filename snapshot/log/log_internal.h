#ifndef SNAPSHOT_LOG_LOG_INTERNAL_H
#define SNAPSHOT_LOG_LOG_INTERNAL_H

/*
 * Private to this folder and its tests: a log, as its files share it.
 *
 *	log.c		what others ask of it
 *	log_state.c	what follows from the records: times, holds, rules
 *	log_numbers.c	... and which inode number is next
 *	log_indexes.c	... and the index set of the newest
 *	log_list.c	what the store shows, against what is known already
 *	log_read.c	reading and checking new records
 *	log_lost.c	... and passing over those that can't be read
 *	log_ahead.c	... whose bytes are fetched before
 *	log_load.c	a log, or a tail, made of them; and what was lost
 *	log_settled.c	... for another history counts
 *	log_behind.c	... or has yet to come, at a replica
 *	log_check.c	signatures
 *	log_append.c	writing one
 *	log_kinds.c	... of each type but a snapshot's
 */
#include "snapshot/log/log.h"
#include "snapshot/store/record_refs.h"

/* An index set that somebody owns. */
struct index_list {
	uint8_t (*names)[OBJECT_NAME_LEN];
	size_t n;
};
void index_list_clear(struct index_list *list);
#define INDEX_LIST_AUTO __attribute__((cleanup(index_list_clear)))
/** index_list_copy(list, names, n, err): ${list} is empty. */
NODISCARD int index_list_copy(struct index_list *list,
    const uint8_t (*names)[OBJECT_NAME_LEN], size_t n, struct err *err);
/** index_list_take(list, from): What ${from} had; it is empty then. */
void index_list_take(struct index_list *list, struct index_list *from);

struct log {
	struct access *access;
	const struct dataset *ds;
	struct heads *heads; /* may be NULL */
	/* The store's, when it was last listed; a tail is refreshed without. */
	uint64_t mark;
	bool marked;

	/* Of a tail, the number before its first record's; else 0. */
	uint64_t base;
	/* Of a tail, what this machine had seen; else zero. */
	struct head_seen known;
	/* What it had seen when the records were last listed. */
	struct head_seen recalled;
	struct record **records; /* record i has the number base + i + 1 */
	size_t nrecords;

	struct snapshot **times; /* those that could be opened, by time */
	size_t ntimes;
	struct snapshot **snapshots; /* those that have not expired, by seq */
	struct snapshot **by_time;   /* the same, by time */
	size_t nsnapshots;
	size_t cap; /* of all four arrays */

	uint64_t changes;            /* of the primary, so far */
	struct settled_mark settled; /* when it was opened */
	uint64_t next_ino;           /* to give out; see log_next_ino() */
	uint64_t
	    hidden; /* what newer snapshots that can't be opened may have */
	const struct record *rules; /* the newest of its type, or NULL */
	const struct record *prune;
	const struct record *gap; /* the first that is lost, or NULL */
	/* Lost ones since the last change that is known: so many may be missed. */
	size_t nlost;

	struct index_list indexes; /* of the newest record */

	/* What is wrong with the records that follow, code 0: nothing. */
	struct err damage;
	bool end_lost;            /* only this: their bytes are not to be had */
	struct err warning;       /* code 0: none */
	struct log_behind behind; /* seen 0: it isn't */
};

/* --- log_numbers.c -------------------------------------------------------- */

/** log_numbers_reset(l): Before its first record. */
void log_numbers_reset(struct log *l);
/** log_numbers_take(l, r): What record ${r}, which comes next, says of it. */
void log_numbers_take(struct log *l, const struct record *r);

/* --- log_list.c ----------------------------------------------------------- */

/* The records that the store shows, by sequence number, as they are. */
struct log_list {
	struct record_refs all;
	/* The record that this machine saw last; seq 0 when it has seen none. */
	struct head_seen seen;
	/*
	 * It is not there, as ${why} says: then ${lost} is what was seen, and
	 * ${seen} is none.
	 */
	struct head_seen lost;
	/*
	 * It is not there, as ${why} says, but later ones are: these show whether
	 * they follow it.
	 */
	bool passed;
	struct err why;
};
void log_list_clear(struct log_list *list);
#define LOG_LIST_AUTO __attribute__((cleanup(log_list_clear)))

/**
 * log_list_read(l, list, err):
 * List the records. There may be gaps, and several of one number. Errors:
 * ERR_CORRUPT records missing or exchanged that this log has seen.
 */
NODISCARD int log_list_read(
    struct log *l, struct log_list *list, struct err *err);

/** log_recall(heads, dataset, seen, err): seq 0 when none is remembered. */
NODISCARD int log_recall(struct heads *heads,
    const uint8_t dataset[DATASET_ID_LEN], struct head_seen *seen,
    struct err *err);

/** log_list_lose(list): What was seen is lost, as ${list}->why says. */
void log_list_lose(struct log_list *list);

/* --- log_state.c ---------------------------------------------------------- */

/** log_reserve(l, n, err): Room for ${n} records in all. */
NODISCARD int log_reserve(struct log *l, size_t n, struct err *err);

/**
 * log_take(l, r, err):
 * The next record; room is reserved. Takes ${r} over, also when it fails; the
 * snapshots that the log holds change with log_settle().
 * Errors: ERR_CORRUPT it contradicts those before it.
 */
NODISCARD int log_take(struct log *l, struct record *r, struct err *err);

/** log_settle(l): Find the snapshots that have not expired. */
void log_settle(struct log *l);

/**
 * log_take_lost(l, why, err):
 * The next record is lost, as ${why} says; room is reserved.
 */
NODISCARD int log_take_lost(
    struct log *l, const struct err *why, struct err *err);

/** log_truncate(l, n): Forget all but the first ${n} records; settle. */
void log_truncate(struct log *l, size_t n);

/** log_number(l): The sequence number of the newest record, or 0. */
uint64_t log_number(const struct log *l);

/**
 * log_time_taken(l, m): Whether a snapshot is less than a millisecond away.
 */
bool log_time_taken(const struct log *l, struct moment m);
/** log_latest(l): See struct head_seen. */
int64_t log_latest(const struct log *l);

/** log_is_later(l, m): ${m} is after all snapshots, by more than a millisecond. */
bool log_is_later(const struct log *l, struct moment m);

/** log_after(l, m): How many of by_time are at or before ${m}. */
size_t log_after(const struct log *l, struct moment m);
/** log_times_after(l, m): How many of times are at or before ${m}. */
size_t log_times_after(const struct log *l, struct moment m);

/* --- log_check.c ---------------------------------------------------------- */

/** log_get(l, ref, buf, len, err): A record's bytes; free(). */
NODISCARD int log_get(const struct log *l, const struct object_ref *ref,
    uint8_t **buf, size_t *len, struct err *err);
/** log_wrap(l, seq, err): Say which record ${err} is about. */
int log_wrap(const struct log *l, uint64_t seq, struct err *err);
/** log_check_record(l, seq, err): Whether it is signed by who may. */
NODISCARD int log_check_record(
    const struct log *l, uint64_t seq, struct err *err);
/** log_closed(head, err): ERR_DENIED, of a record that can't be opened. */
int log_closed(const struct record_head *head, struct err *err);

/* --- log_read.c ----------------------------------------------------------- */

/**
 * log_read(l, list, err):
 * Take in what the list has after the records at hand: as far as the chain
 * goes, and back to the newest that is signed. What is wrong with the next one
 * is in ${l}->damage then. Errors: ERR_NOMEM; ERR_CANCELLED; ERR_BUG.
 */
NODISCARD int log_read(
    struct log *l, const struct log_list *list, struct err *err);

/* --- log_lost.c ----------------------------------------------------------- */

/**
 * log_lose(l, why, room, err):
 * Pass over the next record, whose bytes are not to be had, as ${why} says, and
 * see to it that those at hand stand without it: their newest is signed, and
 * what only an admin may do was done by one. ${room}: for how many more records
 * there is to be room. Errors: ${why} where they don't, or too many are lost;
 * ERR_NOMEM; ERR_CANCELLED; ERR_BUG.
 */
NODISCARD int log_lose(
    struct log *l, const struct err *why, size_t room, struct err *err);

/**
 * log_rejoin(l, seen, prev, err):
 * A record comes after lost ones, and says that the one before it is ${prev}.
 * Where this machine has seen one of these last, it must be that. Errors:
 * ERR_CORRUPT it isn't: what comes is as good as lost.
 */
NODISCARD int log_rejoin(struct log *l, const struct head_seen *seen,
    const uint8_t prev[OBJECT_NAME_LEN], struct err *err);

/* --- log_load.c, log_append.c --------------------------------------------- */

/**
 * log_remember(l, err):
 * Make the newest record the remembered head. What is lost makes nothing less
 * of what was remembered beside it.
 */
NODISCARD int log_remember(struct log *l, struct err *err);

/**
 * log_append_record(l, r, lists, err):
 * Sign, store and take in a record, of which type and body are filled in. ${r}
 * is on the heap and taken over, also when it fails.
 */
NODISCARD int log_append_record(struct log *l, struct record *r,
    const struct record_lists *lists, struct err *err);

#endif
