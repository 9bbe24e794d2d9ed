/*
 * varve: encrypted backups that can be walked by date.
 *
 *	main.c            picks the command
 *	command.c         the table of commands; runs one
 *	command_first.c   options before the command
 *	help.c            'varve help'
 *	cmd_NAME.c        one file a command: its options, and what it does
 *
 *	options.c         parses options by tables; options_text.c prints them
 *	number.c          64M, 1G
 *	snapshot_arg.c    DATASET@TIME:PATH
 *	suggest.c         'did you mean'
 *
 *	session.c         opens the store: who, by which key
 *	session_known.c   ... and whether it is the one that is meant
 *	session_read.c    logs and snapshots of an open store
 *	passphrase.c      from a file, a command, the environment, or
 *	prompt.c          the terminal
 *	recovery_file.c   a recovery key in a file
 *	subject.c         the person or host of 'varve grant'
 *
 *	remote.c          a connection to another site
 *	serve_init.c      'varve serve --init'; serve_run.c the rest of it
 *
 *	message.c         'varve: ...' on standard error
 *	exit.c            exit statuses
 *	output.c          sizes, times, counts; table.c tables
 *	escape.c          names from a backup, fit to print
 *	json_out.c        --json
 *	progress.c        the line that moves
 *	signals.c         stop when asked
 *
 *	daemon.c          a mount leaves its terminal
 *	mount_options.c   mount(8)'s -o
 *	patterns.c        --exclude and --exclude-file
 */
#include "crypto/secret.h"
#include "tools/command.h"
#include "tools/help.h"
#include "tools/message.h"
#include "tools/signals.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
no_command(void)
{
	const struct err err = {
	    .code = ERR_USAGE, .text = "which command? (see 'varve help')"};

	message_error(NULL, &err);
	return EXIT_USAGE;
}

static bool
asks_for_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

static int
run(const char *name, char *const *argv)
{
	struct err err = {0};
	const struct command *c;

	if (strcmp(name, "help") == 0 || asks_for_help(name))
		return help_run(argv);
	if (strcmp(name, "--version") == 0) {
		(void)printf("varve %s\n", VARVE_VERSION);
		return EXIT_DONE;
	}
	if ((c = command_find(name, &err)) != NULL)
		return command_run(c, argv);
	message_error(NULL, &err);
	return EXIT_USAGE;
}

/*
 * Whoever starts us may have closed some of these, and then the next file that
 * is opened, perhaps an object of the store, would have such a number, and be
 * written to as standard error. Using one that was closed goes on failing.
 */
static bool
fill_standard(void)
{
	static const int flags[] = {O_WRONLY, O_RDONLY, O_RDONLY};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", flags[fd]) != fd)
			return false;
	return true;
}

int
main(int argc, char **argv)
{
	struct err err = {0};
	int status;

	if (!fill_standard())
		return EXIT_FAILED;
	secret_no_core();
	signals_catch();
	if (argc < 2)
		return no_command();
	if (strcmp(argv[1], "--version") != 0 && !asks_for_help(argv[1]) &&
	    command_first(argv + 1, &err) != 0) {
		message_error(NULL, &err);
		return EXIT_USAGE;
	}
	status = run(argv[1], argv + 2);
	if (fflush(stdout) != 0 && status == EXIT_DONE)
		status = EXIT_FAILED;
	return status;
}
