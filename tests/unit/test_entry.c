#include "tests/unit/tree_fixture.h"

#include <sys/stat.h>

static const uint8_t inline_content[] = {1, 1, 21}; /* a hole of 10 bytes */

/* One entry of each type, with every field used. */
static struct entry
sample(enum entry_type type)
{
	struct entry e = {
	    .type = type,
	    .mode = 07654,
	    .uid = UINT32_MAX,
	    .gid = 1000,
	    .user = {(const uint8_t *)"anna", 4},
	    .group = {(const uint8_t *)"staff", 5},
	    .mtime = -5,
	    .mtime_ns = 999999999,
	    .ino = ENTRY_INO_MAX,
	    .nlink = type == ENTRY_DIR ? 1 : 3,
	};

	if (type == ENTRY_FILE) {
		e.size = 10;
		e.content = (struct span){inline_content, 3};
	} else if (type == ENTRY_DIR) {
		e.dir.entries = 77;
		e.dir.level = 7;
		memset(e.dir.root.b, 0x5a, 32);
		e.totals = (struct dir_totals){1, 2, 3, UINT64_MAX};
	} else if (type == ENTRY_SYMLINK) {
		e.target = (struct span){(const uint8_t *)"../x y", 6};
	} else if (type == ENTRY_CHAR || type == ENTRY_BLOCK) {
		e.rdev_major = UINT32_MAX;
		e.rdev_minor = 2;
	}
	return e;
}

static void
assert_span(struct span a, struct span b)
{
	assert_int_equal(a.len, b.len);
	if (a.len > 0)
		assert_memory_equal(a.p, b.p, a.len);
}

static void
assert_entry(const struct entry *a, const struct entry *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_span(a->user, b->user);
	assert_span(a->group, b->group);
	assert_int_equal(a->mtime, b->mtime);
	assert_int_equal(a->mtime_ns, b->mtime_ns);
	assert_int_equal(a->ino, b->ino);
	assert_int_equal(a->nlink, b->nlink);
	assert_int_equal(a->nxattrs, b->nxattrs);
	assert_span(a->xattrs, b->xattrs);
	assert_int_equal(a->size, b->size);
	assert_span(a->content, b->content);
	assert_int_equal(a->dir.entries, b->dir.entries);
	assert_int_equal(a->dir.level, b->dir.level);
	assert_memory_equal(&a->dir.root, &b->dir.root, 32);
	assert_int_equal(a->totals.files, b->totals.files);
	assert_int_equal(a->totals.dirs, b->totals.dirs);
	assert_int_equal(a->totals.others, b->totals.others);
	assert_int_equal(a->totals.bytes, b->totals.bytes);
	assert_span(a->target, b->target);
	assert_int_equal(a->rdev_major, b->rdev_major);
	assert_int_equal(a->rdev_minor, b->rdev_minor);
}

#define NINES "\11\11\11\11\11\11\11\11"
#define NAME NINES NINES NINES NINES

/* FORMAT.md section 8: a symlink with two attributes. */
static const char symlink_bytes[] = "\3"        /* type */
				    "\xff\3"    /* mode 0777 */
				    "\1\2"      /* uid, gid */
				    "\1u"       /* user */
				    "\0"        /* group: unknown */
				    "\11\7"     /* -5 s, 7 ns */
				    "\x80\1\1"  /* inode number 128, one link */
				    "\2"        /* attributes: */
				    "\1a\0\2vw" /* in place */
				    "\1b\1\2" NAME /* in a chunk of that name */
				    "\2to";        /* target */

static void
encode__gives_the_bytes_of_the_format(void **state)
{
	struct xattr a = {.name = span_of("a"), .value = span_of("vw")};
	struct xattr b = {
	    .name = span_of("b"), .in_chunk = true, .value_len = 2};
	struct entry e = {.type = ENTRY_SYMLINK,
	    .mode = 0777,
	    .uid = 1,
	    .gid = 2,
	    .user = span_of("u"),
	    .mtime = -5,
	    .mtime_ns = 7,
	    .ino = 128,
	    .nlink = 1,
	    .nxattrs = 2,
	    .target = span_of("to")};
	WR_AUTO struct wr x = {0};
	WR_AUTO struct wr w = {0};

	(void)state;
	memset(b.chunk.b, 9, 32);
	xattr_encode(&a, &x);
	xattr_encode(&b, &x);
	e.xattrs = (struct span){x.buf, x.len};
	entry_encode(&e, &w);
	assert_int_equal(w.len, sizeof(symlink_bytes) - 1);
	assert_memory_equal(w.buf, symlink_bytes, w.len);
}

static void
decode__mirrors_encode_for_every_type(void **state)
{
	WR_AUTO struct wr w = {0};

	(void)state;
	for (int t = ENTRY_FILE; t <= ENTRY_BLOCK; t++) {
		struct entry e = sample((enum entry_type)t), d;

		wr_reset(&w);
		entry_encode(&e, &w);
		assert_ok(entry_decode(w.buf, w.len, &d, &err));
		assert_entry(&d, &e);
		/* Cut anywhere, or with a byte too many: refused. */
		for (size_t n = 0; n < w.len; n++)
			assert_rc(
			    ERR_CORRUPT, entry_decode(w.buf, n, &d, &err));
		wr_u8(&w, 0);
		assert_rc(ERR_CORRUPT, entry_decode(w.buf, w.len, &d, &err));
	}
}

static int
decode_of(const struct entry *e)
{
	WR_AUTO struct wr w = {0};
	struct entry d;

	entry_encode(e, &w);
	return entry_decode(w.buf, w.len, &d, NULL);
}

#define assert_refused(type, field, value)                                     \
	do {                                                                   \
		struct entry e_ = sample(type);                                \
		assert_int_equal(decode_of(&e_), 0);                           \
		e_.field = (value);                                            \
		assert_int_equal(decode_of(&e_), ERR_CORRUPT);                 \
	} while (0)

static void
decode__refuses_what_exceeds_a_limit(void **state)
{
	static uint8_t target[ENTRY_TARGET_MAX + 1];
	static uint8_t long_name[256];
	struct entry e = sample(ENTRY_SYMLINK);

	(void)state;
	memset(target, 't', sizeof(target));
	memset(long_name, 'n', sizeof(long_name));
	assert_refused(ENTRY_FIFO, type, (enum entry_type)0);
	assert_refused(ENTRY_FIFO, type, (enum entry_type)8);
	assert_refused(ENTRY_FIFO, mode, 010000);
	assert_refused(ENTRY_FIFO, mtime_ns, 1000000000);
	assert_refused(ENTRY_FIFO, ino, 0);
	assert_refused(ENTRY_FIFO, ino, ENTRY_INO_MAX + 1);
	assert_refused(ENTRY_FIFO, nlink, 0);
	assert_refused(ENTRY_DIR, nlink, 2);
	assert_refused(ENTRY_DIR, dir.level, 8);
	assert_refused(ENTRY_FILE, size, 11);
	assert_refused(ENTRY_FILE, size, 9);
	assert_refused(ENTRY_FIFO, user, ((struct span){long_name, 256}));
	assert_refused(ENTRY_FIFO, group, ((struct span){long_name, 256}));
	assert_refused(ENTRY_SYMLINK, target, ((struct span){target, 0}));
	assert_refused(
	    ENTRY_SYMLINK, target, ((struct span){target, sizeof(target)}));
	assert_refused(
	    ENTRY_SYMLINK, target, ((struct span){(uint8_t *)"a\0b", 3}));
	e.target = (struct span){target, ENTRY_TARGET_MAX};
	assert_int_equal(decode_of(&e), 0);
}

static void
decode__refuses_numbers_too_wide(void **state)
{
	/* A FIFO whose uid has 33 bits, and one whose gid has. */
	static const uint8_t uid[] = {
	    4, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 0, 0, 0, 1, 1, 0};
	static const uint8_t gid[] = {
	    4, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 0, 0, 1, 1, 0};
	static const uint8_t fits[] = {
	    4, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0, 1, 1, 0};
	struct entry e;

	(void)state;
	assert_ok(entry_decode(fits, sizeof(fits), &e, &err));
	assert_int_equal(e.uid, UINT32_MAX);
	assert_rc(ERR_CORRUPT, entry_decode(uid, sizeof(uid), &e, &err));
	assert_rc(ERR_CORRUPT, entry_decode(gid, sizeof(gid), &e, &err));
	assert_int_equal(e.uid, 0);
}

static int
decode_with_xattrs(const struct xattr *xs, size_t n)
{
	WR_AUTO struct wr w = {0};
	struct entry e = sample(ENTRY_FIFO);

	for (size_t i = 0; i < n; i++)
		xattr_encode(&xs[i], &w);
	e.nxattrs = n;
	e.xattrs = (struct span){w.buf, w.len};
	return decode_of(&e);
}

static void
decode__wants_attributes_in_order(void **state)
{
	static uint8_t big[ENTRY_XATTR_MAX + 1];
	struct xattr ab[2] = {{.name = span_of("a")}, {.name = span_of("b")}};
	struct xattr ba[2] = {ab[1], ab[0]};
	struct xattr aa[2] = {ab[0], ab[0]};
	struct xattr prefix[2] = {ab[0], {.name = span_of("aa")}};
	struct xattr x = {.name = span_of("user.x")};

	(void)state;
	assert_int_equal(decode_with_xattrs(ab, 2), 0);
	assert_int_equal(decode_with_xattrs(prefix, 2), 0);
	assert_int_equal(decode_with_xattrs(ba, 2), ERR_CORRUPT);
	assert_int_equal(decode_with_xattrs(aa, 2), ERR_CORRUPT);
	memset(big, 'n', sizeof(big));
	x.value = (struct span){big, ENTRY_XATTR_MAX};
	assert_int_equal(decode_with_xattrs(&x, 1), 0);
	x.value.len++;
	assert_int_equal(decode_with_xattrs(&x, 1), ERR_CORRUPT);
	x.value.len = 0;
	x.name = (struct span){big, 255};
	assert_int_equal(decode_with_xattrs(&x, 1), 0);
	x.name.len = 256;
	assert_int_equal(decode_with_xattrs(&x, 1), ERR_CORRUPT);
	x.name.len = 0;
	assert_int_equal(decode_with_xattrs(&x, 1), ERR_CORRUPT);
	x.name = span_of("user.x");
	x.in_chunk = true;
	x.value_len = ENTRY_XATTR_MAX;
	assert_int_equal(decode_with_xattrs(&x, 1), 0);
	x.value_len++;
	assert_int_equal(decode_with_xattrs(&x, 1), ERR_CORRUPT);
	x.value_len = 0;
	assert_int_equal(decode_with_xattrs(&x, 1), ERR_CORRUPT);
}

/* An entry that claims a billion attributes costs nothing. */
static void
decode__bounds_the_attributes_by_the_bytes(void **state)
{
	static const uint8_t b[] = {
	    4, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0x80, 0x94, 0xeb, 0xdc, 0x03};
	struct entry e;

	(void)state;
	assert_rc(ERR_CORRUPT, entry_decode(b, sizeof(b), &e, &err));
}

static void
decode__refuses_an_entry_too_large(void **state)
{
	WR_AUTO struct wr x = {0};
	struct entry e = sample(ENTRY_FIFO);
	char name[32];
	static uint8_t value[60000];

	(void)state;
	for (unsigned i = 0; x.len + sizeof(value) < ENTRY_MAX - 100; i++) {
		(void)snprintf(name, sizeof(name), "user.%02u", i);
		xattr_encode(&(struct xattr){.name = span_of(name),
				 .value = {value, sizeof(value)}},
		    &x);
		e.nxattrs++;
	}
	e.xattrs = (struct span){x.buf, x.len};
	assert_int_equal(decode_of(&e), 0);
	xattr_encode(&(struct xattr){.name = span_of("user.zz"),
			 .value = {value, sizeof(value)}},
	    &x);
	e.nxattrs++;
	e.xattrs = (struct span){x.buf, x.len};
	assert_int_equal(decode_of(&e), ERR_CORRUPT);
}

static void
xattr_find__finds_by_whole_name(void **state)
{
	struct xattr xs[] = {{.name = span_of("user.a"), .value = span_of("1")},
	    {.name = span_of("user.ab"), .value = span_of("2")}};
	WR_AUTO struct wr w = {0};
	struct entry e = sample(ENTRY_FIFO);
	struct xattr x;

	(void)state;
	xattr_encode(&xs[0], &w);
	xattr_encode(&xs[1], &w);
	e.nxattrs = 2;
	e.xattrs = (struct span){w.buf, w.len};
	assert_true(xattr_find(&e, "user.ab", &x));
	assert_span(x.value, span_of("2"));
	assert_true(xattr_find(&e, "user.a", &x));
	assert_span(x.value, span_of("1"));
	assert_false(xattr_find(&e, "user.", &x));
	assert_false(xattr_find(&e, "user.abc", &x));
}

static void
xattr_value__reads_from_place_or_chunk(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct xattr x = {.name = span_of("n"), .value = span_of("here")};
	WR_AUTO struct wr w = {0};

	(void)state;
	assert_ok(xattr_value(c, &x, &w, &err));
	x.in_chunk = true;
	x.value_len = 5;
	assert_ok(
	    ingest_chunk(fake_lane(c), CHUNK_DATA, "there", 5, &x.chunk, &err));
	assert_ok(xattr_value(c, &x, &w, &err));
	assert_int_equal(w.len, 9);
	assert_memory_equal(w.buf, "herethere", 9);
	x.value_len = 4;
	assert_fails(
	    ERR_CORRUPT, "has 5 bytes where 4", xattr_value(c, &x, &w, &err));
	fake_drop(c, &x.chunk);
	assert_rc(ERR_CORRUPT, xattr_value(c, &x, &w, &err));
	assert_int_equal(w.len, 9);
	fake_chunks_free(c);
}

static void
entry_content__decodes_a_file(void **state)
{
	struct entry e = sample(ENTRY_FILE);
	struct content c;

	(void)state;
	assert_ok(entry_content(&e, &c, &err));
	assert_int_equal(c.form, CONTENT_INLINE_LIST);
	assert_int_equal(c.inl[0].len, 10);
	e = sample(ENTRY_DIR);
	assert_rc(ERR_BUG, entry_content(&e, &c, &err));
}

static void
entry_mode__joins_type_and_permissions(void **state)
{
	static const uint32_t want[] = {
	    0, S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK};

	(void)state;
	for (int t = ENTRY_FILE; t <= ENTRY_BLOCK; t++) {
		struct entry e = sample((enum entry_type)t);

		assert_int_equal(entry_mode(&e), want[t] | 07654);
	}
}

static void
entry_name_ok__refuses_what_no_system_has(void **state)
{
	static uint8_t name[ENTRY_NAME_MAX + 1];

	(void)state;
	memset(name, 0xff, sizeof(name));
	assert_true(entry_name_ok(name, ENTRY_NAME_MAX));
	assert_false(entry_name_ok(name, ENTRY_NAME_MAX + 1));
	assert_false(entry_name_ok(name, 0));
	assert_false(entry_name_ok((const uint8_t *)".", 1));
	assert_false(entry_name_ok((const uint8_t *)"..", 2));
	assert_true(entry_name_ok((const uint8_t *)"...", 3));
	assert_true(entry_name_ok((const uint8_t *)".a", 2));
	assert_false(entry_name_ok((const uint8_t *)"a/b", 3));
	assert_false(entry_name_ok((const uint8_t *)"a\0b", 3));
	for (unsigned i = 1; i < 256; i++) {
		uint8_t b = (uint8_t)i;

		assert_int_equal(entry_name_ok(&b, 1), i != '/' && i != '.');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encode__gives_the_bytes_of_the_format),
	    cmocka_unit_test(decode__mirrors_encode_for_every_type),
	    cmocka_unit_test(decode__refuses_what_exceeds_a_limit),
	    cmocka_unit_test(decode__refuses_numbers_too_wide),
	    cmocka_unit_test(decode__wants_attributes_in_order),
	    cmocka_unit_test(decode__bounds_the_attributes_by_the_bytes),
	    cmocka_unit_test(decode__refuses_an_entry_too_large),
	    cmocka_unit_test(xattr_find__finds_by_whole_name),
	    cmocka_unit_test(xattr_value__reads_from_place_or_chunk),
	    cmocka_unit_test(entry_content__decodes_a_file),
	    cmocka_unit_test(entry_mode__joins_type_and_permissions),
	    cmocka_unit_test(entry_name_ok__refuses_what_no_system_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
