/* varve restore: copy out of a snapshot. */
#include "snapshot/log/when.h"
#include "snapshot/restore/restore.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"

#define THREADS_MAX 256

struct restore_args {
	struct common_args common;
	struct store_args store;
	bool no_owner;
	bool numeric_ids;
	uint64_t threads;
};

static const struct option restore_options[] = {
    {"no-owner", 0, OPTION_FLAG, NULL,
	"do not set owners; only root can anyway", NULL,
	offsetof(struct restore_args, no_owner), 0, 0},
    {"numeric-ids", 0, OPTION_FLAG, NULL,
	"set owners by number, without looking their names up", NULL,
	offsetof(struct restore_args, numeric_ids), 0, 0},
    {"threads", 0, OPTION_NUMBER, "N",
	"work in N threads; by default one a processor", NULL,
	offsetof(struct restore_args, threads), 1, THREADS_MAX},
};

/* What the progress line is drawn from. */
struct drawing {
	struct restore_progress progress;
	uint64_t bytes; /* in all; 0: not known */
};

static void
draw(void *arg, double seconds, char *line, size_t cap)
{
	const struct drawing *d = arg;
	uint64_t done = atomic_load(&d->progress.bytes);
	char n[OUTPUT_TEXT], bytes[OUTPUT_TEXT], all[OUTPUT_TEXT],
	    rate[OUTPUT_TEXT], time[OUTPUT_TEXT];

	(void)snprintf(line, cap, "%s entries, %s of %s, %s/s; %s",
	    output_count(atomic_load(&d->progress.entries), n),
	    output_size(done, bytes),
	    d->bytes > 0 ? output_size(d->bytes, all) : "?",
	    output_size((uint64_t)((double)done / seconds), rate),
	    output_duration(seconds, time));
}

static void
on_problem(void *arg, const char *path, const struct err *why)
{
	message_problem(
	    arg, "cannot restore '%s' as it was: %s", path, why->text);
}

static void
show(struct run *run, const struct opened *o, const struct snapshot_arg *arg,
    const char *target, const struct restore_result *r)
{
	char a[OUTPUT_THINGS], b[OUTPUT_THINGS], c[OUTPUT_TEXT];
	char t[WHEN_NAME_TEXT];

	if (run->json != NULL) {
		json_out_member(run->json, "snapshot",
		    describe_snapshot(o->snapshot, arg->dataset));
		json_out_member(run->json, "files", describe_u64(r->files));
		json_out_member(
		    run->json, "directories", describe_u64(r->dirs));
		json_out_member(run->json, "others", describe_u64(r->others));
		json_out_member(run->json, "bytes", describe_u64(r->bytes));
		json_out_member(run->json, "failed", describe_u64(r->failed));
		return;
	}
	if (run->common->quiet)
		return;
	(void)printf("%s@%s restored to '%s'\n", arg->dataset,
	    when_name(o->log, o->snapshot, t), target);
	(void)printf("  %s, %s, %s\n",
	    output_things(r->files, "file", "files", a),
	    output_things(r->dirs, "directory", "directories", b),
	    output_size(r->bytes, c));
	if (r->failed > 0)
		(void)printf("  %s could not be restored as before\n",
		    output_things(r->failed, "entry", "entries", a));
}

static int
restore(struct run *run, const struct opened *o,
    const struct restore_options *opt, uint64_t bytes,
    struct restore_result *result, struct err *err)
{
	struct drawing d = {.bytes = bytes};
	struct restore_options with_progress = *opt;
	int r = 0;

	with_progress.progress = &d.progress;
	if (!run->common->quiet && progress_wanted())
		r = progress_start(draw, &d, &run->progress, err);
	if (r == 0)
		r = restore_run(
		    o->chunks, o->snapshot, &with_progress, result, err);
	progress_stop(STEAL(run->progress));
	if (r == ERR_CANCELLED)
		return err_set(err, ERR_CANCELLED,
		    "stopped; '%s' holds a part only", opt->target);
	return r;
}

static int
parse_args(
    const struct restore_args *args, struct snapshot_arg *arg, struct err *err)
{
	if (args->no_owner && args->numeric_ids)
		return err_set(err, ERR_USAGE,
		    "--no-owner and --numeric-ids exclude each other: no "
		    "owners, or owners by number?");
	return snapshot_arg_parse(args->common.operands.v[0], arg, err);
}

static int
restore_command(struct run *run, void *values, struct err *err)
{
	const struct restore_args *args = values;
	const char *target = args->common.operands.v[1];
	SNAPSHOT_ARG_AUTO struct snapshot_arg arg = {0};
	AUTO(session) struct session *s = NULL;
	AUTO(opened) struct opened *o = NULL;
	struct restore_result result = {0};
	struct restore_options opt = {
	    .target = target,
	    .no_owner = args->no_owner,
	    .numeric_ids = args->numeric_ids,
	    .threads = (unsigned)args->threads,
	    .stop = run->stop,
	    .on_problem = on_problem,
	    .arg = run,
	};
	int r = parse_args(args, &arg, err);

	if (r == 0)
		r = session_open_for(run, &args->store,
		    (const char *const[]){arg.dataset}, 1, &s, err);
	if (r == 0)
		r = session_snapshot(s, &arg, &o, err);
	if (r != 0)
		return r;
	opt.path = arg.path;
	r = restore(run, o, &opt,
	    arg.path == NULL ? o->snapshot->totals.bytes : 0, &result, err);
	if (r != 0)
		return r;
	show(run, o, &arg, target, &result);
	if (result.damaged)
		return EXIT_DAMAGE;
	return result.failed > 0 ? EXIT_PARTIAL : EXIT_DONE;
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", restore_options, 0),
    STORE_GROUP(offsetof(struct restore_args, store)),
    KEY_GROUP(offsetof(struct restore_args, store)),
    PASSPHRASE_GROUP(offsetof(struct restore_args, store)),
    COMMON_GROUP,
};

const struct command cmd_restore = {
    .name = "restore",
    .summary = "copy a snapshot, or a part of it, out",
    .about = "Copy a snapshot, or the file or directory PATH in it, to "
	     "TARGET, with all\nmetadata. A directory becomes TARGET, "
	     "which must be missing or empty; a file\nbecomes TARGET, or "
	     "goes into it where TARGET is a directory. Nothing that is\n"
	     "there is overwritten.",
    .operands = {"DATASET@TIME[:PATH]", "TARGET"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct restore_args),
    .run = restore_command,
};
