#include "snapshot/content/index_format.h"
#include "crypto/object.h"
#include "snapshot/content/pack_format.h"

#include <stdlib.h>
#include <string.h>

/* --- head --------------------------------------------------------------- */

void
index_head_encode(const struct index_head *h, struct wr *w)
{
	object_head_write(w, 'i');
	wr_bytes(w, h->dataset, DATASET_ID_LEN);
	wr_u32(w, h->epoch);
	wr_u32(w, h->npacks);
}

int
index_head_decode(
    const uint8_t buf[INDEX_HEAD_LEN], struct index_head *out, struct err *err)
{
	struct rd r = rd_init(buf, INDEX_HEAD_LEN);
	int rc = object_head_read(&r, 'i', "index", err);

	if (rc != 0)
		return rc;
	rd_copy(&r, out->dataset, DATASET_ID_LEN);
	out->epoch = rd_u32(&r);
	out->npacks = rd_u32(&r);
	if (!rd_done(&r) || out->npacks < 1 || out->npacks > INDEX_PACKS_MAX)
		return err_set(err, ERR_CORRUPT, "bad number of packs");
	return 0;
}

void
index_ad(
    const uint8_t clear[HASH_LEN], uint64_t counter, uint8_t out[INDEX_AD_LEN])
{
	memcpy(out, clear, HASH_LEN);
	frame_le(out + HASH_LEN, counter, 8);
}

/* --- packs -------------------------------------------------------------- */

void
index_pack_encode(const struct index_pack *p, struct wr *w)
{
	wr_bytes(w, p->name, OBJECT_NAME_LEN);
	wr_u8(w, (uint8_t)p->kind);
	wr_u32(w, p->size);
}

int
index_pack_decode(
    const uint8_t buf[INDEX_PACK_LEN], struct index_pack *out, struct err *err)
{
	struct rd r = rd_init(buf, INDEX_PACK_LEN);
	uint8_t kind;

	memset(out, 0, sizeof(*out));
	rd_copy(&r, out->name, OBJECT_NAME_LEN);
	kind = rd_u8(&r);
	out->size = rd_u32(&r);
	if (!rd_done(&r) || kind > PACK_META || out->size > PACK_LIMIT)
		return err_set(err, ERR_CORRUPT, "malformed pack");
	out->kind = (enum pack_kind)kind;
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

int
index_packs_decode(
    const uint8_t *buf, size_t n, struct index_summary *out, struct err *err)
{
	int rc = 0;

	memset(out, 0, sizeof(*out));
	out->packs = calloc(n, sizeof(*out->packs));
	if (out->packs == NULL)
		return err_nomem(err);
	out->npacks = n;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = index_pack_decode(
		    buf + i * INDEX_PACK_LEN, &out->packs[i], err);
	return rc == 0 ? check_pack_names(out, err) : rc;
}

/* --- summary ------------------------------------------------------------ */

/* The first bytes of a name as they are: the highest first. */
static void
put_prefix(struct wr *w, uint64_t prefix)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		wr_u8(w, (uint8_t)(prefix >> shift));
}

static uint64_t
prefix_of(const uint8_t bytes[8])
{
	uint64_t prefix = 0;

	for (unsigned i = 0; i < 8; i++)
		prefix = prefix << 8 | bytes[i];
	return prefix;
}

void
index_summary_encode(const struct index_summary *s, struct wr *w)
{
	for (size_t i = 0; i < s->npacks; i++)
		wr_varint(w, s->packs[i].n);
	wr_varint(w, s->entries);
	for (size_t i = 0; i < s->npages; i++)
		put_prefix(w, s->firsts[i]);
}

static int
decode_counts(struct rd *r, struct index_summary *s, struct err *err)
{
	uint64_t first = 0;

	for (size_t i = 0; i < s->npacks; i++) {
		uint64_t n = rd_varint(r);

		if (r->failed || n < 1 || n > PACK_LIMIT ||
		    n > UINT32_MAX - first)
			return err_set(
			    err, ERR_CORRUPT, "bad number of segments");
		s->packs[i].first = (uint32_t)first;
		s->packs[i].n = (uint32_t)n;
		first += n;
	}
	s->nsegments = (size_t)first;
	return 0;
}

static int
decode_firsts(struct rd *r, struct index_summary *s, struct err *err)
{
	uint64_t n = rd_varint(r);

	if (r->failed || n < 1 || n > INDEX_ENTRIES_MAX)
		return err_set(err, ERR_CORRUPT, "bad number of entries");
	s->entries = n;
	s->npages = (size_t)((n + INDEX_PAGE_ENTRIES - 1) / INDEX_PAGE_ENTRIES);
	if (s->npages > rd_left(r) / sizeof(*s->firsts))
		return err_set(err, ERR_CORRUPT, "summary is cut off");
	s->firsts = calloc(s->npages, sizeof(*s->firsts));
	if (s->firsts == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->npages; i++) {
		s->firsts[i] = prefix_of(rd_bytes(r, sizeof(*s->firsts)));
		if (i > 0 && s->firsts[i - 1] > s->firsts[i])
			return err_set(
			    err, ERR_CORRUPT, "pages are out of order");
	}
	return 0;
}

int
index_summary_decode(
    const uint8_t *buf, size_t len, struct index_summary *s, struct err *err)
{
	struct rd r = rd_init(buf, len);
	int rc = decode_counts(&r, s, err);

	if (rc == 0)
		rc = decode_firsts(&r, s, err);
	if (rc == 0 && !rd_done(&r))
		rc = err_set(err, ERR_CORRUPT, "bytes follow the summary");
	return rc;
}

void
index_summary_clear(struct index_summary *s)
{
	free(s->firsts);
	free(s->packs);
	memset(s, 0, sizeof(*s));
}

const struct index_pack *
index_segment_pack(const struct index_summary *s, uint32_t segment)
{
	size_t lo = 0, hi = s->npacks - 1;

	/* The last pack whose first segment is not after it. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo + 1) / 2;

		if (s->packs[mid].first <= segment)
			lo = mid;
		else
			hi = mid - 1;
	}
	return &s->packs[lo];
}

void
index_summary_place(const struct index_summary *s, uint32_t segment,
    const struct index_segment *seg, struct chunk_place *out)
{
	const struct index_pack *p = index_segment_pack(s, segment);

	memcpy(out->pack, p->name, OBJECT_NAME_LEN);
	out->pack_size = p->size;
	out->kind = p->kind;
	out->segment.number = segment - p->first;
	out->segment.offset = seg->offset;
	out->segment.sealed_len = seg->sealed_len;
}

uint64_t
index_prefix(const struct chunk_name *name)
{
	return prefix_of(name->b);
}
