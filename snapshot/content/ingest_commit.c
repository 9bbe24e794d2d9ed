/*
 * Full packs on their way to disk. Waiting for a disk costs no processor, so
 * the lanes leave it to a thread that does nothing else, and go on with the
 * next pack.
 */
#include "snapshot/content/ingest_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Packs that may wait: the disk may fall behind a little, not without end. */
#define WAITING 2

struct committer {
	struct ingest *in;
	pthread_t thread;
	pthread_mutex_t mu;
	pthread_cond_t changed;
	/* guarded by mu */
	struct open_pack *waiting[WAITING]; /* the oldest first */
	size_t nwaiting;
	bool started; /* there is a thread */
	bool busy;    /* it has one in hand */
	bool stop;
	struct err failed; /* code not 0: why no pack is committed any more */
};

/* --- one pack ------------------------------------------------------------ */

/* Have a pack noted for a run that takes this one up, if it is stopped. */
static int
note(struct ingest *in, const struct open_pack *p, const struct object_ref *ref,
    uint64_t size, struct err *err)
{
	WR_AUTO struct wr w = {0};
	int ret = 0;

	if (in->on_pack != NULL &&
	    (ret = ingest_note_encode(ref, size, p, &w, err)) != 0)
		return ret;
	pthread_mutex_lock(&in->mu);
	in->totals.stored += size;
	in->totals.packs++;
	if (in->on_pack != NULL)
		ret = in->on_pack(in->on_pack_arg, ref, w.buf, w.len, err);
	pthread_mutex_unlock(&in->mu);
	return ret;
}

/* Make a pack durable, note it, and index it. */
static int
commit(struct ingest *in, struct open_pack *p, struct err *err)
{
	struct object_ref ref;
	uint64_t size;
	int ret;

	if (p->broken.code != 0)
		return err_copy(err, &p->broken);
	if ((ret = pack_writer_commit(p->writer, &ref, &size, err)) != 0 ||
	    (ret = note(in, p, &ref, size, err)) != 0)
		return ret;
	pthread_mutex_lock(&in->pack_seen_mu);
	ret = name_set_add_object(&in->packs_there, ref.name, err);
	pthread_mutex_unlock(&in->pack_seen_mu);
	return ret < 0 ? ret : ingest_index_pack(in, &ref, size, p, err);
}

/* --- the thread ---------------------------------------------------------- */

/* mu is held. */
static struct open_pack *
take(struct committer *c)
{
	struct open_pack *p = c->waiting[0];

	memmove(&c->waiting[0], &c->waiting[1],
	    --c->nwaiting * sizeof(struct open_pack *));
	return p;
}

/* Called with mu held, and left so. */
static void
commit_next(struct committer *c)
{
	AUTO(open_pack) struct open_pack *p = take(c);
	struct err err = {0};
	int ret;

	c->busy = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mu);
	ret = commit(c->in, p, &err);
	pthread_mutex_lock(&c->mu);
	c->busy = false;
	if (ret != 0)
		c->failed = err;
	pthread_cond_broadcast(&c->changed);
}

static void *
run(void *arg)
{
	struct committer *c = arg;

	pthread_mutex_lock(&c->mu);
	while (!c->stop) {
		if (c->nwaiting > 0 && c->failed.code == 0)
			commit_next(c);
		else
			pthread_cond_wait(&c->changed, &c->mu);
	}
	pthread_mutex_unlock(&c->mu);
	return NULL;
}

/* --- from outside -------------------------------------------------------- */

int
committer_new(struct ingest *in, struct committer **out, struct err *err)
{
	struct committer *c = calloc(1, sizeof(*c));

	*out = c;
	if (c == NULL)
		return err_nomem(err);
	c->in = in;
	pthread_mutex_init(&c->mu, NULL);
	pthread_cond_init(&c->changed, NULL);
	return 0;
}

void
committer_free(struct committer *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->mu);
	c->stop = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mu);
	if (c->started)
		pthread_join(c->thread, NULL);
	while (c->nwaiting > 0)
		open_pack_free(take(c));
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->mu);
	free(c);
}

/* mu is held. */
static int
start(struct committer *c, struct err *err)
{
	if (c->started)
		return 0;
	errno = pthread_create(&c->thread, NULL, run, c);
	if (errno != 0)
		return err_errno(err, "cannot start a thread");
	c->started = true;
	return 0;
}

int
committer_add(struct committer *c, struct open_pack *p, struct err *err)
{
	int ret;

	pthread_mutex_lock(&c->mu);
	while (c->failed.code == 0 && c->nwaiting == WAITING)
		pthread_cond_wait(&c->changed, &c->mu);
	ret = c->failed.code != 0 ? err_copy(err, &c->failed) : start(c, err);
	if (ret == 0) {
		c->waiting[c->nwaiting++] = STEAL(p);
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->mu);
	open_pack_free(p);
	return ret;
}

int
committer_wait(struct committer *c, struct err *err)
{
	int ret = 0;

	pthread_mutex_lock(&c->mu);
	while (c->failed.code == 0 && (c->busy || c->nwaiting > 0))
		pthread_cond_wait(&c->changed, &c->mu);
	if (c->failed.code != 0)
		ret = err_copy(err, &c->failed);
	pthread_mutex_unlock(&c->mu);
	return ret;
}
