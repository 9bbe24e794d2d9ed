#include "snapshot/content/verify.h"

#include "crypto/hash.h"

#include <pthread.h>
#include <stdlib.h>

#define KEPT 64 /* namers at rest */

struct verifier {
	const struct id_key *key;
	pthread_mutex_t mu;
	struct namer *rest[KEPT]; /* guarded by mu */
	size_t n;                 /* guarded by mu */
};

int
verifier_new(const struct id_key *key, struct verifier **out, struct err *err)
{
	struct verifier *v = calloc(1, sizeof(*v));

	*out = v;
	if (v == NULL)
		return err_nomem(err);
	v->key = key;
	pthread_mutex_init(&v->mu, NULL);
	return 0;
}

void
verifier_free(struct verifier *v)
{
	if (v == NULL)
		return;
	while (v->n > 0)
		namer_free(v->rest[--v->n]);
	pthread_mutex_destroy(&v->mu);
	free(v);
}

static int
take(struct verifier *v, struct namer **out, struct err *err)
{
	*out = NULL;
	pthread_mutex_lock(&v->mu);
	if (v->n > 0)
		*out = v->rest[--v->n];
	pthread_mutex_unlock(&v->mu);
	return *out != NULL ? 0 : namer_new(v->key, out, err);
}

static void
give(struct verifier *v, struct namer *namer)
{
	pthread_mutex_lock(&v->mu);
	if (v->n < KEPT) {
		v->rest[v->n++] = namer;
		namer = NULL;
	}
	pthread_mutex_unlock(&v->mu);
	namer_free(namer);
}

int
verifier_check(struct verifier *v, const struct chunk_name *name,
    enum chunk_kind kind, const uint8_t *buf, size_t len, struct err *err)
{
	struct chunk_name found;
	struct namer *namer;
	int ret;

	if ((ret = take(v, &namer, err)) != 0)
		return ret;
	ret = namer_name(namer, kind, buf, len, &found, err);
	give(v, namer);
	if (ret != 0)
		return ret;
	if (!ct_equal(found.b, name->b, sizeof(found.b)))
		return err_set(
		    err, ERR_CORRUPT, "its bytes are not what its name says");
	return 0;
}
