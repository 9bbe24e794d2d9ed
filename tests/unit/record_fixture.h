#ifndef TESTS_UNIT_RECORD_FIXTURE_H
#define TESTS_UNIT_RECORD_FIXTURE_H

/* A record with a snapshot, encoded, for each test; and who has signed it. */
#include "snapshot/log/record_body.h"
#include "tests/unit/log_fixture.h"
#include "tests/unit/outcome.h"

struct fixture {
	struct identity *signer;
	struct keyset *ks; /* the keyring's */
	struct keyring *keys;
	struct record *made;
	struct snapshot *snapshot; /* its */
	struct wr record;
};

static inline UNUSED int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*state = f;
	assert_ok(identity_new(IDENTITY_HOST, "db1", &f->signer, &err));
	assert_ok(keyset_new("customers", &f->ks, &err));
	assert_ok(keyring_new(&f->keys, &err));
	assert_ok(keyring_add(f->keys, f->ks, &err));
	f->made = record_at(1700000000, 123456789);
	f->snapshot = f->made->snapshot;
	memcpy(f->made->head.dataset, f->ks->dataset, DATASET_ID_LEN);
	f->made->head.seq = 0x0102030405060708;
	memset(f->made->head.prev, 0x99, OBJECT_NAME_LEN);
	assert_ok(record_encode(
	    f->made, &fixture_lists, f->ks, f->signer, &f->record, &err));
	return 0;
}

static inline UNUSED int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	wr_clear(&f->record);
	record_free(f->made);
	keyring_free(f->keys);
	identity_free(f->signer);
	free(f);
	return 0;
}

#define record_test(name)                                                      \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* FORMAT.md section 9, written down by hand. */
static inline UNUSED void
expected_body(struct wr *w)
{
	WR_AUTO struct wr root = {0};
	struct chunk_name problems = {{0xe1}};

	root_entry(&root);
	wr_svarint(w, 1700000000);
	wr_varint(w, 123456789);
	wr_svarint(w, 1700000060);
	wr_varint(w, 7);
	wr_u8(w, 1);
	wr_string(w, "db1", 3);
	wr_string(w, "/srv/data", 9);
	wr_string(w, "varve 1", 7);
	wr_string(w, root.buf, root.len);
	wr_varint(w, 300);
	wr_varint(w, 70000);
	wr_varint(w, 66000);
	wr_varint(w, 1);
	wr_varint(w, 2);
	wr_varint(w, 10); /* the problems: size, form, level, holes, root */
	wr_u8(w, 2);
	wr_u8(w, 0);
	wr_varint(w, 0);
	wr_bytes(w, problems.b, sizeof(problems.b));
	wr_varint(w, 6);
	assert_false(w->failed);
}

static inline UNUSED char *
text(const char *of)
{
	char *copy = strdup(of);

	assert_non_null(copy);
	return copy;
}

/* A record of the type, with everything that one can have. */
static inline UNUSED struct record *
other_record(const struct fixture *f, enum record_type type)
{
	struct record *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->head = f->made->head;
	r->head.type = type;
	r->head.seq = 9;
	r->head.time = 1700001000;
	r->open = true;
	if (type == RECORD_EXPIRE) {
		r->expire.targets = calloc(2, sizeof(*r->expire.targets));
		assert_non_null(r->expire.targets);
		r->expire.n = 2;
		r->expire.targets[0] = (struct record_target){3, {0x53}};
		r->expire.targets[1] = (struct record_target){8, {0x58}};
		r->expire.why = text("--keep-last 3");
	} else if (type == RECORD_HOLD) {
		r->hold.target = (struct record_target){8, {0x58}};
		r->hold.on = true;
		r->hold.why = text("a lawsuit");
	} else if (type == RECORD_RULES) {
		r->rules = (struct rules){{7776000, 1, 24, 30, 8, 12, 7}};
	} else if (type == RECORD_PRUNE) {
		r->prune = (struct record_prune){1, 2, 3, 4, 5, 6, 7, 300};
	} else {
		r->primary.site = text("dr-london");
		r->primary.id[15] = 0x1d;
		r->primary.change = 2;
	}
	return r;
}

#endif
