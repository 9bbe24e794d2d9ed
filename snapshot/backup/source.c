#include "snapshot/backup/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

/* Whether ${path} is ${dir} or lies below it; both are canonical. */
static bool
is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, n) == 0 &&
	       (path[n] == '/' || path[n] == '\0');
}

/*
 * A source that holds the store is fine: the store is left out of it. One that is
 * the store, or a part of it, would be nothing but that.
 */
static int
check_store_apart(
    struct source *s, const char *path, const char *store_path, struct err *err)
{
	char *store = store_path != NULL ? realpath(store_path, NULL) : NULL;
	struct stat st;
	int ret = 0;

	if (store != NULL && stat(store, &st) == 0)
		s->store = (struct dir_id){true, st.st_dev, st.st_ino};
	if (s->store.known &&
	    (is_below(path, store) || dir_id_is(&s->store, &s->st)))
		ret = err_set(err, ERR_USAGE,
		    "source '%s' lies inside the store '%s'", s->text, store);
	free(store);
	return ret;
}

/* The directory of the one file, and its name there. */
static int
open_parent(struct source *s, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *dir = strndup(path, (size_t)(slash - path) + 1);

	if (dir == NULL || (s->name = strdup(slash + 1)) == NULL) {
		free(dir);
		return err_nomem(err);
	}
	s->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (s->fd < 0)
		return err_errno(
		    err, "cannot open the directory of '%s'", s->text);
	return 0;
}

static int
open_dir(struct source *s, const char *path, struct err *err)
{
	s->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);
	if (s->fd < 0 && errno == EPERM)
		s->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0)
		return err_errno(err, "cannot open source '%s'", s->text);
	/* What was opened may not be what was looked at. */
	if (fstat(s->fd, &s->st) != 0)
		return err_errno(err, "cannot read source '%s'", s->text);
	return 0;
}

/* The size of a device is not in its stat. */
static int
device_size(struct source *s, struct err *err)
{
	uint64_t size;
	int fd, ret = 0;

	fd = openat(s->fd, s->name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open device '%s'", s->text);
	if (ioctl(fd, BLKGETSIZE64, &size) != 0)
		ret = err_errno(
		    err, "cannot tell the size of device '%s'", s->text);
	else
		s->st.st_size = (off_t)size;
	close(fd);
	return ret;
}

/*
 * Whether a filesystem changes a file's ctime with every change. Images that
 * are made whole, and filesystems that know no ctime, say nothing by theirs.
 */
static bool
keeps_ctime(const struct statfs *fs)
{
	switch ((unsigned long)fs->f_type) {
	case SQUASHFS_MAGIC:
	case EROFS_SUPER_MAGIC_V1:
	case ISOFS_SUPER_MAGIC:
	case CRAMFS_MAGIC:
	case UDF_SUPER_MAGIC:
	case MSDOS_SUPER_MAGIC:
	case EXFAT_SUPER_MAGIC:
		return false;
	default:
		return true;
	}
}

static int
look_at_filesystem(struct source *s, struct err *err)
{
	struct statfs fs;

	if (fstatfs(s->fd, &fs) != 0)
		return err_errno(
		    err, "cannot look at the filesystem of '%s'", s->text);
	_Static_assert(sizeof(fs.f_fsid) == sizeof(s->fsid), "two ints");
	memcpy(s->fsid, &fs.f_fsid, sizeof(s->fsid));
	s->exact_ctime = keeps_ctime(&fs);
	return 0;
}

static int
open_path(
    struct source *s, const char *path, const char *store_path, struct err *err)
{
	int ret;

	if (stat(path, &s->st) != 0)
		return err_errno(err, "cannot read source '%s'", s->text);
	ret = check_store_apart(s, path, store_path, err);
	if (ret != 0)
		return ret;
	if (S_ISDIR(s->st.st_mode)) {
		s->kind = SOURCE_DIR;
		ret = open_dir(s, path, err);
		return ret != 0 ? ret : look_at_filesystem(s, err);
	}
	if (!S_ISREG(s->st.st_mode) && !S_ISBLK(s->st.st_mode))
		return err_set(err, ERR_USAGE,
		    "source '%s' is neither a directory, a file nor a block "
		    "device",
		    s->text);
	if ((ret = open_parent(s, path, err)) != 0)
		return ret;
	if ((ret = look_at_filesystem(s, err)) != 0)
		return ret;
	s->kind = S_ISREG(s->st.st_mode) ? SOURCE_FILE : SOURCE_DEVICE;
	return s->kind == SOURCE_DEVICE ? device_size(s, err) : 0;
}

static int
open_command(
    struct source *s, const struct backup_options *opt, struct err *err)
{
	struct timespec now;
	const char *name = opt->exec_name;

	if (name == NULL || !entry_name_ok((const uint8_t *)name, strlen(name)))
		return err_set(err, ERR_USAGE,
		    "a command's output needs a file name (--name), which "
		    "'%s' can't be",
		    name != NULL ? name : "");
	/* Others come from a filesystem, and so fit into one. */
	if (strlen(name) > NAME_MAX)
		return err_set(err, ERR_USAGE,
		    "the file name (--name) has %zu bytes, with which it could "
		    "not be restored: a filesystem takes %d",
		    strlen(name), NAME_MAX);
	s->kind = SOURCE_COMMAND;
	s->fd = -1;
	if ((s->name = strdup(name)) == NULL)
		return err_nomem(err);
	clock_gettime(CLOCK_REALTIME, &now);
	s->st.st_mode = S_IFREG | 0600;
	s->st.st_nlink = 1;
	s->st.st_uid = geteuid();
	s->st.st_gid = getegid();
	s->st.st_mtim = now;
	s->st.st_ctim = now;
	return 0;
}

int
source_open(const struct backup_options *opt, const char *store_path,
    struct source *out, struct err *err)
{
	const char *text = opt->exec != NULL ? opt->exec : opt->source;
	char *path;
	int ret;

	memset(out, 0, sizeof(*out));
	out->fd = -1;
	if (text == NULL || *text == '\0')
		return err_set(err, ERR_USAGE, "no source given");
	if ((out->text = strdup(text)) == NULL)
		return err_nomem(err);
	if (opt->exec != NULL)
		return open_command(out, opt, err);
	if ((path = realpath(text, NULL)) == NULL)
		return err_errno(err, "cannot read source '%s'", text);
	ret = open_path(out, path, store_path, err);
	free(out->text);
	out->text = path; /* the record shows where it really was */
	return ret;
}

void
source_close(struct source *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->text);
	free(s->name);
	memset(s, 0, sizeof(*s));
	s->fd = -1;
}
