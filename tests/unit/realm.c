#include "tests/unit/realm.h"

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

struct access *
realm_open_writer(const struct realm *r)
{
	AUTO(identity) struct identity *host = NULL;
	const struct dataset *ds = access_find(r->admin, "files");
	struct access *a = NULL;
	char path[2 * SCRATCH_PATH];
	struct credential cred = {.keyfile = path};

	assert_ok(identity_new(IDENTITY_HOST, "db1", &host, &err));
	assert_ok(access_grant(
	    r->admin, &host->pub, ROLE_WRITER, ds, INT64_MAX, &err));
	(void)snprintf(path, sizeof(path), "%s/host.key", r->dir);
	(void)unlink(path);
	assert_ok(access_write_keyfile(host, path, &err));
	assert_ok(access_open(r->store, &cred, &a, &err));
	return a;
}

int
realm_group_setup(void **state)
{
	struct realm *r = realm_new();

	realm_fill(r);
	*state = r;
	return 0;
}

int
realm_group_teardown(void **state)
{
	realm_free(*state);
	return 0;
}
