#include "snapshot/backup/feed_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of this size is seldom read from end to end. */
#define SPOTS_BYTES ((uint64_t)64 * 1024 * 1024)

/* --- reading ----------------------------------------------------------- */

static bool
stopped(const struct feed *f)
{
	return f->stop != NULL && atomic_load(f->stop);
}

/* Wait for a pipe so that a stop is noticed; false when stopped. */
static bool
wait_readable(const struct feed *f)
{
	struct pollfd pfd = {.fd = f->fd, .events = POLLIN};

	while (!stopped(f)) {
		int n = poll(&pfd, 1, 200);

		/* A signal may be the wish to stop: look again. */
		if (n > 0 || (n < 0 && errno != EINTR))
			return true;
	}
	return false;
}

static ssize_t
read_some(struct feed *f, uint8_t *buf, size_t len)
{
	ssize_t n;

	do {
		if (f->stream) {
			if (!wait_readable(f)) {
				errno = ECANCELED;
				return -1;
			}
			n = read(f->fd, buf, len);
		} else {
			n = pread(f->fd, buf, len, (off_t)f->pos);
		}
	} while (n < 0 && errno == EINTR);
	return n;
}

/* Fill the buffer, or as much of it as there is data. */
void
feed_fill(struct feed *f)
{
	while (f->len < WORKER_BUF && !f->eof) {
		size_t want = WORKER_BUF - f->len;
		ssize_t n;

		if (!f->stream && want > f->end - f->pos)
			want = (size_t)(f->end - f->pos);
		n = want == 0 ? 0 : read_some(f, f->buf + f->len, want);
		if (n < 0)
			f->errnum = errno;
		if (n <= 0) {
			f->eof = true;
			break;
		}
		f->len += (size_t)n;
		f->pos += (uint64_t)n;
		if (f->count != NULL)
			atomic_fetch_add(f->count, (uint64_t)n);
	}
}

/* --- cutting ----------------------------------------------------------- */

/* Offset in the file of the byte at ${at} of the buffer. */
static uint64_t
offset_of(const struct feed *f, size_t at)
{
	return f->pos - f->len + at;
}

/*
 * Where the chunk at ${at} ends; 0 when the buffer must be filled first. Pages
 * are aligned to the file, also behind a hole that ends amid a page.
 */
int
feed_next_cut(struct feed *f, size_t at, size_t *cut, struct err *err)
{
	size_t left = f->len - at, skew;

	if (f->page != 0) {
		skew = (size_t)(offset_of(f, at) % f->page);
		if (skew != 0 && left > f->page - skew) {
			*cut = f->page - skew;
			return 0;
		}
	}
	return cutter_next(f->w->cutter, f->buf + at, left, f->eof, cut, err);
}

/* Cut what is in the buffer; the lengths go to ${lens}. */
static int
cut_buffer(struct feed *f, uint32_t *lens, size_t *n, struct err *err)
{
	size_t cut = 1;
	int ret;

	*n = 0;
	while (f->at < f->len && *n < PIECE_CHUNKS) {
		if ((ret = feed_next_cut(f, f->at, &cut, err)) != 0)
			return ret;
		if (cut == 0)
			break;
		lens[(*n)++] = (uint32_t)cut;
		f->at += cut;
	}
	return 0;
}

int
feed_add(struct feed *f, const struct chunk_name *name, uint64_t len,
    struct err *err)
{
	struct element el = {.len = len, .hole = name == NULL};

	if (name != NULL)
		el.name = *name;
	return content_builder_add(f->w->content, f->w->lane, &el, err);
}

/* --- pieces in flight -------------------------------------------------- */

/* The oldest piece: wait for it, and add its chunks to the content. */
static int
land(struct feed *f, struct err *err)
{
	struct piece *p = f->flight[f->first % FLIGHTS];
	int ret = pool_piece_wait(f->w, p, err);

	f->first++;
	f->nflights--;
	for (size_t i = 0; i < p->n && ret == 0; i++)
		ret = feed_add(f, &p->names[i], p->lens[i], err);
	return ret;
}

int
feed_land(struct feed *f, struct err *err)
{
	int ret = 0;

	while (f->nflights > 0) {
		int one = land(f, ret == 0 ? err : NULL);

		if (ret == 0)
			ret = one;
	}
	return ret;
}

static struct piece *
piece_new(void)
{
	struct piece *p = calloc(1, sizeof(*p));

	if (p != NULL && (p->buf = malloc(WORKER_BUF)) == NULL) {
		free(p);
		p = NULL;
	}
	return p;
}

/* A free piece at the end of the flight; waits for the oldest if need be. */
static int
next_piece(struct feed *f, struct piece **out, struct err *err)
{
	unsigned i;
	int ret;

	if (f->nflights == FLIGHTS && (ret = land(f, err)) != 0)
		return ret;
	i = (f->first + f->nflights) % FLIGHTS;
	if (f->flight[i] == NULL && (f->flight[i] = piece_new()) == NULL)
		return err_nomem(err);
	*out = f->flight[i];
	return 0;
}

enum ingest_use
feed_use(const struct feed *f)
{
	if (f->page != 0)
		return INGEST_PAGES;
	return f->size >= SPOTS_BYTES ? INGEST_SPOTS : INGEST_WHOLE;
}

/*
 * Send what was cut of the buffer on its way: the piece takes the buffer, and
 * the rest that was not cut moves to the start of the piece's old one.
 */
static int
take_off(struct feed *f, struct piece *p, struct err *err)
{
	uint8_t *buf = p->buf;

	memcpy(buf, f->buf + f->at, f->len - f->at);
	p->use = feed_use(f);
	p->buf = f->buf;
	f->buf = buf;
	f->w->buf = buf;
	f->len -= f->at;
	f->at = 0;
	f->nflights++;
	if (pool_piece_send(f->w->pool, p))
		return 0;
	p->done = true;
	return piece_work(f->w, p, err);
}

/* What comes behind a hole is no file's first bytes. */
void
feed_look(struct feed *f)
{
	if (f->looked)
		return;
	f->looked = true;
	if (offset_of(f, 0) == 0)
		f->page = cut_page_size(f->buf, f->len, f->size);
	content_builder_pages(f->w->content, f->page != 0);
}

/* All data up to f->end. */
int
feed_run(struct feed *f, struct err *err)
{
	struct piece *p = NULL;
	int ret;

	f->eof = f->errnum != 0;
	f->len = f->at = 0;
	do {
		feed_fill(f);
		if (stopped(f))
			return err_set(err, ERR_CANCELLED, "stopped");
		feed_look(f);
		cutter_page(f->w->cutter, f->page);
		if ((ret = next_piece(f, &p, err)) != 0)
			return ret;
		if ((ret = cut_buffer(f, p->lens, &p->n, err)) != 0)
			return ret;
		if (p->n > 0 && (ret = take_off(f, p, err)) != 0)
			return ret;
	} while (!f->eof || f->at < f->len);
	return 0;
}
