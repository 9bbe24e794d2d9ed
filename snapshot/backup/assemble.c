#include "snapshot/backup/assemble.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

int
assembly_init(struct assembly *as, struct err *err)
{
	return owners_new(&as->owners, err);
}

static void
level_end(struct assembly_level *l)
{
	item_free(STEAL(l->self));
	free(STEAL(l->path));
	memset(&l->totals, 0, sizeof(l->totals));
}

void
assembly_clear(struct assembly *as)
{
	for (size_t i = 0; i < as->cap; i++) {
		level_end(&as->levels[i]);
		dir_builder_free(as->levels[i].builder);
		last_writer_clear(&as->levels[i].last);
	}
	free(as->levels);
	owners_free(as->owners);
	wr_clear(&as->scratch);
	wr_clear(&as->root);
}

struct span
assembly_root(const struct assembly *as)
{
	return (struct span){as->root.buf, as->root.len};
}

static struct assembly_level *
top(struct assembly *as)
{
	return &as->levels[as->depth - 1];
}

static enum entry_type
type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return ENTRY_DIR;
	case S_IFLNK:
		return ENTRY_SYMLINK;
	case S_IFIFO:
		return ENTRY_FIFO;
	case S_IFSOCK:
		return ENTRY_SOCKET;
	case S_IFCHR:
		return ENTRY_CHAR;
	case S_IFBLK:
		return ENTRY_BLOCK;
	default:
		return ENTRY_FILE;
	}
}

/* --- one entry --------------------------------------------------------- */

/* All of an entry but its inode number, and what a directory sums up. */
static int
fill_entry(struct assembly *as, const struct item *it, struct entry *e,
    struct err *err)
{
	const char *user = owners_user(as->owners, it->st.st_uid);
	const char *group = owners_group(as->owners, it->st.st_gid);

	if (user == NULL || group == NULL)
		return err_nomem(err);
	memset(e, 0, sizeof(*e));
	e->type = type_of(it->st.st_mode);
	e->mode = it->st.st_mode & 07777;
	e->uid = it->st.st_uid;
	e->gid = it->st.st_gid;
	e->user = (struct span){(const uint8_t *)user, strlen(user)};
	e->group = (struct span){(const uint8_t *)group, strlen(group)};
	e->mtime = it->st.st_mtim.tv_sec;
	e->mtime_ns = (uint32_t)it->st.st_mtim.tv_nsec;
	e->nlink = e->type == ENTRY_DIR ? 1 : it->st.st_nlink;
	if (e->nlink == 0)
		e->nlink = 1; /* unlinked while it was open */
	e->nxattrs = it->nxattrs;
	e->xattrs = (struct span){it->xattrs.buf, it->xattrs.len};
	e->size = it->size;
	e->content = (struct span){it->content.buf, it->content.len};
	if (it->target != NULL)
		e->target = (struct span){
		    (const uint8_t *)it->target, strlen(it->target)};
	if (e->type == ENTRY_CHAR || e->type == ENTRY_BLOCK) {
		e->rdev_major = major(it->st.st_rdev);
		e->rdev_minor = minor(it->st.st_rdev);
	}
	return 0;
}

static int
next_number(struct assembly *as, struct entry *e, struct err *err)
{
	if (as->next_ino > ENTRY_INO_MAX)
		return err_set(
		    err, ERR_FULL, "the dataset has used up its inode numbers");
	e->ino = as->next_ino++;
	return 0;
}

/* Whether a number of the last snapshot may go on: see links_claim(). */
static int
may_keep(struct assembly *as, const struct item *it, const struct entry *e,
    struct err *err)
{
	if (e->type == ENTRY_DIR || e->nlink < 2)
		return 1;
	return links_claim(as->links, e->ino, &it->st, err);
}

static int
encode(struct assembly *as, const struct entry *e, struct span *raw,
    struct err *err)
{
	struct wr *w = &as->scratch;

	wr_reset(w);
	entry_encode(e, w);
	*raw = (struct span){w->buf, w->len};
	return w->failed ? err_nomem(err) : 0;
}

/*
 * Encode into the scratch. An entry that is what it was in the last snapshot
 * keeps its inode number; any other gets the next.
 */
static int
encode_entry(struct assembly *as, const struct item *it, struct entry *e,
    struct span *raw, struct err *err)
{
	struct entry last;
	int ret;

	if (it->last != NULL &&
	    entry_decode(it->last, it->last_len, &last, NULL) == 0) {
		e->ino = last.ino;
		if ((ret = encode(as, e, raw, err)) != 0)
			return ret;
		if (raw->len == it->last_len &&
		    memcmp(raw->p, it->last, raw->len) == 0 &&
		    (ret = may_keep(as, it, e, err)) != 0)
			return ret < 0 ? ret : 0;
	}
	if ((ret = next_number(as, e, err)) != 0)
		return ret;
	return encode(as, e, raw, err);
}

/* Unchanged: the last entry as it is, unless another file took its number. */
static int
keep_entry(
    struct assembly *as, struct item *it, struct span *raw, struct err *err)
{
	struct entry e;
	int ret;

	as->unchanged += S_ISREG(it->st.st_mode);
	*raw = (struct span){it->last, it->last_len};
	if (S_ISDIR(it->st.st_mode) || it->st.st_nlink < 2)
		return 0;
	if ((ret = entry_decode(it->last, it->last_len, &e, err)) != 0)
		return ret;
	if ((ret = may_keep(as, it, &e, err)) != 0)
		return ret < 0 ? ret : 0;
	top(as)->last.dirty = true;
	if ((ret = next_number(as, &e, err)) != 0)
		return ret;
	return encode(as, &e, raw, err);
}

static void
count(struct assembly *as, const struct entry *e)
{
	struct dir_totals *t = &top(as)->totals;

	if (e->type == ENTRY_DIR)
		t->dirs++;
	else if (e->type == ENTRY_FILE)
		t->files++;
	else
		t->others++;
	if (e->type == ENTRY_FILE)
		t->bytes += e->size;
	if (as->progress == NULL)
		return;
	atomic_fetch_add(&as->progress->entries, 1);
	if (e->type == ENTRY_FILE) {
		atomic_fetch_add(&as->progress->files, 1);
		atomic_fetch_add(&as->progress->bytes, e->size);
	}
}

/* Into the top directory, and into its state. */
static int
add_entry(struct assembly *as, const struct item *it, struct span raw,
    struct err *err)
{
	struct assembly_level *l = top(as);
	struct entry e;
	struct last_entry rec = {
	    .name = {(const uint8_t *)it->name, it->namelen},
	    .ctime = {.s = it->st.st_ctim.tv_sec,
		.ns = (uint32_t)it->st.st_ctim.tv_nsec},
	    .ino = it->st.st_ino,
	    /* A link's entry is that of the link met first. */
	    .doubtful = it->fate == ITEM_CHANGED || it->what == ITEM_LINK ||
			last_doubtful(&it->st, it->seen),
	    .raw = raw,
	};
	int ret;

	if ((ret = entry_decode(raw.p, raw.len, &e, err)) != 0)
		return ret;
	count(as, &e);
	ret = dir_builder_add(l->builder, as->worker->lane,
	    (const uint8_t *)it->name, it->namelen, raw.p, raw.len, err);
	if (ret != 0 || as->state == NULL)
		return ret;
	if (it->what != ITEM_KEEP &&
	    (!S_ISDIR(it->st.st_mode) || raw.len != it->last_len ||
		memcmp(raw.p, it->last, raw.len) != 0))
		l->last.dirty = true;
	return last_write(&l->last, as->state, l->key, &rec, err);
}

static int
tell(struct assembly *as, const struct item *it, struct err *err)
{
	static const enum backup_problem problem[] = {
	    [ITEM_UNREADABLE] = BACKUP_UNREADABLE,
	    [ITEM_VANISHED] = BACKUP_VANISHED,
	    [ITEM_CHANGED] = BACKUP_CHANGED,
	};

	if (it->fate == ITEM_GOOD)
		return 0;
	return problems_add(as->problems, problem[it->fate], top(as)->path,
	    it->name, it->errnum, err);
}

/*
 * Another link of a file met before takes its entry over. Where that one could
 * not be read, or was replaced meanwhile, this one is read itself.
 */
static int
link_entry(struct assembly *as, const struct job *job, struct item *it,
    struct span *raw, struct err *err)
{
	if (links_entry(as->links, &it->st, &raw->p, &raw->len))
		return 0;
	it->what = S_ISREG(it->st.st_mode) ? ITEM_READ : ITEM_META;
	return grab_item(as->worker, job->dir->fd, it, as->grab, err);
}

/* The entry of an item that has one; ${raw}->len 0: it is left out. */
static int
entry_of(struct assembly *as, const struct job *job, struct item *it,
    struct span *raw, struct err *err)
{
	struct entry e;
	int ret;

	*raw = (struct span){0};
	if (it->what == ITEM_KEEP)
		return keep_entry(as, it, raw, err);
	if (it->what == ITEM_LINK) {
		ret = link_entry(as, job, it, raw, err);
		if (ret != 0 || raw->len > 0)
			return ret;
	}
	/* A directory that can't be opened is kept, empty. */
	if (it->fate == ITEM_VANISHED ||
	    (it->fate == ITEM_UNREADABLE && !S_ISDIR(it->st.st_mode)))
		return 0;
	if ((ret = fill_entry(as, it, &e, err)) != 0)
		return ret;
	return encode_entry(as, it, &e, raw, err);
}

static int
assemble_item(struct assembly *as, const struct job *job, struct item *it,
    struct err *err)
{
	struct span raw;
	int ret;

	if ((ret = entry_of(as, job, it, &raw, err)) != 0)
		return ret;
	if ((ret = tell(as, it, err)) != 0)
		return ret;
	if (raw.len == 0) {
		top(as)->last.dirty = true;
		return 0;
	}
	if (it->what != ITEM_LINK && !S_ISDIR(it->st.st_mode) &&
	    it->st.st_nlink > 1) {
		ret = links_store(as->links, &it->st, raw.p, raw.len, err);
		if (ret != 0)
			return ret;
	}
	return add_entry(as, it, raw, err);
}

/* --- directories ------------------------------------------------------- */

static int
find_key(struct assembly *as, const struct job *job, uint8_t key[HASH_LEN],
    struct err *err)
{
	if (as->state == NULL)
		return 0;
	if (!job->has_key)
		return state_dir_key(
		    as->state, job->path, strlen(job->path), key, err);
	memcpy(key, job->key, HASH_LEN);
	return 0;
}

static int
enter(struct assembly *as, struct job *job, struct err *err)
{
	struct assembly_level *l;
	struct item *self = job->items[0];
	int ret;

	if (as->depth == as->cap) {
		size_t cap = as->cap * 2 + 16;

		l = realloc(as->levels, cap * sizeof(*l));
		if (l == NULL)
			return err_nomem(err);
		memset(l + as->cap, 0, (cap - as->cap) * sizeof(*l));
		as->levels = l;
		as->cap = cap;
	}
	l = &as->levels[as->depth];
	if (l->builder == NULL &&
	    (ret = dir_builder_new(&l->builder, err)) != 0)
		return ret;
	if ((ret = find_key(as, job, l->key, err)) != 0)
		return ret;
	as->depth++;
	job->n = 0;
	l->self = self;
	l->path = STEAL(job->path);
	if (self->fate == ITEM_GOOD && job->dir != NULL) {
		ret = grab_xattrs(
		    as->worker->lane, job->dir->fd, NULL, self, err);
		if (ret != 0)
			return ret;
	}
	if (self->fate == ITEM_GOOD)
		return 0;
	return problems_add(
	    as->problems, BACKUP_UNREADABLE, l->path, "", self->errnum, err);
}

static void
add_totals(struct dir_totals *to, const struct dir_totals *t)
{
	to->files += t->files;
	to->dirs += t->dirs;
	to->others += t->others;
	to->bytes += t->bytes;
}

static int
leave(struct assembly *as, const struct job *job, struct err *err)
{
	struct assembly_level *l = top(as);
	struct entry e;
	struct span raw;
	int ret;

	if (job->removed)
		l->last.dirty = true;
	if (as->state != NULL) {
		ret = last_write_end(&l->last, as->state, l->key, err);
		if (ret != 0)
			return ret;
	}
	if ((ret = fill_entry(as, l->self, &e, err)) != 0)
		return ret;
	e.totals = l->totals;
	if ((ret = dir_builder_finish(
		 l->builder, as->worker->lane, &e.dir, err)) != 0)
		return ret;
	if ((ret = encode_entry(as, l->self, &e, &raw, err)) != 0)
		return ret;
	if (as->depth == 1) {
		wr_bytes(&as->root, raw.p, raw.len);
		ret = as->root.failed ? err_nomem(err) : 0;
	} else {
		add_totals(&as->levels[as->depth - 2].totals, &l->totals);
		as->depth--;
		ret = add_entry(as, l->self, raw, err);
		as->depth++;
	}
	level_end(l);
	as->depth--;
	return ret;
}

int
assembly_job(struct assembly *as, struct job *job, struct err *err)
{
	AUTO(job) struct job *own = job;
	int ret = 0;

	if (job->kind == JOB_ENTER)
		return enter(as, job, err);
	if (job->kind == JOB_LEAVE)
		return leave(as, job, err);
	for (size_t i = 0; i < own->n && ret == 0; i++)
		ret = assemble_item(as, job, own->items[i], err);
	return ret;
}
