/* What a replica says of itself first: how far it has come (section 5). */
#include "snapshot/replicate/receive_internal.h"

#include <stdlib.h>
#include <string.h>

struct heads_list {
	struct frame_state state;
	size_t cap;
	struct store *store;
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

static int
add_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct heads_list *h = arg;
	struct frame_log *l;
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
	rc = store_list(h->store, OBJECT_LOG, ref->dataset, add_head, h, err);
	if (rc != 0 || l->seq == 0)
		return rc;
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
receive_send_state(const struct party *p, struct channel *c, struct err *err)
{
	struct heads_list h = {.store = access_store(p->access)};
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
