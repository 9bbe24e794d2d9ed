#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

/*
 * A line on the terminal that says how far a command has come. It appears after
 * a second, and only where both output and errors go to a terminal. A thread of
 * its own draws it, so that it moves on while the work waits.
 */
#include "crypto/err.h"

#include <stdbool.h>
#include <stddef.h>

struct progress;

/*
 * Composes the line of at most ${cap} bytes, NUL included; ${seconds} since the
 * start. Called by the progress line's thread.
 */
typedef void progress_fn(void *arg, double seconds, char *line, size_t cap);

/** progress_wanted(): Whether there is a terminal to draw on. */
bool progress_wanted(void);

/** progress_start(fn, arg, out, err): Errors: ERR_NOMEM, ERR_IO. */
NODISCARD int progress_start(
    progress_fn *fn, void *arg, struct progress **out, struct err *err);

/** progress_stop(p): Wipe the line away; NULL is fine. */
void progress_stop(struct progress *p);

/*
 * Other output goes between these two, so that the line is not in its way.
 * Thread: safe; NULL is fine.
 */
void progress_hide(struct progress *p);
void progress_show(struct progress *p);

#endif
