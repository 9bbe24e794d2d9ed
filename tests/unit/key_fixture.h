#ifndef TESTS_UNIT_KEY_FIXTURE_H
#define TESTS_UNIT_KEY_FIXTURE_H

/* The store of key_vectors.h, decoded; and one made afresh. */
#include "crypto/grant.h"
#include "tests/unit/hex.h"
#include "tests/unit/key_vectors.h"

struct key_fixture {
	struct identity *ada, *db1;
	struct master *master;
	struct root root;
	struct err err;
};

/* Setup and teardown for cmocka. */
static inline int
key_fixture_new(void **state)
{
	static struct key_fixture f;
	struct key32 seed;
	uint8_t buf[512];

	run(0x40, seed.b, sizeof(seed.b));
	if (identity_decode(
		buf, hex(V_PERSON, buf), PASSPHRASE, &f.ada, &f.err) != 0 ||
	    identity_decode(buf, hex(V_HOST, buf), NULL, &f.db1, &f.err) != 0 ||
	    master_from_seed(&seed, &f.master, &f.err) != 0 ||
	    root_decode(buf, hex(V_ROOT, buf), &f.root, &f.err) != 0)
		return -1;
	*state = &f;
	return 0;
}

static inline int
key_fixture_free(void **state)
{
	struct key_fixture *f = *state;

	identity_free(f->ada);
	identity_free(f->db1);
	master_free(f->master);
	return 0;
}

/* What a change of the ${i}th byte of an object gives, but for the rest. */
static inline UNUSED void
assert_changed(size_t i, int rc)
{
	if (i < 4 || i == 6 || i == 7) /* magic, reserved */
		assert_int_equal(rc, ERR_CORRUPT);
	else if (i < 6)
		assert_int_equal(rc, ERR_VERSION);
	else
		assert_true(rc == ERR_AUTH || rc == ERR_CORRUPT);
}

#endif
