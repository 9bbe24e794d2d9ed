/*
 * A filesystem of files that are made up as they are read, so that sources can
 * be larger than any disk at hand:
 *
 *	synthfs MOUNTPOINT tree DIRS FILES	DIRS directories of FILES files
 *						each, no two alike
 *	synthfs MOUNTPOINT pages BYTES		one file: of its pages of 8 KiB
 *						one in a thousand is unique, the
 *						others are a hundred that repeat
 *
 * It stays in the foreground until it is unmounted, and keeps nothing in memory.
 */
#define FUSE_USE_VERSION 312

#include "tests/bench/large/mix.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PAGE 8192
#define FILE_SIZE 48
#define FOREVER 86400.0

struct synth {
	uint64_t dirs, files; /* tree */
	uint64_t bytes;       /* pages; 0: a tree */
};

/* Inode numbers: 1 the root; of the directory d: d + 2; of its file f: */
static fuse_ino_t
file_ino(uint64_t dir, uint64_t file)
{
	return (dir + 2) << 32 | (file + 1);
}

static bool
is_dir(fuse_ino_t ino)
{
	return ino >> 32 == 0;
}

static void
stat_of(const struct synth *s, fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = is_dir(ino) ? S_IFDIR | 0755 : S_IFREG | 0644;
	st->st_nlink = 1;
	st->st_size = is_dir(ino)     ? 4096
		      : s->bytes == 0 ? FILE_SIZE
				      : (off_t)s->bytes;
	st->st_blocks = st->st_size / 512 + 1;
	st->st_blksize = 65536;
	st->st_mtim.tv_sec = 1700000000;
	st->st_ctim = st->st_mtim;
}

/* --- names -------------------------------------------------------------- */

/* The ${i}-th entry of a directory: its name and inode number. */
static bool
entry_at(const struct synth *s, fuse_ino_t dir, uint64_t i, char name[32],
    fuse_ino_t *ino)
{
	if (s->bytes != 0) {
		(void)strcpy(name, "pages");
		*ino = file_ino(0, 0);
		return i == 0;
	}
	if (dir == FUSE_ROOT_ID) {
		(void)snprintf(name, 32, "dir-%07lu", (unsigned long)i);
		*ino = i + 2;
		return i < s->dirs;
	}
	(void)snprintf(name, 32, "file-%07lu", (unsigned long)i);
	*ino = file_ino(dir - 2, i);
	return i < s->files;
}

static void
op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct synth *s = fuse_req_userdata(req);
	const char *digits = strchr(name, '-');
	uint64_t i = digits == NULL ? 0 : strtoull(digits + 1, NULL, 10);
	struct fuse_entry_param e = {
	    .attr_timeout = FOREVER, .entry_timeout = FOREVER};
	char right[32];

	if (!is_dir(parent) || !entry_at(s, parent, i, right, &e.ino) ||
	    strcmp(name, right) != 0) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	stat_of(s, e.ino, &e.attr);
	fuse_reply_entry(req, &e);
}

static void
op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	stat_of(fuse_req_userdata(req), ino, &st);
	fuse_reply_attr(req, &st, FOREVER);
}

static void
op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	const struct synth *s = fuse_req_userdata(req);
	char *buf = malloc(size), name[32];
	size_t len = 0;

	(void)fi;
	if (buf == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	for (uint64_t i = (uint64_t)off;; i++) {
		struct fuse_entry_param e = {
		    .attr_timeout = FOREVER, .entry_timeout = FOREVER};
		size_t more;

		if (!entry_at(s, ino, i, name, &e.ino))
			break;
		stat_of(s, e.ino, &e.attr);
		more = fuse_add_direntry_plus(
		    req, buf + len, size - len, name, &e, (off_t)i + 1);
		if (more > size - len)
			break;
		len += more;
	}
	fuse_reply_buf(req, buf, len);
	free(buf);
}

/* --- contents ----------------------------------------------------------- */

static void
fill_page(uint64_t page, uint8_t *out)
{
	uint64_t seed = page % 1000 == 999 ? page : mix(page / 64) % 100;

	for (size_t i = 0; i < PAGE; i += 8) {
		uint64_t v = mix(seed * PAGE + i / 32);

		memcpy(out + i, &v, 8);
	}
}

static void
read_pages(fuse_req_t req, const struct synth *s, size_t size, uint64_t off)
{
	uint64_t end = off + size < s->bytes ? off + size : s->bytes;
	uint64_t first = off / PAGE, n;
	uint8_t *buf;

	if (off >= end) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	n = (end + PAGE - 1) / PAGE - first;
	buf = malloc(n * PAGE);
	if (buf == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	for (uint64_t i = 0; i < n; i++)
		fill_page(first + i, buf + i * PAGE);
	fuse_reply_buf(
	    req, (char *)buf + (off - first * PAGE), (size_t)(end - off));
	free(buf);
}

static void
op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	const struct synth *s = fuse_req_userdata(req);
	char text[FILE_SIZE + 1];
	size_t at = (size_t)off;

	(void)fi;
	if (s->bytes != 0) {
		read_pages(req, s, size, (uint64_t)off);
		return;
	}
	(void)snprintf(text, sizeof(text), "%016lx%016lx%016lx",
	    (unsigned long)ino, (unsigned long)mix(ino),
	    (unsigned long)mix(~ino));
	if (at > FILE_SIZE)
		at = FILE_SIZE;
	if (size > FILE_SIZE - at)
		size = FILE_SIZE - at;
	fuse_reply_buf(req, text + at, size);
}

/* Not needed, and the kernel asks no more. */
static void
op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, ENOSYS);
}

static const struct fuse_lowlevel_ops ops = {
    .lookup = op_lookup,
    .getattr = op_getattr,
    .readdirplus = op_readdirplus,
    .read = op_read,
    .open = op_open,
    .opendir = op_open,
};

int
main(int argc, char **argv)
{
	char options[] = "-oro";
	char *fuse_argv[] = {argv[0], options, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(2, fuse_argv);
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	struct fuse_session *se;
	struct synth s = {0};
	int rc = 1;

	if (argc == 5 && strcmp(argv[2], "tree") == 0) {
		s.dirs = strtoull(argv[3], NULL, 10);
		s.files = strtoull(argv[4], NULL, 10);
	} else if (argc == 4 && strcmp(argv[2], "pages") == 0) {
		s.bytes = strtoull(argv[3], NULL, 10);
	} else {
		(void)fprintf(stderr, "usage: synthfs MOUNTPOINT tree DIRS "
				      "FILES | pages BYTES\n");
		return 2;
	}
	se = fuse_session_new(&args, &ops, sizeof(ops), &s);
	if (se == NULL || config == NULL || fuse_set_signal_handlers(se) != 0 ||
	    fuse_session_mount(se, argv[1]) != 0)
		return 1;
	rc = fuse_session_loop_mt(se, config);
	fuse_session_unmount(se);
	fuse_remove_signal_handlers(se);
	fuse_session_destroy(se);
	fuse_loop_cfg_destroy(config);
	return rc == 0 ? 0 : 1;
}
