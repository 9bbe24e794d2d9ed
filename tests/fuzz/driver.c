/*
 * Runs a fuzzer without libFuzzer: over the inputs in the files and directories
 * given, and over many damaged copies of each.
 *
 *	fuzz_PARSER [-n COPIES] [-s SEED] FILE|DIRECTORY...
 *
 * What is done to an input depends on its bytes' number and the seed alone, so
 * that a crash comes back. Its input is written to standard error in hex.
 */
#include "crypto/attr.h"

#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define COPIES 1000
#define INPUT_MAX (1024 * 1024)
#define CUTS 400   /* truncations of one input, at most */
#define CHANGES 4  /* in one copy, at most */
#define SHOWN 1024 /* bytes of an input that crashed */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* splitmix64 */
static uint64_t
chance(uint64_t *rng)
{
	uint64_t z = *rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* The input being run: shared with the parent, who outlives a crash. */
struct current {
	char path[PATH_MAX];
	size_t len;
	uint8_t bytes[INPUT_MAX + CHANGES];
};

/* From memory of just its size, so that a sanitizer sees what is behind. */
static void
run(struct current *cur, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, len);
	memcpy(cur->bytes, data, len);
	cur->len = len;
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

/* --- damage ------------------------------------------------------------- */

static void
run_cuts(struct current *cur, const uint8_t *data, size_t len)
{
	size_t step = len / CUTS + 1;

	for (size_t cut = 0; cut < len; cut += step)
		run(cur, data, cut);
}

/* One byte more, one less, or another; the values are those at which counts
 * and lengths turn. */
static size_t
change(uint8_t *buf, size_t len, uint64_t *rng)
{
	static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};
	size_t at = (size_t)(chance(rng) % len);

	switch (chance(rng) % 8) {
	case 0:
		memmove(buf + at, buf + at + 1, len - at - 1);
		return len - 1;
	case 1:
		memmove(buf + at + 1, buf + at, len - at);
		return len + 1;
	case 2:
		buf[at] = edges[chance(rng) % ARRAY_LEN(edges)];
		return len;
	case 3:
		buf[at] = (uint8_t)chance(rng);
		return len;
	default:
		buf[at] ^= (uint8_t)(1 << chance(rng) % 8);
		return len;
	}
}

static void
run_copies(struct current *cur, const uint8_t *data, size_t len,
    unsigned copies, uint64_t seed)
{
	uint8_t *buf = malloc(len + CHANGES);
	uint64_t rng = seed;

	if (buf == NULL)
		abort();
	for (unsigned i = 0; i < copies && len > 0; i++) {
		unsigned changes = 1 + (unsigned)(chance(&rng) % CHANGES);
		size_t now = len;

		memcpy(buf, data, len);
		for (unsigned k = 0; k < changes && now > 0; k++)
			now = change(buf, now, &rng);
		run(cur, buf, now);
	}
	free(buf);
}

/* --- inputs ------------------------------------------------------------- */

static size_t
read_input(const char *path, uint8_t *buf)
{
	FILE *file = fopen(path, "rbe");
	size_t len;

	if (file == NULL) {
		perror(path);
		exit(2);
	}
	len = fread(buf, 1, INPUT_MAX, file);
	if (ferror(file) || fgetc(file) != EOF) {
		(void)fprintf(stderr, "%s: unreadable, or too long\n", path);
		exit(2);
	}
	(void)fclose(file);
	return len;
}

static void
run_file(const char *path, unsigned copies, uint64_t seed, struct current *cur)
{
	uint8_t *data = malloc(INPUT_MAX);
	size_t len;

	if (data == NULL)
		abort();
	len = read_input(path, data);
	(void)snprintf(cur->path, sizeof(cur->path), "%s", path);
	run(cur, data, len);
	run_cuts(cur, data, len);
	run_copies(cur, data, len, copies, seed);
	free(data);
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Returns the exit status: no input at all is wrong use. */
static int
run_all(char *const *paths, unsigned copies, uint64_t seed, struct current *cur)
{
	FTS *fts = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	unsigned files = 0;
	const FTSENT *e;

	while (fts != NULL && (e = fts_read(fts)) != NULL) {
		if (e->fts_info == FTS_D || e->fts_info == FTS_DP)
			continue;
		files++;
		run_file(e->fts_accpath, copies, seed, cur);
	}
	if (fts == NULL || fts_close(fts) != 0 || files == 0) {
		(void)fprintf(stderr, "no input\n");
		return 2;
	}
	(void)printf("%u inputs, %u copies of each, seed %" PRIu64 "\n", files,
	    copies, seed);
	return 0;
}

/* --- crashes ------------------------------------------------------------ */

static void
show(const struct current *cur, uint64_t seed)
{
	(void)fprintf(stderr,
	    "crashed, or leaked, at a copy of %s (seed %" PRIu64
	    "), %zu bytes:\n",
	    cur->path, seed, cur->len);
	for (size_t i = 0; i < cur->len && i < SHOWN; i++)
		(void)fprintf(
		    stderr, "%02x%s", cur->bytes[i], i % 32 == 31 ? "\n" : "");
	(void)fprintf(stderr, "%s\n", cur->len > SHOWN ? "..." : "");
}

/* A process of its own runs the inputs, and this one outlives it. */
static int
watch(char *const *paths, unsigned copies, uint64_t seed)
{
	struct current *cur = mmap(NULL, sizeof(*cur), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = -1;
	pid_t pid;

	if (cur == MAP_FAILED || (pid = fork()) < 0) {
		perror("cannot begin");
		return 2;
	}
	if (pid == 0)
		exit(run_all(paths, copies, seed, cur));
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2))
		return WEXITSTATUS(status);
	show(cur, seed);
	return 1;
}

int
main(int argc, char **argv)
{
	uint64_t seed = 1;
	unsigned copies = COPIES;
	int opt;

	while ((opt = getopt(argc, argv, "n:s:")) != -1) {
		switch (opt) {
		case 'n':
			copies = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	if (optind == argc) {
		(void)fprintf(stderr, "no input\n");
		return 2;
	}
	return watch(argv + optind, copies, seed);
}
