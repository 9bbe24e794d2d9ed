/*
 * Stores whose objects are all authentic and all wrong, as only a program with
 * a mistake, or a writer with a purpose, makes them: snapshot/check/.
 */
#include "snapshot/tree/dir.h"
#include "snapshot/tree/page.h"
#include "tests/unit/check_fixture.h"

#define LIES "lies@2023-11-14T22:13:20Z:/"
#define NEXT_INO 1000

/* A snapshot in the making. */
struct forge {
	struct realm *r;
	const struct dataset *ds;
	struct ingest *in;
	struct ingest_lane *lane;
	struct dir_builder *dir;
	uint64_t ino;
	uint64_t next_ino; /* as the record says */
	int hours;         /* after FIRST_TIME */
	struct dir_totals totals;
	/* Filled by forge_indexes(); else what ingest gives is named. */
	uint8_t (*indexes)[OBJECT_NAME_LEN];
	size_t nindexes;
};

/* --- making ------------------------------------------------------------- */

static struct forge
forge_new(void)
{
	struct forge f = {.r = realm_new(), .ino = 10, .next_ino = NEXT_INO};

	assert_ok(access_create_dataset(f.r->admin, "lies", &f.ds, &err));
	assert_ok(
	    ingest_new(access_store(f.r->admin), f.ds->keys, &f.in, &err));
	assert_ok(ingest_lane_new(f.in, &f.lane, &err));
	assert_ok(dir_builder_new(&f.dir, &err));
	return f;
}

static void
forge_free(struct forge *f)
{
	free(f->indexes);
	dir_builder_free(f->dir);
	ingest_lane_free(f->lane);
	ingest_free(f->in);
	realm_free(f->r);
}
#define FORGE_AUTO __attribute__((cleanup(forge_free)))

/* An entry of no particular kind. */
static struct entry
plain(struct forge *f, enum entry_type type)
{
	return (struct entry){
	    .type = type, .mode = 0755, .ino = f->ino++, .nlink = 1};
}

static void
add(struct forge *f, const char *name, const struct entry *e)
{
	WR_AUTO struct wr w = {0};

	entry_encode(e, &w);
	assert_ok(dir_builder_add(f->dir, f->lane, (const uint8_t *)name,
	    strlen(name), w.buf, w.len, &err));
	f->totals.files += e->type == ENTRY_FILE;
	f->totals.bytes += e->size;
	if (e->type == ENTRY_DIR) {
		f->totals.files += e->totals.files;
		f->totals.bytes += e->totals.bytes;
		f->totals.dirs += e->totals.dirs + 1;
	}
}

static struct chunk_name
put_chunk(struct forge *f, enum chunk_kind kind, const void *buf, size_t len)
{
	struct chunk_name name;

	assert_ok(ingest_chunk(f->lane, kind, buf, len, &name, &err));
	return name;
}

static void
add_file(
    struct forge *f, const char *name, const struct content *c, uint64_t size)
{
	WR_AUTO struct wr w = {0};
	struct entry e = plain(f, ENTRY_FILE);

	content_encode(c, &w);
	e.size = size;
	e.content = (struct span){w.buf, w.len};
	add(f, name, &e);
}

/* A file of one chunk, which is said to have ${len} bytes. */
static void
add_chunk(
    struct forge *f, const char *name, struct chunk_name chunk, uint64_t len)
{
	struct content c = {.form = CONTENT_INLINE_LIST,
	    .n = 1,
	    .inl = {{.len = len, .name = chunk}}};

	add_file(f, name, &c, len);
}

static struct entry
finish_dir(struct forge *f)
{
	struct entry e = plain(f, ENTRY_DIR);

	assert_ok(dir_builder_finish(f->dir, f->lane, &e.dir, &err));
	e.totals = f->totals;
	f->totals = (struct dir_totals){0};
	return e;
}

static void
append(struct forge *f, struct snapshot *s,
    const uint8_t (*indexes)[OBJECT_NAME_LEN], size_t n)
{
	AUTO(log) struct log *log = NULL;

	s->time = (struct moment){FIRST_TIME + f->hours * 3600, 0};
	s->end = s->time;
	s->kind = SNAPSHOT_FULL;
	s->host = strdup("host");
	s->source = strdup("/");
	s->program = strdup("test");
	s->next_ino = f->next_ino;
	assert_ok(log_load(f->r->admin, f->ds, NULL, &log, &err));
	assert_ok(log_append(log, s, indexes, n, &err));
}

static struct snapshot *
snapshot_of(const struct entry *root)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	struct wr w = {0};

	assert_non_null(s);
	entry_encode(root, &w);
	s->root_len = w.len;
	s->root = wr_steal(&w);
	return s;
}

/* The same root once more, found by the same indexes. */
static void
publish_again(struct forge *f, const struct entry *root)
{
	AUTO(log) struct log *log = NULL;
	const uint8_t(*indexes)[OBJECT_NAME_LEN];
	size_t n;

	assert_ok(log_load(f->r->admin, f->ds, NULL, &log, &err));
	indexes = log_indexes(log, &n);
	append(f, snapshot_of(root), indexes, n);
}

static void
publish(struct forge *f, const struct entry *root)
{
	uint8_t(*indexes)[OBJECT_NAME_LEN] = NULL;
	size_t n;

	assert_ok(ingest_lane_flush(f->lane, &err));
	assert_ok(ingest_finish(f->in, &indexes, &n, &err));
	if (f->indexes != NULL) {
		free(indexes);
		indexes = STEAL(f->indexes);
		n = f->nindexes;
	}
	append(f, snapshot_of(root), (const uint8_t(*)[OBJECT_NAME_LEN])indexes,
	    n);
	free(indexes);
}

static void
publish_dir(struct forge *f)
{
	struct entry root = finish_dir(f);

	publish(f, &root);
}

/* --- looking ------------------------------------------------------------ */

static void
assert_whole(const struct forge *f)
{
	FINDINGS_AUTO struct findings found;

	check_realm(f->r, CHECK_READ_DATA, &found);
	assert_clean(&found);
}

/* That checks of this depth and deeper find the lie, and no other. */
static void
assert_caught(const struct forge *f, enum check_depth depth, const char *what,
    const char *affects)
{
	for (unsigned d = 0; d <= CHECK_READ_DATA; d++) {
		FINDINGS_AUTO struct findings got;

		check_realm(f->r, (enum check_depth)d, &got);
		if (d < depth) {
			assert_clean(&got);
			continue;
		}
		assert_int_equal(got.n, 1);
		if (strstr(got.v[0].what, what) == NULL)
			fail_msg("'%s' is not in: %s", what, got.v[0].what);
		assert_string_equal(got.v[0].affects, affects);
	}
}

/* --- honest ones -------------------------------------------------------- */

static void
check_run__accepts_what_is_true(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry dir;

	(void)state;
	add_chunk(&f, "a", put_chunk(&f, CHUNK_DATA, "data", 4), 4);
	dir = finish_dir(&f);
	add(&f, "dir", &dir);
	dir = plain(&f, ENTRY_DIR);
	add(&f, "empty", &dir);
	publish_dir(&f);
	assert_whole(&f);
}

#define DEEP 30000

/* Deeper than any stack would bear. */
static void
check_run__goes_as_deep_as_it_has_to(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	FINDINGS_AUTO struct findings got;
	struct entry dir;

	(void)state;
	dir = plain(&f, ENTRY_DIR);
	for (int i = 0; i < DEEP; i++) {
		dir.ino = 11;
		add(&f, "d", &dir);
		dir = finish_dir(&f);
		f.ino = 12;
	}
	publish(&f, &dir);
	check_realm(f.r, CHECK_STRUCTURE, &got);
	assert_clean(&got);
	assert_int_equal(got.result.entries, DEEP + 1);
}

/* --- trees -------------------------------------------------------------- */

static void
check_run__finds_wrong_totals_of_the_root(void **state)
{
	FORGE_AUTO struct forge f = forge_new();

	(void)state;
	add_chunk(&f, "a", put_chunk(&f, CHUNK_DATA, "data", 4), 4);
	f.totals.bytes++;
	publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "totals are not what it holds", LIES);
}

static void
check_run__finds_wrong_totals_of_a_directory(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry dir;

	(void)state;
	add_chunk(&f, "a", put_chunk(&f, CHUNK_DATA, "data", 4), 4);
	f.totals.others++;
	dir = finish_dir(&f);
	add(&f, "dir", &dir);
	f.totals.others = 1; /* as it would be, were it true */
	publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "totals are not what it holds", LIES "dir");
}

static void
check_run__finds_totals_of_nothing(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry dir;

	(void)state;
	dir = plain(&f, ENTRY_DIR);
	dir.totals.files = 1;
	add(&f, "dir", &dir);
	publish_dir(&f);
	assert_caught(&f, CHECK_STRUCTURE, "an empty directory", LIES "dir");
}

static void
check_run__finds_inode_numbers_from_the_future(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry e;

	(void)state;
	e = plain(&f, ENTRY_FIFO);
	e.ino = NEXT_INO;
	add(&f, "fifo", &e);
	f.totals.others = 1;
	publish_dir(&f);
	assert_caught(&f, CHECK_STRUCTURE, "inode number 1000", LIES "fifo");
}

/* What a newer snapshot may have, but not an older one. */
static void
check_run__finds_inode_numbers_that_came_later(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry dir, root, e;

	(void)state;
	e = plain(&f, ENTRY_FIFO);
	e.ino = NEXT_INO;
	add(&f, "fifo", &e);
	f.totals.others = 1;
	dir = finish_dir(&f);
	add(&f, "dir", &dir);
	f.totals.others = 1;
	root = finish_dir(&f);
	publish(&f, &root);
	f.hours = 1;
	f.next_ino = NEXT_INO + 1;
	publish_again(&f, &root);
	assert_caught(&f, CHECK_STRUCTURE, "inode number 1000", LIES);
}

/* Nobody has to do without backups for it. */
static void
backup_run__goes_on_after_the_last_inode_number(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	AUTO(log) struct log *log = NULL;
	struct entry e;

	(void)state;
	e = plain(&f, ENTRY_FIFO);
	add(&f, "fifo", &e);
	f.totals.others = 1;
	f.next_ino = ENTRY_INO_MAX + 1;
	publish_dir(&f);
	assert_int_equal(mkdir(f.r->source, 0755), 0);
	realm_backup(f.r, "lies", f.r->source, 1);
	realm_backup(f.r, "lies", f.r->source, 2);
	assert_ok(log_load(f.r->admin, f.ds, NULL, &log, &err));
	assert_int_equal(log_count(log), 3);
	assert_true(log_next_ino(log) < 10);
}

static void
check_run__finds_links_that_differ(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry e;

	(void)state;
	e = plain(&f, ENTRY_FIFO);
	e.nlink = 3;
	add(&f, "a", &e);
	add(&f, "b", &e);
	e.mode = 0700;
	add(&f, "c", &e);
	f.totals.others = 3;
	publish_dir(&f);
	assert_caught(&f, CHECK_STRUCTURE, "the same inode number", LIES "c");
}

/* A page made by hand: an entry of each name, in the order given. */
static struct page_ref
put_page(struct forge *f, const char *const *names, size_t n)
{
	WR_AUTO struct wr w = {0};
	struct page_ref ref = {.entries = n,
	    .first = {(const uint8_t *)names[0], strlen(names[0])}};

	page_put_head(0, n, &w);
	for (size_t i = 0; i < n; i++) {
		WR_AUTO struct wr raw = {0};
		struct entry e = plain(f, ENTRY_FIFO);

		entry_encode(&e, &raw);
		page_put_entry(
		    (struct span){(const uint8_t *)names[i], strlen(names[i])},
		    (struct span){raw.buf, raw.len}, &w);
		f->totals.others++;
	}
	ref.name = put_chunk(f, CHUNK_TREE, w.buf, w.len);
	return ref;
}

/* A directory of two pages made by hand. */
static struct entry
put_pages(struct forge *f, const struct page_ref *a, const struct page_ref *b)
{
	WR_AUTO struct wr w = {0};
	struct entry e = plain(f, ENTRY_DIR);

	page_put_head(1, 2, &w);
	page_put_child(a, &w);
	page_put_child(b, &w);
	e.dir.root = put_chunk(f, CHUNK_TREE, w.buf, w.len);
	e.dir.level = 1;
	e.dir.entries = a->entries + b->entries;
	e.totals = f->totals;
	f->totals = (struct dir_totals){0};
	return e;
}

static void
check_run__finds_pages_that_overlap(void **state)
{
	static const char *const first[] = {"a", "c"};
	static const char *const second[] = {"b", "d"};
	FORGE_AUTO struct forge f = forge_new();
	struct page_ref a, b;
	struct entry root;

	(void)state;
	a = put_page(&f, first, 2);
	b = put_page(&f, second, 2);
	root = put_pages(&f, &a, &b);
	publish(&f, &root);
	assert_caught(&f, CHECK_STRUCTURE, "out of order between pages", LIES);
}

/* The same page in two directories: sound in one, too long for the other. */
static void
check_run__looks_again_under_another_claim(void **state)
{
	static const char *const first[] = {"a", "c"};
	static const char *const good[] = {"d"};
	static const char *const bad[] = {"b"};
	FORGE_AUTO struct forge f = forge_new();
	struct page_ref a, b, c;
	struct entry one, two;

	(void)state;
	a = put_page(&f, first, 2);
	b = put_page(&f, good, 1);
	one = put_pages(&f, &a, &b);
	f.totals.others = 2;
	c = put_page(&f, bad, 1);
	two = put_pages(&f, &a, &c);
	add(&f, "one", &one);
	add(&f, "two", &two);
	f.totals.others = 6;
	publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "out of order between pages", LIES "two");
}

static void
check_run__finds_a_page_with_fewer_entries(void **state)
{
	static const char *const names[] = {"a", "b"};
	FORGE_AUTO struct forge f = forge_new();
	struct page_ref page;
	struct entry root;

	(void)state;
	page = put_page(&f, names, 2);
	root = plain(&f, ENTRY_DIR);
	root.dir = (struct dir_ref){.entries = 3, .root = page.name};
	root.totals = f.totals;
	publish(&f, &root);
	assert_caught(&f, CHECK_STRUCTURE, "fewer entries", LIES);
}

/* --- contents ----------------------------------------------------------- */

static void
check_run__finds_chunks_that_no_index_lists(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct chunk_name nothing = {{0}};

	(void)state;
	add_chunk(&f, "a", put_chunk(&f, CHUNK_DATA, "data", 4), 4);
	add_chunk(&f, "b", nothing, 4);
	publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "no index of the dataset lists it", LIES "b");
}

static void
check_run__finds_attributes_that_no_index_lists(void **state)
{
	static const char name[] = "user.a";
	FORGE_AUTO struct forge f = forge_new();
	WR_AUTO struct wr w = {0};
	struct xattr x = {.name = {(const uint8_t *)name, strlen(name)},
	    .in_chunk = true,
	    .value_len = 2000,
	    .chunk = {{1}}};
	struct entry e;

	(void)state;
	xattr_encode(&x, &w);
	e = plain(&f, ENTRY_FIFO);
	e.nxattrs = 1;
	e.xattrs = (struct span){w.buf, w.len};
	add(&f, "fifo", &e);
	f.totals.others = 1;
	publish_dir(&f);
	assert_caught(&f, CHECK_STRUCTURE, "no index of the dataset lists it",
	    LIES "fifo");
}

/* The file is named once; the older snapshot, by what it has in common. */
static void
check_run__names_older_snapshots_with_the_same_damage(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	FINDINGS_AUTO struct findings got;
	struct chunk_name nothing = {{1}};
	struct entry dir, root;

	(void)state;
	add_chunk(&f, "a", nothing, 4);
	dir = finish_dir(&f);
	add(&f, "dir", &dir);
	root = finish_dir(&f);
	publish(&f, &root);
	f.hours = 1;
	publish_again(&f, &root);
	check_realm(f.r, CHECK_STRUCTURE, &got);
	assert_int_equal(got.n, 2);
	assert_string_equal(
	    got.v[0].affects, "lies@2023-11-14T23:13:20Z:/dir/a");
	assert_string_equal(got.v[1].affects, LIES);
	assert_string_equal(got.v[0].object, got.v[1].object);
}

static void
check_run__finds_a_directory_as_a_file(void **state)
{
	static const char *const names[] = {"x"};
	FORGE_AUTO struct forge f = forge_new();
	struct page_ref page;

	(void)state;
	page = put_page(&f, names, 1);
	f.totals.others = 0;
	add_chunk(&f, "a", page.name, 100);
	publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "listed in a pack of metadata", LIES "a");
}

/* Only who has read the chunk knows how long it is. */
static void
check_run__finds_wrong_lengths_of_chunks(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct chunk_name data;

	(void)state;
	data = put_chunk(&f, CHUNK_DATA, "data", 4);
	add_chunk(&f, "a", data, 4);
	add_chunk(&f, "b", data, 5);
	publish_dir(&f);
	assert_caught(
	    &f, CHECK_READ_DATA, "has 4 bytes where 5 are listed", LIES "b");
}

/* A node of ${n} chunks "data"; a file of it that has ${size} bytes. */
static void
add_list(struct forge *f, const char *name, size_t n, uint64_t size)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	struct element el = {.len = 4};
	struct content c;
	uint64_t len;

	el.name = put_chunk(f, CHUNK_DATA, "data", 4);
	assert_ok(content_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++)
		assert_ok(content_builder_add(b, f->lane, &el, &err));
	assert_ok(content_builder_finish(b, f->lane, &c, &len, &err));
	assert_int_equal(c.form, CONTENT_TREE);
	assert_int_equal(len, 4 * n);
	add_file(f, name, &c, size);
}

#define MANY 70000 /* more than are looked up at a time */

/* A file of as many chunks; ${nothing} of them, if any, is not there. */
static void
add_many(struct forge *f, const char *name, uint64_t nothing)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	struct content c;
	uint64_t len;

	assert_ok(content_builder_new(&b, &err));
	for (uint64_t i = 0; i < MANY; i++) {
		struct element el = {.len = sizeof(i)};

		el.name = put_chunk(f, CHUNK_DATA, &i, sizeof(i));
		if (i == nothing)
			el.name.b[0] ^= 1;
		assert_ok(content_builder_add(b, f->lane, &el, &err));
	}
	assert_ok(content_builder_finish(b, f->lane, &c, &len, &err));
	add_file(f, name, &c, len);
}

static void
check_run__finds_one_chunk_of_many(void **state)
{
	FORGE_AUTO struct forge f = forge_new();

	(void)state;
	add_many(&f, "whole", MANY);
	add_many(&f, "z", 4711);
	publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "no index of the dataset lists it", LIES "z");
}

static void
check_run__finds_wrong_lengths_of_lists(void **state)
{
	FORGE_AUTO struct forge f = forge_new();

	(void)state;
	add_list(&f, "a", 100, 400);
	add_list(&f, "b", 100, 401);
	publish_dir(&f);
	assert_caught(&f, CHECK_STRUCTURE, "level or length", LIES "b");
}

/* Two files with one list of chunks, of which one is missing. */
static void
check_run__names_all_files_with_a_damaged_list(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	FINDINGS_AUTO struct findings got;
	struct files packs;
	struct original o;

	(void)state;
	add_list(&f, "a", 100, 400);
	add_list(&f, "b", 100, 400);
	publish_dir(&f);
	assert_whole(&f);
	files_find(f.r, "/packs/", &packs);
	assert_int_equal(packs.n, 2);
	o = original_take(f.r,
	    packs.name[object_kind(f.r, packs.name[0]) == PACK_DATA ? 0 : 1]);
	original_flip(&o, PACK_HEADER_LEN + 20);
	check_realm(f.r, CHECK_READ_DATA, &got);
	assert_int_equal(got.n, 3);
	assert_true(found(&got, strstr(o.path, "datasets"), ""));
	assert_true(found(&got, strstr(o.path, "datasets"), LIES "a"));
	assert_true(found(&got, strstr(o.path, "datasets"), LIES "b"));
	original_put(&o);
}

/* --- packs and indexes -------------------------------------------------- */

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

	add_chunk(f, "one", p->names[0], 3);
	add_chunk(f, "two", p->names[1], 3);
	root = finish_dir(f);
	assert_ok(ingest_lane_flush(f->lane, &err));
	assert_ok(ingest_finish(f->in, &names, &n, &err));
	assert_int_equal(n, 1);
	f->indexes =
	    realloc(f->indexes, (f->nindexes + 1) * sizeof(*f->indexes));
	assert_non_null(f->indexes);
	memcpy(f->indexes[f->nindexes++], names[0], OBJECT_NAME_LEN);
	free(names);
	publish(f, &root);
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
	    cmocka_unit_test(check_run__accepts_what_is_true),
	    cmocka_unit_test(check_run__goes_as_deep_as_it_has_to),
	    cmocka_unit_test(check_run__finds_wrong_totals_of_the_root),
	    cmocka_unit_test(check_run__finds_wrong_totals_of_a_directory),
	    cmocka_unit_test(check_run__finds_totals_of_nothing),
	    cmocka_unit_test(check_run__finds_inode_numbers_from_the_future),
	    cmocka_unit_test(check_run__finds_inode_numbers_that_came_later),
	    cmocka_unit_test(backup_run__goes_on_after_the_last_inode_number),
	    cmocka_unit_test(check_run__finds_links_that_differ),
	    cmocka_unit_test(check_run__finds_pages_that_overlap),
	    cmocka_unit_test(check_run__looks_again_under_another_claim),
	    cmocka_unit_test(check_run__finds_a_page_with_fewer_entries),
	    cmocka_unit_test(check_run__finds_chunks_that_no_index_lists),
	    cmocka_unit_test(check_run__finds_attributes_that_no_index_lists),
	    cmocka_unit_test(
		check_run__names_older_snapshots_with_the_same_damage),
	    cmocka_unit_test(check_run__finds_a_directory_as_a_file),
	    cmocka_unit_test(check_run__finds_wrong_lengths_of_chunks),
	    cmocka_unit_test(check_run__finds_one_chunk_of_many),
	    cmocka_unit_test(check_run__finds_wrong_lengths_of_lists),
	    cmocka_unit_test(check_run__names_all_files_with_a_damaged_list),
	    cmocka_unit_test(check_run__accepts_a_true_pair),
	    cmocka_unit_test(check_run__finds_chunks_under_a_wrong_name),
	    cmocka_unit_test(check_run__finds_an_index_that_misplaces_a_chunk),
	    cmocka_unit_test(check_run__finds_an_index_with_other_segments),
	    cmocka_unit_test(check_run__second_place_of_a_chunk_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
