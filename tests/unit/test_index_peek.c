/* What an index lists in the clear, for who has no key. */
#include "snapshot/content/name_set.h"
#include "tests/unit/index_fixture.h"

struct peeked {
	const struct packed *packs;
	size_t n;
	size_t stop; /* after that many */
};

static int
visit_listed(void *arg, const struct object_ref *ref, uint64_t size,
    enum pack_kind kind, struct err *err)
{
	struct peeked *w = arg;
	const struct packed *p = &w->packs[w->n++];

	assert_int_equal(ref->cls, OBJECT_PACK);
	assert_memory_equal(ref->name, p->ref.name, 32);
	assert_int_equal(size, p->size);
	assert_int_equal(kind, p->kind);
	return w->n == w->stop ? err_set(err, ERR_CANCELLED, "enough") : 0;
}

static void
peek__lists_all_packs_in_order(void **state)
{
	struct fixture *f = *state;
	const size_t n = 2500; /* more than are read at a time */
	struct packed *packs = calloc(n, sizeof(*packs));
	struct peeked w = {.packs = packs};
	struct object_ref ref;

	for (size_t i = 0; i < n; i++) {
		made_up(&packs[i], i, 1, 1, (uint32_t)(1000 + i));
		packs[i].kind = i % 3 == 0 ? PACK_META : PACK_DATA;
	}
	ref = put_index(f, packs, n);
	assert_ok(index_peek(f->store, &ref, visit_listed, &w, &err));
	assert_int_equal(w.n, n);
	w = (struct peeked){.packs = packs, .stop = 2000};
	assert_rc(
	    ERR_CANCELLED, index_peek(f->store, &ref, visit_listed, &w, &err));
	assert_int_equal(w.n, 2000);
	free(packs);
}

static void
peek__refuses_what_is_no_index(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	struct peeked w = {.packs = &p};
	struct object_ref ref, other;
	uint8_t *buf;
	size_t len;

	made_up(&p, 0, 1, 10, 1000);
	ref = put_index(f, &p, 1);
	buf = memstore_bytes(f->store, &ref, &len);
	other = ref;
	other.dataset[0] ^= 1;
	memstore_set(f->store, &other, buf, len);
	assert_fails(ERR_CORRUPT, "another dataset",
	    index_peek(f->store, &other, visit_listed, &w, &err));
	/* Cut off inside the list. */
	memstore_set(f->store, &ref, buf, HEADS + PACK - 1);
	assert_rc(
	    ERR_CORRUPT, index_peek(f->store, &ref, visit_listed, &w, &err));
	buf = memstore_bytes(f->store, &other, &len);
	memcpy(buf + 8, ref.dataset, 16);
	memstore_set(f->store, &ref, buf, len);
	buf = memstore_bytes(f->store, &ref, &len);
	assert_ok(index_peek(f->store, &ref, visit_listed, &w, &err));
	buf[HEADS + 32] = 2; /* a kind that there is not */
	assert_fails(ERR_CORRUPT, "malformed pack",
	    index_peek(f->store, &ref, visit_listed, &w, &err));
	buf[28] = 0; /* no packs */
	assert_rc(
	    ERR_CORRUPT, index_peek(f->store, &ref, visit_listed, &w, &err));
	buf[4] = 2;
	assert_rc(
	    ERR_VERSION, index_peek(f->store, &ref, visit_listed, &w, &err));
	assert_ok(store_remove(f->store, &ref, &err));
	assert_rc(
	    ERR_NOT_FOUND, index_peek(f->store, &ref, visit_listed, &w, &err));
	assert_int_equal(w.n, 1);
}

/* --- as a set ------------------------------------------------------------ */

static void
assert_listed(const struct name_set *set, const struct packed *packs, size_t n)
{
	assert_int_equal(set->n, n);
	for (size_t i = 0; i < n; i++)
		assert_true(name_set_has_object(set, packs[i].ref.name));
}

static void
listed__adds_each_pack_once(void **state)
{
	struct fixture *f = *state;
	struct name_set set = {0};
	struct packed packs[3];
	struct object_ref refs[2];

	for (size_t i = 0; i < 3; i++)
		made_up(&packs[i], i, 1, 1, 1000);
	refs[0] = put_index(f, packs, 2);
	refs[1] = put_index(f, packs + 1, 2);
	assert_ok(index_listed(f->store, &refs[0], &set, &err));
	assert_listed(&set, packs, 2);
	assert_ok(index_listed(f->store, &refs[1], &set, &err));
	assert_listed(&set, packs, 3);
	assert_ok(store_remove(f->store, &refs[1], &err));
	assert_rc(ERR_NOT_FOUND, index_listed(f->store, &refs[1], &set, &err));
	name_set_clear(&set);
}

static void
listed_all__passes_over_what_is_gone_or_damaged(void **state)
{
	struct fixture *f = *state;
	struct name_set set = {0};
	struct packed packs[4];
	uint8_t names[4][OBJECT_NAME_LEN];
	const uint8_t(*all)[OBJECT_NAME_LEN] = (const void *)names;
	struct object_ref refs[4];
	uint8_t *buf;
	size_t len;

	for (size_t i = 0; i < 4; i++) {
		made_up(&packs[i], i, 1, 1, 1000);
		refs[i] = put_index(f, &packs[i], 1);
		memcpy(names[i], refs[i].name, sizeof(names[i]));
	}
	assert_ok(store_remove(f->store, &refs[2], &err));
	buf = memstore_bytes(f->store, &refs[3], &len);
	buf[28] = 0; /* no packs */
	/* Those before it, and one behind. */
	memcpy(names[1], refs[3].name, sizeof(names[1]));
	memcpy(names[3], refs[1].name, sizeof(names[3]));
	assert_ok(
	    index_listed_all(f->store, f->ks->dataset, all, 4, &set, &err));
	assert_listed(&set, packs, 2);
	/* Anything else is not passed over. */
	buf[4] = 2;
	assert_rc(ERR_VERSION,
	    index_listed_all(f->store, f->ks->dataset, all, 4, &set, &err));
	memstore_fail(f->store, ERR_IO);
	assert_rc(ERR_IO,
	    index_listed_all(f->store, f->ks->dataset, all, 1, &set, &err));
	name_set_clear(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(peek__lists_all_packs_in_order),
	    content_test(peek__refuses_what_is_no_index),
	    content_test(listed__adds_each_pack_once),
	    content_test(listed_all__passes_over_what_is_gone_or_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
