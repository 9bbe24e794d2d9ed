#include "crypto/thread.h"
#include "snapshot/access/access_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Which datasets to open, where only some are asked for by name. Names are
 * sealed, so each key set and grant is unsealed to see what its keys call their
 * dataset. That is a claim, of whoever made the object; but all it can do is to
 * have a dataset opened, with every check, that need not have been: what is
 * not opened counts for nothing.
 *
 * With a dataset go those that its name depends on (see access_names.c): those
 * of the same name, and those that would be folders of it.
 */

/* In a shown name, what tells datasets apart: '~' and so many digits. */
#define DIGITS 8

static bool
is_tag(const char *s)
{
	if (*s != '~')
		return false;
	for (int i = 1; i <= DIGITS; i++) {
		if (!isdigit((unsigned char)s[i]) && (s[i] < 'a' || s[i] > 'f'))
			return false;
	}
	return s[1 + DIGITS] == '/' || s[1 + DIGITS] == '\0';
}

/* Whether a dataset called ${real} can show, or bears on what shows, as that. */
static bool
bears_on(const char *real, const char *shown)
{
	const char *rest = shown;

	if (access_names_is_or_holds(real, shown))
		return true;
	while ((rest = strchr(rest, '~')) != NULL) {
		char without[DATASET_NAME_MAX + 1];
		int len = -1;

		if (is_tag(rest))
			len = snprintf(without, sizeof(without), "%.*s%s",
			    (int)(rest - shown), shown, rest + 1 + DIGITS);
		if (len >= 0 && len < (int)sizeof(without) &&
		    access_names_is_or_holds(real, without))
			return true;
		rest++;
	}
	return false;
}

static bool
is_asked_for(const struct access *a, const char *real)
{
	for (size_t i = 0; i < a->nwanted; i++) {
		if (bears_on(real, a->wanted[i]))
			return true;
	}
	return false;
}

int
access_wanted_set(
    struct access *a, const char *const *names, size_t n, struct err *err)
{
	a->wanted = calloc(n + 1, sizeof(*a->wanted));
	if (a->wanted == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		a->wanted[i] = strdup(names[i]);
		if (a->wanted[i] == NULL)
			return err_nomem(err);
		a->nwanted++;
	}
	return 0;
}

void
access_wanted_all(struct access *a)
{
	for (size_t i = 0; i < a->nwanted; i++)
		free(a->wanted[i]);
	free(STEAL(a->wanted));
	a->nwanted = 0;
}

static const uint8_t *
dataset_of(const struct key_object *o)
{
	return o->kind == KEY_SET ? o->set.dataset : o->grant.dataset;
}

/* What can't be unsealed names no dataset. */
static int
look_at_claim(const struct access *a, struct key_object *o, struct err *err)
{
	char name[DATASET_NAME_MAX + 1];
	struct err why;
	int ret;

	if (o->kind == KEY_SET)
		ret = keyset_claim(o->buf, o->len, a->master, name, &why);
	else
		ret = grant_claim(o->buf, o->len, a->identity, name, &why);
	if (ret == ERR_NOMEM || ret == ERR_BUG)
		return err_copy(err, &why);
	o->claim =
	    ret == 0 && is_asked_for(a, name) ? CLAIM_WANTED : CLAIM_OTHER;
	return 0;
}

/* One object is enough for the whole dataset. */
static void
want_dataset(struct access *a, const struct key_object *of, int64_t now)
{
	for (size_t i = 0; i < a->nkeys; i++) {
		struct key_object *o = a->keys[i];

		if (access_opens(a, o, now) &&
		    memcmp(dataset_of(o), dataset_of(of), DATASET_ID_LEN) == 0)
			o->claim = CLAIM_WANTED;
	}
}

struct looking {
	struct access *a;
	int64_t now;
};

static bool
is_to_look_at(const struct access *a, const struct key_object *o, int64_t now)
{
	return o->claim == CLAIM_UNKNOWN && access_opens(a, o, now);
}

/* What fails here is looked at again, and told then. */
static void
look_ahead(void *arg, size_t i)
{
	const struct looking *l = arg;
	struct key_object *o = l->a->keys[i];

	if (is_to_look_at(l->a, o, l->now)) {
		UNUSED int ret = look_at_claim(l->a, o, NULL);
	}
}

/* To unseal one takes 50 us or more: where there are many, threads share them. */
static void
look_at_many(struct access *a, int64_t now)
{
	struct looking looking = {.a = a, .now = now};
	size_t n = 0;

	for (size_t i = 0; i < a->nkeys; i++)
		n += is_to_look_at(a, a->keys[i], now);
	if (n >= THREAD_EACH_MIN)
		thread_each(a->nkeys, look_ahead, &looking);
}

int
access_wanted_find(struct access *a, int64_t now, struct err *err)
{
	int ret = 0;

	if (a->nwanted == 0)
		return 0;
	look_at_many(a, now);
	for (size_t i = 0; i < a->nkeys && ret == 0; i++) {
		struct key_object *o = a->keys[i];

		if (is_to_look_at(a, o, now))
			ret = look_at_claim(a, o, err);
		if (o->claim == CLAIM_WANTED)
			want_dataset(a, o, now);
	}
	return ret;
}

bool
access_wanted(const struct access *a, const struct key_object *o)
{
	return a->nwanted == 0 || o->claim == CLAIM_WANTED;
}

bool
access_wanted_missing(const struct access *a)
{
	for (size_t i = 0; i < a->nwanted; i++) {
		if (access_find(a, a->wanted[i]) == NULL)
			return true;
	}
	return false;
}
