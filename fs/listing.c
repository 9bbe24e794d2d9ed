#include "fs/listing.h"
#include "fs/cursors.h"
#include "fs/lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Offsets: 1 is after '.', 2 after '..', and from there on a directory's own
 * places: entries by number, names of the upper tree as names_next() counts.
 * They mean the same at any time, so nothing need be opened.
 */
#define OFF_ENTRIES 2

/* Room for any entry: the longest name, and what FUSE puts before it. */
#define ITEM_MAX (ENTRY_NAME_MAX + 1 + 192)

/* d_ino when st_ino is not known yet; 0 would mean 'deleted' to some. */
#define INO_UNKNOWN 0xffffffff

/* A name on its way into a listing; ${key} NULL: '.' or '..'. */
struct item {
	const char *name;
	const struct node_key *key;
	struct stat st; /* st_ino and type do for a plain listing */
	off_t next;
};

static bool
has_room(const struct listing *l)
{
	return l->size - l->out.len >= ITEM_MAX;
}

/*
 * Add an item; the listing has room. libfuse wants a request here, but only
 * passes it by.
 */
static int
add(struct listing *l, const struct item *it)
{
	char *at = l->out.buf + l->out.len;
	size_t room = l->size - l->out.len;
	struct fuse_entry_param param = {.attr = it->st};
	int rc;

	if (!l->plus) {
		l->out.len += fuse_add_direntry(
		    NULL, at, room, it->name, &it->st, it->next);
		return 0;
	}
	if (it->key != NULL) {
		rc = lookup_intern(l->fs, it->key, &param);
		if (rc != 0)
			return rc;
		wr_u64(&l->out.nodes, param.ino);
		if (it->key->kind == NODE_DIR)
			wr_u64(&l->out.dirs, param.ino);
	}
	l->out.len +=
	    fuse_add_direntry_plus(NULL, at, room, it->name, &param, it->next);
	return 0;
}

static ino_t
known_ino(uint64_t st_ino)
{
	return st_ino != 0 ? st_ino : INO_UNKNOWN;
}

/* '.' and '..': a snapshot can't be left by its entries, so ask the node. */
static int
add_dots(struct listing *l, off_t *off)
{
	const struct node *up = l->dir->parent;
	struct item it = {.st = {.st_mode = S_IFDIR}};
	int rc = 0;

	if (*off == 0) {
		it.name = ".";
		it.st.st_ino = l->dir->st_ino;
		it.next = 1;
		rc = add(l, &it);
		*off = 1;
	}
	if (rc == 0 && *off == 1) {
		it.name = "..";
		it.st.st_ino = up != NULL ? up->st_ino : l->dir->st_ino;
		it.next = OFF_ENTRIES;
		rc = add(l, &it);
		*off = OFF_ENTRIES;
	}
	return rc;
}

/* --- the upper tree ---------------------------------------------------- */

static int
list_upper(struct listing *l, uint64_t from)
{
	while (has_room(l)) {
		char name[ENTRY_NAME_MAX + 1];
		struct named found;
		struct item it = {.name = name, .key = &found.key};
		bool any;
		int rc = names_next(l->fs, l->dir, from, &found, &any);

		if (rc != 0 || !any)
			return rc;
		memcpy(name, found.key.name.p, found.key.name.len);
		name[found.key.name.len] = '\0';
		it.st.st_ino = known_ino(found.key.st_ino);
		it.st.st_mode = found.key.kind == NODE_LINK ? S_IFLNK : S_IFDIR;
		it.next = (off_t)(found.next + OFF_ENTRIES);
		rc = add(l, &it);
		if (rc != 0)
			return rc;
		from = found.next;
	}
	return 0;
}

/* --- directories of snapshots ------------------------------------------ */

static int
add_entry(struct listing *l, const struct dir_entry *de, const char *name,
    uint64_t at)
{
	struct node_key key;
	struct item it = {
	    .name = name,
	    .key = &key,
	    .next = (off_t)(at + 1 + OFF_ENTRIES),
	};

	lookup_key(l->dir, de, &key);
	it.st.st_ino = known_ino(key.st_ino);
	it.st.st_mode = entry_mode(&de->e);
	return add(l, &it);
}

/*
 * Entries from *${at} on, as many as fit. The cursor then stands before *${at},
 * unless *${end}.
 */
static int
list_cursor(struct listing *l, struct dir_cursor *cur, uint64_t *at, bool *end)
{
	*end = false;
	while (has_room(l)) {
		char name[ENTRY_NAME_MAX + 1];
		struct dir_entry de;
		struct err err = {0};
		int rc = dir_cursor_next(cur, &de, &err);

		if (rc < 0)
			return report_errno(l->fs->report, l->dir, &err);
		*end = rc == 0;
		if (*end)
			return 0;
		memcpy(name, de.name.p, de.name.len);
		name[de.name.len] = '\0';
		rc = add_entry(l, &de, name, *at);
		if (rc != 0)
			return rc;
		++*at;
	}
	return 0;
}

static int
list_dir(struct listing *l, uint64_t at)
{
	AUTO(dir_cursor) struct dir_cursor *cur = NULL;
	struct err err = {0};
	struct entry e;
	bool end;
	int rc = lookup_entry(l->fs, l->dir, &e);

	/* The listing's last request finds nothing; don't search for it. */
	if (rc != 0 || at >= e.dir.entries)
		return rc;
	if (cursors_take(l->fs->cursors, l->dir->ds->chunks, l->dir->id, &e.dir,
		at, &cur, &err) != 0)
		return report_errno(l->fs->report, l->dir, &err);
	rc = list_cursor(l, cur, &at, &end);
	if (rc == 0 && !end && at < e.dir.entries)
		cursors_keep(l->fs->cursors, l->dir->id, at, STEAL(cur));
	return rc;
}

/* --- from outside ------------------------------------------------------ */

int
listing_make(struct listing *l, off_t off)
{
	int rc;

	if (l->size < ITEM_MAX)
		return EINVAL;
	if (l->dir->kind != NODE_DIR && !names_is_upper(l->dir))
		return ENOTDIR;
	l->out.dir = l->dir->id;
	l->out.buf = malloc(l->size);
	if (l->out.buf == NULL)
		return ENOMEM;
	rc = add_dots(l, &off);
	if (rc == 0)
		rc = l->dir->kind == NODE_DIR
			 ? list_dir(l, (uint64_t)off - OFF_ENTRIES)
			 : list_upper(l, (uint64_t)off - OFF_ENTRIES);
	/* What is there already is given; the error comes with the next. */
	return l->out.len > 0 ? 0 : rc;
}
