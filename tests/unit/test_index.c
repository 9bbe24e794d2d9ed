#include "snapshot/content/index_write.h"
#include "tests/unit/content_fixture.h"

/* An index's sizes, from FORMAT.md section 7. */
#define PAGE_ENTRIES 256
#define ENTRY 36
#define PAGE_SEGMENTS 1024
#define SEGMENT 8
#define PACK 37
#define TAG 16
#define HEADS 96

static struct index *
open_index(struct fixture *f, const struct object_ref *ref)
{
	struct index *ix;

	assert_ok(index_open(f->store, ref, f->kr, &ix, &err));
	return ix;
}

/* A pack that only an index knows: ${n} segments of ${len} sealed bytes. */
static void
made_up(struct packed *p, uint64_t first, size_t n, size_t per, uint32_t len)
{
	struct chunk_name name = name_of(first + 0x1000000);

	memset(p, 0, sizeof(*p));
	p->ref.cls = OBJECT_PACK;
	memcpy(p->ref.name, &name, sizeof(name));
	p->n = n;
	p->first = first;
	p->per_segment = per;
	for (size_t i = 0; i < n; i++) {
		p->places[i].number = (uint32_t)i;
		p->places[i].offset = 128 + (uint32_t)i * len;
		p->places[i].sealed_len = len;
	}
	p->size = pack_padded(128 + n * len + 100);
}

static void
assert_place(
    const struct chunk_place *place, const struct packed *p, size_t segment)
{
	assert_memory_equal(place->pack, p->ref.name, OBJECT_NAME_LEN);
	assert_int_equal(place->pack_size, p->size);
	assert_int_equal(place->kind, p->kind);
	assert_memory_equal(
	    &place->segment, &p->places[segment], sizeof(place->segment));
}

static void
assert_all_found(struct index *ix, const struct packed *p)
{
	for (size_t i = 0; i < p->n * p->per_segment; i++) {
		struct chunk_name name = name_of(p->first + i);
		struct chunk_place place;

		assert_ok(index_find(ix, &name, &place, &err));
		assert_place(&place, p, i / p->per_segment);
	}
}

static void
assert_not_found(struct index *ix, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		struct chunk_name name = name_of(i);
		struct chunk_place place;

		assert_rc(ERR_NOT_FOUND, index_find(ix, &name, &place, &err));
	}
}

static void
find__round_trips(void **state)
{
	/* Around page boundaries, and several pages. */
	static const size_t counts[] = {1, 2, 255, 256, 257, 512, 513, 5000};
	struct fixture *f = *state;
	struct packed packs[2];

	for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
		AUTO(index) struct index *ix = NULL;
		struct object_ref ref;

		made_up(&packs[0], 0, 1, counts[k], 1000);
		made_up(&packs[1], 100000, 3, 1, 2000);
		packs[1].kind = PACK_META;
		ref = put_index(f, packs, 2);
		ix = open_index(f, &ref);
		assert_int_equal(index_entries(ix), counts[k] + 3);
		assert_memory_equal(index_ref(ix)->name, ref.name, 32);
		assert_all_found(ix, &packs[0]);
		assert_all_found(ix, &packs[1]);
		assert_not_found(ix, 50000, 50300);
	}
}

/* Names that no hash would give: all of one page, then all at one end. */
static void
find__any_distribution_of_names(void **state)
{
	struct fixture *f = *state;
	AUTO(index_builder) struct index_builder *b = NULL;
	AUTO(index) struct index *ix = NULL;
	WR_AUTO struct wr w = {0};
	struct object_ref ref = {.cls = OBJECT_INDEX};
	struct packed p;
	struct chunk_name name = {{0}};
	struct chunk_place place;
	uint32_t pack;

	memcpy(ref.dataset, f->ks->dataset, sizeof(ref.dataset));
	made_up(&p, 0, 1, 1, 1000);
	assert_ok(index_builder_new(&b, &err));
	assert_ok(index_builder_pack(
	    b, &p.ref, p.size, p.kind, p.places, p.n, &pack, &err));
	for (unsigned i = 0; i < 4000; i++) {
		name.b[30] = (uint8_t)(i >> 8);
		name.b[31] = (uint8_t)i;
		assert_ok(index_builder_chunk(b, &name, pack, 0, &err));
	}
	memset(&name, 0xff, sizeof(name));
	assert_ok(index_builder_chunk(b, &name, pack, 0, &err));
	assert_ok(index_builder_finish(b, f->ks, &w, &err));
	assert_ok(index_open_bytes(w.buf, w.len, &ref, f->kr, &ix, &err));
	assert_int_equal(index_entries(ix), 4001);
	assert_ok(index_find(ix, &name, &place, &err));
	name.b[0] = 0xfe;
	assert_rc(ERR_NOT_FOUND, index_find(ix, &name, &place, &err));
	memset(&name, 0, sizeof(name));
	for (unsigned i = 0; i < 5000; i++) {
		name.b[30] = (uint8_t)(i >> 8);
		name.b[31] = (uint8_t)i;
		assert_rc(i < 4000 ? 0 : ERR_NOT_FOUND,
		    index_find(ix, &name, &place, &err));
	}
}

static void
find__a_name_before_the_first_reads_nothing(void **state)
{
	struct fixture *f = *state;
	AUTO(index) struct index *ix = NULL;
	struct packed p;
	struct object_ref ref;
	struct chunk_name zero = {{0}};
	struct chunk_place place;
	unsigned reads;

	made_up(&p, 0, 1, 5000, 1000);
	ref = put_index(f, &p, 1);
	ix = open_index(f, &ref);
	reads = memstore_reads(f->store);
	assert_rc(ERR_NOT_FOUND, index_find(ix, &zero, &place, &err));
	assert_int_equal(memstore_reads(f->store), reads);
}

static void
find__reads_one_page_once(void **state)
{
	struct fixture *f = *state;
	AUTO(index) struct index *ix = NULL;
	struct packed p;
	struct object_ref ref;
	struct chunk_name name = name_of(77);
	struct chunk_place place;
	unsigned reads;

	made_up(&p, 0, 1, 5000, 1000);
	ref = put_index(f, &p, 1);
	ix = open_index(f, &ref);
	reads = memstore_reads(f->store);
	assert_ok(index_find(ix, &name, &place, &err));
	assert_int_equal(memstore_reads(f->store), reads + 2);
	assert_all_found(ix, &p);
	/* 20 pages of names and one of segments, each read once. */
	assert_int_equal(memstore_reads(f->store), reads + 21);
}

/* Segments on both sides of a page's end, of packs that end elsewhere. */
static void
find__many_segments(void **state)
{
	struct fixture *f = *state;
	AUTO(index) struct index *ix = NULL;
	struct packed *packs = calloc(3, sizeof(*packs));
	struct object_ref ref;

	for (size_t i = 0; i < 3; i++)
		made_up(&packs[i], i * 1000, 1000, 1, 400 + (uint32_t)i);
	ref = put_index(f, packs, 3);
	ix = open_index(f, &ref);
	for (size_t i = 0; i < 3; i++)
		assert_all_found(ix, &packs[i]);
	free(packs);
}

static void
finish__bytes_are_as_specified(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	struct object_ref ref;
	const uint8_t *buf;
	size_t len;
	uint64_t s = HEADS + PACK + 2 * (PAGE_ENTRIES * ENTRY + TAG) +
		     88 * ENTRY + TAG + 2 * SEGMENT + TAG;

	made_up(&p, 0, 2, 300, 1000);
	ref = put_index(f, &p, 1);
	buf = memstore_bytes(f->store, &ref, &len);
	assert_memory_equal(buf, "VRVi\1\0\0\0", 8);
	assert_memory_equal(buf + 8, f->ks->dataset, 16);
	assert_memory_equal(buf + 24, "\1\0\0\0\1\0\0\0", 8);
	assert_memory_equal(buf + HEADS, p.ref.name, 32);
	assert_int_equal(buf[HEADS + 32], p.kind);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
		    buf[HEADS + 33 + i], (uint8_t)(p.size >> 8 * i));
	/* Segments of the pack (1), entries (2), 3 prefixes. */
	assert_int_equal(len, s + 1 + 2 + 3 * 8 + TAG + 16);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(buf[len - 16 + i], (uint8_t)(s >> 8 * i));
	assert_memory_equal(buf + len - 8, "\0\0\0\0VRVe", 8);
}

/* --- without a key ------------------------------------------------------ */

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

/* --- builder ------------------------------------------------------------ */

static void
builder__keeps_the_place_added_first(void **state)
{
	struct fixture *f = *state;
	AUTO(index) struct index *ix = NULL;
	struct packed packs[2];
	struct object_ref ref;

	made_up(&packs[0], 0, 2, 10, 1000);
	made_up(&packs[1], 0, 1, 20, 3000);
	packs[1].ref.name[0] ^= 1;
	ref = put_index(f, packs, 2);
	ix = open_index(f, &ref);
	assert_int_equal(index_entries(ix), 20);
	assert_all_found(ix, &packs[0]);
}

static void
builder__knows_a_pack_again(void **state)
{
	AUTO(index_builder) struct index_builder *b = NULL;
	struct packed p;
	uint32_t number;

	(void)state;
	assert_ok(index_builder_new(&b, &err));
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 300; i++) {
			made_up(&p, i, 2, 1, 1000 + i);
			assert_ok(index_builder_pack(b, &p.ref, p.size, p.kind,
			    p.places, p.n, &number, &err));
			assert_int_equal(number, i);
		}
	p.places[1].sealed_len++;
	assert_rc(ERR_CORRUPT, index_builder_pack(b, &p.ref, p.size, p.kind,
				   p.places, p.n, &number, &err));
	assert_rc(ERR_CORRUPT, index_builder_pack(b, &p.ref, p.size, p.kind,
				   p.places, 1, &number, &err));
}

static void
builder__refuses_what_an_index_cannot_say(void **state)
{
	struct fixture *f = *state;
	AUTO(index_builder) struct index_builder *b = NULL;
	WR_AUTO struct wr w = {0};
	struct chunk_name name = name_of(1);
	struct packed p;
	uint32_t pack;

	assert_ok(index_builder_new(&b, &err));
	assert_rc(ERR_USAGE, index_builder_finish(b, f->ks, &w, &err));
	made_up(&p, 0, 3, 1, 1000);
	assert_rc(ERR_USAGE, index_builder_pack(b, &p.ref, p.size, p.kind,
				 p.places, 0, &pack, &err));
	/* Not from its first segment on; with a gap; longer than the pack. */
	assert_rc(ERR_USAGE, index_builder_pack(b, &p.ref, p.size, p.kind,
				 p.places + 1, 2, &pack, &err));
	p.places[2].offset++;
	assert_rc(ERR_USAGE, index_builder_pack(b, &p.ref, p.size, p.kind,
				 p.places, 3, &pack, &err));
	p.places[2].offset--;
	assert_rc(ERR_USAGE, index_builder_pack(b, &p.ref, 2000, p.kind,
				 p.places, 3, &pack, &err));
	assert_ok(index_builder_pack(
	    b, &p.ref, p.size, p.kind, p.places, 3, &pack, &err));
	assert_rc(ERR_USAGE, index_builder_chunk(b, &name, pack, 3, &err));
	assert_rc(ERR_USAGE, index_builder_chunk(b, &name, pack + 1, 0, &err));
	assert_int_equal(index_builder_entries(b), 0);
}

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

/* --- keys, damage ------------------------------------------------------- */

static void
open__a_writer_can_read_it(void **state)
{
	struct fixture *f = *state;
	AUTO(index) struct index *ix = NULL;
	struct packed p;
	struct object_ref ref;

	made_up(&p, 0, 1, 10, 1000);
	ref = put_index(f, &p, 1);
	assert_ok(index_open(f->store, &ref, f->writer_kr, &ix, &err));
	assert_all_found(ix, &p);
}

static void
open__of_another_dataset_or_key(void **state)
{
	struct fixture *f = *state;
	struct fixture other = {.store = f->store};
	struct packed p;
	struct object_ref ref, moved;
	struct index *ix;
	uint8_t *buf;
	size_t len;

	made_up(&p, 0, 1, 10, 1000);
	fixture_keys(&other, "other");
	ref = put_index(&other, &p, 1);
	moved = ref;
	memcpy(moved.dataset, f->ks->dataset, sizeof(moved.dataset));
	buf = memstore_bytes(f->store, &ref, &len);
	memstore_set(f->store, &moved, buf, len);
	assert_fails(ERR_CORRUPT, "another dataset",
	    index_open(f->store, &moved, f->kr, &ix, &err));
	buf = memstore_bytes(f->store, &moved, &len);
	memcpy(buf + 8, f->ks->dataset, 16);
	assert_rc(ERR_AUTH, index_open(f->store, &moved, f->kr, &ix, &err));
	buf[24] = 2;
	assert_rc(ERR_DENIED, index_open(f->store, &moved, f->kr, &ix, &err));
	assert_null(ix);
	fixture_free_keys(&other);
}

/* Open and look everything up: the first failure, or 0. */
static int
read_all(struct fixture *f, const uint8_t *buf, size_t len, struct err *err)
{
	AUTO(index) struct index *ix = NULL;
	struct object_ref ref = {.cls = OBJECT_INDEX};
	uint8_t *exact = malloc(len);
	struct chunk_place place;
	int rc;

	/* In memory that ends where the bytes do, so that ASan sees. */
	memcpy(exact, buf, len);
	memcpy(ref.dataset, f->ks->dataset, sizeof(ref.dataset));
	rc = index_open_bytes(exact, len, &ref, f->kr, &ix, err);
	for (uint64_t i = 0; rc == 0 && i < 20; i++) {
		struct chunk_name name = name_of(i);

		rc = index_find(ix, &name, &place, err);
	}
	index_close(STEAL(ix));
	free(exact);
	return rc;
}

static void
read__every_truncation_fails(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	struct object_ref ref;
	const uint8_t *buf;
	size_t len;

	made_up(&p, 0, 2, 10, 1000);
	ref = put_index(f, &p, 1);
	buf = memstore_bytes(f->store, &ref, &len);
	for (size_t cut = 0; cut < len; cut++)
		assert_rc(ERR_CORRUPT, read_all(f, buf, cut, &err));
	assert_ok(read_all(f, buf, len, &err));
}

static bool
right_failure(size_t at, int rc)
{
	if (at >= 4 && at < 6)
		return rc == ERR_VERSION;
	if (at >= 24 && at < 28)
		return rc == ERR_DENIED; /* of an epoch that we lack */
	if (at >= 32 && at < 96)
		return rc == ERR_AUTH;
	return rc == ERR_CORRUPT;
}

static void
read__every_bit_flip_fails(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	struct object_ref ref;
	uint8_t *buf;
	size_t len;

	made_up(&p, 0, 2, 10, 1000);
	ref = put_index(f, &p, 1);
	buf = memstore_bytes(f->store, &ref, &len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct err err = {0};
		int rc;

		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		rc = read_all(f, buf, len, &err);
		if (!right_failure(bit / 8, rc))
			fail_msg("bit %zu: %d: %s", bit, rc, err.text);
		assert_int_equal(err.code, rc);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void
read__swapped_pages_fail(void **state)
{
	const size_t page = PAGE_ENTRIES * ENTRY + TAG;
	struct fixture *f = *state;
	struct packed p;
	struct object_ref ref;
	uint8_t *buf, *hold = malloc(page);
	size_t len;

	made_up(&p, 0, 2, 1100, 1000);
	ref = put_index(f, &p, 1);
	buf = memstore_bytes(f->store, &ref, &len) + HEADS + PACK;
	memcpy(hold, buf, page);
	memcpy(buf, buf + page, page);
	memcpy(buf + page, hold, page);
	buf = memstore_bytes(f->store, &ref, &len);
	assert_fails(ERR_CORRUPT, "damaged", read_all(f, buf, len, &err));
	free(hold);
}

static void
open__missing_is_not_damaged(void **state)
{
	struct fixture *f = *state;
	AUTO(index) struct index *ix = NULL;
	struct index *again;
	struct packed p;
	struct object_ref ref;
	struct chunk_name name = name_of(1);
	struct chunk_place place;

	made_up(&p, 0, 1, 10, 1000);
	ref = put_index(f, &p, 1);
	ix = open_index(f, &ref);
	memstore_fail(f->store, ERR_IO);
	assert_rc(ERR_IO, index_find(ix, &name, &place, &err));
	assert_rc(ERR_IO, index_open(f->store, &ref, f->kr, &again, &err));
	/* A failure is not remembered. */
	memstore_fail(f->store, 0);
	assert_ok(index_find(ix, &name, &place, &err));
	assert_ok(store_remove(f->store, &ref, &err));
	assert_rc(
	    ERR_NOT_FOUND, index_open(f->store, &ref, f->kr, &again, &err));
	/* What is in memory stays of use. */
	assert_ok(index_find(ix, &name, &place, &err));
}

/* --- malformed, but sealed by somebody who has the key ------------------ */

#define SEALED 100 /* of each segment below */

struct parts {
	struct index_summary s;
	uint64_t firsts[2];
	struct index_pack packs[2];
	struct index_segment segments[3];
};

/* Two pages; two packs of 2 segments and 1. */
static void
make_parts(struct parts *p)
{
	*p = (struct parts){
	    .packs = {{.name = {1}, .size = 1024, .n = 2},
		{.kind = PACK_META, .size = 1024, .first = 2, .n = 1}},
	    .segments = {{128, SEALED}, {128 + SEALED, SEALED}, {128, SEALED}},
	};
	p->firsts[0] = 0x0101010101010101;
	p->firsts[1] = 0x0202020202020202;
	p->s = (struct index_summary){
	    .entries = PAGE_ENTRIES + 2,
	    .npages = 2,
	    .firsts = p->firsts,
	    .npacks = 2,
	    .packs = p->packs,
	    .nsegments = 3,
	};
}

/* Decode what ${p} says, but for the last ${cut} bytes of the summary. */
static int
decode_parts(const struct parts *p, size_t cut, struct err *err)
{
	INDEX_SUMMARY_AUTO struct index_summary out = {0};
	WR_AUTO struct wr packs = {0};
	WR_AUTO struct wr w = {0};
	int rc;

	for (size_t i = 0; i < p->s.npacks; i++)
		index_pack_encode(&p->packs[i], &packs);
	index_summary_encode(&p->s, &w);
	rc = index_packs_decode(packs.buf, p->s.npacks, &out, err);
	return rc != 0 ? rc
		       : index_summary_decode(w.buf, w.len - cut, &out, err);
}

/* One field of ${p} is wrong. */
#define summary_fails(change)                                                  \
	do {                                                                   \
		make_parts(&p);                                                \
		change;                                                        \
		assert_rc(ERR_CORRUPT, decode_parts(&p, 0, &err));             \
	} while (0)

static void
summary__malformed_fields_fail(void **state)
{
	struct parts p;

	(void)state;
	make_parts(&p);
	assert_ok(decode_parts(&p, 0, &err));
	summary_fails(p.s.entries = 0);
	summary_fails(p.s.entries = PAGE_ENTRIES);
	summary_fails(p.s.entries = 2 * PAGE_ENTRIES + 1);
	summary_fails(p.s.entries = (uint64_t)1 << 40);
	summary_fails(p.firsts[1] = p.firsts[0] - 1);
	summary_fails(p.packs[1].kind = 2);
	summary_fails(
	    memcpy(p.packs[0].name, p.packs[1].name, sizeof(p.packs[0].name)));
	summary_fails(p.packs[0].size = PACK_LIMIT + 1);
	summary_fails(p.packs[0].n = 0);
	summary_fails(p.packs[0].n = PACK_LIMIT + 1);
	/* Names are long enough to be told apart by their first bytes, but need
	 * not be. */
	make_parts(&p);
	p.firsts[1] = p.firsts[0];
	assert_ok(decode_parts(&p, 0, &err));
}

static void
summary__leftovers_and_truncations_fail(void **state)
{
	INDEX_SUMMARY_AUTO struct index_summary whole = {0};
	WR_AUTO struct wr packs = {0};
	WR_AUTO struct wr w = {0};
	struct parts p;

	(void)state;
	make_parts(&p);
	index_summary_encode(&p.s, &w);
	for (size_t cut = 1; cut <= w.len; cut++)
		assert_rc(ERR_CORRUPT, decode_parts(&p, cut, &err));
	for (size_t i = 0; i < p.s.npacks; i++)
		index_pack_encode(&p.packs[i], &packs);
	wr_u8(&w, 0);
	assert_ok(index_packs_decode(packs.buf, p.s.npacks, &whole, &err));
	assert_rc(
	    ERR_CORRUPT, index_summary_decode(w.buf, w.len, &whole, &err));
}

#define segment_fails(i, change)                                               \
	do {                                                                   \
		make_parts(&p);                                                \
		change;                                                        \
		assert_false(index_segment_ok(&p.s, i, &p.segments[i]));       \
	} while (0)

static void
segment__malformed_fails(void **state)
{
	struct parts p;

	(void)state;
	make_parts(&p);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(index_segment_ok(&p.s, i, &p.segments[i]));
	segment_fails(1, p.packs[0].size = 128 + 2 * SEALED + 16);
	/* Before the first place, and after it; too short; too long. */
	segment_fails(0, p.segments[0].offset = 127);
	segment_fails(0, p.segments[0].offset = 129);
	segment_fails(1, p.segments[1].offset = 127);
	segment_fails(2, p.segments[2].offset++);
	segment_fails(2, p.segments[2].sealed_len = 16);
	segment_fails(2, p.segments[2].sealed_len = 1024);
	segment_fails(2, p.segments[2].sealed_len = UINT32_MAX);
}

/* The second page: two entries, the second of them up to the caller. */
static void
page_rc(int want, uint8_t first, uint8_t second, uint32_t segment)
{
	WR_AUTO struct wr w = {0};
	struct index_entry e[2] = {{.segment = 0}, {.segment = segment}};
	struct parts p;

	make_parts(&p);
	memset(&e[0].name, first, sizeof(e[0].name));
	memset(&e[1].name, second, sizeof(e[1].name));
	index_entry_encode(&e[0], &w);
	index_entry_encode(&e[1], &w);
	assert_rc(want, index_page_check(&p.s, 1, w.buf, w.len, &err));
	assert_rc(
	    ERR_CORRUPT, index_page_check(&p.s, 1, w.buf, w.len - 1, &err));
	/* As the first page it would have to be full. */
	assert_rc(ERR_CORRUPT, index_page_check(&p.s, 0, w.buf, w.len, &err));
}

static void
page__malformed_entries_fail(void **state)
{
	(void)state;
	page_rc(0, 2, 3, 2);
	page_rc(ERR_CORRUPT, 2, 3, 3);
	page_rc(ERR_CORRUPT, 2, 2, 0);
	page_rc(ERR_CORRUPT, 2, 1, 0);
	page_rc(ERR_CORRUPT, 1, 3, 0);
}

/* The first page, full: its last name is up to the caller. */
static void
page__must_end_before_the_next(void **state)
{
	WR_AUTO struct wr w = {0};
	struct index_entry e = {.segment = 0};
	struct parts p;
	uint8_t *last;

	(void)state;
	make_parts(&p);
	p.firsts[0] = 0;
	for (unsigned i = 0; i < PAGE_ENTRIES; i++) {
		e.name.b[30] = (uint8_t)(i >> 8);
		e.name.b[31] = (uint8_t)i;
		index_entry_encode(&e, &w);
	}
	assert_ok(index_page_check(&p.s, 0, w.buf, w.len, &err));
	last = w.buf + w.len - ENTRY;
	memset(last, 2, 32);
	last[7] = 3;
	assert_rc(ERR_CORRUPT, index_page_check(&p.s, 0, w.buf, w.len, &err));
	last[7] = 2;
	assert_ok(index_page_check(&p.s, 0, w.buf, w.len, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(find__round_trips),
	    content_test(find__any_distribution_of_names),
	    content_test(find__a_name_before_the_first_reads_nothing),
	    content_test(find__reads_one_page_once),
	    content_test(find__many_segments),
	    content_test(finish__bytes_are_as_specified),
	    content_test(peek__lists_all_packs_in_order),
	    content_test(peek__refuses_what_is_no_index),
	    content_test(builder__keeps_the_place_added_first),
	    content_test(builder__knows_a_pack_again),
	    content_test(builder__refuses_what_an_index_cannot_say),
	    content_test(each__visits_all_in_order),
	    content_test(each_pack__visits_all_in_order),
	    content_test(merge__finds_all_of_both),
	    content_test(each_pack__refuses_gaps_and_overlaps),
	    content_test(join__finds_all_of_all),
	    content_test(join__is_as_if_built_at_once),
	    content_test(join__takes_the_place_that_the_last_one_says),
	    content_test(join__refuses_a_pack_listed_in_two_ways),
	    content_test(open__a_writer_can_read_it),
	    content_test(open__of_another_dataset_or_key),
	    content_test(read__every_truncation_fails),
	    content_test(read__every_bit_flip_fails),
	    content_test(read__swapped_pages_fail),
	    content_test(open__missing_is_not_damaged),
	    cmocka_unit_test(summary__malformed_fields_fail),
	    cmocka_unit_test(summary__leftovers_and_truncations_fail),
	    cmocka_unit_test(segment__malformed_fails),
	    cmocka_unit_test(page__malformed_entries_fail),
	    cmocka_unit_test(page__must_end_before_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
