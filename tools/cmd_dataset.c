/* varve dataset: what is to be kept of each dataset. */
#include "snapshot/expire/expire.h"
#include "tools/describe.h"
#include "tools/keep.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/suggest.h"
#include "tools/table.h"

#include <string.h>

struct dataset_args {
	struct common_args common;
	struct store_args store;
	struct keep_args keep;
	bool keep_all;
	bool defaults;
};

static const struct option dataset_options[] = {
    {"keep-all", 0, OPTION_FLAG, NULL, "set: no rules, nothing expires", NULL,
	offsetof(struct dataset_args, keep_all), 0, 0},
    {"default", 0, OPTION_FLAG, NULL,
	"set: for the datasets to come, in place of DATASET", NULL,
	offsetof(struct dataset_args, defaults), 0, 0},
};

/* --- set -------------------------------------------------------------------- */

static int
rules_given(const struct dataset_args *args, struct rules *out, struct err *err)
{
	bool any;
	int r = keep_parse(&args->keep, out, &any, err);

	if (r == 0 && any == args->keep_all)
		return err_set(err, ERR_USAGE,
		    any ? "--keep-all goes with no other rule"
			: "what is to be kept? --keep-within 90d, or another"
			  " --keep option");
	return r;
}

static void
show_set(const struct run *run, const char *name, const struct rules *rules)
{
	char text[RULES_TEXT];

	if (run->json != NULL) {
		json_out_member(run->json, "dataset",
		    name != NULL ? json_string(name) : json_null());
		json_out_member(run->json, "rules", keep_json(rules));
		return;
	}
	if (!message_summary(run))
		return;
	(void)printf("%s: %s\n", name != NULL ? name : "datasets to come",
	    rules_any(rules) ? rules_text(rules, text)
			     : "no rules, nothing expires");
}

static int
dataset_set(struct run *run, struct session *s, const struct dataset_args *args,
    const char *name, struct err *err)
{
	const struct dataset *ds;
	struct rules rules;
	int r;

	if ((name == NULL) != args->defaults)
		return err_set(err, ERR_USAGE,
		    name == NULL ? "which DATASET? or --default, for those to "
				   "come"
				 : "--default is for no DATASET");
	r = rules_given(args, &rules, err);
	if (r == 0 && name == NULL)
		r = expire_set_default(s->access, &rules, err);
	else if (r == 0 && (r = session_dataset(s, name, &ds, err)) == 0)
		r = expire_set_rules(s->access, ds, s->heads, &rules, err);
	if (r != 0)
		return r;
	show_set(run, name, &rules);
	return EXIT_DONE;
}

/* --- show ------------------------------------------------------------------- */

static size_t
held(const struct log *l)
{
	size_t n = 0;

	for (size_t i = 0; i < log_count(l); i++)
		n += log_snapshot(l, i)->held != 0;
	return n;
}

static int
show_one(struct run *run, struct session *s, const struct dataset *ds,
    struct table *t, struct err *err)
{
	AUTO(log) struct log *l = NULL;
	char all[OUTPUT_TEXT], some[OUTPUT_TEXT], text[RULES_TEXT];
	const struct rules *rules;
	int r = session_log(s, ds->name, &l, err);

	if (r != 0)
		return err_wrap(err, "dataset '%s'", ds->name);
	rules = log_rules(l);
	if (rules != NULL && !rules_any(rules))
		rules = NULL;
	if (run->json != NULL) {
		json_out_item(run->json,
		    json_pack("{s:s, s:o, s:I, s:I}", "name", ds->name, "rules",
			keep_json(rules), "snapshots", (json_int_t)log_count(l),
			"held", (json_int_t)held(l)));
		return 0;
	}
	table_row(t, (const char *[]){output_count(log_count(l), all),
			 output_count(held(l), some), ds->name,
			 rules != NULL ? rules_text(rules, text) : "-"});
	return 0;
}

static int
show_default(struct run *run, const struct session *s, struct err *err)
{
	struct rules rules;
	char text[RULES_TEXT];
	struct err why;
	int r = expire_default(s->access, &rules, &why);

	if (r != 0 && r != ERR_NOT_FOUND)
		return err_copy(err, &why);
	if (run->json != NULL)
		json_out_member(run->json, "default", keep_json(&rules));
	else if (rules_any(&rules) && message_summary(run))
		(void)printf(
		    "datasets to come: %s\n", rules_text(&rules, text));
	return 0;
}

static int
check_show(const struct dataset_args *args, struct err *err)
{
	bool any;
	struct rules rules;
	int r = keep_parse(&args->keep, &rules, &any, err);

	if (r == 0 && (any || args->keep_all || args->defaults))
		return err_set(err, ERR_USAGE,
		    "rules and --default are for 'varve dataset set'");
	return r;
}

static int
dataset_show(struct run *run, struct session *s,
    UNUSED const struct dataset_args *args, const char *name, struct err *err)
{
	TABLE_AUTO struct table t = {
	    .ncolumns = 4,
	    .titles = {"SNAPSHOTS", "HELD", "DATASET", "RULES"},
	    .right = {true, true, false, false},
	};
	const struct dataset *ds = NULL;
	int r = name != NULL ? session_dataset(s, name, &ds, err)
			     : show_default(run, s, err);

	if (r == 0 && run->json != NULL)
		json_out_list(run->json, "datasets");
	if (r == 0 && ds != NULL)
		r = show_one(run, s, ds, &t, err);
	for (size_t i = 0;
	     r == 0 && ds == NULL && i < access_datasets(s->access); i++)
		r = show_one(run, s, access_dataset(s->access, i), &t, err);
	if (r != 0 || run->json != NULL || t.ncells == 0)
		return r;
	return table_print(&t, !run->common->quiet, stdout, err);
}

/* --- which ------------------------------------------------------------------ */

static int
dataset_run(struct run *run, void *values, struct err *err)
{
	const struct dataset_args *args = values;
	const struct operands *o = &args->common.operands;
	const char *name = o->n > 1 ? o->v[1] : NULL;
	bool set = strcmp(o->v[0], "set") == 0;
	AUTO(session) struct session *s = NULL;
	char hint[SUGGEST_HINT];
	struct suggest near = {.typed = o->v[0]};
	int r;

	suggest_offer(&near, "set");
	suggest_offer(&near, "show");
	if (!set && strcmp(o->v[0], "show") != 0)
		return err_set(err, ERR_USAGE, "no action '%s': set or show%s",
		    o->v[0], suggest_hint(&near, hint));
	r = set ? 0 : check_show(args, err);
	if (r == 0)
		r = session_open_for(run, &args->store, &name, 1, &s, err);
	if (r != 0)
		return r;
	return set ? dataset_set(run, s, args, name, err)
		   : dataset_show(run, s, args, name, err);
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", dataset_options, 0),
    KEEP_GROUP(offsetof(struct dataset_args, keep)),
    STORE_GROUP(offsetof(struct dataset_args, store)),
    KEY_GROUP(offsetof(struct dataset_args, store)),
    PASSPHRASE_GROUP(offsetof(struct dataset_args, store)),
    COMMON_GROUP,
};

const struct command cmd_dataset = {
    .name = "dataset",
    .summary = "say what is to be kept of a dataset",
    .about =
	"ACTION is one of\n"
	"  set DATASET     from now on, 'varve expire' keeps what these rules\n"
	"                  say, in place of those before; only an admin can\n"
	"  show [DATASET]  show the rules, and how much is held",
    .operands = {"ACTION", "[DATASET]"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct dataset_args),
    .run = dataset_run,
};
