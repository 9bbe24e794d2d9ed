#include "snapshot/log/log_internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * A directory that is read while records are added may show a later one and
 * not the one before it. Reading it again tells that from a gap.
 */
#define TRIES 3

void
log_list_clear(struct log_list *list)
{
	free(list->refs);
	memset(list, 0, sizeof(*list));
}

static int
add_ref(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct log_list *list = arg;

	if (list->n == list->cap) {
		size_t cap = list->cap == 0 ? 256 : list->cap * 2;
		struct object_ref *refs =
		    reallocarray(list->refs, cap, sizeof(*refs));

		if (refs == NULL)
			return err_nomem(err);
		list->refs = refs;
		list->cap = cap;
	}
	list->refs[list->n++] = *ref;
	return 0;
}

static bool
has_gap(const struct log_list *list)
{
	uint64_t last = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (list->refs[i].seq > last + 1)
			return true;
		last = list->refs[i].seq;
	}
	return false;
}

static uint64_t
last_of(const struct log_list *list)
{
	return list->n == 0 ? 0 : list->refs[list->n - 1].seq;
}

size_t
log_list_find(const struct log_list *list, uint64_t seq)
{
	size_t low = 0;
	size_t high = list->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list->refs[mid].seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Whether record ${seq}, which was seen to be called ${name}, is there. */
static int
check_seen(const struct log *l, const struct log_list *list, uint64_t seq,
    const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	size_t at = log_list_find(list, seq);

	if (seq == 0)
		return 0;
	for (size_t i = at; i < list->n && list->refs[i].seq == seq; i++) {
		if (memcmp(list->refs[i].name, name, OBJECT_NAME_LEN) == 0)
			return 0;
	}
	if (at == list->n)
		return err_set(err, ERR_CORRUPT,
		    "log of dataset '%s' was cut back: this machine has seen"
		    " record %ju of it, the store shows %ju",
		    l->ds->name, (uintmax_t)seq, (uintmax_t)last_of(list));
	if (list->refs[at].seq != seq)
		return err_set(err, ERR_CORRUPT,
		    "log of dataset '%s' has no record %ju, but a record %ju",
		    l->ds->name, (uintmax_t)seq, (uintmax_t)list->refs[at].seq);
	return err_set(err, ERR_CORRUPT,
	    "log of dataset '%s' was rewritten: its record %ju is not the one"
	    " that this machine has seen",
	    l->ds->name, (uintmax_t)seq);
}

static int
recall(const struct log *l, struct head_seen *seen, struct err *err)
{
	int rc = ERR_NOT_FOUND;

	memset(seen, 0, sizeof(*seen));
	if (l->heads != NULL)
		rc = heads_get(l->heads, l->ds->id, seen, err);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* A gap that stays is for whoever follows the chain. */
static int
list_records(const struct log *l, struct log_list *list, struct err *err)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < TRIES; i++) {
		list->n = 0;
		rc = store_list(access_store(l->access), OBJECT_LOG, l->ds->id,
		    add_ref, list, err);
		if (!has_gap(list))
			break;
	}
	return rc;
}

bool
log_list_plain(const struct log_list *list)
{
	return !has_gap(list) && last_of(list) == list->n;
}

int
log_list_read(struct log *l, struct log_list *list, struct err *err)
{
	/* First: another process may add a record and remember it meanwhile. */
	int rc = recall(l, &list->seen, err);

	if (rc == 0)
		rc = list_records(l, list, err);
	if (rc != 0)
		return rc;
	/* The newest first: it says best how much has gone. */
	for (size_t i = l->nrecords; rc == 0 && i > 0; i--)
		rc = check_seen(
		    l, list, l->base + i, l->records[i - 1]->name, err);
	if (rc == 0 && check_seen(l, list, list->seen.seq, list->seen.name,
			   &list->why) != 0) {
		list->lost = list->seen;
		memset(&list->seen, 0, sizeof(list->seen));
	}
	return rc;
}
