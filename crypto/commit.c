#include "crypto/commit.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"

_Static_assert(sizeof(struct commit_keys) == KEY_LEN + COMMIT_LEN,
    "key and commitment are one HKDF output");

int
commit_derive(const struct key32 *secret, const uint8_t salt[COMMIT_SALT_LEN],
    const struct wr *info, struct commit_keys *out, struct err *err)
{
	if (info->failed)
		return err_nomem(err);
	return hkdf(salt, COMMIT_SALT_LEN, secret->b, sizeof(secret->b),
	    info->buf, info->len, out, sizeof(*out), err);
}

int
commit_check(const struct commit_keys *keys, const uint8_t commit[COMMIT_LEN],
    struct err *err)
{
	if (!ct_equal(keys->commit, commit, COMMIT_LEN))
		return err_set(err, ERR_AUTH, "wrong key, or tampered bytes");
	return 0;
}
