#ifndef SNAPSHOT_BACKUP_FEED_H
#define SNAPSHOT_BACKUP_FEED_H

/*
 * Bytes into content: read, cut, take in. A small file stays with its worker;
 * a big one is handed round in pieces.
 */
#include "snapshot/backup/pool.h"

struct feed_result {
	uint64_t size; /* bytes of the content, holes included */
	int errnum;    /* not 0: reading failed with this */
};

/**
 * feed_file(w, fd, size, sparse, content, out, read, err):
 * The first ${size} bytes of ${fd}; fewer when it ends before. ${sparse}: look
 * for holes. ${content} receives the encoded content; ${read}, which may be
 * NULL, counts bytes as they are read. Once ${stop}, which may be NULL, is set, a big
 * file ends soon with ERR_CANCELLED.
 * A read error is in ${out}, not an error of the run.
 */
NODISCARD int feed_file(struct worker *w, int fd, uint64_t size, bool sparse,
    struct wr *content, struct feed_result *out, _Atomic uint64_t *read,
    const atomic_bool *stop, struct err *err);

/** feed_stream(): All that ${fd}, a pipe, yields until its end. */
NODISCARD int feed_stream(struct worker *w, int fd, struct wr *content,
    struct feed_result *out, _Atomic uint64_t *read, const atomic_bool *stop,
    struct err *err);

/** feed_unsized(): All of the file ${fd} that does not show how much it has. */
NODISCARD int feed_unsized(struct worker *w, int fd, struct wr *content,
    struct feed_result *out, _Atomic uint64_t *read, const atomic_bool *stop,
    struct err *err);

/** feed_bytes(): Bytes in memory. */
NODISCARD int feed_bytes(struct worker *w, const void *buf, size_t len,
    struct wr *content, struct err *err);

#endif
