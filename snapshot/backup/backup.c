/*
 * A backup from start to end: who may, what is known, the pipeline, and the
 * publication. Packs, indexes and the log record become durable in that order;
 * the machine's own state follows last.
 */
#include "snapshot/backup/backup.h"

#include "snapshot/backup/run.h"
#include "snapshot/expire/expire.h"
#include "snapshot/log/running.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64

struct moment
run_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct moment){.s = ts.tv_sec, .ns = (uint32_t)ts.tv_nsec};
}

void
backup_result_clear(struct backup_result *r)
{
	log_free(r->log);
	memset(r, 0, sizeof(*r));
}

/* --- before ------------------------------------------------------------ */

static int
find_dataset(
    struct run *run, struct heads *heads, bool *created, struct err *err)
{
	const char *name = run->opt->dataset;
	int ret;

	*created = false;
	if ((ret = keyset_name_check(name, err)) != 0)
		return ret;
	run->ds = access_find(run->access, name);
	if (run->ds == NULL) {
		if (!access_is_admin(run->access))
			return err_set(err, ERR_DENIED,
			    "no dataset '%s' that this key may write: an admin "
			    "makes datasets and grants them",
			    name);
		*created = true;
		ret = access_create_dataset(run->access, name, &run->ds, err);
		return ret != 0
			   ? ret
			   : expire_inherit(run->access, run->ds, heads, err);
	}
	if (!run->ds->may_write)
		return err_set(err, ERR_DENIED,
		    "this key may not write to dataset '%s'", name);
	return 0;
}

int
run_excludes(
    const struct backup_options *opt, struct exclude **out, struct err *err)
{
	AUTO(exclude) struct exclude *ex = NULL;
	int ret = exclude_new(&ex, err);

	for (size_t i = 0; i < opt->nexcludes && ret == 0; i++)
		ret = exclude_add(ex, opt->excludes[i], err);
	if (ret == 0)
		*out = STEAL(ex);
	return ret;
}

struct scout_options
run_scout_options(const struct backup_options *opt, const struct exclude *ex)
{
	return (struct scout_options){
	    .exclude = ex,
	    .exclude_caches = opt->exclude_caches,
	    .cross_filesystems = opt->cross_filesystems,
	    .stop = opt->stop,
	};
}

/* From here on nothing that this run builds on is taken away. */
static int
tell_others(const struct run *run, struct store_lock *lock, struct err *err)
{
	return running_tell(
	    lock, run->seen, run->state_usable ? run->base.id : NULL, err);
}

/* An ingest_pack_fn. */
static int
note_pack(void *arg, const struct object_ref *pack, const uint8_t *note,
    size_t len, struct err *err)
{
	return state_pending_add(arg, pack->name, note, len, err);
}

/* A state_pending_fn. */
static int
resume_pack(void *arg, const uint8_t *note, size_t len, struct err *err)
{
	return ingest_resume(arg, note, len, err);
}

/*
 * An index of the newest record's can't be used. Its writer may have put it in
 * the place of good ones, so that nothing that others stored is found: those that
 * older records name, and that are still there, belong to the set again.
 */
static int
know_older(struct run *run, struct err *err)
{
	AUTO(log) struct log *whole = NULL;
	uint8_t(*names)[OBJECT_NAME_LEN] = NULL;
	size_t n = 0, older = 0;
	int ret = log_load(run->access, run->ds, NULL, &whole, err);

	if (ret == 0)
		ret = log_all_indexes(whole, &names, &n, err);
	for (size_t i = 0; i < n; i++)
		if (!log_indexes_have(
			(const uint8_t(*)[OBJECT_NAME_LEN])run->indexes,
			run->nindexes, names[i]))
			memmove(names[older++], names[i], sizeof(*names));
	if (ret == 0)
		ret = ingest_known_besides(run->ingest,
		    (const uint8_t(*)[OBJECT_NAME_LEN])names, older, err);
	free(names);
	return ret;
}

static int
open_ingest(struct run *run, const struct log *log, struct err *err)
{
	const uint8_t(*now)[OBJECT_NAME_LEN] = log_indexes(log, &run->nindexes);
	struct err why;
	int ret;

	run->indexes = calloc(run->nindexes + 1, sizeof(*run->indexes));
	if (run->indexes == NULL)
		return err_nomem(err);
	if (run->nindexes > 0)
		memcpy(run->indexes, now, run->nindexes * sizeof(*now));
	ret = ingest_new(
	    access_store(run->access), run->ds->keys, &run->ingest, err);
	if (ret == 0)
		ret = ingest_known(run->ingest, now, run->nindexes, err);
	if (ret == 0 && ingest_lost_indexes(run->ingest) > 0)
		ret = know_older(run, err);
	if (ret != 0)
		return ret;
	/* What it would take over may be gone: read, and store, it again. */
	if (ingest_lost(run->ingest) > 0)
		run->state_usable = false;
	ret = run_learn_condemned(run, log, err);
	if (ret != 0 || run->state == NULL)
		return ret;
	ret = state_pending_each(run->state, resume_pack, run->ingest, &why);
	ingest_on_pack(run->ingest, note_pack, run->state);
	if (ret == 0 || ret == ERR_CORRUPT)
		return 0; /* what they hold is read again */
	return err_copy(err, &why);
}

static unsigned
thread_count(unsigned wanted)
{
	long n = wanted != 0 ? (long)wanted : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

/* Every batch under way holds its directory open. */
size_t
run_raise_file_limit(void)
{
	struct rlimit rl, more;

	if (getrlimit(RLIMIT_NOFILE, &rl) != 0)
		return 0;
	more = rl;
	more.rlim_cur = rl.rlim_max;
	/* The walk makes do with less. */
	return setrlimit(RLIMIT_NOFILE, &more) == 0 ? more.rlim_cur
						    : rl.rlim_cur;
}

/* Another machine's may be newer than the one that the state describes. */
static bool
describes_before(const struct run *run)
{
	return run->state_usable && run->before != NULL &&
	       memcmp(run->before->id, run->base.id, sizeof(run->base.id)) == 0;
}

static int
open_pipeline(struct run *run, struct err *err)
{
	struct assembly *as = &run->assembly;
	int ret;

	(void)run_raise_file_limit();
	if ((ret = links_new(&run->links, err)) != 0)
		return ret;
	run->problems.opt = run->opt;
	run->grab.stop = run->opt->stop;
	run->grab.lease_looks = &run->lease_looks;
	run->grab.ahead = &run->ahead;
	if (run->opt->progress != NULL)
		run->grab.read = &run->opt->progress->read;
	ret = pool_new(run->ingest, thread_count(run->opt->threads), grab_batch,
	    &run->grab, &run->pool, err);
	if (ret != 0)
		return ret;
	ret = worker_init(&run->self, run->ingest, run->pool, err);
	if (ret != 0)
		return ret;
	as->worker = &run->self;
	as->grab = &run->grab;
	as->state = run->state;
	as->takes_over = run_takes_over(run);
	as->root_is_last = describes_before(run);
	as->links = run->links;
	as->problems = &run->problems;
	as->progress = run->opt->progress;
	as->next_ino = run->next_ino;
	return assembly_init(as, err);
}

/* --- after ------------------------------------------------------------- */

/*
 * Keep what was stored findable. The failure that led here is the one told,
 * unless it was only a wish to stop.
 */
static void
abandon(struct run *run, struct err *err)
{
	struct err second = {0};

	if (run->ingest != NULL && run->pool != NULL) {
		pool_free(STEAL(run->pool));
		if (ingest_close(run->ingest, &second) != 0 && err != NULL &&
		    err->code == ERR_CANCELLED)
			err_copy(err, &second);
	}
	if (run->state != NULL)
		state_rollback(run->state);
}

static void
run_clear(struct run *run)
{
	pool_free(run->pool);
	assembly_clear(&run->assembly);
	worker_clear(&run->self);
	problems_clear(&run->problems);
	links_free(run->links);
	ingest_free(run->ingest);
	state_close(run->state);
	exclude_free(run->exclude);
	source_close(&run->source);
	free(run->indexes);
}

/* --- the whole --------------------------------------------------------- */

static int
run_locked(struct run *run, struct store_lock *lock, struct log *log,
    struct backup_result *out, struct err *err)
{
	size_t n = log_records(log);
	struct err local;
	int ret;

	run->seen = n > 0 ? log_record(log, n - 1)->head.seq : 0;
	run->before = out->before = log_head(log);
	/* Of a snapshot that has expired, too: none is given out again. */
	run->next_ino = log_next_ino(log);
	if ((ret = run_state_open(run, log, err)) != 0)
		return ret;
	if ((ret = tell_others(run, lock, err)) != 0)
		return ret;
	if ((ret = open_ingest(run, log, err)) != 0)
		return ret;
	if ((ret = open_pipeline(run, err)) != 0)
		return ret;
	if ((ret = run_source(run, err)) != 0)
		return ret;
	if ((ret = run_publish(run, log, &out->state_err, err)) != 0)
		return ret;
	if (run_state_publish(run, log, &local) != 0)
		out->state_err = local;
	out->snapshot = log_head(log);
	out->unreadable = run->problems.unreadable;
	out->changed = run->problems.changed;
	out->vanished = run->problems.vanished;
	out->elsewhere = run->elsewhere;
	out->met_store = run->source.met_store;
	out->unchanged = run->assembly.unchanged;
	out->lost = ingest_lost(run->ingest);
	return 0;
}

static int
run_all(struct run *run, struct heads *heads, struct backup_result *out,
    struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	struct store *store = access_store(run->access);
	int ret;

	ret = source_open(run->opt, store_path(store), &run->source, err);
	if (ret != 0)
		return ret;
	if ((ret = run_excludes(run->opt, &run->exclude, err)) != 0)
		return ret;
	if ((ret = find_dataset(run, heads, &out->created_dataset, err)) != 0)
		return ret;
	ret =
	    store_lock_dataset(store, run->ds->id, STORE_LOCK_RUN, &lock, err);
	if (ret != 0)
		return err_wrap(
		    err, "cannot back up dataset '%s'", run->ds->name);
	ret = log_load_tail(run->access, run->ds, heads, &out->log, err);
	if (ret != 0)
		return ret;
	if (log_damage(out->log) != NULL) {
		err_copy(err, log_damage(out->log));
		return err_wrap(err,
		    "cannot back up dataset '%s' (see 'varve check')",
		    run->ds->name);
	}
	ret = run_locked(run, lock, out->log, out, err);
	if (ret != 0)
		abandon(run, err);
	return ret;
}

int
backup_run(struct access *a, struct heads *heads,
    const struct backup_options *opt, struct backup_result *out,
    struct err *err)
{
	struct run run = {.access = a, .opt = opt};
	int ret;

	memset(out, 0, sizeof(*out));
	run.source.fd = -1;
	run.start = opt->now.s != 0 ? opt->now : run_now();
	ret = run_all(&run, heads, out, err);
	run_clear(&run);
	if (ret != 0)
		backup_result_clear(out);
	return ret;
}
