#include "crypto/hash.h"
#include "snapshot/store/dirstore.h"
#include "snapshot/store/store_ops.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(OBJECT_NAME_LEN == HASH_LEN, "objects are named by SHA-256");

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
