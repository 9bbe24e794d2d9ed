#include "snapshot/restore/filler.h"
#include "snapshot/restore/gather.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUEUE 256
#define PART_BYTES (UINT64_C(8) * 1024 * 1024)
#define THREADS_MAX 64

/* A file being filled; shared by its parts. */
struct file {
	int fd;
	char *path;
	void *tag;    /* the adder's */
	uint8_t *raw; /* its entry, which ${e} borrows */
	struct entry e;
	struct content content;
	unsigned parts; /* not ended yet; guarded by the filler's mu */
	struct err err; /* the first error; guarded by mu */
};

struct part {
	struct file *file;
	uint64_t start, end;
};

struct filler {
	struct chunks *chunks;
	struct apply *apply;
	const struct restore_options *opt;
	filler_done_fn *done;
	void *arg;
	atomic_bool dropped; /* what is queued is not wanted any more */
	pthread_t threads[THREADS_MAX];
	unsigned nthreads;

	pthread_mutex_t mu;
	pthread_cond_t more, room;
	/* guarded by mu */
	struct part queue[QUEUE];
	size_t first, n;
	unsigned busy;
	bool over;
};

static bool
stopped(const struct filler *f)
{
	return atomic_load(&f->dropped) ||
	       (f->opt->stop != NULL && atomic_load(f->opt->stop));
}

static void
file_free(struct file *file)
{
	if (file == NULL)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file->raw);
	free(file);
}
DEFINE_AUTO(file, file_free)

/* --- one part ---------------------------------------------------------- */

static int
fill_element(struct filler *f, const struct part *p, struct gather *g,
    const struct element *el, uint64_t start, uint64_t at, struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};
	uint64_t skip = at - start, len = el->len - skip;
	int ret;

	if (len > p->end - at)
		len = p->end - at;
	if (el->hole)
		return 0;
	ret =
	    content_chunk(f->chunks, &el->name, CHUNK_DATA, el->len, &ch, err);
	if (ret != 0)
		return ret;
	return gather_put(g, &ch, (size_t)skip, (size_t)len, at, err);
}

/* A part further on: its pack is read while those between are filled. */
static void
look_ahead(
    const struct filler *f, const struct part *p, struct content_cursor *cur)
{
	content_fetch(
	    cur, p->start + CONTENT_FETCH_AHEAD + f->nthreads * PART_BYTES);
}

static int
fill_part(struct filler *f, const struct part *p, struct err *err)
{
	AUTO(content_cursor) struct content_cursor *cur = NULL;
	GATHER_AUTO struct gather g;
	struct element el;
	uint64_t at = p->start, from, start;
	int ret;

	gather_init(&g, p->file->fd);
	ret = content_cursor_new(
	    f->chunks, &p->file->content, p->file->e.size, &cur, err);
	if (ret == 0)
		look_ahead(f, p, cur);
	while (ret == 0 && at < p->end) {
		if (stopped(f))
			return err_set(err, ERR_CANCELLED, "stopped");
		if ((ret = content_at(cur, at, &el, &start, err)) != 0)
			break;
		ret = fill_element(f, p, &g, &el, start, at, err);
		from = at;
		at = start + el.len;
		if (f->opt->progress != NULL)
			atomic_fetch_add(&f->opt->progress->bytes,
			    (at < p->end ? at : p->end) - from);
	}
	return ret != 0 ? ret : gather_flush(&g, err);
}

/* --- one file ---------------------------------------------------------- */

static void
finish(struct filler *f, struct file *file)
{
	AUTO(file) struct file *own = file;
	bool whole = file->err.code == 0;
	int ret = file->err.code;

	if (whole)
		ret = apply_fd(f->apply, file->fd, &file->e, &file->err);
	else if (ftruncate(file->fd, 0) != 0) /* half a file is no file */
		err_wrap(&file->err, "cannot empty what was written");
	if (close(file->fd) != 0 && whole) {
		ret = err_errno(&file->err, "cannot write");
		whole = false;
	}
	file->fd = -1;
	f->done(f->arg, own->path, own->tag, own->e.size, whole,
	    ret != 0 ? &own->err : NULL);
}

/* mu is held. */
static void
end_part(struct filler *f, struct file *file, const struct err *err)
{
	if (err->code != 0 && file->err.code == 0)
		file->err = *err;
	if (--file->parts > 0)
		return;
	pthread_mutex_unlock(&f->mu);
	finish(f, file);
	pthread_mutex_lock(&f->mu);
}

static void *
filler_main(void *arg)
{
	struct filler *f = arg;

	pthread_mutex_lock(&f->mu);
	for (;;) {
		struct err err = {0};
		struct part p;

		while (f->n == 0 && !f->over)
			pthread_cond_wait(&f->more, &f->mu);
		if (f->n == 0)
			break;
		p = f->queue[f->first];
		err.code = p.file->err.code; /* of no use without the rest */
		f->first = (f->first + 1) % QUEUE;
		f->n--;
		f->busy++;
		pthread_cond_broadcast(&f->room);
		pthread_mutex_unlock(&f->mu);
		if (err.code == 0)
			(void)fill_part(f, &p, &err); /* kept with the file */
		pthread_mutex_lock(&f->mu);
		end_part(f, p.file, &err);
		f->busy--;
		pthread_cond_broadcast(&f->room);
	}
	pthread_mutex_unlock(&f->mu);
	return NULL;
}

/* --- the filler -------------------------------------------------------- */

int
filler_new(struct chunks *chunks, struct apply *apply,
    const struct restore_options *opt, filler_done_fn *done, void *arg,
    struct filler **out, struct err *err)
{
	AUTO(filler) struct filler *f = calloc(1, sizeof(*f));
	long want = opt->threads != 0 ? (long)opt->threads
				      : sysconf(_SC_NPROCESSORS_ONLN);

	*out = NULL;
	if (f == NULL)
		return err_nomem(err);
	f->chunks = chunks;
	f->apply = apply;
	f->opt = opt;
	f->done = done;
	f->arg = arg;
	pthread_mutex_init(&f->mu, NULL);
	pthread_cond_init(&f->more, NULL);
	pthread_cond_init(&f->room, NULL);
	want = want < 1 ? 1 : want > THREADS_MAX ? THREADS_MAX : want;
	for (; f->nthreads < (unsigned)want; f->nthreads++) {
		if (pthread_create(
			&f->threads[f->nthreads], NULL, filler_main, f) != 0)
			return err_set(err, ERR_IO, "cannot start a thread");
	}
	*out = STEAL(f);
	return 0;
}

void
filler_free(struct filler *f)
{
	if (f == NULL)
		return;
	atomic_store(&f->dropped, true);
	pthread_mutex_lock(&f->mu);
	f->over = true;
	pthread_cond_broadcast(&f->more);
	pthread_mutex_unlock(&f->mu);
	for (unsigned i = 0; i < f->nthreads; i++)
		pthread_join(f->threads[i], NULL);
	pthread_cond_destroy(&f->room);
	pthread_cond_destroy(&f->more);
	pthread_mutex_destroy(&f->mu);
	free(f);
}

/* One that is too large keeps no other from being restored: nothing is full. */
static int
no_such_size(uint64_t size, struct err *err)
{
	if (errno != EFBIG)
		return err_errno(err, "cannot set the size");
	return err_set(err, ERR_IO, "the target can't hold a file of %ju bytes",
	    (uintmax_t)size);
}

/* Its own copy of the entry: the walk goes on. */
static int
file_new(int fd, const char *path, const struct dir_entry *de, void *tag,
    struct file **out, struct err *err)
{
	AUTO(file) struct file *file = calloc(1, sizeof(*file));
	int ret;

	*out = NULL;
	if (file == NULL) {
		close(fd);
		return err_nomem(err);
	}
	file->fd = fd;
	file->tag = tag;
	file->path = strdup(path);
	file->raw = malloc(de->raw.len);
	if (file->path == NULL || file->raw == NULL)
		return err_nomem(err);
	memcpy(file->raw, de->raw.p, de->raw.len);
	ret = entry_decode(file->raw, de->raw.len, &file->e, err);
	if (ret == 0)
		ret = entry_content(&file->e, &file->content, err);
	/* Its length first: what is never written stays a hole. */
	if (ret == 0 && ftruncate(fd, (off_t)file->e.size) != 0)
		ret = no_such_size(file->e.size, err);
	if (ret == 0)
		*out = STEAL(file);
	return ret;
}

int
filler_add(struct filler *f, int fd, const char *path,
    const struct dir_entry *de, void *tag, struct err *err)
{
	struct file *file;
	uint64_t at = 0;
	unsigned parts;
	int ret;

	if ((ret = file_new(fd, path, de, tag, &file, err)) != 0)
		return ret;
	parts = (unsigned)((file->e.size + PART_BYTES - 1) / PART_BYTES);
	if (parts == 0 || file->content.form != CONTENT_TREE)
		parts = 1;
	file->parts = parts;
	pthread_mutex_lock(&f->mu);
	for (unsigned i = 0; i < parts; i++) {
		uint64_t end = i + 1 == parts ? file->e.size : at + PART_BYTES;
		struct part p = {.file = file, .start = at, .end = end};

		while (f->n == QUEUE)
			pthread_cond_wait(&f->room, &f->mu);
		f->queue[(f->first + f->n++) % QUEUE] = p;
		pthread_cond_signal(&f->more);
		at = end;
	}
	pthread_mutex_unlock(&f->mu);
	return 0;
}

void
filler_wait(struct filler *f)
{
	pthread_mutex_lock(&f->mu);
	while (f->n > 0 || f->busy > 0)
		pthread_cond_wait(&f->room, &f->mu);
	pthread_mutex_unlock(&f->mu);
}
