#include "crypto/aead.h"
#include "crypto/hash.h"
#include "snapshot/content/segment.h"
#include "tests/bench/parts/parts.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define SEGMENT ((size_t)768 * 1024) /* as backups fill them */
#define PIECE ((size_t)8 * 1024)     /* a small file, or a page */
#define LEVEL 3
#define NONCE_LEN 12

/* --- segments: zstd ----------------------------------------------------- */

struct packing {
	const struct source *src;
	size_t n; /* segments */
	struct segment_builder *builder;
	struct segment_decoder *decoder;
	struct wr *plain; /* of each segment */
	ZSTD_CCtx *cctx;
	ZSTD_DCtx *dctx;
	uint8_t **zstd; /* of each segment, by the library */
	size_t *zstd_len;
	uint8_t *out;
};

static void
fill_builder(struct packing *p, size_t i)
{
	struct chunk_name name = {{0}};

	segment_builder_reset(p->builder);
	for (size_t k = 0; k < SEGMENT / PIECE; k++) {
		memcpy(name.b, &k, sizeof(k));
		must(segment_builder_add(p->builder, &name, CHUNK_DATA,
		    p->src->buf + i * SEGMENT + k * PIECE, PIECE, &err));
	}
}

static uint64_t
build_all(void *arg)
{
	struct packing *p = arg;

	for (size_t i = 0; i < p->n; i++) {
		fill_builder(p, i);
		wr_reset(&p->plain[i]);
		must(segment_builder_finish(p->builder, &p->plain[i], &err));
	}
	return p->n * SEGMENT;
}

static uint64_t
compress_all(void *arg)
{
	struct packing *p = arg;

	for (size_t i = 0; i < p->n; i++) {
		p->zstd_len[i] = ZSTD_compressCCtx(p->cctx, p->zstd[i],
		    ZSTD_compressBound(SEGMENT), p->src->buf + i * SEGMENT,
		    SEGMENT, LEVEL);
		if (ZSTD_isError(p->zstd_len[i]))
			die("%s", ZSTD_getErrorName(p->zstd_len[i]));
	}
	return p->n * SEGMENT;
}

static uint64_t
decode_all(void *arg)
{
	struct packing *p = arg;

	for (size_t i = 0; i < p->n; i++) {
		AUTO(segment) struct segment *s = NULL;

		must(segment_decode(
		    p->decoder, p->plain[i].buf, p->plain[i].len, &s, &err));
	}
	return p->n * SEGMENT;
}

static uint64_t
decompress_all(void *arg)
{
	struct packing *p = arg;

	for (size_t i = 0; i < p->n; i++)
		if (ZSTD_decompressDCtx(p->dctx, p->out, SEGMENT, p->zstd[i],
			p->zstd_len[i]) != SEGMENT)
			die("zstd gave other bytes back");
	return p->n * SEGMENT;
}

static void
packing_init(struct packing *p, const struct source *src)
{
	p->src = src;
	p->n = src->len / SEGMENT;
	must(segment_builder_new(&p->builder, &err));
	must(segment_decoder_new(4 * SEGMENT, &p->decoder, &err));
	p->plain = need(calloc(p->n, sizeof(*p->plain)));
	p->cctx = need(ZSTD_createCCtx());
	p->dctx = need(ZSTD_createDCtx());
	p->zstd = need(calloc(p->n, sizeof(*p->zstd)));
	p->zstd_len = need(calloc(p->n, sizeof(*p->zstd_len)));
	p->out = need(malloc(SEGMENT));
	for (size_t i = 0; i < p->n; i++)
		p->zstd[i] = need(malloc(ZSTD_compressBound(SEGMENT)));
}

static void
packing_clear(struct packing *p)
{
	for (size_t i = 0; i < p->n; i++) {
		wr_clear(&p->plain[i]);
		free(p->zstd[i]);
	}
	free(p->plain);
	free(p->zstd);
	free(p->zstd_len);
	free(p->out);
	(void)ZSTD_freeCCtx(p->cctx);
	(void)ZSTD_freeDCtx(p->dctx);
	segment_builder_free(p->builder);
	segment_decoder_unref(p->decoder);
}

void
part_segment(const struct source *src)
{
	struct packing p;

	packing_init(&p, src);
	pair_measure(&(struct pair){
	    .what = "compressing segments",
	    .own = build_all,
	    .beside = "zstd -3 of 768 KiB",
	    .limit = compress_all,
	    .arg = &p,
	});
	pair_measure(&(struct pair){
	    .what = "decompressing segments",
	    .own = decode_all,
	    .beside = "zstd of 768 KiB",
	    .limit = decompress_all,
	    .arg = &p,
	});
	packing_clear(&p);
}

/* --- sealing: AES-256-GCM ----------------------------------------------- */

struct sealing {
	const struct source *src;
	size_t len; /* sealed at a time: about a compressed segment */
	struct key32 key;
	struct aead *aead;
	EVP_CIPHER_CTX *ctx;
	uint8_t *out;
	uint8_t *opened;
};

static uint64_t
seal_all(void *arg)
{
	struct sealing *s = arg;

	for (size_t i = 0; i + s->len <= s->src->len; i += s->len)
		must(aead_seal(s->aead, i, &i, sizeof(i), s->src->buf + i,
		    s->len, s->out, &err));
	return s->src->len / s->len * s->len;
}

static uint64_t
open_all(void *arg)
{
	struct sealing *s = arg;
	size_t n = s->src->len / s->len;

	must(aead_seal(s->aead, 0, NULL, 0, s->src->buf, s->len, s->out, &err));
	for (size_t i = 0; i < n; i++)
		must(aead_open(s->aead, 0, NULL, 0, s->out,
		    s->len + AEAD_TAG_LEN, s->opened, &err));
	return n * s->len;
}

static uint64_t
encrypt_all(void *arg)
{
	struct sealing *s = arg;
	uint8_t nonce[NONCE_LEN] = {0};
	int n;

	if (EVP_EncryptInit_ex2(
		s->ctx, EVP_aes_256_gcm(), s->key.b, nonce, NULL) != 1)
		die("AES-256-GCM failed");
	for (size_t i = 0; i + s->len <= s->src->len; i += s->len)
		if (EVP_EncryptUpdate(
			s->ctx, s->out, &n, s->src->buf + i, (int)s->len) != 1)
			die("AES-256-GCM failed");
	return s->src->len / s->len * s->len;
}

static void
seal_pieces(struct sealing *s, size_t len, const char *seal, const char *open)
{
	s->len = len;
	pair_measure(&(struct pair){
	    .what = seal,
	    .own = seal_all,
	    .beside = "AES-256-GCM of OpenSSL",
	    .limit = encrypt_all,
	    .arg = s,
	});
	pair_measure(&(struct pair){
	    .what = open,
	    .own = open_all,
	    .beside = "AES-256-GCM of OpenSSL",
	    .limit = encrypt_all,
	    .arg = s,
	});
}

void
part_seal(const struct source *src)
{
	struct sealing s = {.src = src};

	must(random_bytes(&s.key, sizeof(s.key), &err));
	must(aead_new(&s.key, &s.aead, &err));
	s.ctx = need(EVP_CIPHER_CTX_new());
	s.out = need(malloc(SEGMENT + AEAD_TAG_LEN));
	s.opened = need(malloc(SEGMENT));
	seal_pieces(&s, SEGMENT / 4, "sealing 64 KiB", "opening 64 KiB");
	seal_pieces(&s, 1024, "sealing 1 KiB", "opening 1 KiB");
	aead_free(s.aead);
	EVP_CIPHER_CTX_free(s.ctx);
	free(s.out);
	free(s.opened);
}
