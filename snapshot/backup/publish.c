/*
 * The end of a run: what it has taken in becomes a snapshot. The log is locked
 * for the record alone.
 */
#include "snapshot/backup/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the snapshot -------------------------------------------------------- */

static int
set_text(char **to, const char *from, size_t max, struct err *err)
{
	*to = strndup(from != NULL ? from : "", max);
	return *to == NULL ? err_nomem(err) : 0;
}

static int
describe(struct run *run, struct snapshot *s, struct err *err)
{
	struct span root = assembly_root(&run->assembly);
	char host[256] = "";
	int ret;

	s->time = run->start;
	s->end = run_now();
	if (run->opt->now.s != 0)
		s->end = run->start;
	s->kind = run->opt->full || !run->state_usable ? SNAPSHOT_FULL
						       : SNAPSHOT_DIFFERENTIAL;
	(void)gethostname(host, sizeof(host) - 1);
	ret = set_text(&s->host, run->opt->host != NULL ? run->opt->host : host,
	    RECORD_HOST_MAX, err);
	if (ret == 0)
		ret = set_text(
		    &s->source, run->source.text, RECORD_SOURCE_MAX, err);
	if (ret == 0)
		ret = set_text(
		    &s->program, run->opt->program, RECORD_PROGRAM_MAX, err);
	if (ret != 0)
		return ret;
	if ((s->root = malloc(root.len)) == NULL)
		return err_nomem(err);
	memcpy(s->root, root.p, root.len);
	s->root_len = root.len;
	s->unreadable = run->problems.unreadable;
	s->changed = run->problems.changed;
	s->next_ino = run->assembly.next_ino;
	return 0;
}

/* The problems' text is content like any other, for readers only. */
static int
store_problems(struct run *run, struct snapshot *s, struct err *err)
{
	WR_AUTO struct wr enc = {0};
	const struct wr *text = &run->problems.text;
	struct rd r;
	int ret;

	ret = feed_bytes(&run->self, text->buf, text->len, &enc, err);
	if (ret != 0)
		return ret;
	s->problems_size = text->len;
	r = rd_init(enc.buf, enc.len);
	return content_decode(&r, text->len, &s->problems, err);
}

/* The snapshot, and all that it needs, durable; *${indexes} locate it. */
static int
gather(struct run *run, struct snapshot *s,
    uint8_t (**indexes)[OBJECT_NAME_LEN], size_t *n, struct err *err)
{
	struct ingest_totals totals;
	int ret;

	if ((ret = describe(run, s, err)) != 0)
		return ret;
	if ((ret = store_problems(run, s, err)) != 0)
		return ret;
	if ((ret = pool_flush(run->pool, err)) != 0)
		return ret;
	if ((ret = ingest_lane_flush(run->self.lane, err)) != 0)
		return ret;
	ret = ingest_finish(run->ingest, indexes, n, err);
	totals = ingest_totals(run->ingest);
	s->added_chunks = totals.chunks;
	s->added_bytes = totals.bytes;
	s->added_stored = totals.stored;
	return ret;
}

/* --- the log ------------------------------------------------------------- */

/* Records may have come since the run began: all but snapshots. */
static int
catch_up(struct log *log, struct err *err)
{
	bool changed;
	int ret = log_refresh(log, &changed, err);

	if (ret == 0 && log_damage(log) != NULL)
		ret = err_copy(err, log_damage(log));
	return ret;
}

static bool
same_indexes(
    const struct run *run, const uint8_t (*now)[OBJECT_NAME_LEN], size_t n)
{
	return n == run->nindexes &&
	       (n == 0 || memcmp(now, run->indexes, n * sizeof(*now)) == 0);
}

/*
 * After a prune other indexes are the dataset's than when the run began; or
 * there are packs to be taken up again.
 */
static int
follow(struct run *run, const struct log *log,
    uint8_t (**indexes)[OBJECT_NAME_LEN], size_t *n, struct err *err)
{
	size_t nnow;
	const uint8_t(*now)[OBJECT_NAME_LEN] = log_indexes(log, &nnow);
	int ret = run_learn_condemned_since(run, log, err);

	if (ret != 0)
		return ret;
	if (same_indexes(run, now, nnow) && !ingest_uses_leaving(run->ingest))
		return 0;
	free(STEAL(*indexes));
	return ingest_follow(run->ingest, now, nnow, indexes, n, err);
}

/*
 * The record: from then on the snapshot is there, and a failure is only this
 * machine's (${local}).
 */
static int
append(struct run *run, struct log *log, struct snapshot *s,
    uint8_t (**indexes)[OBJECT_NAME_LEN], size_t n, struct err *local,
    struct err *err)
{
	AUTO(snapshot) struct snapshot *own = s;
	AUTO(store_lock) struct store_lock *lock = NULL;
	size_t before;
	int ret;

	ret = store_lock_dataset(access_store(run->access), run->ds->id,
	    STORE_LOCK_APPEND, &lock, err);
	if (ret != 0 || (ret = catch_up(log, err)) != 0)
		return ret;
	if ((ret = follow(run, log, indexes, &n, err)) != 0)
		return ret;
	before = log_records(log);
	ret = log_append(log, STEAL(own),
	    (const uint8_t(*)[OBJECT_NAME_LEN]) * indexes, n, err);
	if (ret != 0 && log_records(log) > before) {
		/* Stored; what failed is to remember it on this machine. */
		err_copy(local, err);
		ret = 0;
	}
	return ret;
}

int
run_publish(
    struct run *run, struct log *log, struct err *local, struct err *err)
{
	AUTO(snapshot) struct snapshot *s = calloc(1, sizeof(*s));
	uint8_t(*indexes)[OBJECT_NAME_LEN] = NULL;
	size_t n = 0;
	int ret;

	if (s == NULL)
		return err_nomem(err);
	ret = gather(run, s, &indexes, &n, err);
	if (ret == 0)
		ret = append(run, log, STEAL(s), &indexes, n, local, err);
	free(indexes);
	return ret;
}
