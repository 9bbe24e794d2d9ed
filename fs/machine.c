#include "fs/machine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define FUSE_CONF "/etc/fuse.conf"
#define FUSE_DEVICE "/dev/fuse"

bool
machine_kernel(unsigned major, unsigned minor)
{
	struct utsname u;
	unsigned a, b;

	if (uname(&u) != 0 || sscanf(u.release, "%u.%u", &a, &b) != 2)
		return false;
	return a > major || (a == major && b >= minor);
}

/* Without the capability a limit applies, and beyond it allocations fail. */
static bool
may_lock_all(void)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
	    limit.rlim_cur == RLIM_INFINITY)
		return true;
	return syscall(SYS_capget, &head, data) == 0 &&
	       (data[0].effective & (1U << CAP_IPC_LOCK)) != 0;
}

void
machine_lock_memory(void)
{
	if (may_lock_all())
		(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

void
machine_read_ahead(const char *mountpoint, unsigned kib)
{
	struct statx st;
	char path[128], text[16];
	int fd, len;
	ssize_t n;

	/* AT_STATX_DONT_SYNC: don't ask the mount, it could not answer. */
	if (statx(AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC, STATX_TYPE, &st) !=
	    0)
		return;
	(void)snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb",
	    st.stx_dev_major, st.stx_dev_minor);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	len = snprintf(text, sizeof(text), "%u", kib);
	/* If it fails, the kernel's own idea of it has to do. */
	n = write(fd, text, (size_t)len);
	(void)n;
	(void)close(fd);
}

static bool
is_word(const char *line, const char *word)
{
	size_t len = strlen(word);

	line += strspn(line, " \t");
	return strncmp(line, word, len) == 0 &&
	       line[len + strspn(line + len, " \t\n")] == '\0';
}

int
machine_may_allow_other(struct err *err)
{
	char line[256];
	bool found = false;
	FILE *f;

	if (geteuid() == 0)
		return 0;
	f = fopen(FUSE_CONF, "re");
	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL)
		found = is_word(line, "user_allow_other");
	if (f != NULL)
		(void)fclose(f);
	if (found)
		return 0;
	return err_set(err, ERR_USAGE,
	    "only root may let others enter, unless '%s' has the line "
	    "'user_allow_other'",
	    FUSE_CONF);
}

int
machine_has_fuse(struct err *err)
{
	if (access(FUSE_DEVICE, R_OK | W_OK) == 0)
		return 0;
	return err_errno(err, "cannot mount: '%s'", FUSE_DEVICE);
}
