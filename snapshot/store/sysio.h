#ifndef SNAPSHOT_STORE_SYSIO_H
#define SNAPSHOT_STORE_SYSIO_H

/*
 * The system calls by which a directory store changes what is on disk. Tests
 * put their own in the place of libc's, to fail or to crash at any one of them.
 * Each behaves as the call it is named after: -1 and errno on failure. Paths
 * are relative to the directory ${dir}.
 */
#include <sys/types.h>

struct sysio {
	void *arg; /* handed to every function */
	int (*open)(
	    void *arg, int dir, const char *path, int flags, mode_t mode);
	ssize_t (*write)(void *arg, int fd, const void *buf, size_t len);
	int (*fsync)(void *arg, int fd);   /* a file's or a directory's */
	int (*syncfs)(void *arg, int dir); /* of the filesystem it is on */
	int (*rename)(void *arg, int dir, const char *from, const char *to,
	    unsigned flags);
	int (*link)(void *arg, int dir, const char *from, const char *to);
	int (*unlink)(void *arg, int dir, const char *path, int flags);
	int (*mkdir)(void *arg, int dir, const char *path, mode_t mode);
};

/* The system's own. */
extern const struct sysio sysio_libc;

#endif
