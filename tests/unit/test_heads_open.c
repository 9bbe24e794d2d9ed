/* The file of remembered heads: which stores it knows, and older versions. */
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

/* One head, in a file as an older program left it. */
static struct heads *
open_aged(struct fixture *f, struct root *root, const char *sql)
{
	struct heads *h = must_open(f, root);
	char path[SCRATCH_PATH + 256];

	assert_ok(set(h, 5, one, &err));
	heads_close(h);
	fixture_path(f, "heads.db", path);
	change_database(path, sql);
	return must_open(f, root);
}

/* Version 1 had no addresses; its heads stay. */
static void
heads_open__an_older_version_goes_on(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct root other = some_root(20);
	struct head_seen head;
	struct heads *h = open_aged(f, &root,
	    "DROP TABLE place; ALTER TABLE head DROP COLUMN changes;"
	    "ALTER TABLE head DROP COLUMN latest;"
	    "ALTER TABLE head DROP COLUMN next_ino;"
	    "ALTER TABLE head DROP COLUMN settled_object;"
	    "ALTER TABLE head DROP COLUMN settled; PRAGMA user_version=1");

	assert_ok(heads_get(h, dataset, &head, &err));
	assert_int_equal(head.seq, 5);
	assert_memory_equal(head.name, one, OBJECT_NAME_LEN);
	assert_int_equal(head.changes, 0);
	assert_int_equal(head.latest, INT64_MAX);
	assert_int_equal(head.next_ino, 0);
	heads_close(h);
	assert_rc(ERR_AUTH, heads_open(f->dir, &other, "/srv/a", &h, &err));
}

#define BEFORE_OBJECTS "ALTER TABLE head DROP COLUMN settled_object;"

/* Version 4 had seconds; what is beyond all times stays so. */
static void
heads_open__an_older_version_had_seconds(void **state)
{
	static const struct {
		const char *then;
		int64_t now;
	} rows[] = {
	    {BEFORE_OBJECTS "UPDATE head SET latest = 1700000000;"
			    "PRAGMA user_version=4",
		1700000000000},
	    {BEFORE_OBJECTS "UPDATE head SET latest = -5;"
			    "PRAGMA user_version=4",
		-5000},
	    {BEFORE_OBJECTS "UPDATE head SET latest = 9223372036854775807;"
			    "PRAGMA user_version=4",
		INT64_MAX},
	    {BEFORE_OBJECTS "UPDATE head SET latest = -9223372036854775807 - 1;"
			    "PRAGMA user_version=4",
		INT64_MIN},
	};
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct head_seen head;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct heads *h = open_aged(f, &root, rows[i].then);

		assert_ok(heads_get(h, dataset, &head, &err));
		assert_int_equal(head.latest, rows[i].now);
		heads_close(h);
	}
}

/* Version 5 did not know which settlement it was: none of its second is newer. */
static void
heads_open__an_older_version_had_no_settlement(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	AUTO(heads)
	struct heads *h = open_aged(f, &root,
	    "UPDATE head SET settled = 1700000000;" BEFORE_OBJECTS
	    "PRAGMA user_version=5");
	struct head_seen head = {
	    .seq = 4,
	    .latest = 4000,
	    .next_ino = 40,
	    .settled = {.from = 1700000000},
	};

	assert_head(h, 5, one);
	memset(head.settled.object, 0xfe, OBJECT_NAME_LEN);
	memcpy(head.name, two, OBJECT_NAME_LEN);
	assert_ok(heads_set(h, dataset, &head, &err));
	assert_head(h, 5, one);
	head.settled.from++;
	assert_ok(heads_set(h, dataset, &head, &err));
	assert_head(h, 4, two);
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
	    state_test(heads_open__an_older_version_goes_on),
	    state_test(heads_open__an_older_version_had_seconds),
	    state_test(heads_open__an_older_version_had_no_settlement),
	    state_test(heads_open__damaged_is_left_alone),
	    state_test(heads_open__newer_version_is_refused),
	    state_test(heads_compare__remembers_nothing),
	    state_test(heads_open__private_whatever_the_umask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
