/*
 * What the newest prune record says of packs, and what a run does about it.
 *
 * Gone, when the run began: not to be taken up by it. One that died after its
 * record may have left packs to take up that have expired since; no index lists
 * them, and whoever prunes doesn't look at this run. Gone since then: who prunes
 * has seen this run, and waits for it.
 *
 * Leaving: the newest snapshot before the record didn't need it. A site without
 * keys can't tell that one needs it again, but by an index of that snapshot's
 * own that lists it. Until then its retention lock runs for the pack as if
 * nobody did. Once is enough, until the next prune record.
 */
#include "snapshot/backup/run.h"
#include "snapshot/content/name_set.h"

#include <stdlib.h>
#include <string.h>

/* --- which record that is ------------------------------------------------ */

static void
note_record(struct run *run, const struct record *r)
{
	run->prune.seq = r->head.seq;
	memcpy(run->prune.name, r->name, sizeof(run->prune.name));
}

/* Whether all of the log since the state's snapshot was read. */
static bool
has_base(const struct run *run, const struct log *log)
{
	for (size_t i = log_records(log); run->has_base && i > 0; i--)
		if (memcmp(log_record(log, i - 1)->name, run->base.id,
			sizeof(run->base.id)) == 0)
			return true;
	return false;
}

static int
find_in_all(struct run *run, struct err *err)
{
	AUTO(log) struct log *whole = NULL;
	int ret = log_load(run->access, run->ds, NULL, &whole, err);

	if (ret == 0 && log_prune(whole) != NULL)
		note_record(run, log_prune(whole));
	return ret;
}

static int
find_newest(struct run *run, const struct log *log, struct err *err)
{
	run->prune = (struct object_ref){.cls = OBJECT_LOG};
	memcpy(run->prune.dataset, run->ds->id, sizeof(run->prune.dataset));
	if (log_prune(log) != NULL) {
		note_record(run, log_prune(log));
	} else if (has_base(run, log)) {
		run->prune.seq = run->base.prune;
		memcpy(run->prune.name, run->base.prune_name,
		    sizeof(run->prune.name));
	} else if (log_records(log) > 0 && log_record_at(log, 1) == NULL) {
		return find_in_all(run, err);
	}
	return 0;
}

/* --- what it says -------------------------------------------------------- */

/*
 * Whether what the run takes over unread is what the newest snapshot before the
 * record needed, or one after it, which has listed what it relies on. One that
 * is lost may have been a snapshot.
 */
static bool
follows_newest(const struct run *run, const struct log *log)
{
	for (size_t i = log_records(log); i > 0; i--) {
		const struct record *r = log_record(log, i - 1);

		if (r->head.type != RECORD_SNAPSHOT && !r->lost)
			continue;
		if (memcmp(r->name, run->base.id, sizeof(run->base.id)) == 0)
			return true;
		if (r->head.seq < run->prune.seq)
			return false;
	}
	return false;
}

/* The packs that a snapshot since the record has listed in an index of its own. */
static int
find_taken_up(const struct run *run, const struct log *log,
    const struct record_clear *clear, struct name_set *taken, struct err *err)
{
	size_t n;
	const uint8_t(*now)[OBJECT_NAME_LEN] = log_indexes(log, &n);
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < n; i++)
		if (!log_indexes_have(clear->indexes, clear->nindexes, now[i]))
			ret = index_listed_all(access_store(run->access),
			    run->ds->id, now + i, 1, taken, err);
	return ret;
}

static int
learn(struct run *run, const struct record_clear *clear,
    const struct name_set *taken, bool first, bool all, struct err *err)
{
	int ret = 0;

	ingest_forget_leaving(run->ingest);
	for (size_t i = 0; ret == 0 && i < clear->ncondemned; i++) {
		struct condemned c = record_condemned(clear, i);

		if (c.cls != OBJECT_PACK)
			continue;
		if (c.gone && first)
			ret = ingest_condemned(run->ingest, c.name, err);
		else if (!c.gone && !name_set_has_object(taken, c.name))
			ret = ingest_leaving(run->ingest, c.name, all, err);
	}
	return ret;
}

/* One that is lost says nothing, and keeps no backup from being made. */
static int
read_newest(struct run *run, const struct log *log, bool first, struct err *err)
{
	bool all = run->state_usable && !follows_newest(run, log);
	struct name_set taken = {0};
	struct record_clear clear;
	struct err why;
	uint8_t *buf;
	size_t len;
	int ret = store_get(access_store(run->access), &run->prune, RECORD_MAX,
	    &buf, &len, &why);

	if (ret == ERR_NOT_FOUND || ret == ERR_CORRUPT)
		return 0;
	if (ret != 0)
		return err_copy(err, &why);
	ret = record_peek(buf, len, &clear, err);
	if (ret == 0 && clear.ncondemned > 0)
		ret = find_taken_up(run, log, &clear, &taken, err);
	if (ret == 0)
		ret = learn(run, &clear, &taken, first, all, err);
	name_set_clear(&taken);
	free(buf);
	return ret;
}

int
run_learn_condemned(struct run *run, const struct log *log, struct err *err)
{
	int ret = find_newest(run, log, err);

	return ret == 0 && run->prune.seq > 0 ? read_newest(run, log, true, err)
					      : ret;
}

int
run_learn_condemned_since(
    struct run *run, const struct log *log, struct err *err)
{
	const struct record *r = log_prune(log);

	if (r == NULL || r->head.seq <= run->prune.seq)
		return 0;
	note_record(run, r);
	return read_newest(run, log, false, err);
}
