#ifndef TOOLS_SERVE_RUN_H
#define TOOLS_SERVE_RUN_H

/* 'varve serve DIRECTORY --listen ADDRESS:PORT' and '--stdio'. */
#include "tools/command.h"

/* The values of the options below. */
struct serve_run_args {
	const char *listen;
	bool stdio;
	uint64_t clients;
};

extern const struct option serve_run_options[3];

/* Their group, where the struct serve_run_args is at ${at}. */
#define SERVE_RUN_GROUP(at)                                                    \
	{                                                                      \
		.title = "Serving", .options = serve_run_options,              \
		.n = ARRAY_LEN(serve_run_options), .base = (at)                \
	}

/**
 * serve_run(run, args, address, err):
 * Serve the site at ${address} until a signal stops it; or, with --stdio, one
 * client. Returns an enum exit_status, or an error.
 */
int serve_run(const struct run *run, const struct serve_run_args *args,
    const char *address, struct err *err);

#endif
