#include "snapshot/access/access_internal.h"

#include <string.h>

static bool
is_of(const struct key_object *o, const void *dataset)
{
	return memcmp(o->settlement.dataset, dataset, DATASET_ID_LEN) == 0;
}

int
access_settlement(const struct access *a, const uint8_t dataset[DATASET_ID_LEN],
    struct settlement *out, struct err *err)
{
	const struct key_object *newest;
	int ret = access_trust_newest(
	    a, KEY_SETTLEMENT, is_of, dataset, &newest, err);

	memset(out, 0, sizeof(*out));
	if (ret == 0 && newest == NULL)
		return err_set(
		    err, ERR_NOT_FOUND, "nothing was settled of this dataset");
	if (ret == 0)
		*out = newest->settlement;
	return ret;
}

int
access_settle(struct access *a, const struct settlement *what, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_KEY};
	struct settlement s = *what, old;
	WR_AUTO struct wr w = {0};
	struct err none;
	bool changed;
	int ret;

	if ((ret = access_refresh(a, &changed, err)) != 0 ||
	    (ret = access_check_admin(a, "settle a history", err)) != 0)
		return ret;
	memcpy(s.store, a->root.store, STORE_ID_LEN);
	/* Dated after the one that it replaces, whatever the clocks say. */
	s.from = access_now(a);
	if (access_settlement(a, s.dataset, &old, &none) == 0 &&
	    old.from >= s.from && old.from < INT64_MAX)
		s.from = old.from + 1;
	ret = settlement_make(&s, a->identity, a->master, &w, err);
	if (ret == 0)
		ret = store_put(a->store, &ref, w.buf, w.len, err);
	return ret != 0 ? ret : access_refresh(a, &changed, err);
}
