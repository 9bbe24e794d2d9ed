/*
 * samedata A B: whether two files have the same bytes, read without reading
 * their holes: the same size, the same map of data and holes (SEEK_DATA,
 * SEEK_HOLE), the same data. Exit status 0, or 1 with a line that says where
 * they differ.
 *
 * samedata --mapped A B: the same bytes, both read through mmap().
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP 65536

struct file {
	const char *path;
	int fd;
	off_t size;
};

static struct file
open_file(const char *path)
{
	struct file f = {.path = path, .fd = open(path, O_RDONLY)};
	struct stat st;

	if (f.fd < 0 || fstat(f.fd, &st) != 0)
		err(2, "%s", path);
	f.size = st.st_size;
	return f;
}

/* Where the next run of data (or hole) starts, or the size. */
static off_t
next(const struct file *f, off_t at, int whence)
{
	off_t found = lseek(f->fd, at, whence);

	if (found >= 0)
		return found;
	if (errno != ENXIO)
		err(2, "cannot seek in %s", f->path);
	return f->size;
}

static void
read_all(const struct file *f, off_t at, uint8_t *buf, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(f->fd, buf + got, len - got, at + (off_t)got);

		if (n <= 0)
			err(2, "cannot read %s", f->path);
		got += (size_t)n;
	}
}

static void
compare_data(const struct file *a, const struct file *b, off_t at, off_t end)
{
	uint8_t x[STEP], y[STEP];

	while (at < end) {
		size_t n = end - at < STEP ? (size_t)(end - at) : STEP;

		read_all(a, at, x, n);
		read_all(b, at, y, n);
		if (memcmp(x, y, n) != 0)
			errx(1, "%s, %s: data differ near %jd", a->path,
			    b->path, (intmax_t)at);
		at += (off_t)n;
	}
}

static int
compare_sparse(const struct file *a, const struct file *b)
{
	off_t hole = 0;

	while (hole < a->size) {
		off_t data = next(a, hole, SEEK_DATA);

		if (next(b, hole, SEEK_DATA) != data)
			errx(1, "%s, %s: data after %jd start elsewhere",
			    a->path, b->path, (intmax_t)hole);
		if (data >= a->size)
			break;
		hole = next(a, data, SEEK_HOLE);
		if (next(b, data, SEEK_HOLE) != hole)
			errx(1, "%s, %s: hole after %jd starts elsewhere",
			    a->path, b->path, (intmax_t)data);
		compare_data(a, b, data, hole);
	}
	return 0;
}

static const void *
map(const struct file *f)
{
	const void *p =
	    mmap(NULL, (size_t)f->size, PROT_READ, MAP_SHARED, f->fd, 0);

	if (p == MAP_FAILED)
		err(2, "cannot map %s", f->path);
	return p;
}

int
main(int argc, char **argv)
{
	int mapped = argc == 4 && strcmp(argv[1], "--mapped") == 0;
	struct file a, b;

	if (argc != 3 + mapped)
		errx(2, "usage: samedata [--mapped] A B");
	a = open_file(argv[1 + mapped]);
	b = open_file(argv[2 + mapped]);
	if (a.size != b.size)
		errx(1, "%s, %s: sizes differ", a.path, b.path);
	if (!mapped)
		return compare_sparse(&a, &b);
	if (memcmp(map(&a), map(&b), (size_t)a.size) != 0)
		errx(1, "%s, %s: mapped bytes differ", a.path, b.path);
	return 0;
}
