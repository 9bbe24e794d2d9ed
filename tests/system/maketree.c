/*
 * maketree DIR: fills the directory DIR with every kind of entry, name, time,
 * owner, link and attribute that a backup has to keep. Needs root, for devices
 * and owners.
 */
#include "tests/system/make.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

static void
leave(void)
{
	must(chdir("..") == 0, "..");
}

static void
make_file(const char *name, const void *bytes, size_t len)
{
	int fd = create(name);

	must(write(fd, bytes, len) == (ssize_t)len, name);
	must(close(fd) == 0, name);
}

static void
make_text(const char *name, const char *text)
{
	make_file(name, text, strlen(text));
}

/* --- names ------------------------------------------------------------- */

static void
long_names(void)
{
	char name[256];

	memset(name, 'n', 255);
	name[255] = '\0';
	make_text(name, "255 bytes\n");
	memset(name, 'd', 255);
	enter(name);
	make_text("inside", "below a long name\n");
	leave();
}

/* Each byte that a name may have, alone and as one of three. */
static void
every_byte(void)
{
	enter("bytes");
	for (int c = 1; c < 256; c++) {
		char one[] = {(char)c, '\0'};
		char three[] = {'a', (char)c, 'z', '\0'};

		if (c == '/')
			continue;
		if (c != '.')
			make_text(one, one);
		make_text(three, three);
	}
	leave();
}

static void
make_names(void)
{
	static const char *const names[] = {"-rf", "--help", "a b", " ",
	    "new\nline", "\n", "tab\tx", "back\\slash", "quote'\"", "*?[",
	    "...", "..x", "~", "#", "@2026-01-01", "latest", "$HOME", ";",
	    "\033[31mred", "\xff\xfe", "caf\xe9", "caf\xc3\xa9", "cafe\xcc\x81",
	    "\xe2\x80\xae.txt", "Case", "case"};

	enter("names");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		make_text(names[i], names[i]);
	long_names();
	every_byte();
	leave();
}

/* --- links ------------------------------------------------------------- */

static void
make_hard_links(void)
{
	enter("links");
	enter("a");
	make_text("one", "three links\n");
	make_text("alone", "three links\n"); /* equal, but no link */
	leave();
	enter("b");
	must(link("../a/one", "two") == 0, "two");
	leave();
	enter("zz");
	must(link("../a/one", "three") == 0, "three");
	must(mkfifo("pipe", 0600) == 0, "pipe");
	must(link("pipe", "pipe-again") == 0, "pipe-again");
	must(symlink("nowhere", "soft") == 0, "soft");
	must(link("soft", "soft-again") == 0, "soft-again");
	leave();
	leave();
}

static void
make_symlinks(void)
{
	char target[4096];

	enter("symlinks");
	memset(target, 'x', 4095);
	for (size_t i = 200; i < 4095; i += 200)
		target[i] = '/';
	target[4095] = '\0';
	must(symlink(target, "4095") == 0, "4095");
	must(symlink("missing", "dangling") == 0, "dangling");
	must(symlink("self", "self") == 0, "self");
	must(symlink("..", "up") == 0, "up");
	must(symlink("/etc/passwd", "absolute") == 0, "absolute");
	must(symlink("\xff\n\x01", "odd\ntarget") == 0, "odd target");
	must(lchown("dangling", 1234, 5678) == 0, "dangling");
	leave();
}

/* --- what is no file --------------------------------------------------- */

static void
make_socket(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	must(fd >= 0, name);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
	must(bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0, name);
	must(close(fd) == 0, name);
}

static void
make_special(void)
{
	enter("special");
	must(mkfifo("fifo", 0640) == 0, "fifo");
	make_socket("socket");
	must(mknod("null", S_IFCHR | 0666, makedev(1, 3)) == 0, "null");
	must(mknod("block", S_IFBLK | 0660, makedev(7, 9999)) == 0, "block");
	must(mknod("far", S_IFCHR | 0600, makedev(4095, 1048575)) == 0, "far");
	leave();
}

/* --- metadata ---------------------------------------------------------- */

static void
make_modes(void)
{
	static const mode_t modes[] = {0, 0111, 0444, 0600, 0755, 0777, 01777,
	    02755, 04755, 06711, 07777, 04000};
	char name[16];

	enter("modes");
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		(void)snprintf(name, sizeof(name), "f%04o", modes[i]);
		make_text(name, name);
		must(chmod(name, modes[i]) == 0, name);
		name[0] = 'd';
		must(mkdir(name, 0755) == 0, name);
		must(chmod(name, modes[i]) == 0, name);
	}
	leave();
}

static void
make_owners(void)
{
	static const uint32_t ids[] = {1, 65534, 65536, 2147483648, 4294967294};
	char name[16];

	enter("owners");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		(void)snprintf(name, sizeof(name), "%u", ids[i]);
		make_text(name, name);
		must(chown(name, ids[i], ids[ARRAY_LEN(ids) - 1 - i]) == 0,
		    name);
	}
	leave();
}

static void
set_time(const char *name, time_t s, long ns)
{
	struct timespec times[2] = {{s, ns}, {s, ns}};

	must(utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW) == 0, name);
}

static void
make_times(void)
{
	static const struct timespec times[] = {{0, 0}, {0, 1}, {-1, 999999999},
	    {-1, 0}, {-2147483648, 5},
	    {INT64_C(-2208988800), 123456789}, /* 1900 */
	    {2147483648, 500000000}, {INT64_C(4294967296), 1},
	    {INT64_C(8000000000), 250000000}}; /* 2223 */
	char name[48];

	enter("times");
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		(void)snprintf(name, sizeof(name), "%lld.%09ld",
		    (long long)times[i].tv_sec, times[i].tv_nsec);
		make_text(name, name);
		set_time(name, times[i].tv_sec, times[i].tv_nsec);
	}
	must(symlink("gone", "link") == 0, "link");
	set_time("link", -86400, 7);
	must(mkdir("dir", 0755) == 0, "dir");
	set_time("dir", INT64_C(5000000000), 999999999);
	leave();
}

static void
set_xattr(const char *path, const char *name, const void *value, size_t len)
{
	if (lsetxattr(path, name, value, len, 0) != 0)
		err(1, "%s of %s", name, path);
}

/*
 * The value of 60 KB needs a filesystem that takes one (tmpfs of Linux 6.6,
 * ext4 with ea_inode); lib.sh finds one.
 */
static void
make_xattrs(void)
{
	static uint8_t big[60000];
	char name[256] = "user.";

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * i >> 7);
	memset(name + 5, 'x', 250);
	enter("xattrs");
	make_text("file", "attributes\n");
	set_xattr("file", "user.empty", "", 0);
	set_xattr("file", "user.zero", "a\0b\0", 4);
	set_xattr("file", "user.caf\xc3\xa9", "caf\xc3\xa9", 5);
	set_xattr("file", "trusted.hidden", "root's", 6);
	make_text("long-name", "255 bytes\n");
	set_xattr("long-name", name, "long", 4);
	make_text("big", "60,000 bytes\n");
	set_xattr("big", "user.big", big, sizeof(big));
	make_text("big-too", "the same 60,000 bytes\n");
	set_xattr("big-too", "user.big", big, sizeof(big));
	must(mkdir("dir", 0755) == 0, "dir");
	set_xattr("dir", "user.dir", "on a directory", 14);
	must(symlink("nowhere", "link") == 0, "link");
	set_xattr("link", "trusted.link", "on a symlink", 12);
	must(mkfifo("fifo", 0600) == 0, "fifo");
	set_xattr("fifo", "trusted.fifo", "on a FIFO", 9);
	leave();
}

/* --- contents ---------------------------------------------------------- */

/* Sizes around those at which things are cut. */
static void
make_sizes(void)
{
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 16383, 16384,
	    16385, 65536, 262143, 262144, 262145, 1048575, 1048576, 1048577,
	    5000000};
	uint8_t *bytes = malloc(5000000);
	uint64_t x = 88172645463325252;
	char name[16];

	must(bytes != NULL, "memory");
	for (size_t i = 0; i < 5000000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bytes[i] = (uint8_t)x;
	}
	enter("sizes");
	must(mkdir("empty", 0755) == 0, "empty");
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		(void)snprintf(name, sizeof(name), "%zu", sizes[i]);
		make_file(name, bytes, sizes[i]);
	}
	memset(bytes, 0, 5000000);
	make_file("zeros", bytes, 5000000);
	leave();
	free(bytes);
}

int
main(int argc, char **argv)
{
	(void)umask(022);
	if (argc != 2)
		errx(2, "usage: maketree DIR");
	must(chdir(argv[1]) == 0, argv[1]);
	make_names();
	make_hard_links();
	make_symlinks();
	make_special();
	make_modes();
	make_owners();
	make_xattrs();
	make_sizes();
	make_times();
	return 0;
}
