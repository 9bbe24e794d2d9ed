/* Which fingerprint a store has, by its id and by its address. */
#include "snapshot/state/heads_internal.h"

#include <string.h>

/* What a fingerprint is remembered by: a store's id, or its address. */
struct pin {
	const void *key;
	size_t len;
	int get, add, set; /* statements */
	const char *what;  /* the key, as messages put it */
};

#define NPINS 2

static void
pins_of(
    const struct root *root, const char *address, struct pin pins[static NPINS])
{
	pins[0] = (struct pin){
	    .key = root->store,
	    .len = STORE_ID_LEN,
	    .get = STORE_GET,
	    .add = STORE_ADD,
	    .set = STORE_SET,
	    .what = "of this id",
	};
	pins[1] = (struct pin){
	    .key = address,
	    .len = strlen(address),
	    .get = PLACE_GET,
	    .add = PLACE_ADD,
	    .set = PLACE_SET,
	    .what = "at this address",
	};
}

/* Enough to tell two apart by eye; the whole is to be compared elsewhere. */
#define SHORT_TEXT 19 /* four groups */

static int
another(const struct pin *pin, const uint8_t known[FINGERPRINT_LEN],
    const struct root *root, struct err *err)
{
	char was[FINGERPRINT_TEXT];
	char is[FINGERPRINT_TEXT];

	root_fingerprint_text(known, was);
	root_fingerprint_text(root->fingerprint, is);
	return err_set(err, ERR_AUTH,
	    "this is not the store %s that this machine has seen: that one has"
	    " the fingerprint %.*s..., this one %.*s...; somebody may have put"
	    " another in its place; if it is meant to be another, confirm it"
	    " with --fingerprint and the whole fingerprint, as 'varve init'"
	    " printed it",
	    pin->what, SHORT_TEXT, was, SHORT_TEXT, is);
}

/* 1 it is the one remembered, 0 none is, ERR_AUTH it is another. */
static int
compare_fingerprint(struct sql *q, const struct pin *pin,
    const struct root *root, struct err *err)
{
	size_t at = (size_t)pin->get;
	const uint8_t *known;
	size_t len;
	int rc;

	sql_blob(q, at, 1, pin->key, pin->len);
	rc = sql_row(q, at, err);
	if (rc > 0) {
		known = sql_column(q, at, 0, &len);
		if (len != FINGERPRINT_LEN)
			rc = err_set(err, ERR_CORRUPT,
			    "'%s': a fingerprint of %zu bytes", q->path, len);
		else if (memcmp(known, root->fingerprint, len) != 0)
			rc = another(pin, known, root, err);
	}
	sql_reset(q, at);
	return rc;
}

static int
write_pin(struct sql *q, const struct pin *pin, int statement,
    const struct root *root, struct err *err)
{
	size_t at = (size_t)statement;

	sql_blob(q, at, 1, pin->key, pin->len);
	sql_blob(q, at, 2, root->fingerprint, FINGERPRINT_LEN);
	return sql_run(q, at, err);
}

/* The first time, believe it; from then on, hold it to that. */
static int
hold_to_pin(struct sql *q, const struct pin *pin, const struct root *root,
    struct err *err)
{
	int rc = compare_fingerprint(q, pin, root, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = write_pin(q, pin, pin->add, root, err);
	if (rc != 0)
		return rc;
	/* Another process may have been first. */
	rc = compare_fingerprint(q, pin, root, err);
	if (rc == 0)
		return err_set(
		    err, ERR_CORRUPT, "'%s': a row is gone", q->path);
	return rc < 0 ? rc : 0;
}

int
pins_compare(struct sql *q, const struct root *root, const char *address,
    struct err *err)
{
	struct pin pins[NPINS];
	int rc = 0;

	pins_of(root, address, pins);
	for (size_t i = 0; rc >= 0 && i < NPINS; i++)
		rc = compare_fingerprint(q, &pins[i], root, err);
	return rc > 0 ? 0 : rc;
}

int
pins_hold_to(struct sql *q, const struct root *root, const char *address,
    struct err *err)
{
	struct pin pins[NPINS];
	int rc = pins_compare(q, root, address, err);

	/* All were compared before any is written: a stranger leaves no trace. */
	pins_of(root, address, pins);
	for (size_t i = 0; rc == 0 && i < NPINS; i++)
		rc = hold_to_pin(q, &pins[i], root, err);
	return rc;
}

int
pins_accept(struct sql *q, const struct root *root, const char *address,
    struct err *err)
{
	struct pin pins[NPINS];
	int rc = 0;

	pins_of(root, address, pins);
	for (size_t i = 0; rc == 0 && i < NPINS; i++)
		rc = write_pin(q, &pins[i], pins[i].set, root, err);
	return rc;
}
