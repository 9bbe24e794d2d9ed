/* Remembered heads: snapshot/state/heads.c. */
#include "tests/unit/state_fixture.h"

#include <sys/wait.h>

#define PROCESSES 4

static struct root
some_root(uint8_t id)
{
	struct root root;

	memset(&root, 0, sizeof(root));
	memset(root.store, id, sizeof(root.store));
	memset(root.fingerprint, id + 1, sizeof(root.fingerprint));
	return root;
}

static struct heads *
must_open(struct fixture *f, const struct root *root)
{
	struct heads *h = NULL;

	assert_ok(heads_open(f->dir, root, "/srv/a", &h, &err));
	return h;
}

static const uint8_t one[OBJECT_NAME_LEN] = {1};
static const uint8_t two[OBJECT_NAME_LEN] = {2};
static const uint8_t dataset[DATASET_ID_LEN] = {7};

static void
assert_head(struct heads *h, uint64_t seq, const uint8_t *name)
{
	struct head_seen got;

	assert_ok(heads_get(h, dataset, &got, &err));
	assert_int_equal(got.seq, seq);
	assert_memory_equal(got.name, name, OBJECT_NAME_LEN);
	assert_int_equal(got.latest, (int64_t)seq * 1000);
	assert_int_equal(got.next_ino, seq * 10);
}

/* A head of that number, after no change of the primary. */
static int
set(struct heads *h, uint64_t seq, const uint8_t *name, struct err *err)
{
	struct head_seen head = {.seq = seq,
	    .latest = (int64_t)seq * 1000,
	    .next_ino = seq == UINT64_MAX ? 0 : seq * 10};

	memcpy(head.name, name, OBJECT_NAME_LEN);
	return heads_set(h, dataset, &head, err);
}

static void
heads_get__none_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	AUTO(heads) struct heads *h = must_open(f, &root);
	struct head_seen head;

	assert_rc(ERR_NOT_FOUND, heads_get(h, dataset, &head, &err));
}

static void
heads_set__only_ever_forward(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	AUTO(heads) struct heads *h = must_open(f, &root);

	assert_ok(set(h, 5, one, &err));
	assert_head(h, 5, one);
	assert_ok(set(h, 4, two, &err));
	assert_head(h, 5, one);
	assert_ok(set(h, 5, two, &err));
	assert_head(h, 5, one);
	assert_ok(set(h, 6, two, &err));
	assert_head(h, 6, two);
	assert_rc(ERR_USAGE, set(h, UINT64_MAX, one, &err));
	assert_head(h, 6, two);
}

static void
heads_open__remembers_by_store(void **state)
{
	struct fixture *f = *state;
	struct root a = some_root(1);
	struct root b = some_root(20);
	struct heads *h = must_open(f, &a);
	struct head_seen head;

	assert_ok(set(h, 9, one, &err));
	heads_close(h);
	assert_ok(heads_open(f->dir, &b, "/srv/b", &h, &err));
	assert_rc(ERR_NOT_FOUND, heads_get(h, dataset, &head, &err));
	heads_close(h);
	h = must_open(f, &a);
	assert_head(h, 9, one);
	heads_close(h);
}

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

/* Version 4 had seconds; what is beyond all times stays so. */
static void
heads_open__an_older_version_had_seconds(void **state)
{
	static const struct {
		const char *then;
		int64_t now;
	} rows[] = {
	    {"UPDATE head SET latest = 1700000000; PRAGMA user_version=4",
		1700000000000},
	    {"UPDATE head SET latest = -5; PRAGMA user_version=4", -5000},
	    {"UPDATE head SET latest = 9223372036854775807;"
	     "PRAGMA user_version=4",
		INT64_MAX},
	    {"UPDATE head SET latest = -9223372036854775807 - 1;"
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

static void
heads_open__damaged_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct heads *h = must_open(f, &root);
	char path[SCRATCH_PATH + 256];

	heads_close(h);
	fixture_path(f, "heads.db", path);
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
	struct heads *h = must_open(f, &root);
	char path[SCRATCH_PATH + 256];

	heads_close(h);
	fixture_path(f, "heads.db", path);
	change_database(path, "PRAGMA user_version=6");
	assert_rc(ERR_VERSION, heads_open(f->dir, &root, "/srv/a", &h, &err));
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

/* From record 9 back to ${to}, which is 7, for a reason that it has. */
static void
go_back(struct heads *h, struct head_seen *to)
{
	to->seq = 7;
	to->latest = 7000;
	to->next_ino = 70;
	memcpy(to->name, two, OBJECT_NAME_LEN);
	assert_ok(set(h, 9, one, &err));
	assert_ok(heads_set(h, dataset, to, &err));
	assert_head(h, 7, two);
}

static void
heads_set__back_after_a_change_of_the_primary(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	AUTO(heads) struct heads *h = must_open(f, &root);
	struct head_seen head = {.changes = 1};

	go_back(h, &head);
	/* But not to what was before the change. */
	assert_ok(set(h, 10, one, &err));
	assert_head(h, 7, two);
	head.changes = UINT64_MAX;
	assert_rc(ERR_USAGE, heads_set(h, dataset, &head, &err));
}

static void
heads_set__back_after_a_settlement(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	AUTO(heads) struct heads *h = must_open(f, &root);
	struct head_seen head = {.settled = 1700000000};

	go_back(h, &head);
	/* Who doesn't know of it goes on from there all the same. */
	assert_ok(set(h, 8, one, &err));
	assert_head(h, 8, one);
	assert_ok(heads_get(h, dataset, &head, &err));
	assert_int_equal(head.settled, 1700000000);
	/* And it excuses nothing a second time. */
	head.seq = 5;
	assert_ok(heads_set(h, dataset, &head, &err));
	assert_head(h, 8, one);
}

static void
heads_forget__of_one_dataset(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	AUTO(heads) struct heads *h = must_open(f, &root);
	static const uint8_t other[DATASET_ID_LEN] = {0x77};
	struct head_seen head = {.seq = 3};

	assert_ok(set(h, 9, one, &err));
	assert_ok(heads_set(h, other, &head, &err));
	assert_ok(heads_forget(h, dataset, &err));
	assert_rc(ERR_NOT_FOUND, heads_get(h, dataset, &head, &err));
	assert_ok(heads_get(h, other, &head, &err));
	assert_int_equal(head.seq, 3);
	assert_ok(set(h, 1, two, &err));
	assert_head(h, 1, two);
}

/* Several processes meet where there is no file yet; all must get through. */
static void
heads_set__from_many_processes(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	struct heads *h = NULL;
	int status;
	uint64_t seq;
	uint8_t name[OBJECT_NAME_LEN];

	for (uint8_t i = 0; i < PROCESSES; i++) {
		if (fork() != 0)
			continue;
		if (heads_open(f->dir, &root, "/srv/a", &h, NULL) != 0)
			_exit(1);
		memset(name, i, sizeof(name));
		for (seq = i + 1; seq < 100; seq += PROCESSES) {
			if (set(h, seq, name, NULL) != 0)
				_exit(2);
		}
		heads_close(h);
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	h = must_open(f, &root);
	memset(name, 98 % PROCESSES, sizeof(name));
	assert_head(h, 99, name);
	heads_close(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    state_test(heads_get__none_is_not_found),
	    state_test(heads_set__only_ever_forward),
	    state_test(heads_open__remembers_by_store),
	    state_test(heads_open__another_fingerprint_is_auth),
	    state_test(heads_open__another_store_at_the_address_is_auth),
	    state_test(heads_open__one_store_at_two_addresses),
	    state_test(heads_accept__another_store_takes_its_place),
	    state_test(heads_open__an_older_version_goes_on),
	    state_test(heads_open__an_older_version_had_seconds),
	    state_test(heads_open__damaged_is_left_alone),
	    state_test(heads_open__newer_version_is_refused),
	    state_test(heads_open__private_whatever_the_umask),
	    state_test(heads_set__back_after_a_change_of_the_primary),
	    state_test(heads_set__back_after_a_settlement),
	    state_test(heads_forget__of_one_dataset),
	    state_test(heads_set__from_many_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
