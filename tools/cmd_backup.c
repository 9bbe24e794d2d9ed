/* varve backup: a source becomes a snapshot. */
#include "snapshot/backup/early.h"
#include "snapshot/log/when.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/patterns.h"
#include "tools/session.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define THREADS_MAX 256

struct backup_args {
	struct common_args common;
	struct store_args store;
	bool full;
	bool cross_filesystems;
	bool exclude_caches;
	struct option_list exclude; /* of both options, in order */
	const char *exec;
	const char *name;
	const char *host;
	uint64_t threads;
};

static const struct option backup_options[] = {
    {"full", 0, OPTION_FLAG, NULL,
	"read every file again, also those that seem unchanged", NULL,
	offsetof(struct backup_args, full), 0, 0},
    {"exclude", 0, OPTION_LIST, "PATTERN",
	"leave out what matches, as in gitignore(5); may be repeated", NULL,
	offsetof(struct backup_args, exclude), 0, 0},
    {"exclude-file", 0, OPTION_LIST, "FILE",
	"take patterns from FILE, one a line; may be repeated", NULL,
	offsetof(struct backup_args, exclude), 0, 0},
    {"exclude-caches", 0, OPTION_FLAG, NULL,
	"leave out what is in a directory with a CACHEDIR.TAG", NULL,
	offsetof(struct backup_args, exclude_caches), 0, 0},
    {"cross-filesystems", 0, OPTION_FLAG, NULL,
	"go into other filesystems below the source", NULL,
	offsetof(struct backup_args, cross_filesystems), 0, 0},
    {"exec", 0, OPTION_TEXT, "COMMAND",
	"back up what COMMAND prints, instead of a source; when it fails, "
	"there is no snapshot",
	NULL, offsetof(struct backup_args, exec), 0, 0},
    {"name", 0, OPTION_TEXT, "NAME",
	"with --exec: the name of the file that holds it", NULL,
	offsetof(struct backup_args, name), 0, 0},
    {"host", 0, OPTION_TEXT, "NAME",
	"record this as the host's name, not the machine's own", NULL,
	offsetof(struct backup_args, host), 0, 0},
    {"threads", 0, OPTION_NUMBER, "N",
	"work in N threads; by default one a processor", NULL,
	offsetof(struct backup_args, threads), 1, THREADS_MAX},
};

/* --- while it runs ------------------------------------------------------ */

static void
draw(void *arg, double seconds, char *line, size_t cap)
{
	const struct backup_progress *p = arg;
	uint64_t read = atomic_load(&p->read);
	char files[OUTPUT_TEXT], bytes[OUTPUT_TEXT], got[OUTPUT_TEXT],
	    rate[OUTPUT_TEXT], time[OUTPUT_TEXT];

	(void)snprintf(line, cap, "%s files, %s; read %s, %s/s; %s",
	    output_count(atomic_load(&p->files), files),
	    output_size(atomic_load(&p->bytes), bytes), output_size(read, got),
	    output_size((uint64_t)((double)read / seconds), rate),
	    output_duration(seconds, time));
}

/* Why it could not be read. */
static const char *
describe_errno(int errnum)
{
	const char *why = errnum != 0 ? strerrordesc_np(errnum) : NULL;

	/* The system's words would have one try again, which was done. */
	if (errnum == EWOULDBLOCK)
		return "another program has a lease on it, and did not give it "
		       "back";
	return why != NULL ? why : "unknown error";
}

static void
on_problem(void *arg, enum backup_problem what, const char *path, int errnum)
{
	const struct run *run = arg;

	switch (what) {
	case BACKUP_UNREADABLE:
		message_problem(
		    run, "cannot read '%s': %s", path, describe_errno(errnum));
		break;
	case BACKUP_CHANGED:
		message_problem(run, "'%s' changed while it was read", path);
		break;
	case BACKUP_VANISHED:
		message_note(run, "'%s' vanished before it was read", path);
		break;
	}
}

/* --- what it was -------------------------------------------------------- */

static double
seconds_between(struct moment from, struct moment to)
{
	return (double)(to.s - from.s) +
	       ((double)to.ns - (double)from.ns) / 1e9;
}

static void
show_problems(const struct backup_result *r)
{
	char n[OUTPUT_THINGS];

	if (r->unreadable > 0)
		(void)printf("  %s could not be read\n",
		    output_things(r->unreadable, "entry", "entries", n));
	if (r->changed > 0)
		(void)printf("  %s changed while being read\n",
		    output_things(r->changed, "file", "files", n));
	if (r->elsewhere > 0)
		(void)printf("  %s on other filesystems left out (see "
			     "--cross-filesystems)\n",
		    output_things(r->elsewhere, "directory", "directories", n));
	if (r->met_store)
		(void)printf("  the store itself, in this source, left out\n");
	if (r->vanished > 0)
		(void)printf("  %s vanished before being read\n",
		    output_things(r->vanished, "entry", "entries", n));
}

static void
show_text(const struct backup_result *r, const char *dataset)
{
	const struct snapshot *s = r->snapshot;
	char time[WHEN_NAME_TEXT], id[2 * OBJECT_NAME_LEN + 1];
	char files[OUTPUT_THINGS], dirs[OUTPUT_THINGS], a[OUTPUT_TEXT],
	    b[OUTPUT_TEXT];

	/* Perhaps by a slip of the fingers. */
	if (r->created_dataset)
		(void)printf("made dataset '%s'\n", dataset);
	(void)printf("%s@%s  %s, snapshot %.*s\n", dataset,
	    when_name(r->log, s, time), describe_kind(s->kind), OUTPUT_ID,
	    output_hex(s->id, OBJECT_NAME_LEN, id));
	(void)printf("  %s in %s, %s; %s unchanged\n",
	    output_things(s->totals.files, "file", "files", files),
	    output_things(s->totals.dirs, "directory", "directories", dirs),
	    output_size(s->totals.bytes, a), output_count(r->unchanged, b));
	(void)printf("  added %s, stored as %s, in %s\n",
	    output_size(s->added_bytes, a), output_size(s->added_stored, b),
	    output_duration(seconds_between(s->time, s->end), files));
	show_problems(r);
}

static void
show_json(
    struct json_out *o, const struct backup_result *r, const char *dataset)
{
	json_out_member(o, "snapshot", describe_snapshot(r->snapshot, dataset));
	json_out_member(o, "created_dataset", json_boolean(r->created_dataset));
	json_out_member(o, "unchanged", describe_u64(r->unchanged));
	json_out_member(o, "lost", describe_u64(r->lost));
	json_out_member(o, "vanished", describe_u64(r->vanished));
	json_out_member(
	    o, "record_missing", json_boolean(log_gap(r->log) != NULL));
	json_out_member(o, "other_filesystems", describe_u64(r->elsewhere));
	json_out_member(o, "store_left_out", json_boolean(r->met_store));
}

/* --- the command -------------------------------------------------------- */

static int
collect_patterns(
    const struct option_list *list, struct patterns *p, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct option_item *it = &list->items[i];
		int r;

		if (strcmp(it->option->name, "exclude-file") == 0)
			r = patterns_read(p, it->text, err);
		else
			r = patterns_add(p, it->text, strlen(it->text), err);
		if (r != 0)
			return r;
	}
	return 0;
}

static int
check_args(const struct backup_args *args, struct err *err)
{
	bool source = args->common.operands.n > 1;

	if (source && args->exec != NULL)
		return err_set(
		    err, ERR_USAGE, "a SOURCE and --exec exclude each other");
	if (!source && args->exec == NULL)
		return err_set(err, ERR_USAGE,
		    "SOURCE is missing (or --exec COMMAND --name NAME)");
	if ((args->exec == NULL) != (args->name == NULL))
		return err_set(err, ERR_USAGE, "--exec and --name go together");
	if (!source && (args->exclude.n > 0 || args->exclude_caches ||
			   args->cross_filesystems))
		return err_set(err, ERR_USAGE,
		    "--exclude, --exclude-file, --exclude-caches and"
		    " --cross-filesystems are for a SOURCE, not for --exec");
	return 0;
}

/* Nobody may look at what a timer's backups print otherwise. */
static void
tell_of_earlier(const struct run *run, const struct backup_result *r)
{
	char n[OUTPUT_THINGS];

	if (log_gap(r->log) != NULL)
		message_problem(run,
		    "this snapshot is whole, but one before it may be missing "
		    "(see 'varve check'): %s",
		    log_gap(r->log)->text);
	if (r->lost > 0)
		message_problem(run,
		    "%s of earlier snapshots can't be used: every file was "
		    "read, and this snapshot is whole; 'varve check' says what "
		    "is damaged",
		    output_things(r->lost, "object", "objects", n));
}

static int
run_and_show(struct run *run, struct session *s,
    const struct backup_options *opt, struct err *err)
{
	struct backup_result result = {0};
	int r = 0;

	if (!run->common->quiet && progress_wanted())
		r = progress_start(draw, opt->progress, &run->progress, err);
	if (r == 0)
		r = backup_run(s->access, s->heads, opt, &result, err);
	progress_stop(STEAL(run->progress));
	if (r == ERR_CANCELLED)
		(void)err_set(err, ERR_CANCELLED,
		    "stopped; what was stored will not be stored again");
	if (r == 0) {
		if (run->json != NULL)
			show_json(run->json, &result, opt->dataset);
		else if (!run->common->quiet)
			show_text(&result, opt->dataset);
		tell_of_earlier(run, &result);
		r = result.unreadable > 0 ? EXIT_PARTIAL : EXIT_DONE;
	}
	backup_result_clear(&result);
	return r;
}

/* For session_open_meanwhile(). */
struct beginning {
	struct backup_options *opt;
	const struct store_args *store;
};

static void
begin_early(void *arg)
{
	const struct beginning *b = arg;
	const char *address;

	if (session_address(b->store, &address, NULL) == 0)
		b->opt->early = backup_early_start(b->opt, address);
}

static int
open_and_run(struct run *run, const struct backup_args *args,
    struct backup_options *opt, struct err *err)
{
	AUTO(session) struct session *session = NULL;
	struct beginning beginning = {.opt = opt, .store = &args->store};
	const struct meanwhile m = {.given = begin_early, .arg = &beginning};
	int r = session_open_meanwhile(
	    run, &args->store, &opt->dataset, 1, &m, &session, err);

	if (r == 0) {
		opt->state_dir = session->state_dir;
		r = run_and_show(run, session, opt, err);
	}
	backup_early_free(STEAL(opt->early));
	return r;
}

static int
backup_command(struct run *run, void *values, struct err *err)
{
	const struct backup_args *args = values;
	const struct operands *o = &args->common.operands;
	PATTERNS_AUTO struct patterns patterns = {0};
	struct backup_progress progress = {0};
	struct backup_options opt = {
	    .dataset = o->v[0],
	    .source = o->n > 1 ? o->v[1] : NULL,
	    .exec = args->exec,
	    .exec_name = args->name,
	    .full = args->full,
	    .cross_filesystems = args->cross_filesystems,
	    .exclude_caches = args->exclude_caches,
	    .host = args->host,
	    .program = "varve " VARVE_VERSION,
	    .threads = (unsigned)args->threads,
	    .stop = run->stop,
	    .progress = &progress,
	    .on_problem = on_problem,
	    .arg = run,
	};
	int r = check_args(args, err);

	if (r == 0)
		r = collect_patterns(&args->exclude, &patterns, err);
	if (r != 0)
		return r;
	opt.excludes = (const char *const *)patterns.v;
	opt.nexcludes = patterns.n;
	return open_and_run(run, args, &opt, err);
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", backup_options, 0),
    STORE_GROUP(offsetof(struct backup_args, store)),
    KEY_GROUP(offsetof(struct backup_args, store)),
    PASSPHRASE_GROUP(offsetof(struct backup_args, store)),
    COMMON_GROUP,
};

const struct command cmd_backup = {
    .name = "backup",
    .summary = "back a directory, a file or a device up",
    .about = "Back SOURCE, a directory, a file or a block device, up as a "
	     "new snapshot of\nDATASET. A dataset that is not there yet "
	     "is made. Files that can't be read are\nnamed, the rest is "
	     "backed up, and the exit status is 4.",
    .operands = {"DATASET", "[SOURCE]"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct backup_args),
    .run = backup_command,
};
