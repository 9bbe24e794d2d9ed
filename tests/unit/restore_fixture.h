#ifndef TESTS_UNIT_RESTORE_FIXTURE_H
#define TESTS_UNIT_RESTORE_FIXTURE_H

/* Trees put together for a restore, and what a restore made of them. */
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

static inline UNUSED void
note_problem(void *arg, const char *path, const struct err *err)
{
	struct job *job = arg;

	assert_true(job->ntold < TOLD_MAX);
	assert_int_not_equal(err->code, 0);
	job->told[job->ntold++] = strdup(path);
	if (job->hook != NULL)
		job->hook(job, path);
}

static inline UNUSED struct job *
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

static inline UNUSED void
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

static inline UNUSED struct entry
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

static inline UNUSED void
add(struct job *job, const char *name, const struct entry *e)
{
	WR_AUTO struct wr w = {0};

	entry_encode(e, &w);
	assert_ok(dir_builder_add(job->dir, job->lane, (const uint8_t *)name,
	    strlen(name), w.buf, w.len, &err));
}

/* A file of these elements. */
static inline UNUSED void
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
static inline UNUSED struct element
chunk_of(struct job *job, uint64_t i, size_t len)
{
	return (struct element){.len = len, .name = take_in(job->lane, i, len)};
}

/* A chunk, and one that no index lists. */
static inline UNUSED void
add_damaged(struct job *job, const char *name, struct entry e)
{
	struct element els[2] = {chunk_of(job, 1, LEN), {.len = LEN}};

	memset(&els[1].name, 0x77, sizeof(els[1].name));
	add_file(job, name, e, els, 2);
}

static inline UNUSED void
add_whole(struct job *job, const char *name, struct entry e, uint64_t i)
{
	struct element el = chunk_of(job, i, LEN);

	add_file(job, name, e, &el, 1);
}

static inline UNUSED struct entry
finish_dir(struct job *job)
{
	struct entry e = plain(job, ENTRY_DIR);

	assert_ok(dir_builder_finish(job->dir, job->lane, &e.dir, &err));
	return e;
}

/* --- restoring ---------------------------------------------------------- */

/* Reads take ${delay} ms, so that the walk is ahead of what it adds. */
static inline UNUSED void
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

static inline UNUSED struct stat
look(const struct job *job, const char *path)
{
	char full[2 * SCRATCH_PATH];
	struct stat st = {0};

	(void)snprintf(full, sizeof(full), "%s/%s", job->target, path);
	if (lstat(full, &st) != 0)
		assert_int_equal(errno, ENOENT);
	return st;
}

static inline UNUSED bool
is_there(const struct job *job, const char *path)
{
	return look(job, path).st_nlink > 0;
}

static inline UNUSED void
assert_time(const struct job *job, const char *path)
{
	assert_int_equal(look(job, path).st_mtim.tv_sec, MTIME);
}

static inline UNUSED uint8_t *
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
static inline UNUSED void
assert_whole(const struct job *job, const char *path, uint64_t i)
{
	uint8_t want[LEN], *got = read_file(job, path, LEN);

	fill_random(want, LEN, i);
	assert_memory_equal(got, want, LEN);
	assert_time(job, path);
	free(got);
}

static inline UNUSED bool
was_told(const struct job *job, const char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < job->ntold; i++)
		n += strcmp(job->told[i], path) == 0;
	assert_true(n <= 1);
	return n == 1;
}

static inline UNUSED const char *
long_name(void)
{
	static char name[LONG_NAME + 1];

	memset(name, 'l', LONG_NAME);
	return name;
}

#endif
