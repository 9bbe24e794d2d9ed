#include "tools/suggest.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 31

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Restricted Damerau-Levenshtein distance: row i holds the distances of the
 * first i characters of a to every prefix of b.
 */
size_t
suggest_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t alen = strnlen(a, WORD_MAX);
	size_t blen = strnlen(b, WORD_MAX);

	for (size_t j = 0; j <= blen; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= alen; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];
		const size_t *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= blen; j++) {
			size_t replace = above[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] =
			    least(replace, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[alen % 3][blen];
}

void
suggest_offer(struct suggest *s, const char *word)
{
	size_t distance = suggest_distance(s->typed, word);
	size_t limit = strlen(word) <= 4 ? 1 : 2;

	if (strlen(s->typed) >= 2 &&
	    strncmp(word, s->typed, strlen(s->typed)) == 0)
		distance = least(distance, 1);
	if (distance > limit || (s->best != NULL && distance >= s->distance))
		return;
	s->best = word;
	s->distance = distance;
}

const char *
suggest_hint(const struct suggest *s, char out[SUGGEST_HINT])
{
	out[0] = '\0';
	if (s->best != NULL)
		(void)snprintf(
		    out, SUGGEST_HINT, "; did you mean '%.31s'?", s->best);
	return out;
}
