/*
 * A committed pack's note: what it holds, so that a run that was stopped need
 * not store it again. Its maker can't read the pack to find out (KEYS.md, the
 * writer). Kept on this machine only, in the state of the dataset.
 *
 *	u8	format, 1
 *	name	the pack
 *	varint	its size, u8 its kind
 *	varint	n, n times: varint sealed length of a segment, varint its chunks
 *	names	of all chunks, segment by segment
 */
#include "snapshot/content/ingest_internal.h"
#include "snapshot/content/pack_format.h"

#include <stdlib.h>

#define NOTE_FORMAT 1

static size_t
chunks_in_segment(const struct open_pack *p, size_t at, size_t segment)
{
	size_t n = 0;

	while (at + n < p->nnames && p->segments[at + n] == segment)
		n++;
	return n;
}

int
ingest_note_encode(const struct object_ref *ref, uint64_t size,
    const struct open_pack *p, struct wr *w, struct err *err)
{
	size_t at = 0;

	wr_u8(w, NOTE_FORMAT);
	wr_bytes(w, ref->name, sizeof(ref->name));
	wr_varint(w, size);
	wr_u8(w, (uint8_t)p->kind);
	wr_varint(w, p->nplaces);
	for (size_t i = 0; i < p->nplaces; i++) {
		size_t n = chunks_in_segment(p, at, i);

		wr_varint(w, p->places[i].sealed_len);
		wr_varint(w, n);
		at += n;
	}
	for (size_t i = 0; i < p->nnames; i++)
		wr_bytes(w, p->names[i].b, sizeof(p->names[i].b));
	return w->failed ? err_nomem(err) : 0;
}

/* The places of all segments, which follow each other without gaps. */
static int
decode_places(struct rd *r, struct open_pack *p, uint64_t size,
    uint32_t **counts, struct err *err)
{
	uint64_t offset = PACK_HEADER_LEN;

	p->nplaces = rd_count(r, 2);
	p->places = calloc(p->nplaces + 1, sizeof(*p->places));
	*counts = calloc(p->nplaces + 1, sizeof(**counts));
	if (p->places == NULL || *counts == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < p->nplaces; i++) {
		uint64_t len = rd_varint(r), n = rd_varint(r);

		if (len > PACK_LIMIT || offset > PACK_LIMIT ||
		    n > rd_left(r) / CHUNK_NAME_LEN)
			return err_set(err, ERR_CORRUPT, "malformed note");
		p->places[i].number = (uint32_t)i;
		p->places[i].offset = (uint32_t)offset;
		p->places[i].sealed_len = (uint32_t)len;
		if (!pack_place_ok(&p->places[i], size))
			return err_set(err, ERR_CORRUPT, "malformed note");
		(*counts)[i] = (uint32_t)n;
		p->nnames += n;
		offset += len;
	}
	if (p->nplaces == 0 || p->nnames > rd_left(r) / CHUNK_NAME_LEN)
		return err_set(err, ERR_CORRUPT, "malformed note");
	return 0;
}

static int
decode_names(
    struct rd *r, struct open_pack *p, const uint32_t *counts, struct err *err)
{
	size_t at = 0;

	p->names = calloc(p->nnames + 1, sizeof(*p->names));
	p->segments = calloc(p->nnames + 1, sizeof(*p->segments));
	if (p->names == NULL || p->segments == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < p->nplaces; i++) {
		for (uint32_t j = 0; j < counts[i]; j++, at++) {
			p->segments[at] = (uint32_t)i;
			rd_copy(r, p->names[at].b, sizeof(p->names[at].b));
		}
	}
	return rd_done(r) ? 0 : err_set(err, ERR_CORRUPT, "malformed note");
}

int
ingest_note_decode(const uint8_t *buf, size_t len,
    uint8_t pack[OBJECT_NAME_LEN], uint64_t *size, struct open_pack **out,
    struct err *err)
{
	AUTO(open_pack) struct open_pack *p = calloc(1, sizeof(*p));
	uint32_t *counts = NULL;
	struct rd r = rd_init(buf, len);
	uint8_t format, kind;
	int ret;

	*out = NULL;
	if (p == NULL)
		return err_nomem(err);
	format = rd_u8(&r);
	rd_copy(&r, pack, OBJECT_NAME_LEN);
	*size = rd_varint(&r);
	kind = rd_u8(&r);
	if (r.failed || format != NOTE_FORMAT || kind >= PACK_KINDS)
		return err_set(err, ERR_CORRUPT, "not a pack's note");
	p->kind = (enum pack_kind)kind;
	ret = decode_places(&r, p, *size, &counts, err);
	if (ret == 0)
		ret = decode_names(&r, p, counts, err);
	free(counts);
	if (ret == 0)
		*out = STEAL(p);
	return ret;
}
