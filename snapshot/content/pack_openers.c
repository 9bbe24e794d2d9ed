#include "snapshot/content/pack_internal.h"

#include <pthread.h>
#include <stdlib.h>

/* Plaintext in use at once where no cache says otherwise. */
#define PLAIN_EXPECTED (16 * 1024 * 1024)

struct epoch_opener {
	uint32_t epoch;
	struct packopener *opener;
};

struct pack_openers {
	const struct keyring *kr;
	struct segment_decoder *decoder;
	pthread_mutex_t mu;
	struct epoch_opener *list; /* guarded by mu */
	size_t n;                  /* guarded by mu */
};

int
pack_openers_sharing(const struct keyring *kr, struct segment_decoder *decoder,
    struct pack_openers **out, struct err *err)
{
	struct pack_openers *o = calloc(1, sizeof(*o));

	*out = NULL;
	if (o == NULL)
		return err_nomem(err);
	(void)pthread_mutex_init(&o->mu, NULL);
	o->kr = kr;
	o->decoder = segment_decoder_ref(decoder);
	*out = o;
	return 0;
}

int
pack_openers_new(
    const struct keyring *kr, struct pack_openers **out, struct err *err)
{
	AUTO(segment_decoder) struct segment_decoder *decoder = NULL;
	int rc = segment_decoder_new(PLAIN_EXPECTED, &decoder, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	return pack_openers_sharing(kr, decoder, out, err);
}

void
pack_openers_free(struct pack_openers *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->n; i++)
		packopener_free(o->list[i].opener);
	free(o->list);
	(void)pthread_mutex_destroy(&o->mu);
	segment_decoder_unref(o->decoder);
	free(o);
}

/* With mu held. */
static int
add_epoch(struct pack_openers *o, uint32_t epoch, struct packopener **out,
    struct err *err)
{
	const struct keyset *ks = keyring_epoch(o->kr, epoch);
	struct epoch_opener *list;
	int rc;

	if (ks == NULL || !ks->has_private)
		return err_set(err, ERR_DENIED,
		    "this key can't open what was written in epoch %u", epoch);
	list = reallocarray(o->list, o->n + 1, sizeof(*list));
	if (list == NULL)
		return err_nomem(err);
	o->list = list;
	rc = packopener_new(&ks->seal, out, err);
	if (rc != 0)
		return rc;
	o->list[o->n++] = (struct epoch_opener){.epoch = epoch, .opener = *out};
	return 0;
}

int
pack_openers_find(struct pack_openers *o, uint32_t epoch,
    struct packopener **out, struct err *err)
{
	int rc = 0;

	*out = NULL;
	(void)pthread_mutex_lock(&o->mu);
	for (size_t i = 0; i < o->n && *out == NULL; i++)
		if (o->list[i].epoch == epoch)
			*out = o->list[i].opener;
	if (*out == NULL)
		rc = add_epoch(o, epoch, out, err);
	(void)pthread_mutex_unlock(&o->mu);
	return rc;
}

struct segment_decoder *
pack_openers_decoder(const struct pack_openers *o)
{
	return o->decoder;
}
