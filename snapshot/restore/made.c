#include "snapshot/restore/made.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct first {
	uint64_t ino;
	uint64_t links;
	char *path;
};

struct made {
	void *tree;         /* of struct first, tsearch() */
	struct first *gone; /* all links made; freed by the next call */
};

static int
compare(const void *a, const void *b)
{
	const struct first *x = a, *y = b;

	return (x->ino > y->ino) - (x->ino < y->ino);
}

static void
first_free(void *p)
{
	struct first *first = p;

	if (first != NULL)
		free(first->path);
	free(first);
}

int
made_new(struct made **out, struct err *err)
{
	*out = calloc(1, sizeof(**out));
	return *out == NULL ? err_nomem(err) : 0;
}

void
made_free(struct made *m)
{
	if (m == NULL)
		return;
	tdestroy(m->tree, first_free);
	first_free(m->gone);
	free(m);
}

const char *
made_find(struct made *m, uint64_t ino, uint64_t nlink)
{
	struct first key = {.ino = ino};
	struct first **at = tfind(&key, &m->tree, compare);
	struct first *first;

	if (at == NULL)
		return NULL;
	first = *at;
	if (++first->links >= nlink) {
		tdelete(first, &m->tree, compare);
		first_free(m->gone);
		m->gone = first;
	}
	return first->path;
}

int
made_add(struct made *m, uint64_t ino, const char *path, struct err *err)
{
	struct first *first = calloc(1, sizeof(*first));

	if (first == NULL || (first->path = strdup(path)) == NULL) {
		first_free(first);
		return err_nomem(err);
	}
	first->ino = ino;
	first->links = 1;
	if (tsearch(first, &m->tree, compare) == NULL) {
		first_free(first);
		return err_nomem(err);
	}
	return 0;
}
