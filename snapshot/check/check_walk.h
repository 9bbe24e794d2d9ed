#ifndef SNAPSHOT_CHECK_CHECK_WALK_H
#define SNAPSHOT_CHECK_CHECK_WALK_H

/*
 * Private to this folder: the walk over the trees of a dataset's snapshots, as
 * its files share it. Belongs to one thread.
 *
 *	check_trees.c    snapshots, and down and up the pages
 *	check_page.c     one page
 *	check_entry.c    one entry
 *	check_content.c  a file's chunk list
 *	check_locate.c   gathers the chunks that are named, and looks them up
 *	check_walk.c     where the walk is; damage, and what it affects
 */
#include "snapshot/check/check_internal.h"
#include "snapshot/check/inodes.h"
#include "snapshot/check/seen.h"
#include "snapshot/tree/page.h"
#include "snapshot/tree/refs.h"

/* A page to descend to: one of the same directory, or a directory's first. */
struct child {
	struct page_ref ref; /* ${first} is left empty */
	bool dir;
	size_t name, name_len;    /* in the frame's names: ref's ${first}, or
				     the directory's name */
	struct dir_totals totals; /* of a directory: what its entry says */
};

/*
 * A page whose children are being walked. Of the page nothing is kept but
 * them: paths may be as deep as they like, and pages large.
 */
struct frame {
	uint32_t page;   /* in ${seen}; SEEN_NONE: above the root directory */
	size_t path_len; /* of its directory */
	struct child *children;
	size_t n, cap, next;
	struct wr names;
	struct span upper; /* the name that all in it precede; empty: none */
};

/* A chunk that somebody names, to be looked up with many others. */
struct wanted {
	struct chunk_name name;
	uint32_t len;
	uint32_t owner; /* the page or node that leads to it */
	uint32_t path;  /* in the batch's paths */
	uint32_t pack;  /* of those listed, its number + 1; 0: none was found */
};

/* A node that was looked at before: is what it leads to damaged? */
struct shared {
	uint32_t node;
	uint32_t owner;
	uint32_t path;
};

struct batch {
	struct wanted *v;
	size_t n;
	struct shared *shared;
	size_t nshared;
	/* Each a byte, whether it was told of, and the text with its NUL. */
	struct wr paths;
	bool has_path; /* that of the entry at hand is the last one */
	uint32_t path;
};

struct walk {
	struct check *c;
	struct scope *s;
	struct segcache *cache;
	struct chunks *chunks;
	struct seen seen;
	struct batch batch;
	struct inodes inodes;
	const struct snapshot *snap;
	char *label;    /* "DATASET@TIME" of it */
	struct wr path; /* from the snapshot's root, without its '/' */
	struct wr scratch;
	struct frame *frames;
	size_t nframes, frames_cap;
	struct object_ref *bad; /* the objects that damage was found in */
	uint32_t nbad;
};

/* --- check_walk.c ------------------------------------------------------- */

NODISCARD int walk_init(struct walk *w, struct scope *s, struct err *err);
/** walk_begin(w, snap, err): The next snapshot. */
NODISCARD int walk_begin(
    struct walk *w, const struct snapshot *snap, struct err *err);
void walk_clear(struct walk *w);
#define WALK_AUTO __attribute__((cleanup(walk_clear)))

/** walk_stopped(w, err): check_stopped(); or the pass beside it has failed. */
NODISCARD int walk_stopped(struct walk *w, struct err *err);
/** walk_await_bytes(w, err): Until the pass has ended, take part in it. */
NODISCARD int walk_await_bytes(struct walk *w, struct err *err);

NODISCARD int walk_path_push(struct walk *w, struct span name, struct err *err);
/** walk_path(w, err): As a text; NULL out of memory. */
const char *walk_path(struct walk *w, struct err *err);

/** walk_object_at(w, at, ref, err): walk_object_of() a page or node. */
NODISCARD int walk_object_at(
    struct walk *w, uint32_t at, struct object_ref *ref, struct err *err);

/**
 * walk_object_of(w, name, ref, err):
 * The object to be blamed for chunk ${name}: the pack that should hold it; else
 * an index that can't be read; else the snapshot's record.
 */
NODISCARD int walk_object_of(struct walk *w, const struct chunk_name *name,
    struct object_ref *ref, struct err *err);

/**
 * walk_damage(w, ref, owner, path, why, err):
 * Tell of damage in ${ref}, and mark ${owner}, with all that led to it. ${path}
 * of the snapshot is affected.
 */
NODISCARD int walk_damage(struct walk *w, const struct object_ref *ref,
    uint32_t owner, const char *path, const struct err *why, struct err *err);

/**
 * walk_fault(w, rc, name, owner, why, err):
 * ${rc} befell chunk ${name}: fail when it is fatal; else walk_damage() of
 * where the walk is.
 */
NODISCARD int walk_fault(struct walk *w, int rc, const struct chunk_name *name,
    uint32_t owner, const struct err *why, struct err *err);

/** walk_shared(w, at, owner, path, err): Damage in ${at} affects more. */
NODISCARD int walk_shared(struct walk *w, uint32_t at, uint32_t owner,
    const char *path, struct err *err);

/**
 * walk_meet(w, name, claim, parent, at, err):
 * Come to a page or node of which ${claim} is said: 1 when it has to be looked
 * at, 0 when it was, and is known as ${at}.
 */
NODISCARD int walk_meet(struct walk *w, const struct chunk_name *name,
    uint64_t claim, uint32_t parent, uint32_t *at, struct err *err);

/* --- the others --------------------------------------------------------- */

/** page_visit(w, f, ref, err): Take up what is in a page: ${f} is its frame. */
NODISCARD int page_visit(struct walk *w, struct frame *f,
    const struct page_ref *ref, struct err *err);
/** frame_add(f, child, name, err): Copies the name. */
NODISCARD int frame_add(struct frame *f, const struct child *child,
    struct span name, struct err *err);
struct span frame_name(const struct frame *f, const struct child *child);
void frame_clear(struct frame *f);

/**
 * entry_visit(w, f, name, raw, totals, err):
 * An entry of the page that ${f} is for; ${totals} gets what it adds. A damaged
 * one is told of.
 */
NODISCARD int entry_visit(struct walk *w, struct frame *f, struct span name,
    struct span raw, struct dir_totals *totals, struct err *err);

/** content_visit(w, ref, owner, err): Want a chunk, or those of a list. */
NODISCARD int content_visit(
    struct walk *w, const struct ref *ref, uint32_t owner, struct err *err);

/** batch_begin(w): The chunks that follow are those of another entry. */
void batch_begin(struct walk *w);
/** batch_want(w, name, owner, err): Of the entry that w->path is of. */
NODISCARD int batch_want(struct walk *w, const struct chunk_name *name,
    uint64_t len, uint32_t owner, struct err *err);
/** batch_share(w, node, owner, err): The same of all that ${node} leads to. */
NODISCARD int batch_share(
    struct walk *w, uint32_t node, uint32_t owner, struct err *err);
/** batch_flush(w, err): Look all up. */
NODISCARD int batch_flush(struct walk *w, struct err *err);

#endif
