/* All that is in an index, in order; and what is made of several. */
#include "tests/unit/index_fixture.h"

/* --- walking and merging ------------------------------------------------ */

struct walk {
	const struct packed *packs;
	size_t n;
	struct chunk_name last;
	size_t stop; /* after that many */
};

static int
visit_entry(void *arg, const struct chunk_name *name,
    const struct chunk_place *place, struct err *err)
{
	struct walk *w = arg;

	if (w->n > 0)
		assert_true(memcmp(&w->last, name, sizeof(*name)) < 0);
	assert_memory_equal(place->pack, w->packs[0].ref.name, 32);
	w->last = *name;
	return ++w->n == w->stop ? err_set(err, ERR_CANCELLED, "enough") : 0;
}

static int
visit_pack(void *arg, const struct object_ref *ref, uint64_t size,
    enum pack_kind kind, const struct segment_place *places, size_t n,
    struct err *err)
{
	struct walk *w = arg;
	const struct packed *p = &w->packs[w->n++];

	(void)err;
	assert_int_equal(ref->cls, OBJECT_PACK);
	assert_memory_equal(ref->name, p->ref.name, 32);
	assert_int_equal(size, p->size);
	assert_int_equal(kind, p->kind);
	assert_int_equal(n, p->n);
	assert_memory_equal(places, p->places, n * sizeof(*places));
	return 0;
}

static void
each__visits_all_in_order(void **state)
{
	struct fixture *f = *state;
	AUTO(index) struct index *ix = NULL;
	struct packed p;
	struct object_ref ref;
	struct walk w = {.packs = &p};

	made_up(&p, 0, 3, 1000, 1000);
	ref = put_index(f, &p, 1);
	ix = open_index(f, &ref);
	assert_ok(index_each(ix, visit_entry, &w, &err));
	assert_int_equal(w.n, 3000);
	w = (struct walk){.packs = &p, .stop = 2000};
	assert_rc(ERR_CANCELLED, index_each(ix, visit_entry, &w, &err));
	assert_int_equal(w.n, 2000);
}

static void
each_pack__visits_all_in_order(void **state)
{
	struct fixture *f = *state;
	AUTO(index) struct index *ix = NULL;
	struct packed packs[3];
	struct object_ref ref;
	struct walk w = {.packs = packs};

	made_up(&packs[0], 0, 3, 2, 1000);
	made_up(&packs[1], 100, 7, 2, 500);
	packs[1].kind = PACK_META;
	made_up(&packs[2], 200, 1, 2, 70);
	ref = put_index(f, packs, 3);
	ix = open_index(f, &ref);
	assert_ok(index_each_pack(ix, visit_pack, &w, &err));
	assert_int_equal(w.n, 3);
}

static void
merge__finds_all_of_both(void **state)
{
	struct fixture *f = *state;
	AUTO(index_builder) struct index_builder *b = NULL;
	AUTO(index) struct index *one = NULL;
	AUTO(index) struct index *two = NULL;
	AUTO(index) struct index *both = NULL;
	WR_AUTO struct wr w = {0};
	struct packed packs[3];
	struct object_ref first, second;

	made_up(&packs[0], 0, 3, 500, 1000);
	made_up(&packs[1], 10000, 4, 300, 2000);
	made_up(&packs[2], 20000, 2, 700, 300);
	/* The middle one is in both. */
	first = put_index(f, packs, 2);
	second = put_index(f, packs + 1, 2);
	one = open_index(f, &first);
	two = open_index(f, &second);
	assert_ok(index_builder_new(&b, &err));
	assert_ok(index_merge(one, b, &err));
	assert_ok(index_merge(two, b, &err));
	assert_ok(index_builder_finish(b, f->ks, &w, &err));
	assert_ok(index_open_bytes(w.buf, w.len, &first, f->kr, &both, &err));
	assert_int_equal(index_entries(both), 1500 + 1200 + 1400);
	for (size_t i = 0; i < 3; i++)
		assert_all_found(both, &packs[i]);
}

/* --- an index that lies ------------------------------------------------- */

static int
put_bytes(void *arg, const void *buf, size_t len, struct err *err)
{
	(void)err;
	wr_bytes(arg, buf, len);
	return 0;
}

/* All segments of two packs in order, each where ${places} says. */
static int
visit_lying(struct fixture *f, const uint32_t places[3], struct err *why)
{
	INDEX_WRITER_AUTO struct index_writer iw = {0};
	AUTO(index) struct index *ix = NULL;
	WR_AUTO struct wr w = {0};
	struct index_pack packs[2] = {{.name = {1}, .size = 2048, .n = 2},
	    {.name = {2}, .size = 2048, .first = 2, .n = 1}};
	struct object_ref ref = {.cls = OBJECT_INDEX};
	const struct index_entry e = {.name = name_of(1), .segment = 0};
	struct packed two[2];
	struct walk walk = {.packs = two};

	for (size_t i = 0; i < 2; i++) {
		memset(&two[i], 0, sizeof(two[i]));
		memcpy(two[i].ref.name, packs[i].name, OBJECT_NAME_LEN);
		two[i].size = 2048;
		two[i].n = packs[i].n;
		for (uint32_t k = 0; k < packs[i].n; k++)
			two[i].places[k] = (struct segment_place){
			    k, places[packs[i].first + k], 100};
	}
	memcpy(ref.dataset, f->ks->dataset, sizeof(ref.dataset));
	assert_ok(
	    index_writer_begin(&iw, packs, 2, f->ks, put_bytes, &w, &err));
	assert_ok(index_writer_entry(&iw, &e, &err));
	for (size_t i = 0; i < 3; i++)
		assert_ok(index_writer_segment(
		    &iw, &(struct index_segment){places[i], 100}, &err));
	assert_ok(index_writer_end(&iw, &err));
	assert_ok(index_open_bytes(w.buf, w.len, &ref, f->kr, &ix, &err));
	return index_each_pack(ix, visit_pack, &walk, why);
}

static void
each_pack__refuses_gaps_and_overlaps(void **state)
{
	struct fixture *f = *state;

	assert_ok(visit_lying(f, (const uint32_t[]){128, 228, 128}, &err));
	assert_rc(ERR_CORRUPT,
	    visit_lying(f, (const uint32_t[]){128, 229, 128}, &err));
	assert_rc(ERR_CORRUPT,
	    visit_lying(f, (const uint32_t[]){128, 227, 128}, &err));
	assert_rc(ERR_CORRUPT,
	    visit_lying(f, (const uint32_t[]){129, 229, 128}, &err));
	assert_rc(ERR_CORRUPT,
	    visit_lying(f, (const uint32_t[]){128, 228, 328}, &err));
}

/* --- joining ------------------------------------------------------------ */

/* Store what ${refs} list as one index, and open that. */
static struct index *
join(struct fixture *f, const struct object_ref *refs, size_t n)
{
	struct index *v[8];
	struct object_ref ref;

	for (size_t i = 0; i < n; i++)
		v[i] = open_index(f, &refs[i]);
	assert_ok(index_join(f->store, f->ks, v, n, &ref, &err));
	for (size_t i = 0; i < n; i++)
		index_close(v[i]);
	return open_index(f, &ref);
}

static void
join__finds_all_of_all(void **state)
{
	struct fixture *f = *state;
	struct packed *packs = calloc(6, sizeof(*packs));
	AUTO(index) struct index *all = NULL;
	struct object_ref refs[3];
	struct walk w = {.packs = packs};

	/* Two are in two of them; segments end elsewhere than pages. */
	for (size_t i = 0; i < 6; i++)
		made_up(&packs[i], i * 10000, 100 + 180 * i, 2, 700);
	refs[0] = put_index(f, packs, 3);
	refs[1] = put_index(f, packs + 2, 3);
	refs[2] = put_index(f, packs + 3, 3);
	all = join(f, refs, 3);
	for (size_t i = 0; i < 6; i++)
		assert_all_found(all, &packs[i]);
	assert_not_found(all, 5000, 5100);
	assert_ok(index_each_pack(all, visit_pack, &w, &err));
	assert_int_equal(w.n, 6);
	free(packs);
}

/* The bytes are those of an index that one builder made. */
static void
join__is_as_if_built_at_once(void **state)
{
	struct fixture *f = *state;
	AUTO(index) struct index *all = NULL;
	AUTO(index) struct index *once = NULL;
	struct packed packs[2];
	struct object_ref refs[2], ref;
	size_t a, b;

	made_up(&packs[0], 0, 3, 500, 1000);
	made_up(&packs[1], 10000, 4, 300, 2000);
	refs[0] = put_index(f, &packs[0], 1);
	refs[1] = put_index(f, &packs[1], 1);
	ref = put_index(f, packs, 2);
	all = join(f, refs, 2);
	once = open_index(f, &ref);
	assert_int_equal(index_entries(all), index_entries(once));
	(void)memstore_bytes(f->store, index_ref(all), &a);
	(void)memstore_bytes(f->store, &ref, &b);
	assert_int_equal(a, b);
}

static void
join__takes_the_place_that_the_last_one_says(void **state)
{
	struct fixture *f = *state;
	AUTO(index) struct index *all = NULL;
	struct packed packs[3];
	struct object_ref refs[3];

	made_up(&packs[0], 0, 2, 600, 1000);
	made_up(&packs[1], 0, 1, 400, 3000);
	packs[1].ref.name[0] ^= 1;
	made_up(&packs[2], 400, 1, 100, 3000);
	for (size_t i = 0; i < 3; i++)
		refs[i] = put_index(f, &packs[i], 1);
	all = join(f, refs, 3);
	assert_int_equal(index_entries(all), 1200);
	assert_all_found(all, &packs[1]);
	assert_all_found(all, &packs[2]);
}

static void
join__refuses_a_pack_listed_in_two_ways(void **state)
{
	struct fixture *f = *state;
	struct index *v[2];
	struct packed packs[2];
	struct object_ref refs[2], ref;

	for (size_t i = 0; i < 2; i++) {
		made_up(&packs[i], 0, 2, 10, 1000);
		packs[i].kind = i == 0 ? PACK_DATA : PACK_META;
		refs[i] = put_index(f, &packs[i], 1);
		v[i] = open_index(f, &refs[i]);
	}
	assert_fails(ERR_CORRUPT, "two ways",
	    index_join(f->store, f->ks, v, 2, &ref, &err));
	for (size_t i = 0; i < 2; i++)
		index_close(v[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(each__visits_all_in_order),
	    content_test(each_pack__visits_all_in_order),
	    content_test(merge__finds_all_of_both),
	    content_test(each_pack__refuses_gaps_and_overlaps),
	    content_test(join__finds_all_of_all),
	    content_test(join__is_as_if_built_at_once),
	    content_test(join__takes_the_place_that_the_last_one_says),
	    content_test(join__refuses_a_pack_listed_in_two_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
