#ifndef SNAPSHOT_BACKUP_DIR_ID_H
#define SNAPSHOT_BACKUP_DIR_ID_H

#include <stdbool.h>
#include <sys/stat.h>

/* A directory, whatever it is called; or, not known, none. */
struct dir_id {
	bool known;
	dev_t dev;
	ino_t ino;
};

static inline bool
dir_id_is(const struct dir_id *id, const struct stat *st)
{
	return id->known && id->dev == st->st_dev && id->ino == st->st_ino;
}

#endif
