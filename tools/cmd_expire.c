/* varve expire: sign away what the rules no longer keep. */
#include "snapshot/expire/expire.h"
#include "tools/describe.h"
#include "tools/keep.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/table.h"

#include <string.h>

struct expire_args {
	struct common_args common;
	struct store_args store;
	struct keep_args keep;
	bool dry_run;
};

static const struct option expire_options[] = {
    {"dry-run", 'n', OPTION_FLAG, NULL,
	"only show what would expire, and why the rest stays", NULL,
	offsetof(struct expire_args, dry_run), 0, 0},
};

/* One run over the datasets. */
struct expiring {
	struct run *run;
	const struct expire_args *args;
	struct session *session;
	struct rules rules;
	bool given; /* on the command line, in place of the datasets' own */
};

/* --- one dataset, shown ---------------------------------------------------- */

static json_t *
snapshots_json(const struct expire_plan *p, const char *dataset)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n; i++) {
		json_t *s = describe_snapshot(p->snapshots[i], dataset);
		uint32_t why = p->items[i].why;

		(void)json_object_set_new(
		    s, "expires", json_boolean(p->ruled && why == 0));
		(void)json_object_set_new(s, "kept_by", keep_why_json(why));
		(void)json_object_set_new(
		    s, "in_doubt", json_boolean((why & KEEP_DOUBT) != 0));
		(void)json_array_append_new(list, s);
	}
	return list;
}

static void
show_json(const struct expiring *e, const struct dataset *ds,
    const struct expire_plan *p)
{
	json_t *o = json_pack("{s:s, s:o, s:I, s:I}", "name", ds->name, "rules",
	    p->ruled ? keep_json(&p->rules) : json_null(), "expired",
	    (json_int_t)p->gone, "kept", (json_int_t)(p->n - p->gone));

	if (o != NULL)
		(void)json_object_set_new(
		    o, "snapshots", snapshots_json(p, ds->name));
	json_out_item(e->run->json, o);
}

static int
show_each(
    const struct expiring *e, const struct expire_plan *p, struct err *err)
{
	TABLE_AUTO struct table t = {
	    .ncolumns = 3,
	    .titles = {"TIME", "ID", "KEPT BY"},
	};

	for (size_t i = 0; i < p->n; i++) {
		const struct snapshot *s = p->snapshots[i];
		uint32_t by = p->items[i].why;
		char time[OUTPUT_TIME], why[KEEP_WHY];
		char id[2 * OBJECT_NAME_LEN + 1];
		const char *cells[] = {output_time_ms(s->time, time),
		    output_hex(s->id, OBJECT_NAME_LEN, id),
		    by != 0 ? keep_why(by, why) : "nothing: expires"};

		id[OUTPUT_ID] = '\0';
		table_row(&t, cells);
	}
	return table_print(&t, !e->run->common->quiet, stdout, err);
}

/* A clock that is wrong should not go unnoticed. */
static void
show_doubt(const struct expire_plan *p)
{
	char stay[OUTPUT_THINGS];
	uint64_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += (p->items[i].why & KEEP_DOUBT) != 0;
	if (n > 0)
		(void)printf("  %s since times contradict one another, or this "
			     "machine's clock\n",
		    output_things(n, "snapshot stays", "snapshots stay", stay));
}

static void
show_text(const struct expiring *e, const struct dataset *ds,
    const struct expire_plan *p)
{
	char gone[OUTPUT_THINGS], all[OUTPUT_TEXT], text[RULES_TEXT];

	if (!message_summary(e->run))
		return;
	if (!p->ruled) {
		(void)printf("%s: no rules, nothing expires ('varve dataset "
			     "set' gives it some)\n",
		    ds->name);
		return;
	}
	(void)printf("%s: %s of %s %s (%s)\n", ds->name,
	    output_things(p->gone, "snapshot", "snapshots", gone),
	    output_count(p->n, all),
	    e->args->dry_run ? "would expire" : "expired",
	    rules_text(&p->rules, text));
	show_doubt(p);
}

static int
show(const struct expiring *e, const struct dataset *ds,
    const struct expire_plan *p, struct err *err)
{
	if (e->run->json != NULL) {
		show_json(e, ds, p);
		return 0;
	}
	show_text(e, ds, p);
	return e->args->dry_run && p->ruled && p->n > 0 ? show_each(e, p, err)
							: 0;
}

/* --- the whole ------------------------------------------------------------- */

static int
expire_one(struct expiring *e, const struct dataset *ds, struct err *err)
{
	EXPIRE_PLAN_AUTO struct expire_plan p = {0};
	const struct rules *rules = e->given ? &e->rules : NULL;
	struct session *s = e->session;
	/* To the end of the second: what it has brought isn't to come. */
	struct moment now = {.s = access_now(s->access), .ns = 999999999};
	int r;

	if (e->args->dry_run)
		r = expire_look(s->access, ds, s->heads, rules, now, &p, err);
	else
		r = expire_run(s->access, ds, s->heads, rules, now, &p, err);
	if (r != 0)
		return r;
	if (log_warning(p.log) != NULL)
		message_problem(e->run, "%s", log_warning(p.log)->text);
	return show(e, ds, &p, err);
}

static int
expire_all(struct expiring *e, struct err *err)
{
	struct access *a = e->session->access;
	int r = 0;

	for (size_t i = 0; r == 0 && i < access_datasets(a); i++) {
		struct err why;

		if (expire_one(e, access_dataset(a, i), &why) != 0)
			r = session_pass_over(e->session, &why, err);
	}
	return r;
}

static int
expire_command(struct run *run, void *values, struct err *err)
{
	const struct expire_args *args = values;
	const struct operands *o = &args->common.operands;
	AUTO(session) struct session *s = NULL;
	struct expiring e = {.run = run, .args = args};
	const char *name = o->n > 0 ? o->v[0] : NULL;
	const struct dataset *ds = NULL;
	int r = keep_parse(&args->keep, &e.rules, &e.given, err);

	if (r == 0)
		r = session_open_for(run, &args->store, &name, 1, &s, err);
	if (r == 0 && !args->dry_run && !access_is_admin(s->access))
		r = err_set(err, ERR_DENIED, "only an admin may expire");
	if (r == 0 && name != NULL)
		r = session_dataset(s, name, &ds, err);
	if (r != 0)
		return r;
	e.session = s;
	if (run->json != NULL)
		json_out_list(run->json, "datasets");
	r = ds != NULL ? expire_one(&e, ds, err) : expire_all(&e, err);
	return r != 0 ? r : EXIT_DONE;
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", expire_options, 0),
    KEEP_GROUP(offsetof(struct expire_args, keep)),
    STORE_GROUP(offsetof(struct expire_args, store)),
    KEY_GROUP(offsetof(struct expire_args, store)),
    PASSPHRASE_GROUP(offsetof(struct expire_args, store)),
    COMMON_GROUP,
};

const struct command cmd_expire = {
    .name = "expire",
    .summary = "take away the snapshots that are not to be kept any more",
    .about = "Sign away the snapshots of DATASET, or of all datasets, that "
	     "its rules no longer\nkeep, or those given here in their place. "
	     "A snapshot that any rule keeps stays, and\nso does one that is "
	     "held. 'varve prune' gives the space back.",
    .operands = {"[DATASET]"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct expire_args),
    .run = expire_command,
};
