#ifndef TOOLS_SERVE_INIT_H
#define TOOLS_SERVE_INIT_H

/* 'varve serve DIRECTORY --init': make a directory a site, or renew its request. */
#include "tools/command.h"

/* The values of the options below. */
struct serve_init_args {
	bool init;
	const char *store; /* --for: the root object's file, or a fingerprint */
	const char *site;
	const char *country;
	const char *accreditation;
	const char *until;
	const char *lock;
	const char *request; /* the file that gets the request */
};

extern const struct option serve_init_options[8];

/* Their group, where the struct serve_init_args is at ${at}. */
#define SERVE_INIT_GROUP(at)                                                   \
	{                                                                      \
		.title = "Making a site", .options = serve_init_options,       \
		.n = ARRAY_LEN(serve_init_options), .base = (at)               \
	}

/** serve_init_check(args, err): ERR_USAGE: options that need --init without. */
NODISCARD int serve_init_check(
    const struct serve_init_args *args, struct err *err);

/**
 * serve_init(run, args, address, err):
 * Make it and show it; the request goes to standard output or to its file.
 * Returns an enum exit_status; errors: those of sitedir_init().
 */
int serve_init(struct run *run, const struct serve_init_args *args,
    const char *address, struct err *err);

/** serve_init_lock(text, out, err): '90d' in seconds; NULL: -1. ERR_USAGE. */
NODISCARD int serve_init_lock(const char *text, int64_t *out, struct err *err);

#endif
