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
put_record(const struct corpus *c, const char *name, struct record *r,
    const struct record_lists *lists, struct err *err)
{
	AUTO(identity) struct identity *host = NULL;
	AUTO(keyset) struct keyset *ks = NULL;
	WR_AUTO struct wr w = {0};
	int rc;

	if ((rc = identity_new(IDENTITY_HOST, "db1", &host, err)) != 0 ||
	    (rc = keyset_new("customers", &ks, err)) != 0)
		return rc;
	r->head.seq = 3;
	r->head.prev[0] = 1;
	memcpy(r->head.dataset, ks->dataset, sizeof(r->head.dataset));
	rc = record_encode(r, lists, ks, host, &w, err);
	if (rc == 0)
		corpus_put(c, name, &w);
	return rc;
}

/* As the fuzzer takes it: type, time, body. */
static int
put_body(
    const struct corpus *c, const char *name, struct record *r, struct err *err)
{
	WR_AUTO struct wr w = {0};
	int rc;

	r->head.seq = 3;
	if (r->head.type == RECORD_SNAPSHOT)
		r->head.time = r->snapshot->end.s;
	wr_u8(&w, (uint8_t)r->head.type);
	wr_u64(&w, (uint64_t)r->head.time);
	rc = record_body_encode(r, &w, err);
	if (rc == 0)
		corpus_put(c, name, &w);
	return rc;
}

/* Every type but a snapshot's. */
static int
put_other_bodies(const struct corpus *c, struct err *err)
{
	struct record_target targets[2] = {{1, {0x51}}, {2, {0x52}}};
	struct record r[] = {
	    {.head = {.type = RECORD_EXPIRE},
		.expire = {targets, 2, (char *)(uintptr_t) "--keep-last 1"}},
	    {.head = {.type = RECORD_HOLD},
		.hold = {{1, {0x51}}, true, (char *)(uintptr_t) "a lawsuit"}},
	    {.head = {.type = RECORD_RULES},
		.rules = {{90 * 86400, 1, 24, 30, 8, 12, 7}}},
	    {.head = {.type = RECORD_PRUNE}, .prune = {1, 2, 3, 4, 5, 6, 7, 8}},
	    {.head = {.type = RECORD_PRIMARY},
		.primary = {(char *)(uintptr_t) "dr-london", {9}, 1}},
	};
	static const char *const names[ARRAY_LEN(r)] = {"body-expire",
	    "body-hold", "body-rules", "body-prune", "body-primary"};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(r); i++)
		rc = put_body(c, names[i], &r[i], err);
	return rc;
}

static int
put_prune(const struct corpus *c, struct err *err)
{
	static const struct condemned condemned[] = {
	    {.cls = OBJECT_INDEX, .name = {0xb1}, .gone = true},
	    {.cls = OBJECT_PACK, .name = {0xb1}},
	    {.cls = OBJECT_PACK, .name = {0xb2}, .gone = true},
	};
	struct record_lists lists = fixture_lists;
	struct record r = {.head = {.type = RECORD_PRUNE}};

	lists.condemned = condemned;
	lists.ncondemned = ARRAY_LEN(condemned);
	return put_record(c, "record-prune", &r, &lists, err);
}

int
corpus_record(const struct corpus *c, struct err *err)
{
	AUTO(record) struct record *r = record_at(1700000000, 5);
	struct snapshot *s = r->snapshot;
	int rc;

	if ((rc = put_body(c, "body", r, err)) != 0)
		return rc;
	s->problems_size = 0;
	s->problems = (struct content){.form = CONTENT_EMPTY};
	s->kind = SNAPSHOT_DIFFERENTIAL;
	if ((rc = put_body(c, "body-small", r, err)) != 0 ||
	    (rc = put_other_bodies(c, err)) != 0 ||
	    (rc = put_prune(c, err)) != 0)
		return rc;
	return put_record(c, "record", r, &fixture_lists, err);
}
