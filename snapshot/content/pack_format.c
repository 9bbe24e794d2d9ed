#include "snapshot/content/pack_format.h"

#include <stdlib.h>
#include <string.h>

#define RESERVED_LEN 3
static const uint8_t reserved_zeros[RESERVED_LEN];

void
pack_header_encode(const struct pack_id *id, struct wr *w)
{
	object_head_write(w, 'p');
	wr_u8(w, id->kind);
	wr_bytes(w, id->dataset, DATASET_ID_LEN);
	wr_u32(w, id->epoch);
	wr_bytes(w, id->enc, HPKE_ENC_LEN);
	wr_bytes(w, id->salt, PACK_SALT_LEN);
	wr_bytes(w, id->commit, PACK_COMMIT_LEN);
	wr_bytes(w, reserved_zeros, RESERVED_LEN);
}

int
pack_header_decode(
    const uint8_t buf[PACK_HEADER_LEN], struct pack_id *out, struct err *err)
{
	struct rd r = rd_init(buf, PACK_HEADER_LEN);
	const uint8_t *reserved;
	int rc = object_head_read(&r, 'p', "pack", err);

	if (rc != 0)
		return rc;
	out->version = PACK_VERSION;
	out->kind = rd_u8(&r);
	rd_copy(&r, out->dataset, DATASET_ID_LEN);
	out->epoch = rd_u32(&r);
	rd_copy(&r, out->enc, HPKE_ENC_LEN);
	rd_copy(&r, out->salt, PACK_SALT_LEN);
	rd_copy(&r, out->commit, PACK_COMMIT_LEN);
	reserved = rd_bytes(&r, RESERVED_LEN);
	if (!rd_done(&r) || memcmp(reserved, reserved_zeros, RESERVED_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "reserved bytes are in use");
	if (out->kind > PACK_META)
		return err_set(
		    err, ERR_CORRUPT, "unknown kind of pack %u", out->kind);
	return 0;
}

void
pack_ad(const uint8_t header[PACK_HEADER_LEN], uint32_t number, uint64_t offset,
    uint8_t out[PACK_AD_LEN])
{
	memcpy(out, header, PACK_HEADER_LEN);
	frame_le(out + PACK_HEADER_LEN, number, 4);
	frame_le(out + PACK_HEADER_LEN + 4, offset, 8);
}

bool
pack_place_ok(const struct segment_place *place, uint64_t size)
{
	return size <= PACK_LIMIT && place->offset >= PACK_HEADER_LEN &&
	       place->sealed_len >= PACK_SEALED_MIN &&
	       place->sealed_len <= PACK_SEALED_MAX &&
	       (uint64_t)place->offset + place->sealed_len + PACK_TABLE_MIN +
		       PACK_TAIL_LEN <=
		   size;
}

uint64_t
pack_padded(uint64_t len)
{
	unsigned e, s;
	uint64_t mask;

	if (len < 2)
		return len;
	e = 63 - (unsigned)__builtin_clzll(len);
	s = e == 0 ? 0 : 32 - (unsigned)__builtin_clz(e);
	mask = ((uint64_t)1 << (e - s)) - 1;
	return (len + mask) & ~mask;
}

int
pack_table_offset(const uint8_t tail[PACK_TAIL_LEN], uint64_t size, uint64_t *t,
    struct err *err)
{
	int rc = frame_tail_read(tail, t, err);

	if (rc != 0)
		return rc;
	if (size > PACK_LIMIT || size != pack_padded(size))
		return err_set(err, ERR_CORRUPT, "length is not a pack's");
	if (*t < PACK_HEADER_LEN + PACK_SEALED_MIN ||
	    *t > size - PACK_TAIL_LEN - PACK_TABLE_MIN)
		return err_set(err, ERR_CORRUPT, "table lies out of range");
	return 0;
}

static bool
all_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static int
decode_places(struct rd *r, struct segment_place *places, size_t n, uint64_t t,
    struct err *err)
{
	uint64_t offset = PACK_HEADER_LEN;

	for (size_t i = 0; i < n; i++) {
		uint64_t len = rd_varint(r);

		if (r->failed || len < PACK_SEALED_MIN ||
		    len > PACK_SEALED_MAX || len > t - offset)
			return err_set(err, ERR_CORRUPT,
			    "table: segment %zu lies out of range", i);
		places[i].number = (uint32_t)i;
		places[i].offset = (uint32_t)offset;
		places[i].sealed_len = (uint32_t)len;
		offset += len;
	}
	if (offset != t)
		return err_set(
		    err, ERR_CORRUPT, "table: the segments leave a gap");
	return 0;
}

int
pack_table_decode(const uint8_t *buf, size_t len, uint64_t t,
    struct segment_place **places, size_t *n, struct err *err)
{
	struct rd r = rd_init(buf, len);
	struct segment_place *list;
	size_t count = rd_count(&r, 1);
	int rc;

	*places = NULL;
	*n = 0;
	/* Segments that could not fit are refused before memory is asked. */
	if (r.failed || count < 1 || t < PACK_HEADER_LEN || t > PACK_LIMIT ||
	    count > (t - PACK_HEADER_LEN) / PACK_SEALED_MIN)
		return err_set(err, ERR_CORRUPT, "table: bad count");
	list = calloc(count, sizeof(*list));
	if (list == NULL)
		return err_nomem(err);
	rc = decode_places(&r, list, count, t, err);
	if (rc == 0 && !all_zero(r.p, rd_left(&r)))
		rc = err_set(err, ERR_CORRUPT, "table: padding is not zero");
	if (rc != 0) {
		free(list);
		return rc;
	}
	*places = list;
	*n = count;
	return 0;
}
