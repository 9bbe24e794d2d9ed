#include "snapshot/restore/gather.h"

#include <errno.h>
#include <string.h>

void
gather_init(struct gather *g, int fd)
{
	/* Not all of it: the arrays are large, and most files small. */
	g->fd = fd;
	g->at = 0;
	g->len = 0;
	g->n = 0;
}

void
gather_clear(struct gather *g)
{
	for (int i = 0; i < g->n; i++)
		chunk_release(&g->chunks[i]);
	g->n = 0;
	g->len = 0;
}

/* Pass over ${done} bytes that were written. */
static void
advance(struct iovec **iov, int *n, size_t done)
{
	while (*n > 0 && done >= (*iov)->iov_len) {
		done -= (*iov)->iov_len;
		(*iov)++;
		(*n)--;
	}
	if (*n > 0) {
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + done;
		(*iov)->iov_len -= done;
	}
}

int
gather_flush(struct gather *g, struct err *err)
{
	struct iovec *iov = g->iov;
	uint64_t at = g->at;
	int left = g->n;

	while (left > 0) {
		ssize_t n = pwritev(g->fd, iov, left, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "cannot write");
		at += (uint64_t)n;
		advance(&iov, &left, (size_t)n);
	}
	gather_clear(g);
	return 0;
}

int
gather_put(struct gather *g, struct chunk *ch, size_t skip, size_t len,
    uint64_t at, struct err *err)
{
	bool fits = g->n < GATHER_CHUNKS && g->len + len <= GATHER_BYTES &&
		    at == g->at + g->len;
	int ret;

	if (g->n > 0 && !fits && (ret = gather_flush(g, err)) != 0)
		return ret;
	if (g->n == 0)
		g->at = at;
	g->iov[g->n].iov_base = (void *)(uintptr_t)(ch->data + skip);
	g->iov[g->n].iov_len = len;
	g->chunks[g->n++] = *ch;
	g->len += len;
	*ch = (struct chunk){0};
	return 0;
}
