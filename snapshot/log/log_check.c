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
log_closed(const struct record_head *head, struct err *err)
{
	return err_set(err, ERR_DENIED,
	    "sealed under epoch %u, which this key was not given", head->epoch);
}

int
log_verify(const struct access *a, const struct record_clear *clear,
    const uint8_t *buf, size_t len, struct err *err)
{
	const struct record_head *head = &clear->head;
	struct ed25519_public signer;
	int rc;

	if (record_admin_only(head->type))
		rc = access_admin_signer(
		    a, head->signer, head->time, &signer, err);
	else
		rc = access_signer(
		    a, head->signer, head->dataset, head->time, &signer, err);
	return rc != 0 ? rc : record_check(buf, len, &signer, err);
}

int
log_check_record(const struct log *l, uint64_t seq, struct err *err)
{
	struct record_clear clear;
	uint8_t *buf;
	size_t len;
	int rc = log_record_bytes(l, seq, &buf, &len, err);

	if (rc != 0)
		return rc;
	rc = record_peek(buf, len, &clear, err);
	if (rc == 0)
		rc = log_verify(l->access, &clear, buf, len, err);
	free(buf);
	return rc != 0 ? log_wrap(l, seq, err) : 0;
}

int
log_check(struct log *l, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->nrecords; i++)
		rc = log_check_record(l, l->base + i + 1, err);
	if (rc == 0 && l->damage.code != 0)
		rc = err_copy(err, &l->damage);
	return rc;
}
