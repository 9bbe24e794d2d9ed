#include "snapshot/site/sitedir.h"
#include "crypto/hash.h"
#include "snapshot/access/access.h"
#include "snapshot/site/sitedir_internal.h"

#include <stdlib.h>
#include <string.h>

struct sitedir {
	char *address;
	struct identity *key;
	struct sitedb *db;
	struct site_request request;
};

int
sitedir_peek(const char *address, struct site_request *out, struct err *err)
{
	char path[SITEDIR_PATH];
	char *text = NULL;
	size_t len;
	int rc = sitedir_file_path(address, SITEDIR_REQUEST, path, err);

	*out = (struct site_request){0};
	if (rc != 0)
		return rc;
	rc = sitedir_file_read(path, SITE_REQUEST_TEXT_MAX, &text, &len, err);
	if (rc == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND,
		    "'%s' is no site: 'varve serve %s --init' makes it one",
		    address, address);
	if (rc != 0)
		return rc;
	rc = site_request_parse(text, len, out, err);
	free(text);
	return rc != 0 ? err_wrap(err, "'%s'", path) : 0;
}

static int
load(struct sitedir *d, struct err *err)
{
	char path[SITEDIR_PATH];
	int rc;

	if ((rc = sitedir_peek(d->address, &d->request, err)) != 0 ||
	    (rc = sitedir_file_path(d->address, SITEDIR_KEY, path, err)) != 0 ||
	    (rc = access_keyfile_read(path, &d->key, err)) != 0)
		return rc;
	if (memcmp(d->key->pub.id, d->request.site.pub.id, IDENTITY_ID_LEN) !=
	    0)
		return err_set(err, ERR_CORRUPT,
		    "the key '%s' is not the one that made the request beside"
		    " it",
		    path);
	rc = sitedir_file_path(d->address, SITEDIR_DB, path, err);
	return rc != 0 ? rc : sitedb_open(path, &d->db, err);
}

int
sitedir_open(const char *address, struct sitedir **out, struct err *err)
{
	AUTO(sitedir) struct sitedir *d = calloc(1, sizeof(*d));
	int rc;

	*out = NULL;
	if (d == NULL || (d->address = strdup(address)) == NULL)
		return err_nomem(err);
	rc = load(d, err);
	if (rc != 0)
		return rc;
	*out = STEAL(d);
	return 0;
}

void
sitedir_close(struct sitedir *d)
{
	if (d == NULL)
		return;
	sitedb_close(d->db);
	identity_free(d->key);
	free(d->address);
	free(d);
}

const struct identity *
sitedir_key(const struct sitedir *d)
{
	return d->key;
}

struct sitedb *
sitedir_db(struct sitedir *d)
{
	return d->db;
}

const struct site_request *
sitedir_request(const struct sitedir *d)
{
	return &d->request;
}

int
sitedir_adopt(struct sitedir *d, const uint8_t *root, size_t len,
    struct store **out, struct err *err)
{
	struct root parsed;
	int rc = root_decode(root, len, &parsed, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	if (!ct_equal(
		parsed.fingerprint, d->request.fingerprint, FINGERPRINT_LEN))
		return err_set(err, ERR_AUTH,
		    "site '%s' is for another store than this",
		    d->request.site.pub.name);
	return store_finish_replica(d->address, root, len, out, err);
}

int
sitedir_receipt(struct sitedir *d, const uint8_t store[STORE_ID_LEN],
    const uint8_t dataset[RECEIPT_DATASET_LEN], uint64_t seq,
    const uint8_t head[RECEIPT_NAME_LEN], int64_t clock,
    uint8_t out[RECEIPT_LEN], struct err *err)
{
	struct receipt r = {.seq = seq};
	struct site_time time;
	int rc = sitedb_clock(d->db, clock, &time, err);

	if (rc != 0)
		return rc;
	r.time = time.now;
	memcpy(r.store, store, sizeof(r.store));
	memcpy(r.dataset, dataset, sizeof(r.dataset));
	memcpy(r.head, head, sizeof(r.head));
	return receipt_make(&r, d->key, out, err);
}
