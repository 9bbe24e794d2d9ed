#ifndef TOOLS_PATTERNS_H
#define TOOLS_PATTERNS_H

/* The patterns of --exclude and --exclude-file, in the order given. */
#include "crypto/err.h"

struct patterns {
	char **v;
	size_t n;
};

/** patterns_add(p, text, len, err): Copies it. */
NODISCARD int patterns_add(
    struct patterns *p, const char *text, size_t len, struct err *err);

/**
 * patterns_read(p, path, err):
 * A pattern a line, as gitignore(5) has it: empty lines and those that start
 * with '#' say nothing, blanks at the end are dropped unless a '\' is before
 * them. Errors: ERR_NOT_FOUND; ERR_DENIED; ERR_IO; ERR_NOMEM.
 */
NODISCARD int patterns_read(
    struct patterns *p, const char *path, struct err *err);
void patterns_clear(struct patterns *p);
#define PATTERNS_AUTO __attribute__((cleanup(patterns_clear)))

#endif
