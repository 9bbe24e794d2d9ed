/* varve promote: make a replica the primary. */
#include "snapshot/log/when.h"
#include "snapshot/site/promote.h"
#include "snapshot/site/sitedir.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"

#include <string.h>

struct promote_args {
	struct common_args common;
	struct store_args store;
	bool dry_run;
	bool up_to_readable;
};

static const struct option promote_options[] = {
    {"dry-run", 0, OPTION_FLAG, NULL,
	"only show what each dataset has here, and what it lacks", NULL,
	offsetof(struct promote_args, dry_run), 0, 0},
    {"up-to-readable", 0, OPTION_FLAG, NULL,
	"move what is behind a log's newest readable record aside", NULL,
	offsetof(struct promote_args, up_to_readable), 0, 0},
};

/* One run of the command. */
struct promoting {
	struct run *run;
	bool dry_run;
	uint64_t left; /* datasets that could not be taken over */
};

static void
show_json(const struct promoting *x, const struct promoted *p)
{
	const struct snapshot *head = p->log != NULL ? log_head(p->log) : NULL;

	json_out_item(x->run->json,
	    json_pack("{s:s, s:o, s:o, s:b, s:o, s:o, s:o}", "dataset",
		p->dataset->name, "snapshots",
		describe_u64(p->log != NULL ? log_count(p->log) : 0), "newest",
		head != NULL ? describe_moment(head->time) : json_null(),
		"promoted", p->why == NULL && !x->dry_run, "why",
		p->why != NULL
		    ? json_out_name(p->why->text, strlen(p->why->text))
		    : json_null(),
		"moved", describe_u64(p->moved), "aside",
		p->moved > 0 ? json_string(p->aside) : json_null()));
}

/* What each dataset has come to the disaster with: the recovery point. */
static void
show_text(const struct promoted *p)
{
	const struct snapshot *head = log_head(p->log);
	const struct log_behind *behind = log_behind(p->log);
	char count[OUTPUT_THINGS], time[WHEN_NAME_TEXT];

	(void)printf("'%s': %s", p->dataset->name,
	    output_things(log_count(p->log), "snapshot", "snapshots", count));
	if (head != NULL)
		(void)printf(
		    ", the newest of %s", when_name(p->log, head, time));
	if (behind != NULL)
		(void)printf("; without %s that this machine has seen",
		    output_things(behind->seen - behind->shown, "record",
			"records", count));
	if (p->moved > 0)
		(void)printf("; %s moved to '%s'",
		    output_things(p->moved, "record", "records", count),
		    p->aside);
	(void)putchar('\n');
}

/* A promote_fn. */
static int
show_dataset(void *arg, const struct promoted *p, UNUSED struct err *err)
{
	struct promoting *x = arg;

	/* Also where it fell behind only after it was told. */
	if (p->log != NULL && log_behind(p->log) != NULL)
		session_behind(x->run, p->dataset->name, log_behind(p->log));
	if (x->run->json != NULL)
		show_json(x, p);
	else if (p->why == NULL && message_summary(x->run))
		show_text(p);
	if (p->why == NULL)
		return 0;
	x->left++;
	message_problem(x->run,
	    x->dry_run
		? "dataset '%s' would not be taken over: %s"
		: "dataset '%s' is not taken over, and takes no backups: %s",
	    p->dataset->name, p->why->text);
	return 0;
}

/* Who only promotes can do without what the site knows. */
static int
open_site(const struct promoting *x, const struct session *s, bool needed,
    struct sitedir **out, struct err *err)
{
	const char *path = store_path(access_store(s->access));
	struct site_request request;
	struct err why;
	int r = sitedir_peek(path, &request, err);

	*out = NULL;
	if (r != 0 || (r = sitedir_open(path, out, &why)) == 0)
		return r;
	if (needed || r == ERR_NOMEM)
		return err_copy(err, &why);
	message_warning(x->run,
	    "whether all that has arrived at this site is there can't be"
	    " told: %s",
	    why.text);
	return 0;
}

/*
 * What the promotion leaves behind is said before anything is signed. Most often
 * that is nothing, and a listing shows it: a disaster doesn't wait for logs. What
 * is wrong with one that can't be read is said when its turn comes.
 */
static int
tell_behind(const struct session *s, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < access_datasets(s->access); i++) {
		const struct dataset *ds = access_dataset(s->access, i);
		AUTO(log) struct log *l = NULL;
		struct log_behind b;
		struct err why;
		int r = log_behind_look(
		    access_store(s->access), ds->id, s->heads, &b, err);

		if (r != 0)
			return r;
		if (b.seen == 0 ||
		    log_load(s->access, ds, s->heads, &l, &why) != 0 ||
		    log_behind(l) == NULL)
			continue;
		session_behind(s->run, ds->name, log_behind(l));
		any = true;
	}
	if (any)
		message_problem(s->run,
		    "the promotion leaves behind what is not here: only if the"
		    " former primary comes back does 'varve demote' there keep"
		    " it, aside");
	return 0;
}

static int
promote_all(struct promoting *x, const struct session *s,
    const struct promote_options *opt, struct err *err)
{
	struct run *run = x->run;
	int r = opt->dry_run ? 0 : tell_behind(s, err);

	if (r != 0)
		return r;
	if (run->json != NULL)
		json_out_list(run->json, "datasets");
	r = promote_run(s->access, opt, show_dataset, x, err);
	if (run->json != NULL)
		json_out_end_list(run->json);
	if (x->left > 0)
		message_problem(run,
		    "when 'varve repair --from SITE' has mended what was not"
		    " taken over, run 'varve promote' again; where no site can"
		    " help, 'varve promote --up-to-readable' gives up the"
		    " records at the end of a log that can't be read");
	return r;
}

static int
promote(struct run *run, void *values, struct err *err)
{
	const struct promote_args *args = values;
	AUTO(session) struct session *s = NULL;
	AUTO(sitedir) struct sitedir *site = NULL;
	struct promoting x = {.run = run, .dry_run = args->dry_run};
	struct promote_options opt = {
	    .dry_run = args->dry_run,
	    .up_to_readable = args->up_to_readable,
	    .clock = session_now().s,
	};
	int r = session_open(run, &args->store, &s, err);

	if (r == 0)
		r = open_site(&x, s, opt.up_to_readable, &site, err);
	if (r != 0)
		return r;
	opt.heads = s->heads;
	opt.site = site != NULL ? sitedir_db(site) : NULL;
	if ((r = promote_all(&x, s, &opt, err)) != 0)
		return r;
	if (opt.dry_run)
		return x.left > 0 ? EXIT_DAMAGE : EXIT_DONE;
	message_result(run,
	    "store '%s' is the primary now%s; when the former one is back, run"
	    " 'varve demote' there",
	    store_address(access_store(s->access)),
	    x.left > 0 ? ", but not of all datasets" : "");
	return x.left > 0 ? EXIT_DAMAGE : EXIT_DONE;
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", promote_options, 0),
    STORE_GROUP(offsetof(struct promote_args, store)),
    KEY_GROUP(offsetof(struct promote_args, store)),
    PASSPHRASE_GROUP(offsetof(struct promote_args, store)),
    COMMON_GROUP,
};

const struct command cmd_promote = {
    .name = "promote",
    .summary = "make a replica the primary, after a disaster",
    .about = "Make this replica the primary: it takes backups from then on, "
	     "and refuses what the\nformer primary sends. Each dataset's log "
	     "gets a record of it, signed by an admin. One whose log is "
	     "damaged gets none, and takes no\nbackups, until it is mended "
	     "and this is run again.",
    .operands = {NULL},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct promote_args),
    .run = promote,
};
