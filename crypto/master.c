#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "crypto/kdf.h"
#include "crypto/root.h"

#include <string.h>

/* KEYS.md 'The master key': each private half is a key of its own by HKDF. */
static int
from_seed(const struct key32 *seed, const char *label, uint8_t out[KEY_LEN],
    struct err *err)
{
	return hkdf(NULL, 0, seed->b, sizeof(seed->b), label, strlen(label),
	    out, KEY_LEN, err);
}

int
master_from_seed(const struct key32 *seed, struct master **out, struct err *err)
{
	AUTO(master) struct master *m = secret_alloc(sizeof(*m));
	int rc;

	*out = NULL;
	if (m == NULL)
		return err_nomem(err);
	m->seed = *seed;
	rc = from_seed(seed, "varve/1/master/seal", m->seal.b, err);
	if (rc == 0)
		rc = from_seed(seed, "varve/1/master/sign", m->sign.b, err);
	if (rc == 0)
		rc = hpke_public(&m->seal, &m->seal_pub, err);
	if (rc == 0)
		rc = sign_public(&m->sign, &m->sign_pub, err);
	if (rc != 0)
		return rc;
	*out = STEAL(m);
	return 0;
}

int
master_new(struct master **out, struct err *err)
{
	WIPE struct key32 seed = {0};
	int rc = random_bytes(seed.b, sizeof(seed.b), err);

	*out = NULL;
	return rc != 0 ? rc : master_from_seed(&seed, out, err);
}

void
master_free(struct master *m)
{
	secret_free(m);
}
