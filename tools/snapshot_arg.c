#include "tools/snapshot_arg.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * Whether ${p} follows ${shape}, where '9' stands for any digit and every other
 * character for itself; the rest of ${p} may be anything.
 */
static bool
follows(const char *p, const char *shape)
{
	for (; *shape != '\0'; p++, shape++) {
		if (*shape == '9' ? *p < '0' || *p > '9' : *p != *shape)
			return false;
	}
	return true;
}

/*
 * The end of a clock time 'T14:20[:05[.250]]' with its zone, 'Z' or '+01:00',
 * of which ${p} is the 'T'. Without a zone, ':05' could just as well be a path:
 * then it is taken as seconds, which when_select() refuses by name.
 */
static const char *
skip_clock(const char *p)
{
	p += strlen("T99:99");
	if (follows(p, ":99")) {
		p += strlen(":99");
		if (*p == '.')
			p += 1 + strspn(p + 1, "0123456789");
	}
	if (*p == 'Z')
		return p + 1;
	if (follows(p, "+99:99") || follows(p, "-99:99"))
		return p + strlen("+99:99");
	return p;
}

/* The ':' that ends TIME, or the end of the text. */
static const char *
end_of_time(const char *time)
{
	const char *p = time;
	const char *t = time + strspn(time, "-0123456789");

	if (t != time && follows(t, "T99:99"))
		p = skip_clock(t);
	return p + strcspn(p, ":");
}

/* PATH without the '/' that people put at its ends. */
static char *
trimmed(const char *path)
{
	size_t len;

	path += strspn(path, "/");
	len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	return strndup(path, len);
}

int
snapshot_arg_parse(const char *text, struct snapshot_arg *out, struct err *err)
{
	const char *at = strchr(text, '@');
	const char *colon = strchr(text, ':');
	const char *end;

	*out = (struct snapshot_arg){0};
	if (at == NULL || (colon != NULL && colon < at))
		return err_set(err, ERR_USAGE,
		    "'%s' does not say which snapshot: DATASET@TIME, as in "
		    "'%.*s@latest'",
		    text, (int)strcspn(text, ":"), text);
	if (at == text)
		return err_set(err, ERR_USAGE,
		    "'%s' names no dataset: DATASET@TIME is wanted", text);
	end = end_of_time(at + 1);
	if (end == at + 1)
		return err_set(err, ERR_USAGE,
		    "'%s' has no time after the '@': try '%.*s@latest'", text,
		    (int)(at - text), text);
	out->dataset = strndup(text, (size_t)(at - text));
	out->time = strndup(at + 1, (size_t)(end - at - 1));
	if (*end == ':')
		out->path = trimmed(end + 1);
	if (out->dataset == NULL || out->time == NULL ||
	    (*end == ':' && out->path == NULL))
		return err_nomem(err);
	return 0;
}

void
snapshot_arg_clear(struct snapshot_arg *a)
{
	free(a->dataset);
	free(a->time);
	free(a->path);
	*a = (struct snapshot_arg){0};
}
