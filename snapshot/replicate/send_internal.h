#ifndef SNAPSHOT_REPLICATE_SEND_INTERNAL_H
#define SNAPSHOT_REPLICATE_SEND_INTERNAL_H

/*
 * Private to this folder.
 *
 *	send.c		rounds: compare, plan, send, wait
 *	send_place.c	whether the store's objects may go there
 *	send_compare.c	what the other side has, and what it lacks
 *	send_heads.c	how far it has come since
 *	send_source.c	a dataset's log here, and how far the other side has it
 *	send_plan.c	groups: records that go together, and what they need
 *	send_object.c	bytes
 *	send_answers.c	what comes back, in a thread of its own
 *	send_news.c	what there is to wait for, when all is sent
 *
 *	log --> plan --HAVE--> ... --WANT--> objects --PUT, DATA--> COMMIT -->
 *
 * Groups are planned ahead, so that the answer to a group's HAVE is there when
 * its turn comes.
 */
#include "snapshot/content/name_set.h"
#include "snapshot/log/log.h"
#include "snapshot/replicate/send.h"
#include "snapshot/store/record_refs.h"

#include <pthread.h>

/* How much is asked for ahead. */
#define AHEAD_GROUPS 64
#define AHEAD_NAMES 16384

/* A dataset's log. */
struct source {
	uint8_t dataset[STORE_DATASET_LEN];
	struct record_refs records; /* plain, unless it failed */
	size_t next;                /* the first that isn't planned */
	/* The next one's, once it was looked at. */
	bool peeked;
	int64_t time;
	/* Names of indexes that the other side has, or will have. */
	struct name_set known;
	bool failed; /* guarded by the sender's mu */
};

/* An object that may have to go. */
struct need {
	struct object_ref ref;
	uint64_t size;
};

/* Records that go together, with what they need; or key objects. */
struct group {
	struct source *source; /* NULL: key objects */
	size_t first, last;    /* records of the source */
	struct need *needs;    /* packs, then indexes */
	size_t n, cap;
	uint64_t bytes;
	struct group *next;
};
void group_free(struct group *g);
DEFINE_AUTO(group, group_free)
NODISCARD int group_need(struct group *g, const struct object_ref *ref,
    uint64_t size, struct err *err);

/* The answer to a HAVE. */
struct answer {
	struct answer *next;
	size_t n;
	uint8_t bits[FRAME_NAMES_MAX / 8];
};

struct sender {
	struct party *party;
	struct store *store;
	struct channel *channel;
	const struct meeting *meeting;
	const struct send_options *opt;
	struct identity_public receiver;

	struct source **sources;
	size_t nsources;
	struct name_set sent; /* in this connection */
	struct group *groups, **groups_end;
	size_t ngroups, nnames;        /* planned, not sent */
	uint8_t *buf;                  /* FRAME_HEAD + FRAME_MAX bytes */
	uint8_t keys[OBJECT_NAME_LEN]; /* hash of those the other side has */
	bool new_keys;                 /* in this round they are sent some */
	uint64_t marks, key_marks;     /* of the store, when it was looked at */

	/* The reading thread's: key objects that were refused. */
	struct name_set refused;

	pthread_mutex_t mu;
	pthread_cond_t changed;
	/* All guarded by mu. */
	struct frame_log *heads; /* how far the other side has come */
	size_t nheads;
	/* How far with what it gives no receipt for; seq 0: it gave one since. */
	struct frame_log *kept;
	size_t nkept;
	size_t asked; /* HAVEs that no WANT has answered */
	struct answer *answers, **answers_end;
	bool done;          /* the other side's DONE came */
	bool ended;         /* no more comes */
	struct err failure; /* why, if not in order; code 0 */
	struct send_result result;
};

/* --- send_place.c ------------------------------------------------------- */

/**
 * place_check(s, st, err):
 * Whether the other side is a site at which the store's objects may lie, and
 * this side may send them on; ${st}: its statement. Errors: ERR_DENIED.
 */
NODISCARD int place_check(
    const struct sender *s, struct statement *st, struct err *err);
/**
 * place_check_again(s, err): By what the key objects say now: a site may be
 * removed, or its statement end, while much is being sent.
 */
NODISCARD int place_check_again(const struct sender *s, struct err *err);

/* --- send_compare.c ----------------------------------------------------- */

/** compare_begin(s, err): Read the other side's STATE. */
NODISCARD int compare_begin(struct sender *s, struct err *err);
/**
 * compare_datasets(s, err):
 * Fill ${s}->sources, which are none. A dataset that can't be compared is a
 * problem, and no error.
 */
NODISCARD int compare_datasets(struct sender *s, struct err *err);
/** compare_drop(s): Forget the sources. */
void compare_drop(struct sender *s);
void compare_clear(struct sender *s);

/* --- send_heads.c ------------------------------------------------------- */

/**
 * heads_find(s, src, out): How far the other side has come with that log, with
 * or without a receipt; false: it has nothing of it.
 */
bool heads_find(
    struct sender *s, const struct source *src, struct frame_log *out);
/** heads_receipt(s, f, err), heads_gap(s, f, err): A RECEIPT or a GAP came. */
NODISCARD int heads_receipt(
    struct sender *s, const struct frame *f, struct err *err);
NODISCARD int heads_gap(
    struct sender *s, const struct frame *f, struct err *err);

/* --- send_news.c -------------------------------------------------------- */

/**
 * news_look(s, keys, changed, err):
 * Whether a log has changed since the last look; with ${keys}, or the key
 * objects: then they were read.
 */
NODISCARD int news_look(
    struct sender *s, bool keys, bool *changed, struct err *err);
/**
 * news_wait(s, err): Until there is something. Errors: ERR_CANCELLED; why the
 * other side sends nothing any more.
 */
NODISCARD int news_wait(struct sender *s, struct err *err);

/* --- send_source.c ------------------------------------------------------ */

/**
 * source_load(s, dataset, out, err): *${out} is NULL when there is no record.
 * Errors: ERR_NOMEM; or *${out} is there, to be told of: ERR_CORRUPT a gap, or
 * two records of one number; those of store_list().
 */
NODISCARD int source_load(struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], struct source **out,
    struct err *err);
void source_free(struct source *s);
DEFINE_AUTO(source, source_free)

/**
 * source_compare(a, src, head, new_keys, err):
 * Find out which is the first record that the other side lacks, whose head is
 * ${head} (NULL: it has none). With ${new_keys} it may learn of a settlement, and
 * go back to where that says. Errors: ERR_CORRUPT two histories; ERR_USAGE it
 * has more than there is here.
 */
NODISCARD int source_compare(const struct access *a, struct source *src,
    const struct frame_log *head, bool new_keys, struct err *err);

/**
 * source_read(s, src, i, buf, len, clear, err):
 * Record ${i}'s bytes, which ${clear} borrows from: free().
 */
NODISCARD int source_read(struct store *s, const struct source *src, size_t i,
    uint8_t **buf, size_t *len, struct record_clear *clear, struct err *err);

/* --- send_plan.c -------------------------------------------------------- */

/** plan_next(s, out, err): The group that is to go next, or NULL: no more. */
NODISCARD int plan_next(struct sender *s, struct group **out, struct err *err);
/**
 * plan_keys(s, out, err): The store's key objects, but for what counts for
 * nothing.
 */
NODISCARD int plan_keys(struct sender *s, struct group **out, struct err *err);
/** plan_ask(s, g, err): Send the group's HAVEs. */
NODISCARD int plan_ask(
    struct sender *s, const struct group *g, struct err *err);

/* --- send_object.c ------------------------------------------------------ */

/** send_group(s, g, err): What is wanted of it, its records, and COMMIT. */
NODISCARD int send_group(
    struct sender *s, const struct group *g, struct err *err);

/* --- send_answers.c ----------------------------------------------------- */

/** answers_read(arg): The reading thread; ${arg} is the sender. */
void *answers_read(void *arg);
/** answers_next(s, out, err): The next WANT's, waiting for it: free(). */
NODISCARD int answers_next(
    struct sender *s, struct answer **out, struct err *err);
/** answers_done(s, err): Wait for DONE. */
NODISCARD int answers_done(struct sender *s, struct err *err);
void answers_clear(struct sender *s);

/* --- send.c ------------------------------------------------------------- */

/**
 * send_problem(s, dataset, why): That dataset goes no further in this round.
 */
void send_problem(struct sender *s, const uint8_t dataset[STORE_DATASET_LEN],
    const struct err *why);
/** send_tell(s, dataset, why): A problem; but that dataset goes on. */
void send_tell(struct sender *s, const uint8_t dataset[STORE_DATASET_LEN],
    const struct err *why);
/** send_failed(s, src): Whether it does not. */
bool send_failed(struct sender *s, const struct source *src);
bool send_stopped(const struct sender *s);

#endif
