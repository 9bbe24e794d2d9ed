/*
 * Makes the inputs that fuzzing begins with, by the encoders themselves.
 *
 *	make_corpus DIRECTORY
 *
 * DIRECTORY/PARSER/NAME is an input of fuzz_PARSER. Keys are new each time, so
 * that the bytes are, too; a change of format is the time to run it.
 */
#include "tests/fuzz/corpus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void
must(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static void
make_dir(const char *path)
{
	must(mkdir(path, 0777) == 0 || errno == EEXIST, path);
}

void
corpus_put(const struct corpus *c, const char *name, struct wr *w)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s/%s", c->dir, c->parser, name);
	file = fopen(path, "wbe");
	must(file != NULL, path);
	must(!w->failed && fwrite(w->buf, 1, w->len, file) == w->len, path);
	must(fclose(file) == 0, path);
	wr_reset(w);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *parser;
		corpus_fn *make;
	} all[] = {
	    {"entry", corpus_entry},
	    {"frame", corpus_frame},
	    {"index", corpus_index},
	    {"keys", corpus_keys},
	    {"list", corpus_list},
	    {"note", corpus_note},
	    {"pack", corpus_pack},
	    {"page", corpus_page},
	    {"record", corpus_record},
	    {"segment", corpus_segment},
	};
	char path[4096];

	if (argc != 2) {
		(void)fprintf(stderr, "usage: make_corpus DIRECTORY\n");
		return 2;
	}
	make_dir(argv[1]);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct corpus c = {.dir = argv[1], .parser = all[i].parser};
		struct err err = {0};

		(void)snprintf(
		    path, sizeof(path), "%s/%s", argv[1], all[i].parser);
		make_dir(path);
		if (all[i].make(&c, &err) != 0) {
			(void)fprintf(stderr, "%s: %s\n", path, err.text);
			return 1;
		}
	}
	return 0;
}
