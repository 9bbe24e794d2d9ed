#include "crypto/grant.h"

#include "tests/unit/key_fixture.h"

static struct grant
new_grant(const struct key_fixture *f, enum role role)
{
	struct grant g = {.role = role,
	    .subject = f->db1->pub,
	    .from = CREATED,
	    .until = INT64_MAX};

	memcpy(g.store, f->root.store, STORE_ID_LEN);
	if (role != ROLE_ADMIN) {
		run(0xa0, g.dataset, DATASET_ID_LEN);
		g.epoch = 2;
	}
	return g;
}

/* The keys that go with ${role}, as bytes; returns how many. */
static size_t
keys_of(const struct key_fixture *f, enum role role, uint8_t out[256])
{
	switch (role) {
	case ROLE_ADMIN:
		memcpy(out, f->master->seed.b, KEY_LEN);
		return KEY_LEN;
	case ROLE_READER:
		return hex(V_KEYSET_PRIVATE, out);
	case ROLE_WRITER:
		return hex(V_KEYSET_PUBLIC, out);
	default:
		return 0;
	}
}

static void
role_name__names_every_role(void **state)
{
	(void)state;
	assert_string_equal(role_name(ROLE_NONE), "none");
	assert_string_equal(role_name(ROLE_ADMIN), "admin");
	assert_string_equal(role_name(ROLE_READER), "reader");
	assert_string_equal(role_name(ROLE_WRITER), "writer");
	assert_string_equal(role_name(ROLE_REPLICA), "replica");
}

static void
grant_open__opens_the_published_grant(void **state)
{
	struct key_fixture *f = *state;
	WR_AUTO struct wr keys = {0};
	struct grant g;
	uint8_t buf[512], dataset[DATASET_ID_LEN];
	size_t len = hex(V_GRANT, buf);

	assert_int_equal(grant_peek(buf, len, &g, &f->err), 0);
	assert_int_equal(g.role, ROLE_WRITER);
	assert_memory_equal(g.store, f->root.store, STORE_ID_LEN);
	run(0xa0, dataset, sizeof(dataset));
	assert_memory_equal(g.dataset, dataset, sizeof(dataset));
	assert_int_equal(g.epoch, 2);
	assert_string_equal(g.subject.name, "db1");
	assert_memory_equal(g.subject.id, f->db1->pub.id, IDENTITY_ID_LEN);
	assert_true(g.from == CREATED && g.until == UNTIL);
	assert_memory_equal(g.issuer, f->ada->pub.id, IDENTITY_ID_LEN);
	assert_int_equal(grant_check(buf, len, &f->ada->pub.sign, &f->err), 0);
	assert_int_equal(grant_open(buf, len, f->db1, &keys, &f->err), 0);
	assert_int_equal(2 * keys.len, strlen(V_KEYSET_PUBLIC));
	assert_hex(keys.buf, V_KEYSET_PUBLIC);
	assert_true(keys.secret);
}

static void
grant_make__hands_each_role_its_keys(void **state)
{
	static const enum role roles[] = {
	    ROLE_ADMIN, ROLE_READER, ROLE_WRITER, ROLE_REPLICA};
	struct key_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		struct grant g = new_grant(f, roles[i]), got;
		WR_AUTO struct wr w = {0};
		WR_AUTO struct wr keys = {0};
		uint8_t want[256];
		size_t len = keys_of(f, roles[i], want);

		assert_int_equal(
		    grant_make(&g, want, len, f->ada, NULL, &w, &f->err), 0);
		assert_int_equal(grant_peek(w.buf, w.len, &got, &f->err), 0);
		assert_int_equal(got.role, roles[i]);
		assert_true(got.until == INT64_MAX);
		assert_memory_equal(
		    got.issuer, f->ada->pub.id, IDENTITY_ID_LEN);
		assert_int_equal(
		    grant_check(w.buf, w.len, &f->ada->pub.sign, &f->err), 0);
		assert_int_equal(
		    grant_open(w.buf, w.len, f->db1, &keys, &f->err), 0);
		assert_int_equal(keys.len, len);
		if (len > 0)
			assert_memory_equal(keys.buf, want, len);
	}
}

static void
grant_make__can_be_signed_by_the_master_key(void **state)
{
	struct key_fixture *f = *state;
	struct grant g = new_grant(f, ROLE_REPLICA);
	const uint8_t none[IDENTITY_ID_LEN] = {0};
	WR_AUTO struct wr w = {0};

	memset(g.issuer, 0xff, sizeof(g.issuer));
	assert_int_equal(
	    grant_make(&g, NULL, 0, NULL, f->master, &w, &f->err), 0);
	assert_int_equal(grant_peek(w.buf, w.len, &g, &f->err), 0);
	assert_memory_equal(g.issuer, none, sizeof(none));
	assert_int_equal(
	    grant_check(w.buf, w.len, &f->root.master_sign, &f->err), 0);
	assert_int_equal(
	    grant_check(w.buf, w.len, &f->ada->pub.sign, &f->err), ERR_AUTH);
}

/* Above all: a writer is never handed a private half. */
static void
grant_make__refuses_keys_of_another_role(void **state)
{
	static const enum role roles[] = {
	    ROLE_ADMIN, ROLE_READER, ROLE_WRITER, ROLE_REPLICA};
	struct key_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		for (size_t j = 0; j < ARRAY_LEN(roles); j++) {
			struct grant g = new_grant(f, roles[i]);
			WR_AUTO struct wr w = {0};
			uint8_t keys[256];
			size_t len = keys_of(f, roles[j], keys);
			int rc = grant_make(
			    &g, keys, len, f->ada, NULL, &w, &f->err);

			assert_int_equal(rc, i == j ? 0 : ERR_USAGE);
			assert_int_equal(w.len > 0, i == j);
		}
	}
}

static void
grant_make__refuses_keys_of_another_dataset_or_epoch(void **state)
{
	struct key_fixture *f = *state;
	struct grant g = new_grant(f, ROLE_READER);
	WR_AUTO struct wr w = {0};
	uint8_t keys[256];
	size_t len = keys_of(f, ROLE_READER, keys);

	g.epoch = 3;
	assert_int_equal(
	    grant_make(&g, keys, len, f->ada, NULL, &w, &f->err), ERR_USAGE);
	g.epoch = 2;
	g.dataset[0] ^= 1;
	assert_int_equal(
	    grant_make(&g, keys, len, f->ada, NULL, &w, &f->err), ERR_USAGE);
	assert_int_equal(w.len, 0);
}

static void
grant_make__refuses_grants_that_cannot_be(void **state)
{
	struct key_fixture *f = *state;
	WR_AUTO struct wr w = {0};
	uint8_t keys[256];
	size_t len = keys_of(f, ROLE_READER, keys);
	struct grant g = new_grant(f, ROLE_READER);

	g.until = g.from;
	assert_int_equal(
	    grant_make(&g, keys, len, f->ada, NULL, &w, &f->err), ERR_USAGE);
	g = new_grant(f, ROLE_READER);
	g.role = ROLE_NONE;
	assert_int_equal(
	    grant_make(&g, keys, len, f->ada, NULL, &w, &f->err), ERR_USAGE);
	g = new_grant(f, ROLE_READER);
	g.epoch = 0;
	assert_int_equal(
	    grant_make(&g, keys, len, f->ada, NULL, &w, &f->err), ERR_USAGE);
	g = new_grant(f, ROLE_ADMIN);
	g.epoch = 1;
	assert_int_equal(grant_make(&g, f->master->seed.b, KEY_LEN, f->ada,
			     NULL, &w, &f->err),
	    ERR_USAGE);
	g = new_grant(f, ROLE_READER);
	assert_int_equal(
	    grant_make(&g, keys, len, NULL, NULL, &w, &f->err), ERR_USAGE);
	assert_int_equal(w.len, 0);
}

static void
grant_open__is_for_the_subject_alone(void **state)
{
	struct key_fixture *f = *state;
	AUTO(identity) struct identity *eve = NULL;
	WR_AUTO struct wr keys = {0};
	uint8_t buf[512];
	size_t len = hex(V_GRANT, buf);

	assert_int_equal(identity_new(IDENTITY_HOST, "db1", &eve, &f->err), 0);
	assert_int_equal(grant_open(buf, len, eve, &keys, &f->err), ERR_DENIED);
	/* Posing as the subject doesn't help. */
	eve->pub = f->db1->pub;
	assert_int_equal(grant_open(buf, len, eve, &keys, &f->err), ERR_AUTH);
	assert_int_equal(keys.len, 0);
}

static void
grant_check__refuses_any_change(void **state)
{
	struct key_fixture *f = *state;
	uint8_t buf[513];
	size_t len = hex(V_GRANT, buf);
	struct grant g;

	for (size_t i = 0; i < len; i++) {
		int rc;

		buf[i] ^= 1;
		rc = grant_check(buf, len, &f->ada->pub.sign, &f->err);
		assert_changed(i, rc);
		buf[i] ^= 1;
	}
	buf[len] = 0;
	assert_int_equal(grant_peek(buf, len + 1, &g, &f->err), ERR_CORRUPT);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(grant_peek(buf, i, &g, &f->err), ERR_CORRUPT);
}

/*
 * The sealed keys are bound to every byte before them, so that they can't be
 * taken out of one grant and put into another, even by an admin's signature.
 */
static void
grant_open__refuses_keys_moved_to_another_grant(void **state)
{
	struct key_fixture *f = *state;
	WR_AUTO struct wr keys = {0};
	uint8_t buf[512];
	size_t len = hex(V_GRANT, buf);
	const size_t from = 8 + 16 + 1 + 16 + 4 + 1 + 4 + 64;

	buf[from] ^= 1;
	assert_int_equal(
	    grant_open(buf, len, f->db1, &keys, &f->err), ERR_AUTH);
	buf[from] ^= 1;
	buf[8] ^= 1; /* another store */
	assert_int_equal(
	    grant_open(buf, len, f->db1, &keys, &f->err), ERR_AUTH);
	buf[8] ^= 1;
	buf[8 + 16 + 1 + 16] ^= 1; /* another epoch */
	assert_int_equal(
	    grant_open(buf, len, f->db1, &keys, &f->err), ERR_AUTH);
	assert_int_equal(keys.len, 0);
}

static void
grant_claim__says_what_the_keys_call_the_dataset(void **state)
{
	struct key_fixture *f = *state;
	static const enum role roles[] = {ROLE_READER, ROLE_WRITER};
	static const enum role others[] = {ROLE_ADMIN, ROLE_REPLICA};
	AUTO(identity) struct identity *eve = NULL;
	char name[DATASET_NAME_MAX + 1];
	uint8_t buf[512], keys[256];
	size_t len = hex(V_GRANT, buf);

	assert_int_equal(grant_claim(buf, len, f->db1, name, &f->err), 0);
	assert_string_equal(name, "db/clarity");
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		struct grant g = new_grant(f, roles[i]);
		WR_AUTO struct wr w = {0};

		assert_int_equal(
		    grant_make(&g, keys, keys_of(f, roles[i], keys), f->ada,
			NULL, &w, &f->err),
		    0);
		assert_int_equal(
		    grant_claim(w.buf, w.len, f->db1, name, &f->err), 0);
		assert_string_equal(name, "db/clarity");
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct grant g = new_grant(f, others[i]);
		WR_AUTO struct wr w = {0};

		assert_int_equal(
		    grant_make(&g, keys, keys_of(f, others[i], keys), f->ada,
			NULL, &w, &f->err),
		    0);
		assert_int_equal(
		    grant_claim(w.buf, w.len, f->db1, name, &f->err),
		    ERR_CORRUPT);
	}
	assert_int_equal(identity_new(IDENTITY_HOST, "db1", &eve, &f->err), 0);
	assert_int_equal(grant_claim(buf, len, eve, name, &f->err), ERR_DENIED);
	buf[8] ^= 1; /* another store */
	assert_int_equal(
	    grant_claim(buf, len, f->db1, name, &f->err), ERR_AUTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(role_name__names_every_role),
	    cmocka_unit_test(grant_open__opens_the_published_grant),
	    cmocka_unit_test(grant_make__hands_each_role_its_keys),
	    cmocka_unit_test(grant_make__can_be_signed_by_the_master_key),
	    cmocka_unit_test(grant_make__refuses_keys_of_another_role),
	    cmocka_unit_test(
		grant_make__refuses_keys_of_another_dataset_or_epoch),
	    cmocka_unit_test(grant_make__refuses_grants_that_cannot_be),
	    cmocka_unit_test(grant_open__is_for_the_subject_alone),
	    cmocka_unit_test(grant_check__refuses_any_change),
	    cmocka_unit_test(grant_open__refuses_keys_moved_to_another_grant),
	    cmocka_unit_test(grant_claim__says_what_the_keys_call_the_dataset),
	};

	return cmocka_run_group_tests_name(
	    "grant", tests, key_fixture_new, key_fixture_free);
}
