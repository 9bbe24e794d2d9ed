#ifndef SNAPSHOT_CONTENT_PACK_H
#define SNAPSHOT_CONTENT_PACK_H

/*
 * Packs: objects that hold sealed segments (FORMAT.md section 6).
 */
#include "crypto/keyring.h"
#include "snapshot/content/segment.h"
#include "snapshot/store/store.h"

#define PACK_HEADER_LEN 128
#define PACK_TAIL_LEN 16
#define PACK_LIMIT (64 * 1024 * 1024)  /* what a reader accepts */
#define PACK_TARGET (32 * 1024 * 1024) /* what a writer fills */

enum pack_kind { PACK_DATA = 0, PACK_META = 1 };

/* Where a sealed segment lies in its pack. */
struct segment_place {
	uint32_t number; /* in the pack, from 0 */
	uint32_t offset;
	uint32_t sealed_len;
};

/* --- writing: belongs to one thread at a time -------------------------- */

struct pack_writer;

NODISCARD int pack_writer_new(struct store *store, const struct packrun *run,
    const uint8_t dataset[DATASET_ID_LEN], enum pack_kind kind,
    struct pack_writer **out, struct err *err);
/** pack_writer_free(w): What was not committed is forgotten. */
void pack_writer_free(struct pack_writer *w);
DEFINE_AUTO(pack_writer, pack_writer_free)

/** pack_writer_fits(w, len): Whether a plaintext of ${len} still fits. */
bool pack_writer_fits(const struct pack_writer *w, size_t len);

/**
 * pack_writer_add(w, plain, len, place, err):
 * Seal and append a segment. Errors: ERR_USAGE it does not fit; those of the
 * store, after which the writer can only be freed.
 */
NODISCARD int pack_writer_add(struct pack_writer *w, const uint8_t *plain,
    size_t len, struct segment_place *place, struct err *err);

size_t pack_writer_segments(const struct pack_writer *w);

/**
 * pack_writer_commit(w, ref, size, err):
 * Table, padding and tail; durable when it returns. ${ref}, ${size}: the
 * object. The next _add begins another pack. Errors: ERR_USAGE it is empty.
 */
NODISCARD int pack_writer_commit(struct pack_writer *w, struct object_ref *ref,
    uint64_t *size, struct err *err);

/**
 * pack_padded(len):
 * Padmé: the length to which ${len} is padded. It adds at most 12 %, and 3 % to
 * what is over 64 KiB.
 */
uint64_t pack_padded(uint64_t len);

/* --- reading ----------------------------------------------------------- */

/* The openers of a dataset's packs, one for each epoch of its keyring. */
struct pack_openers;

/**
 * pack_openers_new(kr, out, err):
 * ${kr} outlives it, and it outlives the packs opened with it. Thread: safe.
 */
NODISCARD int pack_openers_new(
    const struct keyring *kr, struct pack_openers **out, struct err *err);
void pack_openers_free(struct pack_openers *o);
DEFINE_AUTO(pack_openers, pack_openers_free)

/*
 * An open pack: its header has been read and its commitment checked.
 * Reference-counted; pack_segment() is thread-safe (it keeps a pool of
 * contexts).
 */
struct pack;

/**
 * pack_open(store, openers, ref, out, err):
 * Errors: ERR_NOT_FOUND the object is gone; ERR_CORRUPT not a pack, or one of
 * another dataset; ERR_VERSION; ERR_AUTH tampered; ERR_DENIED the keyring has
 * no private half for the pack's epoch.
 */
NODISCARD int pack_open(struct store *store, struct pack_openers *openers,
    const struct object_ref *ref, struct pack **out, struct err *err);
struct pack *pack_ref(struct pack *p);
void pack_unref(struct pack *p);
DEFINE_AUTO(pack, pack_unref)

enum pack_kind pack_get_kind(const struct pack *p);

/**
 * pack_segment(p, place, out, err):
 * Read, open and decode one segment. Errors: ERR_CORRUPT tampered, damaged or
 * cut off (the text names the pack and the segment); ERR_NOT_FOUND; ERR_IO.
 */
NODISCARD int pack_segment(struct pack *p, const struct segment_place *place,
    struct segment **out, struct err *err);

/**
 * pack_much_read(p):
 * To be asked for each segment that was opened. True when so many were that it is
 * worth to pack_read_on(), which has the store fetch the rest of the pack; and
 * again now and then, as more are.
 */
bool pack_much_read(struct pack *p);
void pack_read_on(struct pack *p);

/**
 * pack_table(p, places, n, err):
 * Where all of its segments lie, from the pack alone. *${places} is the
 * caller's (free).
 */
NODISCARD int pack_table(
    struct pack *p, struct segment_place **places, size_t *n, struct err *err);

/**
 * pack_check_shape(store, ref, err):
 * What can be said without a key: a header of a known version, of the dataset
 * in ${ref}; a tail; a padded length. For keyless checks.
 */
NODISCARD int pack_check_shape(
    struct store *store, const struct object_ref *ref, struct err *err);

#endif
