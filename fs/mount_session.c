/* The mount as libfuse and the kernel see it. */
#include "fs/mount_session.h"
#include "fs/lookup.h"
#include "fs/loop.h"
#include "fs/machine.h"
#include "fs/read.h"
#include "fs/readdir.h"
#include "fs/readonly.h"
#include "fs/xattr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kernel may have so many requests of reading ahead under way at once. */
#define MAX_BACKGROUND 64

/* What the kernel reads ahead, where it lets us say so. */
#define READ_AHEAD_KIB 2048

/* --- the handshake ----------------------------------------------------- */

/* The value of "max_read=N" among libfuse's options; 0: not given. */
static unsigned
option_max_read(const char *options)
{
	static const char key[] = "max_read=";
	const char *p = options;

	while (p != NULL && *p != '\0') {
		if (strncmp(p, key, strlen(key)) == 0)
			return (unsigned)strtoul(p + strlen(key), NULL, 10);
		p = strchr(p, ',');
		p = p != NULL ? p + 1 : NULL;
	}
	return 0;
}

/*
 * No-op opens save a round trip for each file. Older kernels may deadlock on
 * them when this process faults a page in while it serves a read.
 */
static bool
may_skip_opens(const struct fuse_conn_info *conn)
{
	return (conn->capable & FUSE_CAP_NO_OPEN_SUPPORT) != 0 &&
	       machine_kernel(6, 18);
}

static void
op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct fs *fs = userdata;
	unsigned want = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS |
			FUSE_CAP_READDIRPLUS | FUSE_CAP_CACHE_SYMLINKS |
			FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_NO_OPENDIR_SUPPORT |
			FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_ASYNC_DIO;

	/* ACLs come with default_permissions, so only where those are on. */
	if (fs->allow_other)
		want |= FUSE_CAP_POSIX_ACL;
	conn->want = want & conn->capable;
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND * 3 / 4;
	conn->max_readahead = READ_AHEAD_KIB * 1024;
	conn->max_read = fs->max_read;
	conn->time_gran = 1;
	fs->no_open = may_skip_opens(conn);
	fs->no_opendir = (conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT) != 0;
	fs->can_prune = conn->proto_major == 7 && conn->proto_minor >= 45;
	fs->greeted = true;
}

/*
 * Answer the kernel's INIT, which comes before anything else. A signal that asks
 * to end is for the loop, which unmounts: it is no failure.
 */
static int
handshake(struct fs *fs, struct err *err)
{
	struct fuse_buf buf = {.mem = malloc(loop_request_max())};
	bool refused = false;
	int n = -EINTR;

	if (buf.mem == NULL)
		return err_nomem(err);
	while (!fs->greeted && !refused && (n > 0 || n == -EINTR)) {
		n = loop_receive(fs->session, buf.mem);
		if (n <= 0)
			continue;
		buf.size = (size_t)n;
		fuse_session_process_buf(fs->session, &buf);
		refused = fuse_session_exited(fs->session);
	}
	free(buf.mem);
	if (fs->greeted)
		return 0;
	errno = n < 0 ? -n : EIO;
	return err_errno(
	    err, "the kernel would not shake hands over '%s'", fs->mountpoint);
}

/* --- the session ------------------------------------------------------- */

/* What mount(8) shows as the source: an absolute path where there is one. */
static int
source_option(struct fs *fs, char **out)
{
	struct store *store = access_store(fs->access);
	char *path = NULL;
	int rc;

	if (store_path(store) != NULL)
		path = realpath(store_path(store), NULL);
	rc = asprintf(
	    out, "fsname=%s", path != NULL ? path : store_address(store));
	free(path);
	return rc < 0 ? -1 : 0;
}

static int
add_options(struct fs *fs, const struct fs_options *opt, char **list)
{
	char *fsname;
	int rc = source_option(fs, &fsname);

	if (rc != 0)
		return rc;
	/* The last wins: a caller may call it something else. */
	rc = fuse_opt_add_opt(list, "ro,nosuid,nodev,subtype=varve");
	if (rc == 0)
		rc = fuse_opt_add_opt_escaped(list, fsname);
	if (rc == 0 && opt->fuse_options != NULL &&
	    opt->fuse_options[0] != '\0')
		rc = fuse_opt_add_opt(list, opt->fuse_options);
	if (rc == 0 && opt->allow_other)
		rc = fuse_opt_add_opt(list, "allow_other,default_permissions");
	free(fsname);
	return rc;
}

int
mount_session_new(struct fs *fs, const struct fs_options *opt, struct err *err)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_lowlevel_ops ops = {.init = op_init};
	char *list = NULL;

	fs->max_read = option_max_read(opt->fuse_options);
	lookup_ops(&ops);
	readdir_ops(&ops);
	read_ops(&ops);
	xattr_ops(&ops);
	readonly_ops(&ops);
	if (add_options(fs, opt, &list) == 0 &&
	    fuse_opt_add_arg(&args, "varve") == 0 &&
	    fuse_opt_add_arg(&args, "-o") == 0 &&
	    fuse_opt_add_arg(&args, list) == 0)
		fs->session = fuse_session_new(&args, &ops, sizeof(ops), fs);
	fuse_opt_free_args(&args);
	free(list);
	if (fs->session == NULL)
		return err_set(err, ERR_USAGE,
		    "libfuse refuses the mount options '%s'",
		    opt->fuse_options != NULL ? opt->fuse_options : "");
	return 0;
}

int
mount_session_start(struct fs *fs, struct err *err)
{
	int rc = machine_has_fuse(err);

	if (rc != 0)
		return rc;
	/* From the mount on, a signal must not leave it behind. */
	if (fuse_set_signal_handlers(fs->session) != 0)
		return err_set(err, ERR_IO, "cannot set signal handlers");
	fs->handles_signals = true;
	errno = 0;
	if (fuse_session_mount(fs->session, fs->mountpoint) != 0) {
		if (errno != 0)
			return err_errno(
			    err, "cannot mount on '%s'", fs->mountpoint);
		return err_set(
		    err, ERR_IO, "cannot mount on '%s'", fs->mountpoint);
	}
	fs->mounted = true;
	rc = handshake(fs, err);
	if (rc == 0)
		machine_read_ahead(fs->mountpoint, READ_AHEAD_KIB);
	return rc;
}
