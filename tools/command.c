#include "tools/command.h"

#include "tools/message.h"
#include "tools/signals.h"
#include "tools/suggest.h"

#include <stdlib.h>
#include <string.h>

const struct option common_options[COMMON_OPTIONS] = {
    {"help", 'h', OPTION_FLAG, NULL, "show this and do nothing", NULL,
	offsetof(struct common_args, help), 0, 0},
    {"json", 0, OPTION_FLAG, NULL, "print one JSON object, for scripts", NULL,
	offsetof(struct common_args, json), 0, 0},
    {"quiet", 'q', OPTION_FLAG, NULL,
	"print no summary, no progress and no warnings", NULL,
	offsetof(struct common_args, quiet), 0, 0},
    {"verbose", 'v', OPTION_FLAG, NULL, "say more about what is done", NULL,
	offsetof(struct common_args, verbose), 0, 0},
};

static const struct command *const commands[] = {
    &cmd_init,
    &cmd_backup,
    &cmd_list,
    &cmd_mount,
    &cmd_restore,
    &cmd_diff,
    &cmd_find,
    &cmd_check,
    &cmd_prune,
    &cmd_grant,
    &cmd_dataset,
    &cmd_expire,
    &cmd_hold,
    &cmd_release,
    &cmd_replicate,
    &cmd_repair,
    &cmd_serve,
    &cmd_site,
    &cmd_status,
    &cmd_promote,
    &cmd_demote,
    &cmd_settle,
};

const struct command *
command_at(size_t i)
{
	return i < ARRAY_LEN(commands) ? commands[i] : NULL;
}

const struct command *
command_find(const char *name, struct err *err)
{
	struct suggest near = {.typed = name};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
		suggest_offer(&near, commands[i]->name);
	}
	suggest_offer(&near, "help");
	if (near.best != NULL)
		(void)err_set(err, ERR_USAGE,
		    "no command '%s'; did you mean '%s'?", name, near.best);
	else
		(void)err_set(
		    err, ERR_USAGE, "no command '%s' (see 'varve help')", name);
	return NULL;
}

void
command_synopsis(const struct command *c, FILE *f)
{
	(void)fprintf(f, "varve %s [OPTION]...", c->name);
	for (size_t i = 0; i < COMMAND_OPERANDS && c->operands[i] != NULL; i++)
		(void)fprintf(f, " %s", c->operands[i]);
	(void)fputc('\n', f);
}

void
command_help(const struct command *c, FILE *f)
{
	(void)fputs("usage: ", f);
	command_synopsis(c, f);
	(void)fprintf(f, "\n%s\n", c->about);
	options_help(c->groups, c->ngroups, f);
	(void)fprintf(f, "\nMore in varve-%s(1) and varve(1).\n", c->name);
}

/* Whether there are as many operands as the table says. */
static int
check_operands(
    const struct command *c, const struct operands *o, struct err *err)
{
	size_t max = 0;
	bool any = false;

	while (max < COMMAND_OPERANDS && c->operands[max] != NULL)
		any = strstr(c->operands[max++], "...") != NULL;
	if (o->n > max && !any)
		return err_set(err, ERR_USAGE,
		    "'%s' is one word too many (see 'varve %s --help')",
		    o->v[max], c->name);
	if (o->n < max && c->operands[o->n][0] != '[')
		return err_set(err, ERR_USAGE,
		    "%s is missing (see 'varve %s --help')", c->operands[o->n],
		    c->name);
	return 0;
}

/* What has been printed counts only if it could be. */
static int
flush_output(int r, struct err *err)
{
	bool now = fflush(stdout) != 0;

	if (r < 0 || (!now && !ferror(stdout)))
		return r;
	/* What failed before has left nothing that says why. */
	return now ? err_errno(err, "cannot write the output")
		   : err_set(err, ERR_IO, "cannot write the output");
}

/* Do the command and close its JSON object. */
static int
perform(const struct command *c, void *args, struct err *err)
{
	struct json_out json;
	bool damaged = false;
	json_t *behind = NULL;
	struct run run = {
	    .command = c,
	    .common = args,
	    .stop = signals_stop(),
	    .damaged = &damaged,
	    .behind = &behind,
	};
	int r;

	if (run.common->json) {
		json_out_begin(&json, stdout, c->name);
		run.json = &json;
	}
	r = c->run(&run, args, err);
	if (r == EXIT_DONE && damaged)
		r = EXIT_DAMAGE;
	if (run.json != NULL && behind != NULL)
		json_out_member(&json, "behind", json_incref(behind));
	json_decref(behind);
	if (run.json != NULL) {
		int jr = json_out_finish(&json, r < 0 ? (int)exit_of(r) : r,
		    r < 0 ? err : NULL, r < 0 ? NULL : err);

		if (r >= 0 && jr != 0)
			r = jr;
	}
	return flush_output(r, err);
}

static int
parse_and_perform(
    const struct command *c, char *const *argv, void *args, struct err *err)
{
	struct common_args *common = args;
	int r = options_parse(
	    c->groups, c->ngroups, argv, args, &common->operands, err);

	if (r != 0)
		return r;
	if (common->help) {
		command_help(c, stdout);
		return flush_output(EXIT_DONE, err);
	}
	r = check_operands(c, &common->operands, err);
	return r != 0 ? r : perform(c, args, err);
}

int
command_run(const struct command *c, char *const *argv)
{
	struct err err = {0};
	struct common_args *args = calloc(1, c->args_size);
	int r;

	if (args == NULL)
		r = err_nomem(&err);
	else
		r = parse_and_perform(c, argv, args, &err);
	if (r < 0) {
		message_error(NULL, &err);
		r = (int)exit_of(r);
	}
	if (args != NULL) {
		operands_clear(&args->operands);
		options_clear(c->groups, c->ngroups, args);
	}
	free(args);
	return r;
}
