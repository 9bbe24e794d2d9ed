#ifndef SNAPSHOT_CONTENT_INDEX_WRITE_H
#define SNAPSHOT_CONTENT_INDEX_WRITE_H

/*
 * Private to this folder: writing an index from its first byte to its last,
 * a page at a time, wherever its entries come from. Belongs to one thread.
 */
#include "snapshot/content/index_format.h"

/* Takes the next bytes of the object. */
typedef int index_put_fn(
    void *arg, const void *buf, size_t len, struct err *err);

struct index_writer {
	index_put_fn *put;
	void *arg;
	struct aead *aead;
	uint8_t clear[HASH_LEN]; /* of the head and the list of packs */
	struct wr page;          /* the one being filled */
	uint64_t at;             /* bytes written */
	uint64_t pages;          /* of segments, once they have begun */
	struct index_summary sum;
	size_t firsts_cap;
};

/**
 * index_writer_begin(w, packs, n, ks, put, arg, err):
 * Write what is in the clear. ${packs}, with their numbers of segments, are
 * borrowed. Clear ${w} with index_writer_clear(), also after a failure.
 * Errors: ERR_USAGE too many packs, or none; those of ${put}; ERR_NOMEM.
 */
NODISCARD int index_writer_begin(struct index_writer *w,
    struct index_pack *packs, size_t n, const struct keyset *ks,
    index_put_fn *put, void *arg, struct err *err);

/** index_writer_entry(): The next; the caller keeps the order of names. */
NODISCARD int index_writer_entry(
    struct index_writer *w, const struct index_entry *e, struct err *err);

/** index_writer_segment(): The next, after all entries. */
NODISCARD int index_writer_segment(
    struct index_writer *w, const struct index_segment *seg, struct err *err);

/** index_writer_end(w, err): ERR_USAGE no entry, or segments are missing. */
NODISCARD int index_writer_end(struct index_writer *w, struct err *err);

void index_writer_clear(struct index_writer *w);
#define INDEX_WRITER_AUTO __attribute__((cleanup(index_writer_clear)))

/** index_put_to_store(): Of a struct store_writer. */
int index_put_to_store(void *arg, const void *buf, size_t len, struct err *err);

#endif
