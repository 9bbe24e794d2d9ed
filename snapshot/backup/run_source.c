/*
 * The source into the pipeline: a walk for a directory; for one file, a device
 * or a command's output, a root directory that holds just that.
 */
#include "snapshot/backup/run.h"
#include "snapshot/backup/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Assemble until nothing more comes. */
static int
drain(struct run *run, struct err *err)
{
	struct job *job;
	int ret;

	while ((ret = pool_pop(run->pool, true, &job, err)) == 1) {
		if ((ret = assembly_job(&run->assembly, job, err)) != 0)
			return ret;
	}
	return ret;
}

/* Into the pool, which tells what has failed. */
static int
sink(struct run *run, struct job *job, struct err *err)
{
	if (pool_push(run->pool, job))
		return 0;
	return err_set(err, ERR_CANCELLED, "stopped");
}

static struct item *
root_item(const struct run *run, const struct stat *st)
{
	struct span last = {0};

	/* The root's entry in the last snapshot is in the log. */
	if (run->before != NULL)
		last = (struct span){run->before->root, run->before->root_len};
	return item_new_after("", 0, st, last);
}

/* The walk's thread. */
struct walker {
	struct run *run;
	struct walk_options opt;
	struct scout *scout;
	struct item *root;
};

/* A walk_sink_fn. */
static int
walker_sink(void *arg, struct job *job, struct err *err)
{
	struct walker *w = arg;

	readahead_job(&w->run->ahead, job);
	return sink(w->run, job, err);
}

static void *
walker_main(void *arg)
{
	struct walker *w = arg;
	struct err err;

	if (walk_run(w->scout, w->root, &w->opt, walker_sink, w, &err) != 0)
		pool_fail(w->run->pool, &err);
	pool_close(w->run->pool);
	return NULL;
}

/* The walk on its own thread, the assembly on this one. */
static int
walk_and_assemble(struct walker *w, struct err *err)
{
	struct run *run = w->run;
	struct err why = {0};
	pthread_t thread;
	int ret;

	pool_open(run->pool);
	if (pthread_create(&thread, NULL, walker_main, w) != 0) {
		pool_close(run->pool);
		item_free(w->root);
		return err_set(err, ERR_IO, "cannot start a thread");
	}
	if ((ret = drain(run, &why)) != 0) {
		pool_fail(run->pool, &why);
		err_copy(err, &why);
	}
	pthread_join(thread, NULL);
	return ret;
}

/* The one that has begun already, or a new one. */
static int
find_scout(struct run *run, struct scout **out, struct err *err)
{
	struct scout_options opt = run_scout_options(run->opt, run->exclude);
	int fd = run->source.fd;

	if ((*out = run_take_early(run)) != NULL)
		return 0;
	opt.store = run->source.store;
	run->source.fd = -1;
	return scout_start(fd, &run->source.st, &opt, out, err);
}

static int
walk_directory(struct run *run, struct err *err)
{
	AUTO(scout) struct scout *scout = NULL;
	struct walker w = {
	    .run = run,
	    .opt =
		{
		    .stop = run->opt->stop,
		    .full = !run_takes_over(run),
		    .state = run->state_usable ? run->state : NULL,
		    .links = run->links,
		    .elsewhere = &run->elsewhere,
		    .met_store = &run->source.met_store,
		},
	};
	int ret = find_scout(run, &scout, err);

	if (ret != 0)
		return ret;
	if ((w.root = root_item(run, &run->source.st)) == NULL)
		return err_nomem(err);
	w.scout = scout;
	return walk_and_assemble(&w, err);
}

/*
 * Single entries come and go. But where the source itself was removed, what is
 * left of it is no backup of it.
 */
static int
tell_removed(struct run *run, int fd, struct err *err)
{
	struct stat st;
	bool gone;

	/* Some filesystems count no links at all. */
	if (fd < 0 || run->source.st.st_nlink == 0)
		return 0;
	gone = fstat(fd, &st) != 0 ? errno == ESTALE : st.st_nlink == 0;
	if (!gone)
		return 0;
	return problems_add(
	    &run->problems, BACKUP_UNREADABLE, "", "", ENOENT, err);
}

static int
walk_source(struct run *run, struct err *err)
{
	int root = fcntl(run->source.fd, F_DUPFD_CLOEXEC, 0);
	int ret = walk_directory(run, err);

	if (ret == 0)
		ret = tell_removed(run, root, err);
	if (root >= 0)
		close(root);
	return ret;
}

/* --- one file ---------------------------------------------------------- */

static void
read_problem(struct item *it, int errnum)
{
	it->fate = ITEM_UNREADABLE;
	it->errnum = errnum;
}

static int
feed_device(struct run *run, struct item *it, struct err *err)
{
	struct feed_result res = {0};
	int fd = grab_open(run->source.fd, it->name), ret;

	if (fd < 0) {
		read_problem(it, errno);
		return 0;
	}
	ret = feed_file(&run->self, fd, (uint64_t)it->st.st_size, false,
	    &it->content, &res, run->grab.read, run->opt->stop, err);
	close(fd);
	it->size = res.size;
	if (res.errnum != 0)
		read_problem(it, res.errnum);
	return ret;
}

/* A command that fails must leave no snapshot: that ends the run. */
static int
feed_command(struct run *run, struct item *it, struct err *err)
{
	struct feed_result res = {0};
	struct command cmd;
	int ret, ended;

	if ((ret = command_start(run->opt->exec, &cmd, err)) != 0)
		return ret;
	ret = feed_stream(&run->self, cmd.fd, &it->content, &res,
	    run->grab.read, run->opt->stop, err);
	if (ret == 0 && res.errnum != 0) {
		errno = res.errnum;
		ret = err_errno(
		    err, "cannot read the output of '%s'", run->opt->exec);
	}
	ended =
	    command_end(&cmd, run->opt->exec, ret != 0, ret == 0 ? err : NULL);
	it->size = res.size;
	return ret != 0 ? ret : ended;
}

/* The one file's item, and what to do; as the walk decides for a directory's. */
static int
meet_file(struct run *run, const struct stat *st, struct item **out,
    bool *removed, struct err *err)
{
	AUTO(last_cursor) struct last_cursor *cur = NULL;
	AUTO(item) struct item *it = NULL;
	const char *name = run->source.name;
	struct last_entry was;
	bool unchanged;
	int ret;

	ret = last_cursor_new(
	    run->state_usable ? run->state : NULL, "", &cur, err);
	if (ret == 0)
		ret = last_meet(cur, name, st, &was, &unchanged, err);
	if (ret < 0)
		return ret;
	it = item_new_after(name, strlen(name), st, was.raw);
	if (it == NULL)
		return err_nomem(err);
	if ((ret = last_removed(cur, err)) < 0)
		return ret;
	*removed = ret == 1;
	it->seen = run->start;
	it->what = run->source.kind == SOURCE_FILE ? ITEM_READ : ITEM_META;
	if (unchanged && run_takes_over(run) && it->what == ITEM_READ)
		it->what = ITEM_KEEP;
	*out = STEAL(it);
	return 0;
}

static int
make_file(struct run *run, struct item **out, bool *removed, struct err *err)
{
	AUTO(item) struct item *it = NULL;
	struct stat st = run->source.st;
	int ret;

	if (run->source.kind == SOURCE_DEVICE)
		st.st_mode = S_IFREG | (st.st_mode & 07777);
	st.st_nlink = 1;
	if ((ret = meet_file(run, &st, &it, removed, err)) != 0)
		return ret;
	if (run->source.kind == SOURCE_DEVICE)
		ret = feed_device(run, it, err);
	else if (run->source.kind == SOURCE_COMMAND)
		ret = feed_command(run, it, err);
	if (ret != 0)
		return ret;
	it->st.st_size = it->what == ITEM_META ? (off_t)it->size : st.st_size;
	*out = STEAL(it);
	return 0;
}

/* The directory around the one file: it never was, so it is made up of it. */
static int
enter_root(struct run *run, struct err *err)
{
	AUTO(job) struct job *job = job_new(JOB_ENTER, "");
	struct stat st = run->source.st;

	if (job == NULL)
		return err_nomem(err);
	st.st_mode = S_IFDIR | 0755;
	st.st_nlink = 1;
	if ((job->items[0] = root_item(run, &st)) == NULL)
		return err_nomem(err);
	job->n = 1;
	return sink(run, STEAL(job), err);
}

static int
single_source(struct run *run, struct err *err)
{
	AUTO(job) struct job *batch = job_new(JOB_BATCH, "");
	AUTO(job) struct job *leave = job_new(JOB_LEAVE, NULL);
	int ret;

	if (batch == NULL || leave == NULL)
		return err_nomem(err);
	ret = make_file(run, &batch->items[0], &leave->removed, err);
	if (ret != 0)
		return ret;
	batch->n = 1;
	batch->to_work = batch->items[0]->what == ITEM_READ;
	if (run->source.fd >= 0) {
		if ((batch->dir = dirh_new(run->source.fd)) == NULL)
			return err_nomem(err);
		run->source.fd = -1;
	}
	if ((ret = enter_root(run, err)) != 0)
		return ret;
	if ((ret = sink(run, STEAL(batch), err)) != 0)
		return ret;
	if ((ret = sink(run, STEAL(leave), err)) != 0)
		return ret;
	return drain(run, err);
}

int
run_source(struct run *run, struct err *err)
{
	if (run->source.kind == SOURCE_DIR)
		return walk_source(run, err);
	/* It was a directory when something began to look at it. */
	scout_free(run_take_early(run));
	return single_source(run, err);
}
