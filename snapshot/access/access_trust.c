#include "snapshot/access/access_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Trust starts at the root, which names the first admin and the master key. A
 * grant counts when its issuer was an admin at the moment the grant begins, or
 * is the master key, and signed it. Who is an admin is found by going over the
 * grants of admins until no new one comes up, always from what is proven
 * already: grants that vouch for each other in a circle prove nothing.
 *
 * A grant's beginning is what its issuer wrote. Someone who was an admin can
 * write an earlier one than true; but that person had the master key in hand
 * anyway, and an end date does not take it back (KEYS.md).
 */

static bool
same_id(const uint8_t a[IDENTITY_ID_LEN], const uint8_t b[IDENTITY_ID_LEN])
{
	return memcmp(a, b, IDENTITY_ID_LEN) == 0;
}

/* As the issuer or signer of a key object: the master key. */
static bool
is_master(const uint8_t id[IDENTITY_ID_LEN])
{
	static const uint8_t zero[IDENTITY_ID_LEN];

	return same_id(id, zero);
}

static bool
within(int64_t from, int64_t until, int64_t when)
{
	return when >= from && (when < until || until == INT64_MAX);
}

bool
access_valid(const struct grant *g, int64_t when)
{
	return within(g->from, g->until, when);
}

const struct identity_public *
access_trust_admin(
    const struct access *a, const uint8_t id[IDENTITY_ID_LEN], int64_t when)
{
	for (size_t i = 0; i < a->nadmins; i++) {
		const struct admin *admin = &a->admins[i];

		if (same_id(admin->pub->id, id) &&
		    within(admin->from, admin->until, when))
			return admin->pub;
	}
	return NULL;
}

int
access_trust_grant(
    const struct access *a, struct key_object *o, struct err *err)
{
	const struct grant *g = &o->grant;
	const struct ed25519_public *signer = &a->root.master_sign;
	const struct identity_public *admin;
	int ret;

	if (atomic_load(&o->trusted))
		return 0;
	if (!is_master(g->issuer)) {
		admin = access_trust_admin(a, g->issuer, g->from);
		if (admin == NULL)
			return err_set(err, ERR_AUTH,
			    "the grant of '%s' as %s was issued by someone who "
			    "was no admin then",
			    g->subject.name, role_name(g->role));
		signer = &admin->sign;
	}
	ret = grant_check(o->buf, o->len, signer, err);
	if (ret == ERR_AUTH)
		return err_wrap(err, "the grant of '%s' as %s is forged",
		    g->subject.name, role_name(g->role));
	if (ret == 0)
		atomic_store(&o->trusted, true);
	return ret;
}

int
access_trust_counts(
    const struct access *a, struct key_object *o, bool *counts, struct err *err)
{
	struct err why;
	int ret = access_trust_grant(a, o, &why);

	*counts = ret == 0;
	return ret == ERR_NOMEM || ret == ERR_BUG ? err_copy(err, &why) : 0;
}

/* What is needed to know of a statement, a policy, rules, or a settlement. */
struct location {
	const uint8_t *issuer;
	int64_t from;
	int (*check)(const uint8_t *buf, size_t len,
	    const struct ed25519_public *signer, struct err *err);
	char what[IDENTITY_NAME_MAX + 32]; /* as messages name it */
};

static void
describe(const struct key_object *o, struct location *l)
{
	if (o->kind == KEY_POLICY) {
		*l = (struct location){.issuer = o->policy.issuer,
		    .from = o->policy.from,
		    .check = policy_check,
		    .what = "the location policy"};
		return;
	}
	if (o->kind == KEY_DEFAULTS) {
		*l = (struct location){.issuer = o->defaults.issuer,
		    .from = o->defaults.from,
		    .check = defaults_check,
		    .what = "the default rules"};
		return;
	}
	if (o->kind == KEY_SETTLEMENT) {
		*l = (struct location){.issuer = o->settlement.issuer,
		    .from = o->settlement.from,
		    .check = settlement_check,
		    .what = "the settlement of a history"};
		return;
	}
	*l = (struct location){.issuer = o->statement.issuer,
	    .from = o->statement.from,
	    .check = statement_check};
	(void)snprintf(l->what, sizeof(l->what), "the statement of site '%s'",
	    o->statement.site.pub.name);
}

int
access_trust_location(
    const struct access *a, struct key_object *o, struct err *err)
{
	const struct ed25519_public *signer = &a->root.master_sign;
	const struct identity_public *admin;
	struct location l;
	int ret;

	if (atomic_load(&o->trusted))
		return 0;
	describe(o, &l);
	if (!is_master(l.issuer)) {
		admin = access_trust_admin(a, l.issuer, l.from);
		if (admin == NULL)
			return err_set(err, ERR_AUTH,
			    "%s was issued by someone who was no admin then",
			    l.what);
		signer = &admin->sign;
	}
	ret = l.check(o->buf, o->len, signer, err);
	if (ret == ERR_AUTH)
		return err_wrap(err, "%s is forged", l.what);
	if (ret == 0)
		atomic_store(&o->trusted, true);
	return ret;
}

int64_t
access_trust_from(const struct key_object *o)
{
	struct location l;

	describe(o, &l);
	return l.from;
}

bool
access_trust_newer(const struct key_object *a, const struct key_object *b)
{
	int64_t x = access_trust_from(a), y = access_trust_from(b);
	bool ends = a->kind == KEY_STATEMENT && statement_ended(&a->statement);

	if (x != y)
		return x > y;
	if (a->kind == KEY_STATEMENT && ends != statement_ended(&b->statement))
		return ends;
	return memcmp(a->name, b->name, OBJECT_NAME_LEN) > 0;
}

int
access_trust_newest(const struct access *a, enum key_kind kind,
    access_fits_fn *fits, const void *arg, const struct key_object **out,
    struct err *err)
{
	*out = NULL;
	for (size_t i = 0; i < a->nkeys; i++) {
		struct key_object *o = a->keys[i];
		struct err why;
		int ret;

		if (o->kind != kind || (fits != NULL && !fits(o, arg)))
			continue;
		ret = access_trust_location(a, o, &why);
		if (ret == ERR_NOMEM || ret == ERR_BUG)
			return err_copy(err, &why);
		if (ret == 0 && (*out == NULL || access_trust_newer(o, *out)))
			*out = o;
	}
	return 0;
}

/*
 * Key sets bear no date. One that was signed by someone who has ceased to be
 * an admin goes on counting: backups were made with it.
 */
int
access_trust_key_set(const struct access *a, const struct key_object *o,
    const struct ed25519_public **signer, struct err *err)
{
	*signer = NULL;
	if (is_master(o->set.signer))
		return 0;
	for (size_t i = 0; i < a->nadmins; i++) {
		if (same_id(a->admins[i].pub->id, o->set.signer)) {
			*signer = &a->admins[i].pub->sign;
			return 0;
		}
	}
	return err_set(err, ERR_AUTH,
	    "a key set signed by someone who was never an admin");
}

static bool
is_admin_grant(const struct key_object *o)
{
	return o->kind == KEY_GRANT && o->grant.role == ROLE_ADMIN;
}

/* One pass over the admin grants that are not proven yet. */
static int
find_admins(struct access *a, bool *grew, struct err *err)
{
	*grew = false;
	for (size_t i = 0; i < a->nkeys; i++) {
		struct key_object *o = a->keys[i];
		bool counts;
		int ret;

		if (!is_admin_grant(o) || atomic_load(&o->trusted))
			continue;
		if ((ret = access_trust_counts(a, o, &counts, err)) != 0)
			return ret;
		if (!counts)
			continue;
		a->admins[a->nadmins++] = (struct admin){
		    .pub = &o->grant.subject,
		    .from = o->grant.from,
		    .until = o->grant.until,
		};
		*grew = true;
	}
	return 0;
}

int
access_trust_admins(struct access *a, struct err *err)
{
	struct admin *admins;
	bool grew = true;
	size_t n = 1;
	int ret = 0;

	/* What the old ones point into may be gone. */
	a->nadmins = 0;
	for (size_t i = 0; i < a->nkeys; i++) {
		atomic_store(&a->keys[i]->trusted, false);
		n += is_admin_grant(a->keys[i]);
	}
	admins = reallocarray(a->admins, n, sizeof(*admins));
	if (admins == NULL)
		return err_nomem(err);
	a->admins = admins;
	a->admins[a->nadmins++] = (struct admin){
	    .pub = &a->root.admin,
	    .from = INT64_MIN,
	    .until = INT64_MAX,
	};
	while (ret == 0 && grew)
		ret = find_admins(a, &grew, err);
	a->stale = ret != 0;
	return ret;
}

/* --- who may sign a log ------------------------------------------------- */

int
access_signer(const struct access *a, const uint8_t id[IDENTITY_ID_LEN],
    const uint8_t dataset[DATASET_ID_LEN], int64_t when,
    struct ed25519_public *out, struct err *err)
{
	const struct identity_public *admin = access_trust_admin(a, id, when);
	const char *name;

	if (admin != NULL) {
		*out = admin->sign;
		return 0;
	}
	for (size_t i = 0; i < a->nkeys; i++) {
		struct key_object *o = a->keys[i];
		bool counts;
		int ret;

		if (o->kind != KEY_GRANT || o->grant.role != ROLE_WRITER ||
		    !same_id(o->grant.subject.id, id) ||
		    memcmp(o->grant.dataset, dataset, DATASET_ID_LEN) != 0 ||
		    !access_valid(&o->grant, when))
			continue;
		if ((ret = access_trust_counts(a, o, &counts, err)) != 0)
			return ret;
		if (!counts)
			continue;
		*out = o->grant.subject.sign;
		return 0;
	}
	name = access_signer_name(a, id);
	return err_set(err, ERR_AUTH,
	    "'%s' was not granted to write this dataset at that time",
	    name != NULL ? name : "an unknown key");
}

int
access_admin_signer(const struct access *a, const uint8_t id[IDENTITY_ID_LEN],
    int64_t when, struct ed25519_public *out, struct err *err)
{
	const struct identity_public *admin = access_trust_admin(a, id, when);
	const char *name;

	if (admin == NULL) {
		name = access_signer_name(a, id);
		return err_set(err, ERR_AUTH, "'%s' was no admin at that time",
		    name != NULL ? name : "an unknown key");
	}
	*out = admin->sign;
	return 0;
}

/* An id is a hash of the name among others: any object that has it will do. */
const char *
access_signer_name(const struct access *a, const uint8_t id[IDENTITY_ID_LEN])
{
	if (same_id(a->root.admin.id, id))
		return a->root.admin.name;
	for (size_t i = 0; i < a->nkeys; i++) {
		const struct key_object *o = a->keys[i];

		if (o->kind == KEY_GRANT && same_id(o->grant.subject.id, id))
			return o->grant.subject.name;
		if (o->kind == KEY_PERSON && same_id(o->person.id, id))
			return o->person.name;
		if (o->kind == KEY_STATEMENT &&
		    same_id(o->statement.site.pub.id, id))
			return o->statement.site.pub.name;
	}
	return NULL;
}
