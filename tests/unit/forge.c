#include "tests/unit/forge.h"

struct forge
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

void
forge_free(struct forge *f)
{
	free(f->indexes);
	dir_builder_free(f->dir);
	ingest_lane_free(f->lane);
	ingest_free(f->in);
	realm_free(f->r);
}
#define FORGE_AUTO __attribute__((cleanup(forge_free)))

struct entry
forge_entry(struct forge *f, enum entry_type type)
{
	return (struct entry){
	    .type = type, .mode = 0755, .ino = f->ino++, .nlink = 1};
}

void
forge_add(struct forge *f, const char *name, const struct entry *e)
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

struct chunk_name
forge_chunk(struct forge *f, enum chunk_kind kind, const void *buf, size_t len)
{
	struct chunk_name name;

	assert_ok(ingest_chunk(f->lane, kind, buf, len, &name, &err));
	return name;
}

void
forge_file(
    struct forge *f, const char *name, const struct content *c, uint64_t size)
{
	WR_AUTO struct wr w = {0};
	struct entry e = forge_entry(f, ENTRY_FILE);

	content_encode(c, &w);
	e.size = size;
	e.content = (struct span){w.buf, w.len};
	forge_add(f, name, &e);
}

void
forge_file_of(
    struct forge *f, const char *name, struct chunk_name chunk, uint64_t len)
{
	struct content c = {.form = CONTENT_INLINE_LIST,
	    .n = 1,
	    .inl = {{.len = len, .name = chunk}}};

	forge_file(f, name, &c, len);
}

struct entry
forge_dir(struct forge *f)
{
	struct entry e = forge_entry(f, ENTRY_DIR);

	assert_ok(dir_builder_finish(f->dir, f->lane, &e.dir, &err));
	e.totals = f->totals;
	f->totals = (struct dir_totals){0};
	return e;
}

struct page_ref
forge_page(struct forge *f, const char *const *names, size_t n)
{
	WR_AUTO struct wr w = {0};
	struct page_ref ref = {.entries = n,
	    .first = {(const uint8_t *)names[0], strlen(names[0])}};

	page_put_head(0, n, &w);
	for (size_t i = 0; i < n; i++) {
		WR_AUTO struct wr raw = {0};
		struct entry e = forge_entry(f, ENTRY_FIFO);

		entry_encode(&e, &raw);
		page_put_entry(
		    (struct span){(const uint8_t *)names[i], strlen(names[i])},
		    (struct span){raw.buf, raw.len}, &w);
		f->totals.others++;
	}
	ref.name = forge_chunk(f, CHUNK_TREE, w.buf, w.len);
	return ref;
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

void
forge_publish_again(struct forge *f, const struct entry *root)
{
	AUTO(log) struct log *log = NULL;
	const uint8_t(*indexes)[OBJECT_NAME_LEN];
	size_t n;

	assert_ok(log_load(f->r->admin, f->ds, NULL, &log, &err));
	indexes = log_indexes(log, &n);
	append(f, snapshot_of(root), indexes, n);
}

void
forge_publish(struct forge *f, const struct entry *root)
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

void
forge_publish_dir(struct forge *f)
{
	struct entry root = forge_dir(f);

	forge_publish(f, &root);
}

/* --- looking ------------------------------------------------------------ */

void
assert_whole(const struct forge *f)
{
	FINDINGS_AUTO struct findings found;

	check_realm(f->r, CHECK_READ_DATA, &found);
	assert_clean(&found);
}

void
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
