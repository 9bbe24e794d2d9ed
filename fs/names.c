#include "fs/names.h"
#include "fs/dated.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Places in a dataset's listing: 0 is 'latest', then days from here on. */
#define DAY_PLACE (INT64_C(1) << 50)

static struct span
span_of(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

static bool
span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

static struct moment
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (struct moment){ts.tv_sec, (uint32_t)ts.tv_nsec};
}

bool
names_is_upper(const struct node *n)
{
	return n->kind == NODE_FOLDER || n->kind == NODE_DATASET ||
	       n->kind == NODE_DAY;
}

/* --- what is found ----------------------------------------------------- */

static void
name_folder(struct node *in, struct folder *f, struct named *out)
{
	out->key = (struct node_key){
	    .kind = f->ds != NULL ? NODE_DATASET : NODE_FOLDER,
	    .parent = in,
	    .name = {(const uint8_t *)f->name, f->name_len},
	    .st_ino = inode_folder(f->number),
	    .folder = f,
	    .ds = f->ds,
	};
	out->next = (uint64_t)f->number + 1;
}

static void
name_day(struct node *in, int64_t day, struct named *out)
{
	when_day((struct moment){day * 86400, 0}, out->name);
	out->key = (struct node_key){
	    .kind = NODE_DAY,
	    .parent = in,
	    .name = span_of(out->name),
	    .st_ino = inode_day(in->ds->ordinal, day),
	    .ds = in->ds,
	    .day = day,
	};
	out->next = (uint64_t)(day + 1 + DAY_PLACE);
}

/* The key of a snapshot; its name is the caller's. */
static int
name_snapshot(
    struct fs *fs, struct node *in, const struct snapshot *s, struct named *out)
{
	struct err err = {0};
	struct entry e;

	if (entry_decode(s->root, s->root_len, &e, &err) != 0)
		return report_errno(fs->report, in, &err);
	out->key = (struct node_key){
	    .kind = e.type == ENTRY_DIR ? NODE_DIR : NODE_FILE,
	    .parent = in,
	    .raw = {s->root, s->root_len},
	    .scope = inode_scope(in->ds->ordinal, fs->sharing ? 0 : s->seq),
	    .ino = e.ino,
	    .ds = in->ds,
	    .s = s,
	};
	out->key.st_ino = inode_number(out->key.scope, e.ino);
	return 0;
}

/*
 * A link gets a new node whenever it points elsewhere, since the kernel keeps
 * what it read from the old one.
 */
static void
name_link(struct node *in, struct named *out)
{
	out->key = (struct node_key){
	    .kind = NODE_LINK,
	    .parent = in,
	    .name = span_of("latest"),
	    .raw = span_of(out->target),
	    .ds = in->ds,
	};
	out->next = 1;
}

/* --- links -------------------------------------------------------------- */

static void
link_dataset(struct node *in, struct named *out)
{
	const struct fs_dataset *d = in->ds;
	const struct snapshot *s = d->newest;
	char day[WHEN_DAY_TEXT], time[WHEN_TIME_TEXT];
	size_t first, end;

	dated_slots(d, days_of(s->time), &first, &end);
	when_day(s->time, day);
	dated_time(d, dated_from_seq(d, first, end, s->seq), time);
	(void)snprintf(out->target, sizeof(out->target), "%s/%s", day, time);
	name_link(in, out);
}

static void
link_day(struct node *in, size_t slot, struct named *out)
{
	dated_time(in->ds, slot, out->target);
	name_link(in, out);
}

/* --- looking up -------------------------------------------------------- */

static int
lookup_folder(
    struct fs *fs, struct node *in, struct span name, struct named *out)
{
	const struct folders *folders = watch_folders(fs->watch);
	struct folder *f = folders_child(folders, in->folder, name);

	if (f != NULL)
		name_folder(in, f, out);
	watch_leave_folders(fs->watch);
	return f != NULL ? 0 : ENOENT;
}

static int
lookup_time(struct fs *fs, struct node *in, struct span name, struct named *out)
{
	const struct snapshot *s;
	char text[256];
	int rc;

	if (name.len > sizeof(text))
		return ENOENT;
	memcpy(text, name.p + 1, name.len - 1);
	text[name.len - 1] = '\0';
	if (when_select(in->ds->log, text, now(), &s, NULL) != 0)
		return ENOENT;
	rc = name_snapshot(fs, in, s, out);
	out->key.name = name;
	return rc;
}

static int
lookup_dataset(
    struct fs *fs, struct node *in, struct span name, struct named *out)
{
	size_t first, end;
	int64_t day;

	if (name.len > 1 && name.p[0] == '@')
		return lookup_time(fs, in, name, out);
	if (in->ds->newest == NULL)
		return ENOENT;
	if (span_is(name, "latest")) {
		link_dataset(in, out);
		return 0;
	}
	if (!days_parse(name, &day))
		return ENOENT;
	dated_slots(in->ds, day, &first, &end);
	if (first == end)
		return ENOENT;
	name_day(in, day, out);
	return 0;
}

static int
lookup_day(struct fs *fs, struct node *in, struct span name, struct named *out)
{
	size_t first, end, slot;
	int rc;

	dated_slots(in->ds, in->day, &first, &end);
	if (first == end)
		return ENOENT;
	if (span_is(name, "latest")) {
		link_day(in, dated_newest(in->ds, first, end), out);
		return 0;
	}
	slot = dated_find(in->ds, first, end, name);
	if (slot == end)
		return ENOENT;
	rc = name_snapshot(fs, in, dated_snapshot(in->ds, slot), out);
	out->key.name = name;
	return rc;
}

int
names_lookup(
    struct fs *fs, struct node *in, struct span name, struct named *out)
{
	int rc;

	if (in->kind == NODE_FOLDER)
		return lookup_folder(fs, in, name, out);
	rc = watch_enter(in->ds);
	if (rc != 0)
		return rc;
	rc = in->kind == NODE_DATASET ? lookup_dataset(fs, in, name, out)
				      : lookup_day(fs, in, name, out);
	watch_leave(in->ds);
	return rc;
}

/* --- listing ----------------------------------------------------------- */

static int
next_folder(struct fs *fs, struct node *in, uint64_t from, struct named *out,
    bool *found)
{
	const struct folders *folders = watch_folders(fs->watch);
	struct folder *f = folders_next(folders, in->folder, from);

	if (f != NULL)
		name_folder(in, f, out);
	watch_leave_folders(fs->watch);
	*found = f != NULL;
	return 0;
}

static void
next_dataset(struct node *in, uint64_t from, struct named *out, bool *found)
{
	const struct fs_dataset *d = in->ds;
	size_t slot = 0;

	*found = d->newest != NULL;
	if (!*found)
		return;
	if (from == 0) {
		link_dataset(in, out);
		return;
	}
	if (from > 1)
		slot = days_from(&d->days, (int64_t)from - DAY_PLACE);
	*found = slot < d->days.n;
	if (*found)
		name_day(in, d->days.v[slot].day, out);
}

static int
next_day(struct fs *fs, struct node *in, uint64_t from, struct named *out,
    bool *found)
{
	const struct fs_dataset *d = in->ds;
	size_t first, end, slot;
	int rc;

	dated_slots(d, in->day, &first, &end);
	slot = dated_from_seq(d, first, end, from);
	*found = slot < end;
	if (!*found)
		return 0;
	if (from == 0) {
		link_day(in, dated_newest(d, first, end), out);
		return 0;
	}
	dated_time(d, slot, out->name);
	rc = name_snapshot(fs, in, dated_snapshot(d, slot), out);
	out->key.name = span_of(out->name);
	out->next = dated_snapshot(d, slot)->seq + 1;
	return rc;
}

int
names_next(struct fs *fs, struct node *in, uint64_t from, struct named *out,
    bool *found)
{
	int rc;

	*found = false;
	if (in->kind == NODE_FOLDER)
		return next_folder(fs, in, from, out, found);
	rc = watch_enter(in->ds);
	if (rc != 0)
		return rc;
	if (in->kind == NODE_DATASET)
		next_dataset(in, from, out, found);
	else
		rc = next_day(fs, in, from, out, found);
	watch_leave(in->ds);
	return rc;
}

/* --- attributes -------------------------------------------------------- */

/*
 * The time of the newest snapshot, to the millisecond that tells snapshots
 * apart, and below that how many there are: it changes with every arrival and
 * every expiration.
 */
static struct timespec
dated_mtime(struct moment newest, size_t count)
{
	return (struct timespec){
	    .tv_sec = newest.s,
	    .tv_nsec = (long)(newest.ns / 1000000 * 1000000 + count % 1000000),
	};
}

static struct timespec
folder_mtime(struct fs *fs)
{
	const struct folders *folders = watch_folders(fs->watch);
	size_t n = folders_count(folders);

	watch_leave_folders(fs->watch);
	return (struct timespec){fs->since.s, (long)(n % 1000000000)};
}

static struct timespec
day_mtime(const struct fs_dataset *d, int64_t day, struct timespec otherwise)
{
	size_t first, end;

	dated_slots(d, day, &first, &end);
	if (first == end)
		return otherwise;
	return dated_mtime(
	    dated_snapshot(d, dated_newest(d, first, end))->time, end - first);
}

/* A link has its directory's. A log that nobody stepped into is not loaded. */
static struct timespec
upper_mtime(struct fs *fs, const struct node *n)
{
	struct timespec mtime = {fs->since.s, 0};
	struct fs_dataset *d = n->ds;

	if (n->kind == NODE_LINK)
		n = n->parent;
	if (n->kind == NODE_FOLDER)
		return folder_mtime(fs);
	if (!watch_peek(d))
		return mtime;
	if (n->kind == NODE_DAY)
		mtime = day_mtime(d, n->day, mtime);
	else if (d->newest != NULL)
		mtime = dated_mtime(d->newest->time, d->days.n);
	watch_leave(d);
	return mtime;
}

void
names_stat(struct fs *fs, const struct node *n, struct stat *st)
{
	*st = (struct stat){
	    .st_ino = n->st_ino,
	    .st_mode = S_IFDIR | 0555,
	    .st_nlink = 1,
	    .st_uid = fs->uid,
	    .st_gid = fs->gid,
	    .st_blksize = 4096,
	    .st_mtim = upper_mtime(fs, n),
	};
	if (n->kind == NODE_LINK) {
		st->st_mode = S_IFLNK | 0777;
		st->st_size = n->raw_len;
	}
	st->st_ctim = st->st_mtim;
	st->st_atim = st->st_mtim;
}

void
names_root(struct fs *fs, struct node_key *key)
{
	const struct folders *folders = watch_folders(fs->watch);

	*key = (struct node_key){
	    .kind = NODE_FOLDER,
	    .folder = folders_root(folders),
	    .st_ino = inode_folder(0),
	};
	watch_leave_folders(fs->watch);
}
