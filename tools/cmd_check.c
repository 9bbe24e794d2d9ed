/* varve check: whether the store is whole. */
#include "snapshot/check/check.h"
#include "snapshot/site/sitedir.h"
#include "tools/describe.h"
#include "tools/escape.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"

#include <string.h>

#define THREADS_MAX 256

struct check_args {
	struct common_args common;
	struct store_args store;
	bool read_data;
	bool no_keys;
	uint64_t threads;
};

static const struct option check_options[] = {
    {"read-data", 0, OPTION_FLAG, NULL,
	"also read, open and compare every byte", NULL,
	offsetof(struct check_args, read_data), 0, 0},
    {"no-keys", 0, OPTION_FLAG, NULL,
	"check what can be checked without a key: every object's bytes, and "
	"that none is missing",
	NULL, offsetof(struct check_args, no_keys), 0, 0},
    {"threads", 0, OPTION_NUMBER, "N",
	"work in N threads; by default one a processor", NULL,
	offsetof(struct check_args, threads), 1, THREADS_MAX},
};

static void
draw(void *arg, double seconds, char *line, size_t cap)
{
	const struct check_progress *p = arg;
	uint64_t bytes = atomic_load(&p->bytes);
	uint64_t total = atomic_load(&p->total);
	char n[OUTPUT_TEXT], done[OUTPUT_TEXT], all[OUTPUT_TEXT],
	    rate[OUTPUT_TEXT], time[OUTPUT_TEXT];

	(void)snprintf(line, cap, "%s objects, %s of %s, %s/s; %s",
	    output_count(atomic_load(&p->objects), n), output_size(bytes, done),
	    total > 0 ? output_size(total, all) : "?",
	    output_size((uint64_t)((double)bytes / seconds), rate),
	    output_duration(seconds, time));
}

/* One damage, as a line or an item of the open JSON list. */
static void
on_damage(void *arg, const char *object, const char *what, const char *affects)
{
	struct run *run = arg;

	if (run->json != NULL) {
		json_out_item(run->json,
		    json_pack("{s:o, s:o, s:o}", "object",
			json_out_name(object, strlen(object)), "what",
			json_out_name(what, strlen(what)), "affects",
			affects != NULL
			    ? json_out_name(affects, strlen(affects))
			    : json_null()));
		return;
	}
	progress_hide(run->progress);
	(void)fputs("damaged: ", stdout);
	escape_message(stdout, object);
	(void)fputs(": ", stdout);
	escape_message(stdout, what);
	if (affects != NULL) {
		(void)fputs(" (needed by ", stdout);
		escape_message(stdout, affects);
		(void)fputc(')', stdout);
	}
	(void)fputc('\n', stdout);
	progress_show(run->progress);
}

/* A check_options.on_behind. */
static void
on_behind(void *arg, const uint8_t dataset[DATASET_ID_LEN], const char *name,
    const struct log_behind *b)
{
	struct run *run = arg;
	char id[2 * DATASET_ID_LEN + 1];

	session_behind(run,
	    name != NULL ? name : output_hex(dataset, DATASET_ID_LEN, id), b);
}

/* A report is kept: it has to say what was checked, and when. */
static void
show_what(struct run *run, const struct session *s, struct moment begun)
{
	char text[FINGERPRINT_TEXT];

	root_fingerprint_text(access_root(s->access)->fingerprint, text);
	json_out_member(run->json, "fingerprint", json_string(text));
	json_out_member(run->json, "time", describe_moment(begun));
	json_out_member(run->json, "end", describe_moment(session_now()));
}

static void
show_json(struct json_out *json, const struct check_options *opt,
    const struct check_result *r)
{
	static const char *const depths[] = {
	    "no-keys", "structure", "read-data"};

	json_out_member(json, "depth", json_string(depths[opt->depth]));
	json_out_member(json, "objects", describe_u64(r->objects));
	json_out_member(json, "bytes", describe_u64(r->bytes));
	json_out_member(json, "snapshots", describe_u64(r->snapshots));
	json_out_member(json, "entries", describe_u64(r->entries));
	json_out_member(json, "chunks", describe_u64(r->chunks));
	json_out_member(json, "unreferenced", describe_u64(r->unreferenced));
	json_out_member(json, "closed", describe_u64(r->closed));
}

static void
show_text(const struct run *run, const struct check_options *opt,
    const struct check_result *r)
{
	char a[OUTPUT_THINGS], b[OUTPUT_THINGS], c[OUTPUT_THINGS];

	(void)printf("checked %s, %s",
	    output_things(r->objects, "object", "objects", a),
	    output_size(r->bytes, b));
	if (opt->depth != CHECK_NO_KEYS)
		(void)printf(": %s, %s, %s",
		    output_things(r->snapshots, "snapshot", "snapshots", a),
		    output_things(r->entries, "entry", "entries", b),
		    output_things(r->chunks, "chunk", "chunks", c));
	(void)putchar('\n');
	if (r->closed > 0)
		(void)printf("not all snapshots of %s were looked into: this "
			     "key may not open them\n",
		    output_things(r->closed, "dataset", "datasets", a));
	if (r->unreferenced > 0)
		(void)printf("%s needed by no snapshot (harmless)\n",
		    output_things(r->unreferenced, "object", "objects", a));
	if (r->behind > 0)
		(void)printf("%s behind what this machine has seen\n",
		    output_things(r->behind, "dataset", "datasets", a));
	if (r->damaged == 0 && run->damaged != NULL && *run->damaged)
		(void)puts("no damage found in the store");
	else if (r->damaged == 0)
		(void)puts("no damage found");
	else
		(void)printf("%s found\n",
		    output_things(r->damaged, "damage", "damages", a));
}

static void
show(struct run *run, const struct check_options *opt,
    const struct check_result *r)
{
	if (run->json != NULL)
		show_json(run->json, opt, r);
	else if (!run->common->quiet)
		show_text(run, opt, r);
}

/* What a site knows: without it, all else can be checked. */
static int
open_site(
    struct run *run, struct session *s, struct sitedir **out, struct err *err)
{
	const char *path = store_path(access_store(s->access));
	struct site_request request;
	struct err why;
	int r = sitedir_peek(path, &request, &why);

	if (r == 0)
		r = sitedir_open(path, out, &why);
	if (r == ERR_NOMEM)
		return err_copy(err, &why);
	if (r == ERR_CORRUPT)
		return session_pass_over(s, &why, err);
	if (r != 0 && r != ERR_NOT_FOUND)
		message_warning(run,
		    "what has arrived at this site can't be told: %s",
		    why.text);
	return 0;
}

/* A check, and when it began to look at the store. */
struct beginning {
	struct check_options *opt;
	struct moment at;
};

/* While the passphrase is asked for: see check_early.h. */
static void
begin_early(void *arg, const char *address)
{
	struct beginning *b = arg;

	b->at = session_now();
	b->opt->early = check_early_start(
	    address, b->opt->threads, b->opt->dataset != NULL);
}

static int
check(struct run *run, struct session *s, struct check_options *opt,
    struct moment begun, struct err *err)
{
	AUTO(sitedir) struct sitedir *site = NULL;
	struct check_progress progress = {0};
	struct check_result result = {0};
	const struct dataset *ds;
	int r = 0;

	if (opt->dataset != NULL &&
	    (r = session_dataset(s, opt->dataset, &ds, err)) != 0)
		return r;
	r = open_site(run, s, &site, err);
	if (r != 0)
		return r;
	opt->site = site != NULL ? sitedir_db(site) : NULL;
	opt->progress = &progress;
	if (run->json != NULL)
		json_out_list(run->json, "damage");
	if (!run->common->quiet && progress_wanted())
		r = progress_start(draw, &progress, &run->progress, err);
	if (r == 0)
		r = check_run(s->access, s->heads, opt, &result, err);
	progress_stop(STEAL(run->progress));
	if (r != 0)
		return r;
	if (run->json != NULL)
		show_what(run, s, begun);
	show(run, opt, &result);
	return result.damaged > 0 ? EXIT_DAMAGE : EXIT_DONE;
}

static int
check_without_keys(struct run *run, const struct check_args *args,
    struct check_options *opt, struct err *err)
{
	AUTO(session) struct session *s = NULL;
	int r = session_open_keyless(run, &args->store, &s, err);

	return r != 0 ? r : check(run, s, opt, session_now(), err);
}

static int
check_with_keys(struct run *run, const struct check_args *args,
    struct check_options *opt, struct err *err)
{
	AUTO(session) struct session *s = NULL;
	struct beginning b = {.opt = opt};
	const struct meanwhile m = {.asking = begin_early, .arg = &b};
	int r = session_open_meanwhile(run, &args->store, NULL, 0,
	    opt->depth == CHECK_READ_DATA ? &m : NULL, &s, err);

	if (r == 0)
		r = check(run, s, opt,
		    opt->early != NULL ? b.at : session_now(), err);
	check_early_free(opt->early);
	return r;
}

static int
check_command(struct run *run, void *values, struct err *err)
{
	const struct check_args *args = values;
	const struct operands *o = &args->common.operands;
	struct check_options opt = {
	    .depth = CHECK_STRUCTURE,
	    .dataset = o->n > 0 ? o->v[0] : NULL,
	    .threads = (unsigned)args->threads,
	    .stop = run->stop,
	    .on_damage = on_damage,
	    .on_behind = on_behind,
	    .arg = run,
	};

	if (args->read_data && args->no_keys)
		return err_set(err, ERR_USAGE,
		    "--read-data needs keys: --no-keys reads every byte too, "
		    "but opens none");
	if (args->no_keys && opt.dataset != NULL)
		return err_set(err, ERR_USAGE,
		    "without keys no dataset has a name: leave DATASET out");
	if (args->no_keys) {
		opt.depth = CHECK_NO_KEYS;
		return check_without_keys(run, args, &opt, err);
	}
	if (args->read_data)
		opt.depth = CHECK_READ_DATA;
	return check_with_keys(run, args, &opt, err);
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", check_options, 0),
    STORE_GROUP(offsetof(struct check_args, store)),
    KEY_GROUP(offsetof(struct check_args, store)),
    PASSPHRASE_GROUP(offsetof(struct check_args, store)),
    COMMON_GROUP,
};

const struct command cmd_check = {
    .name = "check",
    .summary = "check whether the store is whole",
    .about = "Check the store, or one dataset of it: signatures, logs, "
	     "indexes, directories, and\nthat every chunk is where it "
	     "should be. Exit status 3 when something is damaged.",
    .operands = {"[DATASET]"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct check_args),
    .run = check_command,
};
