#include "snapshot/replicate/send_internal.h"

#include <string.h>
#include <time.h>

#define LOOK_NS 250000000
#define LOOKS_A_PING 80

static int
add_mark(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct sender *s = arg;
	uint64_t mark = 0;
	struct err why;
	int rc = store_log_mark(s->store, ref->dataset, &mark, &why);

	/* What is wrong with a log is found when it is compared. */
	if (rc == ERR_NOMEM || rc == ERR_BUG)
		return err_copy(err, &why);
	/* Any mixing will do that no two changes are likely to undo. */
	s->marks = (s->marks ^ mark) * UINT64_C(0x9e3779b97f4a7c15);
	return 0;
}

static int
add_key(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED struct err *err)
{
	struct sender *s = arg;
	uint64_t mix;

	/* In no order: so an addition. */
	memcpy(&mix, ref->name, sizeof(mix));
	s->key_marks += mix;
	return 0;
}

int
news_look(struct sender *s, bool keys, bool *changed, struct err *err)
{
	uint64_t marks = s->marks, key_marks = s->key_marks;
	bool refreshed;
	int rc;

	s->marks = 0;
	rc = store_list_datasets(s->store, add_mark, s, err);
	if (rc == 0 && keys) {
		s->key_marks = 0;
		rc = store_list(s->store, OBJECT_KEY, NULL, add_key, s, err);
	}
	*changed = marks != s->marks || key_marks != s->key_marks;
	if (rc == 0 && *changed)
		rc = access_refresh(s->party->access, &refreshed, err);
	return rc;
}

static void
waiting(struct sender *s, bool is)
{
	if (s->opt->progress != NULL)
		atomic_store(&s->opt->progress->waiting, is);
}

int
news_wait(struct sender *s, struct err *err)
{
	const struct timespec moment = {.tv_nsec = LOOK_NS};
	bool changed = false;
	int rc = 0;

	waiting(s, true);
	for (unsigned i = 1; rc == 0 && !changed; i++) {
		bool ended;

		(void)nanosleep(&moment, NULL);
		pthread_mutex_lock(&s->mu);
		ended = s->ended;
		pthread_mutex_unlock(&s->mu);
		if (send_stopped(s))
			rc = err_set(err, ERR_CANCELLED, "stopped");
		else if (ended)
			rc = answers_done(s, err);
		else if (i % LOOKS_A_PING == 0)
			rc = channel_send(s->channel, FRAME_PING, NULL, err);
		if (rc == 0)
			rc = news_look(s, i % 4 == 0, &changed, err);
	}
	waiting(s, false);
	return rc;
}
