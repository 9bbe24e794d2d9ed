#include "snapshot/content/pack_format.h"
#include "snapshot/content/pack_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Contexts kept open for the next segment. */
#define IDLE_CONTEXTS 4
/*
 * Segments of a pack that were opened, one by one: then the rest may well be. On
 * a disk that seeks, to fetch 128 in one go takes about as long as these did.
 * And again for so many more: what was fetched may have been dropped meanwhile,
 * and where it has not that costs next to nothing.
 */
#define MUCH_READ 8
#define READ_AGAIN 32

struct pack {
	atomic_uint refs;
	struct store *store;
	struct object_ref ref;
	struct pack_id id;
	uint8_t header[PACK_HEADER_LEN];
	struct packopener *opener; /* of the openers */
	struct segment_decoder *decoder;
	pthread_mutex_t mu;
	struct aead *idle[IDLE_CONTEXTS]; /* guarded by mu */
	unsigned nidle;                   /* guarded by mu */
	atomic_uint opened;               /* segments */
};

/* --- opening a pack ----------------------------------------------------- */

/* "pack 'datasets/.../...': what went wrong" */
static int
name_pack(const struct pack *p, int rc, struct err *err)
{
	char text[OBJECT_REF_TEXT];

	object_ref_text(&p->ref, text);
	(void)err_wrap(err, "pack '%s'", text);
	return rc;
}

static int
pack_new(struct store *store, const struct object_ref *ref,
    struct segment_decoder *decoder, struct pack **out, struct err *err)
{
	struct pack *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_nomem(err);
	(void)pthread_mutex_init(&p->mu, NULL);
	atomic_init(&p->refs, 1);
	p->store = store;
	p->ref = *ref;
	p->decoder = segment_decoder_ref(decoder);
	*out = p;
	return 0;
}

static int
check_header(struct pack *p, struct pack_openers *openers, struct err *err)
{
	int rc = pack_header_decode(p->header, &p->id, err);

	if (rc != 0)
		return rc;
	if (memcmp(p->id.dataset, p->ref.dataset, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "it is another dataset's");
	rc = pack_openers_find(openers, p->id.epoch, &p->opener, err);
	if (rc != 0)
		return rc;
	return packopener_pack(p->opener, &p->id, &p->idle[0], err);
}

int
pack_open(struct store *store, struct pack_openers *openers,
    const struct object_ref *ref, struct pack **out, struct err *err)
{
	AUTO(pack) struct pack *p = NULL;
	int rc;

	*out = NULL;
	rc = pack_new(store, ref, pack_openers_decoder(openers), &p, err);
	if (rc != 0)
		return rc;
	rc = store_read_at(store, ref, 0, p->header, PACK_HEADER_LEN, err);
	if (rc != 0)
		return rc;
	rc = check_header(p, openers, err);
	if (rc != 0)
		return name_pack(p, rc, err);
	p->nidle = 1;
	*out = STEAL(p);
	return 0;
}

struct pack *
pack_ref(struct pack *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void
pack_unref(struct pack *p)
{
	if (p == NULL || atomic_fetch_sub(&p->refs, 1) > 1)
		return;
	for (unsigned i = 0; i < p->nidle; i++)
		aead_free(p->idle[i]);
	(void)pthread_mutex_destroy(&p->mu);
	segment_decoder_unref(p->decoder);
	free(p);
}

enum pack_kind
pack_get_kind(const struct pack *p)
{
	return (enum pack_kind)p->id.kind;
}

/* --- opening what is sealed --------------------------------------------- */

static int
take_context(struct pack *p, struct aead **out, struct err *err)
{
	*out = NULL;
	(void)pthread_mutex_lock(&p->mu);
	if (p->nidle > 0)
		*out = p->idle[--p->nidle];
	(void)pthread_mutex_unlock(&p->mu);
	return *out != NULL ? 0 : packopener_pack(p->opener, &p->id, out, err);
}

static void
give_context(struct pack *p, struct aead *a)
{
	(void)pthread_mutex_lock(&p->mu);
	if (p->nidle < IDLE_CONTEXTS)
		p->idle[p->nidle++] = STEAL(a);
	(void)pthread_mutex_unlock(&p->mu);
	aead_free(a);
}

/* "pack '...': segment 3: what went wrong"; from the store: without the pack */
static int
name_segment(
    const struct pack *p, uint32_t number, bool stored, int rc, struct err *err)
{
	if (number == PACK_TABLE_NUMBER)
		(void)err_wrap(err, "table");
	else
		(void)err_wrap(err, "segment %u", number);
	return stored ? rc : name_pack(p, rc, err);
}

/* Read and open the ${len} sealed bytes at ${off} in place. */
static int
read_sealed(struct pack *p, uint64_t counter, uint32_t number, uint64_t off,
    uint8_t *buf, size_t len, struct err *err)
{
	uint8_t ad[PACK_AD_LEN];
	struct aead *a;
	int rc;

	rc = store_read_at(p->store, &p->ref, off, buf, len, err);
	if (rc != 0)
		return name_segment(p, number, true, rc, err);
	rc = take_context(p, &a, err);
	if (rc != 0)
		return name_pack(p, rc, err);
	pack_ad(p->header, number, off, ad);
	rc = aead_open(a, counter, ad, sizeof(ad), buf, len, buf, err);
	give_context(p, a);
	/* The key is right, or the pack had not opened: so it is damage. */
	if (rc == ERR_AUTH)
		rc = err_set(err, ERR_CORRUPT, "damaged or tampered with");
	return rc == 0 ? 0 : name_segment(p, number, false, rc, err);
}

static bool
kinds_fit(const struct segment *s, enum pack_kind kind)
{
	for (size_t i = 0; i < segment_count(s); i++) {
		bool data = segment_chunk(s, i).kind == CHUNK_DATA;

		if (data != (kind == PACK_DATA))
			return false;
	}
	return true;
}

static int
decode(struct pack *p, uint32_t number, struct plain_buf *buf, size_t len,
    struct segment **out, struct err *err)
{
	AUTO(segment) struct segment *s = NULL;
	int rc = segment_adopt(p->decoder, buf, len, &s, err);

	if (rc == 0 && !kinds_fit(s, pack_get_kind(p)))
		rc = err_set(
		    err, ERR_CORRUPT, "chunks that the pack can't hold");
	if (rc != 0)
		return name_segment(p, number, false, rc, err);
	*out = STEAL(s);
	return 0;
}

int
pack_segment(struct pack *p, const struct segment_place *place,
    struct segment **out, struct err *err)
{
	struct plain_pool *pool = segment_decoder_pool(p->decoder);
	size_t len = place->sealed_len;
	struct plain_buf buf;
	int rc;

	*out = NULL;
	if (!pack_place_ok(place, PACK_LIMIT)) {
		rc = err_set(err, ERR_CORRUPT, "it can't lie there");
		return name_segment(p, place->number, false, rc, err);
	}
	if (!plain_alloc(pool, len > PLAIN_SCRATCH ? len : PLAIN_SCRATCH, &buf))
		return err_nomem(err);
	plain_use(&buf, len);
	rc = read_sealed(
	    p, place->number, place->number, place->offset, buf.p, len, err);
	if (rc == 0)
		rc = decode(
		    p, place->number, &buf, len - AEAD_TAG_LEN, out, err);
	plain_free(pool, &buf);
	return rc;
}

bool
pack_much_read(struct pack *p)
{
	unsigned n = atomic_fetch_add(&p->opened, 1) + 1;

	return n % READ_AGAIN == MUCH_READ;
}

void
pack_read_on(struct pack *p)
{
	store_will_read(p->store, &p->ref);
}

/* --- the table ---------------------------------------------------------- */

/* Where the table lies, and how long it is, from the tail. */
static int
find_table(struct store *store, const struct object_ref *ref, uint64_t *t,
    size_t *len, struct err *err)
{
	char text[OBJECT_REF_TEXT];
	uint8_t tail[PACK_TAIL_LEN];
	uint64_t size;
	int rc;

	rc = store_size(store, ref, &size, err);
	if (rc != 0)
		return rc;
	object_ref_text(ref, text);
	if (size < PACK_HEADER_LEN + PACK_TAIL_LEN)
		return err_set(err, ERR_CORRUPT, "pack '%s': cut off", text);
	rc = store_read_at(
	    store, ref, size - sizeof(tail), tail, sizeof(tail), err);
	if (rc != 0)
		return rc;
	rc = pack_table_offset(tail, size, t, err);
	if (rc != 0) {
		(void)err_wrap(err, "pack '%s'", text);
		return rc;
	}
	*len = (size_t)(size - PACK_TAIL_LEN - *t);
	return 0;
}

int
pack_table(
    struct pack *p, struct segment_place **places, size_t *n, struct err *err)
{
	uint64_t t;
	uint8_t *buf;
	size_t len;
	int rc;

	*places = NULL;
	*n = 0;
	rc = find_table(p->store, &p->ref, &t, &len, err);
	if (rc != 0)
		return rc;
	buf = malloc(len);
	if (buf == NULL)
		return err_nomem(err);
	rc = read_sealed(
	    p, PACK_TABLE_COUNTER, PACK_TABLE_NUMBER, t, buf, len, err);
	if (rc == 0) {
		rc = pack_table_decode(
		    buf, len - AEAD_TAG_LEN, t, places, n, err);
		if (rc != 0)
			(void)name_pack(p, rc, err);
	}
	free(buf);
	return rc;
}

int
pack_check_shape(
    struct store *store, const struct object_ref *ref, struct err *err)
{
	char text[OBJECT_REF_TEXT];
	uint8_t header[PACK_HEADER_LEN];
	struct pack_id id;
	uint64_t t;
	size_t len;
	int rc;

	/* The tail first: it says that there is room for a header. */
	rc = find_table(store, ref, &t, &len, err);
	if (rc != 0)
		return rc;
	rc = store_read_at(store, ref, 0, header, sizeof(header), err);
	if (rc != 0)
		return rc;
	rc = pack_header_decode(header, &id, err);
	if (rc == 0 && memcmp(id.dataset, ref->dataset, DATASET_ID_LEN) != 0)
		rc = err_set(err, ERR_CORRUPT, "it is another dataset's");
	if (rc != 0) {
		object_ref_text(ref, text);
		(void)err_wrap(err, "pack '%s'", text);
	}
	return rc;
}
