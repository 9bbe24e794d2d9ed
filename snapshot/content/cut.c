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
	for (; i < len; i++) {
		h = (h << 1) + c->gear[buf[i]];
		if (h >> (64 - PROPOSE_BITS) != 0)
			continue;
		ret = namer_cut(
		    c->namer, buf + i + 1 - CUT_WINDOW, &decision, err);
		if (ret != 0)
			return ret;
		if (decision >> (64 - DECIDE_BITS) == 0)
			break;
	}
	*cut = i < len ? i + 1 : len;
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
