#ifndef SNAPSHOT_BACKUP_CACHEDIR_H
#define SNAPSHOT_BACKUP_CACHEDIR_H

/*
 * Directories that are marked as a cache, by a file CACHEDIR.TAG.
 * Source: the Cache Directory Tagging Specification, bford.info/cachedir.
 */
#include "snapshot/backup/listing.h"

/** cachedir_is(dir, list): Whether the open directory, with that in it, is one. */
bool cachedir_is(int dir, const struct listing *list);

/** cachedir_keep_tag(l): Of what is in one, the tag alone is backed up. */
void cachedir_keep_tag(struct listing *l);

#endif
