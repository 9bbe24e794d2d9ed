#include "snapshot/backup/last.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_ENTRIES 1024
#define PAGE_BYTES (256 * 1024)
/* The coarsest grain of a filesystem's clock in use: FAT's two seconds. */
#define GRAIN_S 2

struct last_cursor {
	struct state *state;
	uint8_t key[HASH_LEN];
	uint32_t next_page;
	struct wr page;
	struct rd r;
	size_t n; /* entries read of it */
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

bool
last_next(struct rd *r, struct last_entry *out)
{
	const uint8_t *start = r->p;
	uint64_t ns;

	out->name.p = rd_string(r, &out->name.len);
	out->ctime.s = rd_svarint(r);
	ns = rd_varint(r);
	out->ctime.ns = (uint32_t)ns;
	out->ino = rd_varint(r);
	out->doubtful = rd_u8(r) != 0;
	out->raw.p = rd_string(r, &out->raw.len);
	out->record = (struct span){start, (size_t)(r->p - start)};
	return !r->failed && ns < 1000000000;
}

void
last_record(const struct last_entry *e, struct wr *w)
{
	wr_string(w, e->name.p, e->name.len);
	wr_svarint(w, e->ctime.s);
	wr_varint(w, e->ctime.ns);
	wr_varint(w, e->ino);
	wr_u8(w, e->doubtful);
	wr_string(w, e->raw.p, e->raw.len);
}

static bool
page_full(size_t entries, size_t bytes)
{
	return entries >= PAGE_ENTRIES || bytes >= PAGE_BYTES;
}

/* Damaged: as good as lost; the files are read again. */
static int
next_page(struct last_cursor *cur, struct err *err)
{
	struct err why;
	int ret;

	cur->end = cur->next_page > 0 && !page_full(cur->n, cur->page.len);
	if (cur->end)
		return 0;
	wr_reset(&cur->page);
	ret = state_dir_get(
	    cur->state, cur->key, cur->next_page, &cur->page, &why);
	if (ret == ERR_NOT_FOUND || ret == ERR_CORRUPT)
		cur->end = true;
	else if (ret != 0)
		return err_copy(err, &why);
	cur->next_page++;
	cur->n = 0;
	cur->r = rd_init(cur->page.buf, cur->page.len);
	return 0;
}

/* Read the next entry ahead, if there is one. */
static int
advance(struct last_cursor *cur, struct err *err)
{
	int ret;

	while (!cur->end && rd_left(&cur->r) == 0)
		if ((ret = next_page(cur, err)) != 0)
			return ret;
	if (cur->end)
		return 0;
	cur->n++;
	if (!last_next(&cur->r, &cur->e))
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
    struct last_entry *out, bool *unchanged, struct err *err)
{
	int ret;

	*out = (struct last_entry){0};
	ret = last_find(cur, name, strlen(name), out, err);
	*unchanged = ret == 1 && last_unchanged(out, st);
	return ret;
}

size_t
last_left(const struct last_cursor *cur)
{
	return rd_left(&cur->r);
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
	memset(w, 0, sizeof(*w));
}

static int
put_page(struct last_writer *w, struct state *state,
    const uint8_t key[HASH_LEN], struct err *err)
{
	int ret =
	    state_dir_put(state, key, w->pages++, w->buf.buf, w->buf.len, err);

	wr_reset(&w->buf);
	w->n = 0;
	return ret;
}

int
last_write(struct last_writer *w, struct state *state,
    const uint8_t key[HASH_LEN], struct span record, struct err *err)
{
	wr_bytes(&w->buf, record.p, record.len);
	if (w->buf.failed)
		return err_nomem(err);
	w->n++;
	return page_full(w->n, w->buf.len) ? put_page(w, state, key, err) : 0;
}

int
last_write_end(struct last_writer *w, struct state *state,
    const uint8_t key[HASH_LEN], struct err *err)
{
	int ret = w->n > 0 ? put_page(w, state, key, err) : 0;

	w->pages = 0;
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

bool
last_stays(const struct stat *st, struct moment seen)
{
	return !S_ISDIR(st->st_mode) && st->st_nlink < 2 &&
	       !last_doubtful(st, seen);
}
