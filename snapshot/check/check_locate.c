/*
 * Whether each chunk is where it should be. Look-ups go by name, and names are
 * as good as random: one at a time they would open a page of the index each. So
 * many are gathered, and looked up in the order of the index.
 */
#include "snapshot/check/check_walk.h"

#include <stdlib.h>

#define BATCH_MAX 131072
#define PATHS_MAX (8 * 1024 * 1024)
#define STOP_EACH 1024 /* look-ups from one look for the end to the next */

/* --- gathering ---------------------------------------------------------- */

void
batch_begin(struct walk *w)
{
	w->batch.has_path = false;
}

static int
add_path(struct walk *w, struct err *err)
{
	struct batch *b = &w->batch;
	const char *path = walk_path(w, err);

	if (path == NULL)
		return ERR_NOMEM;
	b->path = (uint32_t)b->paths.len;
	wr_u8(&b->paths, 0);
	wr_bytes(&b->paths, path, strlen(path) + 1);
	b->has_path = true;
	return b->paths.failed ? err_nomem(err) : 0;
}

static int
alloc_batch(struct batch *b, struct err *err)
{
	if (b->v == NULL)
		b->v = calloc(BATCH_MAX, sizeof(*b->v));
	if (b->shared == NULL)
		b->shared = calloc(BATCH_MAX, sizeof(*b->shared));
	return b->v == NULL || b->shared == NULL ? err_nomem(err) : 0;
}

/* Room for one more of the entry at hand. */
static int
make_room(struct walk *w, struct err *err)
{
	struct batch *b = &w->batch;
	bool full = b->n == BATCH_MAX || b->nshared == BATCH_MAX ||
		    b->paths.len > PATHS_MAX;
	int rc = alloc_batch(b, err);

	if (rc == 0 && full)
		rc = batch_flush(w, err);
	if (rc == 0 && !b->has_path)
		rc = add_path(w, err);
	return rc;
}

int
batch_want(struct walk *w, const struct chunk_name *name, uint64_t len,
    uint32_t owner, struct err *err)
{
	struct batch *b = &w->batch;
	int rc = make_room(w, err);

	/* No chunk is longer than CHUNK_MAX, so says the decoder. */
	if (rc == 0)
		b->v[b->n++] = (struct wanted){.name = *name,
		    .len = (uint32_t)len,
		    .owner = owner,
		    .path = b->path};
	return rc;
}

int
batch_share(struct walk *w, uint32_t node, uint32_t owner, struct err *err)
{
	struct batch *b = &w->batch;
	int rc = make_room(w, err);

	if (rc == 0)
		b->shared[b->nshared++] = (struct shared){
		    .node = node, .owner = owner, .path = b->path};
	return rc;
}

/* --- looking up --------------------------------------------------------- */

/* Read it as who restores it would: its name is computed again. */
static int
try_chunk(struct walk *w, const struct wanted *want, struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};

	return content_chunk(
	    w->chunks, &want->name, CHUNK_DATA, want->len, &ch, err);
}

/* Where the indexes say that it is. */
static int
find_pack(struct walk *w, struct wanted *want, struct err *err)
{
	struct chunk_place place;
	const struct listed *l;
	size_t n;
	int rc = chunks_place(w->chunks, &want->name, &place, err);

	if (rc != 0)
		return rc;
	if (place.kind != PACK_DATA)
		return err_set(err, ERR_CORRUPT,
		    "a file's chunk is listed in a pack of metadata");
	l = listed_find(w->s, 0, place.pack, &n);
	want->pack = l == NULL ? 0 : (uint32_t)(l - w->s->listed) + 1;
	return 0;
}

/* Whether reading all bytes has shown, or would have, that it is not so. */
static bool
is_doubtful(const struct walk *w, const struct wanted *want)
{
	const struct lengths *lengths = &w->s->lengths;

	if (want->pack == 0 || w->s->listed[want->pack - 1].doubtful)
		return true;
	return lengths->words != NULL &&
	       !lengths_has(lengths, &want->name, want->len);
}

static int
locate(struct walk *w, struct wanted *want, struct err *err)
{
	int rc = want->pack == 0 ? find_pack(w, want, err) : 0;

	if (rc != 0)
		return rc;
	return is_doubtful(w, want) ? try_chunk(w, want, err) : 0;
}

/* A path is told of once, however many of its chunks are damaged. */
static bool
is_told(struct batch *b, uint32_t path)
{
	uint8_t *told = &b->paths.buf[path];
	bool before = *told != 0;

	*told = 1;
	return before;
}

static const char *
path_text(const struct batch *b, uint32_t path)
{
	return (const char *)&b->paths.buf[path + 1];
}

/* The ${n} that want one chunk, which befell ${why}. */
static int
tell_wanted(struct walk *w, const struct wanted *v, size_t n,
    const struct err *why, struct err *err)
{
	struct object_ref ref;
	int rc = walk_object_of(w, &v->name, &ref, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (is_told(&w->batch, v[i].path))
			continue;
		rc = walk_damage(w, &ref, v[i].owner,
		    path_text(&w->batch, v[i].path), why, err);
	}
	return rc;
}

static int
compare_wanted(const void *a, const void *b)
{
	const struct wanted *x = a;
	const struct wanted *y = b;
	int order = memcmp(&x->name, &y->name, sizeof(x->name));

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/*
 * While other threads still read: what is to be said of a chunk is said
 * afterwards, but where it is can be looked up at once. It is a head start only:
 * it ends where something is wrong, and what is left is looked up later.
 */
static void
find_packs(struct walk *w)
{
	struct batch *b = &w->batch;
	struct err why;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		if (i > 0 && compare_wanted(&b->v[i], &b->v[i - 1]) == 0)
			continue;
		if (i % STOP_EACH == 0 && check_stopped(w->c, &why) != 0)
			return;
		rc = find_pack(w, &b->v[i], &why);
	}
}

/* The first of those left, and all that want the same: ${n} of them. */
static int
locate_first(
    struct walk *w, struct wanted *v, size_t left, size_t *n, struct err *err)
{
	struct err why;
	int rc;

	for (*n = 1; *n < left; ++*n)
		if (compare_wanted(&v[*n], v) != 0)
			break;
	rc = locate(w, v, &why);
	if (rc == 0)
		return 0;
	if (check_fatal(rc))
		return err_copy(err, &why);
	return tell_wanted(w, v, *n, &why, err);
}

static int
tell_shared(struct walk *w, const struct shared *sh, struct err *err)
{
	if (w->seen.items[sh->node].damage == 0 || is_told(&w->batch, sh->path))
		return 0;
	return walk_shared(
	    w, sh->node, sh->owner, path_text(&w->batch, sh->path), err);
}

int
batch_flush(struct walk *w, struct err *err)
{
	struct batch *b = &w->batch;
	int rc = walk_stopped(w, err);
	size_t n;

	if (b->n > 1)
		qsort(b->v, b->n, sizeof(*b->v), compare_wanted);
	if (rc == 0 && b->n > 0) {
		find_packs(w);
		rc = walk_await_bytes(w, err);
	}
	for (size_t i = 0; rc == 0 && i < b->n; i += n)
		rc = locate_first(w, &b->v[i], b->n - i, &n, err);
	for (size_t i = 0; rc == 0 && i < b->nshared; i++)
		rc = tell_shared(w, &b->shared[i], err);
	b->n = 0;
	b->nshared = 0;
	b->has_path = false;
	wr_reset(&b->paths);
	return rc;
}
