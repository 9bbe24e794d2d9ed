#ifndef TESTS_UNIT_ASSEMBLE_FIXTURE_H
#define TESTS_UNIT_ASSEMBLE_FIXTURE_H

/*
 * An assembly over a store in memory and a real state, jobs as the walk makes
 * them, and what they are to become.
 */
#include "snapshot/backup/assemble.h"
#include "tests/unit/pipeline_fixture.h"
#include "tests/unit/scratch.h"

enum what { STAYS, TOUCHED, GONE };

/* An entry of a directory, and what has become of it. */
struct was {
	const char *name;
	enum what what;
};

struct rig {
	char dir[SCRATCH_PATH];
	struct pipeline p;
	struct state *state;
	struct links *links;
	struct problems problems;
	struct backup_options opt;
	struct assembly as;
	struct chunk_name page; /* one that is there */
};

static inline UNUSED int
no_work(UNUSED struct worker *w, UNUSED struct job *job, UNUSED void *arg,
    UNUSED struct err *err)
{
	return 0;
}

static inline UNUSED struct state *
open_state(const struct rig *g)
{
	static const uint8_t store[STORE_ID_LEN] = {1};
	struct state *s = NULL;

	assert_ok(state_open(g->dir, store, g->p.f->ks, &s, &err));
	assert_ok(state_begin(s, &err));
	return s;
}

static inline UNUSED void
rig_new(struct rig *g, struct fixture *f, bool with_state)
{
	static const uint8_t some[8];

	memset(g, 0, sizeof(*g));
	scratch_new(g->dir);
	g->p = pipeline_new(f, 1, no_work, NULL);
	if (with_state)
		g->state = open_state(g);
	assert_ok(links_new(&g->links, &err));
	assert_ok(ingest_chunk(
	    g->p.self.lane, CHUNK_TREE, some, sizeof(some), &g->page, &err));
	g->as.worker = &g->p.self;
	g->as.state = g->state;
	g->as.takes_over = with_state;
	g->as.root_is_last = true;
	g->as.links = g->links;
	g->problems.opt = &g->opt;
	g->as.problems = &g->problems;
	g->as.next_ino = 1000;
	assert_ok(assembly_init(&g->as, &err));
}

static inline UNUSED void
rig_free(struct rig *g)
{
	assembly_clear(&g->as);
	problems_clear(&g->problems);
	links_free(g->links);
	state_close(g->state);
	pipeline_free(&g->p);
	scratch_rm(g->dir);
}
#define RIG_AUTO __attribute__((cleanup(rig_free)))

/* --- entries ------------------------------------------------------------ */

static const uint8_t nothing[1] = {CONTENT_EMPTY};

/* Somebody without a name. */
#define SOMEBODY 3999999999

static inline UNUSED struct stat
file_stat(void)
{
	return (struct stat){
	    .st_mode = S_IFREG | 0640,
	    .st_nlink = 1,
	    .st_uid = SOMEBODY,
	    .st_gid = SOMEBODY,
	    .st_ino = 7,
	    .st_mtim = {.tv_sec = 100},
	    .st_ctim = {.tv_sec = 200},
	};
}

static inline UNUSED struct span
wr_span(const struct wr *w)
{
	return (struct span){w->buf, w->len};
}

static inline UNUSED void
encode_file(struct wr *w, uint64_t ino, uint64_t nlink)
{
	const struct entry e = {
	    .type = ENTRY_FILE,
	    .mode = 0640,
	    .uid = SOMEBODY,
	    .gid = SOMEBODY,
	    .mtime = 100,
	    .ino = ino,
	    .nlink = nlink,
	    .content = {nothing, 1},
	};

	wr_reset(w);
	entry_encode(&e, w);
}

/* What the state says of the file ${name}. */
static inline UNUSED void
put_record(struct wr *records, const char *name)
{
	WR_AUTO struct wr raw = {0};

	encode_file(&raw, 5, 1);
	const struct last_entry e = {
	    .name = {(const uint8_t *)name, strlen(name)},
	    .ctime = {.s = 200},
	    .ino = 7,
	    .raw = wr_span(&raw),
	};
	last_record(&e, records);
}

/* The directory ${name}, whose entry was ${last}; NULL: it is new. */
static inline UNUSED struct item *
dir_item(const char *name, const struct entry *last)
{
	const struct stat st = {.st_mode = S_IFDIR | 0755,
	    .st_nlink = 2,
	    .st_uid = SOMEBODY,
	    .st_gid = SOMEBODY};
	WR_AUTO struct wr raw = {0};
	struct item *it;

	if (last != NULL)
		entry_encode(last, &raw);
	it = item_new_after(name, strlen(name), &st, wr_span(&raw));
	assert_non_null(it);
	return it;
}

/* What no directory is made of, to tell that it was taken over. */
static inline UNUSED struct entry
dir_entry(const struct rig *g, uint64_t entries)
{
	return (struct entry){
	    .type = ENTRY_DIR,
	    .mode = 0755,
	    .uid = SOMEBODY,
	    .gid = SOMEBODY,
	    .ino = 3,
	    .nlink = 1,
	    .dir = {.entries = entries, .root = g->page},
	    .totals = {.files = entries, .bytes = 77},
	};
}

/* --- jobs ---------------------------------------------------------------- */

static inline UNUSED void
send(struct rig *g, struct job *job)
{
	assert_ok(assembly_job(&g->as, job, &err));
}

static inline UNUSED void
send_enter(struct rig *g, const char *path, struct item *self)
{
	struct job *job = job_new(JOB_ENTER, path);

	job->items[job->n++] = self;
	send(g, job);
}

/* A directory of ${n} entries, of which one page says all. */
static inline UNUSED void
send_enter_known(struct rig *g, const char *name, uint64_t n)
{
	const struct entry last = dir_entry(g, n);

	send_enter(g, name, dir_item(name, &last));
}

static inline UNUSED void
send_leave(struct rig *g, bool removed)
{
	struct job *job = job_new(JOB_LEAVE, NULL);

	job->removed = removed;
	send(g, job);
}

/* As the walk makes it: what stays is only a record. */
static inline UNUSED void
send_batch(struct rig *g, const struct was *v, size_t n)
{
	struct job *job = job_new(JOB_BATCH, "");
	const struct stat st = file_stat();

	for (size_t i = 0; i < n; i++) {
		struct item *it;

		if (v[i].what == STAYS) {
			put_record(&job->kept, v[i].name);
			job->kept_entries++;
			job->kept_files++;
			continue;
		}
		it = item_new(v[i].name, strlen(v[i].name), &st);
		it->what = ITEM_READ;
		if (v[i].what == GONE)
			it->fate = ITEM_VANISHED;
		it->seen.s = 1000000;
		it->kept_before = job->kept.len;
		wr_bytes(&it->content, nothing, 1);
		job->items[job->n++] = it;
	}
	send(g, job);
}

/* The root's entry, once it was left; borrowed from the assembly. */
static inline UNUSED struct entry
root_entry(const struct rig *g)
{
	struct span raw = assembly_root(&g->as);
	struct entry e;

	assert_ok(entry_decode(raw.p, raw.len, &e, &err));
	return e;
}

/* A root with ${v} in it, and with ${before} entries in the last snapshot. */
static inline UNUSED struct entry
assemble(struct rig *g, const struct was *v, size_t n, uint64_t before)
{
	send_enter_known(g, "", before);
	if (n > 0)
		send_batch(g, v, n);
	send_leave(g, false);
	return root_entry(g);
}

/* --- what a directory is made of ------------------------------------------ */

static inline UNUSED bool
taken_over(const struct rig *g, const struct entry *e)
{
	return memcmp(&e->dir.root, &g->page, sizeof(g->page)) == 0;
}

/* By hand: the same as what ${v} is to become. */
static inline UNUSED void
assert_made_of(
    struct rig *g, const struct entry *e, const struct was *v, size_t n)
{
	AUTO(dir_builder) struct dir_builder *b = NULL;
	WR_AUTO struct wr raw = {0};
	struct dir_ref want;
	uint64_t ino = 1000;

	assert_ok(dir_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++) {
		if (v[i].what == GONE)
			continue;
		encode_file(&raw, v[i].what == STAYS ? 5 : ino++, 1);
		assert_ok(dir_builder_add(b, g->p.self.lane,
		    (const uint8_t *)v[i].name, strlen(v[i].name), raw.buf,
		    raw.len, &err));
	}
	assert_ok(dir_builder_finish(b, g->p.self.lane, &want, &err));
	assert_int_equal(e->dir.entries, want.entries);
	assert_int_equal(e->dir.level, want.level);
	assert_memory_equal(&e->dir.root, &want.root, sizeof(want.root));
	assert_int_equal(e->totals.files, want.entries);
}

/* What is put from now on is of the next run. */
static inline UNUSED void
publish(struct rig *g)
{
	static const struct state_base base = {.id = {1}};

	assert_ok(state_publish(g->state, &base, &err));
	assert_ok(state_begin(g->state, &err));
}

/* The state has the root's records of these, and no more. */
static inline UNUSED void
remember(struct rig *g, const struct was *v, size_t n)
{
	struct last_writer w = {0};
	WR_AUTO struct wr record = {0};
	uint8_t key[HASH_LEN];

	assert_ok(state_dir_key(g->state, "", 0, key, &err));
	for (size_t i = 0; i < n; i++) {
		wr_reset(&record);
		put_record(&record, v[i].name);
		assert_ok(
		    last_write(&w, g->state, key, wr_span(&record), &err));
	}
	assert_ok(last_write_end(&w, g->state, key, &err));
	last_writer_clear(&w);
	publish(g);
}

/* The new state has the records of these, in order, and no more. */
static inline UNUSED void
assert_state_has(struct rig *g, const struct was *v, size_t n)
{
	AUTO(last_cursor) struct last_cursor *cur = NULL;

	publish(g);
	assert_ok(last_cursor_new(g->state, "", &cur, &err));
	for (size_t i = 0; i < n; i++) {
		struct last_entry e;

		if (v[i].what == GONE)
			continue;
		assert_rc(
		    1, last_find(cur, v[i].name, strlen(v[i].name), &e, &err));
		assert_int_equal(e.ctime.s, 200);
	}
	assert_rc(0, last_removed(cur, &err));
}

/* Of ${before} entries ${v} is left: it is made anew, and so is its state. */
static inline UNUSED void
assert_made_anew(struct rig *g, const struct was *v, size_t n, uint64_t before)
{
	struct entry e = assemble(g, v, n, before);

	assert_made_of(g, &e, v, n);
	if (g->state != NULL)
		assert_state_has(g, v, n);
}

#endif
