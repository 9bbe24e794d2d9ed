#ifndef SNAPSHOT_TREE_ENTRY_H
#define SNAPSHOT_TREE_ENTRY_H

/*
 * A directory entry: everything that restoring a file needs (FORMAT.md
 * section 8). Encode and decode; no names here, they stand beside the entry.
 */
#include "snapshot/content/content.h"

#define ENTRY_NAME_MAX 1023
#define ENTRY_OWNER_MAX 255
#define ENTRY_TARGET_MAX 65535
#define ENTRY_INO_MAX ((UINT64_C(1) << 48) - 1)
#define ENTRY_XATTR_INLINE 1024 /* longer values go to chunks */
#define ENTRY_XATTR_MAX 65536
#define ENTRY_MAX (512 * 1024) /* an entry's bytes */
#define DIR_LEVELS 8

enum entry_type {
	ENTRY_FILE = 1,
	ENTRY_DIR = 2,
	ENTRY_SYMLINK = 3,
	ENTRY_FIFO = 4,
	ENTRY_SOCKET = 5,
	ENTRY_CHAR = 6,
	ENTRY_BLOCK = 7,
};

/* A run of borrowed bytes. */
struct span {
	const uint8_t *p;
	size_t len;
};

/* A directory: where its pages are. ${entries} 0: it has none. */
struct dir_ref {
	uint64_t entries; /* directly in it */
	uint8_t level;    /* of the root page */
	struct chunk_name root;
};

/* What a whole subtree holds, its top directory not counted. */
struct dir_totals {
	uint64_t files;
	uint64_t dirs;
	uint64_t others;
	uint64_t bytes; /* of the files, by size */
};

struct entry {
	enum entry_type type;
	uint32_t mode; /* 07777 */
	uint32_t uid;
	uint32_t gid;
	struct span user; /* names; empty when unknown */
	struct span group;
	int64_t mtime;
	uint32_t mtime_ns;
	uint64_t ino;
	uint64_t nlink;
	size_t nxattrs;
	struct span xattrs;  /* encoded; see xattr_next() */
	uint64_t size;       /* file */
	struct span content; /* file: encoded; see entry_content() */
	struct dir_ref dir;  /* directory */
	struct dir_totals totals;
	struct span target;  /* symlink */
	uint32_t rdev_major; /* devices */
	uint32_t rdev_minor;
};

void entry_encode(const struct entry *e, struct wr *w);

/**
 * entry_decode(buf, len, out, err):
 * A view that borrows ${buf}. Everything is checked but what lies behind chunk
 * names. Errors: ERR_CORRUPT.
 */
NODISCARD int entry_decode(
    const uint8_t *buf, size_t len, struct entry *out, struct err *err);

/** entry_content(e, out, err): A file's content, decoded. */
NODISCARD int entry_content(
    const struct entry *e, struct content *out, struct err *err);

/** entry_mode(e): Type and permissions as st_mode. */
uint32_t entry_mode(const struct entry *e);

/** entry_name_ok(name, len): Whether it can be an entry's name. */
bool entry_name_ok(const uint8_t *name, size_t len);

/* One extended attribute: its value in place, or in a chunk. */
struct xattr {
	struct span name;
	bool in_chunk;
	struct span value; /* unless in_chunk */
	uint32_t value_len;
	struct chunk_name chunk; /* when in_chunk */
};
void xattr_encode(const struct xattr *x, struct wr *w);
/**
 * xattr_next(r, out):
 * The next of those in ${r}, which is rd_init(e->xattrs.p, e->xattrs.len).
 * false at the end, or when malformed (r->failed); that the names ascend is
 * checked by entry_decode().
 */
bool xattr_next(struct rd *r, struct xattr *out);
/** xattr_find(e, name, out): Whether ${e} has the attribute. */
bool xattr_find(const struct entry *e, const char *name, struct xattr *out);
/**
 * xattr_value(chunks, x, w, err):
 * Append the value to ${w}. Errors: ERR_CORRUPT also when its chunk is missing;
 * else those of chunks_get().
 */
NODISCARD int xattr_value(struct chunks *chunks, const struct xattr *x,
    struct wr *w, struct err *err);

#endif
