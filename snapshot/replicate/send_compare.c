#include "snapshot/replicate/send_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- STATE -------------------------------------------------------------- */

/* Before it, who doesn't know this side may ask who it is. */
int
compare_begin(struct sender *s, struct err *err)
{
	struct frame_state state = {.more = true};
	struct frame f;
	bool root;
	int rc = 0;

	while (rc == 0 && state.more) {
		rc = channel_receive(s->channel, &f, err);
		if (rc == 0 && f.type == FRAME_WHO) {
			rc = frame_parse_who(f.body, f.len, &root, err);
			if (rc == 0)
				rc = party_introduce(
				    s->party, root, s->channel, err);
			continue;
		}
		if (rc == 0 && f.type != FRAME_STATE)
			rc = channel_unexpected(&f, err);
		if (rc == 0)
			rc = frame_parse_state(f.body, f.len, &state, err);
		if (rc == 0) {
			rc = frame_logs_add(&s->heads, &s->nheads, &state, err);
			memcpy(s->keys, state.keys, sizeof(s->keys));
			free(state.logs);
		}
	}
	return rc;
}

/* --- comparing ---------------------------------------------------------- */

void
compare_drop(struct sender *s)
{
	pthread_mutex_lock(&s->mu);
	for (size_t i = 0; i < s->nsources; i++)
		source_free(s->sources[i]);
	free(s->sources);
	s->sources = NULL;
	s->nsources = 0;
	pthread_mutex_unlock(&s->mu);
}

static int
add_source(struct sender *s, struct source *src, struct err *err)
{
	struct source **v;

	pthread_mutex_lock(&s->mu);
	v = reallocarray(s->sources, s->nsources + 1, sizeof(struct source *));
	if (v != NULL) {
		v[s->nsources++] = src;
		s->sources = v;
	}
	pthread_mutex_unlock(&s->mu);
	return v != NULL ? 0 : err_nomem(err);
}

/*
 * The other side is told, too: its people may be the first to look. It goes by
 * its own newest record, or where it has none by this side's first.
 */
static int
tell_problem(struct sender *s, const struct source *src,
    const struct frame_log *head, const struct err *why, struct err *err)
{
	struct frame_nak nak = {.ref = {.cls = OBJECT_LOG}, .why = *why};
	WR_AUTO struct wr w = {0};

	if (head == NULL && src->records.n == 0)
		return 0;
	nak.ref.seq = head != NULL ? head->seq : src->records.v[0].seq;
	memcpy(nak.ref.dataset, src->dataset, STORE_DATASET_LEN);
	memcpy(nak.ref.name, head != NULL ? head->head : src->records.v[0].name,
	    OBJECT_NAME_LEN);
	frame_nak(&nak, &w);
	return channel_send(s->channel, FRAME_NAK, &w, err);
}

/* ${src} is taken over; ${head} NULL: the other side has nothing of it. */
static int
add_failed(struct sender *s, struct source *src, const struct frame_log *head,
    const struct err *why, struct err *err)
{
	if (add_source(s, src, err) != 0) {
		source_free(src);
		return ERR_NOMEM;
	}
	send_problem(s, src->dataset, why);
	return tell_problem(s, src, head, why, err);
}

/* A dataset that can't be compared is a problem, and the others are sent. */
static int
add_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	AUTO(source) struct source *src = NULL;
	struct sender *s = arg;
	struct frame_log head;
	struct err why;
	uint64_t lacking;
	bool begun;
	int rc = source_load(s->store, ref->dataset, &src, &why);

	if (src == NULL)
		return rc != 0 ? err_copy(err, &why) : 0;
	begun = heads_find(s, src, &head);
	if (rc == 0)
		rc = source_compare(s->party->access, src, begun ? &head : NULL,
		    s->new_keys, &why);
	if (rc != 0)
		return add_failed(
		    s, STEAL(src), begun ? &head : NULL, &why, err);
	lacking = src->records.n - src->next;
	if (add_source(s, src, err) != 0)
		return ERR_NOMEM;
	src = NULL;
	if (s->opt->progress != NULL)
		atomic_fetch_add(&s->opt->progress->records_total, lacking);
	return 0;
}

/* The ${i}th of what the other side has, if there is no record of it here. */
static bool
is_missing(struct sender *s, size_t i, struct frame_log *out)
{
	bool missing;

	pthread_mutex_lock(&s->mu);
	missing = i < s->nheads;
	if (missing)
		*out = s->heads[i];
	for (size_t k = 0; k < s->nsources && missing; k++)
		missing = memcmp(s->sources[k]->dataset, out->dataset,
			      STORE_DATASET_LEN) != 0;
	pthread_mutex_unlock(&s->mu);
	return missing;
}

/*
 * A dataset that has gone from here, all of it, is not one that is up to date
 * there. Of one that was erased no key set is left.
 */
static int
add_missing(struct sender *s, const struct frame_log *head, struct err *err)
{
	struct source *src;
	struct err why;

	if (!access_has_key_set(s->party->access, head->dataset))
		return 0;
	src = calloc(1, sizeof(*src));
	if (src == NULL)
		return err_nomem(err);
	memcpy(src->dataset, head->dataset, STORE_DATASET_LEN);
	(void)err_set(&why, ERR_USAGE,
	    "the other side has records of it up to %ju, and there are none"
	    " here: see 'varve check'",
	    (uintmax_t)head->seq);
	return add_failed(s, src, head, &why, err);
}

int
compare_datasets(struct sender *s, struct err *err)
{
	int rc = store_list_datasets(s->store, add_dataset, s, err);
	struct frame_log head;
	size_t n;

	pthread_mutex_lock(&s->mu);
	n = s->nheads;
	pthread_mutex_unlock(&s->mu);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (is_missing(s, i, &head))
			rc = add_missing(s, &head, err);
	return rc;
}

void
compare_clear(struct sender *s)
{
	compare_drop(s);
	free(STEAL(s->heads));
	free(STEAL(s->kept));
}
