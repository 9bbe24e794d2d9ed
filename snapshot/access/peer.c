#include "snapshot/access/peer.h"

#include "crypto/hash.h"
#include "snapshot/access/access_internal.h"

#include <stdio.h>
#include <string.h>

static bool
same_key(const struct ed25519_public *a, const struct ed25519_public *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void
describe(const struct identity_public *pub, char text[PEER_TEXT])
{
	(void)snprintf(text, PEER_TEXT, "%s '%s'",
	    identity_kind_name(pub->kind), pub->name);
}

/* --- who it is ---------------------------------------------------------- */

/* ${admin}: only an admin's will do. */
static int
find_grant(const struct access *a, const struct ed25519_public *key,
    int64_t now, bool admin, const struct identity_public **out,
    struct err *err)
{
	*out = NULL;
	for (size_t i = 0; i < a->nkeys && *out == NULL; i++) {
		struct key_object *o = a->keys[i];
		bool counts;
		int ret;

		if (o->kind != KEY_GRANT ||
		    !same_key(&o->grant.subject.sign, key) ||
		    (admin && o->grant.role != ROLE_ADMIN) ||
		    !access_valid(&o->grant, now))
			continue;
		if ((ret = access_trust_counts(a, o, &counts, err)) != 0)
			return ret;
		if (counts)
			*out = &o->grant.subject;
	}
	return 0;
}

/* A site that is known by its key, and still is one. */
static int
find_site(const struct access *a, const struct ed25519_public *key, int64_t now,
    char text[PEER_TEXT], struct err *err)
{
	struct statement st;
	int ret = site_find_key(a, key, &st, err);

	if (ret == ERR_NOT_FOUND || ret == ERR_AUTH)
		return err_set(err, ERR_DENIED,
		    "the key that was shown has neither a grant that holds nor"
		    " a statement in this store");
	if (ret != 0)
		return ret;
	if (statement_ended(&st) || now >= st.site.until)
		return err_set(err, ERR_DENIED,
		    "the statement of site '%s' has %s", st.site.pub.name,
		    statement_ended(&st) ? "been taken away" : "expired");
	describe(&st.site.pub, text);
	return 0;
}

int
access_peer(const struct access *a, const struct ed25519_public *key,
    int64_t now, char text[PEER_TEXT], struct err *err)
{
	const struct identity_public *pub = &a->root.admin;
	int ret;

	if (!same_key(&pub->sign, key)) {
		if ((ret = find_grant(a, key, now, false, &pub, err)) != 0)
			return ret;
		if (pub == NULL)
			return find_site(a, key, now, text, err);
	}
	describe(pub, text);
	return 0;
}

int
access_peer_fetch(const struct access *a, const struct ed25519_public *key,
    int64_t now, struct err *err)
{
	const struct identity_public *admin = NULL;
	struct statement st;
	struct err why;
	int ret;

	if (same_key(&a->root.admin.sign, key))
		return 0;
	ret = site_find_key(a, key, &st, &why);
	if (ret == 0)
		return site_allowed(a, &st, now, err);
	if (ret != ERR_NOT_FOUND && ret != ERR_AUTH)
		return err_copy(err, &why);
	if ((ret = find_grant(a, key, now, true, &admin, err)) != 0)
		return ret;
	return admin != NULL ? 0
			     : err_set(err, ERR_DENIED,
				   "objects are fetched by sites and admins"
				   " only");
}

/* --- saying who one is -------------------------------------------------- */

/* Its own, and what proves that it was given by an admin. */
static bool
introduces(const struct key_object *o, const struct ed25519_public *key)
{
	if (o->kind == KEY_STATEMENT)
		return same_key(&o->statement.site.pub.sign, key);
	if (o->kind != KEY_GRANT)
		return false;
	return o->grant.role == ROLE_ADMIN ||
	       same_key(&o->grant.subject.sign, key);
}

int
access_introduce(const struct access *a, const struct ed25519_public *key,
    access_introduce_fn *visit, void *arg, struct err *err)
{
	size_t n = 0;
	int ret = 0;

	for (size_t i = 0; i < a->nkeys && ret == 0; i++) {
		const struct key_object *o = a->keys[i];

		if (o->problem == NULL && introduces(o, key) &&
		    n++ < INTRODUCTION_MAX)
			ret = visit(arg, o->buf, o->len, err);
	}
	return ret;
}

int
access_keys_hash(
    const struct access *a, uint8_t out[OBJECT_NAME_LEN], struct err *err)
{
	AUTO(sha256_ctx) struct sha256_ctx *ctx = NULL;
	int ret = sha256_new(&ctx, err);

	for (size_t i = 0; i < a->nkeys && ret == 0; i++)
		ret =
		    sha256_update(ctx, a->keys[i]->name, OBJECT_NAME_LEN, err);
	return ret != 0 ? ret : sha256_final(ctx, out, err);
}

static bool
is_key_set_of(const struct key_object *o, const uint8_t dataset[DATASET_ID_LEN])
{
	return o->kind == KEY_SET &&
	       memcmp(o->set.dataset, dataset, DATASET_ID_LEN) == 0;
}

bool
access_has_key_set(
    const struct access *a, const uint8_t dataset[DATASET_ID_LEN])
{
	for (size_t i = 0; i < a->nkeys; i++)
		if (is_key_set_of(a->keys[i], dataset))
			return true;
	return false;
}

int
access_visit_key_sets(const struct access *a, access_dataset_fn *visit,
    void *arg, struct err *err)
{
	int ret = 0;

	for (size_t i = 0; i < a->nkeys && ret == 0; i++) {
		const struct key_object *o = a->keys[i];
		bool seen = o->kind != KEY_SET;

		for (size_t k = 0; k < i && !seen; k++)
			seen = is_key_set_of(a->keys[k], o->set.dataset);
		if (!seen)
			ret = visit(arg, o->set.dataset, err);
	}
	return ret;
}
