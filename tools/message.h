#ifndef TOOLS_MESSAGE_H
#define TOOLS_MESSAGE_H

/*
 * What goes to standard error: 'varve: ...'. Names inside are made fit to print,
 * and a progress line is not in the way. Each is written whole, by one write(2).
 * Thread: safe.
 */
#include "tools/command.h"

/** message_error(run, err): ${run} may be NULL: before there is one. */
void message_error(const struct run *run, const struct err *err);

/** message_warning(run, fmt, ...): Goes on; not said with -q. */
void message_warning(const struct run *run, const char *fmt, ...) PRINTF(2, 3);

/** message_problem(run, fmt, ...): One of many things; said with -q too. */
void message_problem(const struct run *run, const char *fmt, ...) PRINTF(2, 3);

/** message_result(run, fmt, ...): How it went, beside the output; not with -q. */
void message_result(const struct run *run, const char *fmt, ...) PRINTF(2, 3);

/** message_note(run, fmt, ...): Said with -v. */
void message_note(const struct run *run, const char *fmt, ...) PRINTF(2, 3);

/** message_summary(run): Whether to print summaries: neither -q nor --json. */
bool message_summary(const struct run *run);

#endif
