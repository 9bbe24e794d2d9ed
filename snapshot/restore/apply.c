#include "snapshot/restore/apply.h"

#include "snapshot/restore/bare.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LOOKUP_BUF 65536
#define XATTR_NAME_MAX 255

/* The last name looked up, and its id here: most files share their owner. */
struct id_memory {
	char name[ENTRY_OWNER_MAX + 1];
	bool known;
	uint32_t id;
};

struct apply {
	struct chunks *chunks;
	const struct restore_options *opt;
	bool root;
	bool inherits; /* ACLs, from a directory that was there before */
	pthread_mutex_t mu;
	struct id_memory user, group; /* guarded by mu */
	char buf[LOOKUP_BUF];         /* guarded by mu */
};

/* A file by descriptor, or by name in a directory. */
struct place {
	int fd; /* -1: by name */
	int dirfd;
	const char *name;
	char path[64 + ENTRY_NAME_MAX]; /* the way to it through /proc */
};

int
apply_new(struct chunks *chunks, const struct restore_options *opt,
    struct apply **out, struct err *err)
{
	struct apply *a = calloc(1, sizeof(*a));

	*out = a;
	if (a == NULL)
		return err_nomem(err);
	a->chunks = chunks;
	a->opt = opt;
	a->root = geteuid() == 0;
	pthread_mutex_init(&a->mu, NULL);
	return 0;
}

void
apply_free(struct apply *a)
{
	if (a == NULL)
		return;
	pthread_mutex_destroy(&a->mu);
	free(a);
}

void
apply_inherits(struct apply *a)
{
	a->inherits = true;
}

/* --- owners ------------------------------------------------------------ */

static bool
ask_user(struct apply *a, const char *name, uint32_t *id)
{
	struct passwd pw, *found = NULL;

	if (getpwnam_r(name, &pw, a->buf, sizeof(a->buf), &found) != 0 ||
	    found == NULL)
		return false;
	*id = pw.pw_uid;
	return true;
}

static bool
ask_group(struct apply *a, const char *name, uint32_t *id)
{
	struct group gr, *found = NULL;

	if (getgrnam_r(name, &gr, a->buf, sizeof(a->buf), &found) != 0 ||
	    found == NULL)
		return false;
	*id = gr.gr_gid;
	return true;
}

/* The id that ${name} has on this machine, else the one it had. */
static uint32_t
local_id(struct apply *a, struct id_memory *m, struct span name, uint32_t id,
    bool (*ask)(struct apply *, const char *, uint32_t *))
{
	if (a->opt->numeric_ids || name.len == 0)
		return id;
	pthread_mutex_lock(&a->mu);
	if (strlen(m->name) != name.len ||
	    memcmp(m->name, name.p, name.len) != 0) {
		memcpy(m->name, name.p, name.len);
		m->name[name.len] = '\0';
		m->known = ask(a, m->name, &m->id);
	}
	if (m->known)
		id = m->id;
	pthread_mutex_unlock(&a->mu);
	return id;
}

static int
set_owner(struct apply *a, const struct place *p, const struct entry *e,
    struct err *err)
{
	uid_t uid = local_id(a, &a->user, e->user, e->uid, ask_user);
	gid_t gid = local_id(a, &a->group, e->group, e->gid, ask_group);
	int ret;

	if (a->opt->no_owner)
		return 0;
	if (!a->root)
		uid = (uid_t)-1; /* only root gives files away */
	if (p->fd >= 0)
		ret = fchown(p->fd, uid, gid);
	else
		ret =
		    fchownat(p->dirfd, p->name, uid, gid, AT_SYMLINK_NOFOLLOW);
	if (ret == 0 || (!a->root && errno == EPERM))
		return 0;
	return err_errno(err, "cannot set the owner");
}

/* --- extended attributes ----------------------------------------------- */

/* A user may not set what is the system's or the administrator's. */
static bool
may_set(const struct apply *a, const char *name)
{
	return a->root || (strncmp(name, "trusted.", 8) != 0 &&
			      strncmp(name, "security.", 9) != 0);
}

static int
set_xattr(struct apply *a, const struct place *p, const struct xattr *x,
    struct err *err)
{
	WR_AUTO struct wr value = {0};
	char name[XATTR_NAME_MAX + 1];
	int ret;

	memcpy(name, x->name.p, x->name.len);
	name[x->name.len] = '\0';
	if (!may_set(a, name))
		return 0;
	if ((ret = xattr_value(a->chunks, x, &value, err)) != 0)
		return ret;
	if (p->fd >= 0)
		ret = fsetxattr(p->fd, name, value.buf, value.len, 0);
	else
		ret = lsetxattr(p->path, name, value.buf, value.len, 0);
	if (ret != 0)
		return err_errno(
		    err, "cannot set extended attribute '%s'", name);
	return 0;
}

static int
set_xattrs(struct apply *a, const struct place *p, const struct entry *e,
    struct err *err)
{
	struct rd r = rd_init(e->xattrs.p, e->xattrs.len);
	struct xattr x;
	int ret = 0;

	for (size_t i = 0; i < e->nxattrs && ret == 0; i++) {
		if (!xattr_next(&r, &x))
			return err_set(
			    err, ERR_CORRUPT, "malformed extended attributes");
		ret = set_xattr(a, p, &x, err);
	}
	return ret;
}

/* --- the whole --------------------------------------------------------- */

/*
 * The mode that the file gets: who runs it as somebody else is to run it as its
 * owner, so these bits don't go without that.
 */
static mode_t
safe_mode(struct apply *a, const struct place *p, const struct entry *e)
{
	mode_t mode = e->mode;
	struct stat st;
	int ret;

	if (e->type != ENTRY_FILE || (mode & (S_ISUID | S_ISGID)) == 0)
		return mode;
	ret = p->fd >= 0 ? fstat(p->fd, &st)
			 : fstatat(p->dirfd, p->name, &st, AT_SYMLINK_NOFOLLOW);
	if (ret != 0 ||
	    st.st_uid != local_id(a, &a->user, e->user, e->uid, ask_user))
		mode &= ~(mode_t)S_ISUID;
	if (ret != 0 ||
	    st.st_gid != local_id(a, &a->group, e->group, e->gid, ask_group))
		mode &= ~(mode_t)S_ISGID;
	return mode;
}

static int
set_mode_and_time(struct apply *a, const struct place *p, const struct entry *e,
    struct err *err)
{
	mode_t mode = safe_mode(a, p, e);
	struct timespec times[2];

	times[1].tv_sec = e->mtime;
	times[1].tv_nsec = e->mtime_ns;
	times[0] = times[1];
	if (p->fd >= 0) {
		if (fchmod(p->fd, mode) != 0)
			return err_errno(err, "cannot set the mode");
		if (futimens(p->fd, times) != 0)
			return err_errno(err, "cannot set the time");
		return 0;
	}
	/* A symlink has no mode of its own. */
	if (e->type != ENTRY_SYMLINK &&
	    fchmodat(p->dirfd, p->name, mode, 0) != 0)
		return err_errno(err, "cannot set the mode");
	if (utimensat(p->dirfd, p->name, times, AT_SYMLINK_NOFOLLOW) != 0)
		return err_errno(err, "cannot set the time");
	return 0;
}

/*
 * A new owner takes setuid bits and capabilities away, and an ACL changes the
 * mode, so these come in this order. Times come last. Whatever fails, the rest
 * is still done, but for an ACL of another's; the first failure is told.
 */
static int
apply_all(struct apply *a, const struct place *p, const struct entry *e,
    struct err *err)
{
	struct err other = {0};
	int ret = 0;

	/* With its mode the ACL would open the file to whom it names. */
	if (a->inherits && (ret = bare_acls(p->fd, p->path, err)) != 0)
		return ret;
	ret = set_owner(a, p, e, err);
	if (set_xattrs(a, p, e, ret == 0 ? err : &other) != 0 && ret == 0)
		ret = err->code;
	if (set_mode_and_time(a, p, e, ret == 0 ? err : &other) != 0 &&
	    ret == 0)
		ret = err->code;
	return ret;
}

int
apply_fd(struct apply *a, int fd, const struct entry *e, struct err *err)
{
	struct place p = {.fd = fd};

	return apply_all(a, &p, e, err);
}

int
apply_at(struct apply *a, int dirfd, const char *name, const struct entry *e,
    struct err *err)
{
	struct place p = {.fd = -1, .dirfd = dirfd, .name = name};

	(void)snprintf(
	    p.path, sizeof(p.path), "/proc/self/fd/%d/%s", dirfd, name);
	return apply_all(a, &p, e, err);
}
