#ifndef SNAPSHOT_BACKUP_SOURCE_H
#define SNAPSHOT_BACKUP_SOURCE_H

/*
 * What a backup is taken from: a directory, one file, a block device, or a
 * command's output.
 */
#include "snapshot/backup/backup.h"
#include "snapshot/backup/dir_id.h"

#include <sys/stat.h>
#include <sys/types.h>

enum source_kind { SOURCE_DIR, SOURCE_FILE, SOURCE_DEVICE, SOURCE_COMMAND };

struct source {
	enum source_kind kind;
	char *text;          /* as the record shows it */
	char *name;          /* of the one file; NULL for a directory */
	int fd;              /* SOURCE_DIR: itself; else its directory */
	struct stat st;      /* of the directory, file or device */
	uint8_t fsid[8];     /* of its filesystem; zero for a command */
	bool exact_ctime;    /* it keeps change times that nobody can set */
	struct dir_id store; /* to be left out, wherever it is met */
	bool met_store;      /* it was, by the walk */
};

/**
 * source_open(opt, store_path, out, err):
 * ${store_path} is the store's directory; NULL, or what is none here, for a
 * remote one. Errors: ERR_NOT_FOUND; ERR_DENIED; ERR_USAGE of another kind, the
 * store, or in it.
 */
NODISCARD int source_open(const struct backup_options *opt,
    const char *store_path, struct source *out, struct err *err);
void source_close(struct source *s);

/* A command whose output is read. */
struct command {
	pid_t pid;
	int fd;       /* its standard output */
	pid_t guard;  /* leads its process group */
	int lifeline; /* ends with this process, and so does the group */
};

/**
 * command_start(shell_command, out, err):
 * Have /bin/sh run it, in a process group of its own, which gets a SIGTERM when
 * this process ends before command_end(), were it by SIGKILL. Errors: ERR_IO.
 */
NODISCARD int command_start(
    const char *shell_command, struct command *out, struct err *err);

/**
 * command_end(c, text, kill, err):
 * Close the pipe and wait. ERR_IO when it did not exit with 0; the text says how
 * it ended. ${kill}: end it first; how it ends then does not matter.
 */
NODISCARD int command_end(
    struct command *c, const char *shell_command, bool kill, struct err *err);

#endif
