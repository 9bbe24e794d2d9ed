/* What a record condemns. */
#include "snapshot/prune/prune_internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * What is gone stays in the list for so long, for sites that keep it longer
 * than this store does.
 */
#define LISTED_S ((int64_t)400 * 24 * 3600)

/* --- the newest record -------------------------------------------------- */

static int
read_sentence(const struct prune *p, const struct record *r,
    struct sentence *out, struct err *err)
{
	size_t len;
	int rc = log_record_bytes(p->log, r->head.seq, &out->bytes, &len, err);

	return rc == 0 ? record_peek(out->bytes, len, &out->clear, err) : rc;
}

int
sentence_last(const struct prune *p, struct sentence *out, struct err *err)
{
	const struct record *r = log_prune(p->log);

	return r == NULL ? 0 : read_sentence(p, r, out, err);
}

/*
 * The newest that is so old that what it says is gone need not be said again.
 */
static int
sentence_served(const struct prune *p, struct sentence *out, struct err *err)
{
	int64_t before = access_now(p->access) - LISTED_S;

	for (size_t i = log_records(p->log); i > 0; i--) {
		const struct record *r = log_record(p->log, i - 1);

		if (r->head.type == RECORD_PRUNE && r->head.time < before)
			return read_sentence(p, r, out, err);
	}
	return 0;
}

void
sentence_clear(struct sentence *s)
{
	free(s->bytes);
	memset(s, 0, sizeof(*s));
}

static bool
says_gone(const struct sentence *s, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN])
{
	struct condemned c;

	return s->bytes != NULL &&
	       record_find_condemned(&s->clear, cls, name, &c) && c.gone;
}

/* --- the new one -------------------------------------------------------- */

struct condemning {
	struct prune *p;
	const struct sentence *last;
	struct sentence served;
	struct condemned_list *list;
};

static int
add(struct condemning *c, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], bool gone, struct err *err)
{
	struct condemned_list *list = c->list;

	if (list->n == list->cap) {
		size_t cap = list->cap == 0 ? 256 : 2 * list->cap;
		struct condemned *v = reallocarray(list->v, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		list->v = v;
		list->cap = cap;
	}
	list->v[list->n] = (struct condemned){.cls = cls, .gone = gone};
	memcpy(list->v[list->n++].name, name, OBJECT_NAME_LEN);
	return 0;
}

static int
add_gone(struct condemning *c, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], uint64_t size, struct err *err)
{
	if (!says_gone(c->last, cls, name))
		prune_add(&c->list->gone, size);
	return add(c, cls, name, true, err);
}

static int
add_packs(struct condemning *c, struct err *err)
{
	const struct live *l = &c->p->live;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < l->npacks; i++) {
		const struct live_pack *p = &l->packs[i];

		if (p->fate != LIVE_KEEP)
			rc = add_gone(c, OBJECT_PACK, p->name, p->size, err);
		else if (!p->newest)
			rc = add(c, OBJECT_PACK, p->name, false, err);
	}
	return rc;
}

static int
add_index(
    struct condemning *c, const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	const struct present_object *o = present_find(&c->p->indexes, name);
	uint64_t size = o != NULL ? o->size : 0;

	if (!says_gone(c->last, OBJECT_INDEX, name))
		prune_add(&c->p->out->indexes, size);
	return add_gone(c, OBJECT_INDEX, name, size, err);
}

/*
 * An index that no record names may be that of a running backup; of a dead
 * one's nobody knows, so they wait for a prune that is alone. Each is counted
 * once.
 */
static int
add_indexes(struct condemning *c, struct err *err)
{
	const struct prune *p = c->p;
	size_t n;
	const uint8_t(*now)[OBJECT_NAME_LEN] = log_indexes(p->log, &n);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!names_have(&p->set, now[i]))
			rc = add_index(c, now[i], err);
	for (size_t i = 0; rc == 0 && i < p->were.n; i++)
		if (!names_have(&p->set, p->were.v[i]) &&
		    !log_indexes_have(now, n, p->were.v[i]))
			rc = add_index(c, p->were.v[i], err);
	for (size_t i = 0; rc == 0 && p->alone && i < p->indexes.n; i++) {
		const uint8_t *name = p->indexes.v[i].name;

		if (!names_have(&p->set, name) &&
		    !log_indexes_have(now, n, name) &&
		    !names_have(&p->were, name))
			rc = add_index(c, name, err);
	}
	return rc;
}

/* What a backup has rescued since is gone no more. */
static bool
still_gone(const struct condemning *c, const struct condemned *one)
{
	if (!one->gone || says_gone(&c->served, one->cls, one->name))
		return false;
	return one->cls == OBJECT_INDEX ? !names_have(&c->p->set, one->name)
					: !prune_lists(c->p, one->name);
}

static int
add_before(struct condemning *c, struct err *err)
{
	size_t n = c->last->bytes != NULL ? c->last->clear.ncondemned : 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct condemned one = record_condemned(&c->last->clear, i);

		if (still_gone(c, &one))
			rc = add(c, one.cls, one.name, true, err);
	}
	return rc;
}

static int
compare(const void *a, const void *b)
{
	return record_condemned_compare(a, b);
}

/* In order, and each once. */
static void
put_in_order(struct condemned_list *list)
{
	size_t n = 0;

	if (list->n > 1)
		qsort(list->v, list->n, sizeof(*list->v), compare);
	for (size_t i = 0; i < list->n; i++)
		if (n == 0 || compare(&list->v[n - 1], &list->v[i]) != 0)
			list->v[n++] = list->v[i];
	list->n = n;
}

int
condemn(struct prune *p, const struct sentence *last,
    struct condemned_list *list, struct err *err)
{
	struct condemning c = {.p = p, .last = last, .list = list};
	int rc = sentence_served(p, &c.served, err);

	if (rc == 0)
		rc = add_packs(&c, err);
	if (rc == 0)
		rc = add_indexes(&c, err);
	if (rc == 0)
		rc = add_before(&c, err);
	sentence_clear(&c.served);
	put_in_order(list);
	return rc;
}
