#include "snapshot/access/access_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Opening a store, in the order in which trust is built; and making one. */

static int64_t
system_time(void *arg)
{
	(void)arg;
	return (int64_t)time(NULL);
}

static const struct access_clock system_clock = {.now = system_time};

/* Takes *${store} over when it succeeds. */
static int
access_new(struct store **store, const struct access_clock *clock,
    struct access **out, struct err *err)
{
	struct access *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return err_nomem(err);
	a->store = STEAL(*store);
	a->clock = *clock;
	*out = a;
	return 0;
}

static int
load_root(struct access *a, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_ROOT};
	uint8_t *buf = NULL;
	size_t len;
	int ret;

	ret = store_get(a->store, &ref, ROOT_OBJECT_MAX, &buf, &len, err);
	if (ret != 0)
		return ret;
	ret = root_decode(buf, len, &a->root, err);
	free(buf);
	/* No key of the opener's is in question: the root itself is damaged. */
	if (ret == ERR_AUTH && err != NULL)
		err->code = ERR_CORRUPT;
	if (ret != 0)
		return err_wrap(
		    err, "cannot open store '%s'", store_address(a->store));
	return 0;
}

/* All that can be known without a key. Takes ${store} over. */
static int
load(struct store *store, const struct access_clock *clock, struct access **out,
    struct err *err)
{
	AUTO(store) struct store *own = store;
	AUTO(access) struct access *a = NULL;
	bool changed;
	int ret;

	if ((ret = access_new(&own, clock, &a, err)) != 0 ||
	    (ret = load_root(a, err)) != 0 ||
	    (ret = access_keys_load(a, &changed, err)) != 0 ||
	    (ret = access_trust_admins(a, err)) != 0)
		return ret;
	*out = STEAL(a);
	return 0;
}

/* --- who opens it ------------------------------------------------------- */

static int
unlock_recovery(
    struct access *a, const struct recovery *recovery, struct err *err)
{
	bool any = false;
	int ret;

	for (size_t i = 0; i < a->nkeys && a->master == NULL; i++) {
		const struct key_object *o = a->keys[i];
		struct err why;

		if (o->kind != KEY_RECOVERY)
			continue;
		any = true;
		ret = recovery_open(
		    recovery, &a->root, o->buf, o->len, &a->master, &why);
		if (ret == ERR_NOMEM || ret == ERR_BUG)
			return err_copy(err, &why);
	}
	if (!any)
		return err_set(err, ERR_CORRUPT,
		    "the recovery object of store '%s' is missing or damaged",
		    store_address(a->store));
	if (a->master == NULL)
		return err_set(err, ERR_AUTH,
		    "this recovery key does not open store '%s'",
		    store_address(a->store));
	a->recovered = true;
	return 0;
}

static int
unlock(struct access *a, const struct credential *cred, struct err *err)
{
	if (cred->keyfile != NULL && cred->recovery != NULL)
		return err_set(err, ERR_USAGE,
		    "a key file and a recovery key can't both open a store");
	if (cred->recovery != NULL)
		return unlock_recovery(a, cred->recovery, err);
	if (cred->keyfile != NULL)
		return access_keyfile_read(cred->keyfile, &a->identity, err);
	if (cred->passphrase != NULL)
		return access_person_unlock(a, cred, &a->identity, err);
	return err_set(err, ERR_USAGE,
	    "a passphrase, a key file or the recovery key is needed to open "
	    "store '%s'",
	    store_address(a->store));
}

/* What grants say of this identity, from nothing to a role that is in force. */
enum standing { STANDING_NONE, STANDING_PAST, STANDING_NOW };

static int
find_standing(const struct access *a, const struct identity_public *me,
    enum standing *out, struct err *err)
{
	int64_t now = access_now(a);

	*out = access_trust_admin(a, me->id, now) != NULL ? STANDING_NOW
							  : STANDING_NONE;
	for (size_t i = 0; i < a->nkeys && *out != STANDING_NOW; i++) {
		struct key_object *o = a->keys[i];
		bool counts;
		int ret;

		if (o->kind != KEY_GRANT ||
		    memcmp(o->grant.subject.id, me->id, IDENTITY_ID_LEN) != 0)
			continue;
		if ((ret = access_trust_counts(a, o, &counts, err)) != 0)
			return ret;
		if (counts)
			*out = access_valid(&o->grant, now) ? STANDING_NOW
							    : STANDING_PAST;
	}
	return 0;
}

static int
check_standing(const struct access *a, struct err *err)
{
	const struct identity_public *me;
	enum standing standing;
	int ret;

	if (a->identity == NULL)
		return 0;
	me = &a->identity->pub;
	if ((ret = find_standing(a, me, &standing, err)) != 0)
		return ret;
	if (standing == STANDING_NOW)
		return 0;
	err_set(err, ERR_DENIED,
	    standing == STANDING_NONE
		? "'%s' was never granted anything in store '%s'"
		: "no grant of '%s' in store '%s' is valid at this time",
	    me->name, store_address(a->store));
	return access_keys_hint(a, ERR_DENIED, err);
}

/* Takes ${store} over. */
static int
open_store(struct store *store, const struct credential *cred,
    const char *const *names, size_t n, const struct access_clock *clock,
    struct access **out, struct err *err)
{
	AUTO(access) struct access *a = NULL;
	bool changed;
	int ret;

	*out = NULL;
	if ((ret = load(store, clock, &a, err)) != 0 ||
	    (ret = access_wanted_set(a, names, n, err)) != 0 ||
	    (ret = unlock(a, cred, err)) != 0 ||
	    (ret = check_standing(a, err)) != 0 ||
	    (ret = access_dataset_update(a, &changed, err)) != 0)
		return ret;
	*out = STEAL(a);
	return 0;
}

int
access_open_store(struct store *store, const struct credential *cred,
    const struct access_clock *clock, struct access **out, struct err *err)
{
	return open_store(store, cred, NULL, 0, clock, out, err);
}

int
access_open_datasets_clock(const char *address, const struct credential *cred,
    const char *const *names, size_t n, const struct access_clock *clock,
    struct access **out, struct err *err)
{
	struct store *store;
	int ret;

	*out = NULL;
	if ((ret = store_open(address, &store, err)) != 0)
		return ret;
	return open_store(store, cred, names, n, clock, out, err);
}

int
access_open_clock(const char *address, const struct credential *cred,
    const struct access_clock *clock, struct access **out, struct err *err)
{
	return access_open_datasets_clock(
	    address, cred, NULL, 0, clock, out, err);
}

int
access_open_datasets(const char *address, const struct credential *cred,
    const char *const *names, size_t n, struct access **out, struct err *err)
{
	return access_open_datasets_clock(
	    address, cred, names, n, &system_clock, out, err);
}

int
access_open(const char *address, const struct credential *cred,
    struct access **out, struct err *err)
{
	return access_open_clock(address, cred, &system_clock, out, err);
}

int
access_open_keyless(const char *address, struct access **out, struct err *err)
{
	struct store *store;
	int ret;

	*out = NULL;
	if ((ret = store_open(address, &store, err)) != 0)
		return ret;
	return load(store, &system_clock, out, err);
}

/* --- making a store ----------------------------------------------------- */

/* A new store's objects, all made before the first is stored. */
struct birth {
	struct identity *admin;
	struct master *master;
	struct recovery *recovery;
	struct root root;
	struct wr bytes, person, sealed, grant;
};

static void
birth_clear(struct birth *b)
{
	identity_free(b->admin);
	master_free(b->master);
	recovery_free(b->recovery);
	wr_clear(&b->bytes);
	wr_clear(&b->person);
	wr_clear(&b->sealed);
	wr_clear(&b->grant);
}
#define BIRTH_AUTO __attribute__((cleanup(birth_clear)))

static int
birth_grant(struct birth *b, int64_t now, struct err *err)
{
	struct grant g = {
	    .role = ROLE_ADMIN,
	    .subject = b->admin->pub,
	    .from = now,
	    .until = INT64_MAX,
	};

	memcpy(g.store, b->root.store, STORE_ID_LEN);
	return grant_make(&g, b->master->seed.b, sizeof(b->master->seed.b),
	    b->admin, NULL, &b->grant, err);
}

static int
birth_prepare(struct birth *b, const char *name, const char *pass, int64_t now,
    struct err *err)
{
	int ret;

	if ((ret = identity_new(IDENTITY_PERSON, name, &b->admin, err)) != 0 ||
	    (ret = identity_encode(b->admin, pass, &b->person, err)) != 0 ||
	    (ret = master_new(&b->master, err)) != 0 ||
	    (ret = root_create(
		 b->admin, b->master, now, &b->bytes, &b->root, err)) != 0 ||
	    (ret = recovery_new(&b->recovery, err)) != 0 ||
	    (ret = recovery_seal(
		 b->recovery, &b->root, b->master, &b->sealed, err)) != 0)
		return ret;
	return birth_grant(b, now, err);
}

static int
birth_store(const struct birth *b, struct store *store, struct err *err)
{
	const struct wr *objects[] = {&b->person, &b->sealed, &b->grant};
	int ret = 0;

	for (size_t i = 0; i < ARRAY_LEN(objects) && ret == 0; i++) {
		struct object_ref ref = {.cls = OBJECT_KEY};

		ret = store_put(
		    store, &ref, objects[i]->buf, objects[i]->len, err);
	}
	if (ret != 0)
		return err_wrap(err,
		    "store '%s' is not complete: remove it and begin again",
		    store_address(store));
	return 0;
}

int
access_init_clock(const char *address, const char *name, const char *pass,
    const struct access_clock *clock, struct access **out,
    struct recovery **recovery, struct err *err)
{
	BIRTH_AUTO struct birth b = {0};
	AUTO(store) struct store *store = NULL;
	AUTO(access) struct access *a = NULL;
	bool changed;
	int ret;

	*out = NULL;
	*recovery = NULL;
	ret = birth_prepare(&b, name, pass, clock->now(clock->arg), err);
	if (ret != 0)
		return ret;
	ret = store_create(address, b.bytes.buf, b.bytes.len, &store, err);
	if (ret != 0 || (ret = birth_store(&b, store, err)) != 0 ||
	    (ret = access_new(&store, clock, &a, err)) != 0)
		return ret;
	a->root = b.root;
	a->identity = STEAL(b.admin);
	if ((ret = access_refresh(a, &changed, err)) != 0)
		return ret;
	*recovery = STEAL(b.recovery);
	*out = STEAL(a);
	return 0;
}

int
access_init(const char *address, const char *name, const char *pass,
    struct access **out, struct recovery **recovery, struct err *err)
{
	return access_init_clock(
	    address, name, pass, &system_clock, out, recovery, err);
}
