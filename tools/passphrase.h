#ifndef TOOLS_PASSPHRASE_H
#define TOOLS_PASSPHRASE_H

/*
 * Where a passphrase comes from: a file, a command's output, the environment,
 * or a person at the terminal. Always in secret memory.
 */
#include "tools/command.h"

#define PASSPHRASE_MAX 1024
#define PASSPHRASE_ENV "VARVE_PASSPHRASE"

/* The first of these that is there is used; else the terminal. */
struct passphrase_source {
	const char *file;    /* its first line */
	const char *command; /* the first line that a shell's command prints */
	const char *given;   /* a passphrase already at hand */
	bool fresh;          /* one is being chosen: ask twice */
};

/**
 * passphrase_get(run, src, question, out, err):
 * ${question} is what the terminal shows. *${out} is the caller's
 * (secret_free). Errors: ERR_USAGE empty, too long, not the same twice, no way
 * to get one; ERR_NOT_FOUND; ERR_DENIED; ERR_CANCELLED; ERR_IO.
 */
NODISCARD int passphrase_get(const struct run *run,
    const struct passphrase_source *src, const char *question, char **out,
    struct err *err);

/**
 * passphrase_take_env(out, err):
 * What the environment holds, or NULL; it is wiped there, so that no child and
 * no listing of processes gets to see it.
 */
NODISCARD int passphrase_take_env(char **out, struct err *err);

#endif
