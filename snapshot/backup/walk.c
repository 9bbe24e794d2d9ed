#include "snapshot/backup/walk.h"

#include "snapshot/backup/last.h"
#include "snapshot/backup/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Directories kept open above the one being walked. */
#define OPEN_LEVELS 64
#define CACHEDIR_NAME "CACHEDIR.TAG"
#define CACHEDIR_SIGNATURE "Signature: 8a477f597d28d172789f06886806bc55"

/* A directory on the way down. */
struct level {
	struct dirh *dir; /* NULL while too far above: see reopen() */
	dev_t dev;
	ino_t ino;
	struct listing list;
	size_t next;
	struct last_cursor *last;
	size_t path_len; /* of the walk's path, at this directory */
};

struct walk {
	const struct walk_options *opt;
	walk_sink_fn *sink;
	void *arg;
	dev_t root_dev;
	struct level *levels;
	size_t depth, cap;
	char *path; /* of the top level's directory, from the root */
	size_t path_len, path_cap;
	struct job *batch; /* being filled, of the top level */
};

static struct moment
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct moment){.s = ts.tv_sec, .ns = (uint32_t)ts.tv_nsec};
}

static struct level *
top(struct walk *w)
{
	return &w->levels[w->depth - 1];
}

/* The path of ${name} in the top directory, until the next call. */
static const char *
path_of(struct walk *w, const char *name)
{
	size_t len = strlen(name), at = w->path_len, need = at + len + 2;

	if (need > w->path_cap) {
		char *path = realloc(w->path, need * 2);

		if (path == NULL)
			return NULL;
		w->path = path;
		w->path_cap = need * 2;
	}
	if (at > 0)
		w->path[at++] = '/';
	memcpy(w->path + at, name, len + 1);
	return w->path;
}

static void
path_cut(struct walk *w)
{
	if (w->path != NULL)
		w->path[w->path_len] = '\0';
}

static int
send_batch(struct walk *w, struct err *err)
{
	if (w->batch == NULL)
		return 0;
	return w->sink(w->arg, STEAL(w->batch), err);
}

/* Add an entry of the top directory to the batch; takes ${it} over. */
static int
batch_add(struct walk *w, struct item *it, bool to_work, struct err *err)
{
	AUTO(item) struct item *own = it;

	if (w->batch == NULL) {
		path_cut(w);
		w->batch = job_new(JOB_BATCH, w->path);
		if (w->batch == NULL)
			return err_nomem(err);
		w->batch->dir = dirh_ref(top(w)->dir);
	}
	w->batch->items[w->batch->n++] = STEAL(own);
	w->batch->to_work |= to_work;
	if (it->what == ITEM_READ)
		w->batch->bytes += (uint64_t)it->st.st_size;
	if (w->batch->n < BATCH_ITEMS && w->batch->bytes < BATCH_BYTES)
		return 0;
	return send_batch(w, err);
}

/* --- down and up ------------------------------------------------------- */

static int
push_level(struct walk *w, int fd, const struct stat *st, struct err *err)
{
	struct level *l;

	if (w->depth == w->cap) {
		size_t cap = w->cap * 2 + 16;

		l = realloc(w->levels, cap * sizeof(*l));
		if (l == NULL) {
			close(fd);
			return err_nomem(err);
		}
		w->levels = l;
		w->cap = cap;
	}
	l = &w->levels[w->depth++];
	memset(l, 0, sizeof(*l));
	l->dev = st->st_dev;
	l->ino = st->st_ino;
	l->path_len = w->path_len;
	if ((l->dir = dirh_new(fd)) == NULL) {
		close(fd);
		return err_nomem(err);
	}
	if (w->depth > OPEN_LEVELS) {
		struct level *far = &w->levels[w->depth - 1 - OPEN_LEVELS];

		dirh_unref(STEAL(far->dir));
	}
	return 0;
}

static void
level_clear(struct level *l)
{
	listing_clear(&l->list);
	last_cursor_free(l->last);
	dirh_unref(l->dir);
}

/* Back in a directory that was closed: through '..', if it is still the one. */
static int
reopen(struct level *parent, const struct level *child, struct err *err)
{
	struct stat st;
	int fd;

	fd = openat(child->dir->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot go back up");
	if (fstat(fd, &st) != 0 || st.st_dev != parent->dev ||
	    st.st_ino != parent->ino) {
		close(fd);
		return err_set(
		    err, ERR_IO, "a directory was moved while it was walked");
	}
	if ((parent->dir = dirh_new(fd)) == NULL) {
		close(fd);
		return err_nomem(err);
	}
	return 0;
}

static int
leave(struct walk *w, struct err *err)
{
	AUTO(job) struct job *job = job_new(JOB_LEAVE, NULL);
	struct level *l = top(w);
	int ret;

	if (job == NULL)
		return err_nomem(err);
	if ((ret = send_batch(w, err)) != 0)
		return ret;
	if ((ret = last_removed(l->last, err)) < 0)
		return ret;
	job->removed = ret == 1;
	if (w->depth > 1) {
		struct level *parent = l - 1;

		if (parent->dir == NULL && (ret = reopen(parent, l, err)) != 0)
			return ret;
		w->path_len = parent->path_len;
	}
	level_clear(l);
	w->depth--;
	return w->sink(w->arg, STEAL(job), err);
}

/* --- what is left out -------------------------------------------------- */

/* Whether the directory is marked as a cache (bford.info/cachedir). */
static bool
is_cache(const struct level *l)
{
	char buf[sizeof(CACHEDIR_SIGNATURE) - 1];
	ssize_t n;
	int fd;

	if (!listing_has(&l->list, CACHEDIR_NAME))
		return false;
	fd = openat(l->dir->fd, CACHEDIR_NAME,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf));
	close(fd);
	return n == (ssize_t)sizeof(buf) &&
	       memcmp(buf, CACHEDIR_SIGNATURE, sizeof(buf)) == 0;
}

/* Of a directory that is left out for a reason found inside: its tag alone. */
static void
keep_only_tag(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->names[i], CACHEDIR_NAME) == 0)
			l->names[0] = l->names[i];
	}
	l->n = 1;
}

/* --- entries ----------------------------------------------------------- */

/* Open the directory ${it}, send its start, and make it the top level. */
static int
enter(struct walk *w, int fd, struct item *it, struct err *err)
{
	AUTO(item) struct item *self = it;
	AUTO(job) struct job *job = NULL;
	struct stat st = it->st;
	struct level *l;
	int ret;

	w->path_len = strlen(w->path);
	if ((ret = push_level(w, fd, &st, err)) != 0)
		return ret;
	l = top(w);
	if ((job = job_new(JOB_ENTER, w->path)) == NULL)
		return err_nomem(err);
	if ((ret = listing_read(fd, &l->list, err)) != 0) {
		if (ret == ERR_NOMEM)
			return ret;
		self->fate = ITEM_UNREADABLE;
		self->errnum = err->errnum;
	}
	if (w->opt->exclude_caches && is_cache(l))
		keep_only_tag(&l->list);
	if (st.st_dev != w->root_dev && !w->opt->cross_filesystems)
		listing_clear(&l->list);
	ret = last_cursor_new(w->opt->state, w->path, &l->last, err);
	if (ret != 0)
		return ret;
	if (last_cursor_key(l->last) != NULL) {
		job->has_key = true;
		memcpy(job->key, last_cursor_key(l->last), sizeof(job->key));
	}
	job->dir = dirh_ref(l->dir);
	job->items[job->n++] = STEAL(self);
	return w->sink(w->arg, STEAL(job), err);
}

static int
walk_dir(struct walk *w, struct item *it, struct err *err)
{
	AUTO(item) struct item *self = it;
	int fd, ret;

	if ((ret = send_batch(w, err)) != 0)
		return ret;
	fd = openat(top(w)->dir->fd, it->name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(top(w)->dir->fd, it->name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* What was opened may not be what was looked at. */
	if (fd >= 0 && fstat(fd, &it->st) != 0) {
		int errnum = errno;

		close(fd);
		fd = -1;
		errno = errnum;
	}
	if (fd >= 0) {
		if (path_of(w, it->name) == NULL) {
			close(fd);
			return err_nomem(err);
		}
		return enter(w, fd, STEAL(self), err);
	}
	/* Named, and kept as an empty directory; or gone. */
	self->fate = errno == ENOENT || errno == ENOTDIR ? ITEM_VANISHED
							 : ITEM_UNREADABLE;
	self->errnum = errno;
	self->what = ITEM_META;
	return batch_add(w, STEAL(self), false, err);
}

/* Compare with the last snapshot, and say what is to be done. */
static int
decide(struct walk *w, struct item *it, bool *to_work, struct err *err)
{
	struct last_entry last;
	bool regular = S_ISREG(it->st.st_mode);
	int ret;

	*to_work = true;
	it->what = regular ? ITEM_READ : ITEM_META;
	ret = last_find(top(w)->last, it->name, it->namelen, &last, err);
	if (ret < 0)
		return ret;
	if (ret == 1) {
		if ((it->last = malloc(last.raw.len + 1)) == NULL)
			return err_nomem(err);
		memcpy(it->last, last.raw.p, last.raw.len);
		it->last_len = last.raw.len;
		if (!w->opt->full && !S_ISDIR(it->st.st_mode) &&
		    last_unchanged(&last, &it->st)) {
			it->what = ITEM_KEEP;
			*to_work = false;
		}
	}
	if (S_ISDIR(it->st.st_mode) || it->st.st_nlink < 2)
		return 0;
	if ((ret = links_meet(w->opt->links, &it->st, err)) < 0)
		return ret;
	if (ret == 1) {
		it->what = ITEM_LINK;
		*to_work = false;
	}
	return 0;
}

static int
walk_entry(struct walk *w, const char *name, struct err *err)
{
	AUTO(item) struct item *it = NULL;
	struct stat st = {0};
	const char *path;
	int errnum = 0, ret;
	bool to_work;

	if (fstatat(top(w)->dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		errnum = errno;
	if ((path = path_of(w, name)) == NULL)
		return err_nomem(err);
	if (exclude_match(w->opt->exclude, path, S_ISDIR(st.st_mode)))
		return 0;
	if ((it = item_new(name, strlen(name), &st)) == NULL)
		return err_nomem(err);
	it->seen = now();
	if (errnum != 0) {
		it->what = ITEM_META;
		it->fate = errnum == ENOENT ? ITEM_VANISHED : ITEM_UNREADABLE;
		it->errnum = errnum;
		return batch_add(w, STEAL(it), false, err);
	}
	if ((ret = decide(w, it, &to_work, err)) != 0)
		return ret;
	if (S_ISDIR(st.st_mode))
		return walk_dir(w, STEAL(it), err);
	return batch_add(w, STEAL(it), to_work, err);
}

static int
walk_all(struct walk *w, struct err *err)
{
	int ret = 0;

	while (ret == 0 && w->depth > 0) {
		struct level *l = top(w);

		if (w->opt->stop != NULL && atomic_load(w->opt->stop))
			return err_set(err, ERR_CANCELLED, "stopped");
		if (l->next == l->list.n)
			ret = leave(w, err);
		else
			ret = walk_entry(w, l->list.names[l->next++], err);
	}
	return ret;
}

int
walk_run(int root_fd, struct item *root, const struct walk_options *opt,
    walk_sink_fn *sink, void *arg, struct err *err)
{
	struct walk w = {.opt = opt, .sink = sink, .arg = arg};
	int ret;

	w.root_dev = root->st.st_dev;
	if (path_of(&w, "") == NULL) {
		close(root_fd);
		item_free(root);
		return err_nomem(err);
	}
	ret = enter(&w, root_fd, root, err);
	if (ret == 0)
		ret = walk_all(&w, err);
	job_free(w.batch);
	while (w.depth > 0)
		level_clear(&w.levels[--w.depth]);
	free(w.levels);
	free(w.path);
	return ret;
}
