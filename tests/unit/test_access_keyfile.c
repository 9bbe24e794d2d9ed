/* Key files, by which a host opens a store. */
#include "tests/unit/access_fixture.h"

static void
make_keyfile(struct world *w, const char *name, char path[SCRATCH_PATH + 32])
{
	AUTO(identity) struct identity *host = world_host(name);

	(void)snprintf(path, SCRATCH_PATH + 32, "%s/%s.key", w->dir, name);
	assert_ok(access_write_keyfile(host, path, &err));
	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_ADMIN, NULL, INT64_MAX, &err));
}

static void
access_write_keyfile__is_the_owners_alone(void **state)
{
	struct world *w = *state;
	char path[SCRATCH_PATH + 32];
	struct stat st;
	mode_t old = umask(0);

	make_keyfile(w, "db1", path);
	(void)umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void
access_write_keyfile__replaces_nothing(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("db2");
	char path[SCRATCH_PATH + 32];

	make_keyfile(w, "db1", path);
	assert_fails(
	    ERR_USAGE, "exists", access_write_keyfile(host, path, &err));
	assert_fails(ERR_NOT_FOUND, "/nowhere/",
	    access_write_keyfile(host, "/nowhere/at/all", &err));
	assert_fails(ERR_USAGE, "person",
	    access_write_keyfile(access_identity(w->alice), "k", &err));
}

static void
access_open__takes_a_key_file(void **state)
{
	struct world *w = *state;
	char path[SCRATCH_PATH + 32];
	struct credential cred = {.keyfile = path};
	struct access *a;

	make_keyfile(w, "db1", path);
	assert_ok(access_open_clock(w->path, &cred, &w->clock, &a, &err));
	assert_string_equal(access_identity(a)->pub.name, "db1");
	assert_int_equal(access_identity(a)->pub.kind, IDENTITY_HOST);
	access_close(a);
}

static void
access_open__refuses_a_key_file_that_others_can_read(void **state)
{
	struct world *w = *state;
	static const mode_t modes[] = {0644, 0640, 0604, 0620, 0601};
	char path[SCRATCH_PATH + 32];
	struct credential cred = {.keyfile = path};
	struct access *a;

	make_keyfile(w, "db1", path);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_fails(ERR_DENIED, "chmod 600",
		    access_open(w->path, &cred, &a, &err));
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_ok(access_open_clock(w->path, &cred, &w->clock, &a, &err));
	access_close(a);
}

static void
access_open__refuses_what_is_no_key_file(void **state)
{
	struct world *w = *state;
	char path[SCRATCH_PATH + 32];
	struct credential cred = {.keyfile = path};
	static const uint8_t zeros[IDENTITY_OBJECT_MAX + 1];
	struct access *a;

	(void)snprintf(path, sizeof(path), "%s/k", w->dir);
	assert_fails(
	    ERR_NOT_FOUND, path, access_open(w->path, &cred, &a, &err));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_fails(
	    ERR_USAGE, "not a file", access_open(w->path, &cred, &a, &err));
	scratch_write(path, zeros, sizeof(zeros));
	assert_int_equal(chmod(path, 0600), 0);
	assert_fails(
	    ERR_USAGE, "too long", access_open(w->path, &cred, &a, &err));
	scratch_write(path, zeros, sizeof(zeros) - 1);
	assert_int_equal(chmod(path, 0600), 0);
	assert_fails(ERR_CORRUPT, path, access_open(w->path, &cred, &a, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(access_write_keyfile__is_the_owners_alone),
	    world_test(access_write_keyfile__replaces_nothing),
	    world_test(access_open__takes_a_key_file),
	    world_test(access_open__refuses_a_key_file_that_others_can_read),
	    world_test(access_open__refuses_what_is_no_key_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
