#include "tools/message.h"

#include "tools/escape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void
say(const struct run *run, const char *kind, const char *text)
{
	struct progress *p = run != NULL ? run->progress : NULL;

	progress_hide(p);
	/* In the order in which it was said, also where both are one pipe. */
	(void)fflush(stdout);
	flockfile(stderr);
	(void)fprintf(stderr, "varve: %s", kind);
	escape_message(stderr, text);
	(void)fputc('\n', stderr);
	funlockfile(stderr);
	progress_show(p);
}

static void say_formatted(const struct run *run, const char *kind,
    const char *fmt, va_list ap) PRINTF(3, 0);

static void
say_formatted(
    const struct run *run, const char *kind, const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		say(run, kind, "out of memory");
	else
		say(run, kind, text);
	free(text);
}

void
message_error(const struct run *run, const struct err *err)
{
	say(run, "", err->text);
}

void
message_warning(const struct run *run, const char *fmt, ...)
{
	va_list ap;

	if (run->common->quiet)
		return;
	va_start(ap, fmt);
	say_formatted(run, "warning: ", fmt, ap);
	va_end(ap);
}

void
message_problem(const struct run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_formatted(run, "", fmt, ap);
	va_end(ap);
}

void
message_result(const struct run *run, const char *fmt, ...)
{
	va_list ap;

	if (!message_summary(run))
		return;
	va_start(ap, fmt);
	say_formatted(run, "", fmt, ap);
	va_end(ap);
}

void
message_note(const struct run *run, const char *fmt, ...)
{
	va_list ap;

	if (!run->common->verbose)
		return;
	va_start(ap, fmt);
	say_formatted(run, "", fmt, ap);
	va_end(ap);
}

bool
message_summary(const struct run *run)
{
	return !run->common->quiet && run->json == NULL;
}
