#include "snapshot/access/access_internal.h"

#include "crypto/bytes.h"

#include <ctype.h>
#include <string.h>

/* What a key object is: FORMAT.md section 1. */

/* What was put here from another store counts for nothing. */
static int
check_store(const struct access *a, const uint8_t store[STORE_ID_LEN],
    const char *what, struct err *err)
{
	if (memcmp(store, a->root.store, STORE_ID_LEN) != 0)
		return err_set(err, ERR_AUTH, "%s of another store", what);
	return 0;
}

static int
parse_person(const struct access *a, struct key_object *o, struct err *err)
{
	int ret;

	(void)a;
	if ((ret = identity_peek(o->buf, o->len, &o->person, err)) != 0)
		return ret;
	if (o->person.kind != IDENTITY_PERSON)
		return err_set(err, ERR_CORRUPT,
		    "the private key of %s '%s' lies open in the store",
		    identity_kind_name(o->person.kind), o->person.name);
	return 0;
}

/* Who made it had the master key. The recovery key alone tells what is in it. */
static int
parse_recovery(const struct access *a, struct key_object *o, struct err *err)
{
	return recovery_check(o->buf, o->len, &a->root, err);
}

static int
parse_key_set(const struct access *a, struct key_object *o, struct err *err)
{
	(void)a;
	return keyset_peek(o->buf, o->len, &o->set, err);
}

static int
parse_grant(const struct access *a, struct key_object *o, struct err *err)
{
	int ret;

	if ((ret = grant_peek(o->buf, o->len, &o->grant, err)) != 0)
		return ret;
	return check_store(a, o->grant.store, "a grant", err);
}

static int
parse_statement(const struct access *a, struct key_object *o, struct err *err)
{
	int ret = statement_peek(o->buf, o->len, &o->statement, err);

	if (ret != 0)
		return ret;
	return check_store(a, o->statement.store, "a site statement", err);
}

static int
parse_policy(const struct access *a, struct key_object *o, struct err *err)
{
	int ret = policy_peek(o->buf, o->len, &o->policy, err);

	if (ret != 0)
		return ret;
	return check_store(a, o->policy.store, "a location policy", err);
}

static int
parse_defaults(const struct access *a, struct key_object *o, struct err *err)
{
	int ret = defaults_peek(o->buf, o->len, &o->defaults, err);

	if (ret != 0)
		return ret;
	return check_store(a, o->defaults.store, "default rules", err);
}

static int
parse_settlement(const struct access *a, struct key_object *o, struct err *err)
{
	int ret = settlement_peek(o->buf, o->len, &o->settlement, err);

	if (ret != 0)
		return ret;
	return check_store(a, o->settlement.store, "a settlement", err);
}

static const struct {
	uint8_t letter;
	enum key_kind kind;
	size_t max;
	int (*parse)(
	    const struct access *a, struct key_object *o, struct err *err);
} kinds[] = {
    {'n', KEY_PERSON, IDENTITY_OBJECT_MAX, parse_person},
    {'r', KEY_RECOVERY, RECOVERY_OBJECT_MAX, parse_recovery},
    {'k', KEY_SET, KEYSET_OBJECT_MAX, parse_key_set},
    {'g', KEY_GRANT, GRANT_OBJECT_MAX, parse_grant},
    {'t', KEY_STATEMENT, SITE_OBJECT_MAX, parse_statement},
    {'c', KEY_POLICY, POLICY_OBJECT_MAX, parse_policy},
    {'d', KEY_DEFAULTS, DEFAULTS_OBJECT_MAX, parse_defaults},
    {'h', KEY_SETTLEMENT, SETTLEMENT_OBJECT_LEN, parse_settlement},
};

/*
 * Newer programs may add kinds of key objects that mean nothing to this one.
 * Such a one is passed over in silence, if its head is sound; what belongs
 * elsewhere in a store is not.
 */
static int
parse_other(uint8_t letter, struct err *err)
{
	if (!islower(letter) || strchr("spilqe", letter) != NULL)
		return err_set(err, ERR_CORRUPT, "not a key object");
	return 0;
}

int
access_kinds_parse(
    const struct access *a, struct key_object *o, struct err *err)
{
	struct rd r = rd_init(o->buf, o->len);
	const uint8_t *magic = rd_bytes(&r, 4);
	uint16_t version = rd_u16(&r);
	uint16_t reserved = rd_u16(&r);
	int ret;

	if (r.failed || memcmp(magic, "VRV", 3) != 0 || version == 0 ||
	    reserved != 0)
		return err_set(err, ERR_CORRUPT, "not an object of a store");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].letter != magic[3])
			continue;
		if (o->len > kinds[i].max)
			return err_set(err, ERR_CORRUPT,
			    "%zu bytes are too many for a key object", o->len);
		if ((ret = kinds[i].parse(a, o, err)) == 0)
			o->kind = kinds[i].kind;
		return ret;
	}
	return parse_other(magic[3], err);
}
