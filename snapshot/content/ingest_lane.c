/*
 * A lane: one thread's way in. Chunks are named, looked up, and, when new,
 * gathered into this lane's segments.
 */
#include "snapshot/content/ingest_internal.h"

#include <stdlib.h>

struct ingest_lane {
	struct ingest *in;
	struct namer *namer;
	struct segment_builder *seg[PACK_KINDS];
	struct wr plain;     /* scratch of a segment's plaintext */
	enum ingest_use use; /* of what is in the segment of data */
};

int
ingest_lane_new(struct ingest *in, struct ingest_lane **out, struct err *err)
{
	AUTO(ingest_lane) struct ingest_lane *lane = calloc(1, sizeof(*lane));
	int ret;

	*out = NULL;
	if (lane == NULL)
		return err_nomem(err);
	lane->in = in;
	if ((ret = namer_new(&in->ks->id, &lane->namer, err)) != 0)
		return ret;
	for (unsigned i = 0; i < PACK_KINDS; i++) {
		ret = segment_builder_new(&lane->seg[i], err);
		if (ret != 0)
			return ret;
	}
	*out = STEAL(lane);
	return 0;
}

void
ingest_lane_free(struct ingest_lane *lane)
{
	if (lane == NULL)
		return;
	for (unsigned i = 0; i < PACK_KINDS; i++)
		segment_builder_free(lane->seg[i]);
	wr_clear(&lane->plain);
	namer_free(lane->namer);
	free(lane);
}

struct namer *
ingest_lane_namer(struct ingest_lane *lane)
{
	return lane->namer;
}

uint64_t
ingest_worth_utmost(const struct ingest *in)
{
	uint64_t known = atomic_load(&in->page_known) / 8;

	return known < PAGES_UTMOST_MAX - PAGES_UTMOST_MIN
		   ? PAGES_UTMOST_MIN + known
		   : PAGES_UTMOST_MAX;
}

/*
 * Pages are compressed with all effort while few of them are new, as in a backup
 * every 20 minutes; the first backup of a database gets along with less.
 */
static enum segment_effort
effort_of(const struct ingest_lane *lane, enum pack_kind kind)
{
	struct ingest *in = lane->in;
	size_t len;

	if (kind != PACK_DATA || lane->use != INGEST_PAGES)
		return SEGMENT_SWIFT;
	len = segment_builder_bytes(lane->seg[kind]);
	return atomic_fetch_add(&in->page_new, len) < ingest_worth_utmost(in)
		   ? SEGMENT_UTMOST
		   : SEGMENT_THOROUGH;
}

static int
flush_kind(struct ingest_lane *lane, enum pack_kind kind, struct err *err)
{
	struct segment_builder *b = lane->seg[kind];
	int ret;

	if (segment_builder_count(b) == 0)
		return 0;
	segment_builder_effort(b, effort_of(lane, kind));
	wr_reset(&lane->plain);
	if ((ret = segment_builder_finish(b, &lane->plain, err)) != 0)
		return ret;
	ret = ingest_put_segment(
	    lane->in, kind, lane->plain.buf, lane->plain.len, b, err);
	segment_builder_reset(b);
	return ret;
}

int
ingest_lane_use(struct ingest_lane *lane, enum ingest_use use, struct err *err)
{
	int ret;

	if (lane->use == use)
		return 0;
	ret = flush_kind(lane, PACK_DATA, err);
	lane->use = use;
	return ret;
}

/* Bytes that a segment may have. */
static size_t
limit_of(const struct ingest_lane *lane, enum pack_kind kind)
{
	static const size_t limits[] = {
	    [INGEST_WHOLE] = SEGMENT_DATA,
	    [INGEST_SPOTS] = SEGMENT_SPOT,
	    [INGEST_PAGES] = SEGMENT_SPOT,
	};

	return kind == PACK_META ? SEGMENT_META : limits[lane->use];
}

int
ingest_lane_flush(struct ingest_lane *lane, struct err *err)
{
	int ret = flush_kind(lane, PACK_DATA, err);

	return ret != 0 ? ret : flush_kind(lane, PACK_META, err);
}

static bool
is_claimed(struct ingest *in, const struct chunk_name *name)
{
	bool taken;

	pthread_mutex_lock(&in->mu);
	taken = name_set_has(&in->claimed, name);
	pthread_mutex_unlock(&in->mu);
	return taken;
}

int
ingest_lane_has(
    struct ingest_lane *lane, const struct chunk_name *name, struct err *err)
{
	return is_claimed(lane->in, name)
		   ? 1
		   : ingest_is_known(lane->in, name, err);
}

/* 1 when the chunk is this lane's to store: new, and nobody else's. */
static int
claim(struct ingest_lane *lane, enum chunk_kind kind,
    const struct chunk_name *name, size_t len, struct err *err)
{
	struct ingest *in = lane->in;
	int ret;

	if (is_claimed(in, name))
		return 0;
	ret = ingest_is_known(in, name, err);
	if (ret > 0 && kind == CHUNK_DATA && lane->use == INGEST_PAGES)
		atomic_fetch_add(&in->page_known, len);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	pthread_mutex_lock(&in->mu);
	ret = name_set_add(&in->claimed, name, err);
	if (ret == 1) {
		in->totals.chunks++;
		in->totals.bytes += len;
	}
	pthread_mutex_unlock(&in->mu);
	return ret;
}

/* Whether a chunk of ${len} bytes is for the next segment. */
static bool
is_full(const struct segment_builder *b, size_t len, size_t limit)
{
	return segment_builder_count(b) > 0 &&
	       (segment_builder_bytes(b) + len > limit ||
		   segment_builder_count(b) == SEGMENT_CHUNKS_MAX);
}

int
ingest_chunk(struct ingest_lane *lane, enum chunk_kind kind, const void *buf,
    size_t len, struct chunk_name *name, struct err *err)
{
	enum pack_kind pack = kind == CHUNK_DATA ? PACK_DATA : PACK_META;
	struct segment_builder *b = lane->seg[pack];
	int ret;

	if (len == 0 || len > CHUNK_MAX)
		return err_set(err, ERR_BUG, "chunk of %zu bytes", len);
	ret = namer_name(lane->namer, kind, buf, len, name, err);
	if (ret != 0)
		return ret;
	if ((ret = claim(lane, kind, name, len, err)) != 1)
		return ret;
	if (is_full(b, len, limit_of(lane, pack)) &&
	    (ret = flush_kind(lane, pack, err)) != 0)
		return ret;
	return segment_builder_add(b, name, kind, buf, len, err);
}
