/* varve find: every version of matching files, over all snapshots. */
#include "snapshot/find/find.h"
#include "snapshot/log/when.h"
#include "tools/describe.h"
#include "tools/escape.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/table.h"

#include <stdlib.h>
#include <string.h>

struct find_args {
	struct common_args common;
	struct store_args store;
};

/* A search while it runs, over one dataset after the other. */
struct searching {
	struct run *run;
	struct session *session;
	const char *pattern;
	const struct log *log; /* of the dataset at hand */
	struct table table;
	uint64_t versions, problems;
	_Atomic uint64_t datasets; /* searched; for the progress line */
};

static void
draw(void *arg, double seconds, char *line, size_t cap)
{
	const struct searching *s = arg;
	char n[OUTPUT_TEXT], time[OUTPUT_TEXT];

	(void)snprintf(line, cap, "searching: %s datasets done; %s",
	    output_count(atomic_load(&s->datasets), n),
	    output_duration(seconds, time));
}

static int
on_problem(void *arg, size_t at, const char *path, UNUSED size_t path_len,
    const struct err *problem)
{
	struct searching *s = arg;
	char time[WHEN_NAME_TEXT];

	s->problems++;
	message_problem(s->run, "cannot search '%s' in %s@%s: %s", path,
	    log_dataset(s->log)->name,
	    when_name(s->log, log_snapshot(s->log, at), time), problem->text);
	return 0;
}

/* --- one version --------------------------------------------------------- */

static void
version_row(struct searching *s, const struct find_version *v)
{
	const char *dataset = log_dataset(s->log)->name;
	char from[WHEN_NAME_TEXT], to[WHEN_NAME_TEXT], mtime[OUTPUT_TIME];
	char count[OUTPUT_TEXT], size[OUTPUT_TEXT] = "-";
	char *name = malloc(strlen(dataset) + 3 + ESCAPE_ROOM(v->path_len));
	const char *cells[] = {from, to, count, size, mtime, name};
	char *p;

	if (name == NULL) {
		s->table.failed = true;
		return;
	}
	p = stpcpy(stpcpy(name, dataset), ":");
	p += escape_name(v->path, v->path_len, p);
	if (v->e.type == ENTRY_DIR)
		(void)stpcpy(p, "/");
	if (v->e.type == ENTRY_FILE)
		(void)output_size(v->e.size, size);
	(void)when_name(s->log, log_snapshot(s->log, v->first), from);
	(void)when_name(s->log, log_snapshot(s->log, v->last), to);
	(void)output_time((struct moment){v->e.mtime, 0}, mtime);
	(void)output_count(v->last - v->first + 1, count);
	table_row(&s->table, cells);
	free(name);
}

static json_t *
version_json(const struct searching *s, const struct find_version *v)
{
	const struct snapshot *first = log_snapshot(s->log, v->first);
	const struct snapshot *last = log_snapshot(s->log, v->last);
	struct moment mtime = {v->e.mtime, v->e.mtime_ns};
	char id[2][2 * OBJECT_NAME_LEN + 1];

	return json_pack(
	    "{s:s, s:o, s:s, s:o, s:o, s:i, s:I, s:I, s:s, s:o, s:s, s:o, "
	    "s:I}",
	    "dataset", log_dataset(s->log)->name, "path",
	    json_out_name(v->path, v->path_len), "type",
	    describe_type(v->e.type), "size",
	    v->e.type == ENTRY_FILE ? describe_u64(v->e.size) : json_null(),
	    "mtime", describe_moment(mtime), "mode", (int)v->e.mode, "uid",
	    (json_int_t)v->e.uid, "gid", (json_int_t)v->e.gid, "first",
	    output_hex(first->id, OBJECT_NAME_LEN, id[0]), "first_time",
	    describe_moment(first->time), "last",
	    output_hex(last->id, OBJECT_NAME_LEN, id[1]), "last_time",
	    describe_moment(last->time), "snapshots",
	    (json_int_t)(v->last - v->first + 1));
}

static void
show_versions(struct searching *s, const struct find *f)
{
	for (size_t i = 0; i < find_count(f); i++) {
		if (s->run->json != NULL)
			json_out_item(
			    s->run->json, version_json(s, find_version(f, i)));
		else
			version_row(s, find_version(f, i));
	}
	s->versions += find_count(f);
}

/* --- a dataset, and all of them ------------------------------------------ */

static int
search_log(struct searching *s, struct chunks *chunks, struct err *err)
{
	size_t n = log_count(s->log);
	struct find_snapshot *snapshots = calloc(n, sizeof(*snapshots));
	const struct find_options opt = {
	    .pattern = s->pattern,
	    .on_problem = on_problem,
	    .arg = s,
	    .stop = s->run->stop,
	};
	AUTO(find) struct find *f = NULL;
	int r;

	if (snapshots == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct snapshot *snap = log_snapshot(s->log, i);

		snapshots[i].chunks = chunks;
		snapshots[i].root = (struct span){snap->root, snap->root_len};
	}
	r = find_run(snapshots, n, &opt, &f, err);
	if (r == 0)
		show_versions(s, f);
	free(snapshots);
	return r;
}

static int
search_dataset(struct searching *s, const char *dataset, struct err *err)
{
	AUTO(log) struct log *l = NULL;
	READING_AUTO struct reading reading = {0};
	int r = session_log(s->session, dataset, &l, err);

	if (r == 0)
		r = session_chunks(s->session, l, &reading, err);
	if (r != 0)
		return r;
	s->log = l;
	r = log_count(l) > 0 ? search_log(s, reading.chunks, err) : 0;
	s->log = NULL;
	atomic_fetch_add(&s->datasets, 1);
	return r;
}

static int
search_all(struct searching *s, struct err *err)
{
	const struct access *a = s->session->access;
	int may = session_may_read(s->session, NULL, err);

	if (may != 0)
		return may;
	for (size_t i = 0; i < access_datasets(a); i++) {
		const struct dataset *ds = access_dataset(a, i);
		struct err why;
		int r;

		if (!ds->may_read) {
			message_note(s->run,
			    "passed over '%s': this key may not open it",
			    ds->name);
			continue;
		}
		if (search_dataset(s, ds->name, &why) != 0 &&
		    (r = session_pass_over(s->session, &why, err)) != 0)
			return r;
	}
	return 0;
}

static int
search(struct searching *s, const char *dataset, struct err *err)
{
	struct run *run = s->run;
	int r = 0;

	if (run->json != NULL)
		json_out_list(run->json, "versions");
	if (!run->common->quiet && progress_wanted())
		r = progress_start(draw, s, &run->progress, err);
	if (r == 0)
		r = dataset != NULL ? search_dataset(s, dataset, err)
				    : search_all(s, err);
	progress_stop(STEAL(run->progress));
	if (r != 0)
		return r;
	if (s->versions == 0)
		message_result(run, "nothing matches '%s'", s->pattern);
	else if (run->json == NULL)
		r = table_print(&s->table, !run->common->quiet, stdout, err);
	if (r != 0)
		return r;
	return s->problems > 0 ? EXIT_DAMAGE : EXIT_DONE;
}

static int
find_command(struct run *run, void *values, struct err *err)
{
	const struct find_args *args = values;
	const struct operands *o = &args->common.operands;
	AUTO(session) struct session *session = NULL;
	struct searching s = {
	    .run = run,
	    .pattern = o->v[0],
	    .table =
		{
		    .ncolumns = 6,
		    .titles = {"FROM", "TO", "SNAPSHOTS", "SIZE", "MODIFIED",
			"DATASET:PATH"},
		    .right = {false, false, true, true, false, false},
		},
	};
	const char *dataset = o->n > 1 ? o->v[1] : NULL;
	int r = session_open_for(run, &args->store, &dataset, 1, &session, err);

	if (r != 0)
		return r;
	s.session = session;
	r = search(&s, dataset, err);
	table_clear(&s.table);
	return r;
}

static const struct option_group groups[] = {
    STORE_GROUP(offsetof(struct find_args, store)),
    KEY_GROUP(offsetof(struct find_args, store)),
    PASSPHRASE_GROUP(offsetof(struct find_args, store)),
    COMMON_GROUP,
};

const struct command cmd_find = {
    .name = "find",
    .summary = "every version of matching files, over all snapshots",
    .about = "Find every version of the files whose names match PATTERN, a "
	     "shell pattern, in\nall snapshots of all datasets, or of "
	     "DATASET. A PATTERN with a '/' is for the\nwhole path.",
    .operands = {"PATTERN", "[DATASET]"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct find_args),
    .run = find_command,
};
