#ifndef SNAPSHOT_CONTENT_CONTENT_H
#define SNAPSHOT_CONTENT_CONTENT_H

/*
 * Content: the bytes of a file as a sequence of chunks and holes, short ones
 * listed in place and long ones in a tree of list nodes (FORMAT.md section 4).
 */
#include "snapshot/content/chunks.h"
#include "snapshot/content/ingest.h"

#define CONTENT_INLINE_MAX 16 /* what a reader accepts */
#define CONTENT_INLINE 4      /* what a writer uses */
#define CONTENT_LEVELS 8
#define CONTENT_SIZE_MAX ((uint64_t)INT64_MAX)

struct element {
	uint64_t len;
	bool hole;
	struct chunk_name name; /* unless hole */
};

enum content_form {
	CONTENT_EMPTY = 0,
	CONTENT_INLINE_LIST = 1,
	CONTENT_TREE = 2
};

struct content {
	enum content_form form;
	uint8_t level;          /* of the root node; CONTENT_TREE */
	uint64_t holes;         /* bytes in holes; of a list, as it is said */
	struct chunk_name root; /* CONTENT_TREE */
	size_t n;               /* CONTENT_INLINE_LIST */
	struct element inl[CONTENT_INLINE_MAX];
};

void content_encode(const struct content *c, struct wr *w);
/** content_decode(r, size, out, err): Lengths must add up to ${size}. */
NODISCARD int content_decode(
    struct rd *r, uint64_t size, struct content *out, struct err *err);

/**
 * content_chunk(chunks, name, kind, len, out, err):
 * chunks_get() of a chunk that something stored refers to. It ought to be
 * there, so that one that is missing is damage: ERR_CORRUPT, and so is one that
 * does not have ${len} bytes (0: any length). On failure ${out} is empty.
 */
NODISCARD int content_chunk(struct chunks *chunks,
    const struct chunk_name *name, enum chunk_kind kind, uint64_t len,
    struct chunk *out, struct err *err);

#define CONTENT_NAME_TEXT 17
/** content_name_text(): A chunk as messages name it: its name's beginning. */
void content_name_text(
    const struct chunk_name *name, char out[CONTENT_NAME_TEXT]);

/* --- making: belongs to one thread ------------------------------------- */

struct content_builder;
NODISCARD int content_builder_new(
    struct content_builder **out, struct err *err);
void content_builder_free(struct content_builder *b);
DEFINE_AUTO(content_builder, content_builder_free)

/**
 * content_builder_pages(b, pages):
 * Before the first element: whether the file is cut by page. Then some of its
 * pages change here and there, and the nodes are kept small, so that few names
 * are stored again. Holds until content_builder_finish().
 */
void content_builder_pages(struct content_builder *b, bool pages);

/**
 * content_builder_add(b, lane, element, err):
 * The next element. Neighbouring holes are joined. Full nodes go to ${lane}.
 * Memory stays bounded (one open node a level).
 */
NODISCARD int content_builder_add(struct content_builder *b,
    struct ingest_lane *lane, const struct element *el, struct err *err);

/**
 * content_builder_finish(b, lane, out, size, err):
 * Then it starts over, also after a failure.
 */
NODISCARD int content_builder_finish(struct content_builder *b,
    struct ingest_lane *lane, struct content *out, uint64_t *size,
    struct err *err);

/* --- reading ----------------------------------------------------------- */

/*
 * A place in a content: remembers the list nodes it last walked, so that
 * reading on costs nothing but the next node. Thread: belongs to one thread.
 */
struct content_cursor;

/** content_cursor_new(chunks, c, size, out, err): Copies ${c}. */
NODISCARD int content_cursor_new(struct chunks *chunks, const struct content *c,
    uint64_t size, struct content_cursor **out, struct err *err);
void content_cursor_free(struct content_cursor *cur);
DEFINE_AUTO(content_cursor, content_cursor_free)
uint64_t content_cursor_size(const struct content_cursor *cur);
struct chunks *content_cursor_chunks(const struct content_cursor *cur);

/**
 * content_at(cur, off, el, start, err):
 * The element that covers byte ${off} (< size), and the offset at which it
 * starts. Errors: those of chunks_get(); ERR_CORRUPT lengths or holes don't
 * add up.
 */
NODISCARD int content_at(struct content_cursor *cur, uint64_t off,
    struct element *el, uint64_t *start, struct err *err);

/** content_read(cur, off, buf, len, got, err): Like pread; holes read as 0. */
NODISCARD int content_read(struct content_cursor *cur, uint64_t off, void *buf,
    size_t len, size_t *got, struct err *err);

/**
 * content_fetch(cur, off):
 * The bytes from ${off} on will be read in order, but not soon: have the pack at
 * hand in which they lie, if they lie together (chunks_fetch_pack()). Never
 * waits for the pack, and may do nothing. Cost: the list's nodes that lead there;
 * the cursor has forgotten those of where it was.
 */
void content_fetch(struct content_cursor *cur, uint64_t off);
/* How far ahead that is worth while, in bytes of the content. */
#define CONTENT_FETCH_AHEAD (UINT64_C(64) * 1024 * 1024)

/**
 * content_seek(cur, off, hole, pos, err):
 * The first offset >= ${off} that lies in a hole (or not): SEEK_HOLE,
 * SEEK_DATA. The end of the file counts as a hole. ERR_NOT_FOUND: none (ENXIO).
 * Cost: what has no hole is passed over unread where a hole is sought.
 */
NODISCARD int content_seek(struct content_cursor *cur, uint64_t off, bool hole,
    uint64_t *pos, struct err *err);

/* --- comparing --------------------------------------------------------- */

/**
 * content_skip_same(a, b, off, end, err):
 * Where the largest run ends that starts at ${off} (less than either size) in
 * both and is the same by name: a chunk, a hole, or all below a node; ${off}
 * when there is none. For contents whose chunks are named under one key.
 */
NODISCARD int content_skip_same(struct content_cursor *a,
    struct content_cursor *b, uint64_t off, uint64_t *end, struct err *err);

/**
 * content_equal(a, b, same_names, equal, err):
 * Whether two contents hold the same bytes; a hole equals zeros. With
 * ${same_names} chunks of one name are taken to be equal, so that the cost
 * follows the difference; without, both are read up to it.
 */
NODISCARD int content_equal(struct content_cursor *a, struct content_cursor *b,
    bool same_names, bool *equal, struct err *err);

#endif
