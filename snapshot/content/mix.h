#ifndef SNAPSHOT_CONTENT_MIX_H
#define SNAPSHOT_CONTENT_MIX_H

/*
 * 64-bit hashes under a random key, so that whoever made the store can't choose
 * what they are. They place names in tables, and compare sets without holding
 * them: the sum over what an index says of a pack, with that over what the pack
 * holds.
 * Thread: safe.
 */
#include "crypto/hash.h"
#include "snapshot/content/pack.h"

#include <string.h>

#define MIX_WORDS (CHUNK_NAME_LEN / sizeof(uint64_t))

struct mix {
	uint64_t key[MIX_WORDS + 2];
};

NODISCARD static inline int
mix_init(struct mix *m, struct err *err)
{
	int rc = random_bytes(m, sizeof(*m), err);

	m->key[MIX_WORDS] |= 1;
	return rc;
}

/* Both halves of a product: the multiplication spreads, the fold keeps. */
static inline uint64_t
mix_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/** mix_number(m, h, v): ${h}, which is a hash or 0, and after it ${v}. */
static inline uint64_t
mix_number(const struct mix *m, uint64_t h, uint64_t v)
{
	return mix_fold(h ^ v ^ m->key[MIX_WORDS + 1], m->key[MIX_WORDS]);
}

/** mix_name(m, name): Of 32 bytes: a chunk's name or an object's. */
static inline uint64_t
mix_name(const struct mix *m, const uint8_t name[CHUNK_NAME_LEN])
{
	uint64_t w[MIX_WORDS];
	uint64_t h;

	memcpy(w, name, sizeof(w));
	h = mix_fold(w[0] ^ m->key[0], w[1] ^ m->key[1]) ^
	    mix_fold(w[2] ^ m->key[2], w[3] ^ m->key[3]);
	return mix_number(m, h, 0);
}

/** mix_chunk(m, name, segment): Of a chunk that lies in a pack's ${segment}. */
static inline uint64_t
mix_chunk(const struct mix *m, const struct chunk_name *name, uint32_t segment)
{
	return mix_number(m, mix_name(m, name->b), segment);
}

/** mix_place(m, h, place): ${h}, and after it where a segment lies. */
static inline uint64_t
mix_place(const struct mix *m, uint64_t h, const struct segment_place *place)
{
	return mix_number(
	    m, h, (uint64_t)place->offset << 32 | place->sealed_len);
}

/** mix_bytes(m, buf, len, out, err): Of any bytes. Cost: about 1 us. */
NODISCARD static inline int
mix_bytes(const struct mix *m, const void *buf, size_t len, uint64_t *out,
    struct err *err)
{
	uint8_t mac[HASH_LEN];
	int rc = hmac_sha256(m->key, sizeof(m->key), buf, len, mac, err);

	memcpy(out, mac, sizeof(*out));
	return rc;
}

#endif
