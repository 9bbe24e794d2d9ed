#include "snapshot/content/index_write.h"

#include <stdlib.h>
#include <string.h>

/* --- the sink ----------------------------------------------------------- */

int
index_put_to_store(void *arg, const void *buf, size_t len, struct err *err)
{
	return store_writer_write(arg, buf, len, err);
}

static int
put(struct index_writer *w, const struct wr *bytes, struct err *err)
{
	if (bytes->failed)
		return err_nomem(err);
	w->at += bytes->len;
	return w->put(w->arg, bytes->buf, bytes->len, err);
}

/* Seal the page in place, write it, and begin another. */
static int
put_sealed(struct index_writer *w, uint64_t counter, struct err *err)
{
	uint8_t ad[INDEX_AD_LEN];
	size_t len = w->page.len;
	int rc;

	if (wr_space(&w->page, AEAD_TAG_LEN) == NULL)
		return err_nomem(err);
	index_ad(w->clear, counter, ad);
	rc = aead_seal(w->aead, counter, ad, sizeof(ad), w->page.buf, len,
	    w->page.buf, err);
	if (rc == 0)
		rc = put(w, &w->page, err);
	wr_reset(&w->page);
	return rc;
}

/* --- what is in the clear ----------------------------------------------- */

/* The digest binds the head and the list, but not the box between them. */
static int
hash_clear(struct index_writer *w, const struct wr *head,
    const struct wr *packs, struct err *err)
{
	AUTO(sha256_ctx) struct sha256_ctx *ctx = NULL;
	int rc;

	if (head->failed || packs->failed)
		return err_nomem(err);
	rc = sha256_new(&ctx, err);
	if (rc == 0)
		rc = sha256_update(ctx, head->buf, head->len, err);
	if (rc == 0)
		rc = sha256_update(ctx, packs->buf, packs->len, err);
	return rc == 0 ? sha256_final(ctx, w->clear, err) : rc;
}

static int
put_clear(struct index_writer *w, const struct keyset *ks, struct err *err)
{
	WIPE struct key32 key;
	WR_AUTO struct wr head = {0};
	WR_AUTO struct wr packs = {0};
	struct index_head h = {
	    .epoch = ks->epoch, .npacks = (uint32_t)w->sum.npacks};
	uint8_t box[BOX_HEAD_LEN];
	int rc;

	memcpy(key.b, ks->index.b, sizeof(key.b));
	memcpy(h.dataset, ks->dataset, DATASET_ID_LEN);
	index_head_encode(&h, &head);
	for (size_t i = 0; i < w->sum.npacks; i++)
		index_pack_encode(&w->sum.packs[i], &packs);
	rc = hash_clear(w, &head, &packs, err);
	if (rc == 0)
		rc = box_head_new(&key, INDEX_BOX_LABEL, box, &w->aead, err);
	if (rc != 0)
		return rc;
	wr_bytes(&head, box, sizeof(box));
	rc = put(w, &head, err);
	return rc == 0 ? put(w, &packs, err) : rc;
}

int
index_writer_begin(struct index_writer *w, struct index_pack *packs, size_t n,
    const struct keyset *ks, index_put_fn *put_fn, void *arg, struct err *err)
{
	memset(w, 0, sizeof(*w));
	if (n < 1 || n > INDEX_PACKS_MAX)
		return err_set(
		    err, ERR_USAGE, "an index can't list %zu packs", n);
	w->put = put_fn;
	w->arg = arg;
	w->sum.packs = packs;
	w->sum.npacks = n;
	return put_clear(w, ks, err);
}

void
index_writer_clear(struct index_writer *w)
{
	aead_free(w->aead);
	wr_clear(&w->page);
	free(w->sum.firsts);
	memset(w, 0, sizeof(*w));
}

/* --- pages -------------------------------------------------------------- */

static int
end_entries(struct index_writer *w, struct err *err)
{
	return w->page.len == 0 ? 0 : put_sealed(w, w->sum.npages - 1, err);
}

static int
begin_page(
    struct index_writer *w, const struct chunk_name *first, struct err *err)
{
	struct index_summary *s = &w->sum;
	int rc = end_entries(w, err);

	if (rc != 0)
		return rc;
	if (s->npages == w->firsts_cap) {
		size_t cap = w->firsts_cap == 0 ? 64 : 2 * w->firsts_cap;
		uint64_t *v = reallocarray(s->firsts, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		s->firsts = v;
		w->firsts_cap = cap;
	}
	s->firsts[s->npages++] = index_prefix(first);
	return 0;
}

int
index_writer_entry(
    struct index_writer *w, const struct index_entry *e, struct err *err)
{
	int rc = 0;

	if (w->sum.entries == INDEX_ENTRIES_MAX)
		return err_set(err, ERR_USAGE, "too many chunks for one index");
	if (w->sum.entries % INDEX_PAGE_ENTRIES == 0)
		rc = begin_page(w, &e->name, err);
	if (rc != 0)
		return rc;
	w->sum.entries++;
	index_entry_encode(e, &w->page);
	return 0;
}

static int
end_segments(struct index_writer *w, struct err *err)
{
	return w->page.len == 0
		   ? 0
		   : put_sealed(w, INDEX_SEGMENTS_COUNTER + w->pages++, err);
}

int
index_writer_segment(
    struct index_writer *w, const struct index_segment *seg, struct err *err)
{
	int rc = 0;

	if (w->sum.nsegments == 0)
		rc = end_entries(w, err);
	else if (w->sum.nsegments % INDEX_PAGE_SEGMENTS == 0)
		rc = end_segments(w, err);
	if (rc != 0)
		return rc;
	w->sum.nsegments++;
	index_segment_encode(seg, &w->page);
	return 0;
}

/* --- the end ------------------------------------------------------------ */

static uint64_t
count_segments(const struct index_summary *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->npacks; i++)
		n += s->packs[i].n;
	return n;
}

int
index_writer_end(struct index_writer *w, struct err *err)
{
	WR_AUTO struct wr tail = {0};
	uint64_t at;
	int rc;

	if (w->sum.entries < 1)
		return err_set(err, ERR_USAGE, "an index can't list no chunks");
	if (w->sum.nsegments != count_segments(&w->sum))
		return err_set(err, ERR_USAGE, "not all segments of the packs");
	rc = end_segments(w, err);
	if (rc != 0)
		return rc;
	at = w->at;
	index_summary_encode(&w->sum, &w->page);
	if (w->page.len > INDEX_SUMMARY_MAX - AEAD_TAG_LEN - FRAME_TAIL_LEN)
		return err_set(err, ERR_USAGE, "too much for one index");
	rc = put_sealed(w, INDEX_SUMMARY_COUNTER, err);
	if (rc != 0)
		return rc;
	frame_tail_write(&tail, at);
	return put(w, &tail, err);
}
