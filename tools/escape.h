#ifndef TOOLS_ESCAPE_H
#define TOOLS_ESCAPE_H

/*
 * Making names from a backup fit to print: whoever named a file may have put
 * terminal controls in. Thread: safe.
 */
#include <stddef.h>
#include <stdio.h>

/* ESCAPE_ROOM(n): what ${n} bytes take at most, escaped, with their NUL. */
#define ESCAPE_ROOM(n) (4 * (n) + 1)

/**
 * escape_name(name, len, out):
 * A name in a form that can be read back: a control character, a character
 * that turns the direction of writing, and every byte that is not UTF-8 become
 * '\ooo' in octal, and a backslash '\\'. ${out} has ESCAPE_ROOM(len) bytes.
 * Returns the length.
 */
size_t escape_name(const void *name, size_t len, char *out);

/** escape_print(f, name, len): escape_name() to a stream. */
void escape_print(FILE *f, const void *name, size_t len);

/**
 * escape_message(f, text):
 * Print a message that may quote names: as escape_name(), but a backslash is
 * left as it is, for some are escaped already.
 */
void escape_message(FILE *f, const char *text);

#endif
