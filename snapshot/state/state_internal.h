#ifndef SNAPSHOT_STATE_STATE_INTERNAL_H
#define SNAPSHOT_STATE_STATE_INTERNAL_H

/*
 * Private to this folder: a dataset's state, as its files share it.
 *
 * Generations are numbered. A directory is visible in generation g from the
 * one it was born in to the last one that has it; the current generation is
 * in the row of 'current'. A run writes generation current + 1: what it puts is
 * born there, what it keeps is last there. Nothing of that shows before one
 * transaction makes it the current one. So the pending packs, which share the
 * database, may be committed at any moment, and with them what is there of
 * the new generation: a process that dies leaves rows of a generation that
 * never came to be, and the next run sweeps them away.
 */
#include "snapshot/state/sql.h"
#include "snapshot/state/state.h"

#include <pthread.h>
#include <stdatomic.h>

enum state_statement {
	STATE_CURRENT_GET,
	STATE_CURRENT_SET,
	STATE_SWEEP_PAGES,
	STATE_SWEEP_DIRS,
	STATE_SWEEP_KEPT,
	STATE_DROP_PAGES,
	STATE_DROP_DIRS,
	STATE_DROP_PENDING,
	STATE_PAGE_GET,
	STATE_PAGE_PUT,
	STATE_DIR_ADD,
	STATE_DIR_FIND,
	STATE_DIR_KEEP,
	STATE_DIR_UNKEEP,
	STATE_PENDING_ADD,
	STATE_PENDING_NEXT,
	STATE_STATEMENTS
};

#define STATE_KEPT 128

/* In secret memory. */
struct state_keys {
	struct key32 box;
	struct key32 names;
};

struct state {
	pthread_mutex_t mu;
	struct sql *sql; /* guarded by mu */
	bool damaged;    /* guarded by mu: set it aside when it is closed */
	int lock;        /* held while the state is open */
	char path[STATE_PATH_MAX];
	uint8_t store[STORE_ID_LEN];
	uint8_t dataset[DATASET_ID_LEN];
	struct state_keys *keys;
	int64_t generation; /* the current one */
	bool writing;       /* generation + 1: between begin and publish */
	/*
	 * A write of it failed, and why the first one did: it can't be
	 * published. The reason is written before, with mu held, and once.
	 */
	atomic_bool failed;
	struct err why;
	/* Directories kept, but not told to the database yet. */
	uint8_t kept[STATE_KEPT][HASH_LEN];
	size_t nkept;
	/* The directory that was put last: pages come in runs. */
	uint8_t put_key[HASH_LEN];
	int64_t put_dir;
};

#define STATE_LABEL_PAGE "varve state page v1"
#define STATE_LABEL_PENDING "varve state pending v1"
#define STATE_LABEL_SNAPSHOT "varve state snapshot v2"

/**
 * state_seal(), state_open_box(): A box bound to this state and to ${what},
 * appended to ${out}. A box that does not open is ERR_CORRUPT.
 */
NODISCARD int state_seal(struct state *s, const char *label, const void *what,
    size_t whatlen, const void *pt, size_t len, struct wr *out,
    struct err *err);
NODISCARD int state_open_box(struct state *s, const char *label,
    const void *what, size_t whatlen, const uint8_t *box, size_t len,
    struct wr *out, struct err *err);

/** state_note_write(s, rc, err): The same of a write that failed; mu is held. */
int state_note_write(struct state *s, int rc, const struct err *err);

/** state_note(s, rc): Remember that ${rc} says the database is damaged. */
int state_note(struct state *s, int rc);

#endif
