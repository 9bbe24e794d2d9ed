/* The next directory, listed beforehand: fs/tours.c. */
#include "fs/tours.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 20000 /* directories: more than are remembered */

struct state {
	struct nodes *nodes;
	struct tours *tours;
};

static int
setup(void **state)
{
	static const struct node_key root = {.kind = NODE_FOLDER, .st_ino = 1};
	struct state *st = calloc(1, sizeof(*st));

	*state = st;
	if (st == NULL || nodes_new(&root, &st->nodes, NULL) != 0)
		return -1;
	return tours_new(st->nodes, &st->tours, NULL);
}

static int
teardown(void **state)
{
	struct state *st = *state;

	tours_free(st->tours);
	nodes_free(st->nodes);
	free(st);
	return 0;
}

#define tours_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A listing of ${dir} that shows directories ${first} to ${last}, or none. */
static struct listed
listing(uint64_t dir, uint64_t first, uint64_t last)
{
	struct listed l = {.dir = dir, .buf = strdup("listing"), .len = 7};

	assert_non_null(l.buf);
	for (uint64_t id = first; first != 0 && id <= last; id++)
		wr_u64(&l.dirs, id);
	assert_false(l.dirs.failed);
	return l;
}

/* The listing was sent: what is to be prepared; 0: nothing. */
static uint64_t
sent(struct state *st, uint64_t dir, uint64_t first, uint64_t last,
    struct tour **tour)
{
	struct listed l = listing(dir, first, last);
	uint64_t next = 0;

	*tour = tours_step(st->tours, &l, &next);
	listed_clear(&l);
	return *tour == NULL ? 0 : next;
}

/* As a reader who is let down each time: nothing can be listed beforehand. */
static uint64_t
lists(struct state *st, uint64_t dir, uint64_t first, uint64_t last)
{
	struct tour *tour;
	uint64_t next = sent(st, dir, first, last, &tour);

	if (tour != NULL)
		tours_ready(st->tours, tour, NULL);
	return next;
}

/* A tour of 10, which shows 11 to 15, that is believed in. */
static void
begin(struct state *st)
{
	assert_int_equal(lists(st, 10, 11, 15), 0);
	assert_int_equal(lists(st, 11, 0, 0), 0);
	assert_int_equal(lists(st, 12, 0, 0), 13);
}

static void
tours_step__goes_down_first(void **state)
{
	struct state *st = *state;

	begin(st);
	assert_int_equal(lists(st, 13, 21, 22), 21);
	assert_int_equal(lists(st, 21, 31, 31), 31);
	assert_int_equal(lists(st, 31, 0, 0), 22);
	assert_int_equal(lists(st, 22, 0, 0), 14);
	assert_int_equal(lists(st, 14, 0, 0), 15);
	assert_int_equal(lists(st, 15, 0, 0), 0);
}

static void
tours_step__is_not_sure_of_what_comes_otherwise(void **state)
{
	struct state *st = *state;

	begin(st);
	/* 13 is left out. */
	assert_int_equal(lists(st, 14, 21, 29), 0);
	assert_int_equal(lists(st, 21, 0, 0), 0);
	assert_int_equal(lists(st, 22, 0, 0), 23);
}

static void
tours_step__follows_several(void **state)
{
	struct state *st = *state;

	begin(st);
	assert_int_equal(lists(st, 100, 101, 109), 0);
	assert_int_equal(lists(st, 101, 0, 0), 0);
	assert_int_equal(lists(st, 13, 0, 0), 14);
	assert_int_equal(lists(st, 102, 0, 0), 103);
	assert_int_equal(lists(st, 14, 0, 0), 15);
}

static void
tours_step__gives_the_oldest_up(void **state)
{
	struct state *st = *state;

	begin(st);
	for (uint64_t dir = 1000; dir < 1100; dir++)
		assert_int_equal(lists(st, dir, 0, 0), 0);
	assert_int_equal(lists(st, 13, 0, 0), 0);
}

static void
tours_step__forgets_what_is_too_much(void **state)
{
	struct state *st = *state;

	begin(st);
	assert_int_equal(lists(st, 13, 1000, 1000 + MANY), 0);
	assert_int_equal(lists(st, 1000, 0, 0), 0);
	begin(st);
	/* So many that what was to come has no room beside them. */
	assert_int_equal(lists(st, 13, 1000, 1000 + 16383), 1000);
	for (uint64_t dir = 1000; dir < 1000 + 16383; dir++)
		assert_int_equal(lists(st, dir, 0, 0), dir + 1);
	assert_int_equal(lists(st, 1000 + 16383, 0, 0), 0);
}

static void
tours_take__gives_what_is_ready_once(void **state)
{
	struct state *st = *state;
	struct listed l = listing(13, 0, 0), out;
	struct tour *tour;

	begin(st);
	assert_int_equal(lists(st, 13, 0, 0), 14);
	l.dir = 15;
	assert_int_equal(sent(st, 14, 0, 0, &tour), 15);
	tours_ready(st->tours, tour, &l);
	assert_null(l.buf);
	assert_false(tours_take(st->tours, 14, 100, &out));
	assert_true(tours_take(st->tours, 15, 7, &out));
	assert_int_equal(out.dir, 15);
	assert_memory_equal(out.buf, "listing", 7);
	listed_clear(&out);
	assert_false(tours_take(st->tours, 15, 7, &out));
}

static void
tours_take__has_no_room_for_it(void **state)
{
	struct state *st = *state;
	struct listed l = listing(14, 0, 0), out;
	struct tour *tour;

	begin(st);
	assert_int_equal(sent(st, 13, 0, 0, &tour), 14);
	tours_ready(st->tours, tour, &l);
	assert_false(tours_take(st->tours, 14, 6, &out));
	assert_null(out.buf);
}

/* A node below the root, looked up once. */
static uint64_t
look_up(struct state *st, const char *name)
{
	struct node_key key = {
	    .kind = NODE_DIR,
	    .parent = nodes_get(st->nodes, NODE_ROOT_ID),
	    .name = {(const uint8_t *)name, strlen(name)},
	    .scope = 1,
	    .ino = 1,
	    .st_ino = 7,
	};
	struct node *n;

	assert_int_equal(nodes_intern(st->nodes, &key, &n, NULL), 0);
	nodes_put(st->nodes, key.parent);
	return n->id;
}

static void
tours_step__takes_back_look_ups_that_nobody_asked_for(void **state)
{
	struct state *st = *state;
	struct listed l = listing(14, 0, 0);
	struct tour *tour;
	size_t before = nodes_count(st->nodes);

	begin(st);
	wr_u64(&l.nodes, look_up(st, "a"));
	wr_u64(&l.nodes, look_up(st, "b"));
	assert_false(l.nodes.failed);
	assert_int_equal(sent(st, 13, 0, 0, &tour), 14);
	tours_ready(st->tours, tour, &l);
	assert_int_equal(nodes_count(st->nodes), before + 2);
	/* It went somewhere else. */
	assert_int_equal(lists(st, 15, 0, 0), 0);
	assert_int_equal(nodes_count(st->nodes), before);
}

struct taking {
	struct tours *tours;
	bool taken;
};

static void *
take(void *arg)
{
	struct taking *t = arg;
	struct listed l;

	t->taken = tours_take(t->tours, 14, 100, &l);
	listed_clear(&l);
	return NULL;
}

/* Whether a reader who comes while 14 is being listed gets it. */
static bool
taken_on_the_way(struct state *st, struct listed *l)
{
	struct taking t = {.tours = st->tours};
	struct tour *tour;
	pthread_t thread;

	begin(st);
	assert_int_equal(sent(st, 13, 0, 0, &tour), 14);
	assert_int_equal(pthread_create(&thread, NULL, take, &t), 0);
	tours_ready(st->tours, tour, l);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return t.taken;
}

static void
tours_take__waits_for_what_is_under_way(void **state)
{
	struct listed l = listing(14, 0, 0);

	assert_true(taken_on_the_way(*state, &l));
}

static void
tours_take__does_without_what_failed(void **state)
{
	assert_false(taken_on_the_way(*state, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    tours_test(tours_step__goes_down_first),
	    tours_test(tours_step__is_not_sure_of_what_comes_otherwise),
	    tours_test(tours_step__follows_several),
	    tours_test(tours_step__gives_the_oldest_up),
	    tours_test(tours_step__forgets_what_is_too_much),
	    tours_test(tours_step__takes_back_look_ups_that_nobody_asked_for),
	    tours_test(tours_take__gives_what_is_ready_once),
	    tours_test(tours_take__has_no_room_for_it),
	    tours_test(tours_take__waits_for_what_is_under_way),
	    tours_test(tours_take__does_without_what_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
