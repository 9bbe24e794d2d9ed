#include "snapshot/access/access_internal.h"
#include "snapshot/access/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * New statements and policies. The newest counts, so each is dated after those
 * that it is to replace, even where the clocks of two admins differ (dated.c).
 */

#define WHAT_TEXT (IDENTITY_NAME_MAX + 32)

static int
start(struct access *a, const char *what, struct err *err)
{
	bool changed;
	int ret = access_refresh(a, &changed, err);

	return ret != 0 ? ret : access_check_admin(a, what, err);
}

static bool
is_named(const struct key_object *o, const void *name)
{
	return strcmp(o->statement.site.pub.name, name) == 0;
}

/* The statements of one site; ${what} is room for their name in messages. */
static struct dated
statements_of(const char *name, char what[WHAT_TEXT])
{
	(void)snprintf(what, WHAT_TEXT, "the statement of site '%s'", name);
	return (struct dated){
	    .kind = KEY_STATEMENT, .fits = is_named, .arg = name, .what = what};
}

/* When a new statement of this name begins. */
static int
statement_begin(
    const struct access *a, const char *name, int64_t *from, struct err *err)
{
	char what[WHAT_TEXT];
	struct dated d = statements_of(name, what);

	return dated_begin(a, &d, from, err);
}

static int
store_statement(struct access *a, struct statement *st, struct err *err)
{
	char what[WHAT_TEXT];
	struct dated d = statements_of(st->site.pub.name, what);
	WR_AUTO struct wr w = {0};
	int ret;

	memcpy(st->store, a->root.store, STORE_ID_LEN);
	ret = statement_make(st, a->identity, a->master, &w, err);
	return ret != 0 ? ret : dated_store(a, &d, &w, err);
}

static int
check_request(const struct access *a, const char *name,
    const struct site_request *r, struct err *err)
{
	char text[FINGERPRINT_TEXT];

	if (memcmp(r->fingerprint, a->root.fingerprint, FINGERPRINT_LEN) != 0) {
		root_fingerprint_text(r->fingerprint, text);
		return err_set(err, ERR_AUTH,
		    "the request is for another store, whose fingerprint is %s",
		    text);
	}
	if (strcmp(name, r->site.pub.name) != 0)
		return err_set(err, ERR_USAGE,
		    "the site that made the request calls itself '%s', not "
		    "'%s'",
		    r->site.pub.name, name);
	return 0;
}

int
site_add(struct access *a, const char *name, const char *address,
    const struct site_request *request, struct statement *out, struct err *err)
{
	struct statement st = {.site = request->site};
	int ret;

	*out = (struct statement){0};
	if (strlen(address) > SITE_ADDRESS_MAX)
		return err_set(err, ERR_USAGE,
		    "a site's address has at most %d bytes", SITE_ADDRESS_MAX);
	(void)strcpy(st.address, address);
	if ((ret = start(a, "add a site", err)) != 0 ||
	    (ret = check_request(a, name, request, err)) != 0 ||
	    (ret = statement_begin(a, name, &st.from, err)) != 0)
		return ret;
	if (st.site.until <= access_now(a))
		return err_set(err, ERR_USAGE,
		    "the request of site '%s' has expired: the site makes a new"
		    " one",
		    name);
	if ((ret = site_allowed(a, &st, access_now(a), err)) != 0 ||
	    (ret = store_statement(a, &st, err)) != 0)
		return ret;
	*out = st;
	return 0;
}

int
site_remove(struct access *a, const char *name, struct err *err)
{
	struct statement st;
	int ret;

	if ((ret = start(a, "take a site away", err)) != 0 ||
	    (ret = site_find(a, name, &st, err)) != 0)
		return ret;
	if (statement_ended(&st))
		return err_set(err, ERR_NOT_FOUND,
		    "site '%s' was taken away already", name);
	if ((ret = statement_begin(a, name, &st.from, err)) != 0)
		return ret;
	st.site.until = st.from;
	st.address[0] = '\0';
	return store_statement(a, &st, err);
}

static int
compare_countries(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
fill_policy(
    const char *const *countries, size_t n, struct policy *p, struct err *err)
{
	if (n < 1 || n > POLICY_COUNTRIES_MAX)
		return err_set(err, ERR_USAGE,
		    "a policy names 1 to %d countries", POLICY_COUNTRIES_MAX);
	for (size_t i = 0; i < n; i++) {
		if (strlen(countries[i]) != COUNTRY_LEN)
			return err_set(err, ERR_USAGE,
			    "'%s' is no country: two capital letters of"
			    " ISO 3166-1",
			    countries[i]);
		(void)strcpy(p->countries[i], countries[i]);
	}
	qsort(p->countries, n, sizeof(p->countries[0]), compare_countries);
	for (size_t i = 0; i < n; i++)
		if (i == 0 ||
		    strcmp(p->countries[p->n - 1], p->countries[i]) != 0)
			memmove(p->countries[p->n++], p->countries[i],
			    sizeof(p->countries[0]));
	return 0;
}

int
site_allow(
    struct access *a, const char *const *countries, size_t n, struct err *err)
{
	static const struct dated d = {
	    .kind = KEY_POLICY, .what = "the location policy"};
	struct policy p = {0};
	WR_AUTO struct wr w = {0};
	int ret;

	if ((ret = start(a, "set the countries", err)) != 0 ||
	    (ret = fill_policy(countries, n, &p, err)) != 0 ||
	    (ret = dated_begin(a, &d, &p.from, err)) != 0)
		return ret;
	memcpy(p.store, a->root.store, STORE_ID_LEN);
	ret = policy_make(&p, a->identity, a->master, &w, err);
	return ret != 0 ? ret : dated_store(a, &d, &w, err);
}
