#ifndef SNAPSHOT_PRUNE_PRUNE_INTERNAL_H
#define SNAPSHOT_PRUNE_PRUNE_INTERNAL_H

/*
 * Private to this folder: a prune, as its files share it.
 *
 *	passes.c	how often
 *	prune.c		its steps, in order
 *	present.c	the objects that there are
 *	dropped.c	indexes that sets have left out since the last prune
 *	live_open.c	what the indexes list
 *	live.c		which of it is needed
 *	prove.c		whether a chunk lies where an index says
 *	mark.c		finding that out, snapshot by snapshot
 *	plan.c		what becomes of each pack
 *	repack.c	what is needed, out of packs that go
 *	undo.c		taking that back, when there is no room for it
 *	rewrite.c	indexes without what goes
 *	commit.c	the record
 *	condemned.c	its list of what goes
 *	remove.c	taking away what has been condemned
 *	orphans.c	... and what runs that died have left
 */
#include "snapshot/content/ingest.h"
#include "snapshot/log/running.h"
#include "snapshot/prune/mark.h"

/* Names of indexes. */
struct names {
	uint8_t (*v)[OBJECT_NAME_LEN];
	size_t n, cap;
};
NODISCARD int names_add(
    struct names *names, const uint8_t name[OBJECT_NAME_LEN], struct err *err);
bool names_have(const struct names *names, const uint8_t name[OBJECT_NAME_LEN]);
void names_clear(struct names *names);

struct prune {
	struct access *access;
	const struct dataset *ds;
	struct heads *heads;
	const struct prune_options *opt;
	struct prune_result *out;
	struct store *store;
	struct store_lock
	    *lock; /* STORE_LOCK_PRUNE; NULL: nothing is written */
	struct log *log;
	/* The objects that there were before the log was looked at. */
	struct present packs, indexes;
	bool alone; /* no backup was running then */
	struct running running;
	struct live live;
	struct mark mark;
	uint64_t seen;     /* number of the newest record that was marked */
	struct names were; /* the index set then */
	struct names set;  /* the new one */
	/* Packs of indexes that came later, and since the record; and these. */
	struct present later, since;
	struct names learned;
	struct present own; /* the packs that this pass has written */
	/* Of a store that is full, in bytes: */
	uint64_t room;     /* what may be written for packs that are repacked */
	uint64_t least;    /* what the smallest that stays would take */
	uint64_t fitted;   /* what was written before it was full; taken back */
	uint64_t removed;  /* what this pass had removed until then */
	bool gave_up;      /* it was full */
	struct names told; /* packs that are known to be damaged */
};

/* ${room}, as long as nothing is known of it. */
#define PRUNE_ROOM_ANY UINT64_MAX

/** prune_pass(p, err): From its beginning to its end. */
NODISCARD int prune_pass(struct prune *p, struct err *err);

/** prune_stopped(p, err): ERR_CANCELLED once a stop was asked for. */
NODISCARD int prune_stopped(const struct prune *p, struct err *err);
void prune_step(const struct prune *p, enum prune_step step);
void prune_add(struct prune_count *c, uint64_t bytes);
void prune_ref(const struct prune *p, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], struct object_ref *ref);

/** prune_newest(p): The number of the newest record that was read. */
uint64_t prune_newest(const struct prune *p);
/** prune_learn(p, err): Fill ${p}->later from the log as it was read last. */
NODISCARD int prune_learn(struct prune *p, struct err *err);
/**
 * prune_lists(p, pack): Whether an index of the set lists it, or a later one.
 */
bool prune_lists(const struct prune *p, const uint8_t pack[OBJECT_NAME_LEN]);

/**
 * open_dropped(p, err):
 * A snapshot's set is its writer's word, and a writer may add to what others
 * stored, but not take away: open the indexes that the sets since the newest
 * prune record named, and that list packs which the newest set does not.
 */
NODISCARD int open_dropped(struct prune *p, struct err *err);

/** plan_packs(p): What becomes of each pack, once it is marked and counted. */
NODISCARD int plan_packs(struct prune *p, struct err *err);

/** plan_no_repack(p): There is no room: what would be repacked stays. */
void plan_no_repack(struct prune *p);

/** repack_packs(p, err): Adds to ${p}->set. A damaged pack stays. */
NODISCARD int repack_packs(struct prune *p, struct err *err);

/**
 * undo_repack(p, bytes, err):
 * Take away the packs that were written, and the indexes that list them, and
 * empty ${p}->set. *${bytes}: how large those packs were.
 */
NODISCARD int undo_repack(struct prune *p, uint64_t *bytes, struct err *err);

/**
 * rewrite_indexes(p, err): Adds to ${p}->set what lists the packs that stay.
 */
NODISCARD int rewrite_indexes(struct prune *p, struct err *err);

/**
 * rewrite_later(p, err):
 * The log has moved on: ${p}->set as it has to be beside the indexes that came
 * since, and with the packs that were taken back.
 */
NODISCARD int rewrite_later(struct prune *p, struct err *err);

/** prune_catch_up(p, err): Read the log's new records; mark their snapshots. */
NODISCARD int prune_catch_up(struct prune *p, struct err *err);

/** prune_commit(p, err): The record; none when nothing has changed. */
NODISCARD int prune_commit(struct prune *p, struct err *err);

/* What a prune record condemns; borrows from ${bytes}. */
struct sentence {
	uint8_t *bytes;
	struct record_clear clear;
};
/** sentence_last(p, out, err): Of the newest one; empty when there is none. */
NODISCARD int sentence_last(
    const struct prune *p, struct sentence *out, struct err *err);
void sentence_clear(struct sentence *s);
#define SENTENCE_AUTO __attribute__((cleanup(sentence_clear)))

struct condemned_list {
	struct condemned *v;
	size_t n, cap;
	struct prune_count gone; /* those that the one before did not have */
};
/**
 * condemn(p, last, list, err):
 * All that the new record condemns, in order. Counts what is new in it.
 */
NODISCARD int condemn(struct prune *p, const struct sentence *last,
    struct condemned_list *list, struct err *err);

/**
 * prune_look_around(p, err):
 * Which backup is running now; what those that have ended need is known then.
 */
NODISCARD int prune_look_around(struct prune *p, struct err *err);

/**
 * remove_condemned(p, err):
 * Take away what the newest prune record says is gone, unless the backup is
 * running that was seen, and began before it.
 */
NODISCARD int remove_condemned(struct prune *p, struct err *err);

/**
 * prune_running(p, err): Look, and wait until it is told what one builds on.
 */
NODISCARD int prune_running(struct prune *p, struct err *err);

/**
 * remove_orphans(p, err):
 * Packs that no index in the store lists, once they are old.
 */
NODISCARD int remove_orphans(struct prune *p, struct err *err);

#endif
