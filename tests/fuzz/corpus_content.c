#include "snapshot/content/index_format.h"
#include "snapshot/content/ingest_internal.h"
#include "snapshot/content/list.h"
#include "snapshot/content/pack_format.h"
#include "tests/fuzz/corpus.h"

#include <string.h>

static struct chunk_name
name_of(unsigned i)
{
	struct chunk_name name;

	memset(name.b, 0x5a, sizeof(name.b));
	name.b[0] = (uint8_t)(i >> 8);
	name.b[1] = (uint8_t)i;
	return name;
}

/* --- indexes: numbers of packs and summary bytes, packs, summary, pages --- */

#define ENTRIES 3

static void
put_index(const struct index_summary *s, struct wr *w)
{
	static const struct index_segment segments[] = {{PACK_HEADER_LEN, 500},
	    {PACK_HEADER_LEN + 500, 70}, {PACK_HEADER_LEN, 90}};
	WR_AUTO struct wr summary = {0};

	index_summary_encode(s, &summary);
	wr_u8(w, (uint8_t)s->npacks);
	wr_u16(w, (uint16_t)summary.len);
	for (size_t i = 0; i < s->npacks; i++)
		index_pack_encode(&s->packs[i], w);
	wr_bytes(w, summary.buf, summary.len);
	for (unsigned i = 0; i < s->entries; i++)
		index_entry_encode(&(struct index_entry){name_of(i),
				       i % (uint32_t)s->nsegments},
		    w);
	for (size_t i = 0; i < s->nsegments; i++)
		index_segment_encode(&segments[i], w);
}

int
corpus_index(const struct corpus *c, struct err *err)
{
	WR_AUTO struct wr w = {0};
	struct chunk_name name = name_of(0);
	uint64_t first = index_prefix(&name);
	struct index_pack packs[] = {
	    {{1}, PACK_DATA, 1000, 0, 2}, {{2}, PACK_META, 300, 2, 1}};
	struct index_summary s = {
	    .entries = ENTRIES,
	    .npages = 1,
	    .firsts = &first,
	    .npacks = ARRAY_LEN(packs),
	    .packs = packs,
	    .nsegments = 3,
	};

	(void)err;
	put_index(&s, &w);
	corpus_put(c, "two-packs", &w);
	s.entries = 1;
	s.npacks = s.nsegments = packs[0].n = 1;
	put_index(&s, &w);
	corpus_put(c, "one-entry", &w);
	index_head_encode(
	    &(struct index_head){.dataset = {7}, .epoch = 2, .npacks = 9}, &w);
	corpus_put(c, "head", &w);
	return 0;
}

/* --- list nodes ---------------------------------------------------------- */

int
corpus_list(const struct corpus *c, struct err *err)
{
	WR_AUTO struct wr w = {0};
	const unsigned n = 20;

	(void)err;
	list_put_head(0, n, &w);
	for (unsigned i = 0; i < n; i++)
		list_put_element(
		    &(struct element){
			.len = 1000 * (i + 1),
			.hole = i % 4 == 3,
			.name = name_of(i),
		    },
		    &w);
	corpus_put(c, "leaf", &w);
	for (uint8_t level = 1; level < CONTENT_LEVELS; level += 6) {
		list_put_head(level, 2, &w);
		for (unsigned i = 0; i < 2; i++) {
			struct chunk_name name = name_of(i);

			list_put_child(
			    UINT64_C(1) << (40 + i), 512 * i, &name, &w);
		}
		corpus_put(c, level == 1 ? "inner" : "highest", &w);
	}
	return 0;
}

/* --- notes of packs ------------------------------------------------------ */

int
corpus_note(const struct corpus *c, struct err *err)
{
	WR_AUTO struct wr w = {0};
	struct segment_place places[] = {
	    {0, PACK_HEADER_LEN, 500}, {1, PACK_HEADER_LEN + 500, 600}};
	struct chunk_name names[] = {name_of(1), name_of(2), name_of(3)};
	uint32_t segments[] = {0, 0, 1};
	const struct open_pack p = {
	    .kind = PACK_META,
	    .places = places,
	    .nplaces = ARRAY_LEN(places),
	    .names = names,
	    .segments = segments,
	    .nnames = ARRAY_LEN(names),
	};
	int rc = ingest_note_encode(
	    &(struct object_ref){.name = {3}}, 4096, &p, &w, err);

	if (rc == 0)
		corpus_put(c, "two-segments", &w);
	return rc;
}

/* --- packs: the size, the tail, the table; or the header ------------------ */

/* As a writer ends a pack. */
static void
put_pack(struct wr *w, const uint32_t *sealed, size_t n)
{
	uint64_t t = PACK_HEADER_LEN, bare, size;
	WR_AUTO struct wr table = {0};

	wr_varint(&table, n);
	for (size_t i = 0; i < n; i++) {
		wr_varint(&table, sealed[i]);
		t += sealed[i];
	}
	bare = t + table.len + AEAD_TAG_LEN + PACK_TAIL_LEN;
	size = pack_padded(bare);
	for (uint64_t i = bare; i < size; i++)
		wr_u8(&table, 0);
	wr_u32(w, (uint32_t)size);
	frame_tail_write(w, t);
	wr_bytes(w, table.buf, table.len);
}

int
corpus_pack(const struct corpus *c, struct err *err)
{
	static const uint32_t sealed[] = {100, 20000, 7000, 5000};
	WR_AUTO struct wr w = {0};

	(void)err;
	put_pack(&w, sealed, ARRAY_LEN(sealed));
	corpus_put(c, "table", &w);
	put_pack(&w, sealed, 1);
	corpus_put(c, "one-segment", &w);
	pack_header_encode(
	    &(struct pack_id){
		.version = PACK_VERSION,
		.kind = PACK_META,
		.dataset = {1, 2},
		.epoch = 3,
		.enc = {4},
		.salt = {5},
		.commit = {6},
	    },
	    &w);
	corpus_put(c, "header", &w);
	return 0;
}

/* --- segments ------------------------------------------------------------ */

/* ${n} chunks of ${len} bytes; like text, or like noise. */
static int
put_segment(const struct corpus *c, const char *name, unsigned n, size_t len,
    bool noise, struct err *err)
{
	AUTO(segment_builder) struct segment_builder *b = NULL;
	WR_AUTO struct wr w = {0};
	uint8_t buf[4096];
	uint64_t x = 1;
	int rc = segment_builder_new(&b, err);

	for (unsigned i = 0; i < n && rc == 0; i++) {
		struct chunk_name chunk = name_of(i);

		for (size_t k = 0; k < len; k++) {
			x = x * 6364136223846793005 + 1442695040888963407;
			buf[k] = noise ? (uint8_t)(x >> 56)
				       : (uint8_t)('a' + (x >> 62));
		}
		rc = segment_builder_add(
		    b, &chunk, i % CHUNK_KINDS, buf, len, err);
	}
	if (rc == 0)
		rc = segment_builder_finish(b, &w, err);
	if (rc == 0)
		corpus_put(c, name, &w);
	return rc;
}

int
corpus_segment(const struct corpus *c, struct err *err)
{
	int rc;

	if ((rc = put_segment(c, "one-byte", 1, 1, true, err)) != 0)
		return rc;
	if ((rc = put_segment(c, "stored", 3, 100, true, err)) != 0)
		return rc;
	if ((rc = put_segment(c, "zstd", 5, 1000, false, err)) != 0)
		return rc;
	return put_segment(c, "many", 200, 10, false, err);
}
