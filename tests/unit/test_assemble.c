/*
 * What becomes of jobs: a directory in which nothing has changed is taken over
 * as it was, without a look at what is in it; any other is made anew, whatever
 * the order in which that turns out.
 */
#include "snapshot/backup/assemble.h"
#include "tests/unit/pipeline_fixture.h"
#include "tests/unit/scratch.h"

/* An entry of a directory, and what has become of it. */
struct was {
	const char *name;
	enum { STAYS, TOUCHED } what;
};

struct rig {
	char dir[SCRATCH_PATH];
	struct pipeline p;
	struct state *state;
	struct links *links;
	struct problems problems;
	struct assembly as;
};

static int
no_work(UNUSED struct worker *w, UNUSED struct job *job, UNUSED void *arg,
    UNUSED struct err *err)
{
	return 0;
}

static struct state *
open_state(const struct rig *g)
{
	static const uint8_t store[STORE_ID_LEN] = {1};
	struct state *s = NULL;

	assert_ok(state_open(g->dir, store, g->p.f->ks, &s, &err));
	assert_ok(state_begin(s, &err));
	return s;
}

static void
rig_new(struct rig *g, struct fixture *f, bool with_state)
{
	memset(g, 0, sizeof(*g));
	scratch_new(g->dir);
	g->p = pipeline_new(f, 1, no_work, NULL);
	if (with_state)
		g->state = open_state(g);
	assert_ok(links_new(&g->links, &err));
	g->as.worker = &g->p.self;
	g->as.state = g->state;
	g->as.root_is_last = true;
	g->as.links = g->links;
	g->as.problems = &g->problems;
	g->as.next_ino = 1000;
	assert_ok(assembly_init(&g->as, &err));
}

static void
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

static struct stat
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

static struct span
wr_span(const struct wr *w)
{
	return (struct span){w->buf, w->len};
}

static void
encode_file(struct wr *w, uint64_t ino)
{
	const struct entry e = {
	    .type = ENTRY_FILE,
	    .mode = 0640,
	    .uid = SOMEBODY,
	    .gid = SOMEBODY,
	    .mtime = 100,
	    .ino = ino,
	    .nlink = 1,
	    .content = {nothing, 1},
	};

	wr_reset(w);
	entry_encode(&e, w);
}

/* What the state says of the file ${name}. */
static void
put_record(struct wr *records, const char *name)
{
	WR_AUTO struct wr raw = {0};

	encode_file(&raw, 5);
	const struct last_entry e = {
	    .name = {(const uint8_t *)name, strlen(name)},
	    .ctime = {.s = 200},
	    .ino = 7,
	    .raw = wr_span(&raw),
	};
	last_record(&e, records);
}

/* The directory ${name}, whose entry was ${last} if that isn't NULL. */
static struct item *
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
static struct entry
dir_entry(uint64_t entries)
{
	return (struct entry){
	    .type = ENTRY_DIR,
	    .mode = 0755,
	    .uid = SOMEBODY,
	    .gid = SOMEBODY,
	    .ino = 3,
	    .nlink = 1,
	    .dir = {.entries = entries, .root = {{0xee}}},
	    .totals = {.files = entries, .bytes = 77},
	};
}

/* --- jobs ---------------------------------------------------------------- */

static void
send(struct rig *g, struct job *job)
{
	assert_ok(assembly_job(&g->as, job, &err));
}

static void
send_enter(struct rig *g, const char *path, struct item *self)
{
	struct job *job = job_new(JOB_ENTER, path);

	job->items[job->n++] = self;
	send(g, job);
}

static void
send_leave(struct rig *g, bool removed)
{
	struct job *job = job_new(JOB_LEAVE, NULL);

	job->removed = removed;
	send(g, job);
}

/* As the walk makes it: what stays is only a record. */
static void
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
		it->seen.s = 1000000;
		it->kept_before = job->kept.len;
		wr_bytes(&it->content, nothing, 1);
		job->items[job->n++] = it;
	}
	send(g, job);
}

/* The root's entry, once it was left; borrowed from the assembly. */
static struct entry
root_entry(const struct rig *g)
{
	struct span raw = assembly_root(&g->as);
	struct entry e;

	assert_ok(entry_decode(raw.p, raw.len, &e, &err));
	return e;
}

/* A root with ${v} in it, which was ${last}. */
static struct entry
assemble(struct rig *g, const struct was *v, size_t n, const struct entry *last)
{
	send_enter(g, "", dir_item("", last));
	if (n > 0)
		send_batch(g, v, n);
	send_leave(g, false);
	return root_entry(g);
}

/* --- what a directory is made of ------------------------------------------ */

static bool
taken_over(const struct entry *e)
{
	return e->dir.root.b[0] == 0xee;
}

/* By hand: the same as what ${v} is to become. */
static void
assert_made_of(
    struct rig *g, const struct entry *e, const struct was *v, size_t n)
{
	AUTO(dir_builder) struct dir_builder *b = NULL;
	WR_AUTO struct wr raw = {0};
	struct dir_ref want;
	uint64_t ino = 1000;

	assert_ok(dir_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++) {
		encode_file(&raw, v[i].what == STAYS ? 5 : ino++);
		assert_ok(dir_builder_add(b, g->p.self.lane,
		    (const uint8_t *)v[i].name, strlen(v[i].name), raw.buf,
		    raw.len, &err));
	}
	assert_ok(dir_builder_finish(b, g->p.self.lane, &want, &err));
	assert_int_equal(e->dir.entries, n);
	assert_int_equal(e->dir.level, want.level);
	assert_memory_equal(&e->dir.root, &want.root, sizeof(want.root));
	assert_int_equal(e->totals.files, n);
}

/* The new state has these, in order, and no more. */
static void
assert_state_has(struct rig *g, const struct was *v, size_t n)
{
	static const struct state_base base = {.id = {1}};
	AUTO(last_cursor) struct last_cursor *cur = NULL;

	assert_ok(state_publish(g->state, &base, &err));
	assert_ok(last_cursor_new(g->state, "", &cur, &err));
	for (size_t i = 0; i < n; i++) {
		struct last_entry e;

		assert_rc(
		    1, last_find(cur, v[i].name, strlen(v[i].name), &e, &err));
		assert_int_equal(e.ctime.s, 200);
	}
	assert_rc(0, last_removed(cur, &err));
}

static const struct was three[] = {{"a", STAYS}, {"b", STAYS}, {"c", STAYS}};

static void
stays__where_all_in_it_stays(void **state)
{
	RIG_AUTO struct rig g;
	const struct entry last = dir_entry(3);
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble(&g, three, 3, &last);
	assert_true(taken_over(&e));
	assert_int_equal(e.dir.entries, 3);
	assert_int_equal(e.totals.bytes, 77);
	assert_int_equal(e.ino, 3);
	assert_int_equal(g.as.unchanged, 3);
	/* It is kept in the state, too, which had nothing to keep. */
	assert_state_has(&g, NULL, 0);
}

static void
made_anew__wherever_the_change_is(void **state)
{
	const struct entry last = dir_entry(3);

	for (unsigned which = 1; which < 8; which++) {
		RIG_AUTO struct rig g;
		struct was v[3];
		struct entry e;

		memcpy(v, three, sizeof(v));
		for (unsigned i = 0; i < 3; i++)
			if ((which >> i & 1) != 0)
				v[i].what = TOUCHED;
		rig_new(&g, *state, true);
		e = assemble(&g, v, 3, &last);
		assert_made_of(&g, &e, v, 3);
		assert_state_has(&g, v, 3);
	}
}

/* In batches of one: what was held back and what comes later are one list. */
static void
made_anew__over_several_batches(void **state)
{
	static const struct was v[] = {{"a", STAYS}, {"b", STAYS},
	    {"c", TOUCHED}, {"d", STAYS}, {"e", STAYS}};
	const struct entry last = dir_entry(5);
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	send_enter(&g, "", dir_item("", &last));
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
	const struct entry last = dir_entry(3);
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	send_enter(&g, "", dir_item("", &last));
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
		const struct entry last = dir_entry(n);
		RIG_AUTO struct rig g;
		struct entry e;

		rig_new(&g, *state, true);
		e = assemble(&g, three, 3, &last);
		assert_made_of(&g, &e, three, 3);
		assert_state_has(&g, three, 3);
	}
}

static void
made_anew__where_all_is_gone(void **state)
{
	const struct entry last = dir_entry(3);
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble(&g, NULL, 0, &last);
	assert_made_of(&g, &e, NULL, 0);
}

static void
made_anew__where_there_was_none(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble(&g, NULL, 0, NULL);
	assert_made_of(&g, &e, NULL, 0);
}

/* The newest snapshot is another machine's: its root is not what was seen. */
static void
made_anew__where_the_root_is_not_the_states(void **state)
{
	const struct entry last = dir_entry(3);
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	g.as.root_is_last = false;
	e = assemble(&g, three, 3, &last);
	assert_made_of(&g, &e, three, 3);
	assert_state_has(&g, three, 3);
}

static void
made_anew__without_a_state(void **state)
{
	const struct entry last = dir_entry(3);
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, false);
	e = assemble(&g, three, 3, &last);
	assert_made_of(&g, &e, three, 3);
}

/* --- one in the other ------------------------------------------------------ */

/* A root with a file and the directory 'd', in which ${what} is. */
static struct entry
assemble_nested(struct rig *g, int what)
{
	static const struct was a[] = {{"a", STAYS}};
	const struct was inner[] = {{"x", what}, {"y", STAYS}};
	const struct entry last_d = dir_entry(2);
	struct entry last = dir_entry(2);

	last.totals = (struct dir_totals){.files = 3, .dirs = 1};
	send_enter(g, "", dir_item("", &last));
	send_batch(g, a, 1);
	send_enter(g, "d", dir_item("d", &last_d));
	send_batch(g, inner, 2);
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
	e = assemble_nested(&g, STAYS);
	assert_true(taken_over(&e));
	assert_int_equal(e.totals.files, 3);
	assert_int_equal(e.totals.dirs, 1);
}

static void
made_anew__up_to_the_root(void **state)
{
	RIG_AUTO struct rig g;
	struct entry e;

	rig_new(&g, *state, true);
	e = assemble_nested(&g, TOUCHED);
	assert_false(taken_over(&e));
	assert_int_equal(e.dir.entries, 2);
	assert_int_equal(e.totals.files, 3);
	assert_int_equal(e.totals.dirs, 1);
	assert_int_equal(g.as.unchanged, 2);
}

/* --- many ------------------------------------------------------------------ */

#define MANY 150000
#define BATCH 500
#define HELD_MAX (33 * 1024 * 1024)

/* What is held back of a very big directory is bounded. */
static void
held_back__within_bounds(void **state)
{
	const struct entry last = dir_entry(MANY);
	RIG_AUTO struct rig g;
	size_t most = 0;
	struct entry e;

	rig_new(&g, *state, true);
	send_enter(&g, "", dir_item("", &last));
	for (size_t i = 0; i < MANY; i += BATCH) {
		struct job *job = job_new(JOB_BATCH, "");
		char name[256];

		for (size_t j = i; j < i + BATCH; j++) {
			(void)snprintf(
			    name, sizeof(name), "file-%09zu%0200d", j, 0);
			put_record(&job->kept, name);
		}
		job->kept_entries = BATCH;
		send(&g, job);
		if (g.as.levels[0].held.len > most)
			most = g.as.levels[0].held.len;
	}
	send_leave(&g, false);
	assert_true(most > HELD_MAX / 2);
	assert_true(most <= HELD_MAX);
	e = root_entry(&g);
	assert_false(taken_over(&e));
	assert_int_equal(e.dir.entries, MANY);
	assert_int_equal(e.totals.files, MANY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(stays__where_all_in_it_stays),
	    content_test(made_anew__wherever_the_change_is),
	    content_test(made_anew__over_several_batches),
	    content_test(made_anew__without_what_was_removed),
	    content_test(made_anew__where_the_state_knew_of_fewer),
	    content_test(made_anew__where_all_is_gone),
	    content_test(made_anew__where_there_was_none),
	    content_test(made_anew__where_the_root_is_not_the_states),
	    content_test(made_anew__without_a_state),
	    content_test(stays__where_all_below_stays),
	    content_test(made_anew__up_to_the_root),
	    content_test(held_back__within_bounds),
	};

	return cmocka_run_group_tests_name("assemble", tests, NULL, NULL);
}
