/* What a replica says of itself first: how far it has come (section 5). */
#include "snapshot/replicate/receive_internal.h"

#include <stdlib.h>
#include <string.h>

struct heads_list {
	struct frame_state state;
	size_t cap;
	struct store *store;
	struct receiver *receiver; /* may be NULL */
};

static int
add_head(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED struct err *err)
{
	struct heads_list *h = arg;
	struct frame_log *l = &h->state.logs[h->state.n];

	l->seq = ref->seq;
	memcpy(l->head, ref->name, OBJECT_NAME_LEN);
	return 0;
}

/* A record that is itself damaged is not whole, either. */
static int
look_whole(struct store *s, struct frame_log *l, struct err *err)
{
	struct log_tail t = {.seq = l->seq};
	struct err why;
	int rc;

	memcpy(t.dataset, l->dataset, STORE_DATASET_LEN);
	memcpy(t.head, l->head, OBJECT_NAME_LEN);
	rc = log_tail_look(s, &t, &why);
	l->whole = rc == 0 && t.whole;
	log_tail_clear(&t);
	return rc == ERR_NOMEM || rc == ERR_BUG ? err_copy(err, &why) : 0;
}

const struct err *
receive_unusable(
    const struct receiver *r, const uint8_t dataset[STORE_DATASET_LEN])
{
	for (size_t i = 0; i < r->nunusable; i++)
		if (memcmp(r->unusable[i].dataset, dataset,
			STORE_DATASET_LEN) == 0)
			return &r->unusable[i].why;
	return NULL;
}

/* Nobody is kept from the others. */
static int
pass_over(struct receiver *r, const uint8_t dataset[STORE_DATASET_LEN],
    struct err *why, struct err *err)
{
	struct unusable *v;

	if (r == NULL || why->code == ERR_NOMEM || why->code == ERR_BUG)
		return err_copy(err, why);
	v = reallocarray(r->unusable, r->nunusable + 1, sizeof(*v));
	if (v == NULL)
		return err_nomem(err);
	(void)err_wrap(why,
	    "this site takes nothing of a dataset whose log it can't list:"
	    " move away what is in its place there, and replicate again");
	r->unusable = v;
	v = &v[r->nunusable++];
	memcpy(v->dataset, dataset, STORE_DATASET_LEN);
	v->why = *why;
	receive_note(r, NULL, why);
	return 0;
}

static int
add_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct heads_list *h = arg;
	struct frame_log *l;
	struct err why;
	int rc;

	if (h->state.n == h->cap) {
		h->cap = h->cap == 0 ? 16 : 2 * h->cap;
		l = reallocarray(h->state.logs, h->cap, sizeof(*l));
		if (l == NULL)
			return err_nomem(err);
		h->state.logs = l;
	}
	l = &h->state.logs[h->state.n];
	memset(l, 0, sizeof(*l));
	memcpy(l->dataset, ref->dataset, STORE_DATASET_LEN);
	rc = store_list(h->store, OBJECT_LOG, ref->dataset, add_head, h, &why);
	if (rc != 0)
		return pass_over(h->receiver, ref->dataset, &why, err);
	if (l->seq == 0)
		return 0;
	h->state.n++;
	return look_whole(h->store, l, err);
}

static int
send_states(struct channel *c, struct frame_state *all, struct err *err)
{
	struct frame_state part = *all;
	int rc = 0;

	do {
		WR_AUTO struct wr w = {0};

		part.n = all->n > FRAME_HEADS_MAX ? FRAME_HEADS_MAX : all->n;
		part.logs = all->logs;
		all->n -= part.n;
		all->logs += part.n;
		part.more = all->n > 0;
		frame_state(&part, &w);
		rc = channel_send(c, FRAME_STATE, &w, err);
	} while (rc == 0 && all->n > 0);
	return rc;
}

int
receive_send_state(const struct party *p, struct channel *c, struct receiver *r,
    struct err *err)
{
	struct heads_list h = {.store = access_store(p->access), .receiver = r};
	struct frame_state all;
	int rc = access_keys_hash(p->access, h.state.keys, err);

	if (rc == 0)
		rc = store_list_datasets(h.store, add_dataset, &h, err);
	all = h.state;
	if (rc == 0)
		rc = send_states(c, &all, err);
	free(h.state.logs);
	return rc;
}
