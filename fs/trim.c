#include "fs/trim.h"
#include "fs/fs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#define BATCH 512
#define KICKS 512       /* look at the table once in so many */
#define PAUSE_MS 2      /* for the kernel's answers to a batch to come in */
#define GIVE_UP_MS 1000 /* when everything is in use */

struct trim {
	struct fs *fs;
	size_t limit;
	_Atomic unsigned kicks;
	pthread_t thread;

	pthread_mutex_t mu;
	pthread_cond_t wake;
	/* guarded by mu */
	bool due;
	bool stop;
};

/* --- asking the kernel ------------------------------------------------- */

/*
 * FUSE_NOTIFY_PRUNE, of the protocol's version 7.45 (Linux 6.18): let go of
 * nodes that nobody uses. libfuse does not know it yet, nor do the headers.
 */
#define NOTIFY_PRUNE 9

struct prune {
	struct {
		uint32_t len;
		int32_t code;
		uint64_t unique;
	} head;
	uint32_t count;
	uint32_t padding;
	uint64_t spare;
	uint64_t ids[BATCH];
};

static bool
prune(struct fs *fs, const uint64_t *ids, size_t n)
{
	struct prune msg = {
	    .head = {.code = NOTIFY_PRUNE},
	    .count = (uint32_t)n,
	};
	struct iovec iov = {.iov_base = &msg};

	memcpy(msg.ids, ids, n * sizeof(*ids));
	iov.iov_len = offsetof(struct prune, ids) + n * sizeof(*ids);
	msg.head.len = (uint32_t)iov.iov_len;
	return writev(fuse_session_fd(fs->session), &iov, 1) >= 0 ||
	       errno == ENODEV || errno == ENOTCONN;
}

/*
 * On older kernels: drop the name under which a file was found first. Not of
 * directories, for that would confuse who stands in one.
 */
static void
drop_names(struct fs *fs, const uint64_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct node *f = nodes_get(fs->nodes, ids[i]);

		if (f != NULL && f->kind == NODE_FILE)
			fuse_lowlevel_notify_inval_entry(fs->session,
			    f->parent->id, (const char *)node_name(f).p,
			    node_name(f).len);
		nodes_put(fs->nodes, f);
	}
}

/* Returns how many nodes it asked for. */
static size_t
ask(struct fs *fs)
{
	uint64_t ids[BATCH];
	size_t n = nodes_idle(fs->nodes, ids, BATCH);

	if (n == 0)
		return 0;
	if (fs->can_prune && !prune(fs, ids, n))
		fs->can_prune = false;
	if (!fs->can_prune)
		drop_names(fs, ids, n);
	return n;
}

/* --- the thread -------------------------------------------------------- */

/* Wait until kicked, or (${ms} >= 0) for so long; false: it's to stop. */
static bool
pause_for(struct trim *t, long ms)
{
	struct timespec until;
	bool go_on;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;

	pthread_mutex_lock(&t->mu);
	if (ms >= 0 && !t->stop)
		(void)pthread_cond_timedwait(&t->wake, &t->mu, &until);
	while (ms < 0 && !t->stop && !t->due)
		(void)pthread_cond_wait(&t->wake, &t->mu);
	t->due = false;
	go_on = !t->stop;
	pthread_mutex_unlock(&t->mu);
	return go_on;
}

/* Once it's at it, it makes room for a while. */
static void
make_room(struct trim *t)
{
	size_t enough = t->limit / 4 * 3, asked = 0;
	size_t before = nodes_bytes(t->fs->nodes), now;

	/* While the loop ends, nobody would answer what the kernel waits for. */
	while (!fuse_session_exited(t->fs->session)) {
		asked += ask(t->fs);
		if (!pause_for(t, PAUSE_MS))
			return;
		now = nodes_bytes(t->fs->nodes);
		if (now <= enough)
			return;
		if (now < before) {
			before = now;
			asked = 0;
		} else if (asked >= nodes_count(t->fs->nodes)) {
			(void)pause_for(t, GIVE_UP_MS);
			return;
		}
	}
}

static void *
run(void *arg)
{
	struct trim *t = arg;

	while (pause_for(t, -1))
		if (nodes_bytes(t->fs->nodes) > t->limit)
			make_room(t);
	return NULL;
}

void
trim_kick(struct trim *t)
{
	if (atomic_fetch_add(&t->kicks, 1) % KICKS != 0)
		return;
	if (nodes_bytes(t->fs->nodes) <= t->limit)
		return;
	pthread_mutex_lock(&t->mu);
	t->due = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->mu);
}

int
trim_new(struct fs *fs, size_t limit, struct trim **out, struct err *err)
{
	struct trim *t = calloc(1, sizeof(*t));

	*out = NULL;
	if (t == NULL)
		return err_nomem(err);
	t->fs = fs;
	t->limit = limit;
	pthread_mutex_init(&t->mu, NULL);
	pthread_cond_init(&t->wake, NULL);
	errno = pthread_create(&t->thread, NULL, run, t);
	if (errno != 0) {
		(void)err_errno(err, "cannot start a thread");
		pthread_mutex_destroy(&t->mu);
		pthread_cond_destroy(&t->wake);
		free(t);
		return err != NULL ? err->code : ERR_IO;
	}
	*out = t;
	return 0;
}

void
trim_free(struct trim *t)
{
	if (t == NULL)
		return;
	pthread_mutex_lock(&t->mu);
	t->stop = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->mu);
	(void)pthread_join(t->thread, NULL);
	pthread_mutex_destroy(&t->mu);
	pthread_cond_destroy(&t->wake);
	free(t);
}
