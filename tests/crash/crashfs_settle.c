/* What is left after a crash. */
#include "crypto/attr.h"
#include "tests/crash/crashfs_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

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
	char path[CRASHFS_PATH];
	struct stat st;
	off_t from;
	int fd;

	crashfs_spare(fs, file, path);
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
	char path[CRASHFS_PATH], spare[CRASHFS_PATH];

	crashfs_join(c->dir, c->name, path);
	switch (c->kind) {
	case MADE_FILE:
		MUST(unlink(path) == 0 || errno == ENOENT);
		return;
	case MADE_DIR:
		MUST(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ||
		     errno == ENOENT);
		return;
	case REMOVED:
		crashfs_spare(fs, c->file, spare);
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
	crashfs_forget(fs, NULL);
}
