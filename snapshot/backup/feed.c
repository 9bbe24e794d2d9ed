#include "snapshot/backup/feed.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of this size is seldom read from end to end. */
#define SPOTS_BYTES ((uint64_t)64 * 1024 * 1024)

#define FLIGHTS 8 /* pieces of one file under way at most */

struct feed {
	struct worker *w;
	int fd;
	bool stream; /* a pipe: read(), not pread() */
	const atomic_bool *stop;
	uint64_t size; /* of the whole file */
	uint64_t pos;  /* in the file, of the next read */
	uint64_t end;  /* where this run of data ends */
	size_t page;
	bool looked; /* at the first bytes, for the page size */
	int errnum;
	_Atomic uint64_t *count;

	uint8_t *buf; /* WORKER_BUF: the worker's, or a piece's */
	size_t len;   /* bytes in it */
	size_t at;    /* bytes of it cut so far */
	bool eof;

	struct piece *flight[FLIGHTS]; /* in order; NULL: never used yet */
	unsigned first, nflights;
};

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
static void
fill(struct feed *f)
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
static int
next_cut(struct feed *f, size_t at, size_t *cut, struct err *err)
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
		if ((ret = next_cut(f, f->at, &cut, err)) != 0)
			return ret;
		if (cut == 0)
			break;
		lens[(*n)++] = (uint32_t)cut;
		f->at += cut;
	}
	return 0;
}

static int
add_element(struct feed *f, const struct chunk_name *name, uint64_t len,
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
		ret = add_element(f, &p->names[i], p->lens[i], err);
	return ret;
}

static int
land_all(struct feed *f, struct err *err)
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

static enum ingest_use
use_of(const struct feed *f)
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
	p->use = use_of(f);
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
static void
look(struct feed *f)
{
	if (f->looked)
		return;
	f->looked = true;
	if (offset_of(f, 0) == 0)
		f->page = cut_page_size(f->buf, f->len, f->size);
	content_builder_pages(f->w->content, f->page != 0);
}

/* All data up to f->end. */
static int
feed_run(struct feed *f, struct err *err)
{
	struct piece *p = NULL;
	int ret;

	f->eof = f->errnum != 0;
	f->len = f->at = 0;
	do {
		fill(f);
		if (stopped(f))
			return err_set(err, ERR_CANCELLED, "stopped");
		look(f);
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

/* --- small files: one buffer, no pieces -------------------------------- */

static int
feed_small(struct feed *f, struct err *err)
{
	struct chunk_name name;
	size_t cut;
	int ret;

	f->len = f->at = 0;
	f->eof = false;
	fill(f);
	f->eof = true; /* whatever came: the file had its length */
	look(f);
	cutter_page(f->w->cutter, f->page);
	if ((ret = ingest_lane_use(f->w->lane, use_of(f), err)) != 0)
		return ret;
	while (f->at < f->len) {
		if ((ret = next_cut(f, f->at, &cut, err)) != 0)
			return ret;
		ret = ingest_chunk(
		    f->w->lane, CHUNK_DATA, f->buf + f->at, cut, &name, err);
		if (ret != 0)
			return ret;
		if ((ret = add_element(f, &name, cut, err)) != 0)
			return ret;
		f->at += cut;
	}
	return 0;
}

/* --- holes ------------------------------------------------------------- */

static int
add_hole(struct feed *f, uint64_t len, struct err *err)
{
	int ret = land_all(f, err);

	return ret != 0 ? ret : add_element(f, NULL, len, err);
}

/* Where data begins from ${at} on. Where the system can't tell, it is there. */
static uint64_t
next_data(const struct feed *f, uint64_t at)
{
	off_t data = lseek(f->fd, (off_t)at, SEEK_DATA);

	/* A hole up to the end: that of now, for the file may have shrunk. */
	if (data < 0 && errno == ENXIO)
		data = lseek(f->fd, 0, SEEK_END);
	if (data < 0 || (uint64_t)data < at)
		return at;
	return (uint64_t)data < f->size ? (uint64_t)data : f->size;
}

/* Where the data at ${at} ends. */
static uint64_t
next_hole(const struct feed *f, uint64_t at)
{
	off_t hole = lseek(f->fd, (off_t)at, SEEK_HOLE);

	if (hole < 0 || (uint64_t)hole <= at || (uint64_t)hole > f->size)
		return f->size;
	return (uint64_t)hole;
}

/* Runs of data and holes in turn, as the filesystem tells them. */
static int
feed_sparse(struct feed *f, struct err *err)
{
	uint64_t at = 0;
	int ret = 0;

	while (at < f->size && ret == 0 && f->errnum == 0) {
		uint64_t data = next_data(f, at);

		if (data > at)
			ret = add_hole(f, data - at, err);
		if (ret != 0 || data == f->size)
			break;
		f->pos = data;
		f->end = at = next_hole(f, data);
		ret = feed_run(f, err);
		if (f->pos < f->end)
			break; /* it ended early: shrunk */
	}
	return ret;
}

/* --- entrances --------------------------------------------------------- */

static int
feed_end(struct feed *f, int ret, struct wr *content, struct feed_result *out,
    struct err *err)
{
	struct content c;
	int landed = land_all(f, ret == 0 ? err : NULL);

	if (ret == 0)
		ret = landed;
	for (unsigned i = 0; i < FLIGHTS; i++) {
		if (f->flight[i] != NULL)
			free(f->flight[i]->buf);
		free(f->flight[i]);
	}
	if (ret != 0)
		return ret;
	ret = content_builder_finish(
	    f->w->content, f->w->lane, &c, &out->size, err);
	if (ret != 0)
		return ret;
	out->errnum = f->errnum;
	content_encode(&c, content);
	return content->failed ? err_nomem(err) : 0;
}

int
feed_file(struct worker *w, int fd, uint64_t size, bool sparse,
    struct wr *content, struct feed_result *out, _Atomic uint64_t *read,
    const atomic_bool *stop, struct err *err)
{
	struct feed f = {.w = w,
	    .fd = fd,
	    .stop = stop,
	    .size = size,
	    .end = size,
	    .count = read};
	int ret;

	f.buf = w->buf;
	if (sparse)
		ret = feed_sparse(&f, err);
	else if (size <= WORKER_BUF)
		ret = feed_small(&f, err);
	else
		ret = feed_run(&f, err);
	return feed_end(&f, ret, content, out, err);
}

#define UNKNOWN (UINT64_MAX - 1) /* a size: to the end, wherever that is */

static int
feed_to_end(struct feed *f, struct wr *content, struct feed_result *out,
    struct err *err)
{
	int ret;

	f->buf = f->w->buf;
	ret = feed_run(f, err);
	return feed_end(f, ret, content, out, err);
}

int
feed_stream(struct worker *w, int fd, struct wr *content,
    struct feed_result *out, _Atomic uint64_t *read, const atomic_bool *stop,
    struct err *err)
{
	struct feed f = {.w = w,
	    .fd = fd,
	    .stream = true,
	    .count = read,
	    .stop = stop,
	    .size = UNKNOWN};

	return feed_to_end(&f, content, out, err);
}

int
feed_unsized(struct worker *w, int fd, struct wr *content,
    struct feed_result *out, _Atomic uint64_t *read, const atomic_bool *stop,
    struct err *err)
{
	struct feed f = {.w = w,
	    .fd = fd,
	    .count = read,
	    .stop = stop,
	    .size = UNKNOWN,
	    .end = UNKNOWN};

	return feed_to_end(&f, content, out, err);
}

int
feed_bytes(struct worker *w, const void *buf, size_t len, struct wr *content,
    struct err *err)
{
	struct feed f = {.w = w};
	struct feed_result res;
	const uint8_t *at = buf;
	struct chunk_name name;
	int ret = 0;

	while (len > 0 && ret == 0) {
		size_t n = len < CUT_MAX ? len : CUT_MAX;

		ret = ingest_chunk(w->lane, CHUNK_DATA, at, n, &name, err);
		if (ret == 0)
			ret = add_element(&f, &name, n, err);
		at += n;
		len -= n;
	}
	return feed_end(&f, ret, content, &res, err);
}
