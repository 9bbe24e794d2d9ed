#include "snapshot/log/log_internal.h"

#include <stdlib.h>
#include <string.h>

const struct dataset *
log_dataset(const struct log *l)
{
	return l->ds;
}

size_t
log_count(const struct log *l)
{
	return l->nsnapshots;
}

const struct snapshot *
log_snapshot(const struct log *l, size_t i)
{
	return l->snapshots[i];
}

const struct snapshot *
log_head(const struct log *l)
{
	return l->nsnapshots == 0 ? NULL : l->snapshots[l->nsnapshots - 1];
}

const struct snapshot *
log_newest(const struct log *l)
{
	for (size_t i = l->nrecords; i > 0; i--) {
		const struct record *r = l->records[i - 1];

		if (r->open && r->head.type == RECORD_SNAPSHOT)
			return r->snapshot;
	}
	return NULL;
}

const uint8_t (*log_indexes(const struct log *l, size_t *n))[OBJECT_NAME_LEN]
{
	*n = l->indexes.n;
	return (const uint8_t(*)[OBJECT_NAME_LEN])l->indexes.names;
}

const struct rules *
log_rules(const struct log *l)
{
	return l->rules == NULL ? NULL : &l->rules->rules;
}

size_t
log_records(const struct log *l)
{
	return l->nrecords;
}

const struct record *
log_record(const struct log *l, size_t i)
{
	return l->records[i];
}

const struct record *
log_record_at(const struct log *l, uint64_t seq)
{
	if (seq <= l->base || seq > log_number(l))
		return NULL;
	return l->records[seq - l->base - 1];
}

const struct record *
log_prune(const struct log *l)
{
	return l->prune;
}

int
log_record_bytes(const struct log *l, uint64_t seq, uint8_t **buf, size_t *len,
    struct err *err)
{
	const struct record *r = log_record_at(l, seq);
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = seq};
	int rc;

	*buf = NULL;
	*len = 0;
	if (r != NULL && r->lost)
		return err_copy(err, r->why);
	if (r == NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "the log of dataset '%s' has no record %ju", l->ds->name,
		    (uintmax_t)seq);
	memcpy(ref.dataset, l->ds->id, DATASET_ID_LEN);
	memcpy(ref.name, r->name, OBJECT_NAME_LEN);
	rc = log_get(l, &ref, buf, len, err);
	return rc != 0 ? log_wrap(l, seq, err) : 0;
}

const struct err *
log_damage(const struct log *l)
{
	return l->damage.code == 0 ? NULL : &l->damage;
}

const struct err *
log_gap(const struct log *l)
{
	return l->gap == NULL ? NULL : l->gap->why;
}

int
log_sound(const struct log *l, struct err *err)
{
	const struct err *why = log_damage(l);

	if (why == NULL)
		why = log_gap(l);
	return why == NULL ? 0 : err_copy(err, why);
}

const struct err *
log_warning(const struct log *l)
{
	return l->warning.code == 0 ? NULL : &l->warning;
}

void
log_free(struct log *l)
{
	if (l == NULL)
		return;
	log_truncate(l, 0);
	free(l->records);
	free(l->times);
	free(l->snapshots);
	free(l->by_time);
	index_list_clear(&l->indexes);
	free(l);
}
