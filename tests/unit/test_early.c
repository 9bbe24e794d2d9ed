#include "snapshot/backup/early.h"
#include "tests/unit/realm.h"
#include "tests/unit/wait.h"

#include <errno.h>
#include <time.h>

/* A source of three files that was backed up once. */
struct rig {
	struct realm *realm;
	char source[2 * SCRATCH_PATH];
	struct backup_options opt;
	struct backup_early *early;
};

static void
put(const struct rig *g, const char *name, const char *text)
{
	char path[4 * SCRATCH_PATH];

	(void)snprintf(path, sizeof(path), "%s/%s", g->source, name);
	scratch_write(path, text, strlen(text));
}

static struct moment
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct moment){.s = ts.tv_sec, .ns = (uint32_t)ts.tv_nsec};
}

/* Long enough for times that differ. */
static void
a_moment(void)
{
	wait_ms(20);
}

/* Whether the snapshot says that it is of before ${m}. */
static bool
run_is_before(struct rig *g, struct moment m, uint64_t files)
{
	struct backup_result result = {0};
	bool before;

	assert_ok(backup_run(
	    g->realm->admin, g->realm->heads, &g->opt, &result, &err));
	assert_int_equal(result.snapshot->totals.files, files);
	before = moment_compare(result.snapshot->time, m) < 0;
	backup_result_clear(&result);
	return before;
}

static int
rig_new(void **state)
{
	struct rig *g = calloc(1, sizeof(*g));

	g->realm = realm_new();
	(void)snprintf(g->source, sizeof(g->source), "%s/three", g->realm->dir);
	assert_int_equal(mkdir(g->source, 0755), 0);
	put(g, "a", "1");
	put(g, "b", "2");
	put(g, "c", "3");
	g->opt = (struct backup_options){
	    .dataset = "three",
	    .source = g->source,
	    .state_dir = g->realm->state,
	    .program = "test",
	    .threads = 2,
	};
	assert_false(run_is_before(g, now(), 3));
	a_moment();
	*state = g;
	return 0;
}

static int
rig_free(void **state)
{
	struct rig *g = *state;

	backup_early_free(g->early);
	realm_free(g->realm);
	free(g);
	return 0;
}

static void
begin(struct rig *g)
{
	g->early = backup_early_start(&g->opt, g->realm->store);
	assert_non_null(g->early);
	g->opt.early = g->early;
	a_moment();
}

static void
backup_early_start__gives_the_run_what_it_saw(void **state)
{
	struct rig *g = *state;

	begin(g);
	assert_true(run_is_before(g, now(), 3));
	/* It was used up. */
	a_moment();
	assert_false(run_is_before(g, now(), 3));
}

/* What it was too late for is in the next snapshot. */
static void
backup_early_start__leaves_to_the_next_run_what_comes_later(void **state)
{
	struct rig *g = *state;

	struct backup_result result = {0};

	begin(g);
	put(g, "d", "4");
	put(g, "a", "changed");
	assert_ok(backup_run(
	    g->realm->admin, g->realm->heads, &g->opt, &result, &err));
	backup_result_clear(&result);
	assert_ok(backup_run(
	    g->realm->admin, g->realm->heads, &g->opt, &result, &err));
	assert_int_equal(result.snapshot->totals.files, 4);
	assert_int_equal(result.snapshot->totals.bytes, strlen("changed") + 3);
	backup_result_clear(&result);
}

static void
backup_early_start__is_of_no_use_after_another_run(void **state)
{
	struct rig *g = *state;
	struct rig other = *g;

	begin(g);
	put(g, "d", "4");
	assert_false(run_is_before(&other, now(), 4));
	assert_false(run_is_before(g, now(), 4));
}

static void
backup_early_start__is_of_no_use_for_another_source(void **state)
{
	struct rig *g = *state;
	char moved[3 * SCRATCH_PATH];

	begin(g);
	(void)snprintf(moved, sizeof(moved), "%s.moved", g->source);
	assert_int_equal(rename(g->source, moved), 0);
	assert_int_equal(mkdir(g->source, 0755), 0);
	put(g, "a", "1");
	assert_false(run_is_before(g, now(), 1));
}

/* It went into what the run leaves out. */
static void
backup_early_start__is_of_no_use_for_another_store(void **state)
{
	struct rig *g = *state;

	g->early = backup_early_start(&g->opt, NULL);
	assert_non_null(g->early);
	g->opt.early = g->early;
	a_moment();
	assert_false(run_is_before(g, now(), 3));
}

/* The first run of a dataset reads all: that may take long. */
static void
backup_early_start__is_of_no_use_for_a_first_run(void **state)
{
	struct rig *g = *state;

	g->opt.dataset = "new";
	begin(g);
	assert_false(run_is_before(g, now(), 3));
}

static void
backup_early_start__begins_nothing_where_it_can_not(void **state)
{
	struct rig *g = *state;
	struct backup_options opt = g->opt;
	char file[3 * SCRATCH_PATH];
	const char *pattern = "";

	opt.full = true;
	assert_null(backup_early_start(&opt, NULL));
	opt = g->opt;
	opt.source = NULL;
	assert_null(backup_early_start(&opt, NULL));
	(void)snprintf(file, sizeof(file), "%s/a", g->source);
	opt.source = file;
	assert_null(backup_early_start(&opt, NULL));
	opt.source = "/nowhere/at/all";
	assert_null(backup_early_start(&opt, NULL));
	opt = g->opt;
	opt.excludes = &pattern;
	opt.nexcludes = 1;
	assert_null(backup_early_start(&opt, NULL));
}

static void
backup_early_free__ends_it(void **state)
{
	struct rig *g = *state;

	backup_early_free(NULL);
	g->early = backup_early_start(&g->opt, g->realm->store);
	backup_early_free(STEAL(g->early));
}

#define early_test(name)                                                       \
	cmocka_unit_test_setup_teardown(name, rig_new, rig_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    early_test(backup_early_start__gives_the_run_what_it_saw),
	    early_test(
		backup_early_start__leaves_to_the_next_run_what_comes_later),
	    early_test(backup_early_start__is_of_no_use_after_another_run),
	    early_test(backup_early_start__is_of_no_use_for_another_source),
	    early_test(backup_early_start__is_of_no_use_for_another_store),
	    early_test(backup_early_start__is_of_no_use_for_a_first_run),
	    early_test(backup_early_start__begins_nothing_where_it_can_not),
	    early_test(backup_early_free__ends_it),
	};

	return cmocka_run_group_tests_name("early", tests, NULL, NULL);
}
