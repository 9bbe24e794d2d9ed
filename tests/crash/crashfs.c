#include "tests/crash/crashfs.h"
#include "crypto/attr.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that may lose something. ${spare}/${number} is one more link to it. */
struct file {
	dev_t dev;
	ino_t ino;
	off_t synced; /* bytes that are safe */
};

/* A change of a directory that was not synced yet. */
enum change_kind { MADE_FILE, MADE_DIR, REMOVED };
struct change {
	enum change_kind kind;
	char *dir;   /* absolute */
	char *name;  /* in it */
	size_t file; /* of MADE_FILE, REMOVED */
};

struct crashfs {
	struct sysio io;
	pthread_mutex_t mu; /* guards all below */
	char *spare;
	bool no_rename;
	bool crashed;
	unsigned crash_at;
	unsigned syncs;
	uint64_t rng;
	struct file *files;
	size_t nfiles;
	struct change *changes; /* oldest first */
	size_t nchanges;
};

static void
die(const char *what)
{
	perror(what);
	abort();
}

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			die(#cond);                                            \
	} while (0)

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
	char full[2 * PATH_MAX] = "";
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

static void
join(const char *dir, const char *name, char out[2 * PATH_MAX])
{
	(void)snprintf(out, 2 * PATH_MAX, "%s/%s", dir, name);
}

static void
spare_path(const struct crashfs *fs, size_t file, char out[2 * PATH_MAX])
{
	(void)snprintf(out, 2 * PATH_MAX, "%s/%zu", fs->spare, file);
}

/* --- what is not safe yet ---------------------------------------------- */

/* The file's number. One that is not known yet is ${safe} as it is, or not. */
static size_t
track(struct crashfs *fs, const char *dir, const char *name, bool safe)
{
	char path[2 * PATH_MAX], spare[2 * PATH_MAX];
	struct stat st;
	size_t i;

	join(dir, name, path);
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
	spare_path(fs, i, spare);
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

static void
forget_changes(struct crashfs *fs, const char *dir)
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
		forget_changes(fs, path);
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
		char spare[2 * PATH_MAX];
		struct stat st;

		spare_path(fs, i, spare);
		MUST(stat(spare, &st) == 0);
		fs->files[i].synced = st.st_size;
	}
	forget_changes(fs, NULL);
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
	char path[2 * PATH_MAX];

	for (size_t i = 0; i < fs->nfiles; i++) {
		spare_path(fs, i, path);
		MUST(unlink(path) == 0);
	}
	forget_changes(fs, NULL);
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

/* --- what is left after a crash ---------------------------------------- */

/* splitmix64 */
static uint64_t
chance(struct crashfs *fs)
{
	uint64_t z = fs->rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

enum fate { CUT, GARBLED, ZEROED, KEPT, FATES };

/* Spoil the bytes of ${fd} from ${from} on, to ${to}. */
static void
overwrite(struct crashfs *fs, int fd, off_t from, off_t to, bool zero)
{
	uint8_t buf[4096] = {0};

	while (from < to) {
		size_t n = (size_t)(to - from);

		if (n > sizeof(buf))
			n = sizeof(buf);
		for (size_t i = 0; i < n && !zero; i++)
			buf[i] = (uint8_t)chance(fs);
		MUST(pwrite(fd, buf, n, from) == (ssize_t)n);
		from += (off_t)n;
	}
}

static void
spoil(struct crashfs *fs, size_t file, enum fate fate, bool all)
{
	off_t synced = fs->files[file].synced;
	char path[2 * PATH_MAX];
	struct stat st;
	off_t from;
	int fd;

	spare_path(fs, file, path);
	MUST(stat(path, &st) == 0);
	if (st.st_size <= synced || fate == KEPT)
		return;
	from = synced;
	if (!all)
		from += (off_t)(chance(fs) % (uint64_t)(st.st_size - synced));
	MUST(chmod(path, 0600) == 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	MUST(fd >= 0);
	if (fate == CUT)
		MUST(ftruncate(fd, from) == 0);
	else
		overwrite(fs, fd, from, st.st_size, fate == ZEROED);
	MUST(fchmod(fd, st.st_mode & 07777) == 0);
	MUST(close(fd) == 0);
}

static int
remove_one(const char *path, UNUSED const struct stat *st, UNUSED int type,
    UNUSED struct FTW *ftw)
{
	return remove(path);
}

/* What is in a directory is lost with its name. */
static void
lose(const struct crashfs *fs, const struct change *c)
{
	char path[2 * PATH_MAX], spare[2 * PATH_MAX];

	join(c->dir, c->name, path);
	switch (c->kind) {
	case MADE_FILE:
		MUST(unlink(path) == 0 || errno == ENOENT);
		return;
	case MADE_DIR:
		MUST(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ||
		     errno == ENOENT);
		return;
	case REMOVED:
		spare_path(fs, c->file, spare);
		MUST(link(spare, path) == 0 || errno == EEXIST);
		return;
	}
}

void
crashfs_settle(struct crashfs *fs, unsigned seed)
{
	static const enum fate fates[] = {CUT, CUT, GARBLED};
	bool by_chance = seed >= ARRAY_LEN(fates);

	fs->crashed = true;
	fs->rng = seed;
	for (size_t i = 0; i < fs->nfiles; i++)
		spoil(fs, i, by_chance ? chance(fs) % FATES : fates[seed],
		    !by_chance);
	/* Backwards, so that each finds what it had found. */
	for (size_t i = fs->nchanges; i > 0; i--)
		if (by_chance ? chance(fs) % 2 == 0 : seed == 0)
			lose(fs, &fs->changes[i - 1]);
	forget_changes(fs, NULL);
}
