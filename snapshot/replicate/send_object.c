#include "snapshot/replicate/send_internal.h"

#include <stdlib.h>
#include <string.h>

static int
put(struct sender *s, const struct object_ref *ref, uint64_t size,
    struct err *err)
{
	const struct frame_object object = {.ref = *ref, .size = size};
	WR_AUTO struct wr w = {0};

	frame_put(&object, &w);
	return channel_send(s->channel, FRAME_PUT, &w, err);
}

static void
count_bytes(struct sender *s, size_t n)
{
	pthread_mutex_lock(&s->mu);
	s->result.bytes += n;
	pthread_mutex_unlock(&s->mu);
	if (s->opt->progress != NULL)
		atomic_fetch_add(&s->opt->progress->bytes, n);
}

/*
 * *${ours}: it is the object here that can't be read. The other side is told
 * to forget what it was sent of it.
 */
static int
stream(struct sender *s, const struct object_ref *ref, uint64_t size,
    bool *ours, struct err *err)
{
	uint64_t off = 0;
	int rc = 0;

	*ours = false;
	while (off < size && rc == 0) {
		size_t n =
		    size - off < FRAME_MAX ? (size_t)(size - off) : FRAME_MAX;

		if (send_stopped(s))
			return err_set(err, ERR_CANCELLED, "stopped");
		rc = store_read_at(
		    s->store, ref, off, s->buf + FRAME_HEAD, n, err);
		if (rc != 0) {
			struct err ignored;

			*ours = true;
			if (off == 0)
				return rc;
			(void)!channel_send(
			    s->channel, FRAME_ABORT, NULL, &ignored);
			return rc;
		}
		if (off == 0)
			rc = put(s, ref, size, err);
		if (rc == 0)
			rc = channel_send_data(s->channel, s->buf, n, err);
		if (rc == 0)
			count_bytes(s, n);
		off += n;
	}
	return rc;
}

/* Once only, however many groups need it. */
static int
send_need(
    struct sender *s, const struct need *need, bool *ours, struct err *err)
{
	int rc = name_set_add_object(&s->sent, need->ref.name, err);

	*ours = false;
	if (rc <= 0)
		return rc;
	rc = stream(s, &need->ref, need->size, ours, err);
	if (rc != 0)
		return rc;
	pthread_mutex_lock(&s->mu);
	s->result.objects++;
	pthread_mutex_unlock(&s->mu);
	if (s->opt->progress != NULL)
		atomic_fetch_add(&s->opt->progress->objects, 1);
	return 0;
}

/* What isn't wanted counts as sent, for who looks how far it has come. */
static void
skip_need(struct sender *s, const struct need *need)
{
	if (s->opt->progress != NULL)
		atomic_fetch_sub(&s->opt->progress->bytes_total, need->size);
}

/* Take the answers to all of the group's HAVEs; a bit for each need. */
static int
take_answers(
    struct sender *s, const struct group *g, uint8_t **out, struct err *err)
{
	uint8_t *wanted = calloc(g->n + 1, 1);
	size_t at = 0;
	int rc = 0;

	*out = wanted;
	if (wanted == NULL)
		return err_nomem(err);
	while (at < g->n && rc == 0) {
		struct answer *a = NULL;

		rc = answers_next(s, &a, err);
		if (rc == 0 && a->n > g->n - at)
			rc = err_set(err, ERR_CORRUPT,
			    "a WANT of %zu names answers a HAVE of fewer",
			    a->n);
		for (size_t i = 0; rc == 0 && i < a->n; i++)
			wanted[at++] = a->bits[i / 8] >> (i % 8) & 1;
		free(a);
	}
	return rc;
}

static int
send_needs(struct sender *s, const struct group *g, const uint8_t *wanted,
    struct err *err)
{
	for (size_t i = 0; i < g->n; i++) {
		struct err why;
		bool ours;
		int rc;

		if (!wanted[i] || (g->source && send_failed(s, g->source))) {
			skip_need(s, &g->needs[i]);
			continue;
		}
		rc = send_need(s, &g->needs[i], &ours, &why);
		if (rc != 0 && !ours)
			return err_copy(err, &why);
		if (rc != 0)
			send_problem(s, g->needs[i].ref.dataset, &why);
	}
	return 0;
}

static int
send_records(struct sender *s, const struct group *g, struct err *err)
{
	const struct source *src = g->source;
	struct frame_commit commit = {
	    .first = g->first + 1, .last = g->last + 1};
	WR_AUTO struct wr w = {0};
	int rc = 0;

	for (size_t i = g->first; i <= g->last && rc == 0; i++) {
		const struct object_ref *ref = &src->records.v[i];
		uint64_t size;
		bool ours;

		rc = store_size(s->store, ref, &size, err);
		if (rc == 0)
			rc = stream(s, ref, size, &ours, err);
	}
	if (rc != 0)
		return rc;
	memcpy(commit.dataset, src->dataset, STORE_DATASET_LEN);
	frame_commit(&commit, &w);
	return channel_send(s->channel, FRAME_COMMIT, &w, err);
}

int
send_group(struct sender *s, const struct group *g, struct err *err)
{
	uint8_t *wanted = NULL;
	int rc = take_answers(s, g, &wanted, err);

	if (rc == 0)
		rc = send_needs(s, g, wanted, err);
	free(wanted);
	if (rc == 0 && g->source != NULL && !send_failed(s, g->source))
		rc = send_records(s, g, err);
	return rc;
}
