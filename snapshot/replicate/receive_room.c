/* How many bytes of records a site holds in memory. */
#include "snapshot/replicate/receive_internal.h"

#include <stdlib.h>
#include <time.h>

#define MOMENT_NS 200000000
/* For so long, others have to wait. */
#define HOLD_SECONDS 600

/* --- of all connections ------------------------------------------------- */

struct receive_room {
	pthread_mutex_t mu;
	pthread_cond_t changed;
	struct channel *holder; /* guarded by mu; NULL: it is free */
	int64_t since;          /* guarded by mu */
};

int
receive_room_new(struct receive_room **out, struct err *err)
{
	struct receive_room *room = calloc(1, sizeof(*room));

	*out = room;
	if (room == NULL)
		return err_nomem(err);
	(void)pthread_mutex_init(&room->mu, NULL);
	(void)pthread_cond_init(&room->changed, NULL);
	return 0;
}

void
receive_room_free(struct receive_room *room)
{
	if (room == NULL)
		return;
	(void)pthread_cond_destroy(&room->changed);
	(void)pthread_mutex_destroy(&room->mu);
	free(room);
}

static int64_t
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

bool
receive_room_try(struct receive_room *room, struct channel *c)
{
	struct timespec until;
	bool free;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += MOMENT_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&room->mu);
	if (room->holder != NULL)
		(void)pthread_cond_timedwait(&room->changed, &room->mu, &until);
	free = room->holder == NULL;
	if (free) {
		room->holder = c;
		room->since = seconds();
	} else if (seconds() - room->since > HOLD_SECONDS) {
		channel_stop_reading(room->holder);
	}
	pthread_mutex_unlock(&room->mu);
	return free;
}

void
receive_room_give(struct receive_room *room)
{
	pthread_mutex_lock(&room->mu);
	room->holder = NULL;
	pthread_cond_broadcast(&room->changed);
	pthread_mutex_unlock(&room->mu);
}

/* --- of one ------------------------------------------------------------- */

/* Of a record, with what is kept beside its bytes. */
static uint64_t
cost_of(uint64_t size)
{
	return size + 2 * sizeof(struct blob);
}

static uint64_t
cost_of_all(const struct blobs *b)
{
	return b->bytes + b->n * cost_of(0);
}

static int
failed(const struct receiver *r, struct err *err)
{
	return r->failure.code != 0 ? err_copy(err, &r->failure) : 0;
}

static int
take_room(struct receiver *r, struct err *err)
{
	bool taken = false;
	int rc = 0;

	while (rc == 0 && !taken) {
		taken = receive_room_try(r->opt->room, r->channel);
		pthread_mutex_lock(&r->mu);
		r->room |= taken;
		rc = failed(r, err);
		pthread_mutex_unlock(&r->mu);
	}
	return rc;
}

int
receive_hold(struct receiver *r, uint64_t size, struct err *err)
{
	uint64_t waiting = cost_of_all(&r->waiting);
	bool large, lacks;
	int rc;

	pthread_mutex_lock(&r->mu);
	/* Those of earlier groups are being taken, and go by themselves. */
	while (r->held + cost_of(size) > JOB_RECORDS_SMALL &&
	       r->held > waiting && r->failure.code == 0)
		pthread_cond_wait(&r->changed, &r->mu);
	large = r->held + cost_of(size) > JOB_RECORDS_SMALL;
	lacks = large && r->opt->room != NULL && !r->room;
	rc = failed(r, err);
	pthread_mutex_unlock(&r->mu);
	if (rc == 0 && lacks)
		rc = take_room(r, err);
	if (rc != 0)
		return rc;
	pthread_mutex_lock(&r->mu);
	r->held += cost_of(size);
	pthread_mutex_unlock(&r->mu);
	return 0;
}

static void
release(struct receiver *r, uint64_t cost)
{
	bool give;

	pthread_mutex_lock(&r->mu);
	r->held -= cost;
	give = r->room && r->held <= JOB_RECORDS_SMALL;
	r->room &= !give;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mu);
	if (give)
		receive_room_give(r->opt->room);
}

void
receive_release(struct receiver *r, uint64_t size)
{
	release(r, cost_of(size));
}

void
receive_release_all(struct receiver *r, struct blobs *records)
{
	uint64_t cost = cost_of_all(records);

	blobs_clear(records);
	release(r, cost);
}

void
receive_release_job(struct receiver *r, struct job *j)
{
	for (size_t i = 0; i < j->ngroups; i++)
		receive_release_all(r, &j->groups[i].records);
	job_clear(j);
}
