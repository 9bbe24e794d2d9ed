#include "crypto/box.h"
#include "snapshot/content/index_internal.h"

#include <stdlib.h>
#include <string.h>

/* Pages kept for an index that is opened by itself: 4 MiB. */
#define OWN_PAGES 455

/* "index 'datasets/.../...': what went wrong" */
int
index_name_failure(const struct index *ix, int rc, struct err *err)
{
	char text[OBJECT_REF_TEXT];

	object_ref_text(&ix->ref, text);
	(void)err_wrap(err, "index '%s'", text);
	return rc;
}

/* --- reading ------------------------------------------------------------ */

static int
read_at(struct index *ix, uint64_t off, void *buf, size_t len, struct err *err)
{
	if (off > ix->size || len > ix->size - off)
		return err_set(err, ERR_CORRUPT, "cut off");
	if (ix->bytes == NULL)
		return store_read_at(ix->store, &ix->ref, off, buf, len, err);
	memcpy(buf, ix->bytes + off, len);
	return 0;
}

int
index_read_sealed(struct index *ix, uint64_t counter, uint64_t off,
    uint8_t *buf, size_t len, struct err *err)
{
	uint8_t ad[INDEX_AD_LEN];
	int rc = read_at(ix, off, buf, len, err);

	if (rc != 0)
		return rc;
	index_ad(ix->clear, counter, ad);
	(void)pthread_mutex_lock(&ix->mu);
	rc = aead_open(ix->aead, counter, ad, sizeof(ad), buf, len, buf, err);
	(void)pthread_mutex_unlock(&ix->mu);
	/* The key is right, or the box had not opened: so it is damage. */
	if (rc == ERR_AUTH)
		rc = err_set(err, ERR_CORRUPT, "damaged or tampered with");
	return rc;
}

/* --- opening ------------------------------------------------------------ */

static int
open_box(struct index *ix, const uint8_t box[BOX_HEAD_LEN],
    const struct index_head *head, const struct keyring *kr, struct err *err)
{
	WIPE struct key32 key = {0};
	const struct keyset *ks;

	if (memcmp(head->dataset, ix->ref.dataset, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "it is another dataset's");
	ks = keyring_epoch(kr, head->epoch);
	if (ks == NULL)
		return err_set(err, ERR_DENIED,
		    "this key can't open what was written in epoch %u",
		    head->epoch);
	memcpy(key.b, ks->index.b, sizeof(key.b));
	return box_head_open(&key, INDEX_BOX_LABEL, box, &ix->aead, err);
}

/* The digest of what is in the clear: what is sealed is bound to it. */
static int
hash_clear(struct index *ix, const uint8_t head[INDEX_HEAD_LEN],
    const uint8_t *packs, size_t len, struct err *err)
{
	AUTO(sha256_ctx) struct sha256_ctx *ctx = NULL;
	int rc = sha256_new(&ctx, err);

	if (rc == 0)
		rc = sha256_update(ctx, head, INDEX_HEAD_LEN, err);
	if (rc == 0)
		rc = sha256_update(ctx, packs, len, err);
	return rc == 0 ? sha256_final(ctx, ix->clear, err) : rc;
}

static int
read_packs(struct index *ix, const uint8_t head[INDEX_HEAD_LEN],
    const struct index_head *h, struct err *err)
{
	size_t len = (size_t)h->npacks * INDEX_PACK_LEN;
	uint8_t *buf;
	int rc;

	if (len > ix->size - INDEX_PACKS_AT)
		return err_set(err, ERR_CORRUPT, "cut off");
	buf = malloc(len);
	if (buf == NULL)
		return err_nomem(err);
	rc = read_at(ix, INDEX_PACKS_AT, buf, len, err);
	if (rc == 0)
		rc = hash_clear(ix, head, buf, len, err);
	if (rc == 0)
		rc = index_packs_decode(buf, h->npacks, &ix->sum, err);
	free(buf);
	return rc;
}

/* Names, segments, summary: all lie one after the other. */
static uint64_t
pages_offset(const struct index *ix)
{
	return INDEX_PACKS_AT + (uint64_t)ix->sum.npacks * INDEX_PACK_LEN;
}

uint64_t
index_page_offset(const struct index *ix, size_t page)
{
	return pages_offset(ix) +
	       (uint64_t)page * (INDEX_PAGE_LEN + AEAD_TAG_LEN);
}

uint64_t
index_segments_offset(const struct index *ix, size_t page)
{
	return pages_offset(ix) + ix->sum.entries * INDEX_ENTRY_LEN +
	       (uint64_t)ix->sum.npages * AEAD_TAG_LEN +
	       (uint64_t)page * (INDEX_SEGMENTS_LEN + AEAD_TAG_LEN);
}

static uint64_t
summary_offset(const struct index *ix)
{
	return index_segments_offset(ix, 0) +
	       (uint64_t)ix->sum.nsegments * INDEX_SEGMENT_LEN +
	       (uint64_t)index_segment_pages(&ix->sum) * AEAD_TAG_LEN;
}

static int
read_summary(struct index *ix, uint64_t at, struct err *err)
{
	size_t len;
	uint8_t *buf;
	int rc;

	if (at < pages_offset(ix) ||
	    at > ix->size - FRAME_TAIL_LEN - AEAD_TAG_LEN ||
	    ix->size - at > INDEX_SUMMARY_MAX)
		return err_set(err, ERR_CORRUPT, "summary lies out of range");
	len = (size_t)(ix->size - FRAME_TAIL_LEN - at);
	buf = malloc(len);
	if (buf == NULL)
		return err_nomem(err);
	rc = index_read_sealed(ix, INDEX_SUMMARY_COUNTER, at, buf, len, err);
	if (rc == 0)
		rc = index_summary_decode(
		    buf, len - AEAD_TAG_LEN, &ix->sum, err);
	free(buf);
	if (rc == 0 && summary_offset(ix) != at)
		rc = err_set(
		    err, ERR_CORRUPT, "pages are not where they should be");
	return rc;
}

static int
read_frame(struct index *ix, const struct keyring *kr, struct err *err)
{
	uint8_t clear[INDEX_PACKS_AT], tail[FRAME_TAIL_LEN];
	struct index_head head;
	uint64_t at;
	int rc;

	if (ix->size < INDEX_PACKS_AT + AEAD_TAG_LEN + FRAME_TAIL_LEN)
		return err_set(err, ERR_CORRUPT, "cut off");
	rc = read_at(ix, 0, clear, sizeof(clear), err);
	if (rc == 0)
		rc = index_head_decode(clear, &head, err);
	if (rc == 0)
		rc = open_box(ix, clear + INDEX_HEAD_LEN, &head, kr, err);
	if (rc == 0)
		rc = read_packs(ix, clear, &head, err);
	if (rc == 0)
		rc = read_at(
		    ix, ix->size - sizeof(tail), tail, sizeof(tail), err);
	if (rc == 0)
		rc = frame_tail_read(tail, &at, err);
	if (rc == 0)
		rc = read_summary(ix, at, err);
	return rc;
}

/* Everything but where its bytes are. */
static int
index_new(const struct object_ref *ref, struct index_pages *pages,
    struct index **out, struct err *err)
{
	struct index *ix = calloc(1, sizeof(*ix));
	int rc = 0;

	*out = NULL;
	if (ix == NULL)
		return err_nomem(err);
	if (pages == NULL)
		rc = index_pages_new(OWN_PAGES, &ix->own_pages, err);
	if (rc != 0) {
		free(ix);
		return rc;
	}
	(void)pthread_mutex_init(&ix->mu, NULL);
	ix->ref = *ref;
	ix->pages = pages != NULL ? pages : ix->own_pages;
	*out = ix;
	return 0;
}

/* Pages of names, then pages of segments. */
static size_t
count_homes(const struct index *ix)
{
	return ix->sum.npages + index_segment_pages(&ix->sum);
}

static int
begin(struct index *ix, const struct keyring *kr, struct err *err)
{
	int rc = read_frame(ix, kr, err);

	if (rc != 0)
		return index_name_failure(ix, rc, err);
	ix->homes = calloc(count_homes(ix), sizeof(struct index_page *));
	return ix->homes == NULL ? err_nomem(err) : 0;
}

int
index_open_sharing(struct store *store, const struct object_ref *ref,
    const struct keyring *kr, struct index_pages *pages, struct index **out,
    struct err *err)
{
	AUTO(index) struct index *ix = NULL;
	int rc;

	*out = NULL;
	rc = index_new(ref, pages, &ix, err);
	if (rc != 0)
		return rc;
	ix->store = store;
	rc = store_size(store, ref, &ix->size, err);
	if (rc == 0)
		rc = begin(ix, kr, err);
	if (rc != 0)
		return rc;
	*out = STEAL(ix);
	return 0;
}

int
index_open(struct store *store, const struct object_ref *ref,
    const struct keyring *kr, struct index **out, struct err *err)
{
	return index_open_sharing(store, ref, kr, NULL, out, err);
}

int
index_open_bytes(const uint8_t *buf, size_t len, const struct object_ref *ref,
    const struct keyring *kr, struct index **out, struct err *err)
{
	AUTO(index) struct index *ix = NULL;
	int rc;

	*out = NULL;
	rc = index_new(ref, NULL, &ix, err);
	if (rc != 0)
		return rc;
	ix->bytes = buf;
	ix->size = len;
	rc = begin(ix, kr, err);
	if (rc != 0)
		return rc;
	*out = STEAL(ix);
	return 0;
}

void
index_close(struct index *ix)
{
	if (ix == NULL)
		return;
	if (ix->homes != NULL)
		index_pages_drop(ix->pages, ix->homes, count_homes(ix));
	free(ix->homes);
	index_pages_free(ix->own_pages);
	index_summary_clear(&ix->sum);
	aead_free(ix->aead);
	(void)pthread_mutex_destroy(&ix->mu);
	free(ix);
}
