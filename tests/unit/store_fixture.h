#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

/* A new store in a scratch directory for each test. */
#include "snapshot/store/dirstore.h"
#include "tests/unit/outcome.h"
#include "tests/unit/scratch.h"

static const uint8_t DATASET[STORE_DATASET_LEN] = {
    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
#define DATASET_TEXT "0123456789abcdef0000000000000000"
#define ROOT_BYTES "VRVs: not really a root object"

struct fixture {
	char dir[SCRATCH_PATH];       /* the scratch directory */
	char path[SCRATCH_PATH + 16]; /* the store, in it */
	struct store *s;
};

static inline UNUSED int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	scratch_new(f->dir);
	(void)snprintf(f->path, sizeof(f->path), "%s/store", f->dir);
	assert_ok(
	    store_create(f->path, ROOT_BYTES, strlen(ROOT_BYTES), &f->s, &err));
	*state = f;
	return 0;
}

static inline UNUSED int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->s);
	scratch_rm(f->dir);
	free(f);
	return 0;
}

#define store_test(name)                                                       \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* Where an object's file is. */
static inline UNUSED void
object_path(const struct fixture *f, const struct object_ref *ref,
    char out[SCRATCH_PATH + 256])
{
	char text[OBJECT_REF_TEXT];

	object_ref_text(ref, text);
	(void)snprintf(out, SCRATCH_PATH + 256, "%s/%s", f->path, text);
}

static inline UNUSED struct object_ref
ref_of(enum object_class cls, uint64_t seq)
{
	struct object_ref ref = {.cls = cls, .seq = seq};

	if (cls != OBJECT_KEY && cls != OBJECT_ROOT)
		memcpy(ref.dataset, DATASET, sizeof(DATASET));
	return ref;
}

/* Store a text; returns what it is called. */
static inline UNUSED struct object_ref
put_text(struct store *s, enum object_class cls, uint64_t seq, const char *text)
{
	struct object_ref ref = ref_of(cls, seq);

	assert_ok(store_put(s, &ref, text, strlen(text), &err));
	return ref;
}

static inline UNUSED void
assert_text(struct store *s, const struct object_ref *ref, const char *text)
{
	uint8_t *buf;
	size_t len;

	assert_ok(store_get(s, ref, 1 << 20, &buf, &len, &err));
	assert_int_equal(len, strlen(text));
	assert_memory_equal(buf, text, len);
	free(buf);
}

#endif
