#ifndef TOOLS_KEEP_H
#define TOOLS_KEEP_H

/* What is to be kept: the options that say it, and how it is shown. */
#include "snapshot/expire/keep.h"
#include "tools/command.h"

/* The values of the options: RULE_WITHIN as text, the others as numbers. */
struct keep_args {
	const char *within;
	uint64_t count[RULES];
};

#define KEEP_OPTIONS RULES
extern const struct option keep_options[KEEP_OPTIONS];
/* The group of a command whose struct keep_args is at ${at}. */
#define KEEP_GROUP(at)                                                         \
	{                                                                      \
		.title = "What to keep", .options = keep_options,              \
		.n = KEEP_OPTIONS, .base = (at)                                \
	}

/**
 * keep_parse(args, out, any, err):
 * *${any}: whether one of the options was given. Errors: ERR_USAGE.
 */
NODISCARD int keep_parse(const struct keep_args *args, struct rules *out,
    bool *any, struct err *err);

/** keep_json(rules): An object of the rules that keep something, or null. */
json_t *keep_json(const struct rules *rules);

#define KEEP_WHY 96
/** keep_why(why, out): 'within, daily', 'held', 'daily (times in doubt)'. */
const char *keep_why(uint32_t why, char out[KEEP_WHY]);
/** keep_why_json(why): What keeps it, as a list. */
json_t *keep_why_json(uint32_t why);

#endif
