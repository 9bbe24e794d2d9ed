#include "snapshot/tree/page.h"
#include "tests/unit/tree_fixture.h"

#define MILLION 1000000

/* The i-th name of a big directory. */
static void
nth_name(size_t i, char out[24])
{
	(void)snprintf(out, 24, "file-%08zu.txt", i);
}

/* A directory of ${n} files; that of number ${changed} has another mtime. */
static struct dir_ref
build(struct chunks *c, size_t n, size_t changed)
{
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct dir_ref ref;
	char name[24];

	assert_ok(dir_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++) {
		struct entry e = entry_file(i + 1);

		if (i == changed)
			e.mtime++;
		nth_name(i, name);
		add_entry(b, c, name, &e);
	}
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_int_equal(ref.entries, n);
	return ref;
}

static struct dir_cursor *
open_cursor(struct chunks *c, const struct dir_ref *ref)
{
	struct dir_cursor *cur;

	assert_ok(dir_cursor_new(c, ref, &cur, &err));
	return cur;
}

static void
assert_is_nth(const struct dir_entry *de, size_t i)
{
	char name[24];

	nth_name(i, name);
	assert_int_equal(de->name.len, strlen(name));
	assert_memory_equal(de->name.p, name, de->name.len);
	assert_int_equal(de->e.ino, i + 1);
}

static int
lookup(struct chunks *c, const struct dir_ref *ref, const char *name,
    struct dir_entry *de, struct err *err)
{
	return dir_lookup(c, ref, (const uint8_t *)name, strlen(name), de, err);
}

/* Listing, looking up and seeking in a directory of ${n} entries. */
static void
check_all(size_t n, size_t step)
{
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref ref = build(c, n, SIZE_MAX);
	struct dir_cursor *cur = open_cursor(c, &ref);
	struct dir_entry de;
	char name[24];

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(dir_cursor_tell(cur), i);
		assert_rc(1, dir_cursor_next(cur, &de, &err));
		assert_is_nth(&de, i);
	}
	assert_rc(0, dir_cursor_next(cur, &de, &err));
	assert_rc(0, dir_cursor_next(cur, &de, &err));
	assert_int_equal(dir_cursor_tell(cur), n);
	for (size_t i = 0; i < n; i += step) {
		DIR_ENTRY_AUTO struct dir_entry found = {0};

		nth_name(i, name);
		assert_ok(lookup(c, &ref, name, &found, &err));
		assert_is_nth(&found, i);
		assert_ok(dir_cursor_seek(cur, n - 1 - i, &err));
		assert_int_equal(dir_cursor_tell(cur), n - 1 - i);
		assert_rc(1, dir_cursor_next(cur, &de, &err));
		assert_is_nth(&de, n - 1 - i);
	}
	assert_ok(dir_cursor_seek(cur, n, &err));
	assert_rc(0, dir_cursor_next(cur, &de, &err));
	assert_ok(dir_cursor_seek(cur, n + 10, &err));
	assert_rc(0, dir_cursor_next(cur, &de, &err));
	assert_rc(ERR_NOT_FOUND, lookup(c, &ref, "", &de, &err));
	assert_rc(ERR_NOT_FOUND, lookup(c, &ref, "a", &de, &err));
	assert_rc(ERR_NOT_FOUND, lookup(c, &ref, "file-", &de, &err));
	assert_rc(ERR_NOT_FOUND, lookup(c, &ref, "file-0000000", &de, &err));
	assert_rc(
	    ERR_NOT_FOUND, lookup(c, &ref, "file-00000000.txta", &de, &err));
	assert_rc(ERR_NOT_FOUND, lookup(c, &ref, "z", &de, &err));
	dir_cursor_free(cur);
	assert_int_equal(fake_pinned(c), 0);
	fake_chunks_free(c);
}

static void
dir__holds_any_number_of_entries(void **state)
{
	(void)state;
	check_all(0, 1);
	check_all(1, 1);
	check_all(2, 1);
	check_all(1000, 1);
	check_all(10000, 1);
}

static void
dir__holds_a_million_entries(void **state)
{
	(void)state;
	check_all(MILLION, 997);
}

static void
lookup__reads_a_page_a_level(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref ref = build(c, 200000, SIZE_MAX);
	struct dir_cursor *cur = open_cursor(c, &ref);
	struct dir_entry de;
	size_t gets = fake_gets(c);

	(void)state;
	assert_int_equal(ref.level, 2);
	assert_ok(lookup(c, &ref, "file-00123456.txt", &de, &err));
	dir_entry_release(&de);
	assert_int_equal(fake_gets(c) - gets, 3);
	gets = fake_gets(c);
	assert_ok(dir_cursor_seek(cur, 123456, &err));
	assert_rc(1, dir_cursor_next(cur, &de, &err));
	assert_int_equal(fake_gets(c) - gets, 3);
	dir_cursor_free(cur);
	fake_chunks_free(c);
}

static void
builder__rewrites_one_page_a_level(void **state)
{
	static const size_t places[] = {0, 1, 77777, 199999};
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref a = build(c, 200000, SIZE_MAX), b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		size_t before = fake_count(c, CHUNK_TREE);

		b = build(c, 200000, places[i]);
		assert_int_equal(b.level, a.level);
		assert_int_equal(
		    fake_count(c, CHUNK_TREE) - before, a.level + 1);
	}
	fake_chunks_free(c);
}

/* Where pages end, and all their bytes: what was stored has to stay known. */
static void
builder__always_makes_the_same_pages(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref ref = build(c, 100000, SIZE_MAX);
	char text[CONTENT_NAME_TEXT];

	(void)state;
	content_name_text(&ref.root, text);
	assert_string_equal(text, "72af1a07b6fe3646");
	assert_int_equal(fake_count(c, CHUNK_TREE), 583);
	fake_chunks_free(c);
}

/* A page above the others has two children at least. */
static void
builder__leaves_out_a_root_of_one_child(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	size_t levels[3] = {0};

	(void)state;
	for (size_t n = 1; n < 1200; n++) {
		struct dir_ref ref = build(c, n, SIZE_MAX);
		CHUNK_AUTO struct chunk ch = {0};
		struct page p;

		assert_ok(page_open(c,
		    &(struct page_ref){
			.name = ref.root, .level = ref.level, .entries = n},
		    &ch, &p, &err));
		assert_true(ref.level == 0 || p.left > 1);
		levels[ref.level]++;
	}
	assert_true(levels[0] > 50 && levels[1] > 50);
	fake_chunks_free(c);
}

/* A new entry may move a cut, but no further than a few pages. */
static void
builder__keeps_most_pages_when_an_entry_comes(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct dir_ref ref;
	size_t before;
	char name[24];

	(void)state;
	(void)build(c, 100000, SIZE_MAX);
	before = fake_count(c, CHUNK_TREE);
	assert_ok(dir_builder_new(&b, &err));
	for (size_t i = 0; i < 100000; i++) {
		struct entry e = entry_file(i + 1);

		nth_name(i, name);
		add_entry(b, c, name, &e);
		if (i == 50000) {
			e = entry_file(999999);
			add_entry(b, c, "file-00050000.txt~", &e);
		}
	}
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_true(fake_count(c, CHUNK_TREE) - before <= 8);
	fake_chunks_free(c);
}

static void
skip_page__reads_only_what_differs(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref a = build(c, 200000, SIZE_MAX);
	struct dir_ref b = build(c, 200000, 123456);
	struct dir_cursor *ca = open_cursor(c, &a), *cb = open_cursor(c, &b);
	struct dir_entry da, db;
	size_t gets = fake_gets(c), read = 0, differ = 0;
	uint64_t passed = 0;

	(void)state;
	for (;;) {
		uint64_t n = dir_cursor_skip_page(ca, cb);
		int rc;

		passed += n;
		if (n > 0)
			continue;
		rc = dir_cursor_next(ca, &da, NULL);
		assert_rc(rc, dir_cursor_next(cb, &db, &err));
		if (rc == 0)
			break;
		read++;
		passed++;
		differ += da.raw.len != db.raw.len ||
			  memcmp(da.raw.p, db.raw.p, da.raw.len) != 0;
	}
	assert_int_equal(passed, 200000);
	assert_int_equal(differ, 1);
	assert_int_equal(dir_cursor_tell(ca), 200000);
	assert_in_range(read, 1, 1000);
	assert_int_equal(fake_gets(c) - gets, 2 * 3);
	dir_cursor_free(ca);
	dir_cursor_free(cb);

	/* The same directory is passed over as one. */
	ca = open_cursor(c, &a);
	cb = open_cursor(c, &a);
	gets = fake_gets(c);
	assert_int_equal(dir_cursor_skip_page(ca, cb), 200000);
	assert_int_equal(dir_cursor_skip_page(ca, cb), 0);
	assert_rc(0, dir_cursor_next(ca, &da, &err));
	assert_int_equal(fake_gets(c), gets);
	dir_cursor_free(ca);
	dir_cursor_free(cb);
	fake_chunks_free(c);
}

/* Directories of different height share pages all the same. */
static void
skip_page__finds_pages_at_any_level(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref a = build(c, 200000, SIZE_MAX);
	struct dir_ref b = build(c, 3000, SIZE_MAX);
	struct dir_cursor *ca = open_cursor(c, &a), *cb = open_cursor(c, &b);

	(void)state;
	assert_int_equal(a.level, 2);
	assert_int_equal(b.level, 1);
	assert_true(dir_cursor_skip_page(ca, cb) > 10);
	assert_int_equal(dir_cursor_tell(ca), dir_cursor_tell(cb));
	dir_cursor_free(ca);
	dir_cursor_free(cb);
	fake_chunks_free(c);
}

static int
compare_names(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->p, y->p, n);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* Names of every length and of any byte, sorted, without doubles. */
static size_t
random_names(struct rng *g, struct span *names, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len =
		    i < ENTRY_NAME_MAX ? i + 1 : 1 + (size_t)rng_below(g, 3);
		uint8_t *p = malloc(len);

		for (size_t k = 0; k < len; k++) {
			p[k] = (uint8_t)(1 + rng_below(g, 255));
			if (p[k] == '/' || p[k] == '.')
				p[k] = 0xff;
		}
		names[i] = (struct span){p, len};
	}
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++)
		if (kept > 0 && compare_names(&names[kept - 1], &names[i]) == 0)
			free((void *)(uintptr_t)names[i].p);
		else
			names[kept++] = names[i];
	return kept;
}

static void
dir__holds_names_of_any_byte(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct rng g = rng_new();
	struct span *names = calloc(5000, sizeof(*names));
	size_t n = random_names(&g, names, 5000);
	struct dir_cursor *cur;
	struct dir_entry de;
	struct dir_ref ref;

	(void)state;
	assert_ok(dir_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++) {
		WR_AUTO struct wr w = {0};
		struct entry e = entry_file(i + 1);

		entry_encode(&e, &w);
		assert_ok(dir_builder_add(b, fake_lane(c), names[i].p,
		    names[i].len, w.buf, w.len, &err));
	}
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	cur = open_cursor(c, &ref);
	for (size_t i = 0; i < n; i++) {
		DIR_ENTRY_AUTO struct dir_entry found = {0};

		assert_rc(1, dir_cursor_next(cur, &de, &err));
		assert_int_equal(de.name.len, names[i].len);
		assert_memory_equal(de.name.p, names[i].p, de.name.len);
		assert_ok(dir_lookup(
		    c, &ref, names[i].p, names[i].len, &found, &err));
		assert_int_equal(found.e.ino, i + 1);
		free((void *)(uintptr_t)names[i].p);
	}
	assert_rc(0, dir_cursor_next(cur, &de, &err));
	dir_cursor_free(cur);
	free(names);
	fake_chunks_free(c);
}

static int
add_raw(struct dir_builder *b, struct chunks *c, const char *name, size_t len,
    size_t entry_len, struct err *err)
{
	uint8_t *entry = calloc(1, entry_len);
	int rc = dir_builder_add(
	    b, fake_lane(c), (const uint8_t *)name, len, entry, entry_len, err);

	free(entry);
	return rc;
}

static void
builder__refuses_what_cannot_be_stored(void **state)
{
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref ref;

	(void)state;
	assert_ok(dir_builder_new(&b, &err));
	assert_rc(ERR_USAGE, add_raw(b, c, "", 0, 1, &err));
	assert_rc(ERR_USAGE, add_raw(b, c, "..", 2, 1, &err));
	assert_rc(ERR_USAGE, add_raw(b, c, "a/b", 3, 1, &err));
	assert_rc(ERR_USAGE, add_raw(b, c, "m", 1, ENTRY_MAX + 1, &err));
	assert_ok(add_raw(b, c, "m", 1, ENTRY_MAX, &err));
	assert_rc(ERR_BUG, add_raw(b, c, "m", 1, 1, &err));
	assert_rc(ERR_BUG, add_raw(b, c, "l", 1, 1, &err));
	assert_ok(add_raw(b, c, "ma", 2, 1, &err));
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_int_equal(ref.entries, 2);
	/* It starts over: any name may come first. */
	assert_ok(add_raw(b, c, "a", 1, 1, &err));
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_int_equal(ref.entries, 1);
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_int_equal(ref.entries, 0);
	assert_ok(add_raw(b, c, "a", 1, 1, &err));
	fake_fail_at(c, 1);
	assert_rc(ERR_FULL, dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_int_equal(ref.entries, 0);
	fake_chunks_free(c);
}

/* --- what an adversary makes ------------------------------------------- */

/* Take a page in as it is. */
static struct dir_ref
put_page(struct chunks *c, const struct wr *w, uint8_t level, uint64_t entries)
{
	struct dir_ref ref = {.entries = entries, .level = level};

	assert_ok(ingest_chunk(
	    fake_lane(c), CHUNK_TREE, w->buf, w->len, &ref.root, &err));
	return ref;
}

/* A page of level 0 with these names. */
static struct dir_ref
put_leaf(struct chunks *c, const char *const *names, size_t n)
{
	struct entry e = entry_file(1);
	WR_AUTO struct wr raw = {0};
	WR_AUTO struct wr w = {0};

	entry_encode(&e, &raw);
	page_put_head(0, n, &w);
	for (size_t i = 0; i < n; i++)
		page_put_entry(
		    span_of(names[i]), (struct span){raw.buf, raw.len}, &w);
	return put_page(c, &w, 0, n);
}

/* A page of level 1 above two of level 0. */
static struct dir_ref
put_above(struct chunks *c, const char *first1, const struct dir_ref *ref1,
    const char *first2, const struct dir_ref *ref2)
{
	struct page_ref refs[2] = {
	    {ref1->root, 0, ref1->entries, span_of(first1)},
	    {ref2->root, 0, ref2->entries, span_of(first2)}};
	WR_AUTO struct wr w = {0};

	page_put_head(1, 2, &w);
	page_put_child(&refs[0], &w);
	page_put_child(&refs[1], &w);
	return put_page(c, &w, 1, ref1->entries + ref2->entries);
}

/* The outcome of listing all of it. */
static int
list(struct chunks *c, const struct dir_ref *ref)
{
	struct dir_cursor *cur = open_cursor(c, ref);
	struct dir_entry de;
	int rc;

	while ((rc = dir_cursor_next(cur, &de, NULL)) > 0)
		;
	/* A failure stays one. */
	assert_int_equal(dir_cursor_next(cur, &de, NULL), rc);
	dir_cursor_free(cur);
	return rc;
}

static int
find(struct chunks *c, const struct dir_ref *ref, const char *name)
{
	struct dir_entry de;
	int rc = lookup(c, ref, name, &de, NULL);

	dir_entry_release(&de);
	return rc;
}

static void
pages__must_agree_with_what_lists_them(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	const char *const ab[] = {"a", "b"}, *const cd[] = {"c", "d"};
	struct dir_ref p = put_leaf(c, ab, 2), q = put_leaf(c, cd, 2), r;

	(void)state;
	r = put_above(c, "a", &p, "c", &q);
	assert_int_equal(list(c, &r), 0);
	assert_int_equal(find(c, &r, "d"), 0);
	assert_int_equal(find(c, &r, "e"), ERR_NOT_FOUND);

	/* Another number of entries, listed in the directory's entry. */
	r.entries = 3;
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	assert_int_equal(find(c, &r, "a"), ERR_CORRUPT);
	r.entries = 5;
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	assert_int_equal(find(c, &r, "a"), ERR_CORRUPT);
	/* In the page above. */
	q.entries = 3;
	r = put_above(c, "a", &p, "c", &q);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	assert_int_equal(find(c, &r, "z"), ERR_CORRUPT);
	q.entries = 1;
	r = put_above(c, "a", &p, "c", &q);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	assert_int_equal(find(c, &r, "d"), ERR_CORRUPT);
	q.entries = 0;
	r = put_above(c, "a", &p, "c", &q);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	q.entries = UINT64_MAX;
	r = put_above(c, "a", &p, "c", &q);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	q.entries = 2;
	/* Another first name. */
	r = put_above(c, "a", &p, "bb", &q);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	assert_int_equal(find(c, &r, "c"), ERR_CORRUPT);
	/* Another level: a page of level 0 listed as one of level 1. */
	p.level = 1;
	assert_int_equal(list(c, &p), ERR_CORRUPT);
	assert_int_equal(find(c, &p, "a"), ERR_CORRUPT);
	fake_chunks_free(c);
}

static void
pages__must_be_in_order(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	const char *const ab[] = {"a", "b"}, *const ba[] = {"b", "a"};
	const char *const aa[] = {"a", "a"}, *const ad[] = {"a", "d"};
	const char *const cd[] = {"c", "d"}, *const dot[] = {".", "d"};
	const char *const slash[] = {"a/b"};
	struct dir_ref p = put_leaf(c, ab, 2), q = put_leaf(c, cd, 2), r;

	(void)state;
	r = put_leaf(c, ba, 2);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	assert_int_equal(find(c, &r, "c"), ERR_CORRUPT);
	r = put_leaf(c, aa, 2);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	r = put_leaf(c, dot, 2);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	r = put_leaf(c, slash, 1);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	assert_int_equal(find(c, &r, "a/b"), ERR_NOT_FOUND);
	/* Between pages. */
	r = put_above(c, "c", &q, "a", &p);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	assert_int_equal(find(c, &r, "a"), ERR_CORRUPT);
	r = put_above(c, "a", &p, "a", &p);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	p = put_leaf(c, ad, 2);
	r = put_above(c, "a", &p, "c", &q);
	assert_int_equal(list(c, &r), ERR_CORRUPT);
	fake_chunks_free(c);
}

static void
pages__that_are_malformed_are_refused(void **state)
{
	static const struct {
		size_t len;
		uint8_t b[8];
	} bad[] = {
	    {1, {0}}, {2, {0, 0}},       /* no items */
	    {6, {0, 1, 1, 'a', 1, 0}},   /* not an entry */
	    {5, {0, 1, 1, 'a', 9}},      /* an entry beyond the page */
	    {4, {0, 1, 9, 'a'}},         /* a name beyond the page */
	    {5, {0, 1, 0, 1, 0}},        /* an empty name */
	    {6, {0, 200, 1, 1, 'a', 0}}, /* more items than bytes */
	    {4, {8, 1, 1, 'a'}},         /* level 8 */
	    {5, {1, 1, 1, 'a', 1}},      /* a child without a name */
	};
	struct chunks *c = fake_chunks_new(0);
	const char *const one[] = {"a"};
	struct dir_ref ref = put_leaf(c, one, 1);
	CHUNK_AUTO struct chunk ch = {0};

	(void)state;
	assert_int_equal(list(c, &ref), 0);
	assert_int_equal(find(c, &ref, "a"), 0);
	/* A byte left over. */
	assert_ok(chunks_get(c, &ref.root, CHUNK_TREE, &ch, &err));
	{
		WR_AUTO struct wr w = {0};
		struct dir_ref r;

		wr_bytes(&w, ch.data, ch.len);
		wr_u8(&w, 0);
		r = put_page(c, &w, 0, 1);
		assert_int_equal(list(c, &r), ERR_CORRUPT);
		assert_int_equal(find(c, &r, "b"), ERR_CORRUPT);
	}
	chunk_release(&ch);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		fake_replace(c, &ref.root, bad[i].b, bad[i].len);
		ref.level = bad[i].b[0] == 1;
		assert_int_equal(list(c, &ref), ERR_CORRUPT);
		assert_int_equal(find(c, &ref, "a"), ERR_CORRUPT);
	}
	assert_int_equal(fake_pinned(c), 0);
	fake_drop(c, &ref.root);
	assert_int_equal(list(c, &ref), ERR_CORRUPT);
	assert_int_equal(find(c, &ref, "a"), ERR_CORRUPT);
	fake_chunks_free(c);
}

/* Damage is said with the page's name. */
static void
next__names_the_damaged_page(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	const char *const ba[] = {"b", "a"};
	struct dir_ref ref = put_leaf(c, ba, 2);
	struct dir_cursor *cur = open_cursor(c, &ref);
	struct dir_entry de;
	char text[CONTENT_NAME_TEXT], want[64];

	(void)state;
	content_name_text(&ref.root, text);
	(void)snprintf(want, sizeof(want),
	    "chunk '%s': a directory's names are out of order", text);
	assert_rc(1, dir_cursor_next(cur, &de, &err));
	assert_fails(ERR_CORRUPT, want, dir_cursor_next(cur, &de, &err));
	assert_fails(ERR_CORRUPT, want, lookup(c, &ref, "c", &de, &err));
	dir_cursor_free(cur);
	fake_chunks_free(c);
}

static void
next__leaves_an_entry_to_who_keeps_its_page(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref ref = build(c, 10, SIZE_MAX);
	struct dir_cursor *cur = open_cursor(c, &ref);
	DIR_ENTRY_AUTO struct dir_entry de = {0};

	(void)state;
	assert_rc(1, dir_cursor_next(cur, &de, &err));
	(void)segment_ref(de.page.seg);
	dir_cursor_free(cur);
	assert_int_equal(fake_pinned(c), 1);
	assert_is_nth(&de, 0);
	dir_entry_release(&de);
	assert_int_equal(fake_pinned(c), 0);
	fake_chunks_free(c);
}

/* Of two pages that list the same child, one lies about its entries. */
static void
skip_page__passes_no_page_that_is_listed_in_two_ways(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	const char *const ab[] = {"a", "b"}, *const cd[] = {"c", "d"};
	struct dir_ref p = put_leaf(c, ab, 2), q = put_leaf(c, cd, 2), r, lie;
	struct dir_cursor *ca, *cb;

	(void)state;
	r = put_above(c, "a", &p, "c", &q);
	p.entries = 3;
	lie = put_above(c, "a", &p, "c", &q);
	ca = open_cursor(c, &r);
	cb = open_cursor(c, &lie);
	assert_int_equal(dir_cursor_skip_page(ca, cb), 0);
	assert_int_equal(list(c, &lie), ERR_CORRUPT);
	dir_cursor_free(ca);
	dir_cursor_free(cb);
	fake_chunks_free(c);
}

/* --- paths ------------------------------------------------------------- */

static void
resolve__walks_a_path(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct dir_ref ref = {0};
	struct entry e = entry_file(100);
	WR_AUTO struct wr w = {0};
	DIR_ENTRY_AUTO struct dir_entry de = {0};
	struct span root;

	(void)state;
	/* d2/d1/d0/file, and a file beside each. */
	assert_ok(dir_builder_new(&b, &err));
	add_entry(b, c, "file", &e);
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	for (unsigned i = 0; i < 3; i++) {
		char name[] = {'d', (char)('0' + i), 0};

		e = entry_dir(10 + i, &ref);
		add_entry(b, c, name, &e);
		e = entry_file(20 + i);
		add_entry(b, c, "x", &e);
		assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	}
	e = entry_dir(1, &ref);
	entry_encode(&e, &w);
	root = (struct span){w.buf, w.len};

	assert_ok(dir_resolve(c, &root, "d2/d1/d0/file", &de, &err));
	assert_int_equal(de.e.ino, 100);
	assert_int_equal(de.name.len, 4);
	dir_entry_release(&de);
	assert_ok(dir_resolve(c, &root, "/d2//x/", &de, &err));
	assert_int_equal(de.e.ino, 21);
	dir_entry_release(&de);
	assert_ok(dir_resolve(c, &root, "", &de, &err));
	assert_int_equal(de.e.ino, 1);
	assert_int_equal(de.name.len, 0);
	assert_ptr_equal(de.raw.p, w.buf);
	dir_entry_release(&de);
	assert_fails(ERR_NOT_FOUND, "'d2/y': no such name",
	    dir_resolve(c, &root, "d2/y/z", &de, &err));
	assert_fails(ERR_USAGE, "'d2/x/y': not a directory",
	    dir_resolve(c, &root, "d2/x/y", &de, &err));
	assert_rc(ERR_NOT_FOUND, dir_resolve(c, &root, "d2/..", &de, &err));
	root.len--;
	assert_rc(ERR_CORRUPT, dir_resolve(c, &root, "d2", &de, &err));
	assert_int_equal(fake_pinned(c), 0);
	fake_chunks_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dir__holds_any_number_of_entries),
	    cmocka_unit_test(dir__holds_a_million_entries),
	    cmocka_unit_test(dir__holds_names_of_any_byte),
	    cmocka_unit_test(lookup__reads_a_page_a_level),
	    cmocka_unit_test(builder__rewrites_one_page_a_level),
	    cmocka_unit_test(builder__always_makes_the_same_pages),
	    cmocka_unit_test(builder__leaves_out_a_root_of_one_child),
	    cmocka_unit_test(builder__keeps_most_pages_when_an_entry_comes),
	    cmocka_unit_test(builder__refuses_what_cannot_be_stored),
	    cmocka_unit_test(skip_page__reads_only_what_differs),
	    cmocka_unit_test(skip_page__finds_pages_at_any_level),
	    cmocka_unit_test(pages__must_agree_with_what_lists_them),
	    cmocka_unit_test(pages__must_be_in_order),
	    cmocka_unit_test(pages__that_are_malformed_are_refused),
	    cmocka_unit_test(
		skip_page__passes_no_page_that_is_listed_in_two_ways),
	    cmocka_unit_test(next__names_the_damaged_page),
	    cmocka_unit_test(next__leaves_an_entry_to_who_keeps_its_page),
	    cmocka_unit_test(resolve__walks_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
