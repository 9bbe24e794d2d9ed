#include "tools/patterns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
patterns_add(struct patterns *p, const char *text, size_t len, struct err *err)
{
	char **v = reallocarray(p->v, p->n + 1, sizeof(*v));

	if (v == NULL)
		return err_nomem(err);
	p->v = v;
	v[p->n] = strndup(text, len);
	if (v[p->n] == NULL)
		return err_nomem(err);
	p->n++;
	return 0;
}

/* The pattern's length without the line's end and the blanks before it. */
static size_t
trimmed(const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	while (len > 0 && line[len - 1] == ' ' &&
	       !(len > 1 && line[len - 2] == '\\'))
		len--;
	return len;
}

static int
read_lines(FILE *f, struct patterns *p, struct err *err)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = getline(&line, &cap, f)) >= 0) {
		size_t len = trimmed(line, (size_t)n);

		if (len > 0 && line[0] != '#')
			r = patterns_add(p, line, len, err);
	}
	free(line);
	return r;
}

int
patterns_read(struct patterns *p, const char *path, struct err *err)
{
	FILE *f = fopen(path, "re");
	int r;

	if (f == NULL)
		return err_errno(err, "cannot open exclude file '%s'", path);
	r = read_lines(f, p, err);
	if (r == 0 && ferror(f))
		r = err_errno(err, "cannot read exclude file '%s'", path);
	(void)fclose(f);
	return r;
}

void
patterns_clear(struct patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i]);
	free(p->v);
	*p = (struct patterns){0};
}
