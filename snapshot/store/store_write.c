/* Objects on their way into a store, and out of it. */
#include "crypto/hash.h"
#include "snapshot/store/store_ops.h"

#include <stdlib.h>
#include <string.h>

struct store_writer {
	struct store *store;
	struct store_draft *draft;
	struct sha256_ctx *sha;
	struct object_ref ref;
	bool failed; /* what was written is not what the caller meant */
};

/* The root object is written once, by store_create(), and stays. */
static int
check_writable(enum object_class cls, struct err *err)
{
	if (cls == OBJECT_ROOT)
		return err_set(err, ERR_BUG, "the root object never changes");
	return 0;
}

static int
put_draft(struct store *s, const struct object_ref *ref, const void *buf,
    size_t len, struct err *err)
{
	struct store_draft *draft;
	int rc = s->ops->draft_new(s, &draft, err);

	if (rc != 0)
		return rc;
	rc = s->ops->draft_write(draft, buf, len, err);
	if (rc == 0)
		rc = s->ops->draft_commit(draft, ref, err);
	s->ops->draft_free(draft);
	return rc;
}

int
store_put(struct store *s, struct object_ref *ref, const void *buf, size_t len,
    struct err *err)
{
	int rc = check_writable(ref->cls, err);

	if (rc != 0)
		return rc;
	rc = sha256(buf, len, ref->name, err);
	if (rc != 0)
		return rc;
	return put_draft(s, ref, buf, len, err);
}

int
store_writer_new(struct store *s, enum object_class cls,
    const uint8_t dataset[STORE_DATASET_LEN], struct store_writer **out,
    struct err *err)
{
	AUTO(store_writer) struct store_writer *w = NULL;
	int rc = check_writable(cls, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return err_nomem(err);
	w->store = s;
	w->ref.cls = cls;
	if (cls != OBJECT_KEY)
		memcpy(w->ref.dataset, dataset, STORE_DATASET_LEN);
	rc = sha256_new(&w->sha, err);
	if (rc != 0)
		return rc;
	rc = s->ops->draft_new(s, &w->draft, err);
	if (rc != 0)
		return rc;
	*out = STEAL(w);
	return 0;
}

int
store_writer_write(
    struct store_writer *w, const void *buf, size_t len, struct err *err)
{
	int rc = sha256_update(w->sha, buf, len, err);

	if (rc == 0)
		rc = w->store->ops->draft_write(w->draft, buf, len, err);
	if (rc != 0)
		w->failed = true;
	return rc;
}

int
store_writer_commit(
    struct store_writer *w, struct object_ref *ref, struct err *err)
{
	int rc;

	if (w->failed)
		return err_set(err, ERR_BUG,
		    "commit of an object that could not be written");
	w->failed = true; /* there is no second commit */
	rc = sha256_final(w->sha, w->ref.name, err);
	if (rc != 0)
		return rc;
	rc = w->store->ops->draft_commit(w->draft, &w->ref, err);
	if (rc == 0)
		*ref = w->ref;
	return rc;
}

void
store_writer_free(struct store_writer *w)
{
	if (w == NULL)
		return;
	if (w->draft != NULL)
		w->store->ops->draft_free(w->draft);
	sha256_free(w->sha);
	free(w);
}

int
store_remove(struct store *s, const struct object_ref *ref, struct err *err)
{
	int rc = check_writable(ref->cls, err);

	if (rc != 0)
		return rc;
	return s->ops->remove(s, ref, err);
}

int
store_set_aside(struct store *s, const struct object_ref *ref,
    const char *aside, struct err *err)
{
	int rc = check_writable(ref->cls, err);

	if (rc != 0)
		return rc;
	return s->ops->set_aside(s, ref, aside, err);
}
