#ifndef SNAPSHOT_BACKUP_EARLY_H
#define SNAPSHOT_BACKUP_EARLY_H

/*
 * A source looked at before there are keys. To list directories and to stat what
 * is in them takes none; so while the key is made of a passphrase, and the store
 * is opened, a scout does that. A run that compares with the last snapshot goes
 * on with that scout, and its snapshot is as of when the scout began.
 */
#include "snapshot/backup/backup.h"

struct backup_early;

/**
 * backup_early_start(opt, store):
 * Begin with the directory ${opt->source}; all of ${opt} that says what is backed
 * up, and its 'stop', stay as they are until backup_early_free(). NULL where
 * nothing is begun: another kind of source, everything is to be read anyway, or
 * it can't be. What is wrong with the source is the run's to tell. ${store}: the
 * address that will be backed up to, which is left out if it is a directory.
 * To be called when nobody is waited for any more, and before other threads are
 * made: the table of open files grows once for all.
 * Memory: 24 MB at most, and the names and paths; none of it once the run looks
 * itself. For what the kernel keeps see scout.h.
 */
struct backup_early *backup_early_start(
    const struct backup_options *opt, const char *store);

/** backup_early_free(e): NULL will do. */
void backup_early_free(struct backup_early *e);
DEFINE_AUTO(backup_early, backup_early_free)

#endif
