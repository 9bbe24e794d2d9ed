/* The segments of packs, opened by all who have nothing else to do. */
#include "snapshot/check/check_share.h"

#include <stdlib.h>

/* A pack that is open. What changes is guarded by the shares' mu. */
struct share {
	struct share *older;
	struct pack *pack;
	const struct segment_place *places;
	size_t n;
	size_t next;            /* segment that nobody has taken */
	unsigned users;         /* threads that opened one, or do */
	struct held_list *held; /* of all segments */
	size_t at;              /* the first segment that failed ... */
	struct err why;         /* ... and how; code 0: none did */
};

void
shares_init(struct shares *sh, size_t njobs)
{
	*sh = (struct shares){.njobs = njobs};
	(void)pthread_mutex_init(&sh->mu, NULL);
	(void)pthread_cond_init(&sh->changed, NULL);
}

void
shares_clear(struct shares *sh)
{
	(void)pthread_mutex_destroy(&sh->mu);
	(void)pthread_cond_destroy(&sh->changed);
}

/* --- jobs --------------------------------------------------------------- */

bool
shares_take(struct shares *sh, size_t *i)
{
	bool any;

	(void)pthread_mutex_lock(&sh->mu);
	any = sh->next < sh->njobs;
	if (any) {
		*i = sh->next++;
		sh->at_hand++;
	}
	(void)pthread_mutex_unlock(&sh->mu);
	return any;
}

void
shares_done(struct shares *sh)
{
	(void)pthread_mutex_lock(&sh->mu);
	sh->at_hand--;
	(void)pthread_cond_broadcast(&sh->changed);
	(void)pthread_mutex_unlock(&sh->mu);
}

/* --- one segment -------------------------------------------------------- */

static int
check_chunks(struct opener *o, const struct segment *seg, uint32_t number,
    struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < segment_count(seg); i++) {
		struct segment_chunk ch = segment_chunk(seg, i);
		struct chunk_name name;

		rc = namer_name(o->namer, ch.kind, ch.data, ch.len, &name, err);
		if (rc == 0 && memcmp(&name, &ch.name, sizeof(name)) != 0)
			rc = err_set(err, ERR_CORRUPT,
			    "segment %u: chunk %zu is not what its name says",
			    number, i);
		if (rc == 0)
			rc = held_add(&o->found, &name, number, err);
		if (rc == 0)
			lengths_add(&o->s->lengths, &name, ch.len);
	}
	return rc;
}

/* Segment ${i}, whose chunks ${o}->found lists then. */
static int
open_segment(struct opener *o, const struct share *s, size_t i, struct err *err)
{
	AUTO(segment) struct segment *seg = NULL;
	int rc = check_stopped(o->s->c, err);

	o->found.n = 0;
	if (rc == 0)
		rc = pack_segment(s->pack, &s->places[i], &seg, err);
	return rc == 0 ? check_chunks(o, seg, (uint32_t)i, err) : rc;
}

/* --- all of them -------------------------------------------------------- */

static bool
has_more(const struct share *s)
{
	return s->why.code == 0 && s->next < s->n;
}

static void
fail(struct share *s, size_t i, const struct err *why)
{
	if (s->why.code != 0 && s->at < i)
		return;
	s->at = i;
	s->why = *why;
}

/* With mu held, but for the work itself. */
static void
take_part(struct shares *sh, struct share *s, struct opener *o)
{
	s->users++;
	while (has_more(s)) {
		size_t i = s->next++;
		struct err why;
		int rc;

		(void)pthread_mutex_unlock(&sh->mu);
		rc = open_segment(o, s, i, &why);
		(void)pthread_mutex_lock(&sh->mu);
		if (rc == 0)
			rc = held_join(s->held, &o->found, &why);
		if (rc != 0)
			fail(s, i, &why);
	}
	s->users--;
}

static void
unlink_share(struct shares *sh, const struct share *s)
{
	struct share **p = &sh->newest;

	while (*p != s)
		p = &(*p)->older;
	*p = s->older;
}

int
shares_open(struct shares *sh, struct opener *o, struct pack *pack,
    const struct segment_place *places, size_t n, struct err *err)
{
	struct share s = {
	    .pack = pack, .places = places, .n = n, .held = &o->held};

	o->held.n = 0;
	(void)pthread_mutex_lock(&sh->mu);
	s.older = sh->newest;
	sh->newest = &s;
	(void)pthread_cond_broadcast(&sh->changed);
	take_part(sh, &s, o);
	unlink_share(sh, &s);
	while (s.users > 0)
		(void)pthread_cond_wait(&sh->changed, &sh->mu);
	(void)pthread_mutex_unlock(&sh->mu);
	return s.why.code != 0 ? err_copy(err, &s.why) : 0;
}

/* With mu held: a pack with segments that nobody has taken. */
static struct share *
find_share(const struct shares *sh)
{
	struct share *s = sh->newest;

	while (s != NULL && !has_more(s))
		s = s->older;
	return s;
}

void
shares_help(struct shares *sh, struct opener *o)
{
	(void)pthread_mutex_lock(&sh->mu);
	for (;;) {
		struct share *s = find_share(sh);

		if (s != NULL) {
			take_part(sh, s, o);
			(void)pthread_cond_broadcast(&sh->changed);
		} else if (sh->at_hand > 0) {
			(void)pthread_cond_wait(&sh->changed, &sh->mu);
		} else {
			break;
		}
	}
	(void)pthread_mutex_unlock(&sh->mu);
}
