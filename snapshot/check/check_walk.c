#include "snapshot/check/check_walk.h"
#include "snapshot/log/when.h"

#include <stdio.h>
#include <stdlib.h>

/* Segments of trees and lists that are kept open, and pages of indexes. */
#define CACHE_LEN ((size_t)128 * 1024 * 1024)
#define NS_PER_MS 1000000

/* --- beginning and end -------------------------------------------------- */

int
walk_init(struct walk *w, struct scope *s, struct err *err)
{
	const struct keyring *kr = s->ds->keys;
	int rc;

	w->c = s->c;
	w->s = s;
	seen_init(&w->seen, &s->c->mix);
	inodes_init(&w->inodes, &s->c->mix);
	rc = segcache_new(CACHE_LEN, &w->cache, err);
	if (rc == 0)
		rc = chunks_new(s->c->store, w->cache, kr, &w->chunks, err);
	if (rc == 0)
		rc = chunks_set_indexes(w->chunks,
		    (const uint8_t(*)[OBJECT_NAME_LEN])s->indexes, s->nindexes,
		    err);
	return rc;
}

void
walk_clear(struct walk *w)
{
	chunks_free(w->chunks);
	segcache_free(w->cache);
	for (size_t i = 0; i < w->nframes; i++)
		frame_clear(&w->frames[i]);
	free(w->frames);
	free(w->batch.v);
	free(w->batch.shared);
	wr_clear(&w->batch.paths);
	wr_clear(&w->path);
	wr_clear(&w->scratch);
	seen_clear(&w->seen);
	inodes_clear(&w->inodes);
	free(w->label);
	free(w->bad);
}

/* Whether the second alone does not say which snapshot it is. */
static bool
needs_millis(const struct scope *s, const struct snapshot *snap)
{
	for (size_t i = 0; i < s->nsnapshots; i++)
		if (s->snapshots[i] != snap &&
		    s->snapshots[i]->time.s == snap->time.s)
			return true;
	return false;
}

int
walk_begin(struct walk *w, const struct snapshot *snap, struct err *err)
{
	char time[2 * WHEN_DAY_TEXT], millis[8] = "Z";

	when_iso(snap->time, time);
	if (needs_millis(w->s, snap))
		(void)snprintf(millis, sizeof(millis), ".%03uZ",
		    snap->time.ns / NS_PER_MS % 1000);
	free(STEAL(w->label));
	if (asprintf(&w->label, "%s@%.*s%s", w->s->ds->name,
		(int)strlen(time) - 1, time, millis) < 0) {
		w->label = NULL;
		return err_nomem(err);
	}
	w->snap = snap;
	w->path.len = 0;
	return 0;
}

/* --- the pass beside it ------------------------------------------------- */

int
walk_await_bytes(struct walk *w, struct err *err)
{
	return w->s->pass != NULL ? pass_end(w->s->pass, err) : 0;
}

int
walk_stopped(struct walk *w, struct err *err)
{
	int rc = check_stopped(w->c, err);

	if (rc == 0 && w->s->pass != NULL && pass_failed(w->s->pass))
		rc = walk_await_bytes(w, err);
	return rc;
}

/* --- where it is -------------------------------------------------------- */

int
walk_path_push(struct walk *w, struct span name, struct err *err)
{
	if (w->path.len > 0)
		wr_u8(&w->path, '/');
	wr_bytes(&w->path, name.p, name.len);
	return w->path.failed ? err_nomem(err) : 0;
}

const char *
walk_path(struct walk *w, struct err *err)
{
	wr_u8(&w->path, '\0');
	if (w->path.failed) {
		(void)err_nomem(err);
		return NULL;
	}
	w->path.len--;
	return (const char *)w->path.buf;
}

int
walk_meet(struct walk *w, const struct chunk_name *name, uint64_t claim,
    uint32_t parent, uint32_t *at, struct err *err)
{
	int rc = seen_put(&w->seen, name, at, err);
	struct seen_item *item;

	if (rc < 0)
		return rc;
	item = &w->seen.items[*at];
	if (rc == 0 && item->claim == claim)
		return 0;
	*item =
	    (struct seen_item){.name = *name, .claim = claim, .parent = parent};
	return 1;
}

/* --- damage ------------------------------------------------------------- */

int
walk_object_of(struct walk *w, const struct chunk_name *name,
    struct object_ref *ref, struct err *err)
{
	struct chunk_place place;
	struct err why;
	int rc = chunks_place(w->chunks, name, &place, &why);

	if (check_fatal(rc))
		return err_copy(err, &why);
	if (rc == 0) {
		scope_ref(w->s, OBJECT_PACK, place.pack, ref);
	} else if (w->s->has_lost) {
		*ref = w->s->lost;
	} else {
		scope_ref(w->s, OBJECT_LOG, w->snap->id, ref);
		ref->seq = w->snap->seq;
	}
	return 0;
}

int
walk_object_at(
    struct walk *w, uint32_t at, struct object_ref *ref, struct err *err)
{
	if (at != SEEN_NONE)
		return walk_object_of(w, &w->seen.items[at].name, ref, err);
	scope_ref(w->s, OBJECT_LOG, w->snap->id, ref);
	ref->seq = w->snap->seq;
	return 0;
}

/* The number by which the seen remember ${ref}; not 0. */
static int
note_bad(
    struct walk *w, const struct object_ref *ref, uint32_t *id, struct err *err)
{
	struct object_ref *v;

	*id = 0;
	if (w->nbad == 0 ||
	    memcmp(&w->bad[w->nbad - 1], ref, sizeof(*ref)) != 0) {
		v = reallocarray(w->bad, w->nbad + (size_t)1, sizeof(*v));
		if (v == NULL)
			return err_nomem(err);
		w->bad = v;
		v[w->nbad++] = *ref;
	}
	*id = w->nbad;
	return 0;
}

/* All the way: what is above may have been met after what led here first. */
static void
mark(struct walk *w, uint32_t at, uint32_t id)
{
	for (; at != SEEN_NONE; at = w->seen.items[at].parent)
		w->seen.items[at].damage = id;
}

/* What is wrong with objects as such is told of before it. */
static int
tell(struct walk *w, const struct object_ref *ref, const char *path,
    const struct err *why, struct err *err)
{
	struct wr *text = &w->scratch;
	int rc = walk_await_bytes(w, err);

	if (rc != 0)
		return rc;
	wr_reset(text);
	wr_bytes(text, w->label, strlen(w->label));
	wr_bytes(text, ":/", 2);
	wr_bytes(text, path, strlen(path) + 1);
	if (text->failed)
		return err_nomem(err);
	check_damage(w->c, ref, why, (const char *)text->buf);
	return 0;
}

int
walk_damage(struct walk *w, const struct object_ref *ref, uint32_t owner,
    const char *path, const struct err *why, struct err *err)
{
	uint32_t id;
	int rc = note_bad(w, ref, &id, err);

	if (rc != 0)
		return rc;
	mark(w, owner, id);
	return tell(w, ref, path, why, err);
}

int
walk_fault(struct walk *w, int rc, const struct chunk_name *name,
    uint32_t owner, const struct err *why, struct err *err)
{
	struct object_ref ref;
	const char *path;

	if (rc == 0)
		return 0;
	if (check_fatal(rc))
		return err_copy(err, why);
	rc = walk_object_of(w, name, &ref, err);
	if (rc != 0)
		return rc;
	path = walk_path(w, err);
	return path == NULL ? ERR_NOMEM
			    : walk_damage(w, &ref, owner, path, why, err);
}

int
walk_shared(struct walk *w, uint32_t at, uint32_t owner, const char *path,
    struct err *err)
{
	uint32_t id = w->seen.items[at].damage;
	struct err why;

	mark(w, owner, id);
	(void)err_set(&why, ERR_CORRUPT,
	    "its damage, told of before, affects"
	    " more");
	return tell(w, &w->bad[id - 1], path, &why, err);
}
