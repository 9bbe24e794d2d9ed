#include "snapshot/access/access_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/*
 * Finding a person among the store's, and unlocking. Anybody who can write to
 * the store can put a person there, also one of a name that is taken: so a name
 * that two persons have is never guessed at, and the id tells them apart.
 */

#define ID_PREFIX_MIN 4

void
access_id_text(const uint8_t id[IDENTITY_ID_LEN], char out[ID_TEXT])
{
	for (size_t i = 0; i < IDENTITY_ID_LEN; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", id[i]);
}

static bool
any_person(const struct identity_public *pub, const char *want)
{
	(void)pub;
	(void)want;
	return true;
}

static bool
has_name(const struct identity_public *pub, const char *want)
{
	return strcmp(pub->name, want) == 0;
}

static bool
has_id(const struct identity_public *pub, const char *want)
{
	char text[ID_TEXT];
	size_t len = strlen(want);

	access_id_text(pub->id, text);
	return len >= ID_PREFIX_MIN && strncasecmp(text, want, len) == 0;
}

typedef bool match_fn(const struct identity_public *pub, const char *want);

/* Whether an object before the ${i}th is of the same person. */
static bool
seen_before(const struct access *a, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (a->keys[j]->kind == KEY_PERSON &&
		    memcmp(a->keys[j]->person.id, a->keys[i]->person.id,
			IDENTITY_ID_LEN) == 0)
			return true;
	}
	return false;
}

/* The persons that match: how many, one of them, and all as a list. */
struct matches {
	size_t n;
	const struct identity_public *pub;
	char list[512];
};

static void
matches_add(struct matches *m, const struct identity_public *pub)
{
	size_t len = strlen(m->list);
	char id[ID_TEXT];

	access_id_text(pub->id, id);
	m->n++;
	m->pub = pub;
	(void)snprintf(m->list + len, sizeof(m->list) - len, "%s'%s' (%.8s)",
	    len > 0 ? ", " : "", pub->name, id);
}

static void
find_matches(const struct access *a, match_fn *match, const char *want,
    struct matches *m)
{
	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < a->nkeys; i++) {
		const struct key_object *o = a->keys[i];

		if (o->kind == KEY_PERSON && match(&o->person, want) &&
		    !seen_before(a, i))
			matches_add(m, &o->person);
	}
}

static int
nobody(const struct access *a, const char *want, struct err *err)
{
	if (want == NULL)
		err_set(err, ERR_NOT_FOUND, "store '%s' has no persons",
		    store_address(a->store));
	else
		err_set(err, ERR_NOT_FOUND, "store '%s' has no person '%s'",
		    store_address(a->store), want);
	return access_keys_hint(a, ERR_NOT_FOUND, err);
}

static int
pick(const struct access *a, const char *want,
    const struct identity_public **out, struct err *err)
{
	struct matches m;

	find_matches(a, want == NULL ? any_person : has_name, want, &m);
	if (m.n == 0 && want != NULL)
		find_matches(a, has_id, want, &m);
	if (m.n == 0)
		return nobody(a, want, err);
	if (m.n > 1)
		return err_set(err, ERR_USAGE,
		    "name the person (or the first digits of the id) who opens "
		    "the store: %s",
		    m.list);
	*out = m.pub;
	return 0;
}

/* A person may have several objects: one for each passphrase. */
static int
unlock(const struct access *a, const struct identity_public *pub,
    const char *pass, struct identity **out, struct err *err)
{
	int ret = ERR_NOT_FOUND;

	for (size_t i = 0; i < a->nkeys && ret != 0; i++) {
		const struct key_object *o = a->keys[i];

		if (o->kind != KEY_PERSON ||
		    memcmp(o->person.id, pub->id, IDENTITY_ID_LEN) != 0)
			continue;
		ret = identity_decode(o->buf, o->len, pass, out, err);
	}
	return ret == 0 ? 0 : err_wrap(err, "cannot unlock '%s'", pub->name);
}

int
access_person_unlock(struct access *a, const struct credential *cred,
    struct identity **out, struct err *err)
{
	const struct identity_public *pub;
	char *pass = NULL;
	int ret;

	if ((ret = pick(a, cred->person, &pub, err)) != 0)
		return ret;
	ret = cred->passphrase(cred->arg, pub->name, &pass, err);
	if (ret == 0)
		ret = unlock(a, pub, pass, out, err);
	secret_free(pass);
	return ret;
}
