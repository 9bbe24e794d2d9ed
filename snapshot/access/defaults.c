#include "snapshot/access/access_internal.h"

#include <string.h>

int
access_defaults(const struct access *a, struct defaults *out, struct err *err)
{
	const struct key_object *newest;
	int ret =
	    access_trust_newest(a, KEY_DEFAULTS, NULL, NULL, &newest, err);

	memset(out, 0, sizeof(*out));
	if (ret == 0 && newest == NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "store '%s' has no default rules", store_address(a->store));
	if (ret == 0)
		*out = newest->defaults;
	return ret;
}

int
access_set_defaults(
    struct access *a, const uint8_t *rules, size_t len, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_KEY};
	struct defaults d = {.len = len}, old;
	WR_AUTO struct wr w = {0};
	struct err none;
	bool changed;
	int ret;

	if ((ret = access_refresh(a, &changed, err)) != 0 ||
	    (ret = access_check_admin(a, "set default rules", err)) != 0)
		return ret;
	if (len > DEFAULTS_RULES_MAX)
		return err_set(err, ERR_BUG, "default rules of %zu bytes", len);
	memcpy(d.store, a->root.store, STORE_ID_LEN);
	memcpy(d.rules, rules, len);
	/* Dated after those that they replace, whatever the clocks say. */
	d.from = access_now(a);
	if (access_defaults(a, &old, &none) == 0 && old.from >= d.from &&
	    old.from < INT64_MAX)
		d.from = old.from + 1;
	ret = defaults_make(&d, a->identity, a->master, &w, err);
	if (ret == 0)
		ret = store_put(a->store, &ref, w.buf, w.len, err);
	return ret != 0 ? ret : access_refresh(a, &changed, err);
}
