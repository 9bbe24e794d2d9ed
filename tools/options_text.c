/* Options in words: what --help prints, and the dump for tests. */
#include "tools/options.h"

#include <string.h>

#define HELP_COLUMN 30
#define HELP_WIDTH 78

/* Print ${text} from column ${from} on, broken between words. */
static void
wrapped(FILE *f, const char *text, int from)
{
	int at = from;

	while (*text != '\0') {
		int len = (int)strcspn(text, " ");

		if (at > from && at + 1 + len > HELP_WIDTH) {
			(void)fprintf(f, "\n%*s", from, "");
			at = from;
		} else if (at > from) {
			(void)fputc(' ', f);
			at++;
		}
		(void)fprintf(f, "%.*s", len, text);
		at += len;
		text += len;
		text += strspn(text, " ");
	}
	(void)fputc('\n', f);
}

static void
help_one(const struct option_group *g, const struct option *o, FILE *f)
{
	char left[128];
	char text[512];
	char letter[8] = "    ";
	const char *prefix = g->prefix != NULL ? g->prefix : "";

	if (o->letter != 0 && g->prefix == NULL)
		(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	(void)snprintf(left, sizeof(left), "  %s--%s%s%s%s", letter, prefix,
	    o->name, o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
	if (o->env != NULL && g->prefix == NULL)
		(void)snprintf(
		    text, sizeof(text), "%s (or $%s)", o->help, o->env);
	else
		(void)snprintf(text, sizeof(text), "%s", o->help);
	if (strlen(left) + 2 > HELP_COLUMN)
		(void)fprintf(f, "%s\n%*s", left, HELP_COLUMN, "");
	else
		(void)fprintf(f, "%-*s", HELP_COLUMN, left);
	wrapped(f, text, HELP_COLUMN);
}

void
options_help(const struct option_group *groups, size_t n, FILE *f)
{
	for (size_t g = 0; g < n; g++) {
		(void)fprintf(f, "\n%s:\n", groups[g].title);
		for (size_t i = 0; i < groups[g].n; i++)
			help_one(&groups[g], &groups[g].options[i], f);
	}
}

void
options_dump(
    const struct option_group *groups, size_t n, const char *command, FILE *f)
{
	for (size_t g = 0; g < n; g++) {
		for (size_t i = 0; i < groups[g].n; i++) {
			const struct option *o = &groups[g].options[i];
			const char *p = groups[g].prefix;
			char letter[3] = "-";

			if (o->letter != 0 && p == NULL)
				letter[1] = o->letter;
			(void)fprintf(f, "%s\t--%s%s\t%s\t%s\n", command,
			    p != NULL ? p : "", o->name, letter,
			    o->arg != NULL ? o->arg : "-");
		}
	}
}
