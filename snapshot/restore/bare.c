#include "snapshot/restore/bare.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

static bool
knows_none(int errnum)
{
	return errnum == ENODATA || errnum == ENOTSUP || errnum == ENOSYS;
}

/*
 * Asked for first: to take away what isn't there fails for want of rights with
 * whoever is not the owner.
 */
static int
drop(int fd, const char *path, const char *name, struct err *err)
{
	ssize_t len = fd >= 0 ? fgetxattr(fd, name, NULL, 0)
			      : lgetxattr(path, name, NULL, 0);
	int ret;

	if (len >= 0) {
		ret =
		    fd >= 0 ? fremovexattr(fd, name) : lremovexattr(path, name);
		if (ret == 0)
			return 0;
	}
	if (knows_none(errno))
		return 0;
	return err_errno(err, "cannot take extended attribute '%s' away", name);
}

int
bare_acls(int fd, const char *path, struct err *err)
{
	int ret = drop(fd, path, "system.posix_acl_default", err);

	return ret != 0 ? ret : drop(fd, path, "system.posix_acl_access", err);
}

int
bare_attributes(int fd, bool root, struct err *err)
{
	struct err other = {0};
	char *names = malloc(XATTR_LIST_MAX);
	ssize_t len;
	int ret = 0;

	if (names == NULL)
		return err_nomem(err);
	len = flistxattr(fd, names, XATTR_LIST_MAX);
	if (len < 0 && !knows_none(errno))
		ret = err_errno(err, "cannot list the extended attributes");
	for (const char *p = names; len > 0 && p < names + len;
	     p += strlen(p) + 1) {
		if (strncmp(p, "user.", 5) != 0 &&
		    (!root || strncmp(p, "trusted.", 8) != 0))
			continue;
		if (drop(fd, NULL, p, ret == 0 ? err : &other) != 0 && ret == 0)
			ret = err->code;
	}
	free(names);
	return ret;
}
