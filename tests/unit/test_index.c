/* An index: what is put into one is found in it. */
#include "tests/unit/index_fixture.h"

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

/* One of a pack with 5,000 chunks, and how much has been read by then. */
static struct index *
open_5000(struct fixture *f, struct packed *p, unsigned *reads)
{
	struct object_ref ref;
	struct index *ix;

	made_up(p, 0, 1, 5000, 1000);
	ref = put_index(f, p, 1);
	ix = open_index(f, &ref);
	*reads = memstore_reads(f->store);
	return ix;
}

static void
find__a_name_before_the_first_reads_nothing(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	struct chunk_name zero = {{0}};
	struct chunk_place place;
	unsigned reads;
	AUTO(index) struct index *ix = open_5000(f, &p, &reads);

	assert_rc(ERR_NOT_FOUND, index_find(ix, &zero, &place, &err));
	assert_int_equal(memstore_reads(f->store), reads);
}

static void
find__reads_one_page_once(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	struct chunk_name name = name_of(77);
	struct chunk_place place;
	unsigned reads;
	AUTO(index) struct index *ix = open_5000(f, &p, &reads);

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

/* --- keys ---------------------------------------------------------------- */

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
	    content_test(builder__keeps_the_place_added_first),
	    content_test(builder__knows_a_pack_again),
	    content_test(builder__refuses_what_an_index_cannot_say),
	    content_test(open__a_writer_can_read_it),
	    content_test(open__of_another_dataset_or_key),
	    content_test(open__missing_is_not_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
