/* A directory's pages: skipping them, and what an adversary makes of them. */
#include "snapshot/tree/page.h"
#include "tests/unit/dir_fixture.h"

/* --- skipping ------------------------------------------------------------- */

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(skip_page__reads_only_what_differs),
	    cmocka_unit_test(skip_page__finds_pages_at_any_level),
	    cmocka_unit_test(pages__must_agree_with_what_lists_them),
	    cmocka_unit_test(pages__must_be_in_order),
	    cmocka_unit_test(pages__that_are_malformed_are_refused),
	    cmocka_unit_test(
		skip_page__passes_no_page_that_is_listed_in_two_ways),
	    cmocka_unit_test(next__names_the_damaged_page),
	    cmocka_unit_test(next__leaves_an_entry_to_who_keeps_its_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
