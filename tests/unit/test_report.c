/* Errors to errno and to lines: fs/report.c. */
#include "fs/report.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct told {
	unsigned lines;
	char line[2048];
	char path[2048];
	struct report *report;
};

static void
tell(void *arg, const char *line, const char *path)
{
	struct told *told = arg;

	told->lines++;
	(void)snprintf(told->line, sizeof(told->line), "%s", line);
	(void)snprintf(
	    told->path, sizeof(told->path), "%s", path != NULL ? path : "-");
}

static int
setup(void **state)
{
	struct told *told = calloc(1, sizeof(*told));

	if (told == NULL || report_new(tell, told, &told->report, NULL) != 0)
		return -1;
	*state = told;
	return 0;
}

static int
teardown(void **state)
{
	struct told *told = *state;

	report_free(told->report);
	free(told);
	return 0;
}

#define told_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct node *
child(struct nodes *t, enum node_kind kind, struct node *parent,
    const char *name, const struct snapshot *s)
{
	struct node_key key = {
	    .kind = kind,
	    .parent = parent,
	    .name = {(const uint8_t *)name, strlen(name)},
	    .st_ino = 77,
	    .ino = parent->id,
	    .s = s,
	};
	struct node *n;

	assert_int_equal(nodes_intern(t, &key, &n, NULL), 0);
	return n;
}

/* The file's path is told apart, for it must not get into a log. */
static void
report_errno__path_stands_apart(void **state)
{
	static const int snapshot;
	struct told *told = *state;
	struct node_key root = {.kind = NODE_FOLDER, .st_ino = 1};
	AUTO(nodes) struct nodes *t = NULL;
	struct node *n;
	struct err why;

	assert_int_equal(nodes_new(&root, &t, NULL), 0);
	n = nodes_get(t, NODE_ROOT_ID);
	nodes_put(t, n);
	n = child(t, NODE_DATASET, n, "customers", NULL);
	n = child(t, NODE_DAY, n, "2026-11-21", NULL);
	n = child(
	    t, NODE_DIR, n, "14-20-00Z", (const struct snapshot *)&snapshot);
	n = child(t, NODE_DIR, n, "jones", NULL);
	n = child(t, NODE_FILE, n, "x\nray", NULL);
	(void)err_set(&why, ERR_CORRUPT, "pack 'p': damaged");
	assert_int_equal(report_errno(told->report, n, &why), EIO);
	assert_int_equal(told->lines, 1);
	assert_string_equal(told->line,
	    "'customers/2026-11-21/14-20-00Z', inode 77: pack 'p': damaged");
	assert_string_equal(
	    told->path, "customers/2026-11-21/14-20-00Z/jones/x\\012ray");
}

static void
report_errno__codes(void **state)
{
	static const struct {
		enum err_code code;
		int want;
	} cases[] = {
	    {ERR_IO, EIO},
	    {ERR_NOMEM, ENOMEM},
	    {ERR_NOT_FOUND, EIO},
	    {ERR_CORRUPT, EIO},
	    {ERR_AUTH, EIO},
	    {ERR_DENIED, EACCES},
	    {ERR_LOCKED, EBUSY},
	    {ERR_FULL, ENOSPC},
	    {ERR_VERSION, EIO},
	    {ERR_USAGE, EINVAL},
	    {ERR_BUG, EIO},
	    {ERR_CANCELLED, EINTR},
	};
	struct told *told = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err why;

		(void)err_set(&why, cases[i].code, "case %zu", i);
		assert_int_equal(
		    report_errno(told->report, NULL, &why), cases[i].want);
		assert_string_equal(told->line, why.text);
		assert_string_equal(told->path, "-");
	}
}

static void
report_line__once_a_minute(void **state)
{
	struct told *told = *state;

	for (int i = 0; i < 1000; i++)
		report_line(told->report, "the same");
	assert_int_equal(told->lines, 1);
	report_line(told->report, "another");
	assert_int_equal(told->lines, 2);
}

static void
report_line__bounded_in_number(void **state)
{
	struct told *told = *state;

	for (int i = 0; i < 1000; i++)
		report_line(told->report, "line %d", i);
	assert_in_range(told->lines, 20, 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    told_test(report_errno__path_stands_apart),
	    told_test(report_errno__codes),
	    told_test(report_line__once_a_minute),
	    told_test(report_line__bounded_in_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
