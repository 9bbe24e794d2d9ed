#include "snapshot/log/log_internal.h"

#include <stdlib.h>
#include <string.h>

void
index_list_clear(struct index_list *list)
{
	free(list->names);
	memset(list, 0, sizeof(*list));
}

int
index_list_copy(struct index_list *list,
    const uint8_t (*names)[OBJECT_NAME_LEN], size_t n, struct err *err)
{
	if (n == 0)
		return 0;
	list->names = calloc(n, sizeof(*list->names));
	if (list->names == NULL)
		return err_nomem(err);
	memcpy(list->names, names, n * sizeof(*list->names));
	list->n = n;
	return 0;
}

void
index_list_take(struct index_list *list, struct index_list *from)
{
	index_list_clear(list);
	*list = *from;
	memset(from, 0, sizeof(*from));
}

bool
log_indexes_have(const uint8_t (*names)[OBJECT_NAME_LEN], size_t n,
    const uint8_t name[OBJECT_NAME_LEN])
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(names[i], name, OBJECT_NAME_LEN) == 0)
			return true;
	return false;
}

/* --- of all records ------------------------------------------------------ */

typedef uint8_t index_name[OBJECT_NAME_LEN];

/* Names, the newest first, each once; RECORD_INDEXES_MAX at most. */
struct gathering {
	const struct log *l;
	index_name *names;
	index_name *sorted; /* the same */
	size_t n;
};

/* Where it is among the sorted, or else would be. */
static size_t
find_sorted(const struct gathering *g, const index_name name, bool *found)
{
	size_t low = 0, high = g->n;

	*found = false;
	while (low < high && !*found) {
		size_t mid = low + (high - low) / 2;
		int order = memcmp(g->sorted[mid], name, OBJECT_NAME_LEN);

		*found = order == 0;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return high;
}

static bool
is_there(const struct log *l, const uint8_t name[OBJECT_NAME_LEN])
{
	struct object_ref ref = {.cls = OBJECT_INDEX};
	struct err why;
	uint64_t size;

	memcpy(ref.dataset, l->ds->id, sizeof(ref.dataset));
	memcpy(ref.name, name, sizeof(ref.name));
	return store_size(access_store(l->access), &ref, &size, &why) == 0;
}

static void
gather(struct gathering *g, const index_name name, bool all)
{
	bool found;
	size_t at = find_sorted(g, name, &found);

	if (found || g->n == RECORD_INDEXES_MAX ||
	    (!all && !is_there(g->l, name)))
		return;
	memmove(
	    g->sorted[at + 1], g->sorted[at], (g->n - at) * sizeof(*g->sorted));
	memcpy(g->sorted[at], name, OBJECT_NAME_LEN);
	memcpy(g->names[g->n++], name, OBJECT_NAME_LEN);
}

/* A record that can't be read names none. */
static int
gather_record(struct gathering *g, uint64_t seq, struct err *err)
{
	struct record_clear clear;
	struct err why;
	uint8_t *buf;
	size_t len;
	int rc = log_record_bytes(g->l, seq, &buf, &len, &why);

	if (rc != 0)
		return rc == ERR_NOMEM ? err_copy(err, &why) : 0;
	rc = record_peek(buf, len, &clear, err);
	for (size_t i = rc == 0 ? clear.nindexes : 0; i > 0; i--)
		gather(g, clear.indexes[i - 1], false);
	free(buf);
	return rc;
}

static void
turn_around(struct gathering *g)
{
	for (size_t i = 0; i < g->n / 2; i++) {
		uint8_t name[OBJECT_NAME_LEN];

		memcpy(name, g->names[i], sizeof(name));
		memcpy(g->names[i], g->names[g->n - 1 - i], sizeof(name));
		memcpy(g->names[g->n - 1 - i], name, sizeof(name));
	}
}

static int
gather_all(struct gathering *g, struct err *err)
{
	size_t n;
	const index_name *now = log_indexes(g->l, &n);
	int rc = 0;

	for (size_t i = n; i > 0; i--)
		gather(g, now[i - 1], true);
	for (size_t i = log_records(g->l); rc == 0 && i > 0; i--)
		rc = gather_record(g, log_record(g->l, i - 1)->head.seq, err);
	turn_around(g);
	return rc;
}

int
log_all_indexes(const struct log *l, uint8_t (**names)[OBJECT_NAME_LEN],
    size_t *n, struct err *err)
{
	struct gathering g = {.l = l};
	int rc;

	g.names = calloc(RECORD_INDEXES_MAX, sizeof(*g.names));
	g.sorted = calloc(RECORD_INDEXES_MAX, sizeof(*g.sorted));
	rc = g.names != NULL && g.sorted != NULL ? gather_all(&g, err)
						 : err_nomem(err);
	free(g.sorted);
	if (rc != 0)
		free(STEAL(g.names));
	*names = g.names;
	*n = rc == 0 ? g.n : 0;
	return rc;
}
