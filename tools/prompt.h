#ifndef TOOLS_PROMPT_H
#define TOOLS_PROMPT_H

/* Asking for a secret at the terminal. */
#include "crypto/err.h"

#define PROMPT_MAX 1024 /* bytes of a secret */

/**
 * prompt_secret(question, out, err):
 * Ask on the process's terminal, wherever standard input comes from, with echo
 * off. Echo is put back whatever happens: on a signal, and while the process is
 * suspended. *${out} is the caller's (secret_free).
 * Errors: ERR_NOT_FOUND no terminal; ERR_CANCELLED a signal, or the end of the
 * input; ERR_USAGE too long; ERR_IO; ERR_NOMEM.
 */
NODISCARD int prompt_secret(const char *question, char **out, struct err *err);

#endif
