#include "snapshot/content/cut.h"

#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

#define GEAR_LABEL "varve gear"
#define PROPOSE_BITS 12
#define DECIDE_BITS 3

struct cutter {
	struct namer *namer;
	size_t page;
	uint64_t gear[256];
};

/* The table of FORMAT.md section 3. */
static int
gear_fill(uint64_t gear[256], struct err *err)
{
	uint8_t msg[sizeof(GEAR_LABEL)], hash[HASH_LEN];
	int ret;

	memcpy(msg, GEAR_LABEL, sizeof(GEAR_LABEL));
	for (unsigned i = 0; i < 256; i++) {
		msg[sizeof(GEAR_LABEL) - 1] = (uint8_t)i;
		if ((ret = sha256(msg, sizeof(msg), hash, err)) != 0)
			return ret;
		gear[i] = 0;
		for (unsigned j = 0; j < 8; j++)
			gear[i] |= (uint64_t)hash[j] << (8 * j);
	}
	return 0;
}

int
cutter_new(struct namer *namer, struct cutter **out, struct err *err)
{
	AUTO(cutter) struct cutter *c = calloc(1, sizeof(*c));
	int ret;

	*out = NULL;
	if (c == NULL)
		return err_nomem(err);
	c->namer = namer;
	if ((ret = gear_fill(c->gear, err)) != 0)
		return ret;
	*out = STEAL(c);
	return 0;
}

void
cutter_free(struct cutter *c)
{
	free(c);
}

void
cutter_page(struct cutter *c, size_t size)
{
	c->page = size;
}

/* Whether a hash proposes a cut. */
static bool
proposes(uint64_t h)
{
	return h >> (64 - PROPOSE_BITS) == 0;
}

/*
 * The first place from ${i} on after which the hash proposes a cut, or ${len}.
 * Four bytes at a time, each hash from *${hash}, so that none waits for the
 * one before; *${hash} is that of the place.
 */
static size_t
next_proposal(const uint64_t gear[256], const uint8_t *buf, size_t i,
    size_t len, uint64_t *hash)
{
	uint64_t h = *hash;

	for (; i + 4 <= len; i += 4) {
		uint64_t a = gear[buf[i]];
		uint64_t b = (a << 1) + gear[buf[i + 1]];
		uint64_t c = (b << 1) + gear[buf[i + 2]];
		uint64_t d = (c << 1) + gear[buf[i + 3]];

		if (proposes((h << 1) + a) || proposes((h << 2) + b) ||
		    proposes((h << 3) + c) || proposes((h << 4) + d))
			break;
		h = (h << 4) + d;
	}
	for (; i < len; i++) {
		h = (h << 1) + gear[buf[i]];
		if (proposes(h))
			break;
	}
	*hash = h;
	return i;
}

/*
 * The gear hash forgets a byte after 64 shifts, so it may start 64 bytes before
 * the first place where a cut is allowed.
 */
static int
cut_by_content(struct cutter *c, const uint8_t *buf, size_t len, size_t *cut,
    struct err *err)
{
	uint64_t h = 0, decision;
	size_t i = CUT_MIN - CUT_WINDOW;
	int ret;

	for (; i < CUT_MIN - 1; i++)
		h = (h << 1) + c->gear[buf[i]];
	while ((i = next_proposal(c->gear, buf, i, len, &h)) < len) {
		ret = namer_cut(
		    c->namer, buf + i + 1 - CUT_WINDOW, &decision, err);
		if (ret != 0)
			return ret;
		i++;
		if (decision >> (64 - DECIDE_BITS) == 0)
			break;
	}
	*cut = i;
	return 0;
}

int
cutter_next(struct cutter *c, const uint8_t *buf, size_t len, bool eof,
    size_t *cut, struct err *err)
{
	size_t most = c->page != 0 ? c->page : CUT_MAX;

	if (len < most && !eof) {
		*cut = 0;
		return 0;
	}
	if (len > most)
		len = most;
	if (c->page == 0 && len > CUT_MIN)
		return cut_by_content(c, buf, len, cut, err);
	*cut = len;
	return 0;
}
