#include "crypto/bytes.h"
#include "snapshot/backup/dirahead.h"
#include "snapshot/backup/scout.h"
#include "tests/unit/outcome.h"
#include "tests/unit/scratch.h"
#include "tests/unit/wait.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

/* A source, and a scout that looks at it. */
struct trip {
	char dir[SCRATCH_PATH];
	struct exclude *exclude;
	struct scout_options opt;
	struct scout *scout;
};

static int
trip_new(void **state)
{
	struct trip *t = calloc(1, sizeof(*t));

	scratch_new(t->dir);
	assert_ok(exclude_new(&t->exclude, &err));
	t->opt.exclude = t->exclude;
	*state = t;
	return 0;
}

/* On a disk that is taken to be slow: threads look at directories ahead. */
static int
trip_new_slow(void **state)
{
	struct trip *t;

	(void)trip_new(state);
	t = *state;
	t->opt.slow = DIRAHEAD_SLOW;
	return 0;
}

static int
trip_free(void **state)
{
	struct trip *t = *state;

	scout_free(t->scout);
	exclude_free(t->exclude);
	scratch_rm(t->dir);
	free(t);
	return 0;
}

static void
make_dir(const struct trip *t, const char *name)
{
	char path[2 * SCRATCH_PATH];

	(void)snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void
make_file(const struct trip *t, const char *name, const char *text)
{
	char path[2 * SCRATCH_PATH];

	(void)snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	scratch_write(path, text, strlen(text));
}

static void
start(struct trip *t)
{
	struct stat st;
	int fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_ok(scout_start(fd, &st, &t->opt, &t->scout, &err));
}

static struct view *
next(struct trip *t)
{
	struct view *v;

	assert_ok(scout_next(t->scout, &v, &err));
	assert_non_null(v);
	return v;
}

static void
assert_end(struct trip *t)
{
	struct view *v;

	assert_rc(ERR_BUG, scout_next(t->scout, &v, &err));
	assert_null(v);
}

/* What a view shows, in words; '-' stands before what is left out. */
static void
assert_view(struct trip *t, const char *want)
{
	static const char *const kinds[] = {
	    "dir", "entries", "closed", "again"};
	AUTO(view) struct view *v = next(t);
	char text[1000];
	int at = snprintf(text, sizeof(text), "%s", kinds[v->kind]);

	if (v->facts != NULL)
		at += snprintf(text + at, sizeof(text) - (size_t)at, " '%s'",
		    v->facts->path);
	for (size_t i = 0; v->facts != NULL && i < v->n; i++) {
		assert_int_equal(v->looks[i].errnum, 0);
		at += snprintf(text + at, sizeof(text) - (size_t)at, " %s%s%s",
		    v->looks[i].left_out ? "-" : "", v->facts->list.names[i],
		    S_ISDIR(v->looks[i].st.st_mode) ? "/" : "");
	}
	assert_string_equal(text, want);
}

static void
scout_next__shows_directories_depth_first_in_order_of_name(void **state)
{
	struct trip *t = *state;

	make_file(t, "c", "3");
	make_file(t, "a", "1");
	make_dir(t, "b");
	make_dir(t, "b/y");
	make_file(t, "b/y.x", "5");
	make_file(t, "b/y/in", "6");
	make_dir(t, "b/z");
	make_dir(t, "d");
	start(t);
	assert_view(t, "dir '' a b/ c d/");
	assert_view(t, "dir 'b' y/ y.x z/");
	assert_view(t, "dir 'b/y' in");
	assert_view(t, "dir 'b/z'");
	assert_view(t, "dir 'd'");
	assert_end(t);
	assert_end(t);
}

static void
scout_next__shows_what_it_saw_and_when(void **state)
{
	struct trip *t = *state;
	struct timespec before, after;

	make_file(t, "five", "12345");
	clock_gettime(CLOCK_REALTIME, &before);
	start(t);
	AUTO(view) struct view *v = next(t);
	clock_gettime(CLOCK_REALTIME, &after);
	assert_int_equal(v->looks[0].st.st_size, 5);
	assert_true(v->seen.s >= before.tv_sec && v->seen.s <= after.tv_sec);
	assert_true(v->seen.s > before.tv_sec ||
		    v->seen.ns >= (uint32_t)before.tv_nsec);
	assert_int_equal(faccessat(v->dir->fd, "five", R_OK, 0), 0);
}

static void
scout_next__splits_a_big_directory(void **state)
{
	struct trip *t = *state;
	const size_t files = 2 * SCOUT_LOOKS + 10;
	char name[32];

	/* Two of them are directories: the last of a view, the first of one. */
	for (size_t i = 0; i < files; i++) {
		(void)snprintf(name, sizeof(name), "%04zu", i);
		if (i == SCOUT_LOOKS - 1 || i == 2 * SCOUT_LOOKS)
			make_dir(t, name);
		else
			make_file(t, name, "");
	}
	start(t);
	AUTO(view) struct view *first = next(t);
	assert_int_equal(first->kind, VIEW_DIR);
	assert_int_equal(first->facts->list.n, files);
	assert_int_equal(first->n, SCOUT_LOOKS);
	assert_true(S_ISDIR(first->looks[SCOUT_LOOKS - 1].st.st_mode));
	assert_view(t, "dir '0255'");
	AUTO(view) struct view *second = next(t);
	assert_int_equal(second->kind, VIEW_ENTRIES);
	assert_int_equal(second->n, SCOUT_LOOKS);
	AUTO(view) struct view *third = next(t);
	assert_int_equal(third->kind, VIEW_ENTRIES);
	assert_int_equal(third->n, 10);
	assert_true(S_ISDIR(third->looks[0].st.st_mode));
	assert_view(t, "dir '0512'");
	assert_end(t);
}

/* More of them than a view holds. */
static void
scout_next__shows_many_directories(void **state)
{
	enum { MANY = SCOUT_LOOKS + 50 };
	struct trip *t = *state;
	char name[64], want[64];

	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "d%03u", i);
		make_dir(t, name);
		(void)snprintf(name, sizeof(name), "d%03u/a", i);
		make_dir(t, name);
		(void)snprintf(name, sizeof(name), "d%03u/a/f", i);
		make_file(t, name, "1");
		(void)snprintf(name, sizeof(name), "d%03u/b", i);
		make_dir(t, name);
	}
	start(t);
	view_free(next(t));
	for (unsigned i = 0; i < MANY; i++) {
		if (i == SCOUT_LOOKS)
			assert_view(t, "entries");
		(void)snprintf(want, sizeof(want), "dir 'd%03u' a/ b/", i);
		assert_view(t, want);
		(void)snprintf(want, sizeof(want), "dir 'd%03u/a' f", i);
		assert_view(t, want);
		(void)snprintf(want, sizeof(want), "dir 'd%03u/b'", i);
		assert_view(t, want);
	}
	assert_end(t);
}

/* A chain of directories 'd', each with a file 'z' after the next one. */
static void
make_chain(const struct trip *t, size_t depth)
{
	int dir = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < depth; i++) {
		int file = openat(
		    dir, "z", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		int deeper;

		assert_true(file >= 0 && close(file) == 0);
		assert_int_equal(mkdirat(dir, "d", 0755), 0);
		deeper = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(deeper >= 0);
		(void)close(dir);
		dir = deeper;
	}
	(void)close(dir);
}

static void
scout_next__gives_back_what_was_closed_meanwhile(void **state)
{
	enum { FAR = 5, DEPTH = SCOUT_OPEN_LEVELS + FAR - 1 };
	struct trip *t = *state;
	ino_t inos[DEPTH + 1];
	struct stat st;

	make_chain(t, DEPTH);
	start(t);
	for (size_t i = 0; i <= DEPTH; i++) {
		AUTO(view) struct view *v = next(t);

		assert_int_equal(v->kind, VIEW_DIR);
		inos[i] = v->facts->st.st_ino;
	}
	for (size_t i = FAR; i-- > 0;) {
		AUTO(view) struct view *v = next(t);

		assert_int_equal(v->kind, VIEW_AGAIN);
		assert_int_equal(fstat(v->dir->fd, &st), 0);
		assert_int_equal(st.st_ino, inos[i]);
	}
	assert_end(t);
}

static void
scout_next__does_not_go_into_what_is_left_out(void **state)
{
	struct trip *t = *state;

	assert_ok(exclude_add(t->exclude, "tmp/", &err));
	assert_ok(exclude_add(t->exclude, "/a/*.o", &err));
	make_dir(t, "a");
	make_dir(t, "a/tmp");
	make_file(t, "a/tmp/in", "");
	make_file(t, "a/x.o", "");
	make_file(t, "a/x.c", "");
	make_file(t, "y.o", "");
	start(t);
	assert_view(t, "dir '' a/ y.o");
	assert_view(t, "dir 'a' -tmp/ x.c -x.o");
	assert_end(t);
}

static void
scout_next__does_not_go_into_the_store(void **state)
{
	struct trip *t = *state;
	char path[2 * SCRATCH_PATH];
	struct stat st;

	make_dir(t, "a");
	make_dir(t, "a/store");
	make_dir(t, "a/store/packs");
	make_file(t, "a/store/varve", "");
	make_dir(t, "store");
	make_file(t, "store/in", "");
	(void)snprintf(path, sizeof(path), "%s/a/store", t->dir);
	assert_int_equal(stat(path, &st), 0);
	t->opt.store = (struct dir_id){true, st.st_dev, st.st_ino};
	start(t);
	assert_view(t, "dir '' a/ store/");
	assert_view(t, "dir 'a' store/");
	AUTO(view) struct view *v = next(t);
	assert_string_equal(v->facts->path, "a/store");
	assert_true(v->facts->is_store);
	assert_false(v->facts->elsewhere);
	assert_int_equal(v->facts->list.n, 0);
	assert_view(t, "dir 'store' in");
	assert_end(t);
}

static void
scout_next__shows_of_a_cache_only_its_tag(void **state)
{
	struct trip *t = *state;

	t->opt.exclude_caches = true;
	make_dir(t, "cache");
	make_dir(t, "cache/A");
	make_file(t, "cache/CACHEDIR.TAG",
	    "Signature: 8a477f597d28d172789f06886806bc55\n");
	make_dir(t, "none");
	make_file(t, "none/CACHEDIR.TAG", "Signature: none\n");
	make_file(t, "none/a", "");
	start(t);
	assert_view(t, "dir '' cache/ none/");
	assert_view(t, "dir 'cache' CACHEDIR.TAG");
	assert_view(t, "dir 'none' CACHEDIR.TAG a");
	assert_end(t);
}

/* No descriptor is free for what is below the root. */
static void
scout_next__tells_why_a_directory_is_closed(void **state)
{
	struct trip *t = *state;
	struct rlimit was, none;
	int free_fd = dup(0);

	make_dir(t, "a");
	make_file(t, "b", "");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = (rlim_t)free_fd + 1;
	(void)close(free_fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	start(t);
	AUTO(view) struct view *root = next(t);
	AUTO(view) struct view *a = next(t);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(root->n, 2);
	assert_int_equal(a->kind, VIEW_CLOSED);
	assert_int_equal(a->errnum, EMFILE);
	assert_end(t);
}

/* More than may be ahead. */
static void
make_many(const struct trip *t)
{
	char name[32];

	for (size_t i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "d%02zu", i);
		make_dir(t, name);
	}
}

static size_t
open_files(void)
{
	size_t n = 0;
	DIR *d = opendir("/proc/self/fd");

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* Directories that wait for the walk are open, and so can be counted. */
static bool
gets_ahead(size_t files)
{
	for (int i = 0; i < 1000 && open_files() < files; i++)
		wait_ms(10);
	return open_files() >= files;
}

static void
scout_start__gives_a_head_start(void **state)
{
	struct trip *t = *state;
	size_t before = open_files();

	make_many(t);
	t->opt.head_start = 1000;
	t->opt.head_dirs = 60;
	start(t);
	/* The root, those of the head start, and the one that has to wait. */
	assert_true(gets_ahead(before + 61));
	assert_true(open_files() < before + (t->opt.slow > 0 ? 86 : 70));
	for (int i = 0; i <= 100; i++)
		view_free(next(t));
	assert_end(t);
}

static void
scout_free__ends_it_where_it_is(void **state)
{
	struct trip *t = *state;

	make_many(t);
	start(t);
	scout_free(STEAL(t->scout));
	start(t);
	for (int i = 0; i < 40; i++)
		view_free(next(t));
	scout_free(STEAL(t->scout));
}

static void
scout_next__fails_once_it_is_stopped(void **state)
{
	struct trip *t = *state;
	atomic_bool stop = true;
	struct view *v;

	t->opt.stop = &stop;
	make_many(t);
	start(t);
	/* The root was looked at; nothing below it. */
	view_free(next(t));
	assert_rc(ERR_CANCELLED, scout_next(t->scout, &v, &err));
	assert_null(v);
}

#define on_each_disk(name)                                                     \
	cmocka_unit_test_setup_teardown(name, trip_new, trip_free),            \
	    cmocka_unit_test_setup_teardown(name, trip_new_slow, trip_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    on_each_disk(
		scout_next__shows_directories_depth_first_in_order_of_name),
	    on_each_disk(scout_next__shows_what_it_saw_and_when),
	    on_each_disk(scout_next__splits_a_big_directory),
	    on_each_disk(scout_next__shows_many_directories),
	    on_each_disk(scout_next__gives_back_what_was_closed_meanwhile),
	    on_each_disk(scout_next__does_not_go_into_what_is_left_out),
	    on_each_disk(scout_next__does_not_go_into_the_store),
	    on_each_disk(scout_next__shows_of_a_cache_only_its_tag),
	    on_each_disk(scout_next__tells_why_a_directory_is_closed),
	    on_each_disk(scout_start__gives_a_head_start),
	    on_each_disk(scout_free__ends_it_where_it_is),
	    on_each_disk(scout_next__fails_once_it_is_stopped),
	};

	return cmocka_run_group_tests_name("scout", tests, NULL, NULL);
}
