#include "crypto/box.h"
#include "snapshot/content/index_pages.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Pages kept for an index that is opened by itself: 16 MiB. */
#define OWN_PAGES 455

struct index {
	struct object_ref ref;
	/* Where its bytes are: in a store, or (${bytes}) in memory. */
	struct store *store;
	const uint8_t *bytes;
	uint64_t size;

	uint8_t head[INDEX_HEAD_LEN];
	pthread_mutex_t mu;
	struct aead *aead; /* guarded by mu */
	struct index_summary sum;
	struct index_pages *pages;
	struct index_pages *own_pages; /* or NULL */
	struct index_page **homes;     /* guarded by pages' mutex */
};

/* --- opening ------------------------------------------------------------ */

/* "index 'datasets/.../...': what went wrong" */
static int
name_index(const struct index *ix, int rc, struct err *err)
{
	char text[OBJECT_REF_TEXT];

	object_ref_text(&ix->ref, text);
	(void)err_wrap(err, "index '%s'", text);
	return rc;
}

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

/* Read ${len} sealed bytes and open them in place. */
static int
read_sealed(struct index *ix, uint64_t counter, uint64_t off, uint8_t *buf,
    size_t len, struct err *err)
{
	uint8_t ad[INDEX_AD_LEN];
	int rc = read_at(ix, off, buf, len, err);

	if (rc != 0)
		return rc;
	index_ad(ix->head, counter, ad);
	(void)pthread_mutex_lock(&ix->mu);
	rc = aead_open(ix->aead, counter, ad, sizeof(ad), buf, len, buf, err);
	(void)pthread_mutex_unlock(&ix->mu);
	/* The key is right, or the box had not opened: so it is damage. */
	if (rc == ERR_AUTH)
		rc = err_set(err, ERR_CORRUPT, "damaged or tampered with");
	return rc;
}

static int
open_box(struct index *ix, const struct keyring *kr, struct err *err)
{
	WIPE struct key32 key = {0};
	uint8_t box[BOX_HEAD_LEN];
	const struct keyset *ks;
	struct index_head head;
	int rc = index_head_decode(ix->head, &head, err);

	if (rc != 0)
		return rc;
	if (memcmp(head.dataset, ix->ref.dataset, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "it is another dataset's");
	ks = keyring_epoch(kr, head.epoch);
	if (ks == NULL)
		return err_set(err, ERR_DENIED,
		    "this key can't open what was written in epoch %u",
		    head.epoch);
	memcpy(key.b, ks->index.b, sizeof(key.b));
	rc = read_at(ix, INDEX_HEAD_LEN, box, sizeof(box), err);
	if (rc != 0)
		return rc;
	return box_head_open(&key, INDEX_BOX_LABEL, box, &ix->aead, err);
}

/* Where a page lies: all before it are full. */
static uint64_t
page_offset(size_t page)
{
	return INDEX_HEAD_LEN + BOX_HEAD_LEN +
	       (uint64_t)page * (INDEX_PAGE_LEN + AEAD_TAG_LEN);
}

static size_t
page_sealed_len(const struct index *ix, size_t page)
{
	return index_page_entries(&ix->sum, page) * INDEX_ENTRY_LEN +
	       AEAD_TAG_LEN;
}

static int
read_summary(struct index *ix, uint64_t at, struct err *err)
{
	size_t last, len;
	uint8_t *buf;
	int rc;

	if (at < page_offset(0) ||
	    at > ix->size - FRAME_TAIL_LEN - AEAD_TAG_LEN ||
	    ix->size - at > INDEX_SUMMARY_MAX)
		return err_set(err, ERR_CORRUPT, "summary lies out of range");
	len = (size_t)(ix->size - FRAME_TAIL_LEN - at);
	buf = malloc(len);
	if (buf == NULL)
		return err_nomem(err);
	rc = read_sealed(ix, INDEX_SUMMARY_COUNTER, at, buf, len, err);
	if (rc == 0)
		rc = index_summary_decode(
		    buf, len - AEAD_TAG_LEN, &ix->sum, err);
	free(buf);
	if (rc != 0)
		return rc;
	last = ix->sum.npages - 1;
	if (page_offset(last) + page_sealed_len(ix, last) != at)
		return err_set(
		    err, ERR_CORRUPT, "pages are not where they should be");
	return 0;
}

static int
read_frame(struct index *ix, const struct keyring *kr, struct err *err)
{
	uint8_t tail[FRAME_TAIL_LEN];
	uint64_t at;
	int rc;

	if (ix->size < page_offset(0) + AEAD_TAG_LEN + FRAME_TAIL_LEN)
		return err_set(err, ERR_CORRUPT, "cut off");
	rc = read_at(ix, 0, ix->head, sizeof(ix->head), err);
	if (rc == 0)
		rc = open_box(ix, kr, err);
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

static int
begin(struct index *ix, const struct keyring *kr, struct err *err)
{
	int rc = read_frame(ix, kr, err);

	if (rc != 0)
		return name_index(ix, rc, err);
	ix->homes = calloc(ix->sum.npages, sizeof(struct index_page *));
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
		index_pages_drop(ix->pages, ix->homes, ix->sum.npages);
	free(ix->homes);
	index_pages_free(ix->own_pages);
	index_summary_clear(&ix->sum);
	aead_free(ix->aead);
	(void)pthread_mutex_destroy(&ix->mu);
	free(ix);
}

/* --- looking up --------------------------------------------------------- */

size_t
index_entries(const struct index *ix)
{
	return ix->sum.entries;
}

const struct object_ref *
index_ref(const struct index *ix)
{
	return &ix->ref;
}

/* Read, open and check a page; ${buf} has room for a full one and its tag. */
static int
read_page(struct index *ix, size_t page, uint8_t *buf, struct err *err)
{
	size_t len = page_sealed_len(ix, page);
	int rc = read_sealed(ix, page, page_offset(page), buf, len, err);

	if (rc == 0)
		rc = index_page_check(
		    &ix->sum, page, buf, len - AEAD_TAG_LEN, err);
	if (rc != 0) {
		(void)err_wrap(err, "page %zu", page);
		return name_index(ix, rc, err);
	}
	return 0;
}

static int
load_page(
    struct index *ix, size_t page, struct index_page **out, struct err *err)
{
	struct index_page *p = malloc(sizeof(*p));
	int rc;

	*out = NULL;
	if (p == NULL)
		return err_nomem(err);
	p->n = index_page_entries(&ix->sum, page);
	rc = read_page(ix, page, p->entries, err);
	if (rc != 0) {
		free(p);
		return rc;
	}
	*out = p;
	return 0;
}

static int
find_segment(struct index *ix, const struct chunk_name *name, uint32_t *segment,
    bool *found, struct err *err)
{
	size_t page = index_page_of(&ix->sum, name);
	struct index_page *p;
	int rc, known;

	*found = false;
	if (page == ix->sum.npages)
		return 0;
	known = index_pages_find(ix->pages, &ix->homes[page], name, segment);
	*found = known == 1;
	if (known >= 0)
		return 0;
	rc = load_page(ix, page, &p, err);
	if (rc != 0)
		return rc;
	*found = index_page_find(p->entries, p->n, name, segment);
	index_pages_keep(ix->pages, &ix->homes[page], p);
	return 0;
}

int
index_lookup(struct index *ix, const struct chunk_name *name,
    struct chunk_place *place, bool *found, struct err *err)
{
	uint32_t segment;
	int rc = find_segment(ix, name, &segment, found, err);

	if (rc == 0 && *found)
		index_summary_place(&ix->sum, segment, place);
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
		return name_index(ix, rc, err);
	}
	return rc;
}

const struct index_summary *
index_get_summary(const struct index *ix)
{
	return &ix->sum;
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
		rc = read_page(ix, page, buf, err);
		if (rc == 0)
			rc = visit(arg, &ix->sum, buf,
			    index_page_entries(&ix->sum, page), err);
	}
	free(buf);
	return rc;
}
