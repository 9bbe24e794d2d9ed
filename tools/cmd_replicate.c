/* varve replicate: send what a site lacks, or fetch what this site lacks. */
#include "tools/message.h"
#include "tools/replicate_show.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define RATE_MIN 1024
#define RATE_MAX (UINT64_C(1) << 40)
#define RETRY_FIRST_S 1
#define RETRY_MAX_S 60
#define MOMENT_NS 100000000

static const struct option replicate_options[] = {
    {"pull", 0, OPTION_FLAG, NULL,
	"fetch what this replica lacks, from the site SITE or its address",
	NULL, offsetof(struct replicate_args, pull), 0, 0},
    {"watch", 0, OPTION_FLAG, NULL,
	"go on: send new snapshots as they are made, until stopped", NULL,
	offsetof(struct replicate_args, watch), 0, 0},
    {"limit", 0, OPTION_SIZE, "RATE", "move at most RATE bytes a second (20M)",
	NULL, offsetof(struct replicate_args, limit), RATE_MIN, RATE_MAX},
};

/* --- what is said meanwhile --------------------------------------------- */

static void
on_problem(void *arg, const struct err *why)
{
	const struct replicating *g = arg;

	message_problem(g->run, "%s", why->text);
}

/* A key object that isn't taken holds nothing up. */
static void
on_refused(void *arg, const struct object_ref *ref, const struct err *why)
{
	struct replicating *g = arg;

	if (ref != NULL && ref->cls != OBJECT_KEY)
		atomic_fetch_add(&g->problems, 1);
	on_problem(g, why);
}

static const char *
name_dataset(void *arg, const uint8_t dataset[STORE_DATASET_LEN])
{
	const struct replicating *g = arg;

	return remote_dataset(g->remote, dataset);
}

static int
keep_receipt(void *arg, const uint8_t buf[RECEIPT_LEN],
    UNUSED const struct receipt *receipt, struct err *err)
{
	const struct replicating *g = arg;

	return g->receipts != NULL
		   ? receipts_put(g->receipts, buf, RECEIPT_LEN, err)
		   : 0;
}

/* --- one connection ----------------------------------------------------- */

static int
push_once(struct replicating *g, struct err *err)
{
	const struct send_options opt = {
	    .follow = g->args->watch,
	    .stop = g->run->stop,
	    .progress = &g->sending,
	    .dataset_name = name_dataset,
	    .on_receipt = keep_receipt,
	    .on_problem = on_problem,
	    .arg = g,
	};
	struct remote *r = g->remote;
	struct send_result result;
	int rc = 0;

	/* Before anybody is called: an expired site is no site. */
	if (r->known)
		rc = site_allowed(
		    r->party.access, &r->statement, party_time(), err);
	if (rc == 0)
		rc = remote_connect(r, HELLO_PUSH, false, err);
	if (rc != 0)
		return rc;
	channel_limit(r->meeting.channel, g->args->limit);
	rc = send_run(&r->party, &r->meeting, &opt, &result, err);
	g->records += result.records;
	g->objects += result.objects;
	g->bytes += result.bytes;
	atomic_fetch_add(&g->problems, result.problems);
	return rc;
}

/* A stop that was asked for reaches whoever waits for the other side. */
struct stopping {
	const struct replicating *g;
	pthread_mutex_t mu;
	pthread_cond_t changed;
	bool over; /* guarded by mu */
};

static void *
wait_stop(void *arg)
{
	struct stopping *s = arg;
	struct timespec until;

	pthread_mutex_lock(&s->mu);
	while (!s->over) {
		if (atomic_load(s->g->run->stop))
			channel_stop_reading(s->g->remote->meeting.channel);
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += MOMENT_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		(void)pthread_cond_timedwait(&s->changed, &s->mu, &until);
	}
	pthread_mutex_unlock(&s->mu);
	return NULL;
}

static int
receive_until_stop(struct replicating *g, struct err *err)
{
	const struct receive_options opt = {
	    .until_done = !g->args->watch,
	    .progress = &g->receiving,
	    .on_refused = on_refused,
	    .arg = g,
	};
	struct stopping s = {.g = g,
	    .mu = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER};
	pthread_t watcher;
	int rc;

	if (pthread_create(&watcher, NULL, wait_stop, &s) != 0)
		return err_set(err, ERR_IO, "cannot start a thread");
	rc = receive_run(
	    &g->remote->party, g->remote->meeting.channel, &opt, err);
	pthread_mutex_lock(&s.mu);
	s.over = true;
	pthread_cond_signal(&s.changed);
	pthread_mutex_unlock(&s.mu);
	(void)pthread_join(watcher, NULL);
	return rc;
}

static int
pull_once(struct replicating *g, struct err *err)
{
	AUTO(reaper) struct reaper *reaper = NULL;
	struct remote *r = g->remote;
	struct err why;
	int rc = remote_connect(r, HELLO_PULL, g->args->watch, err);

	if (rc != 0)
		return rc;
	channel_limit(r->meeting.channel, g->args->limit);
	rc = receive_until_stop(g, err);
	g->records = atomic_load(&g->receiving.records);
	g->objects = atomic_load(&g->receiving.objects);
	g->bytes = atomic_load(&g->receiving.bytes);
	if (reaper_new(&reaper, &why) != 0 ||
	    reaper_run(reaper, &r->party, &g->reaped, &why) != 0)
		message_problem(g->run, "%s", why.text);
	return rc;
}

static int
once(struct replicating *g, struct err *err)
{
	int rc = g->args->pull ? pull_once(g, err) : push_once(g, err);

	remote_disconnect(g->remote);
	return rc;
}

/* --- again and again ---------------------------------------------------- */

/*
 * What another try may mend: the line, the other side, who is at work, and what
 * either machine has run out of.
 */
static bool
may_pass(int rc)
{
	return rc == ERR_IO || rc == ERR_LOCKED || rc == ERR_FULL ||
	       rc == ERR_NOMEM || rc == ERR_CANCELLED;
}

static void
sleep_unless_stopped(const struct replicating *g, unsigned seconds)
{
	const struct timespec moment = {.tv_nsec = MOMENT_NS};

	for (unsigned i = 0; i < seconds * 10 && !atomic_load(g->run->stop);
	     i++)
		(void)nanosleep(&moment, NULL);
}

static int
watch(struct replicating *g, struct err *err)
{
	unsigned wait = RETRY_FIRST_S;

	for (;;) {
		uint64_t before = g->records;
		bool changed;
		int rc = once(g, err);

		if (atomic_load(g->run->stop))
			return 0;
		if (rc == 0)
			rc = err_set(err, ERR_IO, "%s closed the connection",
			    g->remote->text);
		if (!may_pass(rc))
			return rc;
		if (g->records > before)
			wait = RETRY_FIRST_S;
		message_problem(
		    g->run, "%s; trying again in %u s", err->text, wait);
		sleep_unless_stopped(g, wait);
		wait = wait * 2 < RETRY_MAX_S ? wait * 2 : RETRY_MAX_S;
		/* The site may have been given another address. */
		if (g->remote->party.access != NULL &&
		    (access_refresh(g->remote->party.access, &changed, err) !=
			    0 ||
			remote_find(g->remote, g->args->common.operands.v[0],
			    err) != 0))
			return err->code;
	}
}

/* --- the whole ----------------------------------------------------------- */

static void
open_receipts(struct replicating *g)
{
	const struct remote *r = g->remote;
	struct err why = {0};

	if (g->args->pull || r->session == NULL ||
	    r->session->state_dir == NULL)
		return;
	if (receipts_open(r->session->state_dir,
		access_root(r->party.access)->store, &g->receipts, &why) != 0)
		message_warning(g->run,
		    "receipts can't be kept on this machine: %s", why.text);
}

static int
replicate(struct replicating *g, struct err *err)
{
	int rc = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &g->began);
	open_receipts(g);
	if (!g->run->common->quiet && progress_wanted())
		rc = progress_start(
		    replicate_show_progress, g, &g->run->progress, err);
	if (rc == 0)
		rc = g->args->watch ? watch(g, err) : once(g, err);
	progress_stop(STEAL(g->run->progress));
	receipts_close(g->receipts);
	if (rc != 0)
		return rc;
	replicate_show_result(g);
	return atomic_load(&g->problems) > 0 ? EXIT_PARTIAL : EXIT_DONE;
}

static int
replicate_command(struct run *run, void *values, struct err *err)
{
	const struct replicate_args *args = values;
	const char *site = args->common.operands.v[0];
	AUTO(remote) struct remote *r = NULL;
	struct replicating g = {.run = run, .args = args};
	int rc = remote_open(run, &args->store, &args->how,
	    args->pull ? REMOTE_BY_SITE : REMOTE_BY_ANY, &r, err);

	if (rc == 0)
		rc = remote_find(r, site, err);
	if (rc == 0 && !args->pull && !r->known)
		rc = err_set(err, ERR_USAGE,
		    "'%s' is an address: objects are sent to a site by its name"
		    " (see 'varve site')",
		    site);
	if (rc != 0)
		return rc;
	g.remote = r;
	return replicate(&g, err);
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", replicate_options, 0),
    REMOTE_GROUP(offsetof(struct replicate_args, how)),
    STORE_GROUP(offsetof(struct replicate_args, store)),
    KEY_GROUP(offsetof(struct replicate_args, store)),
    PASSPHRASE_GROUP(offsetof(struct replicate_args, store)),
    COMMON_GROUP,
};

const struct command cmd_replicate = {
    .name = "replicate",
    .summary = "send what a site lacks, or pull it",
    .about = "Send to SITE what it lacks of this store, the oldest snapshot "
	     "first. It may be\ncut at any moment and goes on from there. With "
	     "--pull, run at a replica: fetch\nwhat it lacks. No key of a "
	     "dataset is needed: any key that the store knows will\ndo, or "
	     "the site's own.",
    .operands = {"SITE"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct replicate_args),
    .run = replicate_command,
};
