#include "tests/bench/parts/parts.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SOURCE_LEN ((size_t)32 * 1024 * 1024)

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* As much of a file as there is room for. */
static void
add_file(struct source *src, const char *path)
{
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		die("cannot read '%s'", path);
	src->len += fread(src->buf + src->len, 1, SOURCE_LEN - src->len, f);
	(void)fclose(f);
}

void
source_read(char *const *paths, size_t n, struct source *out)
{
	char **list = need(calloc(n + 1, sizeof(*list)));
	FTS *walk;
	FTSENT *e;
	size_t once;

	out->buf = need(malloc(SOURCE_LEN));
	out->len = 0;
	memcpy(list, paths, n * sizeof(*list));
	walk = need(fts_open(list, FTS_PHYSICAL | FTS_NOCHDIR, by_name));
	while (out->len < SOURCE_LEN && (e = fts_read(walk)) != NULL)
		if (e->fts_info == FTS_F)
			add_file(out, e->fts_accpath);
	(void)fts_close(walk);
	free(list);
	if (out->len == 0)
		die("there is nothing to read in '%s'", paths[0]);
	for (once = out->len; out->len < SOURCE_LEN; out->len++)
		out->buf[out->len] = out->buf[out->len - once];
}

void
source_clear(struct source *src)
{
	free(src->buf);
}
