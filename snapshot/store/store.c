#include "crypto/hash.h"
#include "snapshot/store/dirstore.h"
#include "snapshot/store/store_ops.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(OBJECT_NAME_LEN == HASH_LEN, "objects are named by SHA-256");

struct store_writer {
	struct store *store;
	struct store_draft *draft;
	struct sha256_ctx *sha;
	struct object_ref ref;
	bool failed; /* what was written is not what the caller meant */
};

/* A directory takes any address but a URL, which is another kind's. */
static int
check_address(const char *address, struct err *err)
{
	if (address[0] == '\0')
		return err_set(err, ERR_USAGE, "the store's address is empty");
	if (strstr(address, "://") != NULL)
		return err_set(err, ERR_USAGE,
		    "no kind of store is known for the address '%s'", address);
	return 0;
}

int
store_create(const char *address, const void *root, size_t len,
    struct store **out, struct err *err)
{
	int rc = check_address(address, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	return dirstore_create(address, root, len, &sysio_libc, out, err);
}

int
store_prepare_replica(const char *address, const char *site, struct err *err)
{
	int rc = check_address(address, err);

	if (rc != 0)
		return rc;
	return dirstore_prepare_replica(address, site, &sysio_libc, err);
}

int
store_finish_replica(const char *address, const void *root, size_t len,
    struct store **out, struct err *err)
{
	int rc = check_address(address, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	return dirstore_finish_replica(
	    address, root, len, &sysio_libc, out, err);
}

int
store_open(const char *address, struct store **out, struct err *err)
{
	int rc = check_address(address, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	return dirstore_open(address, &sysio_libc, out, err);
}

void
store_close(struct store *s)
{
	if (s != NULL)
		s->ops->close(s);
}

int
store_replica(
    struct store *s, bool *replica, char site[STORE_SITE_MAX], struct err *err)
{
	*replica = true;
	site[0] = '\0';
	return s->ops->replica(s, replica, site, err);
}

int
store_check_primary(struct store *s, struct err *err)
{
	char site[STORE_SITE_MAX];
	bool replica;
	int rc = store_replica(s, &replica, site, err);

	if (rc != 0 || !replica)
		return rc;
	return err_set(err, ERR_DENIED,
	    "store '%s' is a replica (site %s): use the primary; or, after a"
	    " disaster, make this one the primary with 'varve promote'",
	    s->address, site);
}

int
store_set_replica(struct store *s, const char *site, struct err *err)
{
	return s->ops->set_replica(s, site, err);
}

int
store_left(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    bool *left, struct err *err)
{
	*left = true;
	return s->ops->left(s, dataset, left, err);
}

int
store_set_left(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    bool left, struct err *err)
{
	return s->ops->set_left(s, dataset, left, err);
}

const char *
store_address(const struct store *s)
{
	return s->address;
}

const char *
store_path(const struct store *s)
{
	return s->path;
}

/* --- reading ----------------------------------------------------------- */

static int
check_name(const struct store *s, const struct object_ref *ref,
    const uint8_t *buf, size_t len, struct err *err)
{
	char text[OBJECT_REF_TEXT];
	uint8_t name[HASH_LEN];
	int rc = sha256(buf, len, name, err);

	if (rc != 0)
		return rc;
	if (memcmp(name, ref->name, OBJECT_NAME_LEN) == 0)
		return 0;
	object_ref_text(ref, text);
	return err_set(err, ERR_CORRUPT,
	    "'%s/%s' is damaged: its SHA-256 is not its name", s->address,
	    text);
}

int
store_get(struct store *s, const struct object_ref *ref, size_t max,
    uint8_t **buf, size_t *len, struct err *err)
{
	int rc;

	*buf = NULL;
	*len = 0;
	rc = s->ops->get(s, ref, max, buf, len, err);
	if (rc != 0 || ref->cls == OBJECT_ROOT)
		return rc;
	rc = check_name(s, ref, *buf, *len, err);
	if (rc != 0) {
		free(STEAL(*buf));
		*len = 0;
	}
	return rc;
}

int
store_read_at(struct store *s, const struct object_ref *ref, uint64_t off,
    void *buf, size_t len, struct err *err)
{
	return s->ops->read_at(s, ref, off, buf, len, err);
}

void
store_will_read(struct store *s, const struct object_ref *ref)
{
	s->ops->will_read(s, ref);
}

int
store_size(struct store *s, const struct object_ref *ref, uint64_t *size,
    struct err *err)
{
	return s->ops->size(s, ref, size, err);
}

int
store_time(struct store *s, const struct object_ref *ref, int64_t *when,
    struct err *err)
{
	return s->ops->time(s, ref, when, err);
}

int
store_list(struct store *s, enum object_class cls,
    const uint8_t dataset[STORE_DATASET_LEN], store_visit_fn *visit, void *arg,
    struct err *err)
{
	return s->ops->list(s, cls, dataset, visit, arg, err);
}

int
store_list_datasets(
    struct store *s, store_visit_fn *visit, void *arg, struct err *err)
{
	return s->ops->list_datasets(s, visit, arg, err);
}

int
store_log_mark(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    uint64_t *mark, struct err *err)
{
	return s->ops->log_mark(s, dataset, mark, err);
}

/* --- writing ----------------------------------------------------------- */

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

/* A record that is added before the promotion's would be a second history. */
static int
check_not_left(
    struct store *s, const uint8_t dataset[STORE_DATASET_LEN], struct err *err)
{
	bool left;
	int rc = store_left(s, dataset, &left, err);

	if (rc != 0 || !left)
		return rc;
	return err_set(err, ERR_CORRUPT,
	    "it was not taken over when store '%s' was promoted, for its log"
	    " was damaged: run 'varve promote' again, which says what is wrong,"
	    " and takes it over once it is mended",
	    s->address);
}

int
store_lock_dataset(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    enum store_lock_kind kind, struct store_lock **out, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	int rc = store_check_primary(s, err);

	*out = NULL;
	if (rc != 0 || (rc = s->ops->lock(s, dataset, kind, &lock, err)) != 0)
		return rc;
	/* It may have become one before the lock was had. */
	rc = store_check_primary(s, err);
	if (rc == 0)
		rc = check_not_left(s, dataset, err);
	if (rc == 0)
		*out = STEAL(lock);
	return rc;
}

int
store_lock_replica(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    enum store_lock_kind kind, struct store_lock **out, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	char site[STORE_SITE_MAX];
	bool replica;
	int rc;

	*out = NULL;
	if ((rc = s->ops->lock(s, dataset, kind, &lock, err)) != 0 ||
	    (rc = store_replica(s, &replica, site, err)) != 0)
		return rc;
	if (!replica)
		return err_set(err, ERR_DENIED,
		    "store '%s' is a primary: it takes nothing from another"
		    " ('varve demote' makes it a replica)",
		    s->address);
	*out = STEAL(lock);
	return 0;
}

int
store_lock_promotion(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    struct store_lock **out, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	char site[STORE_SITE_MAX];
	bool replica, left;
	int rc;

	*out = NULL;
	if ((rc = s->ops->lock(s, dataset, STORE_LOCK_APPEND, &lock, err)) !=
		0 ||
	    (rc = store_replica(s, &replica, site, err)) != 0 ||
	    (rc = store_left(s, dataset, &left, err)) != 0)
		return rc;
	if (!replica && !left)
		return err_set(err, ERR_DENIED,
		    "store '%s' is its primary already", s->address);
	*out = STEAL(lock);
	return 0;
}

void
store_unlock(struct store_lock *lock)
{
	if (lock != NULL)
		lock->store->ops->unlock(lock);
}

int
store_lock_note(
    struct store_lock *lock, const void *buf, size_t len, struct err *err)
{
	if (len == 0 || len > STORE_NOTE_MAX)
		return err_set(err, ERR_BUG, "a note of %zu bytes", len);
	return lock->store->ops->lock_note(lock, buf, len, err);
}

int
store_lock_look(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    enum store_lock_kind kind, struct store_lock_state *out, struct err *err)
{
	memset(out, 0, sizeof(*out));
	return s->ops->lock_look(s, dataset, kind, out, err);
}
