/* varve mount: every snapshot, by date, as files. */
#include "fs/mount.h"
#include "tools/daemon.h"
#include "tools/message.h"
#include "tools/mount_options.h"
#include "tools/signals.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static const struct option mount_options[] = {
    {"foreground", 'f', OPTION_FLAG, NULL,
	"stay; a signal or an unmount ends it", NULL,
	offsetof(struct mount_args, foreground), 0, 0},
    {"dataset", 0, OPTION_TEXT, "NAME", "show this dataset only", NULL,
	offsetof(struct mount_args, dataset), 0, 0},
    {"allow-other", 0, OPTION_FLAG, NULL,
	"let others in; the kernel checks each file's permissions", NULL,
	offsetof(struct mount_args, allow_other), 0, 0},
    {"no-sharing", 0, OPTION_FLAG, NULL,
	"do not show files that are equal in two snapshots as one", NULL,
	offsetof(struct mount_args, no_sharing), 0, 0},
    {"cache", 0, OPTION_SIZE, "SIZE",
	"keep up to SIZE of opened data in memory, as in 256M", NULL,
	offsetof(struct mount_args, cache), FS_CACHE_MIN, MOUNT_CACHE_MAX},
    {"options", 'o', OPTION_LIST, "LIST",
	"options as mount(8) and fstab(5) give them", NULL,
	offsetof(struct mount_args, options), 0, 0},
};

/* A mount about to be served, in the process that serves it. */
struct mounting {
	struct run *run;
	const struct mount_args *args;
	const char *fuse_options;
	char *mountpoint;      /* absolute */
	struct daemon *daemon; /* NULL with -f */
	atomic_bool ready;     /* the terminal is left behind */
};

/* ${path} is customers' data: for the terminal, never for a log. */
static void
log_to_terminal(void *arg, const char *line, const char *path)
{
	const struct mounting *m = arg;

	if (path != NULL)
		message_problem(m->run, "%s (needed by '%s')", line, path);
	else
		message_problem(m->run, "%s", line);
}

/* As long as somebody waits, for them too. */
static void
log_to_system(void *arg, const char *line, UNUSED const char *path)
{
	const struct mounting *m = arg;

	syslog(LOG_ERR, "%s", line);
	if (!atomic_load(&m->ready))
		message_problem(m->run, "%s", line);
}

static int
tell_ready(struct mounting *m, struct err *err)
{
	atomic_store(&m->ready, true);
	if (m->daemon != NULL)
		return daemon_ready(m->daemon, err);
	message_result(
	    m->run, "mounted at '%s'; interrupt to unmount", m->mountpoint);
	return 0;
}

/*
 * What one thread of the mount allocates, another one frees, and each pool of
 * the allocator keeps what was freed in it: with one for each of ten threads,
 * that is twice as much as with two.
 */
static void
share_memory(void)
{
	(void)mallopt(M_ARENA_MAX, 2);
}

static int
serve(struct mounting *m, struct err *err)
{
	AUTO(session) struct session *s = NULL;
	AUTO(fs) struct fs *fs = NULL;
	struct fs_options opt = {
	    .mountpoint = m->mountpoint,
	    .dataset = m->args->dataset,
	    .allow_other = m->args->allow_other,
	    .no_sharing = m->args->no_sharing,
	    .cache = (size_t)m->args->cache,
	    .fuse_options = m->fuse_options,
	    .log = m->daemon != NULL ? log_to_system : log_to_terminal,
	    .arg = m,
	};
	struct err why = {0};
	int r;

	share_memory();
	r = session_open(m->run, &m->args->store, &s, err);
	if (r != 0)
		return r;
	if (session_may_read(s, m->args->dataset, &why) == ERR_DENIED)
		message_warning(
		    m->run, "%s: only their dates will be seen", why.text);
	/* From here on signals are the filesystem's. */
	signals_release();
	if (atomic_load(m->run->stop))
		return err_set(err, ERR_CANCELLED, "stopped");
	r = fs_open(s->access, s->heads, &opt, &fs, err);
	if (r == 0)
		r = tell_ready(m, err);
	if (r == 0)
		r = fs_loop(fs, err);
	return r;
}

/*
 * The process that stays: nothing of it may reach the streams that it shares
 * with its parent but warnings, so it ends without flushing them.
 */
static void
serve_as_daemon(struct mounting *m)
{
	struct err err = {0};
	int r;

	openlog("varve", LOG_PID, LOG_DAEMON);
	r = serve(m, &err);
	if (r != 0 && m->daemon->pipe < 0)
		syslog(LOG_ERR, "the mount ended: %s", err.text);
	daemon_failed(m->daemon, &err);
	_exit((int)exit_of(r));
}

static int
in_background(struct mounting *m, struct err *err)
{
	struct daemon d = {.pipe = -1};
	int r;

	m->daemon = &d;
	r = daemon_fork(&d, err);
	if (r == 1)
		serve_as_daemon(m);
	if (r != 0)
		return r;
	if (m->run->json != NULL) {
		json_out_member(m->run->json, "mountpoint",
		    json_out_name(m->mountpoint, strlen(m->mountpoint)));
		json_out_member(m->run->json, "pid", json_integer(d.pid));
	}
	message_note(
	    m->run, "mounted at '%s' by process %d", m->mountpoint, (int)d.pid);
	return EXIT_DONE;
}

static int
mount_run(struct run *run, void *values, struct err *err)
{
	struct mount_args *args = values;
	const char *mountpoint = args->common.operands.v[0];
	MOUNT_OPTIONS_AUTO struct mount_options lists = {0};
	struct mounting m = {.run = run, .args = args};
	const char *address;
	int r = mount_options_apply(args, &lists, err);

	/* What can be told before anyone types a passphrase. */
	if (r == 0)
		r = session_address(&args->store, &address, err);
	if (r == 0)
		r = fs_check_mountpoint(mountpoint, NULL, err);
	if (r != 0)
		return r;
	m.fuse_options = lists.fuse;
	m.mountpoint = realpath(mountpoint, NULL);
	if (m.mountpoint == NULL)
		return err_errno(err, "cannot enter '%s'", mountpoint);
	r = args->foreground ? serve(&m, err) : in_background(&m, err);
	free(m.mountpoint);
	return r;
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", mount_options, 0),
    STORE_GROUP(offsetof(struct mount_args, store)),
    KEY_GROUP(offsetof(struct mount_args, store)),
    PASSPHRASE_GROUP(offsetof(struct mount_args, store)),
    COMMON_GROUP,
};

const struct command cmd_mount = {
    .name = "mount",
    .summary = "show every snapshot, by date, as files",
    .about = "Mount the store's snapshots, read-only, on the empty "
	     "directory MOUNTPOINT, as\nDATASET/DAY/TIME. Returns when "
	     "they can be entered. 'umount MOUNTPOINT', or\n'fusermount3 "
	     "-u MOUNTPOINT' for who is not root, ends it.",
    .operands = {"MOUNTPOINT"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct mount_args),
    .run = mount_run,
};
