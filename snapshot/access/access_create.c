#include "snapshot/access/access_internal.h"

#include <string.h>

/* What is added to a store's keys: datasets, grants and persons. */

int
access_check_admin(const struct access *a, const char *what, struct err *err)
{
	if (a->master == NULL)
		return err_set(err, ERR_DENIED,
		    "only an admin of store '%s' can %s",
		    store_address(a->store), what);
	return store_check_primary(a->store, err);
}

/* --- datasets ----------------------------------------------------------- */

/* A listed dataset other than ${id} whose name, or shown name, clashes. */
static const struct slot *
find_clash(
    const struct access *a, const char *name, const uint8_t id[DATASET_ID_LEN])
{
	for (size_t i = 0; i < a->nlisted; i++) {
		const struct slot *slot = a->listed[i];

		if (id != NULL && memcmp(slot->ds.id, id, DATASET_ID_LEN) == 0)
			continue;
		if (access_names_clash(slot->real, name) ||
		    access_names_clash(slot->ds.name, name))
			return slot;
	}
	return NULL;
}

static int
check_free(const struct access *a, const char *name, struct err *err)
{
	const struct slot *slot = find_clash(a, name, NULL);

	if (slot == NULL)
		return 0;
	if (strcmp(slot->real, name) == 0 || strcmp(slot->ds.name, name) == 0)
		return err_set(
		    err, ERR_USAGE, "there is a dataset '%s' already", name);
	return err_set(err, ERR_USAGE,
	    "'%s' and dataset '%s' can't both be: one is a folder of the other",
	    name, slot->ds.name);
}

/*
 * A key set that can't be opened has a name that can't be read. It may be the
 * very name that is asked for: then who makes the dataset anew would split its
 * backups in two without a word.
 */
static int
unsure(const struct access *a, const char *name, struct err *err)
{
	err_wrap(err, "there may be a dataset '%s' already", name);
	return err_wrap(
	    err, "store '%s' (see 'varve check')", store_address(a->store));
}

/*
 * An object whose bytes are not those that its name says may have been a key
 * set. One that has the right bytes is what it shows; and what is not signed by
 * who may is nobody's loss.
 */
static bool
may_be_key_set(const struct access *a, const struct key_object *o)
{
	if (o->problem == NULL || o->problem->code == ERR_AUTH)
		return false;
	if (o->kind == KEY_SET)
		return !access_dataset_known(a, o->set.dataset);
	return o->buf == NULL ||
	       (o->len >= 4 && memcmp(o->buf, "VRVk", 4) == 0);
}

static int
check_key_objects(const struct access *a, const char *name, struct err *err)
{
	for (size_t i = 0; i < a->nkeys; i++) {
		const struct key_object *o = a->keys[i];
		char text[OBJECT_REF_TEXT];
		struct object_ref ref = {.cls = OBJECT_KEY};

		if (!may_be_key_set(a, o))
			continue;
		memcpy(ref.name, o->name, OBJECT_NAME_LEN);
		object_ref_text(&ref, text);
		err_set(err, ERR_CORRUPT,
		    "'%s' can't be used, and may be its key set", text);
		return unsure(a, name, err);
	}
	return 0;
}

/* Any one object will do. */
static int
on_object(UNUSED void *arg, UNUSED const struct object_ref *ref,
    UNUSED uint64_t size, UNUSED struct err *err)
{
	return 1;
}

/* An admin opens all key sets: a dataset without one has lost it. */
int
access_key_set_lost(
    const struct access *a, const uint8_t id[DATASET_ID_LEN], struct err *err)
{
	static const enum object_class classes[] = {
	    OBJECT_LOG, OBJECT_INDEX, OBJECT_PACK};
	int ret = 0;

	if (a->nwanted > 0)
		return err_set(err, ERR_BUG,
		    "what was lost shows only where all is opened");
	if (!access_is_admin(a) || access_dataset_known(a, id))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(classes) && ret == 0; i++)
		ret =
		    store_list(a->store, classes[i], id, on_object, NULL, err);
	return ret;
}

struct orphan {
	const struct access *a;
	const char *name;
};

static int
on_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	const struct orphan *orphan = arg;
	char id[2 * DATASET_ID_LEN + 1];
	int ret = access_key_set_lost(orphan->a, ref->dataset, err);

	if (ret <= 0)
		return ret;
	access_id_text(ref->dataset, id);
	err_set(err, ERR_CORRUPT,
	    "dataset %s has objects, and no key set that opens; remove its"
	    " directory if it was erased on purpose",
	    id);
	return unsure(orphan->a, orphan->name, err);
}

static int
check_no_orphan(const struct access *a, const char *name, struct err *err)
{
	struct orphan orphan = {a, name};
	int ret = check_key_objects(a, name, err);

	if (ret != 0)
		return ret;
	return store_list_datasets(a->store, on_dataset, &orphan, err);
}

/*
 * Two admins may make a dataset of one name at the same time. Each looks again
 * after its key set is stored, so at least one of them sees the other's; and
 * whoever does withdraws. The key set has not been used for anything yet.
 */
static int
withdraw(struct access *a, const struct object_ref *ref, const char *name,
    const uint8_t id[DATASET_ID_LEN], struct err *err)
{
	bool changed;
	int ret;

	if ((ret = store_remove(a->store, ref, err)) != 0 ||
	    (ret = access_refresh(a, &changed, err)) != 0)
		return ret;
	access_dataset_forget(a, id);
	return err_set(err, ERR_LOCKED,
	    "another admin is making a dataset '%s', or one that clashes with "
	    "it: look, and try again",
	    name);
}

static int
store_key_set(struct access *a, const struct keyset *ks, struct object_ref *ref,
    struct err *err)
{
	WR_AUTO struct wr w = {0};
	int ret;

	ret = keyset_seal(ks, &a->root, a->identity, a->master, &w, err);
	if (ret != 0)
		return ret;
	*ref = (struct object_ref){.cls = OBJECT_KEY};
	return store_put(a->store, ref, w.buf, w.len, err);
}

int
access_create_dataset(struct access *a, const char *name,
    const struct dataset **out, struct err *err)
{
	AUTO(keyset) struct keyset *ks = NULL;
	struct object_ref ref;
	bool changed;
	int ret;

	*out = NULL;
	/* The name must not clash with any. */
	access_wanted_all(a);
	if ((ret = keyset_name_check_new(name, err)) != 0 ||
	    (ret = access_refresh(a, &changed, err)) != 0 ||
	    (ret = access_check_admin(a, "make a dataset", err)) != 0 ||
	    (ret = check_free(a, name, err)) != 0 ||
	    (ret = check_no_orphan(a, name, err)) != 0 ||
	    (ret = keyset_new(name, &ks, err)) != 0 ||
	    (ret = store_key_set(a, ks, &ref, err)) != 0 ||
	    (ret = access_refresh(a, &changed, err)) != 0)
		return ret;
	if (find_clash(a, name, ks->dataset) != NULL)
		return withdraw(a, &ref, name, ks->dataset, err);
	*out = access_find(a, name);
	if (*out == NULL)
		return err_set(err, ERR_IO,
		    "the key set of the new dataset '%s' is not in store '%s'",
		    name, store_address(a->store));
	return 0;
}

/* --- grants ------------------------------------------------------------- */

/* One grant: of the key set ${ks}, or of what has none. */
static int
grant_one(
    struct access *a, struct grant *g, const struct keyset *ks, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_KEY};
	WR_AUTO struct wr keys = {.secret = true};
	WR_AUTO struct wr w = {0};
	int ret;

	if (g->role == ROLE_READER && !ks->has_private)
		return err_set(err, ERR_DENIED,
		    "the key to epoch %u of dataset '%s' is not at hand",
		    ks->epoch, ks->name);
	if (ks != NULL) {
		g->epoch = ks->epoch;
		keyset_encode(ks, g->role == ROLE_READER, &keys);
	} else if (g->role == ROLE_ADMIN) {
		wr_bytes(&keys, a->master->seed.b, sizeof(a->master->seed.b));
	}
	if (keys.failed)
		return err_nomem(err);
	ret =
	    grant_make(g, keys.buf, keys.len, a->identity, a->master, &w, err);
	if (ret != 0)
		return ret;
	return store_put(a->store, &ref, w.buf, w.len, err);
}

/*
 * One grant for each epoch: the newest record of the log, or an index that is
 * still in use, may be of an earlier one.
 */
static int
grant_epochs(struct access *a, struct grant *g, const struct keyring *keys,
    struct err *err)
{
	const struct keyset *latest = keyring_latest(keys);
	int ret = 0;

	if (latest->epoch > KEYRING_EPOCHS_MAX)
		return err_set(err, ERR_CORRUPT, "dataset '%s' has an epoch %u",
		    latest->name, latest->epoch);
	for (uint32_t e = 1; e <= latest->epoch && ret == 0; e++) {
		const struct keyset *ks = keyring_epoch(keys, e);

		if (ks != NULL)
			ret = grant_one(a, g, ks, err);
	}
	return ret;
}

static int
check_request(enum role role, const struct dataset *dataset, int64_t until,
    int64_t now, struct err *err)
{
	if (role == ROLE_NONE)
		return err_set(err, ERR_USAGE, "a grant without a role");
	if ((role == ROLE_READER || role == ROLE_WRITER) && dataset == NULL)
		return err_set(
		    err, ERR_USAGE, "a %s needs a dataset", role_name(role));
	if (role == ROLE_ADMIN && dataset != NULL)
		return err_set(
		    err, ERR_USAGE, "an admin is one of the whole store");
	if (until <= now)
		return err_set(err, ERR_USAGE,
		    "the end of the grant has passed already: "
		    "give a date to come, such as 2027-08-01");
	return 0;
}

/* Nobody shall think that a role ends with this grant, while another goes on. */
static int
check_longest(const struct access *a, const struct grant *g, struct err *err)
{
	for (size_t i = 0; i < a->nkeys; i++) {
		struct key_object *o = a->keys[i];
		const struct grant *other = &o->grant;

		if (o->kind == KEY_GRANT && other->role == g->role &&
		    memcmp(other->dataset, g->dataset, DATASET_ID_LEN) == 0 &&
		    memcmp(other->subject.id, g->subject.id, IDENTITY_ID_LEN) ==
			0 &&
		    other->until > g->until &&
		    access_trust_grant(a, o, NULL) == 0)
			return err_set(err, ERR_USAGE,
			    "'%s' is %s for longer already, and a grant can't "
			    "be made shorter by another",
			    g->subject.name, role_name(g->role));
	}
	return 0;
}

int
access_grant(struct access *a, const struct identity_public *subject,
    enum role role, const struct dataset *dataset, int64_t until,
    struct err *err)
{
	struct grant g = {
	    .role = role,
	    .subject = *subject,
	    .from = access_now(a),
	    .until = until,
	};
	bool changed;
	int ret;

	if ((ret = check_request(role, dataset, until, g.from, err)) != 0 ||
	    (ret = access_refresh(a, &changed, err)) != 0 ||
	    (ret = access_check_admin(a, "grant a role", err)) != 0)
		return ret;
	memcpy(g.store, a->root.store, STORE_ID_LEN);
	if (dataset != NULL)
		memcpy(g.dataset, dataset->id, DATASET_ID_LEN);
	if ((ret = check_longest(a, &g, err)) != 0)
		return ret;
	if (role == ROLE_READER || role == ROLE_WRITER)
		ret = grant_epochs(a, &g, dataset->keys, err);
	else
		ret = grant_one(a, &g, NULL, err);
	return ret != 0 ? ret : access_refresh(a, &changed, err);
}

/* --- persons ------------------------------------------------------------ */

static int
check_person(
    const struct access *a, const struct identity_public *pub, struct err *err)
{
	if (pub->kind != IDENTITY_PERSON)
		return err_set(err, ERR_USAGE,
		    "'%s' is a host: its key is kept in a key file", pub->name);
	for (size_t i = 0; i < a->nkeys; i++) {
		const struct key_object *o = a->keys[i];

		if (o->kind == KEY_PERSON &&
		    strcmp(o->person.name, pub->name) == 0 &&
		    memcmp(o->person.id, pub->id, IDENTITY_ID_LEN) != 0)
			return err_set(err, ERR_USAGE,
			    "there is a person '%s' already", pub->name);
	}
	return 0;
}

int
access_add_person(struct access *a, const struct identity *id, const char *pass,
    struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_KEY};
	WR_AUTO struct wr w = {0};
	bool changed;
	int ret;

	if ((ret = store_check_primary(a->store, err)) != 0 ||
	    (ret = access_refresh(a, &changed, err)) != 0 ||
	    (ret = check_person(a, &id->pub, err)) != 0 ||
	    (ret = identity_encode(id, pass, &w, err)) != 0 ||
	    (ret = store_put(a->store, &ref, w.buf, w.len, err)) != 0)
		return ret;
	return access_refresh(a, &changed, err);
}
