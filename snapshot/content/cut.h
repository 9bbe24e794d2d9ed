#ifndef SNAPSHOT_CONTENT_CUT_H
#define SNAPSHOT_CONTENT_CUT_H

/*
 * Where to cut a file into chunks: by content or by page (FORMAT.md section 3).
 * Thread: a cutter belongs to one thread.
 */
#include "crypto/namer.h"

#define CUT_MIN (16 * 1024)
#define CUT_MAX (256 * 1024)

struct cutter;

/** cutter_new(namer, out, err): ${namer} decides; it outlives the cutter. */
NODISCARD int cutter_new(
    struct namer *namer, struct cutter **out, struct err *err);
void cutter_free(struct cutter *c);
DEFINE_AUTO(cutter, cutter_free)

/** cutter_page(c, size): From now on, pages of ${size} bytes; 0: by content. */
void cutter_page(struct cutter *c, size_t size);

/**
 * cutter_next(c, buf, len, eof, cut, err):
 * The length of the chunk that starts at ${buf}, of which ${len} bytes are
 * there. *${cut} is 0 when more bytes are needed to tell; never with ${eof}, or
 * once CUT_MAX bytes are there.
 * Cost: about 1 GB/s.
 */
NODISCARD int cutter_next(struct cutter *c, const uint8_t *buf, size_t len,
    bool eof, size_t *cut, struct err *err);

/**
 * cut_page_size(head, len, size):
 * The page size of the database or disk image that a file with these first
 * ${len} bytes and this size is, or 0 when it should be cut by content.
 */
size_t cut_page_size(const uint8_t *head, size_t len, uint64_t size);

#endif
