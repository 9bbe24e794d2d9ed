#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

/*
 * The options of a command, from tables: parsing, help, and a dump by which
 * tests compare them with the man pages and the completion.
 *
 * A command's arguments are one struct. An option's value lies at an offset in
 * the part of it that its group stands for, so that groups are shared:
 *
 *	struct backup_args {
 *		struct common_args common;	<- group of common options
 *		struct store_args store;	<- group of store options
 *		bool full; ...			<- the command's own
 *	};
 */
#include "crypto/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char *, borrowed from argv or the environment */
	OPTION_NUMBER, /* uint64_t */
	OPTION_SIZE,   /* uint64_t bytes, as number_size() reads them */
	OPTION_LIST,   /* struct option_list; may be given again and again */
};

struct option {
	const char *name; /* without '--' */
	char letter;      /* or 0 */
	enum option_type type;
	const char *arg; /* what help calls its argument; NULL for a flag */
	const char *help;
	const char *env; /* OPTION_TEXT: the variable that stands in for it */
	size_t offset;
	uint64_t min, max; /* OPTION_NUMBER, OPTION_SIZE */
};

/* Options that belong together. */
struct option_group {
	const char *title; /* in help */
	const struct option *options;
	size_t n;
	size_t base;        /* where their values start in the arguments */
	const char *prefix; /* before each name; then without letter and env */
	bool apart;         /* the environment stands in for each on its own */
};

#define OPTION_GROUP(what, list, at)                                           \
	{                                                                      \
		.title = (what), .options = (list), .n = ARRAY_LEN(list),      \
		.base = (at)                                                   \
	}

/*
 * The values of an OPTION_LIST, in order. Two options may share a list: each
 * item knows which gave it.
 */
struct option_list {
	struct option_item {
		const char *text;
		const struct option *option;
	} * items;
	size_t n;
};

/* What is left beside the options. */
struct operands {
	const char **v;
	size_t n;
};
void operands_clear(struct operands *o);

/**
 * options_parse(groups, n, argv, values, operands, err):
 * ${argv} ends with NULL and starts after the command's name. Options and
 * operands may be mixed; '--' ends the options. Where no option of a group is
 * given, the environment stands in for its options, and where these stand apart,
 * for each that is not given; else a value stays as it is. Clear ${values} and ${operands} also after a failure. Errors: ERR_USAGE,
 * with the nearest option's name.
 */
NODISCARD int options_parse(const struct option_group *groups, size_t n,
    char *const *argv, void *values, struct operands *operands,
    struct err *err);

/** options_clear(groups, n, values): Frees the lists. */
void options_clear(const struct option_group *groups, size_t n, void *values);

/** options_help(groups, n, f): One line or more an option, by group. */
void options_help(const struct option_group *groups, size_t n, FILE *f);

/**
 * options_dump(groups, n, command, f):
 * 'COMMAND<tab>--NAME<tab>-LETTER<tab>ARG', a line an option; '-' for none.
 */
void options_dump(
    const struct option_group *groups, size_t n, const char *command, FILE *f);

#endif
