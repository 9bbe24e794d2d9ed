#ifndef SNAPSHOT_BACKUP_EXCLUDE_H
#define SNAPSHOT_BACKUP_EXCLUDE_H

/*
 * Patterns of what to leave out, as gitignore(5) has them: '*', '?', '[...]'
 * stay within a name, '**' spans folders, a '/' at the start or inside ties the
 * pattern to the source's root, one at the end means directories only, '!' takes
 * back in. The last pattern that matches decides. What lies in a directory that
 * is left out can't be taken back in.
 * Thread: safe to match from several threads.
 */
#include "crypto/err.h"

#include <stdbool.h>

struct exclude;

NODISCARD int exclude_new(struct exclude **out, struct err *err);
void exclude_free(struct exclude *ex);
DEFINE_AUTO(exclude, exclude_free)

/** exclude_add(ex, pattern, err): ERR_USAGE for one that can't match. */
NODISCARD int exclude_add(
    struct exclude *ex, const char *pattern, struct err *err);

/** exclude_match(ex, path, is_dir): ${path} is relative, without './'. */
bool exclude_match(const struct exclude *ex, const char *path, bool is_dir);

#endif
