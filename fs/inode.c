#include "fs/inode.h"
#include "fs/watch.h"

#include <sys/sysmacros.h>

#define BLOCK 512 /* of st_blocks, whatever st_blksize says */
#define BLKSIZE (128 * 1024)

#define UPPER_DAY (UINT64_C(1) << 47)
#define NO_SHARING (UINT64_C(1) << 63)

/* A scope: ordinal (24 bits), sequence number (40 bits). */
uint64_t
inode_scope(uint32_t ordinal, uint64_t seq)
{
	return (uint64_t)ordinal << 40 | (seq & ((UINT64_C(1) << 40) - 1));
}

uint64_t
inode_number(uint64_t scope, uint64_t ino)
{
	uint64_t ordinal = scope >> 40;
	uint64_t seq = scope & ((UINT64_C(1) << 40) - 1);

	if (seq == 0) {
		if (ordinal + 1 >= 1 << 15 || ino > ENTRY_INO_MAX)
			return 0;
		return (ordinal + 1) << 48 | ino;
	}
	if (ordinal >= 1 << 12 || seq >= 1 << 18 || ino > UINT32_MAX)
		return 0;
	return NO_SHARING | ordinal << 50 | seq << 32 | ino;
}

uint64_t
inode_folder(uint32_t number)
{
	return (uint64_t)number + 1;
}

uint64_t
inode_day(uint32_t ordinal, int64_t day)
{
	if (ordinal >= 1 << 15)
		return 0;
	return UPPER_DAY | (uint64_t)ordinal << 32 | (uint32_t)day;
}

/* --- blocks ------------------------------------------------------------ */

static uint64_t
blocks_of(uint64_t bytes)
{
	return bytes / BLOCK + (bytes % BLOCK != 0);
}

/* What is malformed counts as allocated: who reads it is told. */
static uint64_t
file_blocks(const struct entry *e)
{
	struct content c;

	if (entry_content(e, &c, NULL) != 0)
		return blocks_of(e->size);
	return blocks_of(e->size - c.holes);
}

void
inode_stat(const struct node *n, const struct entry *e, struct stat *st)
{
	*st = (struct stat){0};
	st->st_ino = n->st_ino;
	st->st_mode = entry_mode(e);
	st->st_nlink = e->nlink;
	st->st_uid = e->uid;
	st->st_gid = e->gid;
	st->st_blksize = BLKSIZE;
	st->st_mtim.tv_sec = e->mtime;
	st->st_mtim.tv_nsec = e->mtime_ns;
	st->st_ctim = st->st_mtim;
	st->st_atim = st->st_mtim;
	switch (e->type) {
	case ENTRY_FILE:
		st->st_size = (off_t)e->size;
		st->st_blocks = (blkcnt_t)file_blocks(e);
		break;
	case ENTRY_DIR:
		st->st_size = (off_t)e->dir.entries;
		st->st_nlink = 1;
		break;
	case ENTRY_SYMLINK:
		st->st_size = (off_t)e->target.len;
		break;
	case ENTRY_CHAR:
	case ENTRY_BLOCK:
		st->st_rdev = makedev(e->rdev_major, e->rdev_minor);
		break;
	case ENTRY_FIFO:
	case ENTRY_SOCKET:
		break;
	}
}
