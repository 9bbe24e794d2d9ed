#include "snapshot/access/access.h"
#include "snapshot/site/country.h"
#include "snapshot/site/sitedir.h"
#include "snapshot/site/sitedir_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Making a site, or its request anew. The request comes last: without it there
 * is no site, and what a crash leaves is made over.
 */

/* What is there before anything is made. */
struct place {
	bool store; /* a store is, whose fingerprint this is */
	uint8_t fingerprint[FINGERPRINT_LEN];
	bool site; /* a site is, which made this request */
	struct site_request request;
};

static int
look_for_store(const char *address, struct place *p, struct err *err)
{
	char path[SITEDIR_PATH];
	struct root root;
	struct err why;
	char *buf = NULL;
	size_t len;
	int rc = sitedir_file_path(address, "varve", path, err);

	if (rc != 0)
		return rc;
	rc = sitedir_file_read(path, ROOT_OBJECT_MAX, &buf, &len, &why);
	if (rc != 0)
		return rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
	rc = root_decode((const uint8_t *)buf, len, &root, err);
	free(buf);
	if (rc != 0)
		return err_wrap(err, "'%s'", path);
	p->store = true;
	memcpy(p->fingerprint, root.fingerprint, FINGERPRINT_LEN);
	return 0;
}

static int
look(const char *address, struct place *p, struct err *err)
{
	struct err why;
	int rc = look_for_store(address, p, err);

	if (rc != 0)
		return rc;
	rc = sitedir_peek(address, &p->request, &why);
	p->site = rc == 0;
	return rc == 0 || rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
}

/* --- what is asked for, with what was there ----------------------------- */

static int
merge_text(const char *option, const char *given, const char *before,
    bool renewed, char *out, size_t size, struct err *err)
{
	const char *text = given != NULL ? given : before;

	if (given == NULL && !renewed)
		return err_set(err, ERR_USAGE, "a site needs --%s", option);
	if (strlen(text) >= size)
		return err_set(err, ERR_USAGE, "--%s: at most %zu bytes",
		    option, size - 1);
	(void)strcpy(out, text);
	return 0;
}

static int
merge_name(const struct sitedir_plan *plan, const struct place *p,
    struct site *site, struct err *err)
{
	int rc = merge_text("site", plan->name, p->request.site.pub.name,
	    p->site, site->pub.name, SITE_NAME_MAX + 1, err);

	if (rc != 0)
		return rc;
	if (!site_name_ok(site->pub.name))
		return err_set(err, ERR_USAGE,
		    "'%s' can't be a site's name: letters, digits, '.', '_'"
		    " and '-', the first a letter or digit",
		    site->pub.name);
	if (p->site && strcmp(site->pub.name, p->request.site.pub.name) != 0)
		return err_set(err, ERR_USAGE,
		    "this is site '%s': its name can't be changed",
		    p->request.site.pub.name);
	return 0;
}

static int
merge_until(const struct sitedir_plan *plan, const struct place *p, int64_t now,
    struct site *site, struct err *err)
{
	site->until = plan->until != 0 ? plan->until : p->request.site.until;
	if (plan->until == 0 && !p->site)
		return err_set(err, ERR_USAGE,
		    "a site needs --until, the end of its accreditation");
	if (site->until <= now)
		return err_set(err, ERR_USAGE,
		    "the site's accreditation has ended: --until when, now?");
	return 0;
}

/* The fingerprint that the plan names, if it names one. */
static int
planned_store(const struct sitedir_plan *plan, uint8_t out[FINGERPRINT_LEN],
    bool *given, struct err *err)
{
	struct root root;
	int rc;

	*given = true;
	if (plan->root != NULL) {
		rc = root_decode(plan->root, plan->rootlen, &root, err);
		if (rc != 0)
			return err_wrap(err, "the root object of the store");
		memcpy(out, root.fingerprint, FINGERPRINT_LEN);
		return 0;
	}
	*given = plan->fingerprint != NULL;
	if (*given)
		memcpy(out, plan->fingerprint, FINGERPRINT_LEN);
	return 0;
}

static int
merge_store(const struct sitedir_plan *plan, const struct place *p,
    uint8_t out[FINGERPRINT_LEN], struct err *err)
{
	const uint8_t *before =
	    p->store ? p->fingerprint : p->request.fingerprint;
	bool given;
	int rc = planned_store(plan, out, &given, err);

	if (rc != 0)
		return rc;
	if (!p->store && !p->site) {
		if (given)
			return 0;
		return err_set(err, ERR_USAGE,
		    "for which store? --for with the file 'varve' of that"
		    " store, or its fingerprint");
	}
	if (given && memcmp(out, before, FINGERPRINT_LEN) != 0)
		return err_set(
		    err, ERR_USAGE, "another store is here than --for says");
	memcpy(out, before, FINGERPRINT_LEN);
	return 0;
}

static int
merge(const struct sitedir_plan *plan, const struct place *p, int64_t now,
    struct site_request *out, struct err *err)
{
	const struct site *before = &p->request.site;
	struct site *site = &out->site;
	int rc;

	if ((rc = merge_name(plan, p, site, err)) != 0 ||
	    (rc = merge_text("country", plan->country, before->country, p->site,
		 site->country, sizeof(site->country), err)) != 0 ||
	    (rc = country_check(site->country, err)) != 0 ||
	    (rc = merge_text("accreditation", plan->accreditation,
		 before->accreditation, p->site, site->accreditation,
		 sizeof(site->accreditation), err)) != 0 ||
	    (rc = merge_until(plan, p, now, site, err)) != 0)
		return rc;
	return merge_store(plan, p, out->fingerprint, err);
}

/* --- making it ---------------------------------------------------------- */

static int
make_key(const char *address, const struct place *p, const char *name,
    struct identity **out, struct err *err)
{
	AUTO(identity) struct identity *key = NULL;
	char path[SITEDIR_PATH];
	int rc = sitedir_file_path(address, SITEDIR_KEY, path, err);

	if (rc != 0 || p->site)
		return rc != 0 ? rc : access_keyfile_read(path, out, err);
	/* Nobody was told of it: the request comes after it. */
	if (unlink(path) != 0 && errno != ENOENT)
		return err_errno(err, "cannot remove '%s'", path);
	if ((rc = identity_new(IDENTITY_SITE, name, &key, err)) != 0 ||
	    (rc = access_write_keyfile(key, path, err)) != 0)
		return rc;
	*out = STEAL(key);
	return 0;
}

static int
set_lock(const char *address, const struct sitedir_plan *plan, bool renewed,
    int64_t *lock, struct err *err)
{
	AUTO(sitedb) struct sitedb *db = NULL;
	char path[SITEDIR_PATH];
	int64_t want = plan->lock;
	int rc = sitedir_file_path(address, SITEDIR_DB, path, err);

	if (rc != 0)
		return rc;
	/* A lock that has gone with its file is not the default one. */
	rc = renewed && want < 0 ? sitedb_open(path, &db, err)
				 : sitedb_make(path, &db, err);
	if (rc != 0)
		return rc;
	if (want < 0 && !renewed)
		want = SITEDB_LOCK_DEFAULT;
	if (want >= 0 && (rc = sitedb_lengthen(db, want, err)) != 0)
		return rc;
	return sitedb_lock(db, lock, err);
}

static int
write_request(const char *address, const struct identity *key,
    struct sitedir_made *out, struct err *err)
{
	WR_AUTO struct wr w = {0};
	char path[SITEDIR_PATH];
	int rc = sitedir_file_path(address, SITEDIR_REQUEST, path, err);

	if (rc != 0 ||
	    (rc = site_request_make(&out->request, key, &w, err)) != 0)
		return rc;
	out->request.site.pub = key->pub;
	site_request_text(w.buf, w.len, &out->text);
	if (out->text.failed)
		return err_nomem(err);
	return sitedir_file_write(path, out->text.buf, out->text.len, err);
}

static int
finish(const char *address, const struct sitedir_plan *plan, struct err *err)
{
	AUTO(store) struct store *s = NULL;

	return store_finish_replica(
	    address, plan->root, plan->rootlen, &s, err);
}

static int
is_replica(const char *address, bool *out, struct err *err)
{
	AUTO(store) struct store *s = NULL;
	char site[STORE_SITE_MAX];
	int rc = store_open(address, &s, err);

	return rc != 0 ? rc : store_replica(s, out, site, err);
}

static int
make(const char *address, const struct sitedir_plan *plan,
    const struct place *p, struct sitedir_made *out, struct err *err)
{
	AUTO(identity) struct identity *key = NULL;
	const char *name = out->request.site.pub.name;
	int rc;

	rc = p->store ? sitedir_file_mkdir(address, err)
		      : store_prepare_replica(address, name, err);
	if (rc != 0 || (rc = make_key(address, p, name, &key, err)) != 0 ||
	    (rc = set_lock(address, plan, p->site, &out->lock, err)) != 0 ||
	    (rc = write_request(address, key, out, err)) != 0)
		return rc;
	out->renewed = p->site;
	out->replica = true;
	if (p->store)
		return is_replica(address, &out->replica, err);
	return plan->root != NULL ? finish(address, plan, err) : 0;
}

int
sitedir_init(const char *address, const struct sitedir_plan *plan, int64_t now,
    struct sitedir_made *out, struct err *err)
{
	struct place p = {0};
	int rc;

	*out = (struct sitedir_made){0};
	if ((rc = look(address, &p, err)) != 0 ||
	    (rc = merge(plan, &p, now, &out->request, err)) != 0)
		return rc;
	rc = make(address, plan, &p, out, err);
	if (rc != 0)
		sitedir_made_clear(out);
	return rc;
}

void
sitedir_made_clear(struct sitedir_made *m)
{
	wr_clear(&m->text);
}
