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

/* From 1, without gaps, and each number once. */
static int
check_sequence(
    const struct log *l, const struct log_list *list, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		uint64_t seq = list->refs[i].seq;

		if (seq == i + 1)
			continue;
		if (i > 0 && seq == list->refs[i - 1].seq)
			return err_set(err, ERR_CORRUPT,
			    "log of dataset '%s' has two records %ju: copies of"
			    " the store went different ways",
			    l->ds->name, (uintmax_t)seq);
		return err_set(err, ERR_CORRUPT,
		    "log of dataset '%s' has no record %zu, but a record %ju",
		    l->ds->name, i + 1, (uintmax_t)seq);
	}
	return 0;
}

/* Whether record ${seq}, which was seen to be called ${name}, is there. */
static int
check_seen(const struct log *l, const struct log_list *list, uint64_t seq,
    const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	if (seq > list->n)
		return err_set(err, ERR_CORRUPT,
		    "log of dataset '%s' was cut back: this machine has seen"
		    " record %ju of it, the store shows %zu",
		    l->ds->name, (uintmax_t)seq, list->n);
	if (seq > 0 &&
	    memcmp(list->refs[seq - 1].name, name, OBJECT_NAME_LEN) != 0)
		return err_set(err, ERR_CORRUPT,
		    "log of dataset '%s' was rewritten: its record %ju is not"
		    " the one that this machine has seen",
		    l->ds->name, (uintmax_t)seq);
	return 0;
}

/* The record that this machine saw last; ${seq} 0 when it has seen none. */
struct seen {
	uint64_t seq;
	uint8_t name[OBJECT_NAME_LEN];
};

static int
recall(const struct log *l, struct seen *seen, struct err *err)
{
	int rc = ERR_NOT_FOUND;

	memset(seen, 0, sizeof(*seen));
	if (l->heads != NULL)
		rc =
		    heads_get(l->heads, l->ds->id, &seen->seq, seen->name, err);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int
list_records(const struct log *l, struct log_list *list, struct err *err)
{
	int rc = ERR_CORRUPT;

	for (int i = 0; i < TRIES && rc == ERR_CORRUPT; i++) {
		list->n = 0;
		rc = store_list(access_store(l->access), OBJECT_LOG, l->ds->id,
		    add_ref, list, err);
		if (rc == 0)
			rc = check_sequence(l, list, err);
	}
	return rc;
}

int
log_list_read(struct log *l, struct log_list *list, struct err *err)
{
	struct seen seen;
	/* First: another process may add a record and remember it meanwhile. */
	int rc = recall(l, &seen, err);

	if (rc == 0)
		rc = list_records(l, list, err);
	if (rc == 0)
		rc = check_seen(l, list, seen.seq, seen.name, err);
	/* The newest first: it says best how much has gone. */
	for (size_t i = l->nrecords; rc == 0 && i > 0; i--)
		rc = check_seen(l, list, i, l->records[i - 1].name, err);
	return rc;
}
