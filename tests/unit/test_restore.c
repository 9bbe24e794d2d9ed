/* What a restore makes of contents and directories. */
#include "tests/unit/restore_fixture.h"

/* --- contents ----------------------------------------------------------- */

#define MANY 230
#define MANY_LEN 40000 /* more than 8 MiB in all, which two threads may share */

static void
restore_run__writes_chunks_where_they_belong(void **state)
{
	AUTO(job) struct job *job = job_new(*state);
	struct element els[MANY];
	uint8_t *got, want[MANY_LEN];

	for (size_t i = 0; i < MANY; i++) {
		els[i] = chunk_of(job, i, MANY_LEN - i);
		/* Holes end what can be written at once. */
		if (i % 100 == 50)
			els[i] =
			    (struct element){.len = MANY_LEN - i, .hole = true};
	}
	add_file(job, "many", plain(job, ENTRY_FILE), els, MANY);
	add_file(job, "none", plain(job, ENTRY_FILE), NULL, 0);
	add_whole(job, "one", plain(job, ENTRY_FILE), 7);
	job->root = finish_dir(job);
	job->opt.threads = 2;
	restore(job, 0, 0);
	assert_int_equal(job->ntold, 0);
	assert_int_equal(job->result.files, 3);
	assert_int_equal(look(job, "none").st_size, 0);
	assert_whole(job, "one", 7);
	got = read_file(job, "many", MANY * MANY_LEN - MANY * (MANY - 1) / 2);
	for (size_t i = 0, at = 0; i < MANY; at += MANY_LEN - i, i++) {
		fill_random(want, MANY_LEN - i, i);
		if (i % 100 == 50)
			memset(want, 0, sizeof(want));
		assert_memory_equal(got + at, want, MANY_LEN - i);
	}
	free(got);
}

/* Metadata that can't be set: the bytes are not taken for it. */
static void
restore_run__keeps_a_file_without_its_metadata(void **state)
{
	AUTO(job) struct job *job = job_new(*state);
	struct entry e = plain(job, ENTRY_FILE);
	WR_AUTO struct wr w = {0};
	struct xattr x = {
	    .name = {(const uint8_t *)"nonsense.name", 13},
	    .value = {(const uint8_t *)"v", 1},
	    .value_len = 1,
	};

	xattr_encode(&x, &w);
	e.xattrs = (struct span){w.buf, w.len};
	e.nxattrs = 1;
	add_whole(job, "a", e, 1);
	job->root = finish_dir(job);
	restore(job, 0, 0);
	assert_int_equal(job->ntold, 1);
	assert_true(was_told(job, "a"));
	assert_false(job->result.damaged);
	assert_whole(job, "a", 1);
}

#define STOPPED 20

static void
stop_now(struct job *job, UNUSED const char *path)
{
	atomic_store(&job->stop, true);
}

static void
restore_run__leaves_no_half_files_when_stopped(void **state)
{
	AUTO(job) struct job *job = job_new(*state);
	char name[8];

	for (uint64_t i = 0; i < STOPPED; i++) {
		(void)snprintf(name, sizeof(name), "f%02u", (unsigned)i);
		add_whole(job, name, plain(job, ENTRY_FILE), i);
	}
	add_whole(job, long_name(), plain(job, ENTRY_FILE), 1);
	job->root = finish_dir(job);
	job->hook = stop_now;
	restore(job, ERR_CANCELLED, 50);
	assert_int_equal(job->ntold, 1);
	assert_false(is_there(job, "f19"));
	for (uint64_t i = 0; i < STOPPED; i++) {
		(void)snprintf(name, sizeof(name), "f%02u", (unsigned)i);
		if (is_there(job, name))
			assert_whole(job, name, i);
	}
}

/* --- directories -------------------------------------------------------- */

#define DEEP 80
#define MOVED 10 /* from the top; too far up to be kept open meanwhile */
#define LOST 5   /* further up, when that is moved, too */

/* The path of the directory so far down. */
static const char *
deep_path(int depth)
{
	static char path[2 * DEEP + 1];

	path[0] = '\0';
	for (int i = 0; i < depth; i++)
		strcat(path, i == 0 ? "d" : "/d");
	return path;
}

static void
move(const struct job *job, int depth, const char *name)
{
	char from[2 * SCRATCH_PATH], to[2 * SCRATCH_PATH];

	(void)snprintf(
	    from, sizeof(from), "%s/%s", job->target, deep_path(depth));
	(void)snprintf(to, sizeof(to), "%s/%s", job->target, name);
	assert_int_equal(rename(from, to), 0);
}

static void
move_one(struct job *job, UNUSED const char *path)
{
	if (job->ntold == 1)
		move(job, MOVED, "moved");
}

static void
move_two(struct job *job, UNUSED const char *path)
{
	move_one(job, path);
	if (job->ntold == 1)
		move(job, LOST, "lost");
}

/* Directories in directories, each with a file that comes after the next. */
static struct job *
deep_job(struct fixture *f)
{
	struct job *job = job_new(f);

	add_whole(job, long_name(), plain(job, ENTRY_FILE), 1);
	for (int i = 0; i < DEEP; i++) {
		job->root = finish_dir(job);
		add(job, "d", &job->root);
		add_whole(job, "e", plain(job, ENTRY_FILE), 1);
	}
	job->root = finish_dir(job);
	return job;
}

/* The files in the directories down to that depth, but not in it. */
static void
assert_files_above(const struct job *job, int depth)
{
	char path[2 * DEEP + 3];

	for (int i = 0; i < depth; i++) {
		(void)snprintf(path, sizeof(path), "%s%se", deep_path(i),
		    i > 0 ? "/" : "");
		assert_whole(job, path, 1);
		assert_time(job, deep_path(i));
	}
}

/* '..' leads elsewhere, but the path still to it. */
static void
restore_run__finds_back_where_a_directory_was_moved(void **state)
{
	AUTO(job) struct job *job = deep_job(*state);

	job->hook = move_one;
	restore(job, 0, 0);
	assert_int_equal(job->ntold, 1);
	assert_whole(job, "moved/e", 1);
	assert_files_above(job, MOVED);
}

static void
restore_run__goes_on_above_what_was_moved(void **state)
{
	AUTO(job) struct job *job = deep_job(*state);

	job->hook = move_two;
	restore(job, 0, 0);
	assert_int_equal(job->ntold, 1 + MOVED - LOST);
	for (int i = LOST; i < MOVED; i++)
		assert_true(was_told(job, deep_path(i)));
	assert_whole(job, "moved/e", 1);
	assert_false(is_there(job, "lost/e"));
	assert_files_above(job, LOST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(restore_run__writes_chunks_where_they_belong),
	    content_test(restore_run__keeps_a_file_without_its_metadata),
	    content_test(restore_run__leaves_no_half_files_when_stopped),
	    content_test(restore_run__finds_back_where_a_directory_was_moved),
	    content_test(restore_run__goes_on_above_what_was_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
