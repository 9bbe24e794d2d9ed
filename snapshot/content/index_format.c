#include "snapshot/content/index_format.h"
#include "crypto/object.h"
#include "snapshot/content/pack_format.h"

#include <stdlib.h>
#include <string.h>

/* What an item takes at least, to bound counts. */
#define PACK_MIN (OBJECT_NAME_LEN + 1 + 1)
#define SEGMENT_MIN 4

/* --- head --------------------------------------------------------------- */

void
index_head_encode(const struct index_head *h, struct wr *w)
{
	object_head_write(w, 'i');
	wr_bytes(w, h->dataset, DATASET_ID_LEN);
	wr_u32(w, h->epoch);
	wr_u32(w, 0);
}

int
index_head_decode(
    const uint8_t buf[INDEX_HEAD_LEN], struct index_head *out, struct err *err)
{
	struct rd r = rd_init(buf, INDEX_HEAD_LEN);
	uint32_t reserved;
	int rc = object_head_read(&r, 'i', "index", err);

	if (rc != 0)
		return rc;
	rd_copy(&r, out->dataset, DATASET_ID_LEN);
	out->epoch = rd_u32(&r);
	reserved = rd_u32(&r);
	if (!rd_done(&r) || reserved != 0)
		return err_set(err, ERR_CORRUPT, "reserved bytes are in use");
	return 0;
}

void
index_ad(const uint8_t head[INDEX_HEAD_LEN], uint64_t counter,
    uint8_t out[INDEX_AD_LEN])
{
	memcpy(out, head, INDEX_HEAD_LEN);
	frame_le(out + INDEX_HEAD_LEN, counter, 8);
}

/* --- summary ------------------------------------------------------------ */

void
index_summary_encode(const struct index_summary *s, struct wr *w)
{
	wr_varint(w, s->entries);
	for (size_t i = 0; i < s->npages; i++)
		wr_bytes(w, s->firsts[i].b, CHUNK_NAME_LEN);
	wr_varint(w, s->npacks);
	for (size_t i = 0; i < s->npacks; i++) {
		wr_bytes(w, s->packs[i].name, OBJECT_NAME_LEN);
		wr_u8(w, (uint8_t)s->packs[i].kind);
		wr_varint(w, s->packs[i].size);
	}
	wr_varint(w, s->nsegments);
	for (size_t i = 0; i < s->nsegments; i++) {
		wr_varint(w, s->segments[i].pack);
		wr_varint(w, s->segments[i].offset);
		wr_varint(w, s->segments[i].sealed_len);
	}
}

static int
decode_firsts(struct rd *r, struct index_summary *s, struct err *err)
{
	uint64_t n = rd_varint(r);

	if (r->failed || n < 1 || n > INDEX_ENTRIES_MAX)
		return err_set(err, ERR_CORRUPT, "bad number of entries");
	s->entries = (size_t)n;
	s->npages = (s->entries + INDEX_PAGE_ENTRIES - 1) / INDEX_PAGE_ENTRIES;
	if (s->npages > rd_left(r) / CHUNK_NAME_LEN)
		return err_set(err, ERR_CORRUPT, "summary is cut off");
	s->firsts = calloc(s->npages, sizeof(*s->firsts));
	if (s->firsts == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->npages; i++) {
		rd_copy(r, s->firsts[i].b, CHUNK_NAME_LEN);
		if (i > 0 && memcmp(&s->firsts[i - 1], &s->firsts[i],
				 sizeof(*s->firsts)) >= 0)
			return err_set(
			    err, ERR_CORRUPT, "pages are out of order");
	}
	return 0;
}

static int
compare_pack_names(const void *a, const void *b)
{
	return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b,
	    OBJECT_NAME_LEN);
}

/* Packs stand in no order: pointers to their names are sorted to find two alike. */
static int
check_pack_names(const struct index_summary *s, struct err *err)
{
	const uint8_t **names = calloc(s->npacks, sizeof(*names));
	int rc = 0;

	if (names == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->npacks; i++)
		names[i] = s->packs[i].name;
	qsort(names, s->npacks, sizeof(*names), compare_pack_names);
	for (size_t i = 1; i < s->npacks && rc == 0; i++)
		if (compare_pack_names(&names[i - 1], &names[i]) == 0)
			rc =
			    err_set(err, ERR_CORRUPT, "a pack is listed twice");
	free(names);
	return rc;
}

static int
decode_packs(struct rd *r, struct index_summary *s, struct err *err)
{
	s->npacks = rd_count(r, PACK_MIN);
	if (r->failed || s->npacks < 1)
		return err_set(err, ERR_CORRUPT, "bad number of packs");
	s->packs = calloc(s->npacks, sizeof(*s->packs));
	if (s->packs == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->npacks; i++) {
		struct index_pack *p = &s->packs[i];
		uint8_t kind;
		uint64_t size;

		rd_copy(r, p->name, OBJECT_NAME_LEN);
		kind = rd_u8(r);
		size = rd_varint(r);
		if (r->failed || kind > PACK_META || size > PACK_LIMIT)
			return err_set(err, ERR_CORRUPT, "malformed pack");
		p->kind = (enum pack_kind)kind;
		p->size = (uint32_t)size;
	}
	return check_pack_names(s, err);
}

/* The next segment: of the last one's pack, right after it, or the next's. */
static int
decode_segment(struct rd *r, struct index_summary *s, size_t i, struct err *err)
{
	struct index_segment *seg = &s->segments[i];
	const struct index_segment *last = i == 0 ? NULL : seg - 1;
	uint64_t pack = rd_varint(r);
	uint64_t offset = rd_varint(r);
	uint64_t len = rd_varint(r);
	bool same = last != NULL && pack == last->pack;
	uint64_t next_pack = last == NULL ? 0 : (uint64_t)last->pack + 1;
	uint64_t want =
	    same ? (uint64_t)last->offset + last->sealed_len : PACK_HEADER_LEN;
	struct segment_place place;
	struct index_pack *p;

	if (r->failed || pack >= s->npacks || (!same && pack != next_pack) ||
	    offset != want || len > PACK_SEALED_MAX)
		return err_set(err, ERR_CORRUPT, "segment %zu is misplaced", i);
	p = &s->packs[pack];
	if (!same)
		p->first = (uint32_t)i;
	place.number = p->n++;
	place.offset = (uint32_t)offset;
	place.sealed_len = (uint32_t)len;
	if (!pack_place_ok(&place, p->size))
		return err_set(
		    err, ERR_CORRUPT, "segment %zu is outside its pack", i);
	seg->pack = (uint32_t)pack;
	seg->offset = place.offset;
	seg->sealed_len = place.sealed_len;
	return 0;
}

static int
decode_segments(struct rd *r, struct index_summary *s, struct err *err)
{
	int rc;

	s->nsegments = rd_count(r, SEGMENT_MIN);
	if (r->failed || s->nsegments < s->npacks)
		return err_set(err, ERR_CORRUPT, "bad number of segments");
	s->segments = calloc(s->nsegments, sizeof(*s->segments));
	if (s->segments == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->nsegments; i++) {
		rc = decode_segment(r, s, i, err);
		if (rc != 0)
			return rc;
	}
	if (s->packs[s->npacks - 1].n == 0)
		return err_set(err, ERR_CORRUPT, "a pack has no segments");
	return 0;
}

int
index_summary_decode(
    const uint8_t *buf, size_t len, struct index_summary *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	int rc;

	memset(out, 0, sizeof(*out));
	rc = decode_firsts(&r, out, err);
	if (rc == 0)
		rc = decode_packs(&r, out, err);
	if (rc == 0)
		rc = decode_segments(&r, out, err);
	if (rc == 0 && !rd_done(&r))
		rc = err_set(err, ERR_CORRUPT, "bytes follow the summary");
	return rc;
}

void
index_summary_clear(struct index_summary *s)
{
	free(s->firsts);
	free(s->packs);
	free(s->segments);
	memset(s, 0, sizeof(*s));
}

void
index_summary_place(
    const struct index_summary *s, uint32_t segment, struct chunk_place *out)
{
	const struct index_segment *seg = &s->segments[segment];
	const struct index_pack *p = &s->packs[seg->pack];

	memcpy(out->pack, p->name, OBJECT_NAME_LEN);
	out->pack_size = p->size;
	out->kind = p->kind;
	out->segment.number = segment - p->first;
	out->segment.offset = seg->offset;
	out->segment.sealed_len = seg->sealed_len;
}

/* --- pages -------------------------------------------------------------- */

size_t
index_page_of(const struct index_summary *s, const struct chunk_name *name)
{
	size_t lo = 0, hi = s->npages;

	/* The first page that starts after the name. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(&s->firsts[mid], name, sizeof(*name)) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == 0 ? s->npages : lo - 1;
}

size_t
index_page_entries(const struct index_summary *s, size_t page)
{
	size_t before = page * INDEX_PAGE_ENTRIES;
	size_t left = s->entries - before;

	return left < INDEX_PAGE_ENTRIES ? left : INDEX_PAGE_ENTRIES;
}

void
index_entry_encode(const struct index_entry *e, struct wr *w)
{
	wr_bytes(w, e->name.b, CHUNK_NAME_LEN);
	wr_u32(w, e->segment);
}

struct index_entry
index_page_entry(const uint8_t *page, size_t i)
{
	struct rd r = rd_init(page + i * INDEX_ENTRY_LEN, INDEX_ENTRY_LEN);
	struct index_entry e;

	rd_copy(&r, e.name.b, CHUNK_NAME_LEN);
	e.segment = rd_u32(&r);
	return e;
}

int
index_page_check(const struct index_summary *s, size_t page, const uint8_t *buf,
    size_t len, struct err *err)
{
	size_t n = index_page_entries(s, page);
	const uint8_t *name = buf;

	if (len != n * INDEX_ENTRY_LEN)
		return err_set(err, ERR_CORRUPT, "bad length");
	if (memcmp(buf, &s->firsts[page], CHUNK_NAME_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "starts with another name");
	for (size_t i = 0; i < n; i++, name += INDEX_ENTRY_LEN) {
		if (i > 0 &&
		    memcmp(name - INDEX_ENTRY_LEN, name, CHUNK_NAME_LEN) >= 0)
			return err_set(
			    err, ERR_CORRUPT, "names are out of order");
		if (index_page_entry(buf, i).segment >= s->nsegments)
			return err_set(err, ERR_CORRUPT, "no such segment");
	}
	name -= INDEX_ENTRY_LEN;
	if (page + 1 < s->npages &&
	    memcmp(name, &s->firsts[page + 1], CHUNK_NAME_LEN) >= 0)
		return err_set(err, ERR_CORRUPT, "runs into the next page");
	return 0;
}

bool
index_page_find(const uint8_t *page, size_t n, const struct chunk_name *name,
    uint32_t *segment)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int cmp = memcmp(
		    page + mid * INDEX_ENTRY_LEN, name->b, CHUNK_NAME_LEN);

		if (cmp == 0) {
			*segment = index_page_entry(page, mid).segment;
			return true;
		}
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}
