#ifndef SNAPSHOT_BACKUP_POOL_H
#define SNAPSHOT_BACKUP_POOL_H

/*
 * The workers, and the jobs on their way through them.
 *
 *	pool_push()                                          pool_pop()
 *	the walk  -->  [ ring of jobs, in order ]  -->  the assembly
 *	                  |  ^ done, in any order
 *	                  v  |
 *	                workers  <-->  [ pieces of big files ]
 *
 * The walk and the assembly each are a thread; the ring, and the jobs popped
 * together, bound how far the walk is ahead. A worker that reads a big file cuts
 * it, and lets all workers hash, compress and seal the pieces; it helps with them
 * when it would have to wait.
 * The first error wins, and ends everybody's work.
 */
#include "snapshot/backup/item.h"
#include "snapshot/content/cut.h"

#include <pthread.h>

#define POOL_RING 256 /* jobs */
#define POOL_POP 32   /* that leave it together, at most */
#define PIECE_BYTES (2 * 1024 * 1024)
#define PIECE_CHUNKS (PIECE_BYTES / 4096)

struct pool;

/* A thread's own tools. */
struct worker {
	struct pool *pool;
	struct ingest_lane *lane;
	struct cutter *cutter;
	struct content_builder *content;
	uint8_t *buf; /* WORKER_BUF bytes, to read into */
	pthread_t thread;
	struct err err;
};
#define WORKER_BUF (PIECE_BYTES + CUT_MAX)

/* A run of chunks of a big file, to be taken in by any worker. */
struct piece {
	uint8_t *buf; /* WORKER_BUF bytes */
	enum ingest_use use;
	size_t n;
	uint32_t lens[PIECE_CHUNKS];
	struct chunk_name names[PIECE_CHUNKS]; /* the result */
	bool done;                             /* guarded by the pool's lock */
	struct piece *next;                    /* in the pool's queue */
};

/** What a worker does with a batch; an error ends the run. */
typedef int pool_work_fn(
    struct worker *w, struct job *job, void *arg, struct err *err);

NODISCARD int pool_new(struct ingest *in, unsigned threads, pool_work_fn *work,
    void *arg, struct pool **out, struct err *err);
/** pool_free(p): Stops and joins the workers; jobs left are dropped. */
void pool_free(struct pool *p);
DEFINE_AUTO(pool, pool_free)

/** worker_init(): A worker's tools; the thread is the caller's matter. */
NODISCARD int worker_init(
    struct worker *w, struct ingest *in, struct pool *p, struct err *err);
void worker_clear(struct worker *w);

/**
 * pool_push(p, job):
 * Takes it over; waits while the ring is full. False: something has failed, and
 * the job was dropped; pool_pop() tells what.
 */
bool pool_push(struct pool *p, struct job *job);
/** pool_open(p): Another thread is going to push: pool_pop() waits for it. */
void pool_open(struct pool *p);
/** pool_close(p): That thread has pushed its last. */
void pool_close(struct pool *p);
/** pool_fail(p, why): End everybody's work, unless something failed before. */
void pool_fail(struct pool *p, const struct err *why);

/**
 * pool_pop(p, wait, out, err):
 * The oldest job once it is done: 1 with the job, 0 when there is none and none
 * will come (or it is not done and ${wait} is false). Errors: the first that
 * anybody met.
 */
NODISCARD int pool_pop(
    struct pool *p, bool wait, struct job **out, struct err *err);

/** pool_flush(p, err): Nothing is in the ring: empty the workers' lanes. */
NODISCARD int pool_flush(struct pool *p, struct err *err);

/* --- for a worker that cuts a big file --------------------------------- */

/** pool_piece_send(p, piece): Offer it; false: do it yourself. */
bool pool_piece_send(struct pool *p, struct piece *piece);
/** piece_work(w, piece, err): Take its chunks in. */
NODISCARD int piece_work(
    struct worker *w, struct piece *piece, struct err *err);
/** pool_piece_wait(w, piece, err): Until it is done, helping meanwhile. */
NODISCARD int pool_piece_wait(
    struct worker *w, struct piece *piece, struct err *err);

#endif
