#ifndef TESTS_UNIT_HEADS_FIXTURE_H
#define TESTS_UNIT_HEADS_FIXTURE_H

/* Remembered heads, and stores to remember them of. */
#include "tests/unit/state_fixture.h"

static inline UNUSED struct root
some_root(uint8_t id)
{
	struct root root;

	memset(&root, 0, sizeof(root));
	memset(root.store, id, sizeof(root.store));
	memset(root.fingerprint, id + 1, sizeof(root.fingerprint));
	return root;
}

static inline UNUSED struct heads *
must_open(struct fixture *f, const struct root *root)
{
	struct heads *h = NULL;

	assert_ok(heads_open(f->dir, root, "/srv/a", &h, &err));
	return h;
}

static const uint8_t one[OBJECT_NAME_LEN] = {1};
static const uint8_t two[OBJECT_NAME_LEN] = {2};
static const uint8_t dataset[DATASET_ID_LEN] = {7};

static inline UNUSED void
assert_head(struct heads *h, uint64_t seq, const uint8_t *name)
{
	struct head_seen got;

	assert_ok(heads_get(h, dataset, &got, &err));
	assert_int_equal(got.seq, seq);
	assert_memory_equal(got.name, name, OBJECT_NAME_LEN);
	assert_int_equal(got.latest, (int64_t)seq * 1000);
	assert_int_equal(got.next_ino, seq * 10);
}

/* A head of that number, after no change of the primary. */
static inline UNUSED int
set(struct heads *h, uint64_t seq, const uint8_t *name, struct err *err)
{
	struct head_seen head = {.seq = seq,
	    .latest = (int64_t)seq * 1000,
	    .next_ino = seq == UINT64_MAX ? 0 : seq * 10};

	memcpy(head.name, name, OBJECT_NAME_LEN);
	return heads_set(h, dataset, &head, err);
}

#endif
