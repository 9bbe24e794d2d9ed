#ifndef SNAPSHOT_FIND_PATH_SET_H
#define SNAPSHOT_FIND_PATH_SET_H

/*
 * A set of paths, by libc's balanced tree: nobody can choose names that make it
 * slow. Apart from the rest since <search.h> has a struct entry of its own.
 */
#include "crypto/attr.h"

#include <stdbool.h>

/* An element; it stands at the start of what the set's user keeps by path. */
struct path_key {
	char *path; /* the user's, as the whole element is */
	size_t len;
};

/* Zero it before its first use. */
struct path_set {
	void *root;
};

/** path_set_find(s, path, len): The element of that path, or NULL. */
struct path_key *path_set_find(
    const struct path_set *s, const char *path, size_t len);

/** path_set_add(s, key): false when memory runs out. */
NODISCARD bool path_set_add(struct path_set *s, struct path_key *key);

/** path_set_clear(s): Forget all elements; they stay as they are. */
void path_set_clear(struct path_set *s);

/** path_set_compare(a, b): As unsigned bytes, a prefix first. */
int path_set_compare(const struct path_key *a, const struct path_key *b);

#endif
