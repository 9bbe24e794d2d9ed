#include "tests/unit/check_fixture.h"
#include "snapshot/tree/dir.h"

/* --- checks ------------------------------------------------------------- */

static void
note_damage(
    void *arg, const char *object, const char *what, const char *affects)
{
	struct findings *f = arg;
	struct damage *d;

	f->v = reallocarray(f->v, f->n + 1, sizeof(*f->v));
	assert_non_null(f->v);
	d = &f->v[f->n++];
	d->object = strdup(object);
	d->what = strdup(what);
	d->affects = strdup(affects != NULL ? affects : "");
}

void
check_with(struct access *a, struct heads *heads,
    const struct check_options *opt, struct findings *f)
{
	struct check_options o = *opt;

	memset(f, 0, sizeof(*f));
	o.on_damage = note_damage;
	o.arg = f;
	assert_ok(check_run(a, heads, &o, &f->result, &err));
	assert_int_equal(f->result.damaged, f->n);
}

void
check_realm(const struct realm *r, enum check_depth depth, struct findings *f)
{
	AUTO(access) struct access *a = NULL;
	struct check_options opt = {.depth = depth, .threads = 3};

	if (depth == CHECK_NO_KEYS)
		assert_ok(access_open_keyless(r->store, &a, &err));
	else
		a = realm_open(r);
	check_with(a, r->heads, &opt, f);
}

void
findings_clear(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].object);
		free(f->v[i].what);
		free(f->v[i].affects);
	}
	free(f->v);
	memset(f, 0, sizeof(*f));
}

static void
show(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		print_error("%s: %s (%s)\n", f->v[i].object, f->v[i].what,
		    f->v[i].affects);
}

bool
found(const struct findings *f, const char *object, const char *affects)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].object, object) == 0 &&
		    (affects == NULL || strcmp(f->v[i].affects, affects) == 0))
			return true;
	return false;
}

bool
found_what(const struct findings *f, const char *object, const char *part)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].object, object) == 0 &&
		    strstr(f->v[i].what, part) != NULL)
			return true;
	return false;
}

void
assert_only(const struct findings *f, const char *object)
{
	bool others = false;

	for (size_t i = 0; i < f->n; i++)
		others |= strcmp(f->v[i].object, object) != 0;
	if (f->n > 0 && !others)
		return;
	show(f);
	fail_msg("damage of '%s' alone was expected", object);
}

void
assert_clean(const struct findings *f)
{
	show(f);
	assert_int_equal(f->n, 0);
}

/* --- the truth ---------------------------------------------------------- */

static void
add_loss(struct losses *l, const char *path)
{
	assert_true(l->n < ARRAY_LEN(l->paths));
	l->paths[l->n++] = strdup(path);
}

static bool
reads(struct chunks *chunks, const struct entry *e)
{
	AUTO(content_cursor) struct content_cursor *cur = NULL;
	static uint8_t buf[1 << 20];
	struct content content;
	uint64_t off = 0;
	size_t got = 1;
	int rc;

	assert_ok(entry_content(e, &content, &err));
	rc = content_cursor_new(chunks, &content, e->size, &cur, NULL);
	while (rc == 0 && got > 0) {
		rc = content_read(cur, off, buf, sizeof(buf), &got, NULL);
		off += got;
	}
	return rc == 0;
}

static bool
reads_xattrs(struct chunks *chunks, const struct entry *e)
{
	struct rd r = rd_init(e->xattrs.p, e->xattrs.len);
	struct xattr x;

	while (xattr_next(&r, &x)) {
		WR_AUTO struct wr w = {0};

		if (xattr_value(chunks, &x, &w, NULL) != 0)
			return false;
	}
	return true;
}

static void
walk(struct chunks *chunks, const struct dir_ref *dir, const char *path,
    struct losses *out)
{
	AUTO(dir_cursor) struct dir_cursor *cur = NULL;
	struct dir_entry de;
	int rc;

	assert_ok(dir_cursor_new(chunks, dir, &cur, &err));
	while ((rc = dir_cursor_next(cur, &de, NULL)) > 0) {
		char *below;

		assert_true(
		    asprintf(&below, "%s%s%.*s", path, *path != '\0' ? "/" : "",
			(int)de.name.len, (const char *)de.name.p) > 0);
		if ((de.e.type == ENTRY_FILE && !reads(chunks, &de.e)) ||
		    !reads_xattrs(chunks, &de.e))
			add_loss(out, below);
		if (de.e.type == ENTRY_DIR) {
			/* The page may go while others are read. */
			struct dir_ref ref = de.e.dir;

			walk(chunks, &ref, below, out);
		}
		free(below);
	}
	if (rc < 0) {
		add_loss(out, path);
		out->dirs = true;
	}
}

void
losses_find(
    const struct realm *r, const char *dataset, size_t i, struct losses *out)
{
	AUTO(access) struct access *a = realm_open(r);
	AUTO(segcache) struct segcache *cache = NULL;
	AUTO(chunks) struct chunks *chunks = NULL;
	AUTO(log) struct log *log = NULL;
	const struct dataset *ds = access_find(a, dataset);
	const uint8_t(*indexes)[OBJECT_NAME_LEN];
	struct entry root;
	size_t n;

	memset(out, 0, sizeof(*out));
	assert_non_null(ds);
	assert_ok(log_load(a, ds, NULL, &log, &err));
	indexes = log_indexes(log, &n);
	assert_ok(segcache_new(64 << 20, &cache, &err));
	assert_ok(chunks_new(access_store(a), cache, ds->keys, &chunks, &err));
	assert_ok(chunks_set_indexes(chunks, indexes, n, &err));
	assert_ok(entry_decode(log_snapshot(log, i)->root,
	    log_snapshot(log, i)->root_len, &root, &err));
	walk(chunks, &root.dir, "", out);
}

void
losses_clear(struct losses *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->paths[i]);
	memset(l, 0, sizeof(*l));
}

/* --- findings and the truth ------------------------------------------- */

struct original
take_pack(const struct realm *r, int kind, char pack[192])
{
	files_find_pack(r, kind, pack);
	return original_take(r, pack);
}

void
assert_truth(const struct realm *r, const struct findings *f, const char *pack,
    size_t snapshot, const char *label)
{
	LOSSES_AUTO struct losses l;
	size_t told = 0;

	losses_find(r, "files", snapshot, &l);
	for (size_t i = 0; i < l.n; i++) {
		char path[SCRATCH_PATH];

		(void)snprintf(path, sizeof(path), "%s%s", label, l.paths[i]);
		if (!found(f, pack, path))
			fail_msg("'%s' was not found", path);
	}
	for (size_t i = 0; i < f->n; i++)
		told += strncmp(f->v[i].affects, label, strlen(label)) == 0;
	/* Behind a damaged page there may be more than a reader gets to see. */
	if (!l.dirs)
		assert_int_equal(told, l.n);
}

void
assert_older(const struct realm *r, const struct findings *f)
{
	LOSSES_AUTO struct losses l;
	size_t told = 0;

	losses_find(r, "files", 0, &l);
	for (size_t i = 0; i < f->n; i++)
		told += strncmp(f->v[i].affects, FIRST_LABEL,
			    strlen(FIRST_LABEL)) == 0;
	assert_int_equal(told > 0, l.n > 0);
}
