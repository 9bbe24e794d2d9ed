/*
 * What becomes of jobs: a directory in which nothing has changed is taken over
 * as it was, without a look at what is in it; any other is made anew, whatever
 * the order in which that turns out.
 */
#include "tests/unit/assemble_fixture.h"

static const struct was three[] = {{"a", STAYS}, {"b", STAYS}, {"c", STAYS}};

static void
stays__where_all_in_it_stays(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	remember(&g, three, 3);
	e = assemble(&g, three, 3, 3);
	assert_true(taken_over(&g, &e));
	assert_int_equal(e.dir.entries, 3);
	assert_int_equal(e.totals.bytes, 77);
	assert_int_equal(e.ino, 3);
	assert_int_equal(g.as.unchanged, 3);
	assert_state_has(&g, three, 3);
}

static void
stays__though_it_is_empty(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble(&g, NULL, 0, 0);
	assert_int_equal(e.dir.entries, 0);
	assert_int_equal(e.totals.bytes, 77);
}

/* Only its page is: the records are what they were. */
static void
made_again__where_its_page_is_lost(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	remember(&g, three, 3);
	memset(&g.page, 0xee, sizeof(g.page));
	e = assemble(&g, three, 3, 3);
	assert_false(taken_over(&g, &e));
	assert_made_of(&g, &e, three, 3);
	assert_state_has(&g, three, 3);
}

/* Of several pages any may be lost, and is found to be so when it is made. */
static void
made_again__where_it_has_several_pages(void **state)
{
	RIG_AUTO struct rig g;
	struct entry last, e;

	rig_new(&g, *state, true);
	remember(&g, three, 3);
	last = dir_entry(&g, 3);
	last.dir.level = 1;
	send_enter(&g, "", dir_item("", &last));
	send_batch(&g, three, 3);
	send_leave(&g, false);
	e = root_entry(&g);
	assert_made_of(&g, &e, three, 3);
	assert_state_has(&g, three, 3);
}

static void
made_anew__wherever_the_change_is(void **state)
{
	static const enum what becomes[] = {TOUCHED, GONE};

	for (unsigned which = 2; which < 16; which++) {
		RIG_AUTO struct rig g;
		struct was v[3];

		memcpy(v, three, sizeof(v));
		for (unsigned i = 0; i < 3; i++)
			if ((which >> (i + 1) & 1) != 0)
				v[i].what = becomes[which & 1];
		rig_new(&g, *state, true);
		assert_made_anew(&g, v, 3, 3);
	}
}

/* In batches of one: what was held back and what comes later are one list. */
static void
made_anew__over_several_batches(void **state)
{
	static const struct was v[] = {{"a", STAYS}, {"b", STAYS},
	    {"c", TOUCHED}, {"d", STAYS}, {"e", STAYS}};
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	send_enter_known(&g, "", ARRAY_LEN(v));
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		send_batch(&g, v + i, 1);
	send_leave(&g, false);
	e = root_entry(&g);
	assert_made_of(&g, &e, v, ARRAY_LEN(v));
	assert_state_has(&g, v, ARRAY_LEN(v));
	assert_int_equal(g.as.unchanged, 4);
}

static void
made_anew__without_what_was_removed(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	send_enter_known(&g, "", 3);
	send_batch(&g, three, 3);
	send_leave(&g, true);
	e = root_entry(&g);
	assert_made_of(&g, &e, three, 3);
	assert_state_has(&g, three, 3);
}

/* A page of the state was lost, and with it what would have been missed. */
static void
made_anew__where_the_state_knew_of_fewer(void **state)
{
	for (uint64_t n = 2; n <= 4; n += 2) {
		RIG_AUTO struct rig g;

		rig_new(&g, *state, true);
		assert_made_anew(&g, three, 3, n);
	}
}

static void
made_anew__where_all_is_gone(void **state)
{
	RIG_AUTO struct rig g;

	rig_new(&g, *state, true);
	assert_made_anew(&g, NULL, 0, 3);
}

static void
made_anew__where_there_was_none(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	send_enter(&g, "", dir_item("", NULL));
	send_leave(&g, false);
	e = root_entry(&g);
	assert_made_of(&g, &e, NULL, 0);
}

/* The newest snapshot is another machine's: its root is not what was seen. */
static void
made_anew__where_the_root_is_not_the_states(void **state)
{
	RIG_AUTO struct rig g;

	rig_new(&g, *state, true);
	g.as.root_is_last = false;
	assert_made_anew(&g, three, 3, 3);
}

/* All is to be read: also what holds nothing that would say so. */
static void
made_anew__where_nothing_is_taken_over(void **state)
{
	for (int with_state = 0; with_state < 2; with_state++) {
		RIG_AUTO struct rig g;

		rig_new(&g, *state, with_state);
		g.as.takes_over = false;
		assert_made_anew(&g, three, 3, 3);
	}
}

/* --- entries that have an item all the same --------------------------------- */

/* An unchanged link of the file ${ino}; ${met}: another was met before. */
static void
send_link(struct rig *g, const char *name, uint64_t ino, bool met, int64_t seen)
{
	struct job *job = job_new(JOB_BATCH, "");
	WR_AUTO struct wr raw = {0};
	struct stat st = file_stat();
	struct item *it;

	st.st_ino = ino;
	st.st_nlink = 2;
	encode_file(&raw, 5, st.st_nlink);
	it = item_new_after(name, strlen(name), &st, wr_span(&raw));
	it->what = ITEM_KEEP;
	it->seen.s = seen;
	assert_rc(met, links_meet(g->links, &st, &err));
	job->items[job->n++] = it;
	send(g, job);
}

static struct entry
assemble_links(struct rig *g, uint64_t ino, uint64_t other, int64_t seen)
{
	send_enter_known(g, "", 2);
	send_link(g, "a", ino, false, seen);
	send_link(g, "b", other, other == ino, seen);
	send_leave(g, false);
	return root_entry(g);
}

static void
stays__where_links_are_kept(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble_links(&g, 7, 7, 1000000);
	assert_true(taken_over(&g, &e));
	assert_int_equal(g.as.unchanged, 2);
}

/* Two links of one file have become files of their own. */
static void
made_anew__where_a_number_was_taken(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble_links(&g, 7, 8, 1000000);
	assert_false(taken_over(&g, &e));
	assert_int_equal(e.dir.entries, 2);
}

/* The clock was set back: from now on they are doubtful, and say so. */
static void
made_anew__where_a_doubt_came_up(void **state)
{
	AUTO(last_cursor) struct last_cursor *cur = NULL;
	RIG_AUTO struct rig g;
	struct last_entry rec;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble_links(&g, 7, 7, 150);
	assert_false(taken_over(&g, &e));
	publish(&g);
	assert_ok(last_cursor_new(g.state, "", &cur, &err));
	assert_rc(1, last_find(cur, "a", 1, &rec, &err));
	assert_true(rec.doubtful);
}

/* The directory 'd' can't be opened, and could not be; its mode was ${mode}. */
static struct entry
assemble_closed(struct rig *g, uint32_t mode)
{
	struct job *job = job_new(JOB_BATCH, "");
	struct entry d = dir_entry(g, 0);
	struct item *it;

	d.mode = mode;
	d.totals.bytes = 0;
	it = dir_item("d", &d);
	it->what = ITEM_META;
	it->fate = ITEM_UNREADABLE;
	job->items[job->n++] = it;
	send_enter_known(g, "", 1);
	send(g, job);
	send_leave(g, false);
	assert_int_equal(g->problems.unreadable, 1);
	return root_entry(g);
}

static void
stays__around_what_stays_closed(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble_closed(&g, 0755);
	assert_true(taken_over(&g, &e));
}

static void
made_anew__around_what_is_closed_and_has_changed(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble_closed(&g, 0700);
	assert_false(taken_over(&g, &e));
	assert_int_equal(e.totals.dirs, 1);
}

/* --- one in the other ------------------------------------------------------ */

/*
 * A root with a file and the directories 'd', in which nothing has changed, and
 * 'e', in which ${what} is, and whose mode was ${mode}.
 */
static struct entry
assemble_nested(struct rig *g, enum what what, uint32_t mode)
{
	static const struct was a[] = {{"a", STAYS}};
	static const struct was d[] = {{"x", STAYS}, {"y", STAYS}};
	const struct was e[] = {{"x", what}, {"y", STAYS}};
	struct entry root = dir_entry(g, 3), last_e = dir_entry(g, 2);

	root.totals = (struct dir_totals){.files = 5, .dirs = 2};
	last_e.mode = mode;
	send_enter(g, "", dir_item("", &root));
	send_batch(g, a, 1);
	send_enter_known(g, "d", 2);
	send_batch(g, d, 2);
	send_leave(g, false);
	send_enter(g, "e", dir_item("e", &last_e));
	send_batch(g, e, 2);
	send_leave(g, false);
	send_leave(g, false);
	return root_entry(g);
}

static void
stays__where_all_below_stays(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble_nested(&g, STAYS, 0755);
	assert_true(taken_over(&g, &e));
	assert_int_equal(e.totals.files, 5);
	assert_int_equal(e.totals.dirs, 2);
	assert_int_equal(g.as.next_ino, 1000);
}

static void
made_anew__up_to_the_root(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble_nested(&g, TOUCHED, 0755);
	assert_false(taken_over(&g, &e));
	assert_int_equal(e.dir.entries, 3);
	assert_int_equal(e.totals.files, 5);
	assert_int_equal(e.totals.dirs, 2);
	assert_int_equal(g.as.unchanged, 4);
	/* 'x', and then 'e', for what is in it is new. */
	assert_int_equal(g.as.next_ino, 1003);
}

/* 'd' is only made again; the next directory's state is of its own. */
static void
made_again__leaves_no_record_behind(void **state)
{
	static const struct was d[] = {{"v", STAYS}, {"w", STAYS}};
	static const struct was e[] = {{"x", STAYS}, {"y", TOUCHED}};
	AUTO(last_cursor) struct last_cursor *cur = NULL;
	RIG_AUTO struct rig g;
	struct last_entry rec;
	struct entry last;

	rig_new(&g, *state, true);
	last = dir_entry(&g, 2);
	last.dir.level = 1;
	send_enter_known(&g, "", 2);
	send_enter(&g, "d", dir_item("d", &last));
	send_batch(&g, d, 2);
	send_leave(&g, false);
	send_enter_known(&g, "e", 2);
	send_batch(&g, e, 2);
	send_leave(&g, false);
	send_leave(&g, false);
	publish(&g);
	assert_ok(last_cursor_new(g.state, "e", &cur, &err));
	assert_rc(1, last_find(cur, "x", 1, &rec, &err));
	assert_rc(1, last_find(cur, "y", 1, &rec, &err));
	assert_rc(0, last_removed(cur, &err));
}

/* Its mode has changed, nothing in it: only what is above is made anew. */
static void
made_anew__above_what_itself_has_changed(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble_nested(&g, STAYS, 0700);
	assert_false(taken_over(&g, &e));
	assert_int_equal(e.dir.entries, 3);
	assert_int_equal(e.totals.bytes, 2 * 77);
	assert_int_equal(g.as.unchanged, 5);
}

/* --- many ------------------------------------------------------------------ */

#define MANY 150000
#define BATCH 500
#define HELD_MAX (33 * 1024 * 1024)

static void
send_many(struct rig *g, size_t first)
{
	struct job *job = job_new(JOB_BATCH, "");
	char name[256];

	for (size_t i = first; i < first + BATCH; i++) {
		(void)snprintf(name, sizeof(name), "file-%09zu%0200d", i, 0);
		put_record(&job->kept, name);
	}
	job->kept_entries = BATCH;
	send(g, job);
}

/* What is held back of a very big directory is bounded. */
static void
held_back__within_bounds(void **state)
{
	RIG_AUTO struct rig g;
	size_t most = 0;
	struct entry e;

	rig_new(&g, *state, true);
	send_enter_known(&g, "", MANY);
	for (size_t i = 0; i < MANY; i += BATCH) {
		send_many(&g, i);
		if (g.as.levels[0].held.len > most)
			most = g.as.levels[0].held.len;
	}
	send_leave(&g, false);
	assert_true(most > HELD_MAX / 2);
	assert_true(most <= HELD_MAX);
	e = root_entry(&g);
	assert_false(taken_over(&g, &e));
	assert_int_equal(e.dir.entries, MANY);
	assert_int_equal(e.totals.files, MANY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(stays__where_all_in_it_stays),
	    content_test(stays__though_it_is_empty),
	    content_test(made_again__where_its_page_is_lost),
	    content_test(made_again__where_it_has_several_pages),
	    content_test(made_anew__wherever_the_change_is),
	    content_test(made_anew__over_several_batches),
	    content_test(made_anew__without_what_was_removed),
	    content_test(made_anew__where_the_state_knew_of_fewer),
	    content_test(made_anew__where_all_is_gone),
	    content_test(made_anew__where_there_was_none),
	    content_test(made_anew__where_the_root_is_not_the_states),
	    content_test(made_anew__where_nothing_is_taken_over),
	    content_test(stays__where_links_are_kept),
	    content_test(made_anew__where_a_number_was_taken),
	    content_test(made_anew__where_a_doubt_came_up),
	    content_test(stays__around_what_stays_closed),
	    content_test(made_anew__around_what_is_closed_and_has_changed),
	    content_test(stays__where_all_below_stays),
	    content_test(made_anew__up_to_the_root),
	    content_test(made_again__leaves_no_record_behind),
	    content_test(made_anew__above_what_itself_has_changed),
	    content_test(held_back__within_bounds),
	};

	return cmocka_run_group_tests_name("assemble", tests, NULL, NULL);
}
