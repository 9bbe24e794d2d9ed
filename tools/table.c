#include "tools/table.h"

#include <stdlib.h>
#include <string.h>

void
table_row(struct table *t, const char *const *cells)
{
	char **grown =
	    reallocarray(t->cells, t->ncells + t->ncolumns, sizeof(*grown));

	if (grown == NULL) {
		t->failed = true;
		return;
	}
	t->cells = grown;
	for (size_t i = 0; i < t->ncolumns; i++) {
		char *copy = strdup(cells[i]);

		if (copy == NULL)
			t->failed = true;
		grown[t->ncells + i] = copy;
	}
	t->ncells += t->ncolumns;
}

static void
print_row(
    const struct table *t, const char *const *cells, const int *widths, FILE *f)
{
	for (size_t i = 0; i < t->ncolumns; i++) {
		const char *gap = i > 0 ? "  " : "";

		if (t->right[i])
			(void)fprintf(f, "%s%*s", gap, widths[i], cells[i]);
		else if (i + 1 == t->ncolumns)
			(void)fprintf(f, "%s%s", gap, cells[i]);
		else
			(void)fprintf(f, "%s%-*s", gap, widths[i], cells[i]);
	}
	(void)fputc('\n', f);
}

int
table_print(const struct table *t, bool header, FILE *f, struct err *err)
{
	int widths[TABLE_COLUMNS] = {0};

	if (t->failed)
		return err_nomem(err);
	for (size_t i = 0; header && i < t->ncolumns; i++)
		widths[i] = (int)strlen(t->titles[i]);
	for (size_t i = 0; i < t->ncells; i++) {
		int len = (int)strlen(t->cells[i]);

		if (len > widths[i % t->ncolumns])
			widths[i % t->ncolumns] = len;
	}
	if (header)
		print_row(t, t->titles, widths, f);
	for (size_t i = 0; i < t->ncells; i += t->ncolumns)
		print_row(t, (const char *const *)t->cells + i, widths, f);
	return 0;
}

void
table_clear(struct table *t)
{
	for (size_t i = 0; i < t->ncells; i++)
		free(t->cells[i]);
	free(t->cells);
	t->cells = NULL;
	t->ncells = 0;
}
