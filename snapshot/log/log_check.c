#include "snapshot/log/log_internal.h"

#include <stdlib.h>
#include <string.h>

int
log_get(const struct log *l, const struct object_ref *ref, uint8_t **buf,
    size_t *len, struct err *err)
{
	return store_get(
	    access_store(l->access), ref, RECORD_MAX, buf, len, err);
}

int
log_wrap(const struct log *l, uint64_t seq, struct err *err)
{
	return err_wrap(err, "record %ju of the log of dataset '%s'",
	    (uintmax_t)seq, l->ds->name);
}

int
log_check_signature(const struct log *l, const struct snapshot *s,
    const uint8_t *buf, size_t len, struct err *err)
{
	struct ed25519_public signer;
	int rc = access_signer(
	    l->access, s->signer, l->ds->id, s->end.s, &signer, err);

	return rc != 0 ? rc : record_check(buf, len, &signer, err);
}

/* When it was signed is in the box. */
static int
check_bytes(const struct log *l, const struct snapshot *s, const uint8_t *buf,
    size_t len, struct err *err)
{
	AUTO(snapshot) struct snapshot *opened = NULL;
	int rc = 0;

	if (s == NULL)
		rc =
		    record_decode_snapshot(buf, len, l->ds->keys, &opened, err);
	if (rc != 0)
		return rc;
	return log_check_signature(l, s != NULL ? s : opened, buf, len, err);
}

int
log_check_record(const struct log *l, size_t i, struct err *err)
{
	const struct log_record *record = &l->records[i];
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = i + 1};
	uint8_t *buf = NULL;
	size_t len;
	int rc;

	memcpy(ref.dataset, l->ds->id, DATASET_ID_LEN);
	memcpy(ref.name, record->name, OBJECT_NAME_LEN);
	rc = log_get(l, &ref, &buf, &len, err);
	if (rc == 0)
		rc = check_bytes(l, record->snapshot, buf, len, err);
	free(buf);
	return rc != 0 ? log_wrap(l, i + 1, err) : 0;
}

int
log_check(struct log *l, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->nrecords; i++)
		rc = log_check_record(l, i, err);
	if (rc == 0 && l->damage.code != 0)
		rc = err_copy(err, &l->damage);
	return rc;
}
