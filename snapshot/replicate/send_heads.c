/* How far the other side has come, by what it says of it. */
#include "snapshot/replicate/send_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- looking ------------------------------------------------------------ */

/* mu is held. */
static struct source *
find_source(struct sender *s, const uint8_t dataset[STORE_DATASET_LEN])
{
	for (size_t i = 0; i < s->nsources; i++) {
		if (memcmp(s->sources[i]->dataset, dataset,
			STORE_DATASET_LEN) == 0)
			return s->sources[i];
	}
	return NULL;
}

/* mu is held. */
static struct frame_log *
find_log(
    struct frame_log *v, size_t n, const uint8_t dataset[STORE_DATASET_LEN])
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(v[i].dataset, dataset, STORE_DATASET_LEN) == 0)
			return &v[i];
	return NULL;
}

bool
heads_find(struct sender *s, const struct source *src, struct frame_log *out)
{
	const struct frame_log *head;

	pthread_mutex_lock(&s->mu);
	head = find_log(s->kept, s->nkept, src->dataset);
	if (head == NULL || head->seq == 0)
		head = find_log(s->heads, s->nheads, src->dataset);
	if (head != NULL)
		*out = *head;
	pthread_mutex_unlock(&s->mu);
	return head != NULL;
}

/* --- setting ------------------------------------------------------------ */

/* mu is held. *${before}: what it was. */
static int
set_log(struct frame_log **v, size_t *n,
    const uint8_t dataset[STORE_DATASET_LEN], uint64_t seq,
    const uint8_t name[OBJECT_NAME_LEN], uint64_t *before, struct err *err)
{
	struct frame_log *h = find_log(*v, *n, dataset);

	if (h == NULL) {
		h = reallocarray(*v, *n + 1, sizeof(**v));
		if (h == NULL)
			return err_nomem(err);
		*v = h;
		h = &h[(*n)++];
		memset(h, 0, sizeof(*h));
		memcpy(h->dataset, dataset, STORE_DATASET_LEN);
	}
	*before = h->seq;
	h->seq = seq;
	memcpy(h->head, name, OBJECT_NAME_LEN);
	h->whole = true;
	return 0;
}

/*
 * That it speaks of what was sent. mu is held. *${of_none}: it is of a log that
 * nothing is sent of, and says nothing of the one here.
 */
static int
check_ours(struct sender *s, const uint8_t dataset[STORE_DATASET_LEN],
    uint64_t seq, const uint8_t name[OBJECT_NAME_LEN], bool *of_none,
    struct err *err)
{
	const struct source *src = find_source(s, dataset);

	*of_none = src == NULL || src->failed;
	if (*of_none || (seq >= 1 && seq <= src->records.n &&
			    memcmp(src->records.v[seq - 1].name, name,
				OBJECT_NAME_LEN) == 0))
		return 0;
	return err_set(
	    err, ERR_CORRUPT, "a receipt came for what was not sent");
}

/* --- RECEIPT ------------------------------------------------------------ */

/* mu is held. Whatever was kept without one is past. */
static int
take_receipt(struct sender *s, const struct receipt *r, struct err *err)
{
	struct frame_log *kept = find_log(s->kept, s->nkept, r->dataset);
	uint64_t before;
	int rc = set_log(
	    &s->heads, &s->nheads, r->dataset, r->seq, r->head, &before, err);

	if (kept != NULL)
		kept->seq = 0;
	if (rc != 0 || r->seq <= before)
		return rc;
	s->result.records += r->seq - before;
	if (s->opt->progress != NULL)
		atomic_fetch_add(&s->opt->progress->records, r->seq - before);
	return 0;
}

int
heads_receipt(struct sender *s, const struct frame *f, struct err *err)
{
	struct receipt r;
	bool of_none = true;
	int rc = receipt_decode(f->body, f->len, &s->receiver, &r, err);

	if (rc != 0)
		return rc;
	pthread_mutex_lock(&s->mu);
	rc = check_ours(s, r.dataset, r.seq, r.head, &of_none, err);
	if (rc == 0 && !of_none &&
	    memcmp(r.store, access_root(s->party->access)->store,
		STORE_ID_LEN) != 0)
		rc = err_set(
		    err, ERR_CORRUPT, "a receipt came for another store");
	if (rc == 0 && !of_none)
		rc = take_receipt(s, &r, err);
	pthread_mutex_unlock(&s->mu);
	if (rc == 0 && !of_none && s->opt->on_receipt != NULL)
		rc = s->opt->on_receipt(s->opt->arg, f->body, &r, err);
	return rc;
}

/* --- GAP ---------------------------------------------------------------- */

/* What it has it keeps, so it isn't sent again; but it counts for nothing. */
int
heads_gap(struct sender *s, const struct frame *f, struct err *err)
{
	struct frame_gap gap;
	struct err why;
	uint64_t before = 0;
	bool of_none = true;
	int rc = frame_parse_gap(f->body, f->len, &gap, err);

	if (rc != 0)
		return rc;
	pthread_mutex_lock(&s->mu);
	rc = check_ours(
	    s, gap.ref.dataset, gap.ref.seq, gap.ref.name, &of_none, err);
	if (rc == 0 && !of_none)
		rc = set_log(&s->kept, &s->nkept, gap.ref.dataset, gap.ref.seq,
		    gap.ref.name, &before, err);
	pthread_mutex_unlock(&s->mu);
	if (rc != 0 || of_none || before != 0)
		return rc;
	(void)err_set(&why, ERR_CORRUPT,
	    "%s keeps what it is sent, but gives no receipt while record %ju of"
	    " this log is missing there: 'varve repair' there fetches it",
	    channel_peer(s->channel), (uintmax_t)gap.missing);
	send_tell(s, gap.ref.dataset, &why);
	return 0;
}
