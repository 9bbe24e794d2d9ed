/* The entry that becomes of an item. */
#include "snapshot/backup/assemble_internal.h"

#include <string.h>
#include <sys/sysmacros.h>

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

int
assembly_fill_entry(struct assembly *as, const struct item *it, struct entry *e,
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

bool
assembly_as_it_was(const struct item *it, struct span raw)
{
	return it->last != NULL && raw.len == it->last_len &&
	       memcmp(raw.p, it->last, raw.len) == 0;
}

int
assembly_encode_entry(struct assembly *as, const struct item *it,
    struct entry *e, struct span *raw, struct err *err)
{
	struct entry last;
	int ret;

	if (it->last != NULL &&
	    entry_decode(it->last, it->last_len, &last, NULL) == 0) {
		e->ino = last.ino;
		if ((ret = encode(as, e, raw, err)) != 0)
			return ret;
		if (assembly_as_it_was(it, *raw) &&
		    (ret = may_keep(as, it, e, err)) != 0)
			return ret < 0 ? ret : 0;
	}
	if ((ret = next_number(as, e, err)) != 0)
		return ret;
	return encode(as, e, raw, err);
}

/* Unchanged: the last entry as it is, unless another file took its number. */
static int
keep_entry(struct assembly *as, struct item *it, struct span *raw,
    bool *changed, struct err *err)
{
	struct entry e;
	int ret;

	as->unchanged += S_ISREG(it->st.st_mode);
	*changed = last_doubtful(&it->st, it->seen); /* now, not then */
	*raw = (struct span){it->last, it->last_len};
	if (S_ISDIR(it->st.st_mode) || it->st.st_nlink < 2)
		return 0;
	if ((ret = entry_decode(it->last, it->last_len, &e, err)) != 0)
		return ret;
	if ((ret = may_keep(as, it, &e, err)) != 0)
		return ret < 0 ? ret : 0;
	*changed = true;
	if ((ret = next_number(as, &e, err)) != 0)
		return ret;
	return encode(as, &e, raw, err);
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

int
assembly_entry_of(struct assembly *as, const struct job *job, struct item *it,
    struct span *raw, bool *changed, struct err *err)
{
	struct entry e;
	int ret;

	*raw = (struct span){0};
	*changed = false;
	if (it->what == ITEM_KEEP)
		return keep_entry(as, it, raw, changed, err);
	*changed = true;
	if (it->what == ITEM_LINK) {
		ret = link_entry(as, job, it, raw, err);
		if (ret != 0 || raw->len > 0)
			return ret;
	}
	/* A directory that can't be opened is kept, empty. */
	if (it->fate == ITEM_VANISHED ||
	    (it->fate == ITEM_UNREADABLE && !S_ISDIR(it->st.st_mode)))
		return 0;
	if ((ret = assembly_fill_entry(as, it, &e, err)) == 0)
		ret = assembly_encode_entry(as, it, &e, raw, err);
	/* Of anything else the record has changed. */
	if (ret == 0 && S_ISDIR(it->st.st_mode))
		*changed = !assembly_as_it_was(it, *raw);
	return ret;
}
