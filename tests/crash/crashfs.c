#include "crypto/attr.h"
#include "tests/crash/crashfs_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
crashfs_die(const char *what)
{
	perror(what);
	abort();
}

/* --- where things are -------------------------------------------------- */

static void
fd_path(int fd, char out[PATH_MAX])
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	MUST(n > 0);
	out[n] = '\0';
}

/* Split ${path} into the directory that it's in (absolute) and its name. */
static void
locate(int dir, const char *path, char **parent, char **name)
{
	char full[CRASHFS_PATH] = "";
	char *slash;

	if (path[0] != '/') {
		if (dir == AT_FDCWD)
			MUST(getcwd(full, PATH_MAX) != NULL);
		else
			fd_path(dir, full);
		(void)strcat(full, "/");
	}
	(void)strncat(full, path, PATH_MAX - 1);
	slash = strrchr(full, '/');
	*slash = '\0';
	*parent = strdup(full);
	*name = strdup(slash + 1);
	MUST(*parent != NULL && *name != NULL);
}

void
crashfs_join(const char *dir, const char *name, char out[CRASHFS_PATH])
{
	(void)snprintf(out, CRASHFS_PATH, "%s/%s", dir, name);
}

void
crashfs_spare(const struct crashfs *fs, size_t file, char out[CRASHFS_PATH])
{
	(void)snprintf(out, CRASHFS_PATH, "%s/%zu", fs->spare, file);
}

/* --- what is not safe yet ---------------------------------------------- */

/* The file's number. One that is not known yet is ${safe} as it is, or not. */
static size_t
track(struct crashfs *fs, const char *dir, const char *name, bool safe)
{
	char path[CRASHFS_PATH], spare[CRASHFS_PATH];
	struct stat st;
	size_t i;

	crashfs_join(dir, name, path);
	MUST(lstat(path, &st) == 0);
	for (i = 0; i < fs->nfiles; i++)
		if (fs->files[i].dev == st.st_dev &&
		    fs->files[i].ino == st.st_ino)
			return i;
	fs->files =
	    reallocarray(fs->files, fs->nfiles + 1, sizeof(fs->files[0]));
	MUST(fs->files != NULL);
	fs->files[fs->nfiles++] =
	    (struct file){st.st_dev, st.st_ino, safe ? st.st_size : 0};
	/* It is kept, so that its number isn't another's and it can return. */
	crashfs_spare(fs, i, spare);
	MUST(link(path, spare) == 0);
	return i;
}

/* Takes ${dir} and ${name} over. */
static void
pend(struct crashfs *fs, enum change_kind kind, char *dir, char *name,
    size_t file)
{
	fs->changes =
	    reallocarray(fs->changes, fs->nchanges + 1, sizeof(fs->changes[0]));
	MUST(fs->changes != NULL);
	fs->changes[fs->nchanges++] = (struct change){kind, dir, name, file};
}

void
crashfs_forget(struct crashfs *fs, const char *dir)
{
	size_t kept = 0;

	for (size_t i = 0; i < fs->nchanges; i++) {
		struct change *c = &fs->changes[i];

		if (dir == NULL || strcmp(c->dir, dir) == 0) {
			free(c->dir);
			free(c->name);
		} else {
			fs->changes[kept++] = *c;
		}
	}
	fs->nchanges = kept;
}

/* --- the system calls -------------------------------------------------- */

/* Every call starts so, and ends with leave(). */
static struct crashfs *
enter(void *arg)
{
	struct crashfs *fs = arg;

	pthread_mutex_lock(&fs->mu);
	return fs;
}

static int
leave(struct crashfs *fs, int rc)
{
	int errnum = errno;

	pthread_mutex_unlock(&fs->mu);
	errno = errnum;
	return rc;
}

static int
dead(struct crashfs *fs)
{
	errno = EIO;
	return leave(fs, -1);
}

static int
crash_open(void *arg, int dir, const char *path, int flags, mode_t mode)
{
	struct crashfs *fs = enter(arg);
	char *parent, *name;
	bool there;
	int fd;

	if (fs->crashed)
		return dead(fs);
	there = faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	fd = openat(dir, path, flags, mode);
	if (fd >= 0 && !there) {
		locate(dir, path, &parent, &name);
		pend(fs, MADE_FILE, parent, name,
		    track(fs, parent, name, false));
	}
	return leave(fs, fd);
}

static ssize_t
crash_write(void *arg, int fd, const void *buf, size_t len)
{
	struct crashfs *fs = enter(arg);
	ssize_t n;

	if (fs->crashed)
		return dead(fs);
	n = write(fd, buf, len);
	(void)leave(fs, 0);
	return n;
}

static void
make_safe(struct crashfs *fs, int fd)
{
	char path[PATH_MAX];
	struct stat st;

	MUST(fstat(fd, &st) == 0);
	if (S_ISDIR(st.st_mode)) {
		fd_path(fd, path);
		crashfs_forget(fs, path);
		return;
	}
	for (size_t i = 0; i < fs->nfiles; i++)
		if (fs->files[i].dev == st.st_dev &&
		    fs->files[i].ino == st.st_ino)
			fs->files[i].synced = st.st_size;
}

static void
make_all_safe(struct crashfs *fs)
{
	for (size_t i = 0; i < fs->nfiles; i++) {
		char spare[CRASHFS_PATH];
		struct stat st;

		crashfs_spare(fs, i, spare);
		MUST(stat(spare, &st) == 0);
		fs->files[i].synced = st.st_size;
	}
	crashfs_forget(fs, NULL);
}

/* Whether this sync is the one at which it crashes. */
static bool
crashes(struct crashfs *fs)
{
	fs->syncs++;
	if (fs->syncs == fs->crash_at)
		fs->crashed = true;
	return fs->crashed;
}

static int
crash_fsync(void *arg, int fd)
{
	struct crashfs *fs = enter(arg);

	if (fs->crashed || crashes(fs))
		return dead(fs);
	make_safe(fs, fd);
	return leave(fs, 0);
}

static int
crash_syncfs(void *arg, UNUSED int dir)
{
	struct crashfs *fs = enter(arg);

	if (fs->crashed || crashes(fs))
		return dead(fs);
	make_all_safe(fs);
	return leave(fs, 0);
}

static int
crash_rename(
    void *arg, int dir, const char *from, const char *to, unsigned flags)
{
	struct crashfs *fs = enter(arg);
	char *parent, *name;
	size_t file;

	if (fs->crashed)
		return dead(fs);
	if (fs->no_rename) {
		errno = EINVAL;
		return leave(fs, -1);
	}
	if (renameat2(dir, from, dir, to, flags) != 0)
		return leave(fs, -1);
	/* Two directories: either may be written back without the other. */
	locate(dir, to, &parent, &name);
	file = track(fs, parent, name, true);
	pend(fs, MADE_FILE, parent, name, file);
	locate(dir, from, &parent, &name);
	pend(fs, REMOVED, parent, name, file);
	return leave(fs, 0);
}

static int
crash_link(void *arg, int dir, const char *from, const char *to)
{
	struct crashfs *fs = enter(arg);
	char *parent, *name;

	if (fs->crashed)
		return dead(fs);
	if (linkat(dir, from, dir, to, 0) != 0)
		return leave(fs, -1);
	locate(dir, to, &parent, &name);
	pend(fs, MADE_FILE, parent, name, track(fs, parent, name, true));
	return leave(fs, 0);
}

static int
crash_unlink(void *arg, int dir, const char *path, int flags)
{
	struct crashfs *fs = enter(arg);
	char *parent, *name;
	struct stat st;

	if (fs->crashed)
		return dead(fs);
	/* Directories are removed only when a creation fails: not simulated. */
	if ((flags & AT_REMOVEDIR) != 0 ||
	    fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return leave(fs, unlinkat(dir, path, flags));
	locate(dir, path, &parent, &name);
	pend(fs, REMOVED, parent, name, track(fs, parent, name, true));
	MUST(unlinkat(dir, path, flags) == 0);
	return leave(fs, 0);
}

static int
crash_mkdir(void *arg, int dir, const char *path, mode_t mode)
{
	struct crashfs *fs = enter(arg);
	char *parent, *name;

	if (fs->crashed)
		return dead(fs);
	if (mkdirat(dir, path, mode) != 0)
		return leave(fs, -1);
	locate(dir, path, &parent, &name);
	pend(fs, MADE_DIR, parent, name, 0);
	return leave(fs, 0);
}

struct crashfs *
crashfs_new(const char *spare, unsigned crash_at)
{
	struct crashfs *fs = calloc(1, sizeof(*fs));

	MUST(fs != NULL);
	fs->io = (struct sysio){
	    .arg = fs,
	    .open = crash_open,
	    .write = crash_write,
	    .fsync = crash_fsync,
	    .syncfs = crash_syncfs,
	    .rename = crash_rename,
	    .link = crash_link,
	    .unlink = crash_unlink,
	    .mkdir = crash_mkdir,
	};
	pthread_mutex_init(&fs->mu, NULL);
	fs->crash_at = crash_at;
	fs->spare = strdup(spare);
	MUST(fs->spare != NULL);
	return fs;
}

void
crashfs_free(struct crashfs *fs)
{
	char path[CRASHFS_PATH];

	for (size_t i = 0; i < fs->nfiles; i++) {
		crashfs_spare(fs, i, path);
		MUST(unlink(path) == 0);
	}
	crashfs_forget(fs, NULL);
	free(fs->changes);
	free(fs->files);
	free(fs->spare);
	pthread_mutex_destroy(&fs->mu);
	free(fs);
}

void
crashfs_no_rename(struct crashfs *fs)
{
	fs->no_rename = true;
}

const struct sysio *
crashfs_sysio(struct crashfs *fs)
{
	return &fs->io;
}

static int
calm_fsync(UNUSED void *arg, UNUSED int fd)
{
	return 0;
}

struct sysio
crashfs_calm(void)
{
	struct sysio io = sysio_libc;

	io.fsync = calm_fsync;
	io.syncfs = calm_fsync;
	return io;
}

unsigned
crashfs_syncs(const struct crashfs *fs)
{
	return fs->syncs;
}

bool
crashfs_crashed(const struct crashfs *fs)
{
	return fs->crashed;
}
