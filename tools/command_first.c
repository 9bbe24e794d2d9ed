#include "tools/command.h"
#include "tools/session.h"

#include <string.h>

/* The tables whose options may stand before the command. */
static const struct {
	const struct option *options;
	size_t n;
} tables[] = {
    {common_options, COMMON_OPTIONS},
    {store_options, ARRAY_LEN(store_options)},
    {key_options, ARRAY_LEN(key_options)},
    {passphrase_options, ARRAY_LEN(passphrase_options)},
};

static bool
is_option(const struct option *o, const char *arg)
{
	if (arg[1] == '-')
		return strcmp(arg + 2, o->name) == 0;
	return o->letter != 0 && arg[1] == o->letter && arg[2] == '\0';
}

/* Whether the next argument belongs to ${arg}: '-s STORE', not '--store=X'. */
static bool
takes_next(const char *arg)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (size_t i = 0; i < tables[t].n; i++) {
			const struct option *o = &tables[t].options[i];

			if (o->type != OPTION_FLAG && is_option(o, arg))
				return true;
		}
	}
	return false;
}

int
command_first(char **argv, struct err *err)
{
	size_t at = 0;
	char *name;

	while (argv[at] != NULL && argv[at][0] == '-')
		at += takes_next(argv[at]) && argv[at + 1] != NULL ? 2 : 1;
	if (argv[at] == NULL)
		return err_set(
		    err, ERR_USAGE, "which command? (see 'varve help')");
	name = argv[at];
	memmove(argv + 1, argv, at * sizeof(*argv));
	argv[0] = name;
	return 0;
}
