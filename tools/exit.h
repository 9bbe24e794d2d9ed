#ifndef TOOLS_EXIT_H
#define TOOLS_EXIT_H

/* What the program's exit status says: the one place where errors become it. */
#include "crypto/err.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_DAMAGE = 3,
	EXIT_PARTIAL = 4,
};

/** exit_of(code): The status for an enum err_code. */
enum exit_status exit_of(int code);

/** exit_word(code): How --json calls an enum err_code: 'not-found'. */
const char *exit_word(int code);

#endif
