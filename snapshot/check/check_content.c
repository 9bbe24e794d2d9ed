/* The chunk list of a file: its nodes are read, its chunks only looked up. */
#include "snapshot/check/check_walk.h"

#define LIST_AUTO __attribute__((cleanup(list_clear)))

/* What leads to the things at hand: a page or a node. */
struct from {
	struct walk *w;
	uint32_t at;
};

/* A ref_fn. Nodes are at most 7 levels deep. */
static int
visit_ref(void *arg, const struct ref *ref, struct err *err)
{
	const struct from *from = arg;

	return content_visit(from->w, ref, from->at, err);
}

/* All that is said of it; each number goes in after a hash. */
static uint64_t
claim_of(const struct mix *mix, const struct ref *ref)
{
	uint64_t h = mix_number(mix, 0, ref->level);

	h = mix_number(mix, h, ref->len);
	return mix_number(mix, h, ref->holes);
}

static int
visit_node(
    struct walk *w, const struct ref *ref, uint32_t parent, struct err *err)
{
	LIST_AUTO struct list_node node = {0};
	uint64_t claim = claim_of(&w->c->mix, ref);
	struct from from = {.w = w};
	struct err why;
	int rc = walk_stopped(w, err);

	if (rc == 0)
		rc = walk_meet(w, &ref->name, claim, parent, &from.at, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return batch_share(w, from.at, parent, err);
	rc = ref_list(w->chunks, ref, &node, &why);
	if (rc != 0)
		return walk_fault(w, rc, &ref->name, from.at, &why, err);
	return list_refs(&node, visit_ref, &from, err);
}

int
content_visit(
    struct walk *w, const struct ref *ref, uint32_t owner, struct err *err)
{
	if (ref->kind == REF_LIST)
		return visit_node(w, ref, owner, err);
	return batch_want(w, &ref->name, ref->len, owner, err);
}
