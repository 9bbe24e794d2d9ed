#ifndef SNAPSHOT_BACKUP_FEED_INTERNAL_H
#define SNAPSHOT_BACKUP_FEED_INTERNAL_H

/*
 * Private to feed.c, which reads, cuts and sends pieces on their way, and
 * feed_file.c, which says of what.
 */
#include "snapshot/backup/feed.h"

#define FLIGHTS 8 /* pieces of one file under way at most */

struct feed {
	struct worker *w;
	int fd;
	bool stream; /* a pipe: read(), not pread() */
	const atomic_bool *stop;
	uint64_t size; /* of the whole file */
	uint64_t pos;  /* in the file, of the next read */
	uint64_t end;  /* where this run of data ends */
	size_t page;
	bool looked; /* at the first bytes, for the page size */
	int errnum;
	_Atomic uint64_t *count;

	uint8_t *buf; /* WORKER_BUF: the worker's, or a piece's */
	size_t len;   /* bytes in it */
	size_t at;    /* bytes of it cut so far */
	bool eof;

	struct piece *flight[FLIGHTS]; /* in order; NULL: never used yet */
	unsigned first, nflights;
};

/**
 * feed_fill(f): Read until the buffer is full, or there is no more: ${f}->eof.
 * What can't be read is in ${f}->errnum.
 */
void feed_fill(struct feed *f);

/** feed_look(f): At the first bytes, once, for the size of pages. */
void feed_look(struct feed *f);

/** feed_use(f): How the file is likely to be read. After feed_look(). */
enum ingest_use feed_use(const struct feed *f);

/**
 * feed_next_cut(f, at, cut, err):
 * The length of the chunk at ${at} in the buffer; 0 when it may end behind it.
 */
NODISCARD int feed_next_cut(
    struct feed *f, size_t at, size_t *cut, struct err *err);

/** feed_add(f, name, len, err): Of the content what comes next; NULL: a hole. */
NODISCARD int feed_add(struct feed *f, const struct chunk_name *name,
    uint64_t len, struct err *err);

/** feed_run(f, err): All data from ${f}->pos to ${f}->end, in pieces. */
NODISCARD int feed_run(struct feed *f, struct err *err);

/** feed_land(f, err): Wait for all pieces, and add their chunks. */
NODISCARD int feed_land(struct feed *f, struct err *err);
#endif
