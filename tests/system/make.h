#ifndef TESTS_SYSTEM_MAKE_H
#define TESTS_SYSTEM_MAKE_H

/* What the programs that fill a directory share; all end at the first failure. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Ends the program with a message when ${ok} is false. */
static inline void
must(int ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

static inline void
enter(const char *dir)
{
	must(mkdir(dir, 0755) == 0 || errno == EEXIST, dir);
	must(chdir(dir) == 0, dir);
}

static inline int
create(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);

	must(fd >= 0, name);
	return fd;
}

#endif
