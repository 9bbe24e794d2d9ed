/* Remembered heads: snapshot/state/heads.c. */
#include "tests/unit/heads_fixture.h"

#include <sys/wait.h>

#define PROCESSES 4

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
	struct head_seen head = {.settled = {.from = 1700000000}};

	go_back(h, &head);
	/* Who doesn't know of it goes on from there all the same. */
	assert_ok(set(h, 8, one, &err));
	assert_head(h, 8, one);
	assert_ok(heads_get(h, dataset, &head, &err));
	assert_int_equal(head.settled.from, 1700000000);
	/* And it excuses nothing a second time. */
	head.seq = 5;
	assert_ok(heads_set(h, dataset, &head, &err));
	assert_head(h, 8, one);
}

static void
heads_set__of_one_second_the_greater_settlement(void **state)
{
	struct fixture *f = *state;
	struct root root = some_root(1);
	AUTO(heads) struct heads *h = must_open(f, &root);
	struct head_seen head = {.settled = {1700000000, {2}}};

	go_back(h, &head);
	assert_ok(set(h, 8, one, &err));
	head.settled.object[0] = 1;
	assert_ok(heads_set(h, dataset, &head, &err));
	assert_head(h, 8, one);
	head.settled.object[0] = 3;
	assert_ok(heads_set(h, dataset, &head, &err));
	assert_head(h, 7, two);
	/* An older one of a record that comes after takes nothing back. */
	head.seq = 9;
	head.settled = (struct settled_mark){1600000000, {4}};
	assert_ok(heads_set(h, dataset, &head, &err));
	assert_ok(heads_get(h, dataset, &head, &err));
	assert_int_equal(head.seq, 9);
	assert_int_equal(head.settled.from, 1700000000);
	assert_int_equal(head.settled.object[0], 3);
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
	    state_test(heads_set__back_after_a_change_of_the_primary),
	    state_test(heads_set__back_after_a_settlement),
	    state_test(heads_set__of_one_second_the_greater_settlement),
	    state_test(heads_forget__of_one_dataset),
	    state_test(heads_set__from_many_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
