/*
 * Taking away what has been condemned. A backup that began before the record
 * may rely on any of it, and rescues what it does when it is published. So
 * while one runs, nothing goes; the next prune looks again.
 */
#include "snapshot/prune/prune_internal.h"

#include <string.h>
#include <time.h>

#define WAIT_MS 10000
#define LOOK_EVERY_MS 50

static void
pause_ms(long ms)
{
	struct timespec ts = {.tv_nsec = ms * 1000000};

	(void)nanosleep(&ts, NULL);
}

int
prune_running(struct prune *p, struct err *err)
{
	for (unsigned ms = 0; ms < WAIT_MS; ms += LOOK_EVERY_MS) {
		int rc = running_look(p->store, p->ds->id, &p->running, err);

		if (rc != 0 || !p->running.any || p->running.told)
			return rc;
		rc = prune_stopped(p, err);
		if (rc != 0)
			return rc;
		pause_ms(LOOK_EVERY_MS);
	}
	return err_set(err, ERR_LOCKED,
	    "a backup of dataset '%s' is beginning, and does not say what it "
	    "builds on: try again",
	    p->ds->name);
}

/* --- what was rescued --------------------------------------------------- */

/* An index_listed_fn. */
static int
add_later(void *arg, const struct object_ref *ref, uint64_t size,
    UNUSED enum pack_kind kind, struct err *err)
{
	struct prune *p = arg;
	int rc = present_add(&p->later, ref->name, size, err);

	return rc == 0 ? present_add(&p->since, ref->name, size, err) : rc;
}

int
prune_learn(struct prune *p, struct err *err)
{
	size_t n;
	const uint8_t(*now)[OBJECT_NAME_LEN] = log_indexes(p->log, &n);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct object_ref ref;

		if (names_have(&p->were, now[i]) ||
		    names_have(&p->set, now[i]) ||
		    names_have(&p->learned, now[i]))
			continue;
		prune_ref(p, OBJECT_INDEX, now[i], &ref);
		rc = index_peek(p->store, &ref, add_later, p, err);
		if (rc == 0)
			rc = names_add(&p->learned, now[i], err);
	}
	present_sort(&p->later);
	present_sort(&p->since);
	return rc;
}

bool
prune_lists(const struct prune *p, const uint8_t pack[OBJECT_NAME_LEN])
{
	uint32_t number = live_pack_number(&p->live, pack);

	if (number != LIVE_NONE)
		return p->live.packs[number].fate == LIVE_KEEP;
	return present_find(&p->later, pack) != NULL;
}

/* --- removing ----------------------------------------------------------- */

static bool
is_needed(const struct prune *p, const struct condemned *c)
{
	size_t n;
	const uint8_t(*now)[OBJECT_NAME_LEN] = log_indexes(p->log, &n);

	if (c->cls == OBJECT_PACK)
		return prune_lists(p, c->name) ||
		       present_find(&p->since, c->name) != NULL;
	return log_indexes_have(now, n, c->name);
}

static int
remove_object(
    struct prune *p, const struct condemned *c, uint64_t size, struct err *err)
{
	struct object_ref ref;
	struct err why;
	int rc;

	prune_ref(p, c->cls, c->name, &ref);
	rc = store_remove(p->store, &ref, &why);
	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc != 0)
		return err_copy(err, &why);
	prune_add(&p->out->removed, size);
	return 0;
}

static int
remove_all(
    struct prune *p, const struct sentence *s, bool wait, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->clear.ncondemned; i++) {
		struct condemned c = record_condemned(&s->clear, i);
		const struct present_object *o = present_find(
		    c.cls == OBJECT_PACK ? &p->packs : &p->indexes, c.name);

		if (!c.gone || o == NULL || is_needed(p, &c))
			continue;
		if (wait)
			prune_add(&p->out->waiting, o->size);
		else
			rc = remove_object(p, &c, o->size, err);
	}
	return rc;
}

int
prune_look_around(struct prune *p, struct err *err)
{
	bool changed;
	int rc = prune_running(p, err);

	if (rc == 0)
		rc = log_refresh(p->log, &changed, err);
	if (rc == 0)
		rc = log_whole(p->log, err);
	return rc == 0 ? prune_learn(p, err) : rc;
}

int
remove_condemned(struct prune *p, struct err *err)
{
	SENTENCE_AUTO struct sentence s = {0};
	bool wait;
	int rc = sentence_last(p, &s, err);

	if (rc != 0 || s.bytes == NULL)
		return rc;
	wait = p->running.any && p->running.seq < s.clear.head.seq;
	memset(&p->out->waiting, 0, sizeof(p->out->waiting));
	return remove_all(p, &s, wait, err);
}
