/*
 * Key objects that are offered are put among those at hand, in memory; then who
 * is an admin is found anew, and what is found to count is stored. The rest is
 * taken out again.
 */
#include "snapshot/access/access_internal.h"
#include "snapshot/access/peer.h"

#include <stdlib.h>
#include <string.h>

static bool
same_public(const struct identity_public *a, const struct identity_public *b)
{
	return memcmp(a->id, b->id, IDENTITY_ID_LEN) == 0 &&
	       memcmp(&a->sign, &b->sign, sizeof(a->sign)) == 0 &&
	       memcmp(&a->seal, &b->seal, sizeof(a->seal)) == 0;
}

/* A person object is signed by the person: others have to speak of them. */
static int
check_person(
    const struct access *a, const struct key_object *person, struct err *err)
{
	if (same_public(&a->root.admin, &person->person))
		return 0;
	for (size_t i = 0; i < a->nkeys; i++) {
		struct key_object *o = a->keys[i];
		struct err why;

		if (o->kind == KEY_GRANT &&
		    same_public(&o->grant.subject, &person->person) &&
		    access_trust_grant(a, o, &why) == 0)
			return 0;
	}
	return err_set(err, ERR_DENIED,
	    "nobody has granted anything to person '%s' yet",
	    person->person.name);
}

static int
check_key_set(
    const struct access *a, const struct key_object *o, struct err *err)
{
	const struct ed25519_public *signer;
	int ret = access_trust_key_set(a, o, &signer, err);

	if (ret != 0)
		return ret;
	return keyset_check(o->buf, o->len, &a->root, signer, err);
}

static int
check(const struct access *a, struct key_object *o, struct err *err)
{
	int ret;

	switch (o->kind) {
	case KEY_PERSON:
		return check_person(a, o, err);
	case KEY_RECOVERY:
		return 0; /* its signature was seen when it was parsed */
	case KEY_SET:
		return check_key_set(a, o, err);
	case KEY_GRANT:
		return access_trust_grant(a, o, err);
	case KEY_STATEMENT:
	case KEY_POLICY:
	case KEY_DEFAULTS:
	case KEY_SETTLEMENT:
		ret = access_trust_location(a, o, err);
		return ret == 0 ? dated_check(a, o, err) : ret;
	case KEY_NONE:
		break;
	}
	return o->problem != NULL
		   ? err_copy(err, o->problem)
		   : err_set(err, ERR_VERSION,
			 "a key object of a kind that this version does not"
			 " know");
}

/* --- taking ------------------------------------------------------------- */

/* What somebody is known by. */
static bool
introduces(const struct key_object *o)
{
	return o->kind == KEY_GRANT || o->kind == KEY_STATEMENT;
}

/*
 * ${added}[i] is the object of offer i; NULL: it is at hand already, or nothing
 * that ${all} of the kinds would be needed for.
 */
static int
add_offers(struct access *a, const struct key_offer *offers, size_t n, bool all,
    struct key_object **added, struct err *err)
{
	int ret = 0;

	for (size_t i = 0; i < n && ret == 0; i++) {
		ret = access_keys_add(
		    a, offers[i].buf, offers[i].len, &added[i], err);
		if (ret == 0 && !all && added[i] != NULL &&
		    !introduces(added[i]))
			access_keys_remove(a, STEAL(added[i]));
	}
	return ret != 0 ? ret : access_trust_admins(a, err);
}

static int
store_one(struct access *a, const struct key_offer *offer, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_KEY};

	return store_put(a->store, &ref, offer->buf, offer->len, err);
}

/* Those of whom others speak come after these: persons last. */
static int
settle(struct access *a, struct key_offer *offers, size_t n,
    struct key_object **added, bool persons, struct err *err)
{
	int ret = 0;

	for (size_t i = 0; i < n && ret == 0; i++) {
		struct key_offer *offer = &offers[i];

		if (added[i] == NULL || offer->taken ||
		    (added[i]->kind == KEY_PERSON) != persons)
			continue;
		ret = check(a, added[i], &offer->why);
		if (ret == ERR_NOMEM || ret == ERR_BUG)
			return err_copy(err, &offer->why);
		offer->taken = ret == 0;
		ret = offer->taken ? store_one(a, offer, err) : 0;
	}
	return ret;
}

/* Nothing of what was not stored may vouch for anybody any more. */
static int
take_out(struct access *a, const struct key_offer *offers, size_t n,
    struct key_object **added, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (added[i] != NULL && !offers[i].taken)
			access_keys_remove(a, added[i]);
	}
	return access_trust_admins(a, err);
}

/* ${added} is NULL when there is nothing to finish. */
static int
begin(struct access *a, struct key_offer *offers, size_t n, bool all,
    struct key_object ***added, struct err *err)
{
	*added = calloc(n + 1, sizeof(**added));
	if (*added == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		offers[i].taken = false;
	return add_offers(a, offers, n, all, *added, err);
}

/* What went wrong first counts. */
static int
finish(struct access *a, const struct key_offer *offers, size_t n,
    struct key_object **added, int ret, struct err *err)
{
	struct err why;

	if (added == NULL)
		return ret;
	if (take_out(a, offers, n, added, &why) != 0 && ret == 0)
		ret = err_copy(err, &why);
	free(added);
	return ret;
}

int
access_take(
    struct access *a, struct key_offer *offers, size_t n, struct err *err)
{
	struct key_object **added;
	int ret = begin(a, offers, n, true, &added, err);

	for (size_t i = 0; i < n && ret == 0; i++)
		offers[i].taken = added[i] == NULL;
	if (ret == 0)
		ret = settle(a, offers, n, added, false, err);
	if (ret == 0)
		ret = settle(a, offers, n, added, true, err);
	return finish(a, offers, n, added, ret, err);
}

int
access_meet(struct access *a, struct key_offer *offers, size_t n,
    const struct ed25519_public *key, int64_t now, char text[PEER_TEXT],
    struct err *err)
{
	struct key_object **added;
	int ret = begin(a, offers, n, false, &added, err);

	if (ret == 0)
		ret = access_peer(a, key, now, text, err);
	if (ret == 0)
		ret = settle(a, offers, n, added, false, err);
	return finish(a, offers, n, added, ret, err);
}
