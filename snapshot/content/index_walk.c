#include "snapshot/content/index_pages.h"

#include <stdlib.h>
#include <string.h>

/* --- entries ------------------------------------------------------------ */

struct each {
	index_visit_fn *visit;
	void *arg;
};

static int
visit_page(void *arg, const struct index_summary *s, const uint8_t *page,
    size_t n, struct err *err)
{
	const struct each *each = arg;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct index_entry e = index_page_entry(page, i);
		struct chunk_place place;

		index_summary_place(s, e.segment, &place);
		rc = each->visit(each->arg, &e.name, &place, err);
	}
	return rc;
}

int
index_each(struct index *ix, index_visit_fn *visit, void *arg, struct err *err)
{
	struct each each = {.visit = visit, .arg = arg};

	return index_each_page(ix, visit_page, &each, err);
}

/* --- packs -------------------------------------------------------------- */

static int
visit_pack(const struct index *ix, size_t pack, struct segment_place *places,
    index_pack_fn *visit, void *arg, struct err *err)
{
	const struct index_summary *s = index_get_summary(ix);
	const struct index_pack *p = &s->packs[pack];
	struct object_ref ref = {.cls = OBJECT_PACK};

	memcpy(ref.dataset, index_ref(ix)->dataset, sizeof(ref.dataset));
	memcpy(ref.name, p->name, sizeof(ref.name));
	for (uint32_t i = 0; i < p->n; i++) {
		const struct index_segment *seg = &s->segments[p->first + i];

		places[i].number = i;
		places[i].offset = seg->offset;
		places[i].sealed_len = seg->sealed_len;
	}
	return visit(arg, &ref, p->size, p->kind, places, p->n, err);
}

int
index_each_pack(
    struct index *ix, index_pack_fn *visit, void *arg, struct err *err)
{
	const struct index_summary *s = index_get_summary(ix);
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
		rc = visit_pack(ix, i, places, visit, arg, err);
	free(places);
	return rc;
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
merge_page(void *arg, const struct index_summary *s, const uint8_t *page,
    size_t n, struct err *err)
{
	const struct merge *m = arg;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct index_entry e = index_page_entry(page, i);
		uint32_t pack = s->segments[e.segment].pack;

		rc = index_builder_chunk(m->b, &e.name, m->numbers[pack],
		    e.segment - s->packs[pack].first, err);
	}
	return rc;
}

int
index_merge(struct index *ix, struct index_builder *b, struct err *err)
{
	struct merge m = {.b = b};
	int rc;

	m.numbers = calloc(index_get_summary(ix)->npacks, sizeof(*m.numbers));
	if (m.numbers == NULL)
		return err_nomem(err);
	rc = index_each_pack(ix, merge_pack, &m, err);
	if (rc == 0)
		rc = index_each_page(ix, merge_page, &m, err);
	free(m.numbers);
	return rc;
}
