#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

/*
 * The table of commands. Each command is one file, cmd_NAME.c, which gives its
 * options, its operands and what it does.
 */
#include "tools/exit.h"
#include "tools/json_out.h"
#include "tools/options.h"
#include "tools/progress.h"

#include <stdatomic.h>

#define COMMAND_OPERANDS 3

/* Every command's arguments start with these. */
struct common_args {
	bool help;
	bool json;
	bool quiet;
	bool verbose;
	struct operands operands;
};
#define COMMON_OPTIONS 4
extern const struct option common_options[COMMON_OPTIONS];
/* The group of the common options; they lie at the start. */
#define COMMON_GROUP                                                           \
	{                                                                      \
		.title = "Every command", .options = common_options,           \
		.n = COMMON_OPTIONS                                            \
	}

/* One run of a command: what it needs beside its arguments. */
struct run {
	const struct command *command;
	const struct common_args *common;
	const atomic_bool *stop;
	struct json_out *json;     /* NULL unless --json */
	struct progress *progress; /* NULL unless one is shown */
	/* Set where damage was told of: EXIT_DONE becomes EXIT_DAMAGE. */
	bool *damaged;
	/* Of which datasets a replica was told to be behind: session_behind(). */
	json_t **behind;
};

struct command {
	const char *name;
	const char *summary; /* a line, lower case */
	const char *about;   /* for --help: sentences */
	/*
	 * In order; '[NAME]' may be left out, and so may all after it;
	 * '[NAME]...', as the last, stands for any number.
	 */
	const char *operands[COMMAND_OPERANDS];
	const struct option_group *groups;
	size_t ngroups;
	size_t args_size;
	/*
	 * Returns an enum exit_status, or a negative enum err_code with ${err}
	 * filled, which the caller prints. ${args} are zero but for what was
	 * given. Operands are as many as the table says.
	 */
	int (*run)(struct run *run, void *args, struct err *err);
};

extern const struct command cmd_init, cmd_backup, cmd_list, cmd_mount,
    cmd_restore, cmd_diff, cmd_find, cmd_check, cmd_prune, cmd_grant,
    cmd_repair, cmd_replicate, cmd_serve, cmd_site, cmd_status, cmd_promote,
    cmd_demote, cmd_settle, cmd_dataset, cmd_expire, cmd_hold, cmd_release;

/** command_at(i): The i-th command, or NULL after the last. */
const struct command *command_at(size_t i);

/** command_find(name, err): NULL, and the nearest name in ${err}. */
const struct command *command_find(const char *name, struct err *err);

/**
 * command_run(c, argv):
 * Parse the words after the command's name, do it, print what went wrong.
 * Returns the process's exit status.
 */
int command_run(const struct command *c, char *const *argv);

/** command_help(c, f): What 'varve COMMAND --help' prints. */
void command_help(const struct command *c, FILE *f);

/** command_synopsis(c, f): 'varve COMMAND [OPTION]... OPERANDS'. */
void command_synopsis(const struct command *c, FILE *f);

/**
 * command_first(argv, err):
 * Options may stand before the command's name ('varve -s STORE list'). Moves the
 * name to the front of ${argv} (which ends with NULL), the options after it, as
 * they were. ERR_USAGE when there is no name.
 */
NODISCARD int command_first(char **argv, struct err *err);

#endif
