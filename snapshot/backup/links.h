#ifndef SNAPSHOT_BACKUP_LINKS_H
#define SNAPSHOT_BACKUP_LINKS_H

/*
 * The files with several links that a backup has met: the first link is read,
 * the others take its entry over, so that all are one file in the snapshot.
 * A file is forgotten when all of its links have been met.
 * Thread: links_meet() is the walk's, all others are the assembly's: a thread
 * each.
 */
#include "crypto/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct links;

NODISCARD int links_new(struct links **out, struct err *err);
void links_free(struct links *l);
DEFINE_AUTO(links, links_free)

/** links_meet(): 1 when another link of the file was met before, else 0. */
NODISCARD int links_meet(
    struct links *l, const struct stat *st, struct err *err);

/**
 * links_store(): The entry of the first link, once it is known. A file that was
 * never met is passed over: it took the name of one that was.
 */
NODISCARD int links_store(struct links *l, const struct stat *st,
    const uint8_t *raw, size_t len, struct err *err);

/**
 * links_entry(l, st, raw, len): Whether the first link has an entry (it has
 * none when it could not be read). Borrowed until the assembly's next call.
 */
bool links_entry(
    struct links *l, const struct stat *st, const uint8_t **raw, size_t *len);

/**
 * links_claim(l, number, st, err):
 * Whether the inode number ${number} of the last snapshot may go on to be this
 * file's: 1 when no other file of this run has it, else 0. (Of two links of one
 * file, each may since have become a link of a file of its own.)
 */
NODISCARD int links_claim(
    struct links *l, uint64_t number, const struct stat *st, struct err *err);

#endif
