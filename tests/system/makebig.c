/*
 * makebig WHAT DIR [N]: fills the directory DIR with
 *
 *	deep	a path longer than PATH_MAX
 *	many	N small entries
 *	sparse	files with holes in all places, beyond 4 GiB and of 1 TiB
 */
#include "tests/system/make.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static void
make_text(const char *name, const char *text)
{
	int fd = create(name);

	must(write(fd, text, strlen(text)) == (ssize_t)strlen(text), name);
	must(close(fd) == 0, name);
}

#define DEEP_LEVELS 40

static void
make_deep(void)
{
	char name[256];

	memset(name, 'p', 250);
	name[250] = '\0';
	for (unsigned i = 0; i < DEEP_LEVELS; i++) {
		enter(name);
		make_text("file", "on the way down\n");
	}
	make_text("bottom", "deeper than PATH_MAX\n");
	must(symlink("file", "link") == 0, "link");
	must(link("file", "hard") == 0, "hard");
}

static void
make_many(unsigned long n)
{
	char name[32];

	for (unsigned long i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "entry-%07lu", i);
		make_text(name, i % 10 == 0 ? name : "");
	}
}

/* A file of ${size} bytes with ${n} runs of data of ${len} bytes. */
static void
make_holes(
    const char *name, int64_t size, const int64_t *at, size_t n, size_t len)
{
	char *data = malloc(len);
	int fd = create(name);

	must(data != NULL, "memory");
	for (size_t i = 0; i < n; i++) {
		memset(data, (int)('A' + i % 26), len);
		must(pwrite(fd, data, len, at[i]) == (ssize_t)len, name);
	}
	must(ftruncate(fd, size) == 0, name);
	must(close(fd) == 0, name);
	free(data);
}

static void
make_sparse(void)
{
	static const int64_t first[] = {0}, last[] = {1020 * KIB},
			     middle[] = {300 * KIB, 600 * KIB},
			     far[] = {0, 4 * GIB - 4 * KIB, 4 * GIB,
				 5 * GIB + 12 * KIB},
			     tera[] = {
				 64 * KIB, 512 * GIB, 1024 * GIB - 4 * KIB};
	int64_t comb[2000];

	for (size_t i = 0; i < ARRAY_LEN(comb); i++)
		comb[i] = (int64_t)i * 128 * KIB;
	make_holes("all-hole", 3 * MIB, NULL, 0, 1);
	make_holes("hole-last", MIB, first, 1, 4096);
	make_holes("hole-first", MIB, last, 1, 4096);
	make_holes("holes", MIB, middle, 2, 8192);
	make_holes("odd-end", 2 * MIB + 17, first, 1, 4096);
	make_holes("comb", 256 * MIB, comb, ARRAY_LEN(comb), 4096);
	make_holes("over-4g", 6 * GIB, far, ARRAY_LEN(far), 4096);
	make_holes("tera", 1024 * GIB, tera, ARRAY_LEN(tera), 4096);
}

int
main(int argc, char **argv)
{
	(void)umask(022);
	if (argc < 3)
		errx(2, "usage: makebig deep|many|sparse DIR [N]");
	must(chdir(argv[2]) == 0, argv[2]);
	if (strcmp(argv[1], "deep") == 0)
		make_deep();
	else if (strcmp(argv[1], "sparse") == 0)
		make_sparse();
	else if (strcmp(argv[1], "many") == 0 && argc == 4)
		make_many(strtoul(argv[3], NULL, 10));
	else
		errx(2, "nothing is called '%s'", argv[1]);
	return 0;
}
