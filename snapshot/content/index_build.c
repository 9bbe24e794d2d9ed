#include "snapshot/content/index_write.h"
#include "snapshot/content/pack_format.h"

#include <stdlib.h>
#include <string.h>

struct index_builder {
	struct index_entry *entries;
	size_t n, cap;
	/* Its entries, pages and first names are set when it is finished. */
	struct index_summary sum;
	struct index_segment *segments; /* of all packs, in their order */
	size_t packs_cap, segments_cap;
	/* A hash table of packs by name: their number + 1, or 0. */
	uint32_t *slots;
	size_t nslots; /* a power of two */
};

int
index_builder_new(struct index_builder **out, struct err *err)
{
	*out = calloc(1, sizeof(**out));
	return *out == NULL ? err_nomem(err) : 0;
}

void
index_builder_free(struct index_builder *b)
{
	if (b == NULL)
		return;
	index_summary_clear(&b->sum);
	free(b->entries);
	free(b->segments);
	free(b->slots);
	free(b);
}

/* Make room for ${more} items of ${size} beyond ${n}. */
static void *
room(void *items, size_t n, size_t more, size_t *cap, size_t size,
    struct err *err)
{
	size_t want = *cap < 64 ? 64 : *cap;
	void *grown;

	if (more <= *cap - n)
		return items;
	while (want - n < more)
		want *= 2;
	grown = reallocarray(items, want, size);
	if (grown == NULL)
		(void)err_nomem(err);
	else
		*cap = want;
	return grown;
}

/* --- packs -------------------------------------------------------------- */

/* Object names are hashes: any bytes of them spread well over the table. */
static size_t
slot_of(const struct index_builder *b, const uint8_t name[OBJECT_NAME_LEN])
{
	struct rd r = rd_init(name, OBJECT_NAME_LEN);
	size_t at = rd_u32(&r) & (b->nslots - 1);

	while (b->slots[at] != 0 && memcmp(b->sum.packs[b->slots[at] - 1].name,
					name, OBJECT_NAME_LEN) != 0)
		at = (at + 1) & (b->nslots - 1);
	return at;
}

/* Keep the table at most half full. */
static int
grow_slots(struct index_builder *b, struct err *err)
{
	size_t nslots = b->nslots == 0 ? 64 : b->nslots * 2;
	uint32_t *slots;

	if (2 * (b->sum.npacks + 1) <= b->nslots)
		return 0;
	slots = calloc(nslots, sizeof(*slots));
	if (slots == NULL)
		return err_nomem(err);
	free(b->slots);
	b->slots = slots;
	b->nslots = nslots;
	for (size_t i = 0; i < b->sum.npacks; i++)
		slots[slot_of(b, b->sum.packs[i].name)] = (uint32_t)i + 1;
	return 0;
}

/* Of a pack that is listed already, the same must be said. */
static bool
says_the_same(const struct index_builder *b, uint32_t pack, uint64_t size,
    enum pack_kind kind, const struct segment_place *places, size_t n)
{
	const struct index_pack *p = &b->sum.packs[pack];

	if (p->size != size || p->kind != kind || p->n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct index_segment *seg = &b->segments[p->first + i];

		if (seg->offset != places[i].offset ||
		    seg->sealed_len != places[i].sealed_len)
			return false;
	}
	return true;
}

/* All of a pack's segments, one after the other. */
static bool
places_ok(uint64_t size, const struct segment_place *places, size_t n)
{
	uint64_t offset = PACK_HEADER_LEN;

	for (size_t i = 0; i < n; i++) {
		if (places[i].number != i || places[i].offset != offset ||
		    !pack_place_ok(&places[i], size))
			return false;
		offset += places[i].sealed_len;
	}
	return n > 0;
}

static int
add_pack(struct index_builder *b, const struct object_ref *ref, uint64_t size,
    enum pack_kind kind, const struct segment_place *places, size_t n,
    struct err *err)
{
	struct index_summary *s = &b->sum;
	struct index_segment *segments;
	struct index_pack *packs;

	packs =
	    room(s->packs, s->npacks, 1, &b->packs_cap, sizeof(*packs), err);
	if (packs == NULL)
		return ERR_NOMEM;
	s->packs = packs;
	segments = room(b->segments, s->nsegments, n, &b->segments_cap,
	    sizeof(*segments), err);
	if (segments == NULL)
		return ERR_NOMEM;
	b->segments = segments;
	packs[s->npacks] = (struct index_pack){
	    .kind = kind,
	    .size = (uint32_t)size,
	    .first = (uint32_t)s->nsegments,
	    .n = (uint32_t)n,
	};
	memcpy(packs[s->npacks].name, ref->name, OBJECT_NAME_LEN);
	for (size_t i = 0; i < n; i++)
		segments[s->nsegments + i] = (struct index_segment){
		    .offset = places[i].offset,
		    .sealed_len = places[i].sealed_len,
		};
	s->nsegments += n;
	s->npacks++;
	return 0;
}

int
index_builder_pack(struct index_builder *b, const struct object_ref *ref,
    uint64_t size, enum pack_kind kind, const struct segment_place *places,
    size_t n, uint32_t *pack, struct err *err)
{
	char text[OBJECT_REF_TEXT];
	size_t at;
	int rc;

	object_ref_text(ref, text);
	if (b->sum.npacks == INDEX_PACKS_MAX)
		return err_set(err, ERR_USAGE, "too many packs for one index");
	if (!places_ok(size, places, n) || n > UINT32_MAX - b->sum.nsegments)
		return err_set(err, ERR_USAGE,
		    "not all segments of pack '%s' in order", text);
	rc = grow_slots(b, err);
	if (rc != 0)
		return rc;
	at = slot_of(b, ref->name);
	if (b->slots[at] != 0) {
		*pack = b->slots[at] - 1;
		if (!says_the_same(b, *pack, size, kind, places, n))
			return err_set(err, ERR_CORRUPT,
			    "pack '%s' is listed in two ways", text);
		return 0;
	}
	rc = add_pack(b, ref, size, kind, places, n, err);
	if (rc != 0)
		return rc;
	*pack = (uint32_t)b->sum.npacks - 1;
	b->slots[at] = (uint32_t)b->sum.npacks;
	return 0;
}

/* --- chunks ------------------------------------------------------------- */

int
index_builder_chunk(struct index_builder *b, const struct chunk_name *name,
    uint32_t pack, uint32_t segment, struct err *err)
{
	struct index_entry *entries;

	if (pack >= b->sum.npacks || segment >= b->sum.packs[pack].n)
		return err_set(
		    err, ERR_USAGE, "no segment %u in pack %u", segment, pack);
	entries = room(b->entries, b->n, 1, &b->cap, sizeof(*entries), err);
	if (entries == NULL)
		return ERR_NOMEM;
	b->entries = entries;
	entries[b->n].name = *name;
	entries[b->n].segment = b->sum.packs[pack].first + segment;
	b->n++;
	return 0;
}

size_t
index_builder_entries(const struct index_builder *b)
{
	return b->n;
}

/* Sort; of one chunk in several segments, the one added first stays. */
static void
sort_entries(struct index_builder *b)
{
	size_t n = 0;

	index_sort(b->entries, b->n);
	for (size_t i = 0; i < b->n; i++)
		if (i == 0 ||
		    memcmp(&b->entries[n - 1].name, &b->entries[i].name,
			sizeof(struct chunk_name)) != 0)
			b->entries[n++] = b->entries[i];
	b->n = n;
}

/* --- the object --------------------------------------------------------- */

static int
write_object(struct index_builder *b, const struct keyset *ks,
    index_put_fn *put, void *arg, struct err *err)
{
	INDEX_WRITER_AUTO struct index_writer w = {0};
	int rc;

	if (b->n < 1)
		return err_set(err, ERR_USAGE, "an index can't list no chunks");
	sort_entries(b);
	rc = index_writer_begin(
	    &w, b->sum.packs, b->sum.npacks, ks, put, arg, err);
	for (size_t i = 0; rc == 0 && i < b->n; i++)
		rc = index_writer_entry(&w, &b->entries[i], err);
	for (size_t i = 0; rc == 0 && i < b->sum.nsegments; i++)
		rc = index_writer_segment(&w, &b->segments[i], err);
	return rc == 0 ? index_writer_end(&w, err) : rc;
}

static int
put_to_memory(void *arg, const void *buf, size_t len, struct err *err)
{
	struct wr *w = arg;

	wr_bytes(w, buf, len);
	return w->failed ? err_nomem(err) : 0;
}

int
index_builder_finish(struct index_builder *b, const struct keyset *ks,
    struct wr *w, struct err *err)
{
	return write_object(b, ks, put_to_memory, w, err);
}

int
index_builder_store(struct index_builder *b, const struct keyset *ks,
    struct store *store, struct object_ref *ref, struct err *err)
{
	AUTO(store_writer) struct store_writer *w = NULL;
	int rc = store_writer_new(store, OBJECT_INDEX, ks->dataset, &w, err);

	if (rc == 0)
		rc = write_object(b, ks, index_put_to_store, w, err);
	return rc == 0 ? store_writer_commit(w, ref, err) : rc;
}

int
index_builder_each(const struct index_builder *b, index_name_fn *visit,
    void *arg, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->n; i++)
		rc = visit(arg, &b->entries[i].name, err);
	return rc;
}
