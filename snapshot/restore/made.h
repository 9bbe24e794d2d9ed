#ifndef SNAPSHOT_RESTORE_MADE_H
#define SNAPSHOT_RESTORE_MADE_H

/*
 * The files with several links that a restore has made. They are told apart by
 * their entries' bytes, not by inode number alone, which a writer may have
 * given to two files. One is forgotten when all its links have been made and it
 * is filled. Thread: the caller locks.
 */
#include "crypto/hash.h"

struct made;

NODISCARD int made_new(struct made **out, struct err *err);
void made_free(struct made *m);
DEFINE_AUTO(made, made_free)

void made_lock(struct made *m);
void made_unlock(struct made *m);

/* One of them: where its links are, from the target's root. */
struct made_file {
	uint8_t hash[HASH_LEN]; /* of its entry */
	uint64_t nlink;         /* as the entry says */
	uint64_t links;         /* made so far */
	bool filled;
	/* All links made, or, once it is filled, the first one. */
	char **paths;
	size_t npaths, cap;
};
void made_file_free(struct made_file *file);
DEFINE_AUTO(made_file, made_file_free)

/** made_find(m, raw, len, out, err): The file of an entry; *${out} NULL: none. */
NODISCARD int made_find(struct made *m, const uint8_t *raw, size_t len,
    struct made_file **out, struct err *err);

/** made_add(m, raw, len, nlink, path, out, err): One whose first link was made. */
NODISCARD int made_add(struct made *m, const uint8_t *raw, size_t len,
    uint64_t nlink, const char *path, struct made_file **out, struct err *err);

/** made_link(m, file, path, err): Another link was made. */
NODISCARD int made_link(
    struct made *m, struct made_file *file, const char *path, struct err *err);

/** made_filled(m, file): Its links can't fail any more. */
void made_filled(struct made *m, struct made_file *file);

/**
 * made_take(m, file):
 * Forget it because it failed: ${file} is the caller's, and the next link is a
 * first one.
 */
void made_take(struct made *m, struct made_file *file);

#endif
