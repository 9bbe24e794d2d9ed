#include "snapshot/backup/grab.h"
#include "tests/unit/pipeline_fixture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/wait.h"

#include <errno.h>
#include <signal.h>

/* A directory with files in it, and the batch that a walk makes of them. */
struct rig {
	char dir[SCRATCH_PATH];
	struct job *job;
};

static void
in_dir(const struct rig *g, const char *name, char path[2 * SCRATCH_PATH])
{
	(void)snprintf(path, 2 * SCRATCH_PATH, "%s/%s", g->dir, name);
}

static void
put_file(const struct rig *g, const char *name, const char *text)
{
	char path[2 * SCRATCH_PATH];

	in_dir(g, name, path);
	scratch_write(path, text, strlen(text));
}

static void
rig_new(struct rig *g)
{
	scratch_new(g->dir);
	g->job = job_new(JOB_BATCH, "");
	assert_non_null(g->job);
	g->job->dir =
	    dirh_new(open(g->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static void
rig_free(struct rig *g)
{
	job_free(g->job);
	scratch_rm(g->dir);
}
#define RIG_AUTO __attribute__((cleanup(rig_free)))

/* As the walk meets ${name}. */
static struct item *
meet(struct rig *g, const char *name)
{
	char path[2 * SCRATCH_PATH];
	struct stat st;
	struct item *it;

	in_dir(g, name, path);
	assert_int_equal(lstat(path, &st), 0);
	it = item_new(name, strlen(name), &st);
	it->what = S_ISREG(st.st_mode) ? ITEM_READ : ITEM_META;
	g->job->items[g->job->n++] = it;
	return it;
}

static int
no_work(UNUSED struct worker *w, UNUSED struct job *job, UNUSED void *arg,
    UNUSED struct err *err)
{
	return 0;
}

static void
grab(void **state, struct rig *g)
{
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, 1, no_work, NULL);
	struct grab_options opt = {0};

	assert_ok(grab_batch(&p.self, g->job, &opt, &err));
}

static void
grab_batch__reads_what_there_is(void **state)
{
	RIG_AUTO struct rig g;
	char path[2 * SCRATCH_PATH];
	const struct item *file, *link, *fifo;

	rig_new(&g);
	put_file(&g, "file", "hello");
	in_dir(&g, "link", path);
	assert_int_equal(symlink("to/where", path), 0);
	in_dir(&g, "fifo", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	file = meet(&g, "file");
	link = meet(&g, "link");
	fifo = meet(&g, "fifo");
	grab(state, &g);
	assert_int_equal(file->fate, ITEM_GOOD);
	assert_int_equal(file->size, 5);
	assert_true(file->content.len > 0);
	assert_int_equal(link->fate, ITEM_GOOD);
	assert_string_equal(link->target, "to/where");
	assert_int_equal(fifo->fate, ITEM_GOOD);
}

static void
grab_batch__tells_what_has_vanished(void **state)
{
	RIG_AUTO struct rig g;
	char path[2 * SCRATCH_PATH];
	const struct item *gone, *dir;

	rig_new(&g);
	put_file(&g, "gone", "x");
	put_file(&g, "dir", "x");
	gone = meet(&g, "gone");
	dir = meet(&g, "dir");
	in_dir(&g, "gone", path);
	assert_int_equal(unlink(path), 0);
	in_dir(&g, "dir", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	grab(state, &g);
	assert_int_equal(gone->fate, ITEM_VANISHED);
	assert_int_equal(gone->errnum, ENOENT);
	assert_int_equal(dir->fate, ITEM_VANISHED);
}

/* All that an entry says is of one and the same, whatever it is by then. */
static void
grab_batch__takes_what_took_its_name(void **state)
{
	RIG_AUTO struct rig g;
	char path[2 * SCRATCH_PATH];
	const struct item *file, *link, *fifo;

	rig_new(&g);
	put_file(&g, "file", "was");
	put_file(&g, "link", "was");
	in_dir(&g, "fifo", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	file = meet(&g, "fifo");
	link = meet(&g, "file");
	fifo = meet(&g, "link");
	assert_int_equal(unlink(path), 0);
	put_file(&g, "fifo", "a file");
	in_dir(&g, "file", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("there", path), 0);
	in_dir(&g, "link", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0640), 0);
	grab(state, &g);
	assert_int_equal(file->fate, ITEM_GOOD);
	assert_true(S_ISREG(file->st.st_mode));
	assert_int_equal(file->size, 6);
	assert_int_equal(link->fate, ITEM_GOOD);
	assert_true(S_ISLNK(link->st.st_mode));
	assert_string_equal(link->target, "there");
	assert_int_equal(fifo->fate, ITEM_GOOD);
	assert_true(S_ISFIFO(fifo->st.st_mode));
	assert_int_equal(fifo->nxattrs, 0);
}

/* Its entry is of the file that was read, link count and all. */
static void
grab_batch__takes_a_file_that_took_anothers_name(void **state)
{
	RIG_AUTO struct rig g;
	char a[2 * SCRATCH_PATH], b[2 * SCRATCH_PATH];
	const struct item *it;
	struct stat st;

	rig_new(&g);
	put_file(&g, "a", "old");
	put_file(&g, "b", "newer");
	in_dir(&g, "a", a);
	in_dir(&g, "other link", b);
	assert_int_equal(link(a, b), 0);
	it = meet(&g, "a");
	assert_int_equal(it->st.st_nlink, 2);
	in_dir(&g, "b", b);
	assert_int_equal(rename(b, a), 0);
	assert_int_equal(stat(a, &st), 0);
	grab(state, &g);
	assert_int_equal(it->fate, ITEM_GOOD);
	assert_int_equal(it->size, 5);
	assert_int_equal(it->st.st_ino, st.st_ino);
	assert_int_equal(it->st.st_nlink, 1);
}

/* All links of one file must agree, so what the walk saw counts. */
static void
grab_batch__keeps_the_link_count_of_the_walk(void **state)
{
	RIG_AUTO struct rig g;
	char a[2 * SCRATCH_PATH], b[2 * SCRATCH_PATH];
	const struct item *it;

	rig_new(&g);
	put_file(&g, "a", "x");
	it = meet(&g, "a");
	in_dir(&g, "a", a);
	in_dir(&g, "b", b);
	assert_int_equal(link(a, b), 0);
	grab(state, &g);
	assert_int_equal(it->fate, ITEM_GOOD);
	assert_int_equal(it->st.st_nlink, 1);
}

static void
grab_batch__stops(void **state)
{
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, 1, no_work, NULL);
	RIG_AUTO struct rig g;
	const atomic_bool stop = true;
	struct grab_options opt = {.stop = &stop};

	rig_new(&g);
	put_file(&g, "a", "x");
	(void)meet(&g, "a");
	assert_rc(ERR_CANCELLED, grab_batch(&p.self, g.job, &opt, &err));
}

/* The lease of a file, which ${release_main} gives back after a while. */
struct lease {
	int fd;
	pthread_t thread;
	atomic_bool *stop; /* or: set this, and keep it */
};

static void *
release_main(void *arg)
{
	struct lease *l = arg;

	wait_ms(200);
	if (l->stop != NULL)
		atomic_store(l->stop, true);
	else
		assert_int_equal(fcntl(l->fd, F_SETLEASE, F_UNLCK), 0);
	return NULL;
}

static void
lease_begin(struct lease *l, const struct rig *g, const char *name)
{
	char path[2 * SCRATCH_PATH];

	(void)signal(SIGIO, SIG_IGN); /* which asks for it back */
	in_dir(g, name, path);
	l->fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(l->fd >= 0);
	assert_int_equal(fcntl(l->fd, F_SETLEASE, F_WRLCK), 0);
	assert_int_equal(pthread_create(&l->thread, NULL, release_main, l), 0);
}

static void
lease_end(struct lease *l)
{
	assert_int_equal(pthread_join(l->thread, NULL), 0);
	(void)close(l->fd);
}

static void
grab_batch__waits_for_a_lease(void **state)
{
	struct lease lease = {0};
	RIG_AUTO struct rig g;
	const struct item *it;

	rig_new(&g);
	put_file(&g, "leased", "hello");
	it = meet(&g, "leased");
	lease_begin(&lease, &g, "leased");
	grab(state, &g);
	lease_end(&lease);
	assert_int_equal(it->fate, ITEM_GOOD);
	assert_int_equal(it->size, 5);
}

static void
grab_batch__stops_while_it_waits_for_a_lease(void **state)
{
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, 1, no_work, NULL);
	atomic_bool stop = false;
	struct grab_options opt = {.stop = &stop};
	struct lease lease = {.stop = &stop};
	RIG_AUTO struct rig g;
	struct err why;
	int rc;

	rig_new(&g);
	put_file(&g, "leased", "hello");
	(void)meet(&g, "leased");
	lease_begin(&lease, &g, "leased");
	rc = grab_batch(&p.self, g.job, &opt, &why);
	lease_end(&lease);
	assert_int_equal(rc, ERR_CANCELLED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(grab_batch__reads_what_there_is),
	    content_test(grab_batch__tells_what_has_vanished),
	    content_test(grab_batch__takes_what_took_its_name),
	    content_test(grab_batch__takes_a_file_that_took_anothers_name),
	    content_test(grab_batch__keeps_the_link_count_of_the_walk),
	    content_test(grab_batch__stops),
	    content_test(grab_batch__waits_for_a_lease),
	    content_test(grab_batch__stops_while_it_waits_for_a_lease),
	};

	return cmocka_run_group_tests_name("grab", tests, NULL, NULL);
}
