/*
 * What this machine has kept of its last backup of a source, so that what is
 * unchanged need not be read again; and what it keeps of this one.
 */
#include "snapshot/backup/run.h"

#include <string.h>

/*
 * What the state is of: the source, and the filesystem that it is on. Another
 * one in its place may have the same inode numbers and times.
 */
static int
source_hash(const struct run *run, uint8_t hash[HASH_LEN], struct err *err)
{
	WR_AUTO struct wr w = {0};

	wr_bytes(&w, run->source.text, strlen(run->source.text));
	wr_bytes(&w, run->source.fsid, sizeof(run->source.fsid));
	return w.failed ? err_nomem(err) : sha256(w.buf, w.len, hash, err);
}

static bool
holds(const struct log *log, const uint8_t id[OBJECT_NAME_LEN])
{
	for (size_t i = log_count(log); i > 0; i--)
		if (memcmp(log_snapshot(log, i - 1)->id, id, OBJECT_NAME_LEN) ==
		    0)
			return true;
	return false;
}

/*
 * Whether the log has that snapshot: it is among the last ones, but where others
 * have backed up since, and this machine has seen that.
 */
static int
find_snapshot(const struct run *run, const struct log *log,
    const uint8_t id[OBJECT_NAME_LEN], bool *found, struct err *err)
{
	AUTO(log) struct log *whole = NULL;
	int ret;

	*found = holds(log, id);
	if (*found || log_records(log) == 0 || log_record_at(log, 1) != NULL)
		return 0;
	ret = log_load(run->access, run->ds, NULL, &whole, err);
	if (ret == 0)
		*found = holds(whole, id);
	return ret;
}

/* Whether the state describes one of the log's snapshots, of this source. */
static int
match_state(struct run *run, const struct log *log, struct err *err)
{
	struct state_base *base = &run->base;
	uint8_t ours[HASH_LEN];
	struct err why;
	int ret = state_snapshot(run->state, base, &why);

	if (ret == ERR_NOT_FOUND || ret == ERR_CORRUPT)
		return 0; /* every file is read */
	if (ret != 0)
		return err_copy(err, &why);
	run->has_base = true;
	if ((ret = source_hash(run, ours, err)) != 0)
		return ret;
	if (memcmp(ours, base->source, sizeof(ours)) != 0)
		return 0;
	return find_snapshot(run, log, base->id, &run->state_usable, err);
}

int
run_state_open(struct run *run, const struct log *log, struct err *err)
{
	const struct root *root = access_root(run->access);
	int ret;

	if (run->opt->state_dir == NULL)
		return 0;
	ret = state_open(run->opt->state_dir, root->store,
	    keyring_latest(run->ds->keys), &run->state, err);
	if (ret == 0)
		ret = match_state(run, log, err);
	return ret == 0 ? state_begin(run->state, err) : ret;
}

bool
run_takes_over(const struct run *run)
{
	return run->state_usable && !run->opt->full && run->source.exact_ctime;
}

int
run_state_publish(struct run *run, const struct log *log, struct err *err)
{
	struct state_base base = {.prune = run->prune.seq};
	int ret;

	if (run->state == NULL)
		return 0;
	memcpy(base.prune_name, run->prune.name, sizeof(base.prune_name));
	memcpy(base.id, log_head(log)->id, sizeof(base.id));
	ret = source_hash(run, base.source, err);
	if (ret == 0)
		ret = state_publish(run->state, &base, err);
	return ret;
}
