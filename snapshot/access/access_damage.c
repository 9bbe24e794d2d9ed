/* Key objects that count for nothing. */
#include "snapshot/access/access_internal.h"

#include <string.h>

static int
examine(const struct access *a, struct key_object *o, struct err *why)
{
	const struct ed25519_public *signer;

	if (o->problem != NULL)
		return err_copy(why, o->problem);
	if (o->kind == KEY_GRANT)
		return access_trust_grant(a, o, why);
	if (o->kind == KEY_SET)
		return access_trust_key_set(a, o, &signer, why);
	if (o->kind == KEY_STATEMENT || o->kind == KEY_POLICY ||
	    o->kind == KEY_DEFAULTS || o->kind == KEY_SETTLEMENT)
		return access_trust_location(a, o, why);
	return 0;
}

static int
visit_one(const struct access *a, struct key_object *o, access_damage_fn *visit,
    void *arg, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_KEY};
	struct err why;
	int ret = examine(a, o, &why);

	if (ret == 0)
		return 0;
	if (ret == ERR_NOMEM || ret == ERR_BUG)
		return err_copy(err, &why);
	memcpy(ref.name, o->name, OBJECT_NAME_LEN);
	return visit(arg, &ref, &why, err);
}

/* A replica to which nothing was sent yet lacks nothing. */
static bool
is_waiting(const struct access *a)
{
	char site[STORE_SITE_MAX];
	bool replica;

	return a->nkeys == 0 &&
	       store_replica(a->store, &replica, site, NULL) == 0 && replica;
}

int
access_visit_damage(
    const struct access *a, access_damage_fn *visit, void *arg, struct err *err)
{
	const struct object_ref none = {.cls = OBJECT_KEY};
	bool recovery = false;
	struct err why;
	int ret = 0;

	for (size_t i = 0; i < a->nkeys; i++)
		recovery |= a->keys[i]->kind == KEY_RECOVERY;
	for (size_t i = 0; i < a->nkeys && ret == 0; i++)
		ret = visit_one(a, a->keys[i], visit, arg, err);
	if (ret != 0 || recovery || is_waiting(a))
		return ret;
	(void)err_set(&why, ERR_NOT_FOUND,
	    "the store has no recovery object that can be used: the recovery"
	    " key opens nothing");
	return visit(arg, &none, &why, err);
}
