#include "snapshot/access/site.h"
#include "snapshot/access/access_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- the newest --------------------------------------------------------- */

/* Only what the machine can't do is an error; ${why} keeps what is wrong. */
static int
trust(const struct access *a, struct key_object *o, bool *counts,
    struct err *why, struct err *err)
{
	struct err now = {0};
	int ret = access_trust_location(a, o, &now);

	*counts = ret == 0;
	if (ret == ERR_NOMEM || ret == ERR_BUG)
		return err_copy(err, &now);
	if (ret != 0)
		*why = now;
	return 0;
}

int
site_find(const struct access *a, const char *name, struct statement *out,
    struct err *err)
{
	const struct key_object *best = NULL;
	struct err why = {0};

	for (size_t i = 0; i < a->nkeys; i++) {
		struct key_object *o = a->keys[i];
		bool counts;
		int ret;

		if (o->kind != KEY_STATEMENT ||
		    strcmp(o->statement.site.pub.name, name) != 0)
			continue;
		if ((ret = trust(a, o, &counts, &why, err)) != 0)
			return ret;
		if (counts && (best == NULL || access_trust_newer(o, best)))
			best = o;
	}
	if (best != NULL) {
		*out = best->statement;
		return 0;
	}
	if (why.code != 0)
		return err_copy(err, &why);
	err_set(err, ERR_NOT_FOUND,
	    "store '%s' has no statement of a site '%s': an admin adds one with"
	    " 'varve site add'",
	    store_address(a->store), name);
	return access_keys_hint(a, ERR_NOT_FOUND, err);
}

/* What a site may be looked for by, other than its name. */
typedef bool match_fn(const struct identity_public *pub, const void *arg);

static int
find_by(const struct access *a, match_fn *match, const void *arg,
    struct statement *out, struct err *err)
{
	for (size_t i = 0; i < a->nkeys; i++) {
		const struct key_object *o = a->keys[i];
		struct err why;
		int ret;

		if (o->kind != KEY_STATEMENT ||
		    !match(&o->statement.site.pub, arg))
			continue;
		ret = site_find(a, o->statement.site.pub.name, out, &why);
		if (ret == 0 && match(&out->site.pub, arg))
			return 0;
		if (ret != 0 && ret != ERR_NOT_FOUND && ret != ERR_AUTH)
			return err_copy(err, &why);
	}
	err_set(err, ERR_NOT_FOUND,
	    "no statement of store '%s' names a site with this key",
	    store_address(a->store));
	return access_keys_hint(a, ERR_NOT_FOUND, err);
}

static bool
has_key(const struct identity_public *pub, const void *arg)
{
	const struct ed25519_public *key = arg;

	return memcmp(pub->sign.b, key->b, sizeof(key->b)) == 0;
}

int
site_find_key(const struct access *a, const struct ed25519_public *key,
    struct statement *out, struct err *err)
{
	return find_by(a, has_key, key, out, err);
}

static bool
has_id(const struct identity_public *pub, const void *arg)
{
	return memcmp(pub->id, arg, IDENTITY_ID_LEN) == 0;
}

int
site_find_id(const struct access *a, const uint8_t id[IDENTITY_ID_LEN],
    struct statement *out, struct err *err)
{
	return find_by(a, has_id, id, out, err);
}

int
site_policy(const struct access *a, struct policy *out, struct err *err)
{
	const struct key_object *newest;
	int ret = access_trust_newest(a, KEY_POLICY, NULL, NULL, &newest, err);

	if (ret == 0 && newest == NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "store '%s' has no location policy",
		    store_address(a->store));
	if (ret == 0)
		*out = newest->policy;
	return ret;
}

/* --- whether it may be used --------------------------------------------- */

static void
day_text(int64_t when, char out[sizeof("9999-12-31")])
{
	time_t t = (time_t)when;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, 11, "%F", &tm) == 0)
		(void)strcpy(out, "?");
}

/* "GB, IE", as far as there is room. */
static void
countries_text(const struct policy *p, char *out, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i < p->n && at + 8 < size; i++) {
		int n = snprintf(out + at, size - at, "%s%s", i > 0 ? ", " : "",
		    p->countries[i]);

		at += (size_t)n;
	}
}

static int
check_country(
    const struct access *a, const struct statement *st, struct err *err)
{
	struct policy p;
	struct err none;
	char text[256];
	int ret = site_policy(a, &p, &none);

	if (ret == ERR_NOT_FOUND)
		return 0;
	if (ret != 0)
		return err_copy(err, &none);
	if (policy_names(&p, st->site.country))
		return 0;
	countries_text(&p, text, sizeof(text));
	return err_set(err, ERR_DENIED,
	    "site '%s' stands in %s, which is not one of the countries that"
	    " the policy allows (%s)",
	    st->site.pub.name, st->site.country, text);
}

int
site_allowed(const struct access *a, const struct statement *st, int64_t now,
    struct err *err)
{
	char day[sizeof("9999-12-31")];

	if (statement_ended(st)) {
		day_text(st->from, day);
		return err_set(err, ERR_DENIED,
		    "site '%s' was taken away on %s ('varve site remove')",
		    st->site.pub.name, day);
	}
	if (now >= st->site.until) {
		/* The last day on which it was good. */
		day_text(st->site.until - 1, day);
		return err_set(err, ERR_DENIED,
		    "the statement of site '%s' expired on %s: the site makes a"
		    " new request, and an admin adds it with 'varve site add'",
		    st->site.pub.name, day);
	}
	return check_country(a, st, err);
}

int
site_check_key(const struct statement *st, const struct ed25519_public *key,
    struct err *err)
{
	if (memcmp(st->site.pub.sign.b, key->b, sizeof(key->b)) == 0)
		return 0;
	return err_set(err, ERR_AUTH,
	    "who answers at '%s' is not site '%s': its key is not the one in"
	    " the statement",
	    st->address, st->site.pub.name);
}

/* --- all ---------------------------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
	const struct key_object *const *x = a;
	const struct key_object *const *y = b;

	return strcmp(
	    (*x)->statement.site.pub.name, (*y)->statement.site.pub.name);
}

static size_t
gather(const struct access *a, struct key_object **v)
{
	size_t n = 0;

	for (size_t i = 0; i < a->nkeys; i++)
		if (a->keys[i]->kind == KEY_STATEMENT)
			v[n++] = a->keys[i];
	if (n > 0)
		qsort(v, n, sizeof(*v), compare_names);
	return n;
}

int
site_each(
    const struct access *a, site_visit_fn *visit, void *arg, struct err *err)
{
	struct key_object **v =
	    calloc(a->nkeys + 1, sizeof(struct key_object *));
	struct statement st;
	struct err why;
	size_t n;
	int ret = 0;

	if (v == NULL)
		return err_nomem(err);
	n = gather(a, v);
	for (size_t i = 0; i < n && ret == 0; i++) {
		if (i > 0 && compare_names(&v[i - 1], &v[i]) == 0)
			continue;
		ret = site_find(a, v[i]->statement.site.pub.name, &st, &why);
		if (ret == 0)
			ret = visit(arg, &st, err);
		else
			ret = ret == ERR_AUTH ? 0 : err_copy(err, &why);
	}
	free(v);
	return ret;
}
