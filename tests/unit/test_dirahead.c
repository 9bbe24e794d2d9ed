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
	dev_t dev;
	struct dirh *dir;
};

/* Directories named by numbers, each with FILES files. */
static int
place_new(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	char path[SCRATCH_PATH + 32];
	struct stat st;

	scratch_new(p->path);
	assert_int_equal(stat(p->path, &st), 0);
	p->dev = st.st_dev;
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
ahead_new(const struct place *p, size_t most)
{
	struct dirahead *a;

	assert_ok(dirahead_new(p->dev, most, &a, &err));
	return a;
}

static void
put(struct dirahead *a, const struct place *p, unsigned i)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "%u", i);
	dirahead_put(a, p->dir, name);
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
await_looked(struct dirahead *a, uint64_t n)
{
	for (unsigned ms = 0; dirahead_looked(a) < n && ms < 10000; ms++)
		wait_ms(1);
	assert_true(dirahead_looked(a) >= n);
}

static void
dirahead_put__has_a_directory_looked_at(void **state)
{
	const struct place *p = *state;
	AUTO(dirahead) struct dirahead *a = ahead_new(p, 1000);

	for (unsigned i = 0; i < 3; i++)
		put(a, p, i);
	await_looked(a, 3 * ENTRIES);
	assert_int_equal(dirahead_looked(a), 3 * ENTRIES);
	assert_int_equal(refs(p), 1);
}

static void
dirahead_new__bounds_how_far_they_go(void **state)
{
	const struct place *p = *state;
	const size_t most = 2 * ENTRIES;
	AUTO(dirahead) struct dirahead *a = ahead_new(p, most);

	for (unsigned i = 0; i < DIRS; i++)
		put(a, p, i);
	await_looked(a, most);
	wait_ms(50);
	assert_in_range(dirahead_looked(a), most, most + THREADS * ENTRIES);
	/* The scout comes after. */
	while (refs(p) > 1) {
		dirahead_begin(a);
		(void)dirahead_end(a, ENTRIES);
		wait_ms(1);
	}
}

static void
dirahead_reached__leaves_it_to_the_scout(void **state)
{
	const struct place *p = *state;
	AUTO(dirahead) struct dirahead *a = ahead_new(p, 0);

	dirahead_reached(a, p->dir, "0");
	put(a, p, 1);
	put(a, p, 0);
	assert_int_equal(refs(p), 3);
	dirahead_reached(a, p->dir, "7");
	assert_int_equal(refs(p), 3);
	dirahead_reached(a, p->dir, "0");
	assert_int_equal(refs(p), 2);
	dirahead_reached(a, p->dir, "1");
	assert_int_equal(refs(p), 1);
	dirahead_reached(a, p->dir, "1");
}

static void
dirahead_leave__forgets_what_is_in_it(void **state)
{
	const struct place *p = *state;
	AUTO(dirahead) struct dirahead *a = ahead_new(p, 0);
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
	struct dirahead *a = ahead_new(p, 0);

	for (unsigned i = 0; i < 5000; i++)
		put(a, p, i);
	assert_in_range(refs(p), 1 + 512, 1 + 1024);
	/* The newest are there. */
	for (unsigned i = 5000; i-- > 4500;) {
		unsigned before = refs(p);
		char name[16];

		(void)snprintf(name, sizeof(name), "%u", i);
		dirahead_reached(a, p->dir, name);
		assert_int_equal(refs(p), before - 1);
	}
	dirahead_free(a);
	assert_int_equal(refs(p), 1);
}

static void
dirahead_put__stays_on_the_filesystem(void **state)
{
	const struct place *p = *state;
	struct dirahead *a;

	assert_ok(dirahead_new(p->dev + 1, 1000, &a, &err));
	put(a, p, 0);
	await_refs(p, 1);
	wait_ms(20);
	assert_int_equal(dirahead_looked(a), 0);
	dirahead_free(a);
}

static void
dirahead_put__passes_over_what_is_gone(void **state)
{
	const struct place *p = *state;
	AUTO(dirahead) struct dirahead *a = ahead_new(p, 1000);

	put(a, p, DIRS);
	dirahead_put(a, p->dir, "0/0");
	await_refs(p, 1);
	wait_ms(20);
	assert_int_equal(dirahead_looked(a), 0);
}

static void
dirahead_end__wants_more_while_somebody_waits(void **state)
{
	const struct place *p = *state;
	AUTO(dirahead) struct dirahead *a = ahead_new(p, 1000);
	bool more = false;

	for (unsigned i = 0; i < 10; i++) {
		dirahead_begin(a);
		more = dirahead_end(a, 1);
	}
	assert_false(more);
	for (unsigned i = 0; i < 10; i++) {
		dirahead_begin(a);
		wait_ms(1);
		more = dirahead_end(a, 1);
	}
	assert_true(more);
	for (unsigned i = 0; i < 1000 && more; i++) {
		dirahead_begin(a);
		more = dirahead_end(a, 1);
	}
	assert_false(more);
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
	    ahead_test(dirahead_put__stays_on_the_filesystem),
	    ahead_test(dirahead_put__passes_over_what_is_gone),
	    ahead_test(dirahead_end__wants_more_while_somebody_waits),
	};

	return cmocka_run_group_tests_name("dirahead", tests, NULL, NULL);
}
