/* The file of remembered heads: which stores it knows, and when it is refused. */
#include "tests/unit/heads_fixture.h"

static void
heads_open__another_fingerprint_is_auth(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct heads *h = must_open(f, &root);

	heads_close(h);
	root.fingerprint[31] ^= 1;
	assert_rc(ERR_AUTH, heads_open(f->dir, &root, "/srv/a", &h, &err));
	assert_null(h);
	root.fingerprint[31] ^= 1;
	h = must_open(f, &root);
	heads_close(h);
}

/* Whoever swaps a store for another gives it any id he likes. */
static void
heads_open__another_store_at_the_address_is_auth(void **state)
{
	static const char *const says[] = {
	    "at this address",
	    "AIBA-EAQC-AIBA-EAQC...",
	    "CUKR-KFIV-CUKR-KFIV...",
	    "--fingerprint",
	};
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct root other = some_root(20);
	struct heads *h = must_open(f, &root);

	heads_close(h);
	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		assert_fails(ERR_AUTH, says[i],
		    heads_open(f->dir, &other, "/srv/a", &h, &err));
		assert_null(h);
	}

	/* It was not remembered by its id either, nor does it stick. */
	other.fingerprint[0] ^= 1;
	assert_ok(heads_open(f->dir, &other, "/srv/b", &h, &err));
	heads_close(h);
	h = must_open(f, &root);
	heads_close(h);
}

static void
heads_open__one_store_at_two_addresses(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct heads *h = must_open(f, &root);

	assert_ok(set(h, 5, one, &err));
	heads_close(h);
	assert_ok(heads_open(f->dir, &root, "/mnt/copy", &h, &err));
	assert_head(h, 5, one);
	heads_close(h);
}

static void
heads_accept__another_store_takes_its_place(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct root other = some_root(20);
	struct heads *h = must_open(f, &root);

	heads_close(h);
	assert_ok(heads_accept(f->dir, &other, "/srv/a", &err));
	h = must_open(f, &other);
	heads_close(h);
	assert_rc(ERR_AUTH, heads_open(f->dir, &root, "/srv/a", &h, &err));

	/* Also under an id that had another fingerprint. */
	root.fingerprint[0] ^= 1;
	assert_ok(heads_accept(f->dir, &root, "/srv/a", &err));
	h = must_open(f, &root);
	heads_close(h);
}

/* A file that knows ${root}; ${path} is where it lies. */
static void
make_file(
    struct fixture *f, const struct root *root, char path[SCRATCH_PATH + 256])
{
	heads_close(must_open(f, root));
	fixture_path(f, "heads.db", path);
}

static void
heads_open__damaged_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct heads *h;
	char path[SCRATCH_PATH + 256];

	make_file(f, &root, path);
	scratch_write(path, "not a database, and longer than a header is", 43);
	assert_fails(ERR_CORRUPT, "bring the file back",
	    heads_open(f->dir, &root, "/srv/a", &h, &err));
	assert_fails(
	    ERR_CORRUPT, path, heads_open(f->dir, &root, "/srv/a", &h, &err));
	assert_int_equal(count_files(f, "*"), 1);
}

static void
heads_open__newer_version_is_refused(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct heads *h;
	char path[SCRATCH_PATH + 256];

	make_file(f, &root, path);
	change_database(path, "PRAGMA user_version=7");
	assert_rc(ERR_VERSION, heads_open(f->dir, &root, "/srv/a", &h, &err));
}

/* Heads can't be rebuilt: what the file says may not be guessed at. */
static void
heads_open__unknown_version_is_refused(void **state)
{
	static const char *const versions[] = {"PRAGMA user_version=0",
	    "PRAGMA user_version=5", "PRAGMA user_version=-1"};
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct heads *h;
	char path[SCRATCH_PATH + 256];

	make_file(f, &root, path);
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		change_database(path, versions[i]);
		assert_fails(ERR_CORRUPT, "no known version",
		    heads_open(f->dir, &root, "/srv/a", &h, &err));
	}
	change_database(path, "PRAGMA user_version=6");
	heads_close(must_open(f, &root));
}

static void
heads_compare__remembers_nothing(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct root other = some_root(20);

	assert_ok(heads_compare(f->dir, &other, "/srv/a", &err));
	assert_int_equal(count_files(f, "*"), 0);
	heads_close(must_open(f, &root));
	assert_ok(heads_compare(f->dir, &root, "/srv/a", &err));
	assert_rc(ERR_AUTH, heads_compare(f->dir, &other, "/srv/a", &err));
	/* Of a place that is not known, it knows nothing afterwards. */
	assert_ok(heads_compare(f->dir, &other, "/srv/b", &err));
	root = some_root(40);
	assert_ok(heads_compare(f->dir, &root, "/srv/b", &err));
}

static void
assert_mode(struct fixture *f, const char *name, mode_t mode)
{
	char path[SCRATCH_PATH + 256];
	struct stat st;

	assert_int_equal(stat(fixture_path(f, name, path), &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void
heads_open__private_whatever_the_umask(void **state)
{
	static const mode_t umasks[] = {0, 0777};
	struct fixture *f = *state;
	char dir[SCRATCH_PATH + 256];
	struct root root = some_root(1);

	for (size_t i = 0; i < ARRAY_LEN(umasks); i++) {
		struct heads *h = NULL;
		mode_t old = umask(umasks[i]);
		struct err err = {0};
		int rc = heads_open(
		    fixture_path(f, "a/b", dir), &root, "/srv/a", &h, &err);

		if (rc == 0)
			rc = set(h, 1, one, &err);
		umask(old);
		if (rc != 0)
			fail_msg("%d (%s)", rc, err.text);
		assert_int_equal(err.code, 0);
		assert_mode(f, "a", 0700);
		assert_mode(f, "a/b", 0700);
		assert_mode(f, "a/b/heads.db", 0600);
		assert_mode(f, "a/b/heads.db-wal", 0600);
		heads_close(h);
		scratch_rm(fixture_path(f, "a", dir));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    state_test(heads_open__another_fingerprint_is_auth),
	    state_test(heads_open__another_store_at_the_address_is_auth),
	    state_test(heads_open__one_store_at_two_addresses),
	    state_test(heads_accept__another_store_takes_its_place),
	    state_test(heads_open__damaged_is_left_alone),
	    state_test(heads_open__newer_version_is_refused),
	    state_test(heads_open__unknown_version_is_refused),
	    state_test(heads_compare__remembers_nothing),
	    state_test(heads_open__private_whatever_the_umask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
