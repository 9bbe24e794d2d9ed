#include "snapshot/log/log_internal.h"

#include <string.h>

void
log_list_clear(struct log_list *list)
{
	record_refs_clear(&list->all);
	memset(list, 0, sizeof(*list));
}

/* Whether record ${seq}, which was seen to be called ${name}, is there. */
static int
check_seen(const struct log *l, const struct log_list *list, uint64_t seq,
    const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	size_t at = record_refs_find(&list->all, seq);

	if (seq == 0)
		return 0;
	for (size_t i = at; i < list->all.n && list->all.v[i].seq == seq; i++) {
		if (memcmp(list->all.v[i].name, name, OBJECT_NAME_LEN) == 0)
			return 0;
	}
	if (at == list->all.n)
		return err_set(err, ERR_CORRUPT,
		    "log of dataset '%s' was cut back: this machine has seen"
		    " record %ju of it, the store shows %ju (if an older copy"
		    " of it was brought back on purpose, see FILES in"
		    " varve(1))",
		    l->ds->name, (uintmax_t)seq,
		    (uintmax_t)record_refs_last(&list->all));
	if (list->all.v[at].seq != seq)
		return err_set(err, ERR_CORRUPT,
		    "log of dataset '%s' has no record %ju, but a record %ju",
		    l->ds->name, (uintmax_t)seq,
		    (uintmax_t)list->all.v[at].seq);
	return err_set(err, ERR_CORRUPT,
	    "log of dataset '%s' was rewritten: its record %ju is not the one"
	    " that this machine has seen",
	    l->ds->name, (uintmax_t)seq);
}

/* It is missing, and there are later ones. */
static bool
is_passed_over(const struct log_list *list)
{
	size_t at = record_refs_find(&list->all, list->seen.seq);

	return at < list->all.n && list->all.v[at].seq != list->seen.seq;
}

/* What this machine has seen, against what there is. */
static void
compare_seen(struct log *l, struct log_list *list)
{
	l->recalled = list->seen;
	if (check_seen(l, list, list->seen.seq, list->seen.name, &list->why) ==
	    0)
		return;
	list->passed = is_passed_over(list);
	if (!list->passed)
		log_list_lose(list);
}

void
log_list_lose(struct log_list *list)
{
	list->lost = list->seen;
	memset(&list->seen, 0, sizeof(list->seen));
}

int
log_recall(struct heads *heads, const uint8_t dataset[DATASET_ID_LEN],
    struct head_seen *seen, struct err *err)
{
	struct err why;
	int rc;

	memset(seen, 0, sizeof(*seen));
	if (heads == NULL)
		return 0;
	rc = heads_get(heads, dataset, seen, &why);
	return rc == 0 || rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
}

int
log_list_read(struct log *l, struct log_list *list, struct err *err)
{
	/* First: another process may add a record and remember it meanwhile. */
	int rc = log_recall(l->heads, l->ds->id, &list->seen, err);

	if (rc == 0)
		rc = record_refs_list(
		    access_store(l->access), l->ds->id, &list->all, err);
	if (rc != 0)
		return rc;
	/* The newest first: it says best how much has gone. */
	for (size_t i = l->nrecords; rc == 0 && i > 0; i--)
		if (!l->records[i - 1]->lost)
			rc = check_seen(
			    l, list, l->base + i, l->records[i - 1]->name, err);
	if (rc == 0)
		compare_seen(l, list);
	return rc;
}
