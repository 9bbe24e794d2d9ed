#include "snapshot/log/log.h"
#include "tests/bench/parts/parts.h"
#include "tests/bench/parts/place.h"
#include "tests/unit/log_fixture.h"

#include <fts.h>

#define RECORDS 6480 /* 72 a day for 90 days */

static uint64_t
load(void *arg)
{
	struct place *p = arg;
	AUTO(log) struct log *l = NULL;

	must(log_load(p->access, p->ds, NULL, &l, &err));
	if (log_count(l) != RECORDS)
		die("the log has %zu snapshots", log_count(l));
	return RECORDS;
}

/* Every file of the log opened, read and closed. */
static uint64_t
read_files(void *arg)
{
	struct place *p = arg;
	char *paths[] = {p->path, NULL};
	uint8_t buf[65536];
	FTS *walk = need(fts_open(paths, FTS_PHYSICAL | FTS_NOSTAT, NULL));
	FTSENT *e;
	uint64_t n = 0;

	while ((e = fts_read(walk)) != NULL) {
		int fd;

		if (strstr(e->fts_path, "/log/") == NULL)
			continue;
		fd = open(e->fts_accpath, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, buf, sizeof(buf)) <= 0)
			die("cannot read '%s'", e->fts_path);
		(void)close(fd);
		n++;
	}
	(void)fts_close(walk);
	if (n != RECORDS)
		die("the log has %ju files", (uintmax_t)n);
	return n;
}

void
part_log(UNUSED const struct source *src)
{
	AUTO(log) struct log *l = NULL;
	struct place p;

	place_new(&p);
	must(log_load(p.access, p.ds, NULL, &l, &err));
	for (int64_t i = 0; i < RECORDS; i++)
		must(log_append(l, snapshot_at(1000000000 + i * 1200, 0),
		    fixture_indexes, 2, &err));
	pair_measure(&(struct pair){
	    .what = "loading a log of 6,480 snapshots",
	    .unit = PART_OPERATIONS,
	    .own = load,
	    .beside = "opening and reading their files",
	    .limit = read_files,
	    .arg = &p,
	});
	log_free(STEAL(l));
	place_clear(&p);
}
