#include "snapshot/find/find.h"
#include "snapshot/diff/diff.h"
#include "snapshot/find/found.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD 16 /* snapshots */

struct find {
	struct found *found;
	const struct find_version **v; /* found's */
	size_t n;
};

/* A search under way. */
struct search {
	const struct find_snapshot *snapshots;
	const struct find_options *opt;
	const char *pattern;
	bool whole_path;
	struct found *found;
	size_t at; /* the snapshot at hand */
};

static bool
matches(const struct search *s, const struct diff_item *item)
{
	const char *text = item->path;
	const char *slash = memrchr(item->path, '/', item->path_len);

	/* The root has no name. */
	if (item->path_len == 0)
		return false;
	if (!s->whole_path && slash != NULL)
		text = slash + 1;
	return fnmatch(s->pattern, text, 0) == 0;
}

static int
on_item(void *arg, const struct diff_item *item, bool *descend, struct err *err)
{
	struct search *s = arg;

	*descend = true;
	if (!matches(s, item))
		return 0;
	if (item->kind == DIFF_REMOVED) {
		found_gone(s->found, item->path, item->path_len, s->at);
		return 0;
	}
	return found_there(s->found, item->path, item->path_len, item->b,
	    &s->snapshots[s->at], s->at, err);
}

static int
on_problem(
    void *arg, const char *path, size_t path_len, const struct err *problem)
{
	const struct search *s = arg;

	return s->opt->on_problem(s->opt->arg, s->at, path, path_len, problem);
}

static struct diff_side
side_of(const struct find_snapshot *snapshot)
{
	return (struct diff_side){snapshot->chunks, snapshot->root};
}

static int
compare(struct search *s, const struct diff_side *before,
    diff_problem_fn *problem_fn, struct err *err)
{
	const struct diff_side now = side_of(&s->snapshots[s->at]);
	const struct diff_options opt = {
	    .same_names = true,
	    .unread = true,
	    .on_item = on_item,
	    .on_problem = problem_fn,
	    .arg = s,
	    .stop = s->opt->stop,
	};

	return diff_run(before, &now, &opt, err);
}

/* Walk the whole tree. What isn't met there is gone. */
static int
walk_whole(struct search *s, struct err *err)
{
	const struct diff_side nothing = {0};
	int rc = compare(
	    s, &nothing, s->opt->on_problem != NULL ? on_problem : NULL, err);

	if (rc == 0)
		found_sweep(s->found, s->at);
	return rc;
}

/* Walk where the tree differs from the one before. */
static int
walk_changes(struct search *s, struct err *err)
{
	const struct diff_side before = side_of(&s->snapshots[s->at - 1]);
	int rc = compare(s, &before, NULL, err);

	if (s->opt->on_problem == NULL ||
	    (rc != ERR_CORRUPT && rc != ERR_AUTH && rc != ERR_IO))
		return rc;
	/* Damage in either: this snapshot is then searched by itself. */
	if (err != NULL)
		*err = (struct err){0};
	return walk_whole(s, err);
}

/* The root pages of snapshots to come: each lies in a pack of its own run. */
static void
fetch_ahead(const struct find_snapshot *snapshot)
{
	struct entry e;

	if (entry_decode(snapshot->root.p, snapshot->root.len, &e, NULL) == 0 &&
	    e.type == ENTRY_DIR && e.dir.entries > 0)
		chunks_prefetch(snapshot->chunks, &e.dir.root);
}

static int
search(struct search *s, size_t n, struct err *err)
{
	for (s->at = 0; s->at < n; s->at++) {
		int rc;

		if (s->at + AHEAD < n)
			fetch_ahead(&s->snapshots[s->at + AHEAD]);
		rc = s->at == 0 ? walk_whole(s, err) : walk_changes(s, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
find_run(const struct find_snapshot *snapshots, size_t n,
    const struct find_options *opt, struct find **out, struct err *err)
{
	AUTO(find) struct find *f = calloc(1, sizeof(*f));
	struct search s = {.snapshots = snapshots, .opt = opt};
	int rc;

	*out = NULL;
	if (f == NULL)
		return err_nomem(err);
	s.whole_path = strchr(opt->pattern, '/') != NULL;
	s.pattern = opt->pattern + strspn(opt->pattern, "/");
	if (*s.pattern == '\0')
		return err_set(err, ERR_USAGE, "an empty pattern");
	rc = found_new(&f->found, err);
	if (rc < 0)
		return rc;
	s.found = f->found;
	rc = search(&s, n, err);
	if (rc == 0)
		rc = found_finish(f->found, n, &f->v, &f->n, err);
	if (rc == 0)
		*out = STEAL(f);
	return rc;
}

void
find_free(struct find *f)
{
	if (f == NULL)
		return;
	free(f->v);
	found_free(f->found);
	free(f);
}

size_t
find_count(const struct find *f)
{
	return f->n;
}

const struct find_version *
find_version(const struct find *f, size_t i)
{
	return f->v[i];
}
