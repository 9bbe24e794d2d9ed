#include "snapshot/store/store_batch.h"

#include "crypto/hash.h"
#include "snapshot/store/store_ops.h"

#include <stdlib.h>
#include <string.h>

struct store_batch {
	struct store *store;
	struct sha256_ctx *sha;
	struct store_draft *open; /* the object being written, or NULL */
	struct object_ref ref;    /* its name */
	uint64_t size;            /* its bytes so far */
	/* The whole ones; drafts[i] is to be refs[i]. */
	struct store_draft **drafts;
	struct object_ref *refs;
	size_t n, cap;
	uint64_t bytes;
	bool rely; /* on names that are there already */
};

int
store_batch_new(struct store *s, struct store_batch **out, struct err *err)
{
	AUTO(store_batch) struct store_batch *b = calloc(1, sizeof(*b));
	int rc;

	*out = NULL;
	if (b == NULL)
		return err_nomem(err);
	b->store = s;
	rc = sha256_new(&b->sha, err);
	if (rc != 0)
		return rc;
	*out = STEAL(b);
	return 0;
}

static void
empty(struct store_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		b->store->ops->draft_free(b->drafts[i]);
	b->n = 0;
	b->bytes = 0;
}

void
store_batch_free(struct store_batch *b)
{
	if (b == NULL)
		return;
	store_batch_drop(b);
	empty(b);
	sha256_free(b->sha);
	free(b->drafts);
	free(b->refs);
	free(b);
}

void
store_batch_drop(struct store_batch *b)
{
	if (b->open != NULL)
		b->store->ops->draft_free(STEAL(b->open));
}

static int
reserve(struct store_batch *b, struct err *err)
{
	size_t cap = b->cap == 0 ? 16 : 2 * b->cap;
	struct store_draft **drafts;
	struct object_ref *refs;

	if (b->n < b->cap)
		return 0;
	drafts = reallocarray(b->drafts, cap, sizeof(struct store_draft *));
	if (drafts != NULL)
		b->drafts = drafts;
	refs = reallocarray(b->refs, cap, sizeof(*refs));
	if (refs != NULL)
		b->refs = refs;
	if (drafts == NULL || refs == NULL)
		return err_nomem(err);
	b->cap = cap;
	return 0;
}

int
store_batch_begin(
    struct store_batch *b, const struct object_ref *ref, struct err *err)
{
	uint8_t unused[HASH_LEN];
	int rc;

	store_batch_drop(b);
	if (ref->cls == OBJECT_ROOT)
		return err_set(err, ERR_BUG, "the root object never changes");
	rc = reserve(b, err);
	/* The hash starts over: what was given up may be in it. */
	if (rc == 0)
		rc = sha256_final(b->sha, unused, err);
	if (rc == 0)
		rc = b->store->ops->draft_new(b->store, &b->open, err);
	b->ref = *ref;
	b->size = 0;
	return rc;
}

int
store_batch_write(
    struct store_batch *b, const void *buf, size_t len, struct err *err)
{
	int rc;

	if (b->open == NULL)
		return err_set(err, ERR_BUG, "no object was begun");
	rc = sha256_update(b->sha, buf, len, err);
	if (rc == 0)
		rc = b->store->ops->draft_write(b->open, buf, len, err);
	if (rc != 0)
		store_batch_drop(b);
	else
		b->size += len;
	return rc;
}

int
store_batch_end(struct store_batch *b, struct err *err)
{
	uint8_t name[HASH_LEN];
	char text[OBJECT_REF_TEXT];
	int rc;

	if (b->open == NULL)
		return err_set(err, ERR_BUG, "no object was begun");
	rc = sha256_final(b->sha, name, err);
	if (rc == 0 && memcmp(name, b->ref.name, OBJECT_NAME_LEN) != 0) {
		object_ref_text(&b->ref, text);
		rc = err_set(err, ERR_CORRUPT,
		    "the SHA-256 of '%s' is not its name", text);
	}
	if (rc != 0) {
		store_batch_drop(b);
		return rc;
	}
	b->drafts[b->n] = STEAL(b->open);
	b->refs[b->n++] = b->ref;
	b->bytes += b->size;
	return 0;
}

int
store_batch_split(
    struct store_batch *b, struct store_batch **out, struct err *err)
{
	int rc = store_batch_new(b->store, out, err);
	struct store_batch *to = *out;

	if (rc != 0)
		return rc;
	to->drafts = STEAL(b->drafts);
	to->refs = STEAL(b->refs);
	to->n = b->n;
	to->cap = b->cap;
	to->bytes = b->bytes;
	to->rely = b->rely;
	b->n = b->cap = 0;
	b->bytes = 0;
	b->rely = false;
	/* Where the object that was begun is to go. */
	return b->open != NULL ? reserve(b, err) : 0;
}

void
store_batch_rely(struct store_batch *b)
{
	b->rely = true;
}

size_t
store_batch_count(const struct store_batch *b)
{
	return b->n;
}

uint64_t
store_batch_bytes(const struct store_batch *b)
{
	return b->bytes;
}

int
store_batch_commit(struct store_batch *b, struct err *err)
{
	int rc = 0;

	store_batch_drop(b);
	if (b->rely)
		rc = b->store->ops->sync(b->store, err);
	b->rely = false;
	if (rc == 0 && b->n > 0)
		rc = b->store->ops->drafts_commit(
		    b->store, b->drafts, b->refs, b->n, err);
	empty(b);
	return rc;
}
