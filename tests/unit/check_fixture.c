#include "tests/unit/check_fixture.h"
#include "snapshot/tree/dir.h"

#include <errno.h>
#include <sys/xattr.h>

/* --- sources ------------------------------------------------------------ */

static FILE *
create(const struct realm *r, const char *name)
{
	char path[2 * SCRATCH_PATH];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", r->source, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	return file;
}

/* Bytes that can't be compressed, the same every time. */
static void
put_noise(const struct realm *r, const char *name, size_t len, uint64_t seed)
{
	FILE *file = create(r, name);
	uint64_t x = seed * 2 + 1;

	for (size_t i = 0; i < len; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		assert_int_equal(fwrite(&x, sizeof(x), 1, file), 1);
	}
	assert_int_equal(fclose(file), 0);
}

static void
put_text(const struct realm *r, const char *name, const char *text)
{
	FILE *file = create(r, name);

	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
put_holes(const struct realm *r, const char *name)
{
	char path[2 * SCRATCH_PATH];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", r->source, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	for (off_t i = 0; i < 40; i++)
		assert_int_equal(pwrite(fd, "data", 4, i << 20), 4);
	assert_int_equal(ftruncate(fd, 64 << 20), 0);
	assert_int_equal(close(fd), 0);
}

static void
make_dir(const struct realm *r, const char *name)
{
	char path[2 * SCRATCH_PATH];

	(void)snprintf(path, sizeof(path), "%s/%s", r->source, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void
make_link(const struct realm *r, const char *from, const char *to, bool hard)
{
	char a[2 * SCRATCH_PATH], b[2 * SCRATCH_PATH];

	(void)snprintf(a, sizeof(a), "%s/%s", r->source, from);
	(void)snprintf(b, sizeof(b), "%s/%s", r->source, to);
	assert_int_equal(hard ? link(a, b) : symlink(from, b), 0);
}

/* Large enough to be put in a chunk, where the file system takes it. */
static void
put_xattr(const struct realm *r, const char *name)
{
	char path[2 * SCRATCH_PATH], value[2000];

	memset(value, 'x', sizeof(value));
	(void)snprintf(path, sizeof(path), "%s/%s", r->source, name);
	if (setxattr(path, "user.test", value, sizeof(value), 0) != 0)
		assert_true(errno == ENOTSUP || errno == ENOSPC);
}

static void
make_source(const struct realm *r)
{
	char name[64];

	assert_int_equal(mkdir(r->source, 0755), 0);
	make_dir(r, "many");
	make_dir(r, "empty");
	make_dir(r, "deep");
	for (int i = 0; i < 600; i++) {
		(void)snprintf(name, sizeof(name), "many/entry-%04d", i);
		put_text(r, name, name);
	}
	for (int i = 0; i < 30; i++) {
		size_t len = strlen("deep") + 2 * (size_t)i;
		char path[128];

		(void)snprintf(path, sizeof(path), "deep%.*s", 2 * i,
		    "/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d"
		    "/d");
		if (len > strlen("deep"))
			make_dir(r, path);
	}
	put_noise(r, "big", 3 << 20, 1);
	put_noise(r, "medium", 100000, 2);
	put_holes(r, "holes");
	put_text(r, "nothing", "");
	put_text(r, "linked", "two names");
	put_xattr(r, "linked");
	make_link(r, "linked", "many/also-linked", true);
	make_link(r, "linked", "symbolic", false);
	(void)snprintf(name, sizeof(name), "fifo");
	{
		char path[2 * SCRATCH_PATH];

		(void)snprintf(path, sizeof(path), "%s/fifo", r->source);
		assert_int_equal(mkfifo(path, 0600), 0);
	}
}

static void
change_source(const struct realm *r)
{
	put_noise(r, "many/new", 300000, 3);
	put_text(r, "many/entry-0300", "changed");
	put_text(r, "deep/d/d/d/new", "new");
}

/* --- the store ---------------------------------------------------------- */

struct realm *
realm_new(void)
{
	struct realm *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	scratch_new(r->dir);
	(void)snprintf(r->store, sizeof(r->store), "%s/store", r->dir);
	(void)snprintf(r->source, sizeof(r->source), "%s/source", r->dir);
	(void)snprintf(r->state, sizeof(r->state), "%s/state", r->dir);
	assert_ok(access_init(
	    r->store, "alice", "secret", &r->admin, &r->recovery, &err));
	assert_ok(heads_open(
	    r->state, access_root(r->admin), r->store, &r->heads, &err));
	return r;
}

void
realm_free(struct realm *r)
{
	if (r == NULL)
		return;
	heads_close(r->heads);
	access_close(r->admin);
	recovery_free(r->recovery);
	scratch_rm(r->dir);
	free(r);
}

void
realm_backup(
    struct realm *r, const char *dataset, const char *source, int hours)
{
	struct backup_result result = {0};
	struct backup_options opt = {
	    .dataset = dataset,
	    .source = source,
	    .state_dir = r->state,
	    .program = "test",
	    .host = "host",
	    .threads = 2,
	    .now = {FIRST_TIME + hours * 3600, 0},
	};

	assert_ok(backup_run(r->admin, r->heads, &opt, &result, &err));
	assert_int_equal(result.unreadable, 0);
	backup_result_clear(&result);
}

void
realm_fill(struct realm *r)
{
	char many[2 * SCRATCH_PATH];

	make_source(r);
	realm_backup(r, "files", r->source, 0);
	change_source(r);
	realm_backup(r, "files", r->source, 1);
	(void)snprintf(many, sizeof(many), "%s/many", r->source);
	realm_backup(r, "other", many, 2);
}

struct access *
realm_open(const struct realm *r)
{
	struct credential cred = {.recovery = r->recovery};
	struct access *a = NULL;

	assert_ok(access_open(r->store, &cred, &a, &err));
	return a;
}

/* --- a store's files ---------------------------------------------------- */

static void
add_files(
    const char *root, const char *dir, const char *part, struct files *out)
{
	char path[2 * SCRATCH_PATH];
	DIR *d;
	const struct dirent *e;

	(void)snprintf(path, sizeof(path), "%s/%s", root, dir);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char name[512];

		if (e->d_name[0] == '.' || strcmp(e->d_name, "tmp") == 0 ||
		    strcmp(e->d_name, "lock") == 0 ||
		    strcmp(e->d_name, "run") == 0 ||
		    strcmp(e->d_name, "prune") == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s%s%s", dir,
		    dir[0] != '\0' ? "/" : "", e->d_name);
		if (e->d_type == DT_DIR) {
			add_files(root, name, part, out);
		} else if (strstr(name, part) != NULL) {
			assert_true(out->n < FILES_MAX);
			assert_true(strlen(name) < sizeof(out->name[0]));
			strcpy(out->name[out->n++], name);
		}
	}
	(void)closedir(d);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

void
files_find(const struct realm *r, const char *part, struct files *out)
{
	out->n = 0;
	add_files(r->store, "", part, out);
	qsort(out->name, out->n, sizeof(out->name[0]), compare_names);
}

void
files_pick(const struct realm *r, const char *part, char out[192])
{
	struct files files;

	files_find(r, part, &files);
	assert_int_equal(files.n, 1);
	strcpy(out, files.name[0]);
}

struct original
original_take(const struct realm *r, const char *object)
{
	struct original o = {0};
	struct stat st;
	FILE *file;

	(void)snprintf(o.path, sizeof(o.path), "%s/%s", r->store, object);
	assert_int_equal(stat(o.path, &st), 0);
	o.len = (size_t)st.st_size;
	o.buf = malloc(o.len + 1);
	assert_non_null(o.buf);
	file = fopen(o.path, "rb");
	assert_non_null(file);
	assert_int_equal(fread(o.buf, 1, o.len, file), o.len);
	(void)fclose(file);
	return o;
}

void
original_put(struct original *o)
{
	scratch_write(o->path, o->buf, o->len);
	free(o->buf);
	memset(o, 0, sizeof(*o));
}

void
original_flip(const struct original *o, size_t off)
{
	o->buf[off] ^= 0x10;
	scratch_write(o->path, o->buf, o->len);
	o->buf[off] ^= 0x10;
}

void
original_cut(const struct original *o, size_t len)
{
	scratch_write(o->path, o->buf, len);
}

void
original_remove(const struct original *o)
{
	assert_int_equal(unlink(o->path), 0);
}

int
object_kind(const struct realm *r, const char *object)
{
	struct original o = original_take(r, object);
	int kind = o.buf[8];

	free(o.buf);
	return kind;
}

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
