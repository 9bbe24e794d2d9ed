#ifndef FS_REPORT_H
#define FS_REPORT_H

/*
 * Where errors end: the one place that turns them into errno, and into a line
 * for a person where it is not the caller's own doing. The same line is given
 * once a minute at most, and all lines together in bounded number.
 * Thread: safe.
 */
#include "fs/mount.h"
#include "fs/node.h"

struct report;

/** report_new(log, arg, out, err): ${log} may be NULL. */
NODISCARD int report_new(
    fs_log_fn *log, void *arg, struct report **out, struct err *err);
void report_free(struct report *r);
DEFINE_AUTO(report, report_free)

/**
 * report_errno(r, n, why):
 * The errno (positive) for an error met while serving ${n} (may be NULL): in a
 * snapshot what ought to be there and isn't is damage, EIO. Tells about it
 * unless it's ordinary (ENOMEM and EACCES are told, too).
 */
int report_errno(struct report *r, const struct node *n, const struct err *why);

/** report_line(r, fmt, ...): Tell something that belongs to no node. */
void report_line(struct report *r, const char *fmt, ...) PRINTF(2, 3);

#endif
