#include "snapshot/restore/restore.h"
#include "tests/unit/ingest_fixture.h"
#include "tests/unit/scratch.h"

#include <errno.h>

#define MTIME 1700000000
#define TOLD_MAX 64
#define LONG_NAME 300 /* more than a file system takes, less than a store */

/* A tree in the making, its restore, and what came of it. */
struct job {
	struct fixture *f;
	struct ingest *in;
	struct ingest_lane *lane;
	struct dir_builder *dir;
	uint64_t ino;
	struct entry root;
	char target[SCRATCH_PATH];
	struct restore_options opt;
	struct restore_result result;
	/* Paths of problems; those who need more give a hook. */
	char *told[TOLD_MAX];
	size_t ntold;
	void (*hook)(struct job *job, const char *path);
	atomic_bool stop;
};

/* --- making ------------------------------------------------------------- */

static void
note_problem(void *arg, const char *path, const struct err *err)
{
	struct job *job = arg;

	assert_true(job->ntold < TOLD_MAX);
	assert_int_not_equal(err->code, 0);
	job->told[job->ntold++] = strdup(path);
	if (job->hook != NULL)
		job->hook(job, path);
}

static struct job *
job_new(struct fixture *f)
{
	struct job *job = calloc(1, sizeof(*job));

	assert_non_null(job);
	job->f = f;
	job->in = run_new(f);
	job->lane = lane_new(job->in);
	job->ino = 1;
	assert_ok(dir_builder_new(&job->dir, &err));
	scratch_new(job->target);
	job->opt = (struct restore_options){
	    .path = "",
	    .target = job->target,
	    .no_owner = true,
	    .threads = 1,
	    .stop = &job->stop,
	    .on_problem = note_problem,
	    .arg = job,
	};
	return job;
}

static void
job_free(struct job *job)
{
	for (size_t i = 0; i < job->ntold; i++)
		free(job->told[i]);
	dir_builder_free(job->dir);
	ingest_lane_free(job->lane);
	ingest_free(job->in);
	scratch_rm(job->target);
	free(job);
}
DEFINE_AUTO(job, job_free)

static struct entry
plain(struct job *job, enum entry_type type)
{
	return (struct entry){
	    .type = type,
	    .mode = 0755,
	    .mtime = MTIME,
	    .ino = job->ino++,
	    .nlink = 1,
	};
}

static void
add(struct job *job, const char *name, const struct entry *e)
{
	WR_AUTO struct wr w = {0};

	entry_encode(e, &w);
	assert_ok(dir_builder_add(job->dir, job->lane, (const uint8_t *)name,
	    strlen(name), w.buf, w.len, &err));
}

/* A file of these elements. */
static void
add_file(struct job *job, const char *name, struct entry e,
    const struct element *els, size_t n)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	WR_AUTO struct wr w = {0};
	struct content c;

	assert_ok(content_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++)
		assert_ok(content_builder_add(b, job->lane, &els[i], &err));
	assert_ok(content_builder_finish(b, job->lane, &c, &e.size, &err));
	content_encode(&c, &w);
	e.content = (struct span){w.buf, w.len};
	add(job, name, &e);
}

/* A chunk of fill_random(). */
static struct element
chunk_of(struct job *job, uint64_t i, size_t len)
{
	return (struct element){.len = len, .name = take_in(job->lane, i, len)};
}

/* A chunk, and one that no index lists. */
static void
add_damaged(struct job *job, const char *name, struct entry e)
{
	struct element els[2] = {chunk_of(job, 1, LEN), {.len = LEN}};

	memset(&els[1].name, 0x77, sizeof(els[1].name));
	add_file(job, name, e, els, 2);
}

static void
add_whole(struct job *job, const char *name, struct entry e, uint64_t i)
{
	struct element el = chunk_of(job, i, LEN);

	add_file(job, name, e, &el, 1);
}

static struct entry
finish_dir(struct job *job)
{
	struct entry e = plain(job, ENTRY_DIR);

	assert_ok(dir_builder_finish(job->dir, job->lane, &e.dir, &err));
	return e;
}

/* --- restoring ---------------------------------------------------------- */

/* Reads take ${delay} ms, so that the walk is ahead of what it adds. */
static void
restore(struct job *job, int want, unsigned delay)
{
	INDEXES_AUTO struct indexes ix = {0};
	READER_AUTO struct reader r = {0};
	WR_AUTO struct wr root = {0};
	struct snapshot s = {0};

	assert_ok(ingest_lane_flush(job->lane, &err));
	finish(job->in, &ix);
	r = reader_new(job->f, &ix);
	entry_encode(&job->root, &root);
	s.root = root.buf;
	s.root_len = root.len;
	memstore_delay(job->f->store, delay);
	assert_rc(
	    want, restore_run(r.chunks, &s, &job->opt, &job->result, &err));
	memstore_delay(job->f->store, 0);
	assert_int_equal(job->result.failed, job->ntold);
}

static struct stat
look(const struct job *job, const char *path)
{
	char full[2 * SCRATCH_PATH];
	struct stat st = {0};

	(void)snprintf(full, sizeof(full), "%s/%s", job->target, path);
	if (lstat(full, &st) != 0)
		assert_int_equal(errno, ENOENT);
	return st;
}

static bool
is_there(const struct job *job, const char *path)
{
	return look(job, path).st_nlink > 0;
}

static void
assert_time(const struct job *job, const char *path)
{
	assert_int_equal(look(job, path).st_mtim.tv_sec, MTIME);
}

static uint8_t *
read_file(const struct job *job, const char *path, size_t len)
{
	char full[2 * SCRATCH_PATH];
	uint8_t *buf = malloc(len);
	FILE *file;

	(void)snprintf(full, sizeof(full), "%s/%s", job->target, path);
	file = fopen(full, "rb");
	assert_non_null(file);
	assert_int_equal(fread(buf, 1, len, file), len);
	assert_int_equal(fgetc(file), EOF);
	(void)fclose(file);
	return buf;
}

/* The file is chunk ${i}, and has its metadata. */
static void
assert_whole(const struct job *job, const char *path, uint64_t i)
{
	uint8_t want[LEN], *got = read_file(job, path, LEN);

	fill_random(want, LEN, i);
	assert_memory_equal(got, want, LEN);
	assert_time(job, path);
	free(got);
}

static bool
was_told(const struct job *job, const char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < job->ntold; i++)
		n += strcmp(job->told[i], path) == 0;
	assert_true(n <= 1);
	return n == 1;
}

static const char *
long_name(void)
{
	static char name[LONG_NAME + 1];

	memset(name, 'l', LONG_NAME);
	return name;
}

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

/* --- links -------------------------------------------------------------- */

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
	    content_test(restore_run__links_are_one_file),
	    content_test(restore_run__tells_all_links_of_a_damaged_file),
	    content_test(restore_run__tells_links_to_what_failed_before),
	    content_test(restore_run__same_inode_number_is_not_the_same_file),
	    content_test(restore_run__makes_a_file_of_a_link_to_nothing),
	    content_test(restore_run__finds_back_where_a_directory_was_moved),
	    content_test(restore_run__goes_on_above_what_was_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
