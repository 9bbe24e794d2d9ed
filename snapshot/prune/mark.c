#include "snapshot/prune/mark.h"

#include "snapshot/tree/page.h"

#include <stdlib.h>
#include <string.h>

/* Segments of trees and lists that are kept open, and pages of indexes. */
#define CACHE_LEN ((size_t)32 << 20)
/*
 * Names are as good as random: looked up one at a time, each would open a page
 * of an index. So many are gathered, and looked up in order.
 */
#define BATCH_MAX ((size_t)256 << 10)
/* Snapshots lead to the same chunks again and again: a power of two. */
#define RECENT ((size_t)64 << 10)

int
mark_init(struct mark *m, struct live *live, const struct prune_options *opt,
    struct err *err)
{
	int rc;

	m->live = live;
	m->opt = opt;
	m->batch = calloc(BATCH_MAX, sizeof(*m->batch));
	m->recent = calloc(RECENT, sizeof(*m->recent));
	if (m->batch == NULL || m->recent == NULL)
		return err_nomem(err);
	rc = segcache_new(CACHE_LEN, &m->cache, err);
	if (rc == 0)
		rc = chunks_new(
		    live->store, m->cache, live->kr, &m->chunks, err);
	return rc;
}

void
mark_clear(struct mark *m)
{
	chunks_free(m->chunks);
	segcache_free(m->cache);
	name_set_clear(&m->later);
	free(m->stack);
	free(m->batch);
	free(m->recent);
	memset(m, 0, sizeof(*m));
}

int
mark_indexes(struct mark *m, const uint8_t (*names)[OBJECT_NAME_LEN], size_t n,
    struct err *err)
{
	return chunks_set_indexes(m->chunks, names, n, err);
}

/* --- one chunk ---------------------------------------------------------- */

/*
 * What was decided stands, but for packs: one that was to go, and in which
 * something is needed that was not before, is taken back.
 */
static int
take_back(struct mark *m, const struct chunk_name *name, struct err *err)
{
	int n = live_places(m->live, name, err);

	for (int i = 0; i < n; i++) {
		const struct live_spot *at = &m->live->spots[i];
		struct live_pack *p = &m->live->packs[at->pack];

		if (p->fate != LIVE_KEEP &&
		    live_bit(m->live, at->index, at->entry)) {
			p->fate = LIVE_KEEP;
			p->back = true;
		}
	}
	return n < 0 ? n : 1;
}

static int
mark_late(struct mark *m, const struct chunk_name *name, struct err *err)
{
	struct err why;
	int rc = live_anywhere(m->live, name, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = live_mark(m->live, name, true, &why);
	if (rc == 1)
		return take_back(m, name, err);
	if (rc != ERR_NOT_FOUND)
		return rc < 0 ? err_copy(err, &why) : rc;
	/* A run since has stored it: its pack is none of those to go. */
	return name_set_add(&m->later, name, err);
}

/* 1 it is live from now on, 0 it was before. */
static int
mark_chunk(struct mark *m, const struct chunk_name *name, struct err *err)
{
	int rc = m->late ? mark_late(m, name, err)
			 : live_mark(m->live, name, m->newest, err);

	if (rc == 1 && m->opt->progress != NULL)
		m->opt->progress->chunks++;
	return rc;
}

/* --- chunks of files ---------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct chunk_name));
}

/*
 * A file's chunk that no index lists is lost already, and nothing that goes can
 * bring it back.
 */
static int
flush(struct mark *m, struct err *err)
{
	int rc = 0;

	if (m->nbatch > 1)
		qsort(m->batch, m->nbatch, sizeof(*m->batch), compare);
	for (size_t i = 0; rc >= 0 && i < m->nbatch; i++) {
		struct err why = {0};

		if (i > 0 && compare(&m->batch[i], &m->batch[i - 1]) == 0)
			continue;
		rc = mark_chunk(m, &m->batch[i], &why);
		if (rc == ERR_NOT_FOUND) {
			m->live->lost++;
			m->live->unlisted++;
			rc = 0;
		}
		if (rc < 0)
			(void)err_copy(err, &why);
	}
	m->nbatch = 0;
	return rc < 0 ? rc : 0;
}

static struct chunk_name *
recent_of(const struct mark *m, const struct chunk_name *name)
{
	struct rd r = rd_init(name->b, sizeof(name->b));

	return &m->recent[rd_u64(&r) & (RECENT - 1)];
}

static int
want(struct mark *m, const struct chunk_name *name, struct err *err)
{
	struct chunk_name *recent = recent_of(m, name);

	if (compare(recent, name) == 0)
		return 0;
	*recent = *name;
	m->batch[m->nbatch++] = *name;
	return m->nbatch == BATCH_MAX ? flush(m, err) : 0;
}

/* --- pages and nodes ---------------------------------------------------- */

static int
push(struct mark *m, const struct ref *ref, struct err *err)
{
	if (m->nstack == m->stack_cap) {
		size_t cap = m->stack_cap == 0 ? 256 : 2 * m->stack_cap;
		struct ref *v = reallocarray(m->stack, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		m->stack = v;
		m->stack_cap = cap;
	}
	m->stack[m->nstack++] = *ref;
	return 0;
}

/* A ref_fn. */
static int
visit(void *arg, const struct ref *ref, struct err *err)
{
	struct mark *m = arg;

	return ref->kind == REF_DATA ? want(m, &ref->name, err)
				     : push(m, ref, err);
}

static int
visit_entry(struct mark *m, struct span raw, struct err *err)
{
	struct entry e;
	int rc = entry_decode(raw.p, raw.len, &e, err);

	return rc == 0 ? entry_refs(&e, visit, m, err) : rc;
}

static int
read_page(struct mark *m, const struct ref *ref, struct err *err)
{
	struct page_ref at = {
	    .name = ref->name, .level = ref->level, .entries = ref->len};
	CHUNK_AUTO struct chunk ch = {0};
	struct page_item item;
	struct page p;
	int rc = page_open(m->chunks, &at, &ch, &p, err);

	if (rc != 0)
		return rc;
	while ((rc = page_next(&p, &item, err)) > 0) {
		struct ref child = {.kind = REF_PAGE,
		    .name = item.child.name,
		    .level = item.child.level,
		    .len = item.child.entries};

		if (p.level > 0)
			rc = push(m, &child, err);
		else
			rc = visit_entry(m, item.entry, err);
		if (rc != 0)
			return rc;
	}
	return rc;
}

static int
read_node(struct mark *m, const struct ref *ref, struct err *err)
{
	struct list_node node = {0};
	int rc = ref_list(m->chunks, ref, &node, err);

	if (rc == 0)
		rc = list_refs(&node, visit, m, err);
	list_clear(&node);
	return rc;
}

static int
step(struct mark *m, struct err *err)
{
	struct ref ref = m->stack[--m->nstack];
	int rc = mark_chunk(m, &ref.name, err);

	if (m->opt->stop != NULL && atomic_load(m->opt->stop))
		return err_set(err, ERR_CANCELLED, "stopped");
	if (rc <= 0)
		return rc;
	return ref.kind == REF_PAGE ? read_page(m, &ref, err)
				    : read_node(m, &ref, err);
}

/* --- snapshots ---------------------------------------------------------- */

static int
walk(struct mark *m, const struct snapshot *snap, struct err *err)
{
	struct span root = {snap->root, snap->root_len};
	int rc = visit_entry(m, root, err);

	if (rc == 0)
		rc = content_refs(
		    &snap->problems, snap->problems_size, visit, m, err);
	while (rc == 0 && m->nstack > 0)
		rc = step(m, err);
	/* What only the newest needs is told apart by when it is marked. */
	if (rc == 0 && (m->newest || m->late))
		rc = flush(m, err);
	return rc;
}

int
mark_snapshot(
    struct mark *m, const struct snapshot *snap, bool newest, struct err *err)
{
	struct err why = {0};
	int rc;

	m->newest = newest;
	m->nstack = 0;
	rc = walk(m, snap, &why);
	if (m->opt->progress != NULL)
		m->opt->progress->snapshots++;
	if (rc == 0)
		return 0;
	(void)err_copy(err, &why);
	if (rc == ERR_NOT_FOUND) {
		rc = ERR_CORRUPT;
		if (err != NULL)
			err->code = rc;
	}
	if (rc == ERR_CANCELLED)
		return rc;
	(void)err_wrap(err,
	    "cannot find out what record %ju of the log needs (see 'varve "
	    "check')",
	    (uintmax_t)snap->seq);
	return rc;
}

int
mark_finish(struct mark *m, struct err *err)
{
	return flush(m, err);
}
