#include "snapshot/content/pack_format.h"

#include <stdlib.h>
#include <string.h>

#define VARINT_LEN_MAX 4 /* of a sealed length or a count of segments */

struct pack_writer {
	struct store *store;
	const struct packrun *run;
	uint8_t dataset[DATASET_ID_LEN];
	enum pack_kind kind;
	/* A failed write leaves a counter used: nothing may follow. */
	bool failed;

	/* The open pack; none before the first segment. */
	struct store_writer *out;
	struct aead *aead;
	uint8_t header[PACK_HEADER_LEN];
	uint64_t offset; /* of the next segment */
	size_t n;
	struct wr table;  /* varints: the sealed lengths */
	struct wr sealed; /* on its way to the store */
};

int
pack_writer_new(struct store *store, const struct packrun *run,
    const uint8_t dataset[DATASET_ID_LEN], enum pack_kind kind,
    struct pack_writer **out, struct err *err)
{
	struct pack_writer *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (w == NULL)
		return err_nomem(err);
	w->store = store;
	w->run = run;
	memcpy(w->dataset, dataset, DATASET_ID_LEN);
	w->kind = kind;
	w->offset = PACK_HEADER_LEN;
	*out = w;
	return 0;
}

static void
forget_pack(struct pack_writer *w)
{
	store_writer_free(STEAL(w->out));
	aead_free(STEAL(w->aead));
	w->offset = PACK_HEADER_LEN;
	w->n = 0;
	wr_reset(&w->table);
}

void
pack_writer_free(struct pack_writer *w)
{
	if (w == NULL)
		return;
	forget_pack(w);
	wr_clear(&w->table);
	wr_clear(&w->sealed);
	free(w);
}

/* The table's plaintext without padding. */
static void
put_table(const struct pack_writer *w, struct wr *out)
{
	wr_varint(out, w->n);
	wr_bytes(out, w->table.buf, w->table.len);
}

bool
pack_writer_fits(const struct pack_writer *w, size_t len)
{
	size_t end;

	if (len > SEGMENT_PLAIN_MAX)
		return false;
	end = (size_t)w->offset + len + AEAD_TAG_LEN + w->table.len +
	      2 * VARINT_LEN_MAX + AEAD_TAG_LEN + PACK_TAIL_LEN;
	return end <= PACK_TARGET;
}

size_t
pack_writer_segments(const struct pack_writer *w)
{
	return w->n;
}

static int
begin_pack(struct pack_writer *w, struct err *err)
{
	struct pack_id id;
	int rc;

	rc = packrun_pack(
	    w->run, PACK_VERSION, (uint8_t)w->kind, &id, &w->aead, err);
	if (rc != 0)
		return rc;
	if (memcmp(id.dataset, w->dataset, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_BUG, "the run is another dataset's");
	rc = store_writer_new(w->store, OBJECT_PACK, w->dataset, &w->out, err);
	if (rc != 0)
		return rc;
	wr_reset(&w->sealed);
	pack_header_encode(&id, &w->sealed);
	if (w->sealed.failed)
		return err_nomem(err);
	memcpy(w->header, w->sealed.buf, PACK_HEADER_LEN);
	return store_writer_write(w->out, w->header, PACK_HEADER_LEN, err);
}

/* Seal and write the bytes that start at the writer's offset. */
static int
put_sealed(struct pack_writer *w, uint64_t counter, uint32_t number,
    const uint8_t *plain, size_t len, struct err *err)
{
	uint8_t ad[PACK_AD_LEN];
	uint8_t *sealed;
	int rc;

	wr_reset(&w->sealed);
	sealed = wr_space(&w->sealed, len + AEAD_TAG_LEN);
	if (sealed == NULL)
		return err_nomem(err);
	pack_ad(w->header, number, w->offset, ad);
	rc = aead_seal(
	    w->aead, counter, ad, sizeof(ad), plain, len, sealed, err);
	if (rc != 0)
		return rc;
	return store_writer_write(w->out, sealed, len + AEAD_TAG_LEN, err);
}

static int
append(struct pack_writer *w, const uint8_t *plain, size_t len,
    struct segment_place *place, struct err *err)
{
	int rc;

	if (w->out == NULL) {
		rc = begin_pack(w, err);
		if (rc != 0)
			return rc;
	}
	rc = put_sealed(w, w->n, (uint32_t)w->n, plain, len, err);
	if (rc != 0)
		return rc;
	wr_varint(&w->table, len + AEAD_TAG_LEN);
	if (w->table.failed)
		return err_nomem(err);
	place->number = (uint32_t)w->n;
	place->offset = (uint32_t)w->offset;
	place->sealed_len = (uint32_t)(len + AEAD_TAG_LEN);
	w->offset += place->sealed_len;
	w->n++;
	return 0;
}

int
pack_writer_add(struct pack_writer *w, const uint8_t *plain, size_t len,
    struct segment_place *place, struct err *err)
{
	int rc;

	if (w->failed || len < SEGMENT_PLAIN_MIN || !pack_writer_fits(w, len))
		return err_set(err, ERR_USAGE,
		    "a pack can't take this segment of %zu bytes", len);
	rc = append(w, plain, len, place, err);
	w->failed = rc != 0;
	return rc;
}

/*
 * The padding is part of the table's plaintext, so that the whole pack gets its
 * padded length and no byte of it is outside the encryption.
 */
static int
put_end(struct pack_writer *w, uint64_t *size, struct err *err)
{
	WR_AUTO struct wr table = {0};
	uint64_t bare;
	uint8_t *padding;
	size_t len;
	int rc;

	put_table(w, &table);
	bare = w->offset + table.len + AEAD_TAG_LEN + PACK_TAIL_LEN;
	*size = pack_padded(bare);
	len = (size_t)(*size - bare);
	padding = wr_space(&table, len);
	if (padding == NULL)
		return err_nomem(err);
	memset(padding, 0, len);
	rc = put_sealed(w, PACK_TABLE_COUNTER, PACK_TABLE_NUMBER, table.buf,
	    table.len, err);
	if (rc != 0)
		return rc;
	wr_reset(&w->sealed);
	frame_tail_write(&w->sealed, w->offset);
	if (w->sealed.failed)
		return err_nomem(err);
	return store_writer_write(w->out, w->sealed.buf, w->sealed.len, err);
}

int
pack_writer_commit(struct pack_writer *w, struct object_ref *ref,
    uint64_t *size, struct err *err)
{
	int rc;

	if (w->failed || w->n == 0)
		return err_set(err, ERR_USAGE, "no pack to commit");
	rc = put_end(w, size, err);
	if (rc == 0)
		rc = store_writer_commit(w->out, ref, err);
	w->failed = rc != 0;
	if (rc == 0)
		forget_pack(w);
	return rc;
}
