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
	static const struct dated dated = {
	    .kind = KEY_DEFAULTS, .what = "the set of default rules"};
	struct defaults d = {.len = len};
	WR_AUTO struct wr w = {0};
	bool changed;
	int ret;

	if ((ret = access_refresh(a, &changed, err)) != 0 ||
	    (ret = access_check_admin(a, "set default rules", err)) != 0)
		return ret;
	if (len > DEFAULTS_RULES_MAX)
		return err_set(err, ERR_BUG, "default rules of %zu bytes", len);
	memcpy(d.store, a->root.store, STORE_ID_LEN);
	memcpy(d.rules, rules, len);
	if ((ret = dated_begin(a, &dated, &d.from, err)) != 0)
		return ret;
	ret = defaults_make(&d, a->identity, a->master, &w, err);
	return ret != 0 ? ret : dated_store(a, &dated, &w, err);
}
