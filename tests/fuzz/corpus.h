#ifndef TESTS_FUZZ_CORPUS_H
#define TESTS_FUZZ_CORPUS_H

/* The parts of make_corpus, one for each parser. */
#include "crypto/bytes.h"
#include "crypto/err.h"

struct corpus {
	const char *dir;
	const char *parser;
};

/** corpus_put(c, name, w): An input of that name; then ${w} starts over. */
void corpus_put(const struct corpus *c, const char *name, struct wr *w);

typedef int corpus_fn(const struct corpus *c, struct err *err);

/* --- corpus_content.c --------------------------------------------------- */

corpus_fn corpus_index;
corpus_fn corpus_list;
corpus_fn corpus_note;
corpus_fn corpus_pack;
corpus_fn corpus_segment;

/* --- corpus_tree.c ------------------------------------------------------ */

corpus_fn corpus_entry;
corpus_fn corpus_page;
corpus_fn corpus_record;

/* --- corpus_frame.c ----------------------------------------------------- */

corpus_fn corpus_frame;

/* --- corpus_keys.c ------------------------------------------------------ */

corpus_fn corpus_keys;

#endif
