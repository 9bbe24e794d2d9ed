#include "crypto/bytes.h"
#include "snapshot/backup/walk.h"
#include "tests/unit/outcome.h"
#include "tests/unit/scratch.h"

#include <errno.h>

/*
 * A source that is deeper than a walk keeps open, and in which directories are
 * moved while the walk is far below them, but not yet at the bottom: then the
 * scout, which is a few views ahead, has not gone back up either.
 */
enum { DEPTH = 140, WHEN = 80, MOVED = 20, ABOVE = 10, WIDE = 15, FILES = 300 };

struct source {
	char dir[SCRATCH_PATH];
	int root;
	bool above_too; /* what is to be moved */
	size_t depth;   /* of the walk */
	size_t good, gone, wide_gone;
};

/* 'd/d/d', ${n} levels deep. */
static const char *
deep(char buf[2 * DEPTH], size_t n)
{
	for (size_t i = 0; i < n; i++)
		memcpy(buf + 2 * i, "d/", 2);
	buf[2 * n - 1] = '\0';
	return buf;
}

static void
touch(int dir, const char *name)
{
	int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0 && close(fd) == 0);
}

/* Each directory of the chain has a file 'z'; one has many. */
static void
make_chain(const struct source *s)
{
	int dir = dup(s->root);
	char name[32];

	for (size_t i = 0; i < DEPTH; i++) {
		int above = dir;

		touch(dir, "z");
		for (size_t j = 0; i == WIDE && j < FILES; j++) {
			(void)snprintf(name, sizeof(name), "e%03zu", j);
			touch(dir, name);
		}
		assert_int_equal(mkdirat(above, "d", 0755), 0);
		dir = openat(above, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(dir >= 0 && close(above) == 0);
	}
	(void)close(dir);
}

static int
source_new(void **state)
{
	struct source *s = calloc(1, sizeof(*s));

	scratch_new(s->dir);
	s->root = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s->root >= 0);
	make_chain(s);
	*state = s;
	return 0;
}

static int
source_free(void **state)
{
	struct source *s = *state;

	(void)close(s->root);
	scratch_rm(s->dir);
	free(s);
	return 0;
}

static void
move(const struct source *s)
{
	char path[2 * DEPTH];

	assert_int_equal(
	    renameat(s->root, deep(path, MOVED), s->root, "moved"), 0);
	if (s->above_too)
		assert_int_equal(
		    renameat(s->root, deep(path, ABOVE), s->root, "above"), 0);
}

static void
count(struct source *s, const struct job *job)
{
	for (size_t i = 0; i < job->n; i++) {
		const struct item *it = job->items[i];

		if (it->fate == ITEM_GOOD) {
			assert_int_equal(
			    faccessat(job->dir->fd, it->name, F_OK, 0), 0);
			s->good++;
			continue;
		}
		assert_int_equal(it->fate, ITEM_VANISHED);
		assert_int_equal(it->errnum, ENOENT);
		assert_false(job->to_work);
		s->gone++;
		s->wide_gone += it->name[0] == 'e';
	}
}

static int
sink(void *arg, struct job *job, UNUSED struct err *error)
{
	struct source *s = arg;

	if (job->kind == JOB_BATCH)
		count(s, job);
	else if (job->kind == JOB_LEAVE)
		s->depth--;
	else if (++s->depth == WHEN)
		move(s);
	job_free(job);
	return 0;
}

static void
walk(struct source *s)
{
	struct exclude *exclude;
	struct links *links;
	struct scout_options look = {0};
	uint64_t elsewhere = 0;
	bool met_store = false;
	struct walk_options opt = {
	    .elsewhere = &elsewhere, .met_store = &met_store};
	struct scout *scout;
	struct stat st;

	assert_ok(exclude_new(&exclude, &err));
	assert_ok(links_new(&links, &err));
	look.exclude = exclude;
	opt.links = links;
	assert_int_equal(fstat(s->root, &st), 0);
	assert_ok(scout_start(dup(s->root), &st, &look, &scout, &err));
	assert_ok(walk_run(scout, item_new("", 0, &st), &opt, sink, s, &err));
	scout_free(scout);
	assert_int_equal(s->depth, 0);
	assert_int_equal(elsewhere, 0);
	assert_false(met_store);
	links_free(links);
	exclude_free(exclude);
}

static void
walk_run__finds_back_above_a_directory_that_was_moved(void **state)
{
	struct source *s = *state;

	walk(s);
	assert_int_equal(s->good, DEPTH + FILES);
	assert_int_equal(s->gone, 0);
}

static void
walk_run__tells_what_has_gone_where_there_is_no_way_back(void **state)
{
	struct source *s = *state;

	s->above_too = true;
	walk(s);
	assert_int_equal(s->gone, MOVED - ABOVE + FILES);
	assert_int_equal(s->wide_gone, FILES);
	assert_int_equal(s->good, DEPTH - (MOVED - ABOVE));
}

#define walk_test(name)                                                        \
	cmocka_unit_test_setup_teardown(name, source_new, source_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    walk_test(walk_run__finds_back_above_a_directory_that_was_moved),
	    walk_test(walk_run__tells_what_has_gone_where_there_is_no_way_back),
	};

	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
