/* Reading ahead from file to file: fs/ahead.c. */
#include "crypto/bytes.h"
#include "fs/ahead.h"
#include "snapshot/content/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define FILE_SIZE 4096
#define ENOUGH 8192 /* files: many windows of the longest kind */

struct state {
	struct nodes *nodes;
	struct ahead *ahead;
	uint64_t next_ino;
};

static int
setup(void **state)
{
	static const struct node_key root = {.kind = NODE_FOLDER, .st_ino = 1};
	struct state *st = calloc(1, sizeof(*st));

	*state = st;
	if (st == NULL || nodes_new(&root, &st->nodes, NULL) != 0)
		return -1;
	return ahead_new(st->nodes, &st->ahead, NULL);
}

static int
teardown(void **state)
{
	struct state *st = *state;

	ahead_free(st->ahead);
	nodes_free(st->nodes);
	free(st);
	return 0;
}

#define ahead_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A file of one hole, so that there is no chunk to be asked for. */
static uint64_t
make_file(struct state *st, uint64_t size)
{
	WR_AUTO struct wr content = {0};
	WR_AUTO struct wr raw = {0};
	struct content c = {
	    .form = CONTENT_INLINE_LIST,
	    .n = 1,
	    .inl[0] = {.len = size, .hole = true},
	};
	struct entry e = {
	    .type = ENTRY_FILE,
	    .mode = 0644,
	    .nlink = 1,
	    .ino = ++st->next_ino,
	    .size = size,
	};
	struct node_key key = {
	    .kind = NODE_FILE,
	    .parent = nodes_get(st->nodes, NODE_ROOT_ID),
	    .scope = 1,
	    .ino = e.ino,
	    .st_ino = e.ino,
	};
	struct node *n;

	content_encode(&c, &content);
	e.content = (struct span){content.buf, content.len};
	entry_encode(&e, &raw);
	assert_false(raw.failed);
	key.raw = (struct span){raw.buf, raw.len};
	assert_int_equal(nodes_intern(st->nodes, &key, &n, NULL), 0);
	nodes_put(st->nodes, key.parent);
	return n->id;
}

/* One that the kernel was told of. */
static uint64_t
new_file(struct state *st, uint64_t size)
{
	uint64_t id = make_file(st, size);

	ahead_listed(st->ahead, id);
	return id;
}

/* ${n} files with ids in a row; the first one's. */
static uint64_t
new_files(struct state *st, unsigned n)
{
	uint64_t first = new_file(st, FILE_SIZE);

	while (--n > 0)
		(void)new_file(st, FILE_SIZE);
	return first;
}

static void
read_file(struct state *st, uint64_t id)
{
	struct node *n = nodes_get(st->nodes, id);

	assert_non_null(n);
	ahead_of(st->ahead, n);
	nodes_put(st->nodes, n);
}

static void
read_files(struct state *st, uint64_t first, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		read_file(st, first + i);
}

/* Take all that is given now. It is noted in ${given}, by id from ${first}. */
static unsigned
take(struct state *st, uint64_t first, bool *given)
{
	struct ahead_item it;
	unsigned count = 0;

	while (ahead_next(st->ahead, &it)) {
		assert_false(it.around);
		assert_in_range(it.n->id, first, first + ENOUGH - 1);
		assert_false(given[it.n->id - first]);
		given[it.n->id - first] = true;
		nodes_put(st->nodes, it.n);
		count++;
	}
	return count;
}

static void
assert_nothing(struct state *st)
{
	struct ahead_item it;

	assert_false(ahead_next(st->ahead, &it));
	assert_null(it.n);
}

/* The file that is left out of what was given, from ${first} on. */
static uint64_t
left_out(const bool *given, uint64_t first)
{
	uint64_t i = 0;

	while (given[i])
		i++;
	return first + i;
}

/* --- when it begins ---------------------------------------------------- */

static void
ahead_next__gives_nothing_to_who_reads_here_and_there(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, ENOUGH / 2);

	assert_nothing(st);
	for (uint64_t i = 0; i < 8; i++) {
		read_file(st, first + 4000 - 500 * i);
		assert_nothing(st);
	}
}

static void
ahead_next__gives_what_comes_next_to_who_reads_in_order(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, ENOUGH / 2);
	bool given[ENOUGH] = {0};

	read_files(st, first, 8);
	assert_true(take(st, first, given) > 8);
	for (size_t i = 0; i < 8; i++)
		assert_false(given[i]);
	assert_true(given[8]);
	assert_true(given[9]);
}

static void
ahead_next__follows_several_readers(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, ENOUGH / 2);
	bool given[ENOUGH] = {0};

	for (unsigned i = 0; i < 8; i++) {
		read_file(st, first + i);
		read_file(st, first + 2000 + i);
	}
	(void)take(st, first, given);
	assert_true(given[8]);
	assert_true(given[2008]);
	assert_false(given[1500]);
	assert_false(given[3500]);
}

static void
ahead_next__gives_no_file_that_is_long(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, 8);
	bool given[ENOUGH] = {0};

	(void)new_file(st, AHEAD_FILE_MAX + 1);
	(void)new_files(st, 8);
	read_files(st, first, 8);
	(void)take(st, first, given);
	assert_false(given[8]);
	assert_true(given[9]);
}

/* --- how far it goes --------------------------------------------------- */

static void
ahead_next__stops_when_nobody_reads(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, ENOUGH / 2);
	bool given[ENOUGH] = {0};

	read_files(st, first, 8);
	assert_true(take(st, first, given) < 100);
	assert_nothing(st);
}

/* One file in a window is left out; reading it makes the next one longer. */
static void
ahead_next__goes_on_when_the_file_left_out_is_read(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, ENOUGH - 8);
	bool given[ENOUGH] = {0};
	unsigned before, count;

	read_files(st, first, 8);
	before = take(st, first, given);
	for (size_t i = 0; i < 8; i++)
		given[i] = true;
	for (unsigned window = 0; window < 4; window++) {
		uint64_t trip = left_out(given, first);

		assert_true(given[trip + 1 - first]);
		read_file(st, trip);
		given[trip - first] = true;
		count = take(st, first, given);
		assert_true(count > before);
		before = count;
	}
}

/* However long somebody has been reading, it is a few megabytes. */
static void
ahead_next__is_bounded(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, ENOUGH - 8);
	bool given[ENOUGH] = {0};

	read_files(st, first, 8);
	for (size_t i = 0; i < 8; i++)
		given[i] = true;
	for (;;) {
		unsigned count = take(st, first, given);
		uint64_t trip = left_out(given, first);

		assert_true(count <= (8 << 20) / FILE_SIZE);
		if (trip >= first + ENOUGH - 8 || !given[trip + 1 - first])
			break;
		read_file(st, trip);
		given[trip - first] = true;
	}
	assert_true(given[ENOUGH - 9]);
}

/* Whoever is faster than we are is caught up with. */
static void
ahead_next__leaps_to_where_a_fast_reader_is(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, ENOUGH / 2);
	bool given[ENOUGH] = {0};

	read_files(st, first, 1000);
	(void)take(st, first, given);
	for (size_t i = 0; i < 1000; i++)
		assert_false(given[i]);
	assert_true(given[1000]);
}

static void
ahead_next__goes_on_when_more_was_listed(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, 10), more;
	bool given[ENOUGH] = {0};

	read_files(st, first, 8);
	(void)take(st, first, given);
	assert_true(given[9]);
	more = new_files(st, 10);
	(void)take(st, first, given);
	assert_true(given[more - first]);
}

static void
ahead_next__gives_nothing_that_the_kernel_does_not_know(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, 10), last = 0;
	bool given[ENOUGH] = {0};

	for (unsigned i = 0; i < 10; i++)
		last = make_file(st, FILE_SIZE);
	read_files(st, first, 8);
	(void)take(st, first, given);
	assert_true(given[9]);
	for (unsigned i = 10; i < 20; i++)
		assert_false(given[i]);
	ahead_listed(st->ahead, last);
	(void)take(st, first, given);
	assert_true(given[10]);
}

static void
ahead_next__passes_nodes_that_are_gone(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, 100);
	bool given[ENOUGH] = {0};

	for (uint64_t i = 10; i < 20; i++)
		nodes_forget(st->nodes, first + i, 1);
	read_files(st, first, 8);
	(void)take(st, first, given);
	assert_true(given[9]);
	assert_false(given[10]);
	assert_true(given[20]);
}

static void
ahead_around__gives_places_in_order(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, 2);
	struct node *n = nodes_get(st->nodes, first);
	struct ahead_item it;
	uint64_t i;

	for (i = 0; i < 1000; i++)
		ahead_around(st->ahead, n, i);
	assert_true(ahead_wait(st->ahead));
	for (i = 0; ahead_next(st->ahead, &it); i++) {
		assert_true(it.around);
		assert_ptr_equal(it.n, n);
		assert_int_equal(it.off, i);
		nodes_put(st->nodes, it.n);
	}
	/* Whoever can't keep up leaves the rest out. */
	assert_true(i > 4 && i < 100);
	ahead_around(st->ahead, n, 7);
	nodes_put(st->nodes, n);
	nodes_forget(st->nodes, first, 1);
	assert_nothing(st);
}

static void
ahead_stop__ends_it(void **state)
{
	struct state *st = *state;
	uint64_t first = new_files(st, 100);

	read_files(st, first, 8);
	assert_true(ahead_wait(st->ahead));
	ahead_stop(st->ahead);
	assert_false(ahead_wait(st->ahead));
	assert_nothing(st);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ahead_test(ahead_next__gives_nothing_to_who_reads_here_and_there),
	    ahead_test(ahead_next__gives_what_comes_next_to_who_reads_in_order),
	    ahead_test(ahead_next__follows_several_readers),
	    ahead_test(ahead_next__gives_no_file_that_is_long),
	    ahead_test(ahead_next__stops_when_nobody_reads),
	    ahead_test(ahead_next__goes_on_when_the_file_left_out_is_read),
	    ahead_test(ahead_next__is_bounded),
	    ahead_test(ahead_next__leaps_to_where_a_fast_reader_is),
	    ahead_test(ahead_next__goes_on_when_more_was_listed),
	    ahead_test(ahead_next__gives_nothing_that_the_kernel_does_not_know),
	    ahead_test(ahead_next__passes_nodes_that_are_gone),
	    ahead_test(ahead_around__gives_places_in_order),
	    ahead_test(ahead_stop__ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
