#include "crypto/hash.h"
#include "snapshot/content/cut.h"
#include "tests/bench/parts/parts.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define PROPOSE_BITS 12 /* as cut.c */

struct cutting {
	const struct source *src;
	struct namer *namer;
	struct cutter *cutter;
	uint64_t gear[256];
	size_t *cuts; /* lengths of all chunks of ${src} */
	size_t ncuts;
};

/* --- cutting ------------------------------------------------------------ */

static size_t
next(const struct cutting *c, size_t from)
{
	size_t cut;

	must(cutter_next(c->cutter, c->src->buf + from, c->src->len - from,
	    true, &cut, &err));
	return cut;
}

static uint64_t
cut_all(void *arg)
{
	const struct cutting *c = arg;

	for (size_t i = 0; i < c->src->len; i += next(c, i))
		;
	return c->src->len;
}

/* The hash that proposes cuts, with nothing to decide and no byte skipped. */
static uint64_t
gear_all(void *arg)
{
	const struct cutting *c = arg;
	uint64_t h = 0;
	volatile uint64_t proposals = 0;

	for (size_t i = 0; i < c->src->len; i++) {
		h = (h << 1) + c->gear[c->src->buf[i]];
		if (h >> (64 - PROPOSE_BITS) == 0)
			proposals++;
	}
	return c->src->len;
}

/* --- naming ------------------------------------------------------------- */

static uint64_t
name_all(void *arg)
{
	const struct cutting *c = arg;
	const uint8_t *p = c->src->buf;
	struct chunk_name name;

	for (size_t i = 0; i < c->ncuts; p += c->cuts[i++])
		must(namer_name(
		    c->namer, CHUNK_DATA, p, c->cuts[i], &name, &err));
	return c->src->len;
}

static uint64_t
digest_all(void *arg)
{
	const struct cutting *c = arg;
	const uint8_t *p = c->src->buf;
	uint8_t out[HASH_LEN];
	EVP_MD *md = need(EVP_MD_fetch(NULL, "SHA256", NULL));
	EVP_MD_CTX *ctx = need(EVP_MD_CTX_new());

	for (size_t i = 0; i < c->ncuts; p += c->cuts[i++])
		if (EVP_DigestInit_ex2(ctx, md, NULL) != 1 ||
		    EVP_DigestUpdate(ctx, p, c->cuts[i]) != 1 ||
		    EVP_DigestFinal_ex(ctx, out, NULL) != 1)
			die("SHA-256 failed");
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	return c->src->len;
}

/* ------------------------------------------------------------------------ */

static void
cutting_init(struct cutting *c, const struct source *src)
{
	struct id_key key;

	c->src = src;
	must(random_bytes(&key, sizeof(key), &err));
	must(namer_new(&key, &c->namer, &err));
	must(cutter_new(c->namer, &c->cutter, &err));
	for (size_t i = 0; i < ARRAY_LEN(c->gear); i++)
		c->gear[i] = mix(i);
	c->cuts = need(calloc(src->len / 1024 + 1, sizeof(*c->cuts)));
	c->ncuts = 0;
}

static void
cutting_clear(struct cutting *c)
{
	cutter_free(c->cutter);
	namer_free(c->namer);
	free(c->cuts);
}

void
part_cut(const struct source *src)
{
	struct cutting c;

	cutting_init(&c, src);
	pair_measure(&(struct pair){
	    .what = "cutting by content",
	    .own = cut_all,
	    .beside = "a gear hash alone",
	    .limit = gear_all,
	    .arg = &c,
	});
	cutting_clear(&c);
}

void
part_name(const struct source *src)
{
	struct cutting c;

	cutting_init(&c, src);
	for (size_t i = 0; i < src->len; i += c.cuts[c.ncuts++])
		c.cuts[c.ncuts] = next(&c, i);
	pair_measure(&(struct pair){
	    .what = "naming chunks as they were cut",
	    .own = name_all,
	    .beside = "SHA-256 of OpenSSL",
	    .limit = digest_all,
	    .arg = &c,
	});
	for (c.ncuts = 0; c.ncuts < src->len / 4096; c.ncuts++)
		c.cuts[c.ncuts] = 4096;
	pair_measure(&(struct pair){
	    .what = "naming chunks of 4 KiB",
	    .own = name_all,
	    .beside = "SHA-256 of OpenSSL",
	    .limit = digest_all,
	    .arg = &c,
	});
	cutting_clear(&c);
}
