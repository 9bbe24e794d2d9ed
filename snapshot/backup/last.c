#include "snapshot/backup/last.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_ENTRIES 1024
#define PAGE_BYTES (256 * 1024)
#define HELD_BYTES (32 * 1024 * 1024)
/* The coarsest grain of a filesystem's clock in use: FAT's two seconds. */
#define GRAIN_S 2

struct last_cursor {
	struct state *state;
	uint8_t key[HASH_LEN];
	uint32_t next_page;
	struct wr page;
	struct rd r;
	bool end;
	bool have; /* ${e} was read ahead, and not matched yet */
	bool removed;
	struct last_entry e;
};

int
last_cursor_new(struct state *state, const char *path, struct last_cursor **out,
    struct err *err)
{
	AUTO(last_cursor) struct last_cursor *cur = calloc(1, sizeof(*cur));
	int ret;

	*out = NULL;
	if (cur == NULL)
		return err_nomem(err);
	cur->state = state;
	cur->end = state == NULL;
	if (state != NULL) {
		ret = state_dir_key(state, path, strlen(path), cur->key, err);
		if (ret != 0)
			return ret;
	}
	*out = STEAL(cur);
	return 0;
}

void
last_cursor_free(struct last_cursor *cur)
{
	if (cur == NULL)
		return;
	wr_clear(&cur->page);
	free(cur);
}

const uint8_t *
last_cursor_key(const struct last_cursor *cur)
{
	return cur->state != NULL ? cur->key : NULL;
}

static bool
decode(struct rd *r, struct last_entry *e)
{
	uint64_t ns;

	e->name.p = rd_string(r, &e->name.len);
	e->ctime.s = rd_svarint(r);
	ns = rd_varint(r);
	e->ctime.ns = (uint32_t)ns;
	e->ino = rd_varint(r);
	e->doubtful = rd_u8(r) != 0;
	e->raw.p = rd_string(r, &e->raw.len);
	return !r->failed && ns < 1000000000;
}

/* Read the next entry ahead, if there is one. */
static int
advance(struct last_cursor *cur, struct err *err)
{
	struct err why;
	int ret;

	while (!cur->end && rd_left(&cur->r) == 0) {
		wr_reset(&cur->page);
		ret = state_dir_get(
		    cur->state, cur->key, cur->next_page, &cur->page, &why);
		/* Damaged: as good as lost; the files are read again. */
		if (ret == ERR_NOT_FOUND || ret == ERR_CORRUPT)
			cur->end = true;
		else if (ret != 0)
			return err_copy(err, &why);
		cur->next_page++;
		cur->r = rd_init(cur->page.buf, cur->page.len);
	}
	if (cur->end)
		return 0;
	if (!decode(&cur->r, &cur->e))
		cur->end = true;
	else
		cur->have = true;
	return 0;
}

static int
compare(struct span a, const char *name, size_t len)
{
	int c = memcmp(a.p, name, a.len < len ? a.len : len);

	if (c != 0)
		return c;
	return (a.len > len) - (a.len < len);
}

int
last_find(struct last_cursor *cur, const char *name, size_t len,
    struct last_entry *out, struct err *err)
{
	int ret, c;

	for (;;) {
		if (!cur->have && (ret = advance(cur, err)) != 0)
			return ret;
		if (!cur->have)
			return 0;
		c = compare(cur->e.name, name, len);
		if (c > 0)
			return 0;
		cur->have = false;
		if (c == 0) {
			*out = cur->e;
			return 1;
		}
		cur->removed = true;
	}
}

int
last_meet(struct last_cursor *cur, const char *name, const struct stat *st,
    struct item **out, bool *unchanged, struct err *err)
{
	size_t len = strlen(name);
	struct last_entry e;
	int ret = last_find(cur, name, len, &e, err);

	if (ret < 0)
		return ret;
	*unchanged = ret == 1 && last_unchanged(&e, st);
	*out = ret == 1 ? item_new_after(name, len, st, e.raw)
			: item_new(name, len, st);
	return *out != NULL ? 0 : err_nomem(err);
}

int
last_removed(struct last_cursor *cur, struct err *err)
{
	int ret;

	if (!cur->have && (ret = advance(cur, err)) != 0)
		return ret;
	return cur->removed || cur->have;
}

void
last_writer_clear(struct last_writer *w)
{
	wr_clear(&w->buf);
	free(w->ends);
	memset(w, 0, sizeof(*w));
}

/* End the page being filled. */
static int
end_page(struct last_writer *w, struct err *err)
{
	if (w->nends == w->ends_cap) {
		size_t cap = w->ends_cap * 2 + 8;
		size_t *ends = realloc(w->ends, cap * sizeof(*ends));

		if (ends == NULL)
			return err_nomem(err);
		w->ends = ends;
		w->ends_cap = cap;
	}
	w->ends[w->nends++] = w->buf.len;
	w->n = 0;
	return 0;
}

/* Put all full pages; what is left of the last one moves to the front. */
static int
put_pages(struct last_writer *w, struct state *state,
    const uint8_t key[HASH_LEN], struct err *err)
{
	size_t at = 0;
	int ret = 0;

	for (size_t i = 0; i < w->nends && ret == 0; i++) {
		ret = state_dir_put(state, key, w->pages++, w->buf.buf + at,
		    w->ends[i] - at, err);
		at = w->ends[i];
	}
	w->nends = 0;
	if (at > 0)
		memmove(w->buf.buf, w->buf.buf + at, w->buf.len - at);
	w->buf.len -= at;
	return ret;
}

int
last_write(struct last_writer *w, struct state *state,
    const uint8_t key[HASH_LEN], const struct last_entry *e, struct err *err)
{
	size_t start = w->nends > 0 ? w->ends[w->nends - 1] : 0;
	int ret;

	wr_string(&w->buf, e->name.p, e->name.len);
	wr_svarint(&w->buf, e->ctime.s);
	wr_varint(&w->buf, e->ctime.ns);
	wr_varint(&w->buf, e->ino);
	wr_u8(&w->buf, e->doubtful);
	wr_string(&w->buf, e->raw.p, e->raw.len);
	if (w->buf.failed)
		return err_nomem(err);
	w->n++;
	if (w->n < PAGE_ENTRIES && w->buf.len - start < PAGE_BYTES)
		return 0;
	if ((ret = end_page(w, err)) != 0)
		return ret;
	if (w->buf.len > HELD_BYTES)
		w->dirty = true;
	return w->dirty ? put_pages(w, state, key, err) : 0;
}

int
last_write_end(struct last_writer *w, struct state *state,
    const uint8_t key[HASH_LEN], struct err *err)
{
	int ret = 0;

	if (!w->dirty)
		ret = state_dir_keep(state, key, err);
	else if (w->n > 0)
		ret = end_page(w, err);
	if (ret == 0 && w->dirty)
		ret = put_pages(w, state, key, err);
	wr_reset(&w->buf);
	w->nends = w->n = 0;
	w->pages = 0;
	w->dirty = false;
	return ret;
}

static bool
within_grain(const struct timespec *t, struct moment seen)
{
	return t->tv_sec >= seen.s - GRAIN_S;
}

bool
last_doubtful(const struct stat *st, struct moment seen)
{
	/*
	 * The change time can't be set by hand: in the future, it says that the
	 * clocks disagree. A modification time can, and then the change
	 * time is what counts.
	 */
	return within_grain(&st->st_ctim, seen) ||
	       (within_grain(&st->st_mtim, seen) &&
		   st->st_mtim.tv_sec <= seen.s + GRAIN_S);
}

bool
last_unchanged(const struct last_entry *e, const struct stat *st)
{
	struct entry last;

	if (e->doubtful || e->ino != st->st_ino ||
	    e->ctime.s != st->st_ctim.tv_sec ||
	    e->ctime.ns != (uint32_t)st->st_ctim.tv_nsec)
		return false;
	if (entry_decode(e->raw.p, e->raw.len, &last, NULL) != 0)
		return false;
	return entry_mode(&last) == (uint32_t)st->st_mode &&
	       last.mtime == st->st_mtim.tv_sec &&
	       last.mtime_ns == (uint32_t)st->st_mtim.tv_nsec &&
	       last.uid == st->st_uid && last.gid == st->st_gid &&
	       (last.type == ENTRY_DIR || last.nlink == st->st_nlink) &&
	       (last.type != ENTRY_FILE || last.size == (uint64_t)st->st_size);
}
