#ifndef TESTS_UNIT_STATE_PAGES_H
#define TESTS_UNIT_STATE_PAGES_H

/* A dataset's state on this machine: pages, snapshots and pending packs. */
#include "tests/unit/state_fixture.h"

#define DATABASE                                                               \
	"01010101010101010101010101010101/02020202020202020202020202020202.db"

static const uint8_t store[STORE_ID_LEN] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static const struct state_base snap1 = {.id = {11}, .source = {13}};

static const struct state_base snap2 = {
    .id = {12}, .source = {13}, .prune = 14, .prune_name = {15}};

static inline UNUSED struct keyset
some_keyset(void)
{
	struct keyset ks;

	memset(&ks, 0, sizeof(ks));
	memset(ks.dataset, 2, sizeof(ks.dataset));
	memset(&ks.id, 3, sizeof(ks.id));
	return ks;
}

static inline UNUSED struct state *
must_open(struct fixture *f)
{
	struct keyset ks = some_keyset();
	struct state *s = NULL;

	assert_ok(state_open(f->dir, store, &ks, &s, &err));
	return s;
}

/* One directory's page, by the directory's path. */
static inline UNUSED void
put(struct state *s, const char *path, uint32_t page, const char *text)
{
	uint8_t key[HASH_LEN];

	assert_ok(state_dir_key(s, path, strlen(path), key, &err));
	assert_ok(state_dir_put(s, key, page, text, strlen(text), &err));
}

static inline UNUSED void
keep(struct state *s, const char *path)
{
	uint8_t key[HASH_LEN];

	assert_ok(state_dir_key(s, path, strlen(path), key, &err));
	assert_ok(state_dir_keep(s, key, &err));
}

/* ${text} NULL: there is no such page. */
static inline UNUSED void
assert_page(struct state *s, const char *path, uint32_t page, const char *text)
{
	WR_AUTO struct wr w = {0};
	uint8_t key[HASH_LEN];

	assert_ok(state_dir_key(s, path, strlen(path), key, &err));
	if (text == NULL) {
		assert_rc(ERR_NOT_FOUND, state_dir_get(s, key, page, &w, &err));
		return;
	}
	assert_ok(state_dir_get(s, key, page, &w, &err));
	assert_int_equal(w.len, strlen(text));
	if (w.len > 0)
		assert_memory_equal(w.buf, text, w.len);
}

static inline UNUSED void
assert_snapshot(struct state *s, const struct state_base *want)
{
	struct state_base got;

	assert_ok(state_snapshot(s, &got, &err));
	assert_memory_equal(got.id, want->id, sizeof(got.id));
	assert_memory_equal(got.source, want->source, sizeof(got.source));
	assert_int_equal(got.prune, want->prune);
	assert_memory_equal(
	    got.prune_name, want->prune_name, sizeof(got.prune_name));
}

static inline UNUSED void
add_pending(struct state *s, uint8_t pack, const char *text)
{
	uint8_t name[OBJECT_NAME_LEN] = {pack};

	assert_ok(state_pending_add(
	    s, name, (const uint8_t *)text, strlen(text), &err));
}

static inline UNUSED int
gather(void *arg, const uint8_t *index, size_t len, UNUSED struct err *err)
{
	struct wr *w = arg;

	wr_bytes(w, index, len);
	wr_u8(w, ' ');
	return 0;
}

static inline UNUSED void
assert_pending(struct state *s, const char *text)
{
	WR_AUTO struct wr w = {0};

	assert_ok(state_pending_each(s, gather, &w, &err));
	wr_u8(&w, 0);
	assert_false(w.failed);
	assert_string_equal((char *)w.buf, text);
}

/* A first generation: a (two pages), a/b (one), c (empty page). */
static inline UNUSED void
publish_first(struct state *s)
{
	assert_ok(state_begin(s, &err));
	put(s, "a", 0, "a0");
	put(s, "a", 1, "a1");
	put(s, "a/b", 0, "b0");
	put(s, "c", 0, "");
	assert_ok(state_publish(s, &snap1, &err));
}

static inline UNUSED void
assert_first(struct state *s)
{
	assert_snapshot(s, &snap1);
	assert_page(s, "a", 0, "a0");
	assert_page(s, "a", 1, "a1");
	assert_page(s, "a", 2, NULL);
	assert_page(s, "a/b", 0, "b0");
	assert_page(s, "c", 0, "");
	assert_page(s, "d", 0, NULL);
}

#endif
