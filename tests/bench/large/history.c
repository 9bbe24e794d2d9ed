/*
 * Make a store with a long past, as if a backup had been made of it every 20
 * minutes, ending now: history STORE STATE SOURCE SNAPSHOTS OTHERS
 *
 * Dataset 'db/clarity' gets SNAPSHOTS snapshots of the directory SOURCE, three
 * of whose files change before each; OTHERS more datasets get one each. The
 * passphrase of its admin, 'bench', is 'bench'. What a backup takes at the
 * start, and at the end, is printed.
 */
#include "snapshot/access/access_internal.h"
#include "snapshot/backup/backup.h"
#include "snapshot/state/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES 1000
#define IN_A_DIR 50
#define EVERY (20 * 60) /* seconds */
#define SHOWN 100       /* backups whose mean is printed */

static int64_t started;

static int64_t
long_ago(void *arg)
{
	(void)arg;
	return started;
}

static void
fail(const char *what, const struct err *err)
{
	(void)fprintf(stderr, "history: %s: %s\n", what,
	    err != NULL ? err->text : strerror(errno));
	exit(1);
}

/* --- the source --------------------------------------------------------- */

/* A few hundred bytes that no other file, or version, has. */
static void
write_file(const char *source, unsigned file, unsigned version)
{
	char path[4096];
	FILE *f;

	(void)snprintf(
	    path, sizeof(path), "%s/dir-%03u", source, file / IN_A_DIR);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/dir-%03u/file-%05u", source,
	    file / IN_A_DIR, file);
	f = fopen(path, "w");
	if (f == NULL)
		fail(path, NULL);
	for (unsigned i = 0; i < 20; i++)
		(void)fprintf(
		    f, "line %u of file %u, version %u\n", i, file, version);
	if (fclose(f) != 0)
		fail(path, NULL);
}

static void
make_source(const char *source)
{
	(void)mkdir(source, 0755);
	for (unsigned i = 0; i < FILES; i++)
		write_file(source, i, 0);
}

/* --- the backups -------------------------------------------------------- */

static double
seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
back_up(struct access *a, struct heads *heads, const char *dataset,
    const char *source, const char *state, int64_t when)
{
	struct backup_options opt = {
	    .dataset = dataset,
	    .source = source,
	    .host = "bench",
	    .program = "history",
	    .state_dir = state,
	    .threads = 1,
	    .now = {.s = when},
	};
	struct backup_result result;
	struct err err;

	if (backup_run(a, heads, &opt, &result, &err) != 0)
		fail(dataset, &err);
	backup_result_clear(&result);
}

static void
make_others(struct access *a, const char *source, unsigned n)
{
	char name[64];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "other/dataset-%03u", i);
		back_up(a, NULL, name, source, NULL, started + 1);
	}
}

static void
make_history(struct access *a, struct heads *heads, const char *source,
    const char *state, unsigned snapshots)
{
	double took = 0;

	for (unsigned i = 0; i < snapshots; i++) {
		double begun;

		for (unsigned k = 0; k < 3; k++)
			write_file(source, (i * 7 + k * 331) % FILES, i + 1);
		begun = seconds();
		back_up(a, heads, "db/clarity", source, state,
		    started + 1 + (int64_t)i * EVERY);
		took += seconds() - begun;
		if ((i + 1) % SHOWN != 0)
			continue;
		if (i < SHOWN || i + SHOWN >= snapshots)
			(void)printf("history: backups %u to %u: %.1f ms "
				     "each\n",
			    i + 2 - SHOWN, i + 1, took / SHOWN * 1e3);
		took = 0;
	}
}

/* What a machine remembers of a store, so that it reads a log's end only. */
static struct heads *
remember(struct access *a, const char *store, const char *state)
{
	char *address = realpath(store, NULL);
	struct heads *heads = NULL;
	struct err err;

	if (address == NULL)
		fail(store, NULL);
	if (heads_open(state, access_root(a), address, &heads, &err) != 0)
		fail(state, &err);
	free(address);
	return heads;
}

int
main(int argc, char **argv)
{
	AUTO(access) struct access *a = NULL;
	AUTO(recovery) struct recovery *recovery = NULL;
	AUTO(heads) struct heads *heads = NULL;
	const struct access_clock clock = {.now = long_ago};
	struct err err;
	unsigned snapshots, others;

	if (argc != 6) {
		(void)fprintf(stderr,
		    "usage: history STORE STATE SOURCE SNAPSHOTS OTHERS\n");
		return 2;
	}
	snapshots = (unsigned)strtoul(argv[4], NULL, 10);
	others = (unsigned)strtoul(argv[5], NULL, 10);
	started = (int64_t)time(NULL) - (int64_t)snapshots * EVERY;
	if (access_init_clock(
		argv[1], "bench", "bench", &clock, &a, &recovery, &err) != 0)
		fail(argv[1], &err);
	make_source(argv[3]);
	make_others(a, argv[3], others);
	heads = remember(a, argv[1], argv[2]);
	make_history(a, heads, argv[3], argv[2], snapshots);
	return 0;
}
