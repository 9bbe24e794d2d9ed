#include "crypto/box.h"
#include "crypto/commit.h"
#include "crypto/hash.h"

#include <string.h>

_Static_assert(BOX_SALT_LEN == COMMIT_SALT_LEN && BOX_COMMIT_LEN == COMMIT_LEN,
    "a box's head is a salt and a commitment");

/* KEYS.md 'Boxes': the key and commitment that follow from key and salt. */
static int
derive(const struct key32 *key, const char *label,
    const uint8_t salt[BOX_SALT_LEN], struct commit_keys *out, struct err *err)
{
	static const char prefix[] = "varve/1/box/";
	WR_AUTO struct wr info = {0};

	wr_bytes(&info, prefix, strlen(prefix));
	wr_bytes(&info, label, strlen(label));
	return commit_derive(key, salt, &info, out, err);
}

int
box_head_new(const struct key32 *key, const char *label,
    uint8_t head[BOX_HEAD_LEN], struct aead **out, struct err *err)
{
	WIPE struct commit_keys keys = {0};
	int rc = random_bytes(head, BOX_SALT_LEN, err);

	*out = NULL;
	if (rc == 0)
		rc = derive(key, label, head, &keys, err);
	if (rc != 0)
		return rc;
	memcpy(head + BOX_SALT_LEN, keys.commit, BOX_COMMIT_LEN);
	return aead_new(&keys.key, out, err);
}

int
box_head_open(const struct key32 *key, const char *label,
    const uint8_t head[BOX_HEAD_LEN], struct aead **out, struct err *err)
{
	WIPE struct commit_keys keys = {0};
	int rc = derive(key, label, head, &keys, err);

	*out = NULL;
	if (rc == 0)
		rc = commit_check(&keys, head + BOX_SALT_LEN, err);
	if (rc != 0)
		return rc;
	return aead_new(&keys.key, out, err);
}

int
box_seal(const struct key32 *key, const char *label, const void *ad,
    size_t adlen, const void *pt, size_t len, struct wr *out, struct err *err)
{
	AUTO(aead) struct aead *a = NULL;
	size_t start = out->len;
	uint8_t *p;
	int rc;

	if (len > SIZE_MAX - BOX_OVERHEAD)
		return err_nomem(err);
	p = wr_space(out, len + BOX_OVERHEAD);
	if (p == NULL)
		return err_nomem(err);
	rc = box_head_new(key, label, p, &a, err);
	if (rc == 0)
		rc = aead_seal(a, 0, ad, adlen, pt, len, p + BOX_HEAD_LEN, err);
	if (rc != 0)
		out->len = start;
	return rc;
}

int
box_open(const struct key32 *key, const char *label, const void *ad,
    size_t adlen, const uint8_t *box, size_t len, struct wr *out,
    struct err *err)
{
	AUTO(aead) struct aead *a = NULL;
	size_t start = out->len;
	uint8_t *p;
	int rc;

	if (len < BOX_OVERHEAD)
		return err_set(
		    err, ERR_CORRUPT, "%zu bytes are too few for a box", len);
	rc = box_head_open(key, label, box, &a, err);
	if (rc != 0)
		return rc;
	p = wr_space(out, len - BOX_OVERHEAD);
	if (p == NULL)
		return err_nomem(err);
	rc = aead_open(
	    a, 0, ad, adlen, box + BOX_HEAD_LEN, len - BOX_HEAD_LEN, p, err);
	if (rc != 0)
		out->len = start;
	return rc;
}
