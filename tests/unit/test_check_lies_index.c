/* Packs and indexes that are authentic and wrong: see test_check_lies.c. */
#include "tests/unit/forge.h"

/* A pack of two segments of a chunk each, and what an index says of it. */
struct pair {
	struct object_ref ref;
	uint64_t size;
	struct segment_place places[2];
	struct chunk_name names[2];
};

static void
add_segment(struct pack_writer *w, const struct chunk_name *name,
    const char *text, struct segment_place *place)
{
	AUTO(segment_builder) struct segment_builder *b = NULL;
	WR_AUTO struct wr plain_text = {0};

	assert_ok(segment_builder_new(&b, &err));
	assert_ok(
	    segment_builder_add(b, name, CHUNK_DATA, text, strlen(text), &err));
	assert_ok(segment_builder_finish(b, &plain_text, &err));
	assert_ok(
	    pack_writer_add(w, plain_text.buf, plain_text.len, place, &err));
}

/* The chunks "one" and "two"; with ${lie} the second is called otherwise. */
static struct pair
put_pair(struct forge *f, bool lie)
{
	AUTO(packrun) struct packrun *run = NULL;
	AUTO(pack_writer) struct pack_writer *w = NULL;
	const struct keyset *ks = keyring_latest(f->ds->keys);
	struct namer *namer = ingest_lane_namer(f->lane);
	struct pair p;

	assert_ok(namer_name(namer, CHUNK_DATA, "one", 3, &p.names[0], &err));
	assert_ok(namer_name(namer, CHUNK_DATA, lie ? "2" : "two", lie ? 1 : 3,
	    &p.names[1], &err));
	assert_ok(packrun_new(&ks->seal_pub, f->ds->id, ks->epoch, &run, &err));
	assert_ok(pack_writer_new(
	    access_store(f->r->admin), run, f->ds->id, PACK_DATA, &w, &err));
	add_segment(w, &p.names[0], "one", &p.places[0]);
	add_segment(w, &p.names[1], "two", &p.places[1]);
	assert_ok(pack_writer_commit(w, &p.ref, &p.size, &err));
	return p;
}

/* An index of the pair, by its chunks' segments, in front of ingest's own. */
static void
put_index(struct forge *f, const struct pair *p, uint32_t one, uint32_t two)
{
	AUTO(index_builder) struct index_builder *b = NULL;
	WR_AUTO struct wr w = {0};
	struct object_ref ref = {.cls = OBJECT_INDEX};
	uint32_t pack;

	assert_ok(index_builder_new(&b, &err));
	assert_ok(index_builder_pack(
	    b, &p->ref, p->size, PACK_DATA, p->places, 2, &pack, &err));
	assert_ok(index_builder_chunk(b, &p->names[0], pack, one, &err));
	assert_ok(index_builder_chunk(b, &p->names[1], pack, two, &err));
	assert_ok(
	    index_builder_finish(b, keyring_latest(f->ds->keys), &w, &err));
	memcpy(ref.dataset, f->ds->id, sizeof(ref.dataset));
	assert_ok(
	    store_put(access_store(f->r->admin), &ref, w.buf, w.len, &err));
	f->indexes =
	    realloc(f->indexes, (f->nindexes + 1) * sizeof(*f->indexes));
	assert_non_null(f->indexes);
	memcpy(f->indexes[f->nindexes++], ref.name, OBJECT_NAME_LEN);
}

/* The root, in a run of its own, with a file for each chunk. */
static void
publish_pair(struct forge *f, const struct pair *p)
{
	uint8_t(*names)[OBJECT_NAME_LEN];
	struct entry root;
	size_t n;

	forge_file_of(f, "one", p->names[0], 3);
	forge_file_of(f, "two", p->names[1], 3);
	root = forge_dir(f);
	assert_ok(ingest_lane_flush(f->lane, &err));
	assert_ok(ingest_finish(f->in, &names, &n, &err));
	assert_int_equal(n, 1);
	f->indexes =
	    realloc(f->indexes, (f->nindexes + 1) * sizeof(*f->indexes));
	assert_non_null(f->indexes);
	memcpy(f->indexes[f->nindexes++], names[0], OBJECT_NAME_LEN);
	free(names);
	forge_publish(f, &root);
}

static void
assert_both(const struct forge *f, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], const char *what)
{
	FINDINGS_AUTO struct findings none, bytes, got;
	struct object_ref ref = {.cls = cls};
	char object[OBJECT_REF_TEXT];

	memcpy(ref.dataset, f->ds->id, sizeof(ref.dataset));
	memcpy(ref.name, name, sizeof(ref.name));
	object_ref_text(&ref, object);
	check_realm(f->r, CHECK_NO_KEYS, &bytes);
	assert_clean(&bytes);
	check_realm(f->r, CHECK_STRUCTURE, &none);
	assert_clean(&none);
	check_realm(f->r, CHECK_READ_DATA, &got);
	assert_int_equal(got.n, 2);
	assert_true(found_what(&got, object, what));
	assert_true(got.v[0].affects[0] == '\0');
	assert_string_equal(got.v[1].affects, LIES "two");
}

static void
check_run__accepts_a_true_pair(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct pair p = put_pair(&f, false);

	(void)state;
	put_index(&f, &p, 0, 1);
	publish_pair(&f, &p);
	assert_whole(&f);
}

static void
check_run__finds_chunks_under_a_wrong_name(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct pair p = put_pair(&f, true);

	(void)state;
	put_index(&f, &p, 0, 1);
	publish_pair(&f, &p);
	assert_both(&f, OBJECT_PACK, p.ref.name, "is not what its name says");
}

static void
check_run__finds_an_index_that_misplaces_a_chunk(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct pair p = put_pair(&f, false);
	uint8_t name[OBJECT_NAME_LEN];

	(void)state;
	put_index(&f, &p, 0, 0);
	memcpy(name, f.indexes[0], sizeof(name));
	publish_pair(&f, &p);
	assert_both(&f, OBJECT_INDEX, name, "lies in segment 0");
}

static void
check_run__finds_an_index_with_other_segments(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct pair p = put_pair(&f, false);
	FINDINGS_AUTO struct findings got;

	(void)state;
	p.places[0].sealed_len++;
	p.places[1].offset++;
	p.places[1].sealed_len--;
	put_index(&f, &p, 0, 1);
	publish_pair(&f, &p);
	check_realm(f.r, CHECK_READ_DATA, &got);
	assert_int_equal(got.n, 3);
	assert_non_null(strstr(got.v[0].what, "lists other segments"));
	assert_true(strcmp(got.v[1].affects, LIES "one") == 0 ||
		    strcmp(got.v[1].affects, LIES "two") == 0);
}

/* A chunk that is stored twice can be read while one of them is whole. */
static void
check_run__second_place_of_a_chunk_will_do(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	FINDINGS_AUTO struct findings got;
	struct pair p = put_pair(&f, false);
	struct pair q = put_pair(&f, false);
	char object[OBJECT_REF_TEXT];
	struct original o;

	(void)state;
	put_index(&f, &p, 0, 1);
	put_index(&f, &q, 0, 1);
	publish_pair(&f, &p);
	assert_whole(&f);
	object_ref_text(&q.ref, object);
	o = original_take(f.r, object);
	original_flip(&o, q.places[1].offset + 5);
	check_realm(f.r, CHECK_READ_DATA, &got);
	assert_only(&got, object);
	assert_int_equal(got.n, 1);
	assert_true(found(&got, object, ""));
	original_put(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_run__accepts_a_true_pair),
	    cmocka_unit_test(check_run__finds_chunks_under_a_wrong_name),
	    cmocka_unit_test(check_run__finds_an_index_that_misplaces_a_chunk),
	    cmocka_unit_test(check_run__finds_an_index_with_other_segments),
	    cmocka_unit_test(check_run__second_place_of_a_chunk_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
