#ifndef FS_MOUNT_H
#define FS_MOUNT_H

/*
 * The mount: a FUSE filesystem in which every snapshot of a store can be
 * walked by date, read-only. A program opens it, tells whoever waits that the
 * mount is ready, and serves it until it is unmounted:
 *
 *	fs_open(...)	 mounted; from here on nobody who enters waits in vain
 *	fs_loop(...)	 until unmounted, SIGINT, SIGTERM or SIGHUP
 *	fs_close(...)
 *
 * fs_open() starts threads and keys don't survive fork(), so a program that
 * stays behind as a daemon forks before it opens the store.
 */
#include "snapshot/access/access.h"
#include "snapshot/state/state.h"

#define FS_CACHE_DEFAULT ((size_t)64 << 20)
#define FS_CACHE_MIN ((size_t)8 << 20)

/*
 * A line about something that went wrong while the mount served others: it
 * names the damaged object and the snapshot. ${path} (may be NULL) is the file
 * that needed it, control characters escaped; it is customers' data and may
 * be shown to the person at the terminal, but must not be put in a log.
 * Called from several threads at once.
 */
typedef void fs_log_fn(void *arg, const char *line, const char *path);

struct fs_options {
	const char *mountpoint;
	const char *dataset; /* show only this one; NULL: all */
	bool allow_other;    /* others may enter; the kernel checks them */
	bool no_sharing;     /* equal files of two snapshots stay distinct */
	size_t cache;        /* bytes of open segments; 0: the default */
	unsigned threads;    /* that serve requests, at most; 0: chosen */
	const char *fuse_options; /* more for libfuse, "a,b=c", or NULL */
	fs_log_fn *log;           /* or NULL */
	void *arg;
};

struct fs;

/**
 * fs_check_mountpoint(mountpoint, store, err):
 * Whether one can mount there; ${store} is store_path(), or NULL for a remote
 * one. Errors: ERR_USAGE missing, no directory, not empty, already a mount,
 * inside the store or around it; ERR_DENIED; ERR_IO.
 */
NODISCARD int fs_check_mountpoint(
    const char *mountpoint, const char *store, struct err *err);

/**
 * fs_lock_mountpoint(mountpoint, out, err):
 * One mounts there at a time, and looks whether it can while it has the lock: ends
 * with close(*${out}), or the process. Waits for whoever is at it. Errors:
 * ERR_USAGE missing, no directory; ERR_LOCKED held for 10 s; ERR_DENIED; ERR_IO.
 */
NODISCARD int fs_lock_mountpoint(
    const char *mountpoint, int *out, struct err *err);

/**
 * fs_open(a, heads, opt, out, err):
 * Mount. ${a} and ${heads} (may be NULL) outlive it and are nobody else's
 * meanwhile; ${opt} is copied but for what ${opt}->arg points to. When it
 * returns 0, the kernel and the mount have shaken hands; no log has been read
 * but of datasets of which a replica lacks what this machine has seen.
 *
 * Errors: those of fs_check_mountpoint() and fs_lock_mountpoint(); ERR_NOT_FOUND
 * no dataset called ${opt}->dataset; ERR_USAGE --allow-other that /etc/fuse.conf
 * does not allow, or options that libfuse does not know; ERR_DENIED, ERR_IO the
 * system refused; ERR_NOMEM. Cost: a few milliseconds.
 */
NODISCARD int fs_open(struct access *a, struct heads *heads,
    const struct fs_options *opt, struct fs **out, struct err *err);

/**
 * fs_loop(fs, err):
 * Serve until somebody unmounts, or a signal says so; then it is unmounted.
 * On an error it is left as it is: whoever reads a dead mount gets ENOTCONN,
 * never an empty directory. Errors: ERR_IO.
 */
NODISCARD int fs_loop(struct fs *fs, struct err *err);

/** fs_close(fs): Frees everything; unmounts what fs_loop() never served. */
void fs_close(struct fs *fs);
DEFINE_AUTO(fs, fs_close)

#endif
