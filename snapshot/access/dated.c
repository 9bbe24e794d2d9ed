/*
 * Statements, policies, default rules, settlements: whoever is an admin makes
 * another one, and of those that count the newest does, by the moment that its
 * maker wrote in it. Two things follow.
 *
 * Readers don't compare that moment with their clock. One whose clock is behind
 * would pass the newest policy over, and go by an older one, or by none, which
 * allows every country: no wrong clock may do that.
 *
 * So one that is dated far ahead stands in front of all that come after it, until
 * somebody takes it out of the store. It is not let in where it is offered from
 * another site; and whoever makes one is told when it would not count.
 */
#include "snapshot/access/access_internal.h"

#include <string.h>
#include <time.h>

/* By how much clocks that are not wrong may differ. */
#define AHEAD_MAX ((int64_t)24 * 3600)

#define WHEN_TEXT 32

static const char *
when_text(int64_t when, char out[WHEN_TEXT])
{
	time_t t = (time_t)when;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, WHEN_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)strcpy(out, "?");
	return out;
}

static void
name_text(const struct key_object *o, char out[OBJECT_REF_TEXT])
{
	struct object_ref ref = {.cls = OBJECT_KEY};

	memcpy(ref.name, o->name, OBJECT_NAME_LEN);
	object_ref_text(&ref, out);
}

static bool
is_ahead(const struct access *a, const struct key_object *o)
{
	int64_t from = access_trust_from(o), now = access_now(a);

	return from > now && from - now > AHEAD_MAX;
}

static int
newest(const struct access *a, const struct dated *d,
    const struct key_object **out, struct err *err)
{
	return access_trust_newest(a, d->kind, d->fits, d->arg, out, err);
}

int
dated_begin(const struct access *a, const struct dated *d, int64_t *from,
    struct err *err)
{
	const struct key_object *old;
	char name[OBJECT_REF_TEXT], when[WHEN_TEXT];
	int ret = newest(a, d, &old, err);

	*from = access_now(a);
	if (ret != 0 || old == NULL)
		return ret;
	if (is_ahead(a, old)) {
		name_text(old, name);
		return err_set(err, ERR_DENIED,
		    "%s that counts now, '%s', is dated %s, more than a day"
		    " ahead of this machine's clock, and would stand in front"
		    " of a new one: set the clock, if it is wrong; else take"
		    " that file out of the store '%s'",
		    d->what, name, when_text(access_trust_from(old), when),
		    store_address(a->store));
	}
	if (access_trust_from(old) >= *from)
		*from = access_trust_from(old) + 1;
	return 0;
}

int
dated_store(struct access *a, const struct dated *d, const struct wr *w,
    struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_KEY};
	const struct key_object *now;
	char name[OBJECT_REF_TEXT], when[WHEN_TEXT];
	bool changed;
	int ret = store_put(a->store, &ref, w->buf, w->len, err);

	if (ret == 0)
		ret = access_refresh(a, &changed, err);
	if (ret == 0)
		ret = newest(a, d, &now, err);
	if (ret != 0)
		return ret;
	if (now != NULL && memcmp(now->name, ref.name, OBJECT_NAME_LEN) == 0)
		return 0;
	if (now == NULL)
		return err_set(err, ERR_AUTH,
		    "%s was written, but does not count: this key was no admin"
		    " at that time",
		    d->what);
	name_text(now, name);
	return err_set(err, ERR_LOCKED,
	    "%s was written, but another one counts, '%s', which is dated %s:"
	    " look at what it says, and do it again if need be",
	    d->what, name, when_text(access_trust_from(now), when));
}

int
dated_check(const struct access *a, const struct key_object *o, struct err *err)
{
	char when[WHEN_TEXT];

	if (!is_ahead(a, o))
		return 0;
	return err_set(err, ERR_DENIED,
	    "dated %s, more than a day ahead of this site's clock",
	    when_text(access_trust_from(o), when));
}
