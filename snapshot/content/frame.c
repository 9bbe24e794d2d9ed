#include "snapshot/content/frame.h"

#include <string.h>

#define MAGIC "VRVe"
#define MAGIC_LEN 4

void
frame_tail_write(struct wr *w, uint64_t last)
{
	wr_u64(w, last);
	wr_u32(w, 0);
	wr_bytes(w, MAGIC, MAGIC_LEN);
}

int
frame_tail_read(
    const uint8_t tail[FRAME_TAIL_LEN], uint64_t *last, struct err *err)
{
	struct rd r = rd_init(tail, FRAME_TAIL_LEN);
	uint32_t reserved;
	const uint8_t *magic;

	*last = rd_u64(&r);
	reserved = rd_u32(&r);
	magic = rd_bytes(&r, MAGIC_LEN);
	if (!rd_done(&r) || reserved != 0 ||
	    memcmp(magic, MAGIC, MAGIC_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "no tail: cut off or damaged");
	return 0;
}

void
frame_le(uint8_t *p, uint64_t v, size_t width)
{
	for (size_t i = 0; i < width; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}
