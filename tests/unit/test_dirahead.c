/* Directories looked at ahead of a scout: snapshot/backup/dirahead.c. */
#include "snapshot/backup/dirahead.h"

#include "tests/unit/outcome.h"
#include "tests/unit/scratch.h"
#include "tests/unit/wait.h"

#define DIRS 30
#define FILES 5
#define ENTRIES (FILES + 2) /* with '.' and '..' */
#define THREADS 8           /* of dirahead.c */

struct place {
	char path[SCRATCH_PATH];
	struct dirh *dir;
};

/* Directories named by numbers, each with FILES files. */
static int
place_new(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	char path[SCRATCH_PATH + 32];

	scratch_new(p->path);
	for (unsigned i = 0; i < DIRS; i++) {
		(void)snprintf(path, sizeof(path), "%s/%u", p->path, i);
		assert_int_equal(mkdir(path, 0755), 0);
		for (unsigned k = 0; k < FILES; k++) {
			(void)snprintf(
			    path, sizeof(path), "%s/%u/%u", p->path, i, k);
			scratch_write(path, "", 0);
		}
	}
	p->dir = dirh_new(open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	assert_non_null(p->dir);
	*state = p;
	return 0;
}

static int
place_rm(void **state)
{
	struct place *p = *state;

	dirh_unref(p->dir);
	scratch_rm(p->path);
	free(p);
	return 0;
}

static struct dirahead *
ahead_new(size_t most)
{
	struct dirahead *a;

	assert_ok(dirahead_new(most, 0, &a, &err));
	return a;
}

struct name {
	char text[16];
};

static struct name
name_of(unsigned i)
{
	struct name name;

	(void)snprintf(name.text, sizeof(name.text), "%u", i);
	return name;
}

static void
put(struct dirahead *a, const struct place *p, unsigned i)
{
	dirahead_put(a, p->dir, name_of(i).text);
}

static void
reach(struct dirahead *a, const struct place *p, unsigned i)
{
	dirahead_reached(a, p->dir, name_of(i).text);
}

static unsigned
refs(const struct place *p)
{
	return atomic_load(&p->dir->refs);
}

static void
await_refs(const struct place *p, unsigned n)
{
	for (unsigned ms = 0; refs(p) != n && ms < 10000; ms++)
		wait_ms(1);
	assert_int_equal(refs(p), n);
}

static void
await_ahead(struct dirahead *a, size_t n)
{
	for (unsigned ms = 0; dirahead_ahead(a) < n && ms < 10000; ms++)
		wait_ms(1);
	assert_true(dirahead_ahead(a) >= n);
}

static void
dirahead_put__has_a_directory_looked_at(void **state)
{
	const struct place *p = *state;
	AUTO(dirahead) struct dirahead *a = ahead_new(1000);

	for (unsigned i = 0; i < 3; i++)
		put(a, p, i);
	await_ahead(a, 3 * ENTRIES);
	assert_int_equal(dirahead_ahead(a), 3 * ENTRIES);
	for (unsigned i = 3; i-- > 0;) {
		reach(a, p, i);
		assert_int_equal(dirahead_ahead(a), i * ENTRIES);
	}
	assert_int_equal(refs(p), 1);
}

static void
dirahead_new__bounds_how_far_they_go(void **state)
{
	const struct place *p = *state;
	const size_t most = 2 * ENTRIES;
	AUTO(dirahead) struct dirahead *a = ahead_new(most);

	for (unsigned i = 0; i < DIRS; i++)
		put(a, p, i);
	/* Whenever the scout has come nearer, they go on. */
	for (unsigned i = DIRS; i-- > 2;) {
		await_ahead(a, most);
		assert_true(dirahead_ahead(a) < most + THREADS * ENTRIES);
		reach(a, p, i);
	}
	dirahead_leave(a, p->dir);
	assert_int_equal(dirahead_ahead(a), 0);
	await_refs(p, 1);
}

static void
dirahead_reached__leaves_it_to_the_scout(void **state)
{
	const struct place *p = *state;
	AUTO(dirahead) struct dirahead *a = ahead_new(0);

	reach(a, p, 0);
	put(a, p, 1);
	put(a, p, 0);
	assert_int_equal(refs(p), 3);
	reach(a, p, 7);
	assert_int_equal(refs(p), 3);
	reach(a, p, 0);
	assert_int_equal(refs(p), 2);
	reach(a, p, 1);
	assert_int_equal(refs(p), 1);
	reach(a, p, 1);
}

static void
dirahead_leave__forgets_what_is_in_it(void **state)
{
	const struct place *p = *state;
	AUTO(dirahead) struct dirahead *a = ahead_new(0);
	struct dirh *other = dirh_new(dup(p->dir->fd));

	for (unsigned i = 0; i < DIRS; i++) {
		put(a, p, i);
		dirahead_put(a, other, "0");
	}
	dirahead_leave(a, p->dir);
	assert_int_equal(refs(p), 1);
	assert_int_equal(atomic_load(&other->refs), 1 + DIRS);
	dirahead_leave(a, other);
	dirh_unref(other);
}

static void
dirahead_put__keeps_only_so_many(void **state)
{
	const struct place *p = *state;
	struct dirahead *a = ahead_new(0);

	for (unsigned i = 0; i < 5000; i++)
		put(a, p, i);
	assert_in_range(refs(p), 1 + 512, 1 + 1024);
	/* The newest are there. */
	for (unsigned i = 5000; i-- > 4500;) {
		unsigned before = refs(p);

		reach(a, p, i);
		assert_int_equal(refs(p), before - 1);
	}
	dirahead_free(a);
	assert_int_equal(refs(p), 1);
}

static void
dirahead_put__passes_over_what_is_gone(void **state)
{
	const struct place *p = *state;
	AUTO(dirahead) struct dirahead *a = ahead_new(1000);

	put(a, p, DIRS);
	dirahead_put(a, p->dir, "0/0");
	put(a, p, 0);
	await_ahead(a, ENTRIES);
	reach(a, p, 0);
	assert_int_equal(dirahead_ahead(a), 0);
	await_refs(p, 3);
}

static bool
look(struct dirahead *a, bool waiting)
{
	dirahead_begin(a);
	if (waiting)
		wait_ms(1);
	return dirahead_end(a);
}

static void
dirahead_end__wants_more_while_somebody_waits(void **state)
{
	AUTO(dirahead) struct dirahead *a = ahead_new(1000);
	bool more = false;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		more = look(a, false);
	assert_false(more);
	for (unsigned i = 0; i < 10; i++)
		more = look(a, true);
	assert_true(more);
	for (unsigned i = 0; i < 1000 && more; i++)
		more = look(a, false);
	assert_false(more);
}

/* As where the kernel forgets at once what the threads had it fetch. */
static void
dirahead_end__gives_up_where_the_scout_waits_all_the_same(void **state)
{
	const struct place *p = *state;
	AUTO(dirahead) struct dirahead *a = ahead_new(1000);
	bool more = true;

	for (unsigned i = 0; i < 10; i++)
		more = look(a, true);
	assert_true(more);
	for (unsigned i = 0; i < 200 && more; i++) {
		put(a, p, 0);
		await_ahead(a, ENTRIES);
		reach(a, p, 0);
		more = look(a, true);
	}
	assert_false(more);
	assert_false(look(a, true));
}

static void
dirahead_new__can_take_it_to_be_slow(void **state)
{
	struct dirahead *a;

	(void)state;
	assert_ok(dirahead_new(1000, DIRAHEAD_SLOW, &a, &err));
	assert_true(look(a, false));
	dirahead_free(a);
}

#define ahead_test(name)                                                       \
	cmocka_unit_test_setup_teardown(name, place_new, place_rm)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ahead_test(dirahead_put__has_a_directory_looked_at),
	    ahead_test(dirahead_new__bounds_how_far_they_go),
	    ahead_test(dirahead_reached__leaves_it_to_the_scout),
	    ahead_test(dirahead_leave__forgets_what_is_in_it),
	    ahead_test(dirahead_put__keeps_only_so_many),
	    ahead_test(dirahead_put__passes_over_what_is_gone),
	    ahead_test(dirahead_end__wants_more_while_somebody_waits),
	    ahead_test(
		dirahead_end__gives_up_where_the_scout_waits_all_the_same),
	    ahead_test(dirahead_new__can_take_it_to_be_slow),
	};

	return cmocka_run_group_tests_name("dirahead", tests, NULL, NULL);
}
