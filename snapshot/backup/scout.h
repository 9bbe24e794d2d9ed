#ifndef SNAPSHOT_BACKUP_SCOUT_H
#define SNAPSHOT_BACKUP_SCOUT_H

/*
 * A thread that looks at a source ahead of the walk: it opens and lists the
 * directories and stats what is in them, so that the walk, which compares all
 * that with the last snapshot, need not wait for the disk. What it has seen
 * comes as a sequence of views, in the order in which the walk asks for them:
 * depth first, entries in order of name.
 *
 * No path is ever opened whole, so depth is not limited by PATH_MAX; and only
 * the deepest directories are kept open, so it is not by open files either.
 *
 *	VIEW_DIR      a directory, and the first of its entries
 *	VIEW_ENTRIES  more of its entries, where one view does not hold all
 *	VIEW_CLOSED   in a directory's place: it can't be opened
 *	VIEW_AGAIN    back in a directory that had been closed meanwhile; or
 *	              there is no way back, for it was moved: what comes after
 *	              of its entries can't be looked at, whatever was seen
 *
 * After an entry that is a directory and not left out comes its VIEW_DIR or
 * VIEW_CLOSED, and all that is below it.
 */
#include "snapshot/backup/dir_id.h"
#include "snapshot/backup/exclude.h"
#include "snapshot/backup/item.h"
#include "snapshot/backup/listing.h"

/* Entries of a view. */
#define SCOUT_LOOKS 256
/*
 * Directories kept open above the one that is looked at, or walked. Of one
 * further up the walk lets go, too, and gets it back with VIEW_AGAIN.
 */
#define SCOUT_OPEN_LEVELS 64

/* A directory's own facts, shared by the scout and the walk. */
struct dir_facts {
	_Atomic unsigned refs;
	struct stat st; /* of what was opened */
	int errnum;     /* not 0: it can't be listed, and the list is empty */
	/* Why what is in it is left out, and the list is empty: */
	bool is_store;  /* the one that is backed up to */
	bool elsewhere; /* on another filesystem */
	struct listing list;
	char path[]; /* from the root; "" is the root */
};
void dir_facts_unref(struct dir_facts *f);

/* One entry, as it was seen. */
struct look {
	struct stat st;
	int errnum; /* not 0: of stat() */
	bool left_out;
};

enum view_kind { VIEW_DIR, VIEW_ENTRIES, VIEW_CLOSED, VIEW_AGAIN };

struct view {
	enum view_kind kind;
	struct view *next;       /* the scout's */
	struct dir_facts *facts; /* VIEW_DIR: a reference */
	struct dirh *dir;   /* VIEW_DIR, VIEW_AGAIN: a reference, or NULL */
	int errnum;         /* VIEW_CLOSED, VIEW_AGAIN: of open() */
	struct moment seen; /* no look was before */
	size_t n;
	struct look looks[]; /* of the next ${n} of the directory's list */
};
void view_free(struct view *v);
DEFINE_AUTO(view, view_free)

struct scout_options {
	const struct exclude *exclude; /* borrowed */
	bool exclude_caches;
	bool cross_filesystems;
	struct dir_id store;
	const atomic_bool *stop; /* or NULL; borrowed */
	/*
	 * So many entries are looked at, and so many directories opened, before
	 * it matters how far that is ahead.
	 */
	size_t head_start, head_dirs;
	int slow; /* the disk, to begin with: see dirahead_new() */
};

struct scout;

/**
 * scout_start(root_fd, st, opt, out, err):
 * Begin with the directory ${root_fd}, which is taken over in any case; ${st}
 * is what it was found to be. ${opt} is copied.
 * Thread: the scout is used by one thread, beside its own and, where the disk is
 * waited for, eight more (dirahead.h), which take no signals.
 * Cost: at most 2,048 entries, or 16 directories, are ahead, and as many taken, but
 * for the head start; each entry takes 160 bytes and its name. The eight threads
 * have 16 more directories open, and may have the kernel keep 85 MB more.
 */
NODISCARD int scout_start(int root_fd, const struct stat *st,
    const struct scout_options *opt, struct scout **out, struct err *err);
/** scout_free(s): Ends it, wherever it is. */
void scout_free(struct scout *s);
DEFINE_AUTO(scout, scout_free)

/**
 * scout_next(s, out, err):
 * The next view; waits for it. Errors: ERR_CANCELLED stopped; ERR_NOMEM; ERR_BUG
 * there is none after the last.
 */
NODISCARD int scout_next(struct scout *s, struct view **out, struct err *err);

#endif
