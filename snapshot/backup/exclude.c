#include "snapshot/backup/exclude.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct rule {
	char **parts; /* the pattern, split at '/' */
	size_t n;
	bool negated;
	bool dirs_only;
	bool anchored; /* tied to the root; else: the name at any depth */
};

struct exclude {
	struct rule *rules;
	size_t n;
};

int
exclude_new(struct exclude **out, struct err *err)
{
	*out = calloc(1, sizeof(**out));
	return *out == NULL ? err_nomem(err) : 0;
}

static void
rule_clear(struct rule *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->parts[i]);
	free(r->parts);
	memset(r, 0, sizeof(*r));
}

void
exclude_free(struct exclude *ex)
{
	if (ex == NULL)
		return;
	for (size_t i = 0; i < ex->n; i++)
		rule_clear(&ex->rules[i]);
	free(ex->rules);
	free(ex);
}

/* Split ${len} bytes at '/'; empty parts ("a//b") can never match. */
static int
rule_split(struct rule *r, const char *pattern, size_t len, struct err *err)
{
	size_t most = 1, start = 0;

	for (size_t i = 0; i < len; i++)
		most += pattern[i] == '/';
	r->parts = calloc(most, sizeof(*r->parts));
	if (r->parts == NULL)
		return err_nomem(err);
	for (size_t i = 0; i <= len; i++) {
		if (i < len && pattern[i] != '/')
			continue;
		if (i == start)
			return err_set(err, ERR_USAGE,
			    "exclude pattern '%s' has an empty part", pattern);
		r->parts[r->n] = strndup(pattern + start, i - start);
		if (r->parts[r->n] == NULL)
			return err_nomem(err);
		r->n++;
		start = i + 1;
	}
	return 0;
}

static int
rule_parse(struct rule *r, const char *pattern, struct err *err)
{
	const char *p = pattern;
	size_t len;

	if (*p == '!') {
		r->negated = true;
		p++;
	} else if (p[0] == '\\' && (p[1] == '!' || p[1] == '#')) {
		p++;
	}
	len = strlen(p);
	if (len > 0 && p[len - 1] == '/') {
		r->dirs_only = true;
		len--;
	}
	r->anchored = memchr(p, '/', len) != NULL;
	if (len > 0 && *p == '/') {
		p++;
		len--;
	}
	if (len == 0)
		return err_set(err, ERR_USAGE,
		    "exclude pattern '%s' matches nothing", pattern);
	return rule_split(r, p, len, err);
}

int
exclude_add(struct exclude *ex, const char *pattern, struct err *err)
{
	struct rule rule = {0};
	struct rule *rules;
	int ret;

	if ((ret = rule_parse(&rule, pattern, err)) != 0) {
		rule_clear(&rule);
		return ret;
	}
	rules = realloc(ex->rules, (ex->n + 1) * sizeof(*rules));
	if (rules == NULL) {
		rule_clear(&rule);
		return err_nomem(err);
	}
	ex->rules = rules;
	rules[ex->n++] = rule;
	return 0;
}

static bool
part_matches(const char *pattern, const char *name, size_t len)
{
	char buf[1024];

	if (len >= sizeof(buf))
		return false;
	memcpy(buf, name, len);
	buf[len] = '\0';
	return fnmatch(pattern, buf, 0) == 0;
}

/*
 * Whether parts ${i}.. match all of ${path}. Only '**' branches, and a run of
 * them is one; the depth is bounded by the pattern's parts.
 */
static bool
parts_match(const struct rule *r, size_t i, const char *path)
{
	for (; i < r->n; i++) {
		const char *slash = strchr(path, '/');
		size_t len =
		    slash != NULL ? (size_t)(slash - path) : strlen(path);

		if (strcmp(r->parts[i], "**") == 0) {
			while (
			    i + 1 < r->n && strcmp(r->parts[i + 1], "**") == 0)
				i++;
			if (i + 1 == r->n)
				return *path != '\0';
			for (;; path = slash + 1) {
				if (parts_match(r, i + 1, path))
					return true;
				if ((slash = strchr(path, '/')) == NULL)
					return false;
			}
		}
		if (len == 0 || !part_matches(r->parts[i], path, len))
			return false;
		path += len;
		if (*path == '/')
			path++;
		else
			return i + 1 == r->n;
	}
	return *path == '\0';
}

static bool
rule_matches(const struct rule *r, const char *path, bool is_dir)
{
	const char *base = strrchr(path, '/');

	if (r->dirs_only && !is_dir)
		return false;
	if (r->anchored)
		return parts_match(r, 0, path);
	base = base != NULL ? base + 1 : path;
	return part_matches(r->parts[0], base, strlen(base));
}

bool
exclude_match(const struct exclude *ex, const char *path, bool is_dir)
{
	for (size_t i = ex->n; i > 0; i--) {
		if (rule_matches(&ex->rules[i - 1], path, is_dir))
			return !ex->rules[i - 1].negated;
	}
	return false;
}
