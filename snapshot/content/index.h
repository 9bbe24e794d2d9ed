#ifndef SNAPSHOT_CONTENT_INDEX_H
#define SNAPSHOT_CONTENT_INDEX_H

/*
 * Indexes: where chunks lie (FORMAT.md section 7).
 */
#include "crypto/keyring.h"
#include "snapshot/content/pack.h"

/* A chunk's place: the object and the segment that holds it. */
struct chunk_place {
	uint8_t pack[OBJECT_NAME_LEN];
	uint64_t pack_size;
	enum pack_kind kind;
	struct segment_place segment;
};

/* --- making: belongs to one thread ------------------------------------- */

struct index_builder;

NODISCARD int index_builder_new(struct index_builder **out, struct err *err);
void index_builder_free(struct index_builder *b);
DEFINE_AUTO(index_builder, index_builder_free)

/**
 * index_builder_pack(b, ref, size, kind, places, n, pack, err):
 * Add a pack with all of its ${n} segments, in order. ${pack} receives its
 * number: the one it has when it was added before. Errors: ERR_USAGE not all, or
 * not in order; ERR_CORRUPT it was added before with other segments; ERR_NOMEM.
 */
NODISCARD int index_builder_pack(struct index_builder *b,
    const struct object_ref *ref, uint64_t size, enum pack_kind kind,
    const struct segment_place *places, size_t n, uint32_t *pack,
    struct err *err);

/** index_builder_chunk(): Chunk ${name} is in segment ${segment} of ${pack}. */
NODISCARD int index_builder_chunk(struct index_builder *b,
    const struct chunk_name *name, uint32_t pack, uint32_t segment,
    struct err *err);

size_t index_builder_entries(const struct index_builder *b);

/**
 * index_builder_finish(b, ks, w, err):
 * Append the index object to ${w}. Of a chunk added twice, the place in the
 * pack that was added first is kept. Errors: ERR_USAGE no chunk, or too many.
 */
NODISCARD int index_builder_finish(struct index_builder *b,
    const struct keyset *ks, struct wr *w, struct err *err);

/**
 * index_builder_store(b, ks, store, ref, err):
 * The same into ${store}, durable when it returns; ${ref} receives the name.
 */
NODISCARD int index_builder_store(struct index_builder *b,
    const struct keyset *ks, struct store *store, struct object_ref *ref,
    struct err *err);

/** index_builder_each(): The names of its chunks; in order once finished. */
typedef int index_name_fn(
    void *arg, const struct chunk_name *name, struct err *err);
NODISCARD int index_builder_each(const struct index_builder *b,
    index_name_fn *visit, void *arg, struct err *err);

/* --- without a key ------------------------------------------------------ */

/* A pack that an index lists; a return other than 0 ends it. */
typedef int index_listed_fn(void *arg, const struct object_ref *ref,
    uint64_t size, enum pack_kind kind, struct err *err);

/**
 * index_peek(store, ref, visit, arg, err):
 * The packs of index ${ref}, from its list in the clear, in the order in which
 * they were added. Nothing is opened, so that a site without keys knows what
 * an index needs; but then only ${ref}'s name vouches for the list: who has not
 * compared it with the bytes (store_get() of all of them, or check) may be
 * lied to. A list that names a pack twice is visited as it is.
 * Errors: ERR_NOT_FOUND; ERR_CORRUPT; ERR_VERSION; ERR_IO; the visitor's.
 * Thread: safe. Cost: 37 bytes read a pack; 37 KiB of stack.
 */
NODISCARD int index_peek(struct store *store, const struct object_ref *ref,
    index_listed_fn *visit, void *arg, struct err *err);

struct name_set;

/**
 * index_listed(store, ref, packs, err):
 * Add the names of the packs that index ${ref} lists to ${packs}: those that
 * were read before it failed, too. Errors, thread, cost: as index_peek()'s;
 * ERR_NOMEM.
 */
NODISCARD int index_listed(struct store *store, const struct object_ref *ref,
    struct name_set *packs, struct err *err);

/**
 * index_listed_all(store, dataset, names, n, packs, err):
 * The same of the ${n} indexes ${names} of ${dataset}; but one that is damaged,
 * or not there, is passed over: what it lists, nobody can rely on.
 * Errors: ERR_VERSION; ERR_IO; ERR_NOMEM.
 */
NODISCARD int index_listed_all(struct store *store,
    const uint8_t dataset[STORE_DATASET_LEN],
    const uint8_t (*names)[OBJECT_NAME_LEN], size_t n, struct name_set *packs,
    struct err *err);

/* --- reading ----------------------------------------------------------- */

/* An open index; look-ups are thread-safe. */
struct index;

/**
 * index_open(store, ref, kr, out, err):
 * Reads the list of packs and the summary; pages of names and of segments are
 * read when they are needed, and some are kept.
 * ${store} outlives it. Errors: ERR_NOT_FOUND; ERR_CORRUPT damaged, or another
 * dataset's; ERR_VERSION; ERR_AUTH another key, or tampered with; ERR_DENIED the
 * keyring lacks its epoch.
 * Memory: 60 bytes a pack, 16 a page of 256 chunks.
 */
NODISCARD int index_open(struct store *store, const struct object_ref *ref,
    const struct keyring *kr, struct index **out, struct err *err);

/**
 * index_open_bytes(buf, len, ref, kr, out, err):
 * The same of an index in memory: ${buf} outlives it, ${ref} says whose it is
 * and how messages name it.
 */
NODISCARD int index_open_bytes(const uint8_t *buf, size_t len,
    const struct object_ref *ref, const struct keyring *kr, struct index **out,
    struct err *err);
void index_close(struct index *ix);
DEFINE_AUTO(index, index_close)

size_t index_entries(const struct index *ix);
const struct object_ref *index_ref(const struct index *ix);

/**
 * index_find(ix, name, place, err): ERR_NOT_FOUND when it isn't listed.
 * Cost: two pages of 8 to 9 KiB read and opened, unless they are in memory.
 */
NODISCARD int index_find(struct index *ix, const struct chunk_name *name,
    struct chunk_place *place, struct err *err);

/*
 * An entry in numbers: its own, in the order of names; that of its pack among
 * the index's, in the order of index_each_pack(); its segment's in the pack.
 */
struct index_spot {
	size_t entry;
	uint32_t pack;
	uint32_t segment;
};
size_t index_packs(const struct index *ix);

/** index_spot(ix, name, spot, found, err): Cost: half of index_find()'s. */
NODISCARD int index_spot(struct index *ix, const struct chunk_name *name,
    struct index_spot *spot, bool *found, struct err *err);

/* All entries in order of name; a return other than 0 ends it. */
typedef int index_spot_fn(void *arg, const struct chunk_name *name,
    const struct index_spot *spot, struct err *err);
NODISCARD int index_each_spot(
    struct index *ix, index_spot_fn *visit, void *arg, struct err *err);

/** index_merge(ix, b, err): Add all of an open index to a builder. */
NODISCARD int index_merge(
    struct index *ix, struct index_builder *b, struct err *err);

/**
 * index_join(store, ks, v, n, ref, err):
 * Store one index that lists what the ${n} indexes ${v} do, oldest first: of a
 * chunk that several list, the place that the last of them says. It goes page
 * by page: memory is 50 bytes a pack and 20 KiB an index.
 * Errors: ERR_CORRUPT damaged, or they list one pack in two ways; ERR_USAGE
 * too much for one index; those of the store.
 */
NODISCARD int index_join(struct store *store, const struct keyset *ks,
    struct index *const *v, size_t n, struct object_ref *ref, struct err *err);

/* An index, and what to take of it: 1 take it, 0 leave it, or an error. */
struct index_part {
	struct index *ix;
	int (*pack)(void *arg, uint32_t pack, struct err *err);
	/* Of those in packs that are taken; NULL: all. */
	index_spot_fn *entry;
	void *arg;
};

/**
 * index_join_some(store, ks, parts, n, ref, err):
 * index_join() of what is taken of each; 1: that is nothing, and nothing is
 * stored. Errors: also those of the parts.
 */
NODISCARD int index_join_some(struct store *store, const struct keyset *ks,
    const struct index_part *parts, size_t n, struct object_ref *ref,
    struct err *err);

/*
 * All entries in order of name; a return other than 0 ends it. Memory: 8 bytes
 * a segment meanwhile.
 */
typedef int index_visit_fn(void *arg, const struct chunk_name *name,
    const struct chunk_place *place, struct err *err);
NODISCARD int index_each(
    struct index *ix, index_visit_fn *visit, void *arg, struct err *err);

/* All packs it lists, with their segments. */
typedef int index_pack_fn(void *arg, const struct object_ref *ref,
    uint64_t size, enum pack_kind kind, const struct segment_place *places,
    size_t n, struct err *err);
NODISCARD int index_each_pack(
    struct index *ix, index_pack_fn *visit, void *arg, struct err *err);

#endif
