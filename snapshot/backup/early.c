#include "snapshot/backup/early.h"
#include "snapshot/backup/run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define HEAD_START 131072 /* entries */
#define HEAD_DIRS 8192    /* held open, if so many may be */
#define FEW_FILES 4096    /* if no more may be open */

struct backup_early {
	struct moment start;
	struct source source;
	struct exclude *exclude;
	struct scout *scout; /* NULL: a run goes on with it */
};

/*
 * While a table of open files that threads share grows, the kernel makes them
 * wait, and that at each doubling: it gets its size at once.
 */
static void
grow_files(int fd, size_t n)
{
	int last = fcntl(fd, F_DUPFD_CLOEXEC, (int)n);

	if (last >= 0)
		(void)close(last);
}

/* The run needs some hundreds, too. */
static size_t
head_dirs(size_t limit)
{
	size_t most = limit < FEW_FILES ? limit / 8 : limit / 2;

	return most < HEAD_DIRS ? most : HEAD_DIRS;
}

static int
start(struct backup_early *e, const struct backup_options *opt)
{
	struct scout_options scout = run_scout_options(opt, e->exclude);
	int fd = e->source.fd;

	scout.store = e->source.store;
	scout.head_start = HEAD_START;
	scout.head_dirs = head_dirs(run_raise_file_limit());
	grow_files(fd, scout.head_dirs);
	e->source.fd = -1;
	return scout_start(fd, &e->source.st, &scout, &e->scout, NULL);
}

struct backup_early *
backup_early_start(const struct backup_options *opt, const char *store)
{
	AUTO(backup_early) struct backup_early *e = NULL;

	if (opt->source == NULL || opt->exec != NULL || opt->full ||
	    opt->now.s != 0)
		return NULL;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	e->start = run_now();
	if (source_open(opt, store, &e->source, NULL) != 0 ||
	    e->source.kind != SOURCE_DIR ||
	    run_excludes(opt, &e->exclude, NULL) != 0 || start(e, opt) != 0)
		return NULL;
	return STEAL(e);
}

void
backup_early_free(struct backup_early *e)
{
	if (e == NULL)
		return;
	scout_free(e->scout);
	exclude_free(e->exclude);
	source_close(&e->source);
	free(e);
}

/*
 * What it has seen is older than what the run builds on where another run has
 * ended meanwhile. And where all is read, which may take hours, what was seen at
 * the start is of no use. It has to have left the same store out.
 */
static bool
serves(const struct backup_early *e, const struct run *run)
{
	const struct stat *a = &e->source.st, *b = &run->source.st;
	const struct dir_id *x = &e->source.store, *y = &run->source.store;

	return run->state_usable && run->before != NULL &&
	       moment_compare(run->before->end, e->start) < 0 &&
	       run->source.exact_ctime && a->st_dev == b->st_dev &&
	       a->st_ino == b->st_ino && x->known == y->known &&
	       x->dev == y->dev && x->ino == y->ino;
}

struct scout *
run_take_early(struct run *run)
{
	struct backup_early *e = run->opt->early;

	if (e == NULL || e->scout == NULL)
		return NULL;
	if (!serves(e, run)) {
		scout_free(STEAL(e->scout)); /* what it holds is needed */
		return NULL;
	}
	run->start = e->start;
	return STEAL(e->scout);
}
