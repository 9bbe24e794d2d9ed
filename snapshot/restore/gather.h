#ifndef SNAPSHOT_RESTORE_GATHER_H
#define SNAPSHOT_RESTORE_GATHER_H

/*
 * Chunks on their way into a file: neighbours are gathered and written by one
 * call. Thread: belongs to one thread.
 */
#include "snapshot/content/chunks.h"

#include <sys/uio.h>

#define GATHER_CHUNKS 64
#define GATHER_BYTES (1024 * 1024)

struct gather {
	int fd;
	uint64_t at; /* in the file, of the first */
	size_t len;
	int n;
	struct iovec iov[GATHER_CHUNKS];
	struct chunk chunks[GATHER_CHUNKS];
};

/** gather_init(g, fd): Nothing is gathered yet. ${fd} outlives it. */
void gather_init(struct gather *g, int fd);

/**
 * gather_put(g, ch, skip, len, at, err):
 * Bytes ${skip} to ${skip} + ${len} of ${ch} (taken over) belong at ${at}.
 * They are written with those that follow; only a failure of gather_flush()
 * or of a later call tells what could not be.
 */
NODISCARD int gather_put(struct gather *g, struct chunk *ch, size_t skip,
    size_t len, uint64_t at, struct err *err);

/** gather_flush(g, err): Write what was gathered. */
NODISCARD int gather_flush(struct gather *g, struct err *err);

/** gather_clear(g): Drop what was not written. */
void gather_clear(struct gather *g);
#define GATHER_AUTO __attribute__((cleanup(gather_clear)))

#endif
