#include "snapshot/access/access_internal.h"

#include "crypto/bytes.h"

#include <stdio.h>
#include <stdlib.h>
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
		    "who opens the store? say --person NAME, or with grant "
		    "--as NAME; the name, or the first digits of the id: %s",
		    m.list);
	*out = m.pub;
	return 0;
}

/* --- unlocking ---------------------------------------------------------- */

/*
 * A person may have several objects: one for each passphrase. The person has
 * signed them all, or they would be none. Still, another program may have made
 * them dear: so the cheapest come first; what is much dearer than what Varve
 * makes is tried only when there is nothing else, and all that is tried has an
 * end.
 */
#define COST_USUAL ((uint64_t)1 << IDENTITY_LOGN)
#define COST_MAX (4 * COST_USUAL) /* of one */
#define COST_TOTAL (4 * COST_MAX) /* of all: some 3 s */

struct candidate {
	const struct key_object *o;
	uint64_t cost;
};

/* KEYS.md section 5: scrypt's N and p follow the public half; r is fixed. */
static uint64_t
cost_of(const struct key_object *o)
{
	struct rd r = rd_init(o->buf, o->len);
	struct identity_public pub;
	uint8_t logn, p;

	(void)rd_bytes(&r, 8);
	if (identity_public_decode(&r, &pub, NULL) != 0)
		return UINT64_MAX;
	logn = rd_u8(&r);
	(void)rd_u8(&r);
	p = rd_u8(&r);
	/* Beyond these it is refused, which costs nothing; as the dearest. */
	if (r.failed || logn > 20 || p > 4)
		return UINT64_MAX;
	return (uint64_t)p << logn;
}

static int
compare_costs(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return (x->cost > y->cost) - (x->cost < y->cost);
}

/* Cheapest first; there is room for all. */
static size_t
find_candidates(const struct access *a, const struct identity_public *pub,
    struct candidate *v)
{
	size_t n = 0;

	for (size_t i = 0; i < a->nkeys; i++) {
		const struct key_object *o = a->keys[i];

		if (o->kind == KEY_PERSON &&
		    memcmp(o->person.id, pub->id, IDENTITY_ID_LEN) == 0)
			v[n++] = (struct candidate){o, cost_of(o)};
	}
	if (n > 1)
		qsort(v, n, sizeof(*v), compare_costs);
	return n;
}

static int
try_all(const struct candidate *v, size_t n, const char *pass,
    struct identity **out, struct err *err)
{
	struct err why = {0};
	uint64_t total = 0;
	size_t i;
	int ret = ERR_NOT_FOUND;

	for (i = 0; i < n && ret != 0; i++) {
		if (i > 0 &&
		    (v[i].cost > COST_MAX || total + v[i].cost > COST_TOTAL))
			break;
		total += v[i].cost;
		ret =
		    identity_decode(v[i].o->buf, v[i].o->len, pass, out, &why);
	}
	if (ret == 0)
		return 0;
	if (i < n)
		(void)err_wrap(
		    &why, "%zu of %zu copies are too dear to try", n - i, n);
	(void)err_copy(err, &why);
	return ret;
}

static int
unlock(const struct access *a, const struct identity_public *pub,
    const char *pass, struct identity **out, struct err *err)
{
	struct candidate *v = calloc(a->nkeys, sizeof(*v));
	int ret;

	if (v == NULL)
		return err_nomem(err);
	ret = try_all(v, find_candidates(a, pub, v), pass, out, err);
	free(v);
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
