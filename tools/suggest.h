#ifndef TOOLS_SUGGEST_H
#define TOOLS_SUGGEST_H

/* 'Did you mean': the nearest of several words to a mistyped one. */
#include <stddef.h>

/* The nearest word so far; start with { .typed = ... }. */
struct suggest {
	const char *typed;
	const char *best; /* borrowed; NULL: none was near enough */
	size_t distance;
};

/** suggest_offer(s, word): Keep ${word} if it is nearer than all before. */
void suggest_offer(struct suggest *s, const char *word);

/**
 * suggest_hint(s, out): "; did you mean 'WORD'?", or nothing where no word is
 * near, for the end of a message. Returns ${out}.
 */
#define SUGGEST_HINT 64
const char *suggest_hint(const struct suggest *s, char out[SUGGEST_HINT]);

/**
 * suggest_distance(a, b): How many characters must be put in, left out,
 * replaced, or swapped with the next to turn ${a} into ${b}. Both are cut at 31.
 */
size_t suggest_distance(const char *a, const char *b);

#endif
