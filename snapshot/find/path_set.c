#include "snapshot/find/path_set.h"

#include <search.h>
#include <stdint.h>
#include <string.h>

int
path_set_compare(const struct path_key *a, const struct path_key *b)
{
	int order = memcmp(a->path, b->path, a->len < b->len ? a->len : b->len);

	if (order != 0)
		return order;
	return (a->len > b->len) - (a->len < b->len);
}

static int
compare(const void *a, const void *b)
{
	return path_set_compare(a, b);
}

struct path_key *
path_set_find(const struct path_set *s, const char *path, size_t len)
{
	const struct path_key key = {(char *)(uintptr_t)path, len};
	struct path_key **node = tfind(&key, &s->root, compare);

	return node != NULL ? *node : NULL;
}

bool
path_set_add(struct path_set *s, struct path_key *key)
{
	return tsearch(key, &s->root, compare) != NULL;
}

static void
leave(void *key)
{
	(void)key;
}

void
path_set_clear(struct path_set *s)
{
	tdestroy(s->root, leave);
	s->root = NULL;
}
