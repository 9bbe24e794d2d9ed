/* Hard links, which a restore makes again. */
#include "tests/unit/restore_fixture.h"

static void
restore_run__links_are_one_file(void **state)
{
	AUTO(job) struct job *job = job_new(*state);
	struct entry dir, e = plain(job, ENTRY_FILE);
	struct entry fifo = plain(job, ENTRY_FIFO);

	e.nlink = 4; /* one of them was not backed up */
	fifo.nlink = 2;
	add_whole(job, "c", e, 1);
	add(job, "d", &fifo);
	dir = finish_dir(job);
	add_whole(job, "a", e, 1);
	add_whole(job, "b", e, 1);
	add(job, "dir", &dir);
	add(job, "fifo", &fifo);
	job->root = finish_dir(job);
	restore(job, 0, 5);
	assert_int_equal(job->ntold, 0);
	assert_int_equal(job->result.files, 3);
	assert_int_equal(job->result.others, 2);
	assert_int_equal(job->result.bytes, 3 * look(job, "a").st_size);
	assert_whole(job, "a", 1);
	assert_int_equal(look(job, "a").st_nlink, 3);
	assert_int_equal(look(job, "b").st_ino, look(job, "a").st_ino);
	assert_int_equal(look(job, "dir/c").st_ino, look(job, "a").st_ino);
	assert_int_equal(look(job, "dir/d").st_ino, look(job, "fifo").st_ino);
	assert_time(job, "dir");
	assert_time(job, "");
}

/* Whether the links were made before the damage was seen, or after. */
static void
links_of_a_damaged_file(struct fixture *f, unsigned delay)
{
	AUTO(job) struct job *job = job_new(f);
	struct entry dir, e = plain(job, ENTRY_FILE);

	e.nlink = 3;
	add_damaged(job, "c", e);
	dir = finish_dir(job);
	add_damaged(job, "a", e);
	add_damaged(job, "b", e);
	add(job, "dir", &dir);
	add_whole(job, "e", plain(job, ENTRY_FILE), 2);
	job->root = finish_dir(job);
	restore(job, 0, delay);
	assert_int_equal(job->ntold, 3);
	assert_true(was_told(job, "a"));
	assert_true(was_told(job, "b"));
	assert_true(was_told(job, "dir/c"));
	assert_true(job->result.damaged);
	assert_false(is_there(job, "a"));
	assert_false(is_there(job, "b"));
	assert_false(is_there(job, "dir/c"));
	assert_whole(job, "e", 2);
	assert_int_equal(job->result.files, 1);
	assert_time(job, "dir");
	assert_time(job, "");
}

static void
restore_run__tells_all_links_of_a_damaged_file(void **state)
{
	links_of_a_damaged_file(*state, 50);
}

static void
restore_run__tells_links_to_what_failed_before(void **state)
{
	links_of_a_damaged_file(*state, 0);
}

/* Two files that a writer gave the same number. */
static void
restore_run__same_inode_number_is_not_the_same_file(void **state)
{
	AUTO(job) struct job *job = job_new(*state);
	struct entry e = plain(job, ENTRY_FILE);

	e.nlink = 2;
	add_whole(job, "a", e, 1);
	add_whole(job, "b", e, 2);
	add_whole(job, "c", e, 1);
	add_whole(job, "d", e, 2);
	job->root = finish_dir(job);
	restore(job, 0, 0);
	assert_int_equal(job->ntold, 0);
	assert_whole(job, "a", 1);
	assert_whole(job, "b", 2);
	assert_int_equal(look(job, "c").st_ino, look(job, "a").st_ino);
	assert_int_equal(look(job, "d").st_ino, look(job, "b").st_ino);
}

static void
restore_run__makes_a_file_of_a_link_to_nothing(void **state)
{
	AUTO(job) struct job *job = job_new(*state);
	struct entry e = plain(job, ENTRY_FILE);
	struct entry fifo = plain(job, ENTRY_FIFO);

	e.nlink = 3;
	fifo.nlink = 2;
	add(job, long_name(), &fifo);
	add(job, "m", &fifo);
	job->root = finish_dir(job);
	add(job, "a", &job->root);
	add_whole(job, long_name(), e, 1);
	add_whole(job, "m", e, 1);
	add_whole(job, "n", e, 1);
	job->root = finish_dir(job);
	restore(job, 0, 0);
	assert_int_equal(job->ntold, 2);
	assert_true(was_told(job, long_name()));
	assert_true(S_ISFIFO(look(job, "a/m").st_mode));
	assert_whole(job, "m", 1);
	assert_int_equal(look(job, "n").st_ino, look(job, "m").st_ino);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(restore_run__links_are_one_file),
	    content_test(restore_run__tells_all_links_of_a_damaged_file),
	    content_test(restore_run__tells_links_to_what_failed_before),
	    content_test(restore_run__same_inode_number_is_not_the_same_file),
	    content_test(restore_run__makes_a_file_of_a_link_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
