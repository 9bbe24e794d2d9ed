#include "fs/lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* --- for all operations ------------------------------------------------ */

int
lookup_entry(struct fs *fs, const struct node *n, struct entry *e)
{
	struct span raw = node_raw(n);
	struct err err = {0};

	if (entry_decode(raw.p, raw.len, e, &err) != 0)
		return report_errno(fs->report, n, &err);
	return 0;
}

void
lookup_key(
    const struct node *in, const struct dir_entry *de, struct node_key *key)
{
	*key = (struct node_key){
	    .kind = de->e.type == ENTRY_DIR ? NODE_DIR : NODE_FILE,
	    .parent = (struct node *)in,
	    .name = de->name,
	    .raw = de->raw,
	    .scope = in->scope,
	    .ino = de->e.ino,
	    .st_ino = inode_number(in->scope, de->e.ino),
	    .ds = in->ds,
	};
}

int
lookup_stat(struct fs *fs, struct node *n, struct stat *st)
{
	struct entry e;
	int rc;

	if (n->kind != NODE_DIR && n->kind != NODE_FILE) {
		names_stat(fs, n, st);
		return 0;
	}
	rc = lookup_entry(fs, n, &e);
	if (rc == 0)
		inode_stat(n, &e, st);
	return rc;
}

static double
attr_timeout(const struct node *n)
{
	return names_is_upper(n) ? FS_MOMENT : FS_FOREVER;
}

static double
entry_timeout(const struct node *parent)
{
	return parent->kind == NODE_DIR ? FS_FOREVER : FS_MOMENT;
}

int
lookup_intern(
    struct fs *fs, const struct node_key *key, struct fuse_entry_param *param)
{
	struct err err = {0};
	struct node *n;
	int rc;

	if (nodes_intern(fs->nodes, key, &n, &err) != 0)
		return report_errno(fs->report, key->parent, &err);
	*param = (struct fuse_entry_param){
	    .ino = n->id,
	    .attr_timeout = attr_timeout(n),
	    .entry_timeout = entry_timeout(key->parent),
	};
	rc = lookup_stat(fs, n, &param->attr);
	if (rc != 0)
		nodes_forget(fs->nodes, n->id, 1);
	else
		trim_kick(fs->trim);
	return rc;
}

struct node *
lookup_node(struct fs *fs, fuse_ino_t ino)
{
	return nodes_get(fs->nodes, ino);
}

/* --- lookup ------------------------------------------------------------ */

static int
lookup_in_dir(struct fs *fs, struct node *in, struct span name,
    struct fuse_entry_param *param)
{
	DIR_ENTRY_AUTO struct dir_entry de = {0};
	struct err err = {0};
	struct node_key key;
	struct entry dir;
	int rc = lookup_entry(fs, in, &dir);

	if (rc != 0)
		return rc;
	switch (
	    dir_lookup(in->ds->chunks, &dir.dir, name.p, name.len, &de, &err)) {
	case 0:
		lookup_key(in, &de, &key);
		return lookup_intern(fs, &key, param);
	case ERR_NOT_FOUND:
		/* Node 0: the kernel remembers that there is none. */
		*param = (struct fuse_entry_param){
		    .entry_timeout = FS_FOREVER,
		};
		return 0;
	default:
		return report_errno(fs->report, in, &err);
	}
}

static int
lookup_in_upper(struct fs *fs, struct node *in, struct span name,
    struct fuse_entry_param *param)
{
	struct named found;
	int rc = names_lookup(fs, in, name, &found);

	return rc != 0 ? rc : lookup_intern(fs, &found.key, param);
}

static void
op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fuse_req_userdata(req);
	struct node *in = lookup_node(fs, parent);
	struct span text = {(const uint8_t *)name, strlen(name)};
	struct fuse_entry_param param;
	int rc;

	if (in == NULL)
		rc = ESTALE;
	else if (in->kind == NODE_DIR)
		rc = lookup_in_dir(fs, in, text, &param);
	else if (names_is_upper(in))
		rc = lookup_in_upper(fs, in, text, &param);
	else
		rc = ENOTDIR;
	nodes_put(fs->nodes, in);
	if (rc != 0)
		fuse_reply_err(req, rc);
	else if (fuse_reply_entry(req, &param) == 0)
		ahead_listed(fs->ahead, param.ino);
	else if (param.ino != 0)
		nodes_forget(fs->nodes, param.ino, 1);
}

static void
op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	struct fs *fs = fuse_req_userdata(req);

	nodes_forget(fs->nodes, ino, nlookup);
	fuse_reply_none(req);
}

static void
op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	struct fs *fs = fuse_req_userdata(req);

	for (size_t i = 0; i < count; i++)
		nodes_forget(fs->nodes, forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

/* --- attributes -------------------------------------------------------- */

static void
op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct node *n = lookup_node(fs, ino);
	double timeout = FS_FOREVER;
	struct stat st;
	int rc = ESTALE;

	(void)fi;
	if (n != NULL) {
		rc = lookup_stat(fs, n, &st);
		timeout = attr_timeout(n);
	}
	nodes_put(fs->nodes, n);
	if (rc != 0)
		fuse_reply_err(req, rc);
	else
		fuse_reply_attr(req, &st, timeout);
}

/*
 * Asked where the kernel doesn't look at modes itself: who may mount may read
 * everything; but what nobody may run is no program.
 */
static void
op_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct fs *fs = fuse_req_userdata(req);
	struct node *n = lookup_node(fs, ino);
	struct stat st;
	int rc = n == NULL ? ESTALE : lookup_stat(fs, n, &st);

	nodes_put(fs->nodes, n);
	if (rc == 0 && (mask & W_OK) != 0)
		rc = EROFS;
	if (rc == 0 && (mask & X_OK) != 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
		rc = EACCES;
	fuse_reply_err(req, rc);
}

static int
link_target(struct fs *fs, const struct node *n, struct span *target)
{
	struct entry e;
	int rc;

	if (n->kind == NODE_LINK) {
		*target = node_raw(n);
		return 0;
	}
	if (n->kind != NODE_FILE)
		return EINVAL;
	rc = lookup_entry(fs, n, &e);
	if (rc != 0)
		return rc;
	*target = e.target;
	return e.type == ENTRY_SYMLINK ? 0 : EINVAL;
}

static void
op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fuse_req_userdata(req);
	struct node *n = lookup_node(fs, ino);
	struct span target = {0};
	char *text = NULL;
	int rc = n == NULL ? ESTALE : link_target(fs, n, &target);

	if (rc == 0) {
		text = strndup((const char *)target.p, target.len);
		rc = text == NULL ? ENOMEM : 0;
	}
	nodes_put(fs->nodes, n);
	if (rc != 0)
		fuse_reply_err(req, rc);
	else
		fuse_reply_readlink(req, text);
	free(text);
}

/*
 * The store's filesystem, with nothing free in it for those who look from
 * here.
 */
static void
op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fuse_req_userdata(req);
	const char *path = store_path(access_store(fs->access));
	struct statvfs st = {.f_bsize = 4096, .f_frsize = 4096};

	(void)ino;
	if (path != NULL && statvfs(path, &st) != 0) {
		fuse_reply_err(req, errno);
		return;
	}
	st.f_bfree = 0;
	st.f_bavail = 0;
	st.f_ffree = 0;
	st.f_favail = 0;
	st.f_namemax = ENTRY_NAME_MAX;
	fuse_reply_statfs(req, &st);
}

void
lookup_ops(struct fuse_lowlevel_ops *ops)
{
	ops->lookup = op_lookup;
	ops->forget = op_forget;
	ops->forget_multi = op_forget_multi;
	ops->getattr = op_getattr;
	ops->access = op_access;
	ops->readlink = op_readlink;
	ops->statfs = op_statfs;
}
