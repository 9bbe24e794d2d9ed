#include "tools/help.h"

#include "tools/command.h"
#include "tools/message.h"

#include <stdio.h>
#include <string.h>

static void
overview(FILE *f)
{
	const struct command *c;

	(void)fputs("usage: varve COMMAND [OPTION]... [OPERAND]...\n\n"
		    "Encrypted backups that can be walked by date.\n\n",
	    f);
	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		(void)fprintf(f, "  %-9s %s\n", c->name, c->summary);
	(void)fputs("  help      show this, or a command's options\n\n"
		    "'varve help COMMAND' or 'varve COMMAND --help' says more; "
		    "so does varve(1).\n"
		    "The store is named by -s STORE or $VARVE_STORE. "
		    "DATASET@TIME names a snapshot:\n"
		    "home@latest, home@2026-11-21, home@2026-11-21T14:20Z, "
		    "home@yesterday, home@3h.\n",
	    f);
}

/* 'COMMAND<tab>operands<tab>SYNOPSIS', then its options. */
static void
dump(FILE *f)
{
	const struct command *c;

	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		(void)fprintf(f, "%s\tsynopsis\t", c->name);
		command_synopsis(c, f);
		options_dump(c->groups, c->ngroups, c->name, f);
	}
}

int
help_run(char *const *argv)
{
	struct err err = {0};
	const struct command *c;

	if (argv[0] == NULL || strcmp(argv[0], "help") == 0) {
		overview(stdout);
		return EXIT_DONE;
	}
	if (strcmp(argv[0], "--options") == 0) {
		dump(stdout);
		return EXIT_DONE;
	}
	c = command_find(argv[0], &err);
	if (c == NULL) {
		message_error(NULL, &err);
		return EXIT_USAGE;
	}
	command_help(c, stdout);
	return EXIT_DONE;
}
