#include "snapshot/log/record_body.h"
#include "snapshot/tree/page.h"
#include "tests/fuzz/corpus.h"
#include "tests/unit/log_fixture.h"

static struct span
span_of(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

/* --- entries ------------------------------------------------------------- */

static struct entry
entry_of(enum entry_type type)
{
	return (struct entry){
	    .type = type,
	    .mode = 0644,
	    .uid = 1000,
	    .gid = 70000,
	    .user = span_of("ada"),
	    .group = span_of("staff"),
	    .mtime = 1700000000,
	    .mtime_ns = 123456789,
	    .ino = 4711,
	    .nlink = 1,
	};
}

static void
put_entry(const struct corpus *c, const char *name, const struct entry *e)
{
	WR_AUTO struct wr w = {0};

	entry_encode(e, &w);
	corpus_put(c, name, &w);
}

/* A file with a content of every form, and attributes of both. */
static void
put_files(const struct corpus *c)
{
	struct entry e = entry_of(ENTRY_FILE);
	struct content content = {.form = CONTENT_EMPTY};
	WR_AUTO struct wr enc = {0};
	WR_AUTO struct wr xattrs = {0};

	xattr_encode(&(struct xattr){.name = span_of("security.capability"),
			 .value = span_of("value")},
	    &xattrs);
	xattr_encode(&(struct xattr){.name = span_of("user.big"),
			 .in_chunk = true,
			 .value_len = 5000},
	    &xattrs);
	content_encode(&content, &enc);
	e.content = (struct span){enc.buf, enc.len};
	put_entry(c, "file-empty", &e);

	wr_reset(&enc);
	content = (struct content){.form = CONTENT_INLINE_LIST,
	    .n = 2,
	    .inl = {{.len = 4096, .hole = true}, {.len = 100, .name = {{9}}}}};
	content_encode(&content, &enc);
	e.content = (struct span){enc.buf, enc.len};
	e.size = 4196;
	e.nxattrs = 2;
	e.xattrs = (struct span){xattrs.buf, xattrs.len};
	put_entry(c, "file-inline", &e);

	wr_reset(&enc);
	content =
	    (struct content){.form = CONTENT_TREE, .level = 1, .root = {{8}}};
	content_encode(&content, &enc);
	e.content = (struct span){enc.buf, enc.len};
	e.size = UINT64_C(1) << 40;
	e.nlink = 3;
	put_entry(c, "file-tree", &e);
}

int
corpus_entry(const struct corpus *c, struct err *err)
{
	struct entry e;

	(void)err;
	put_files(c);
	e = entry_of(ENTRY_DIR);
	put_entry(c, "dir-empty", &e);
	e.dir = (struct dir_ref){.entries = 1000, .level = 1, .root = {{7}}};
	e.totals = (struct dir_totals){900, 50, 50, 1 << 20};
	put_entry(c, "dir", &e);
	e = entry_of(ENTRY_SYMLINK);
	e.target = span_of("../where");
	put_entry(c, "symlink", &e);
	e = entry_of(ENTRY_FIFO);
	put_entry(c, "fifo", &e);
	e = entry_of(ENTRY_CHAR);
	e.rdev_major = 1;
	e.rdev_minor = 3;
	put_entry(c, "device", &e);
	return 0;
}

/* --- pages: level, number of entries, the page --------------------------- */

int
corpus_page(const struct corpus *c, struct err *err)
{
	static const char *const names[] = {"a", "a.b", "ab", "b", "zz"};
	const struct entry e = entry_of(ENTRY_FIFO);
	WR_AUTO struct wr entry = {0};
	WR_AUTO struct wr w = {0};

	(void)err;
	entry_encode(&e, &entry);
	wr_u8(&w, 0);
	wr_u8(&w, ARRAY_LEN(names));
	page_put_head(0, ARRAY_LEN(names), &w);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		page_put_entry(
		    span_of(names[i]), (struct span){entry.buf, entry.len}, &w);
	corpus_put(c, "leaf", &w);

	wr_u8(&w, 1);
	wr_u8(&w, 30);
	page_put_head(1, 3, &w);
	for (uint8_t i = 0; i < 3; i++)
		page_put_child(
		    &(struct page_ref){
			.name = {{i}},
			.entries = 10,
			.first = span_of(names[i]),
		    },
		    &w);
	corpus_put(c, "inner", &w);
	return 0;
}

/* --- log records --------------------------------------------------------- */

static int
put_record(const struct corpus *c, const struct snapshot *s, struct err *err)
{
	AUTO(identity) struct identity *host = NULL;
	AUTO(keyset) struct keyset *ks = NULL;
	struct record_head head = {.seq = 3, .prev = {1}};
	WR_AUTO struct wr w = {0};
	int rc;

	if ((rc = identity_new(IDENTITY_HOST, "db1", &host, err)) != 0 ||
	    (rc = keyset_new("customers", &ks, err)) != 0)
		return rc;
	memcpy(head.dataset, ks->dataset, sizeof(head.dataset));
	rc = record_encode_snapshot(s, &head, ks, host, &w, err);
	if (rc == 0)
		corpus_put(c, "record", &w);
	return rc;
}

int
corpus_record(const struct corpus *c, struct err *err)
{
	AUTO(snapshot) struct snapshot *s = snapshot_at(1700000000, 5);
	WR_AUTO struct wr w = {0};
	int rc;

	if ((rc = record_body_encode(s, &w, err)) != 0)
		return rc;
	corpus_put(c, "body", &w);
	s->problems_size = 0;
	s->problems = (struct content){.form = CONTENT_EMPTY};
	s->kind = SNAPSHOT_DIFFERENTIAL;
	s->nindexes = 1;
	if ((rc = record_body_encode(s, &w, err)) != 0)
		return rc;
	corpus_put(c, "body-small", &w);
	return put_record(c, s, err);
}
