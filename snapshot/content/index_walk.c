#include "snapshot/content/index_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- segments ----------------------------------------------------------- */

/* All segments in order, page by page. */
struct segments {
	struct index *ix;
	size_t next;
	uint64_t end; /* of the last one */
	uint8_t page[INDEX_SEGMENTS_LEN + AEAD_TAG_LEN];
};

/* The next, of pack ${p}: where the one before it ends. */
static int
next_segment(struct segments *it, const struct index_pack *p,
    struct index_segment *seg, struct err *err)
{
	size_t i = it->next % INDEX_PAGE_SEGMENTS;
	int rc = 0;

	if (i == 0)
		rc = index_read_segments(
		    it->ix, it->next / INDEX_PAGE_SEGMENTS, it->page, err);
	if (rc != 0)
		return rc;
	*seg = index_page_segment(it->page, i);
	if (!index_segment_ok(&it->ix->sum, (uint32_t)it->next, seg) ||
	    (it->next != p->first && seg->offset != it->end))
		return index_misplaced(it->ix, it->next, err);
	it->end = (uint64_t)seg->offset + seg->sealed_len;
	it->next++;
	return 0;
}

/* --- packs -------------------------------------------------------------- */

static int
visit_pack(struct segments *it, const struct index_pack *p,
    struct segment_place *places, index_pack_fn *visit, void *arg,
    struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_PACK};

	memcpy(ref.dataset, it->ix->ref.dataset, sizeof(ref.dataset));
	memcpy(ref.name, p->name, sizeof(ref.name));
	for (uint32_t i = 0; i < p->n; i++) {
		struct index_segment seg;
		int rc = next_segment(it, p, &seg, err);

		if (rc != 0)
			return rc;
		places[i].number = i;
		places[i].offset = seg.offset;
		places[i].sealed_len = seg.sealed_len;
	}
	return visit(arg, &ref, p->size, p->kind, places, p->n, err);
}

int
index_each_pack(
    struct index *ix, index_pack_fn *visit, void *arg, struct err *err)
{
	const struct index_summary *s = &ix->sum;
	struct segments it = {.ix = ix};
	struct segment_place *places;
	size_t most = 0;
	int rc = 0;

	for (size_t i = 0; i < s->npacks; i++)
		if (s->packs[i].n > most)
			most = s->packs[i].n;
	places = calloc(most, sizeof(*places));
	if (places == NULL)
		return err_nomem(err);
	for (size_t i = 0; rc == 0 && i < s->npacks; i++)
		rc = visit_pack(&it, &s->packs[i], places, visit, arg, err);
	free(places);
	return rc;
}

/* --- entries ------------------------------------------------------------ */

struct each {
	const struct index_segment *segments;
	index_visit_fn *visit;
	void *arg;
	struct chunk_name last;
	bool begun;
};

/* Within a page they are in order; from page to page only they can tell. */
static int
visit_entry(struct each *each, const struct index_summary *s,
    const struct index_entry *e, struct err *err)
{
	struct chunk_place place;

	if (each->begun && memcmp(&each->last, &e->name, sizeof(e->name)) >= 0)
		return err_set(err, ERR_CORRUPT, "names are out of order");
	each->begun = true;
	each->last = e->name;
	index_summary_place(s, e->segment, &each->segments[e->segment], &place);
	return each->visit(each->arg, &e->name, &place, err);
}

static int
visit_page(void *arg, const struct index_summary *s, const uint8_t *page,
    size_t n, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct index_entry e = index_page_entry(page, i);

		rc = visit_entry(arg, s, &e, err);
	}
	return rc;
}

static int
load_segments(struct index *ix, struct index_segment *out, struct err *err)
{
	const struct index_summary *s = &ix->sum;
	struct segments it = {.ix = ix};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->npacks; i++)
		for (uint32_t k = 0; rc == 0 && k < s->packs[i].n; k++)
			rc =
			    next_segment(&it, &s->packs[i], &out[it.next], err);
	return rc;
}

int
index_each(struct index *ix, index_visit_fn *visit, void *arg, struct err *err)
{
	struct each each = {.visit = visit, .arg = arg};
	struct index_segment *segments =
	    calloc(ix->sum.nsegments, sizeof(*segments));
	int rc;

	if (segments == NULL)
		return err_nomem(err);
	each.segments = segments;
	rc = load_segments(ix, segments, err);
	if (rc == 0)
		rc = index_each_page(ix, visit_page, &each, err);
	free(segments);
	return rc;
}

/* --- spots -------------------------------------------------------------- */

struct index_spot
index_spot_of(const struct index_summary *s, size_t entry, uint32_t segment)
{
	const struct index_pack *p = index_segment_pack(s, segment);

	return (struct index_spot){.entry = entry,
	    .pack = (uint32_t)(p - s->packs),
	    .segment = segment - p->first};
}

struct each_spot {
	size_t next;
	index_spot_fn *visit;
	void *arg;
};

static int
visit_spots(void *arg, const struct index_summary *s, const uint8_t *page,
    size_t n, struct err *err)
{
	struct each_spot *each = arg;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct index_entry e = index_page_entry(page, i);
		struct index_spot spot =
		    index_spot_of(s, each->next++, e.segment);

		rc = each->visit(each->arg, &e.name, &spot, err);
	}
	return rc;
}

int
index_each_spot(
    struct index *ix, index_spot_fn *visit, void *arg, struct err *err)
{
	struct each_spot each = {.visit = visit, .arg = arg};

	return index_each_page(ix, visit_spots, &each, err);
}

size_t
index_packs(const struct index *ix)
{
	return ix->sum.npacks;
}

/* --- merging ------------------------------------------------------------ */

struct merge {
	struct index_builder *b;
	uint32_t *numbers; /* the builder's, of each of the index's packs */
	size_t npacks;
};

static int
merge_pack(void *arg, const struct object_ref *ref, uint64_t size,
    enum pack_kind kind, const struct segment_place *places, size_t n,
    struct err *err)
{
	struct merge *m = arg;

	return index_builder_pack(
	    m->b, ref, size, kind, places, n, &m->numbers[m->npacks++], err);
}

static int
merge_spot(void *arg, const struct chunk_name *name,
    const struct index_spot *spot, struct err *err)
{
	const struct merge *m = arg;

	return index_builder_chunk(
	    m->b, name, m->numbers[spot->pack], spot->segment, err);
}

int
index_merge(struct index *ix, struct index_builder *b, struct err *err)
{
	struct merge m = {.b = b};
	int rc;

	m.numbers = calloc(index_packs(ix), sizeof(*m.numbers));
	if (m.numbers == NULL)
		return err_nomem(err);
	rc = index_each_pack(ix, merge_pack, &m, err);
	if (rc == 0)
		rc = index_each_spot(ix, merge_spot, &m, err);
	free(m.numbers);
	return rc;
}
