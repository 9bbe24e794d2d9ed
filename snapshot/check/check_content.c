/* The chunk list of a file: its nodes are read, its chunks only looked up. */
#include "snapshot/check/check_walk.h"
#include "snapshot/content/list.h"

struct node_ref {
	struct chunk_name name;
	uint8_t level;
	uint64_t len; /* of the file, below it */
};

#define LIST_AUTO __attribute__((cleanup(list_clear)))

static int visit_node(struct walk *w, const struct node_ref *ref,
    uint32_t parent, struct err *err);

/* What is below a node; of its children the nodes are at most 7 levels deep. */
static int
visit_items(
    struct walk *w, const struct list_node *node, uint32_t at, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < node->n; i++) {
		const struct list_item *it = &node->items[i];
		struct node_ref child = {.name = it->name,
		    .level = (uint8_t)(node->level - 1),
		    .len = it->end - list_start(node, i)};

		if (node->level > 0)
			rc = visit_node(w, &child, at, err);
		else if (!it->hole)
			rc = batch_want(w, &it->name, child.len, at, err);
	}
	return rc;
}

static int
read_node(struct walk *w, const struct node_ref *ref, struct list_node *node,
    struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};
	int rc = content_chunk(w->chunks, &ref->name, CHUNK_LIST, 0, &ch, err);

	if (rc == 0)
		rc = list_decode(ch.data, ch.len, node, err);
	if (rc == 0 && (node->level != ref->level ||
			   node->items[node->n - 1].end != ref->len))
		rc = err_set(err, ERR_CORRUPT,
		    "node of another level or length than listed");
	return rc;
}

static int
visit_node(struct walk *w, const struct node_ref *ref, uint32_t parent,
    struct err *err)
{
	LIST_AUTO struct list_node node = {0};
	uint64_t claim = mix_number(&w->c->mix, ref->level, ref->len);
	struct err why;
	uint32_t at;
	int rc = check_stopped(w->c, err);

	if (rc == 0)
		rc = walk_meet(w, &ref->name, claim, parent, &at, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return batch_share(w, at, parent, err);
	rc = read_node(w, ref, &node, &why);
	if (rc != 0)
		return walk_fault(w, rc, &ref->name, at, &why, err);
	return visit_items(w, &node, at, err);
}

int
content_visit(struct walk *w, const struct content *c, uint64_t size,
    uint32_t owner, struct err *err)
{
	struct node_ref root = {
	    .name = c->root, .level = c->level, .len = size};
	int rc = 0;

	if (c->form == CONTENT_TREE)
		return visit_node(w, &root, owner, err);
	for (size_t i = 0; rc == 0 && i < c->n; i++)
		if (!c->inl[i].hole)
			rc = batch_want(
			    w, &c->inl[i].name, c->inl[i].len, owner, err);
	return rc;
}
