/*
 * Looking at a source, without regard to what was there before: which
 * directories there are, what is in them, and what of it is left out.
 */
#include "snapshot/backup/cachedir.h"
#include "snapshot/backup/dirahead.h"
#include "snapshot/backup/scout_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Entries that may be looked at ahead: some 85 MB of the kernel's memory. */
#define ENTRIES_AHEAD 65536

/* A directory on the way down. */
struct level {
	struct dir_facts *facts;
	struct dirh *dir; /* NULL while too far above: see reopen() */
	int lost;         /* not 0: why there was no way back into it */
	size_t next;      /* in the directory's list */
	size_t looked;    /* up to here entries were sent */
	size_t path_len;  /* of the search's path, at this directory */
	/* Of the entries sent last: those to go down into. */
	uint64_t down[SCOUT_LOOKS / 64];
};

struct search {
	struct scout *scout;
	const struct scout_options *opt;
	dev_t root_dev;
	struct dirh *root; /* open to the end */
	struct dirahead *ahead;
	struct level *levels;
	size_t depth, cap;
	char *path; /* of the top level's directory, from the root */
	size_t path_len, path_cap;
};

static struct moment
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct moment){.s = ts.tv_sec, .ns = (uint32_t)ts.tv_nsec};
}

static struct level *
top(struct search *s)
{
	return &s->levels[s->depth - 1];
}

/* The path of ${name} in the top directory, until the next call. */
static const char *
path_of(struct search *s, const char *name)
{
	size_t len = strlen(name), at = s->path_len, need = at + len + 2;

	if (need > s->path_cap) {
		char *path = realloc(s->path, need * 2);

		if (path == NULL)
			return NULL;
		s->path = path;
		s->path_cap = need * 2;
	}
	if (at > 0)
		s->path[at++] = '/';
	memcpy(s->path + at, name, len + 1);
	return s->path;
}

static struct view *
view_new(enum view_kind kind, size_t looks)
{
	struct view *v = malloc(sizeof(*v) + looks * sizeof(struct look));

	if (v == NULL)
		return NULL;
	memset(v, 0, sizeof(*v));
	v->kind = kind;
	v->n = looks;
	v->seen = now();
	return v;
}

/* --- entries ----------------------------------------------------------- */

/* Look at the top level's next entries, into ${v}. */
static int
look_at(struct search *s, struct view *v, struct err *err)
{
	struct level *l = top(s);
	const char *path;

	memset(l->down, 0, sizeof(l->down));
	for (size_t i = 0; i < v->n; i++) {
		const char *name = l->facts->list.names[l->looked++];
		struct look *look = &v->looks[i];

		if (scout_over(s->scout))
			return err_set(err, ERR_CANCELLED, "stopped");
		memset(look, 0, sizeof(*look));
		if (l->lost != 0)
			look->errnum = l->lost;
		else if (fstatat(l->dir->fd, name, &look->st,
			     AT_SYMLINK_NOFOLLOW) != 0)
			look->errnum = errno;
		if ((path = path_of(s, name)) == NULL)
			return err_nomem(err);
		look->left_out = exclude_match(
		    s->opt->exclude, path, S_ISDIR(look->st.st_mode));
		if (!look->left_out && S_ISDIR(look->st.st_mode))
			l->down[i / 64] |= UINT64_C(1) << i % 64;
	}
	return 0;
}

static bool
goes_down(const struct level *l, size_t i)
{
	return (l->down[i / 64] >> i % 64 & 1) != 0;
}

/*
 * The directories in ${v} are to be looked at ahead, but for the first, which is
 * next; and the second one before all others. What is mounted is left to itself.
 */
static void
put_ahead(struct search *s, const struct view *v)
{
	struct level *l = top(s);
	size_t start = l->looked - v->n, first = 0;

	while (first < v->n && !goes_down(l, first))
		first++;
	for (size_t i = v->n; i-- > first + 1;)
		if (goes_down(l, i) && v->looks[i].st.st_dev == s->root_dev)
			dirahead_put(
			    s->ahead, l->dir, l->facts->list.names[start + i]);
}

/* Look at the next entries. The caller has called dirahead_begin(). */
static int
look(struct search *s, struct view *v, struct err *err)
{
	int rc = look_at(s, v, err);

	if (dirahead_end(s->ahead) && rc == 0)
		put_ahead(s, v);
	return rc;
}

static size_t
looks_left(const struct level *l)
{
	size_t left = l->facts->list.n - l->looked;

	return left < SCOUT_LOOKS ? left : SCOUT_LOOKS;
}

static int
send_entries(struct search *s, struct err *err)
{
	AUTO(view) struct view *v = view_new(VIEW_ENTRIES, looks_left(top(s)));
	int rc;

	if (v == NULL)
		return err_nomem(err);
	dirahead_begin(s->ahead);
	rc = look(s, v, err);
	return rc == 0 ? scout_send(s->scout, STEAL(v), err) : rc;
}

/* --- down and up ------------------------------------------------------- */

static void
level_clear(struct level *l)
{
	dir_facts_unref(l->facts);
	dirh_unref(l->dir);
}

/* Make the directory ${fd}, which is taken over, the top level. */
static int
push_level(struct search *s, struct dir_facts *facts, int fd, struct err *err)
{
	struct dirh *dir = dirh_new(fd);
	struct level *l;

	if (dir == NULL) {
		close(fd);
		return err_nomem(err);
	}
	if (s->depth == s->cap) {
		size_t cap = s->cap * 2 + 16;

		l = realloc(s->levels, cap * sizeof(*l));
		if (l == NULL) {
			dirh_unref(dir);
			return err_nomem(err);
		}
		s->levels = l;
		s->cap = cap;
	}
	l = &s->levels[s->depth++];
	memset(l, 0, sizeof(*l));
	atomic_fetch_add(&facts->refs, 1);
	l->facts = facts;
	l->dir = dir;
	l->path_len = s->path_len;
	if (s->depth > SCOUT_OPEN_LEVELS) {
		struct level *far =
		    &s->levels[s->depth - 1 - SCOUT_OPEN_LEVELS];

		dirahead_leave(s->ahead, far->dir);
		dirh_unref(STEAL(far->dir));
	}
	return 0;
}

/* List what may be looked at of the directory. */
static int
list_dir(struct search *s, int fd, struct dir_facts *f, struct err *err)
{
	int rc = listing_read(fd, &f->list, err);

	if (rc == ERR_NOMEM)
		return rc;
	if (rc != 0)
		f->errnum = err->errnum;
	if (s->opt->exclude_caches && cachedir_is(fd, &f->list))
		cachedir_keep_tag(&f->list);
	f->is_store = dir_id_is(&s->opt->store, &f->st);
	f->elsewhere = f->st.st_dev != s->root_dev &&
		       !s->opt->cross_filesystems && !f->is_store;
	if (f->elsewhere || f->is_store)
		listing_clear(&f->list);
	return 0;
}

/* The directory ${fd}, which is taken over, at the search's path. */
static int
enter(struct search *s, int fd, const struct stat *st, struct err *err)
{
	AUTO(view) struct view *v = NULL;
	struct dir_facts *f;
	struct err why = {0};
	int rc;

	s->path_len = strlen(s->path);
	f = calloc(1, sizeof(*f) + s->path_len + 1);
	if (f == NULL) {
		close(fd);
		return err_nomem(err);
	}
	atomic_init(&f->refs, 1);
	f->st = *st;
	memcpy(f->path, s->path, s->path_len + 1);
	rc = push_level(s, f, fd, err);
	dirahead_begin(s->ahead);
	if (rc == 0)
		rc = list_dir(s, fd, f, &why);
	if (rc != 0) {
		dir_facts_unref(f);
		return why.code != 0 ? err_copy(err, &why) : rc;
	}
	v = view_new(VIEW_DIR, looks_left(top(s)));
	if (v == NULL) {
		dir_facts_unref(f);
		return err_nomem(err);
	}
	v->facts = f;
	v->dir = dirh_ref(top(s)->dir);
	rc = look(s, v, err);
	return rc == 0 ? scout_send(s->scout, STEAL(v), err) : rc;
}

static int
down(struct search *s, const char *name, struct err *err)
{
	struct view *v;
	struct stat st;
	struct dirh *dir = top(s)->dir;
	int fd, errnum;

	if (path_of(s, name) == NULL)
		return err_nomem(err);
	dirahead_reached(s->ahead, dir, name);
	fd = listing_open(dir->fd, name);
	/* What was opened may not be what was looked at. */
	if (fd >= 0 && fstat(fd, &st) == 0)
		return enter(s, fd, &st, err);
	errnum = errno;
	if (fd >= 0)
		close(fd);
	if ((v = view_new(VIEW_CLOSED, 0)) == NULL)
		return err_nomem(err);
	v->errnum = errnum;
	return scout_send(s->scout, v, err);
}

/* Back in a directory that was closed, if there is a way. */
static int
reopen(struct search *s, struct level *parent, const struct level *child,
    struct err *err)
{
	struct view *v;
	int fd = scout_reopen(child->dir != NULL ? child->dir->fd : -1,
	    s->root->fd, parent->facts->path, &parent->facts->st);

	if (fd < 0) {
		parent->lost = errno;
		memset(parent->down, 0, sizeof(parent->down));
	} else if ((parent->dir = dirh_new(fd)) == NULL) {
		close(fd);
		return err_nomem(err);
	}
	if ((v = view_new(VIEW_AGAIN, 0)) == NULL)
		return err_nomem(err);
	if (parent->dir != NULL)
		v->dir = dirh_ref(parent->dir);
	v->errnum = parent->lost;
	return scout_send(s->scout, v, err);
}

static int
up(struct search *s, struct err *err)
{
	struct level *l = top(s);
	int rc = 0;

	if (s->depth > 1) {
		s->path_len = l[-1].path_len;
		if (l[-1].dir == NULL)
			rc = reopen(s, l - 1, l, err);
	}
	dirahead_leave(s->ahead, l->dir);
	level_clear(l);
	s->depth--;
	return rc;
}

/* --- all of it ---------------------------------------------------------- */

static int
step(struct search *s, struct err *err)
{
	struct level *l = top(s);
	size_t i;

	if (l->next == l->facts->list.n)
		return up(s, err);
	if (l->next == l->looked)
		return send_entries(s, err);
	i = l->next % SCOUT_LOOKS;
	if (!goes_down(l, i)) {
		l->next++;
		return 0;
	}
	return down(s, l->facts->list.names[l->next++], err);
}

int
scout_look(struct scout *scout, int fd, const struct stat *st,
    const struct scout_options *opt, struct err *err)
{
	struct search s = {.scout = scout, .opt = opt, .root_dev = st->st_dev};
	int rc;

	if (path_of(&s, "") == NULL) {
		close(fd);
		return err_nomem(err);
	}
	rc = dirahead_new(ENTRIES_AHEAD, opt->slow, &s.ahead, err);
	if (rc != 0)
		close(fd);
	else
		rc = enter(&s, fd, st, err);
	if (s.depth > 0)
		s.root = dirh_ref(s.levels[0].dir);
	while (rc == 0 && s.depth > 0) {
		if (opt->stop != NULL && atomic_load(opt->stop))
			rc = err_set(err, ERR_CANCELLED, "stopped");
		else
			rc = step(&s, err);
	}
	while (s.depth > 0)
		level_clear(&s.levels[--s.depth]);
	dirahead_free(s.ahead);
	dirh_unref(s.root);
	free(s.levels);
	free(s.path);
	return rc;
}
