#include "fs/mount.h"
#include "fs/cursors.h"
#include "fs/loop.h"
#include "fs/machine.h"
#include "fs/mount_session.h"
#include "fs/names.h"
#include "fs/push.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What segments are opened ahead of a file read from front to back. */
#define STREAM_AHEAD ((size_t)8 << 20)

/* --- parts ------------------------------------------------------------- */

/* What the snapshots are shown from: open segments, and who looks for news. */
static int
new_source(struct fs *fs, const struct fs_options *opt, size_t segments,
    struct err *err)
{
	struct watch_options watch = {
	    .access = fs->access,
	    .heads = fs->heads,
	    .dataset = opt->dataset,
	};
	int rc = report_new(opt->log, opt->arg, &fs->report, err);

	if (rc == 0)
		rc = segcache_new(segments, &fs->cache, err);
	watch.report = fs->report;
	watch.cache = fs->cache;
	return rc == 0 ? watch_new(&watch, &fs->watch, err) : rc;
}

/*
 * The memory that the caller grants is shared out: most of it to open segments,
 * the rest to nodes; 24 MiB of these are a walk over 100,000 files.
 */
static int
new_parts(struct fs *fs, const struct fs_options *opt, struct err *err)
{
	size_t memory = opt->cache != 0 ? opt->cache : FS_CACHE_DEFAULT;
	size_t segments, ahead = STREAM_AHEAD;
	struct node_key root;
	int rc;

	if (memory < FS_CACHE_MIN)
		memory = FS_CACHE_MIN;
	segments = memory / 8 * 5;
	if (ahead > segments / 4)
		ahead = segments / 4;
	rc = new_source(fs, opt, segments, err);
	if (rc == 0) {
		names_root(fs, &root);
		rc = nodes_new(&root, &fs->nodes, err);
	}
	if (rc == 0)
		rc = streams_new(ahead, &fs->streams, err);
	if (rc == 0)
		rc = ahead_new(fs->nodes, &fs->ahead, err);
	if (rc == 0)
		rc = cursors_new(&fs->cursors, err);
	if (rc == 0)
		rc = tours_new(fs->nodes, &fs->tours, err);
	if (rc == 0)
		rc = trim_new(fs, memory - segments, &fs->trim, err);
	if (rc == 0)
		rc = push_new(fs, &fs->push, err);
	return rc;
}

/*
 * The threads of our own leave the signals that end the loop to the loop's
 * thread.
 */
static int
start_parts(struct fs *fs, const struct fs_options *opt, struct err *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = new_parts(fs, opt, err);
	if (rc == 0)
		rc = segcache_threads(
		    fs->cache, cpus > 0 ? (unsigned)cpus : 1, err);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

/* --- from outside ------------------------------------------------------ */

static int
check(struct access *a, const struct fs_options *opt, struct err *err)
{
	int rc = fs_check_mountpoint(
	    opt->mountpoint, store_path(access_store(a)), err);

	if (rc == 0 && opt->allow_other)
		rc = machine_may_allow_other(err);
	return rc;
}

static int
set_up(struct fs *fs, const struct fs_options *opt, struct err *err)
{
	struct timespec now;
	int rc;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	fs->since = (struct moment){now.tv_sec, (uint32_t)now.tv_nsec};
	fs->uid = getuid();
	fs->gid = getgid();
	fs->allow_other = opt->allow_other;
	fs->sharing = !opt->no_sharing;
	/* The process may go elsewhere: it needs an absolute path. */
	fs->mountpoint = realpath(opt->mountpoint, NULL);
	if (fs->mountpoint == NULL)
		return err_errno(err, "cannot resolve '%s'", opt->mountpoint);
	rc = start_parts(fs, opt, err);
	if (rc == 0)
		rc = mount_session_new(fs, opt, err);
	if (rc == 0)
		rc = loop_new(fs->session, opt->threads, &fs->loop, err);
	return rc;
}

static int
open_locked(struct access *a, struct heads *heads, const struct fs_options *opt,
    struct fs **out, struct err *err)
{
	AUTO(fs) struct fs *fs = NULL;
	int rc = check(a, opt, err);

	if (rc != 0)
		return rc;
	machine_lock_memory();
	fs = calloc(1, sizeof(*fs));
	if (fs == NULL)
		return err_nomem(err);
	fs->access = a;
	fs->heads = heads;
	rc = set_up(fs, opt, err);
	if (rc == 0)
		rc = mount_session_start(fs, err);
	if (rc != 0)
		return rc;
	*out = STEAL(fs);
	return 0;
}

int
fs_open(struct access *a, struct heads *heads, const struct fs_options *opt,
    struct fs **out, struct err *err)
{
	int lock, rc = fs_lock_mountpoint(opt->mountpoint, &lock, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	rc = open_locked(a, heads, opt, out, err);
	(void)close(lock);
	return rc;
}

/*
 * The loop has ended, but while pages are being stored the kernel may still
 * wait for answers.
 */
static void
end_pushing(struct fs *fs)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	push_stop(fs->push);
	while (!push_stopped(fs->push))
		loop_answer(fs->loop);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

int
fs_loop(struct fs *fs, struct err *err)
{
	int rc = loop_run(fs->loop);

	end_pushing(fs);
	if (rc != 0) {
		fs->mounted = false;
		errno = rc;
		return err_errno(
		    err, "the mount on '%s' broke off", fs->mountpoint);
	}
	return 0;
}

void
fs_close(struct fs *fs)
{
	if (fs == NULL)
		return;
	if (fs->handles_signals)
		fuse_remove_signal_handlers(fs->session);
	if (fs->mounted)
		fuse_session_unmount(fs->session);
	push_free(fs->push);
	trim_free(fs->trim);
	if (fs->session != NULL)
		fuse_session_destroy(fs->session);
	loop_free(fs->loop);
	tours_free(fs->tours);
	cursors_free(fs->cursors);
	streams_free(fs->streams);
	ahead_free(fs->ahead);
	nodes_free(fs->nodes);
	watch_free(fs->watch);
	segcache_free(fs->cache);
	report_free(fs->report);
	free(fs->mountpoint);
	free(fs);
}
