#ifndef TESTS_CRASH_CRASHFS_INTERNAL_H
#define TESTS_CRASH_CRASHFS_INTERNAL_H

/* What a crashing filesystem remembers, for the calls and for the crash. */
#include "tests/crash/crashfs.h"

#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>

/* A file that may lose something. ${spare}/${number} is one more link to it. */
struct file {
	dev_t dev;
	ino_t ino;
	off_t synced; /* bytes that are safe */
};

/* A change of a directory that was not synced yet. */
enum change_kind { MADE_FILE, MADE_DIR, REMOVED };
struct change {
	enum change_kind kind;
	char *dir;   /* absolute */
	char *name;  /* in it */
	size_t file; /* of MADE_FILE, REMOVED */
};

struct crashfs {
	struct sysio io;
	pthread_mutex_t mu; /* guards all below */
	char *spare;
	bool no_rename;
	bool crashed;
	unsigned crash_at;
	unsigned syncs;
	uint64_t rng;
	struct file *files;
	size_t nfiles;
	struct change *changes; /* oldest first */
	size_t nchanges;
};

#define CRASHFS_PATH (2 * PATH_MAX)

void crashfs_die(const char *what) __attribute__((noreturn));
/* What goes wrong in the simulation itself aborts. */
#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			crashfs_die(#cond);                                    \
	} while (0)

void crashfs_join(const char *dir, const char *name, char out[CRASHFS_PATH]);
/** crashfs_spare(): The link to a file that keeps it. */
void crashfs_spare(
    const struct crashfs *fs, size_t file, char out[CRASHFS_PATH]);

/** crashfs_forget(fs, dir): What has changed in ${dir}, or in all (NULL). */
void crashfs_forget(struct crashfs *fs, const char *dir);

#endif
