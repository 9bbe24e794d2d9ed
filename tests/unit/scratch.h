#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

/* A directory for one test, and small things to do with the files in it. */
#include "crypto/attr.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_PATH 4096

/* A new directory that everybody may enter; its path has no symbolic link. */
static inline UNUSED void
scratch_new(char path[SCRATCH_PATH])
{
	const char *tmp = getenv("TMPDIR");
	char *real = realpath(tmp != NULL ? tmp : "/tmp", NULL);

	if (real == NULL ||
	    snprintf(path, SCRATCH_PATH, "%s/varve-test-XXXXXX", real) >=
		SCRATCH_PATH ||
	    mkdtemp(path) == NULL || chmod(path, 0755) != 0) {
		perror("scratch directory");
		abort();
	}
	free(real);
}

static inline UNUSED int
scratch_rm_one(const char *path, UNUSED const struct stat *st, UNUSED int type,
    UNUSED struct FTW *ftw)
{
	return remove(path);
}

static inline UNUSED void
scratch_rm(const char *path)
{
	(void)nftw(path, scratch_rm_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Write a file as a whole, in the place of what was there. */
static inline UNUSED void
scratch_write(const char *path, const void *buf, size_t len)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, buf, len) != (ssize_t)len || close(fd) != 0) {
		perror(path);
		abort();
	}
}

static inline UNUSED bool
scratch_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* How many entries a directory has; -1 when it is not there. */
static inline UNUSED int
scratch_count(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	int n = 0;

	if (dir == NULL)
		return -1;
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			n++;
	(void)closedir(dir);
	return n;
}

#endif
