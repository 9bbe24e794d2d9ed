#include "snapshot/access/access_internal.h"

#include <string.h>

static bool
is_of(const struct key_object *o, const void *dataset)
{
	return memcmp(o->settlement.dataset, dataset, DATASET_ID_LEN) == 0;
}

int
access_settlement(const struct access *a, const uint8_t dataset[DATASET_ID_LEN],
    struct settlement *out, uint8_t *object, struct err *err)
{
	const struct key_object *newest;
	int ret = access_trust_newest(
	    a, KEY_SETTLEMENT, is_of, dataset, &newest, err);

	memset(out, 0, sizeof(*out));
	if (ret == 0 && newest == NULL)
		return err_set(
		    err, ERR_NOT_FOUND, "nothing was settled of this dataset");
	if (ret != 0)
		return ret;
	*out = newest->settlement;
	if (object != NULL)
		memcpy(object, newest->name, OBJECT_NAME_LEN);
	return 0;
}

int
access_settle(struct access *a, const struct settlement *what, struct err *err)
{
	struct settlement s = *what;
	const struct dated d = {.kind = KEY_SETTLEMENT,
	    .fits = is_of,
	    .arg = s.dataset,
	    .what = "the settlement of this dataset"};
	WR_AUTO struct wr w = {0};
	bool changed;
	int ret;

	if ((ret = access_refresh(a, &changed, err)) != 0 ||
	    (ret = access_check_admin(a, "settle a history", err)) != 0)
		return ret;
	memcpy(s.store, a->root.store, STORE_ID_LEN);
	if ((ret = dated_begin(a, &d, &s.from, err)) != 0)
		return ret;
	ret = settlement_make(&s, a->identity, a->master, &w, err);
	return ret != 0 ? ret : dated_store(a, &d, &w, err);
}
