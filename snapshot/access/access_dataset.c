#include "snapshot/access/access_internal.h"

#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

/*
 * From key objects to datasets. An update starts afresh each time: what this
 * key may do follows from the key objects and from the time alone. Only the
 * keys that were opened stay in their keyrings, so that nothing is unsealed
 * twice.
 */

static void
slot_free(struct slot *slot)
{
	if (slot == NULL)
		return;
	keyring_free(slot->ds.keys);
	free(slot);
}
DEFINE_AUTO(slot, slot_free)

static struct slot *
find_slot(const struct access *a, const uint8_t id[DATASET_ID_LEN])
{
	for (size_t i = 0; i < a->nslots; i++) {
		if (memcmp(a->slots[i]->ds.id, id, DATASET_ID_LEN) == 0)
			return a->slots[i];
	}
	return NULL;
}

bool
access_dataset_known(const struct access *a, const uint8_t id[DATASET_ID_LEN])
{
	return find_slot(a, id) != NULL;
}

/* An empty slot; both arrays of slots have room for it. */
static int
add_slot(struct access *a, const uint8_t id[DATASET_ID_LEN], struct slot **out,
    struct err *err)
{
	AUTO(slot) struct slot *slot = calloc(1, sizeof(*slot));
	size_t n = a->nslots + 1;
	struct slot **v;
	int ret;

	if (slot == NULL)
		return err_nomem(err);
	if ((ret = keyring_new(&slot->ds.keys, err)) != 0)
		return ret;
	memcpy(slot->ds.id, id, DATASET_ID_LEN);
	v = reallocarray(a->listed, n, sizeof(struct slot *));
	if (v == NULL)
		return err_nomem(err);
	a->listed = v;
	v = reallocarray(a->slots, n, sizeof(struct slot *));
	if (v == NULL)
		return err_nomem(err);
	a->slots = v;
	*out = a->slots[a->nslots++] = STEAL(slot);
	return 0;
}

/* Takes ${ks} over. */
static int
add_keys(struct access *a, struct keyset *ks, struct err *err)
{
	AUTO(keyset) struct keyset *own = ks;
	struct slot *slot = find_slot(a, ks->dataset);
	const struct keyset *old;
	bool grown;
	int ret;

	if (slot == NULL && (ret = add_slot(a, ks->dataset, &slot, err)) != 0)
		return ret;
	old = keyring_epoch(slot->ds.keys, ks->epoch);
	if (old != NULL &&
	    (!ct_equal(&old->seal_pub, &ks->seal_pub, sizeof(ks->seal_pub)) ||
		!ct_equal(&old->index, &ks->index, sizeof(ks->index))))
		return err_set(err, ERR_CORRUPT,
		    "a second key set for epoch %u of dataset '%s'", ks->epoch,
		    ks->name);
	grown = old == NULL || (ks->has_private && !old->has_private);
	if ((ret = keyring_add(slot->ds.keys, STEAL(own), err)) != 0)
		return ret;
	slot->grown |= grown;
	return 0;
}

/* --- the master key ----------------------------------------------------- */

static int
open_master(const struct access *a, const struct key_object *o,
    struct master **out, struct err *err)
{
	WR_AUTO struct wr keys = {.secret = true};
	WIPE struct key32 seed = {0};
	AUTO(master) struct master *m = NULL;
	int ret = grant_open(o->buf, o->len, a->identity, &keys, err);

	if (ret != 0)
		return ret;
	if (keys.len != sizeof(seed.b))
		return err_set(err, ERR_CORRUPT, "an admin without a key");
	memcpy(seed.b, keys.buf, sizeof(seed.b));
	if ((ret = master_from_seed(&seed, &m, err)) != 0)
		return ret;
	if (!ct_equal(&m->seal_pub, &a->root.master_seal, KEY_LEN) ||
	    !ct_equal(&m->sign_pub, &a->root.master_sign, KEY_LEN))
		return err_set(err, ERR_CORRUPT,
		    "the grant of '%s' as admin holds another master key",
		    o->grant.subject.name);
	*out = STEAL(m);
	return 0;
}

static bool
is_mine(const struct access *a, const struct key_object *o)
{
	return a->identity != NULL && o->kind == KEY_GRANT &&
	       o->problem == NULL &&
	       memcmp(o->grant.subject.id, a->identity->pub.id,
		   IDENTITY_ID_LEN) == 0;
}

/* Any grant as admin has the master key in it, in force or not. */
static int
find_master(struct access *a, struct err *err)
{
	for (size_t i = 0; i < a->nkeys && a->master == NULL; i++) {
		struct key_object *o = a->keys[i];
		struct err why;
		bool counts;
		int ret;

		if (!is_mine(a, o) || o->grant.role != ROLE_ADMIN)
			continue;
		if ((ret = access_trust_counts(a, o, &counts, err)) != 0)
			return ret;
		if (!counts)
			continue;
		ret = open_master(a, o, &a->master, &why);
		if (ret != 0 &&
		    (ret = access_keys_pass_over(o, &why, err)) != 0)
			return ret;
	}
	return 0;
}

static bool
is_admin_now(const struct access *a)
{
	return a->identity != NULL && access_trust_admin(a, a->identity->pub.id,
					  access_now(a)) != NULL;
}

static int
update_master(struct access *a, struct err *err)
{
	if (a->recovered)
		return 0;
	if (is_admin_now(a))
		return find_master(a, err);
	master_free(STEAL(a->master));
	return 0;
}

bool
access_opens(const struct access *a, const struct key_object *o, int64_t now)
{
	if (o->kind == KEY_SET)
		return a->master != NULL && o->problem == NULL;
	return is_mine(a, o) && access_valid(&o->grant, now) &&
	       (o->grant.role == ROLE_READER || o->grant.role == ROLE_WRITER);
}

/* --- what an admin opens ------------------------------------------------ */

static int
open_key_set(struct access *a, struct key_object *o,
    const struct ed25519_public *signer, struct err *err)
{
	AUTO(keyset) struct keyset *ks = NULL;
	int ret =
	    keyset_open(o->buf, o->len, &a->root, signer, a->master, &ks, err);

	return ret != 0 ? ret : add_keys(a, STEAL(ks), err);
}

static int
update_key_set(struct access *a, struct key_object *o, struct err *err)
{
	const struct ed25519_public *signer;
	struct err why;

	/* Not held against it: its signer's grant may yet arrive. */
	if (access_trust_key_set(a, o, &signer, &why) != 0)
		return 0;
	if (!o->opened && open_key_set(a, o, signer, &why) != 0)
		return access_keys_pass_over(o, &why, err);
	o->opened = true;
	find_slot(a, o->set.dataset)->readable = true;
	return 0;
}

/* --- what is granted ---------------------------------------------------- */

/* grant_open() sees to it that the keys are those which the grant names. */
static int
open_grant(struct access *a, const struct key_object *o, struct err *err)
{
	WR_AUTO struct wr keys = {.secret = true};
	AUTO(keyset) struct keyset *ks = NULL;
	struct rd r;
	int ret;

	ret = grant_open(o->buf, o->len, a->identity, &keys, err);
	if (ret != 0)
		return ret;
	r = rd_init(keys.buf, keys.len);
	if ((ret = keyset_decode(&r, &ks, err)) != 0)
		return ret;
	return add_keys(a, STEAL(ks), err);
}

static int
update_grant(struct access *a, struct key_object *o, struct err *err)
{
	struct slot *slot;
	struct err why;
	bool counts;
	int ret;

	if ((ret = access_trust_counts(a, o, &counts, err)) != 0 || !counts)
		return ret;
	if (!o->opened && (ret = open_grant(a, o, &why)) != 0)
		return access_keys_pass_over(o, &why, err);
	o->opened = true;
	slot = find_slot(a, o->grant.dataset);
	if (o->grant.role == ROLE_READER)
		slot->readable = true;
	else
		slot->writable = true;
	return 0;
}

/* ${kind}: KEY_SET or KEY_GRANT. */
static int
update_all(struct access *a, enum key_kind kind, int64_t now, struct err *err)
{
	for (size_t i = 0; i < a->nkeys; i++) {
		struct key_object *o = a->keys[i];
		int ret;

		if (o->kind != kind || !access_opens(a, o, now) ||
		    !access_wanted(a, o))
			continue;
		ret = kind == KEY_SET ? update_key_set(a, o, err)
				      : update_grant(a, o, err);
		if (ret != 0)
			return ret;
	}
	return 0;
}

/* --- what is to be seen ------------------------------------------------- */

static int
compare_shown(const void *a, const void *b)
{
	const struct slot *const *x = a, *const *y = b;

	return strcmp((*x)->ds.name, (*y)->ds.name);
}

static void
publish(struct access *a, bool *changed)
{
	bool admin = is_admin_now(a);

	a->nlisted = 0;
	for (size_t i = 0; i < a->nslots; i++) {
		struct slot *slot = a->slots[i];
		struct dataset *ds = &slot->ds;

		slot->writable |= admin && slot->readable;
		*changed |= slot->grown || ds->may_read != slot->readable ||
			    ds->may_write != slot->writable;
		ds->may_read = slot->readable;
		ds->may_write = slot->writable;
		if (ds->may_read || ds->may_write)
			a->listed[a->nlisted++] = slot;
	}
	access_names_show(a);
	if (a->nlisted > 0)
		qsort(a->listed, a->nlisted, sizeof(struct slot *),
		    compare_shown);
}

static int
open_and_publish(struct access *a, bool *changed, struct err *err)
{
	int64_t now = access_now(a);
	int ret;

	if ((ret = access_wanted_find(a, now, err)) != 0 ||
	    (ret = update_all(a, KEY_SET, now, err)) != 0 ||
	    (ret = update_all(a, KEY_GRANT, now, err)) != 0)
		return ret;
	publish(a, changed);
	return 0;
}

int
access_dataset_update(struct access *a, bool *changed, struct err *err)
{
	int ret;

	*changed = false;
	for (size_t i = 0; i < a->nslots; i++) {
		a->slots[i]->readable = false;
		a->slots[i]->writable = false;
		a->slots[i]->grown = false;
	}
	if ((ret = update_master(a, err)) != 0 ||
	    (ret = open_and_publish(a, changed, err)) != 0)
		return ret;
	if (!access_wanted_missing(a))
		return 0;
	/* That there is none, who looks at all of them can say. */
	access_wanted_all(a);
	return open_and_publish(a, changed, err);
}

static void
take_out(struct slot **v, size_t *n, const struct slot *slot)
{
	size_t i = 0;

	while (i < *n && v[i] != slot)
		i++;
	if (i == *n)
		return;
	(*n)--;
	memmove(&v[i], &v[i + 1], (*n - i) * sizeof(struct slot *));
}

void
access_dataset_forget(struct access *a, const uint8_t id[DATASET_ID_LEN])
{
	struct slot *slot = find_slot(a, id);

	take_out(a->listed, &a->nlisted, slot);
	take_out(a->slots, &a->nslots, slot);
	slot_free(slot);
}

void
access_dataset_free(struct access *a)
{
	for (size_t i = 0; i < a->nslots; i++)
		slot_free(a->slots[i]);
	free(a->slots);
	free(a->listed);
}
