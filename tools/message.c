#include "tools/message.h"

#include "tools/escape.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char no_memory[] = "varve: out of memory\n";

/* 'varve: KIND TEXT' with its end of line; the caller's to free, or NULL. */
static char *
compose(const char *kind, const char *text, size_t *len)
{
	char *line = NULL;
	FILE *f = open_memstream(&line, len);

	if (f == NULL)
		return NULL;
	(void)fprintf(f, "varve: %s", kind);
	escape_message(f, text);
	(void)fputc('\n', f);
	if (fclose(f) != 0) {
		free(line);
		return NULL;
	}
	return line;
}

/*
 * By one write(2), so that the lines of programs that share a log don't mix. What
 * can't be said is nobody's to tell.
 */
static void
write_line(const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		line += n;
		len -= (size_t)n;
	}
}

static void
say(const struct run *run, const char *kind, const char *text)
{
	struct progress *p = run != NULL ? run->progress : NULL;
	size_t len = 0;
	char *line = compose(kind, text, &len);

	progress_hide(p);
	/* In the order in which it was said, also where both are one pipe. */
	(void)fflush(stdout);
	if (line != NULL)
		write_line(line, len);
	else
		write_line(no_memory, sizeof(no_memory) - 1);
	progress_show(p);
	free(line);
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
