#include "snapshot/content/index_internal.h"

#include <stdlib.h>

size_t
index_entries(const struct index *ix)
{
	return (size_t)ix->sum.entries;
}

const struct object_ref *
index_ref(const struct index *ix)
{
	return &ix->ref;
}

const struct index_summary *
index_get_summary(const struct index *ix)
{
	return &ix->sum;
}

/* --- pages -------------------------------------------------------------- */

int
index_read_page(struct index *ix, size_t page, uint8_t *buf, struct err *err)
{
	size_t len = index_page_entries(&ix->sum, page) * INDEX_ENTRY_LEN;
	int rc = index_read_sealed(ix, page, index_page_offset(ix, page), buf,
	    len + AEAD_TAG_LEN, err);

	if (rc == 0)
		rc = index_page_check(&ix->sum, page, buf, len, err);
	if (rc != 0) {
		(void)err_wrap(err, "page %zu", page);
		return index_name_failure(ix, rc, err);
	}
	return 0;
}

int
index_read_segments(
    struct index *ix, size_t page, uint8_t *buf, struct err *err)
{
	size_t len = index_page_segments(&ix->sum, page) * INDEX_SEGMENT_LEN;
	int rc = index_read_sealed(ix, INDEX_SEGMENTS_COUNTER + page,
	    index_segments_offset(ix, page), buf, len + AEAD_TAG_LEN, err);

	if (rc != 0) {
		(void)err_wrap(err, "segments, page %zu", page);
		return index_name_failure(ix, rc, err);
	}
	return 0;
}

int
index_misplaced(const struct index *ix, size_t segment, struct err *err)
{
	int rc = err_set(err, ERR_CORRUPT, "segment %zu is misplaced", segment);

	return index_name_failure(ix, rc, err);
}

/* Its pages pass by without displacing others from memory. */
int
index_each_page(
    struct index *ix, index_page_fn *visit, void *arg, struct err *err)
{
	uint8_t *buf = malloc(INDEX_PAGE_LEN + AEAD_TAG_LEN);
	int rc = 0;

	if (buf == NULL)
		return err_nomem(err);
	for (size_t page = 0; rc == 0 && page < ix->sum.npages; page++) {
		rc = index_read_page(ix, page, buf, err);
		if (rc == 0)
			rc = visit(arg, &ix->sum, buf,
			    index_page_entries(&ix->sum, page), err);
	}
	free(buf);
	return rc;
}

/* --- looking up --------------------------------------------------------- */

static int
find_in_page(struct index *ix, size_t page, const struct chunk_name *name,
    struct index_hit *hit, bool *found, struct err *err)
{
	int known = index_pages_find(ix->pages, &ix->homes[page], name, hit);
	struct index_page *p;
	int rc;

	*found = known == 1;
	if (known >= 0)
		return 0;
	p = malloc(sizeof(*p));
	if (p == NULL)
		return err_nomem(err);
	rc = index_read_page(ix, page, p->bytes, err);
	if (rc != 0) {
		free(p);
		return rc;
	}
	p->n = index_page_entries(&ix->sum, page);
	*found = index_page_find(p->bytes, p->n, name, hit);
	index_pages_keep(ix->pages, &ix->homes[page], p);
	return 0;
}

/* ${hit}'s number is the one in the whole index. */
static int
find_entry(struct index *ix, const struct chunk_name *name,
    struct index_hit *hit, bool *found, struct err *err)
{
	const struct index_summary *s = &ix->sum;
	uint64_t prefix = index_prefix(name);
	int rc = 0;

	*found = false;
	for (size_t page = index_page_of(s, name);
	     rc == 0 && !*found && page < s->npages &&
	     s->firsts[page] <= prefix;
	     page++) {
		rc = find_in_page(ix, page, name, hit, found, err);
		hit->at += page * INDEX_PAGE_ENTRIES;
	}
	return rc;
}

static int
get_segment(struct index *ix, uint32_t segment, struct index_segment *seg,
    struct err *err)
{
	size_t page = segment / INDEX_PAGE_SEGMENTS;
	size_t i = segment % INDEX_PAGE_SEGMENTS;
	struct index_page **home = &ix->homes[ix->sum.npages + page];
	struct index_page *p;
	int rc;

	if (index_pages_segment(ix->pages, home, i, seg))
		return 0;
	p = malloc(sizeof(*p));
	if (p == NULL)
		return err_nomem(err);
	rc = index_read_segments(ix, page, p->bytes, err);
	if (rc != 0) {
		free(p);
		return rc;
	}
	p->n = index_page_segments(&ix->sum, page);
	*seg = index_page_segment(p->bytes, i);
	index_pages_keep(ix->pages, home, p);
	return 0;
}

int
index_lookup(struct index *ix, const struct chunk_name *name,
    struct chunk_place *place, bool *found, struct err *err)
{
	struct index_hit hit = {0};
	struct index_segment seg;
	int rc = find_entry(ix, name, &hit, found, err);

	if (rc != 0 || !*found)
		return rc;
	rc = get_segment(ix, hit.segment, &seg, err);
	if (rc != 0)
		return rc;
	if (!index_segment_ok(&ix->sum, hit.segment, &seg))
		return index_misplaced(ix, hit.segment, err);
	index_summary_place(&ix->sum, hit.segment, &seg, place);
	return 0;
}

int
index_spot(struct index *ix, const struct chunk_name *name,
    struct index_spot *spot, bool *found, struct err *err)
{
	struct index_hit hit = {0};
	int rc = find_entry(ix, name, &hit, found, err);

	if (rc == 0 && *found)
		*spot = index_spot_of(&ix->sum, hit.at, hit.segment);
	return rc;
}

int
index_find(struct index *ix, const struct chunk_name *name,
    struct chunk_place *place, struct err *err)
{
	bool found;
	int rc = index_lookup(ix, name, place, &found, err);

	if (rc == 0 && !found) {
		rc = err_set(err, ERR_NOT_FOUND, "chunk is not listed");
		return index_name_failure(ix, rc, err);
	}
	return rc;
}
