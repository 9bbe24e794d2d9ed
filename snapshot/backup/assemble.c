#include "snapshot/backup/assemble_internal.h"

#include <stdlib.h>
#include <string.h>

int
assembly_init(struct assembly *as, struct err *err)
{
	return owners_new(&as->owners, err);
}

void
assembly_clear(struct assembly *as)
{
	for (size_t i = 0; i < as->cap; i++) {
		assembly_level_end(&as->levels[i]);
		wr_clear(&as->levels[i].held);
		dir_builder_free(as->levels[i].builder);
		last_writer_clear(&as->levels[i].last);
	}
	free(as->levels);
	owners_free(as->owners);
	wr_clear(&as->scratch);
	wr_clear(&as->record);
	wr_clear(&as->root);
}

struct span
assembly_root(const struct assembly *as)
{
	return (struct span){as->root.buf, as->root.len};
}

/* --- what is in the top directory ---------------------------------------- */

static void
advance_progress(
    struct assembly *as, uint64_t entries, uint64_t files, uint64_t bytes)
{
	if (as->progress == NULL)
		return;
	atomic_fetch_add(&as->progress->entries, entries);
	atomic_fetch_add(&as->progress->files, files);
	atomic_fetch_add(&as->progress->bytes, bytes);
}

static uint64_t
file_size(const struct item *it)
{
	return it->what == ITEM_READ ? it->size : (uint64_t)it->st.st_size;
}

static int
add_entry(struct assembly *as, const struct item *it, struct span raw,
    struct err *err)
{
	bool file = S_ISREG(it->st.st_mode);
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

	wr_reset(&as->record);
	last_record(&rec, &as->record);
	if (as->record.failed)
		return err_nomem(err);
	assembly_top(as)->entries++;
	advance_progress(as, 1, file, file ? file_size(it) : 0);
	return assembly_take_records(
	    as, (struct span){as->record.buf, as->record.len}, err);
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
	return problems_add(as->problems, problem[it->fate],
	    assembly_top(as)->path, it->name, it->errnum, err);
}

static int
assemble_item(struct assembly *as, const struct job *job, struct item *it,
    struct err *err)
{
	struct span raw;
	bool changed;
	int ret;

	ret = assembly_entry_of(as, job, it, &raw, &changed, err);
	if (ret != 0)
		return ret;
	if ((ret = tell(as, it, err)) != 0)
		return ret;
	if (changed && (ret = assembly_make_anew(as, err)) != 0)
		return ret;
	if (raw.len == 0)
		return 0;
	if (it->what != ITEM_LINK && !S_ISDIR(it->st.st_mode) &&
	    it->st.st_nlink > 1) {
		ret = links_store(as->links, &it->st, raw.p, raw.len, err);
		if (ret != 0)
			return ret;
	}
	return add_entry(as, it, raw, err);
}

static int
batch(struct assembly *as, struct job *job, struct err *err)
{
	struct span rest = {job->kept.buf, job->kept.len};
	size_t taken = 0;
	int ret = 0;

	as->unchanged += job->kept_files;
	assembly_top(as)->entries += job->kept_entries;
	advance_progress(
	    as, job->kept_entries, job->kept_files, job->kept_bytes);
	for (size_t i = 0; i < job->n && ret == 0; i++) {
		struct item *it = job->items[i];
		size_t len = it->kept_before - taken;

		if (len > 0)
			ret = assembly_take_records(
			    as, (struct span){rest.p, len}, err);
		if (ret == 0)
			ret = assemble_item(as, job, it, err);
		rest.p += len;
		rest.len -= len;
		taken += len;
	}
	return ret == 0 && rest.len > 0 ? assembly_take_records(as, rest, err)
					: ret;
}

/* --- directories ------------------------------------------------------- */

static int
find_key(struct assembly *as, const struct job *job, const char *path,
    uint8_t key[HASH_LEN], struct err *err)
{
	if (as->state == NULL)
		return 0;
	if (!job->has_key)
		return state_dir_key(as->state, path, strlen(path), key, err);
	memcpy(key, job->key, HASH_LEN);
	return 0;
}

/* One level more, which is empty. */
static int
push_level(struct assembly *as, struct err *err)
{
	struct assembly_level *l;
	size_t cap = as->cap * 2 + 16;

	if (as->depth == as->cap) {
		l = realloc(as->levels, cap * sizeof(*l));
		if (l == NULL)
			return err_nomem(err);
		memset(l + as->cap, 0, (cap - as->cap) * sizeof(*l));
		as->levels = l;
		as->cap = cap;
	}
	as->depth++;
	return 0;
}

static int
enter(struct assembly *as, struct job *job, struct err *err)
{
	struct item *self = job->items[0];
	struct assembly_level *l;
	int ret = push_level(as, err);

	if (ret != 0)
		return ret;
	l = assembly_top(as);
	job->n = 0;
	l->self = self;
	l->path = STEAL(job->path);
	if ((ret = find_key(as, job, l->path, l->key, err)) != 0)
		return ret;
	if (!as->takes_over && (ret = assembly_make_anew(as, err)) != 0)
		return ret;
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

/*
 * Whether all in the top directory is as in ${last}, its entry in the snapshot
 * that the state describes. Where a page of the state was lost, there are fewer
 * entries than there were.
 */
static bool
stayed(struct assembly *as, struct entry *last)
{
	const struct assembly_level *l = assembly_top(as);
	const struct item *self = l->self;

	if (l->anew || self->last == NULL ||
	    (as->depth == 1 && !as->root_is_last))
		return false;
	return entry_decode(self->last, self->last_len, last, NULL) == 0 &&
	       last->type == ENTRY_DIR && last->dir.entries == l->entries;
}

/*
 * 1 when the page of the last snapshot serves again. One that can't be found any
 * more is made again, and heals that snapshot, too. Of several, any may be lost.
 */
static int
serves_again(struct assembly *as, const struct dir_ref *dir, struct err *err)
{
	if (dir->entries == 0)
		return 1;
	return dir->level == 0
		   ? ingest_lane_has(as->worker->lane, &dir->root, err)
		   : 0;
}

static int
build(struct assembly *as, struct entry *e, struct err *err)
{
	struct assembly_level *l = assembly_top(as);

	e->totals = l->totals;
	return dir_builder_finish(l->builder, as->worker->lane, &e->dir, err);
}

static int
take_over(struct assembly *as, const struct entry *last, struct entry *e,
    struct err *err)
{
	int ret = state_dir_keep(as->state, assembly_top(as)->key, err);

	if (ret == 0)
		ret = serves_again(as, &last->dir, err);
	if (ret == 1) {
		e->dir = last->dir;
		e->totals = last->totals;
		return 0;
	}
	if (ret == 0)
		ret = assembly_put_held(as, err);
	return ret == 0 ? build(as, e, err) : ret;
}

/* The rest of what an entry says of the top directory. */
static int
finish(struct assembly *as, struct entry *e, struct err *err)
{
	struct assembly_level *l = assembly_top(as);
	struct entry last;
	int ret;

	if (stayed(as, &last))
		return take_over(as, &last, e, err);
	ret = assembly_make_anew(as, err);
	if (ret == 0 && as->state != NULL)
		ret = last_write_end(&l->last, as->state, l->key, err);
	return ret == 0 ? build(as, e, err) : ret;
}

/* The top directory's own entry goes into the one above. */
static int
add_to_parent(struct assembly *as, struct span raw, struct err *err)
{
	const struct item *self = assembly_top(as)->self;
	int ret = 0;

	as->depth--;
	if (!assembly_as_it_was(self, raw))
		ret = assembly_make_anew(as, err);
	if (ret == 0)
		ret = add_entry(as, self, raw, err);
	as->depth++;
	return ret;
}

static int
leave(struct assembly *as, const struct job *job, struct err *err)
{
	struct assembly_level *l = assembly_top(as);
	struct entry e;
	struct span raw;
	int ret = job->removed ? assembly_make_anew(as, err) : 0;

	if (ret == 0)
		ret = assembly_fill_entry(as, l->self, &e, err);
	if (ret == 0)
		ret = finish(as, &e, err);
	if (ret == 0)
		ret = assembly_encode_entry(as, l->self, &e, &raw, err);
	if (ret != 0)
		return ret;
	if (as->depth == 1) {
		wr_bytes(&as->root, raw.p, raw.len);
		ret = as->root.failed ? err_nomem(err) : 0;
	} else {
		ret = add_to_parent(as, raw, err);
	}
	assembly_level_end(l);
	as->depth--;
	return ret;
}

int
assembly_job(struct assembly *as, struct job *job, struct err *err)
{
	AUTO(job) struct job *own = job;

	switch (own->kind) {
	case JOB_ENTER:
		return enter(as, own, err);
	case JOB_LEAVE:
		return leave(as, own, err);
	default:
		return batch(as, own, err);
	}
}
