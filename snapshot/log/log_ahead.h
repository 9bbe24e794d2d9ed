#ifndef SNAPSHOT_LOG_LOG_AHEAD_H
#define SNAPSHOT_LOG_LOG_AHEAD_H

/*
 * Private to this folder and its tests: reads the bytes of many records before
 * they are asked for, several at a time. Where a store has to wait for each, as
 * a disk does, thousands of them one after another take a second.
 * Thread: belongs to one thread; those that read for it are its own.
 */
#include "snapshot/store/store.h"

/* Fewer records are not worth a thread. */
#define LOG_AHEAD_MIN 32
/* A larger record is left to who asks for it: this bounds the memory. */
#define LOG_AHEAD_BYTES (64 * 1024)

struct log_ahead;
/**
 * log_ahead_start(s, refs, n):
 * Begin to read the records ${refs}, which must outlive it, in their order. NULL
 * where there are few, or there is no memory or thread for it: then nothing is
 * read ahead. Memory: at most 128 records.
 */
struct log_ahead *log_ahead_start(
    struct store *s, const struct object_ref *refs, size_t n);

/**
 * log_ahead_take(a, ref, buf, len):
 * The bytes of ${ref}, one of those given at the start and none before those
 * taken so far; their name is checked; free(). False: not at hand, because ${a}
 * is NULL, it was taken already, is large, or could not be read; ask the store.
 */
bool log_ahead_take(struct log_ahead *a, const struct object_ref *ref,
    uint8_t **buf, size_t *len);

void log_ahead_free(struct log_ahead *a);
DEFINE_AUTO(log_ahead, log_ahead_free)

#endif
