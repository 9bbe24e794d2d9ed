#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

/* Tables for people: rows first, widths when they are printed. */
#include "crypto/err.h"

#include <stdbool.h>
#include <stdio.h>

#define TABLE_COLUMNS 8

struct table {
	size_t ncolumns;
	const char *titles[TABLE_COLUMNS];
	bool right[TABLE_COLUMNS]; /* flush right: figures */
	char **cells;              /* row by row */
	size_t ncells;
	bool failed; /* out of memory */
};

/** table_row(t, cells): Copies one row. */
void table_row(struct table *t, const char *const *cells);

/**
 * table_print(t, header, f, err):
 * The last column is not padded. Errors: ERR_NOMEM on the way.
 */
NODISCARD int table_print(
    const struct table *t, bool header, FILE *f, struct err *err);
void table_clear(struct table *t);
#define TABLE_AUTO __attribute__((cleanup(table_clear)))

#endif
