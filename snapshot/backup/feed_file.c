/* What is fed: files whole and with holes, pipes, bytes in memory. */
#include "snapshot/backup/feed_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* --- small files: one buffer, no pieces -------------------------------- */

static int
feed_small(struct feed *f, struct err *err)
{
	struct chunk_name name;
	size_t cut;
	int ret;

	f->len = f->at = 0;
	f->eof = false;
	feed_fill(f);
	f->eof = true; /* whatever came: the file had its length */
	feed_look(f);
	cutter_page(f->w->cutter, f->page);
	if ((ret = ingest_lane_use(f->w->lane, feed_use(f), err)) != 0)
		return ret;
	while (f->at < f->len) {
		if ((ret = feed_next_cut(f, f->at, &cut, err)) != 0)
			return ret;
		ret = ingest_chunk(
		    f->w->lane, CHUNK_DATA, f->buf + f->at, cut, &name, err);
		if (ret != 0)
			return ret;
		if ((ret = feed_add(f, &name, cut, err)) != 0)
			return ret;
		f->at += cut;
	}
	return 0;
}

/* --- holes ------------------------------------------------------------- */

static int
add_hole(struct feed *f, uint64_t len, struct err *err)
{
	int ret = feed_land(f, err);

	return ret != 0 ? ret : feed_add(f, NULL, len, err);
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
	int landed = feed_land(f, ret == 0 ? err : NULL);

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
feed_to_end(struct worker *w, int fd, bool stream, struct wr *content,
    struct feed_result *out, _Atomic uint64_t *read, const atomic_bool *stop,
    struct err *err)
{
	struct feed f = {.w = w,
	    .fd = fd,
	    .stream = stream,
	    .count = read,
	    .stop = stop,
	    .size = UNKNOWN,
	    .end = UNKNOWN};
	int ret;

	f.buf = w->buf;
	ret = feed_run(&f, err);
	return feed_end(&f, ret, content, out, err);
}

int
feed_stream(struct worker *w, int fd, struct wr *content,
    struct feed_result *out, _Atomic uint64_t *read, const atomic_bool *stop,
    struct err *err)
{
	return feed_to_end(w, fd, true, content, out, read, stop, err);
}

int
feed_unsized(struct worker *w, int fd, struct wr *content,
    struct feed_result *out, _Atomic uint64_t *read, const atomic_bool *stop,
    struct err *err)
{
	return feed_to_end(w, fd, false, content, out, read, stop, err);
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
			ret = feed_add(&f, &name, n, err);
		at += n;
		len -= n;
	}
	return feed_end(&f, ret, content, &res, err);
}
