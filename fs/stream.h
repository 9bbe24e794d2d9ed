#ifndef FS_STREAM_H
#define FS_STREAM_H

/*
 * Files that are being read, as far as it pays to remember where: those with a
 * list of chunks. A stream keeps a place in the list, and when a file is read
 * from front to back it has the segments that come next opened ahead of time; a
 * long one's packs are brought into the system's cache long before.
 *
 * A few streams are kept, the longest unused goes first. Thread: safe; a stream
 * belongs to one thread between stream_open() and stream_close().
 */
#include "fs/node.h"

struct streams;
struct stream;

/** streams_new(ahead, out, err): Read ${ahead} bytes ahead. */
NODISCARD int streams_new(
    uint64_t ahead, struct streams **out, struct err *err);
void streams_free(struct streams *s);
DEFINE_AUTO(streams, streams_free)

/**
 * stream_open(s, n, c, size, out, err):
 * The stream of node ${n}, whose content is ${c}. Waits for who has it.
 */
NODISCARD int stream_open(struct streams *s, const struct node *n,
    const struct content *c, uint64_t size, struct stream **out,
    struct err *err);
void stream_close(struct stream *st);

/** stream_cursor(st): Its place in the content. */
struct content_cursor *stream_cursor(struct stream *st);

/**
 * stream_ahead(st, off, len):
 * ${len} bytes from ${off} are being read. If that goes on where others left
 * off, or begins the file, ask for what comes next; false: it does not.
 */
bool stream_ahead(struct stream *st, uint64_t off, uint64_t len);

#endif
