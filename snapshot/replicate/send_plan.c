#include "snapshot/replicate/send_internal.h"

#include "snapshot/content/index.h"

#include <stdlib.h>
#include <string.h>

/* --- groups ------------------------------------------------------------- */

void
group_free(struct group *g)
{
	if (g == NULL)
		return;
	free(g->needs);
	free(g);
}

int
group_need(struct group *g, const struct object_ref *ref, uint64_t size,
    struct err *err)
{
	if (g->n == g->cap) {
		size_t cap = g->cap == 0 ? 8 : 2 * g->cap;
		struct need *v = reallocarray(g->needs, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		g->needs = v;
		g->cap = cap;
	}
	g->needs[g->n++] = (struct need){*ref, size};
	g->bytes += size;
	return 0;
}

/* --- whose turn it is --------------------------------------------------- */

/* When the source's next record was signed. */
static int
peek_time(struct sender *s, struct source *src, struct err *err)
{
	struct record_clear clear;
	uint8_t *buf = NULL;
	size_t len;
	int rc;

	if (src->peeked)
		return 0;
	rc = source_read(s->store, src, src->next, &buf, &len, &clear, err);
	if (rc == 0) {
		src->time = clear.head.time;
		src->peeked = true;
	}
	free(buf);
	return rc;
}

/* The one with the oldest record that is to go. */
static int
choose(struct sender *s, struct source **out, struct err *err)
{
	*out = NULL;
	for (size_t i = 0; i < s->nsources; i++) {
		struct source *src = s->sources[i];
		struct err why;
		int rc;

		if (src->next >= src->records.n || send_failed(s, src))
			continue;
		rc = peek_time(s, src, &why);
		if (rc == ERR_NOMEM || rc == ERR_BUG)
			return err_copy(err, &why);
		if (rc != 0)
			send_problem(s, src->dataset, &why);
		else if (*out == NULL || src->time < (*out)->time)
			*out = src;
	}
	return 0;
}

/* --- what records need -------------------------------------------------- */

static int
need_pack(void *arg, const struct object_ref *ref, uint64_t size,
    UNUSED enum pack_kind kind, struct err *err)
{
	return group_need(arg, ref, size, err);
}

/* Its packs, and then, behind all packs, itself. */
static int
need_index(struct sender *s, struct group *g, struct group *indexes,
    const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_INDEX};
	uint64_t size;
	int rc;

	memcpy(ref.dataset, g->source->dataset, STORE_DATASET_LEN);
	memcpy(ref.name, name, OBJECT_NAME_LEN);
	rc = store_size(s->store, &ref, &size, err);
	if (rc == 0)
		rc = group_need(indexes, &ref, size, err);
	return rc != 0 ? rc : index_peek(s->store, &ref, need_pack, g, err);
}

static int
know_index(
    struct source *src, const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	int rc = name_set_add_object(&src->known, name, err);

	return rc < 0 ? rc : 0;
}

static bool
knows_index(const struct source *src, const uint8_t name[OBJECT_NAME_LEN])
{
	return name_set_has_object(&src->known, name);
}

static int
append(struct group *to, const struct group *from, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < from->n && rc == 0; i++)
		rc = group_need(
		    to, &from->needs[i].ref, from->needs[i].size, err);
	return rc;
}

/* ERR_NOT_FOUND: an index of the set has gone: pruned since. */
static int
needs_of(struct sender *s, struct group *g, const struct record_clear *clear,
    struct err *err)
{
	struct group indexes = {.source = g->source};
	int rc = 0;

	g->n = 0;
	g->bytes = 0;
	for (size_t i = 0; i < clear->nindexes && rc == 0; i++) {
		if (!knows_index(g->source, clear->indexes[i]))
			rc = need_index(s, g, &indexes, clear->indexes[i], err);
	}
	if (rc == 0)
		rc = append(g, &indexes, err);
	free(indexes.needs);
	for (size_t i = 0; i < clear->nindexes && rc == 0; i++)
		rc = know_index(g->source, clear->indexes[i], err);
	return rc;
}

/*
 * From the source's next record to the first whose index set is whole here.
 */
static int
fill(struct sender *s, struct group *g, struct err *err)
{
	struct source *src = g->source;
	int rc = ERR_NOT_FOUND;

	g->first = src->next;
	for (size_t i = src->next; i < src->records.n && rc == ERR_NOT_FOUND;
	     i++) {
		struct record_clear clear;
		uint8_t *buf = NULL;
		size_t len;

		g->last = i;
		rc = source_read(s->store, src, i, &buf, &len, &clear, err);
		/* A record that has gone is no index that was pruned. */
		if (rc == ERR_NOT_FOUND)
			return err_set(
			    err, ERR_CORRUPT, "record %zu has gone", i + 1);
		if (rc == 0)
			rc = needs_of(s, g, &clear, err);
		free(buf);
	}
	if (rc == 0) {
		src->next = g->last + 1;
		src->peeked = false;
	}
	return rc;
}

int
plan_next(struct sender *s, struct group **out, struct err *err)
{
	*out = NULL;
	for (;;) {
		AUTO(group) struct group *g = NULL;
		struct source *src;
		struct err why;
		int rc = choose(s, &src, err);

		if (rc != 0 || src == NULL)
			return rc;
		g = calloc(1, sizeof(*g));
		if (g == NULL)
			return err_nomem(err);
		g->source = src;
		rc = fill(s, g, &why);
		if (rc == 0) {
			*out = STEAL(g);
			return 0;
		}
		if (rc == ERR_NOMEM || rc == ERR_BUG)
			return err_copy(err, &why);
		send_problem(s, src->dataset, &why);
	}
}

/* --- key objects -------------------------------------------------------- */

static int
note_damage(void *arg, const struct object_ref *ref,
    UNUSED const struct err *why, struct err *err)
{
	int rc = name_set_add_object(arg, ref->name, err);

	return rc < 0 ? rc : 0;
}

struct keys_list {
	struct group *group;
	const struct name_set *damaged;
	struct store *store;
};

static int
need_key(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct keys_list *l = arg;
	uint64_t bytes;
	int rc;

	if (name_set_has_object(l->damaged, ref->name))
		return 0;
	rc = store_size(l->store, ref, &bytes, err);
	return rc != 0 ? rc : group_need(l->group, ref, bytes, err);
}

int
plan_keys(struct sender *s, struct group **out, struct err *err)
{
	AUTO(group) struct group *g = calloc(1, sizeof(*g));
	struct name_set damaged = {0};
	struct keys_list l = {g, &damaged, s->store};
	int rc;

	*out = NULL;
	if (g == NULL)
		return err_nomem(err);
	rc = access_visit_damage(s->party->access, note_damage, &damaged, err);
	if (rc == 0)
		rc = store_list(s->store, OBJECT_KEY, NULL, need_key, &l, err);
	name_set_clear(&damaged);
	if (rc == 0)
		*out = STEAL(g);
	return rc;
}

/* --- asking ------------------------------------------------------------- */

/* How many from ${at} on are of one class, for one HAVE. */
static size_t
run_length(const struct group *g, size_t at)
{
	size_t n = 1;

	while (at + n < g->n && n < FRAME_NAMES_MAX &&
	       g->needs[at + n].ref.cls == g->needs[at].ref.cls)
		n++;
	return n;
}

static int
ask(struct sender *s, const struct group *g, size_t at, size_t n,
    struct err *err)
{
	uint8_t(*names)[OBJECT_NAME_LEN] = calloc(n, OBJECT_NAME_LEN);
	struct frame_names have = {.cls = g->needs[at].ref.cls, .n = n};
	WR_AUTO struct wr w = {0};

	if (names == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		memcpy(names[i], g->needs[at + i].ref.name, OBJECT_NAME_LEN);
	memcpy(have.dataset, g->needs[at].ref.dataset, STORE_DATASET_LEN);
	have.names = (const uint8_t(*)[OBJECT_NAME_LEN])names;
	frame_have(&have, &w);
	free(names);
	pthread_mutex_lock(&s->mu);
	s->asked++;
	pthread_mutex_unlock(&s->mu);
	return channel_send(s->channel, FRAME_HAVE, &w, err);
}

int
plan_ask(struct sender *s, const struct group *g, struct err *err)
{
	int rc = 0;

	for (size_t i = 0, n; i < g->n && rc == 0; i += n) {
		n = run_length(g, i);
		rc = ask(s, g, i, n, err);
	}
	return rc;
}
