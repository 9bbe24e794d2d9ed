#include "crypto/keyset.h"
#include "crypto/hash.h"

#include <string.h>

int
keyset_new(const char *name, struct keyset **out, struct err *err)
{
	AUTO(keyset) struct keyset *ks = NULL;
	int rc = keyset_name_check(name, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	ks = secret_alloc(sizeof(*ks));
	if (ks == NULL)
		return err_nomem(err);
	memcpy(ks->name, name, strlen(name) + 1);
	ks->epoch = 1;
	ks->has_private = true;
	rc = random_bytes(ks->dataset, sizeof(ks->dataset), err);
	if (rc == 0)
		rc = hpke_keypair(&ks->seal, &ks->seal_pub, err);
	if (rc == 0)
		rc = random_bytes(ks->id.b, sizeof(ks->id.b), err);
	if (rc == 0)
		rc = random_bytes(ks->index.b, sizeof(ks->index.b), err);
	if (rc != 0)
		return rc;
	*out = STEAL(ks);
	return 0;
}

int
keyset_next(const struct keyset *prev, struct keyset **out, struct err *err)
{
	AUTO(keyset) struct keyset *ks = secret_alloc(sizeof(*ks));
	int rc;

	*out = NULL;
	if (ks == NULL)
		return err_nomem(err);
	if (prev->epoch == UINT32_MAX)
		return err_set(err, ERR_USAGE,
		    "dataset '%s' has no epochs left", prev->name);
	*ks = *prev;
	ks->epoch++;
	ks->has_private = true;
	rc = hpke_keypair(&ks->seal, &ks->seal_pub, err);
	if (rc == 0)
		rc = random_bytes(ks->index.b, sizeof(ks->index.b), err);
	if (rc != 0)
		return rc;
	*out = STEAL(ks);
	return 0;
}

void
keyset_free(struct keyset *ks)
{
	secret_free(ks);
}

/* KEYS.md 'Key sets': what a role is given. */
void
keyset_encode(const struct keyset *ks, bool with_private, struct wr *w)
{
	if (with_private && !ks->has_private) {
		w->failed = true;
		return;
	}
	wr_u8(w, with_private);
	wr_bytes(w, ks->dataset, sizeof(ks->dataset));
	wr_u32(w, ks->epoch);
	wr_string(w, ks->name, strlen(ks->name));
	wr_bytes(w, with_private ? ks->seal.b : ks->seal_pub.b, KEY_LEN);
	wr_bytes(w, ks->id.b, sizeof(ks->id.b));
	wr_bytes(w, ks->index.b, sizeof(ks->index.b));
}

static int
get_name(struct rd *r, char out[DATASET_NAME_MAX + 1], struct err *err)
{
	size_t len;
	const uint8_t *name = rd_string(r, &len);

	if (name == NULL || len > DATASET_NAME_MAX ||
	    memchr(name, '\0', len) != NULL)
		return err_set(err, ERR_CORRUPT, "malformed key set");
	memcpy(out, name, len);
	out[len] = '\0';
	if (keyset_name_check(out, NULL) != 0)
		return err_set(err, ERR_CORRUPT, "malformed key set");
	return 0;
}

int
keyset_decode_name(
    struct rd *r, char name[DATASET_NAME_MAX + 1], struct err *err)
{
	(void)rd_u8(r);
	(void)rd_bytes(r, DATASET_ID_LEN);
	(void)rd_u32(r);
	return get_name(r, name, err);
}

int
keyset_decode(struct rd *r, struct keyset **out, struct err *err)
{
	AUTO(keyset) struct keyset *ks = secret_alloc(sizeof(*ks));
	uint8_t private;
	int rc;

	*out = NULL;
	if (ks == NULL)
		return err_nomem(err);
	private = rd_u8(r);
	ks->has_private = private == 1;
	rd_copy(r, ks->dataset, sizeof(ks->dataset));
	ks->epoch = rd_u32(r);
	rc = get_name(r, ks->name, err);
	if (rc != 0)
		return rc;
	rd_copy(r, ks->has_private ? ks->seal.b : ks->seal_pub.b, KEY_LEN);
	rd_copy(r, ks->id.b, sizeof(ks->id.b));
	rd_copy(r, ks->index.b, sizeof(ks->index.b));
	if (!rd_done(r) || private > 1 || ks->epoch == 0)
		return err_set(err, ERR_CORRUPT, "malformed key set");
	if (ks->has_private) {
		rc = hpke_public(&ks->seal, &ks->seal_pub, err);
		if (rc != 0)
			return rc;
	}
	*out = STEAL(ks);
	return 0;
}
