/* varve list: the datasets of a store, a dataset's snapshots, or one of them. */
#include "snapshot/log/when.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/site_lag.h"
#include "tools/snapshot_show.h"
#include "tools/table.h"

#include <stdlib.h>
#include <string.h>

struct list_args {
	struct common_args common;
	struct store_args store;
	uint64_t last;
	bool sites;
	bool expired;
};

static const struct option list_options[] = {
    {"last", 'n', OPTION_NUMBER, "N", "show the N newest snapshots only", NULL,
	offsetof(struct list_args, last), 1, UINT32_MAX},
    {"sites", 0, OPTION_FLAG, NULL,
	"show for each dataset and site how far the site is behind", NULL,
	offsetof(struct list_args, sites), 0, 0},
    {"expired", 0, OPTION_FLAG, NULL,
	"show what has expired, when, by whom and why", NULL,
	offsetof(struct list_args, expired), 0, 0},
};

/* --- the datasets ------------------------------------------------------- */

static json_t *
dataset_json(const struct dataset *ds, const struct log *l)
{
	const struct snapshot *head = log_head(l);
	char id[2 * DATASET_ID_LEN + 1];

	return json_pack("{s:s, s:s, s:b, s:b, s:I, s:o}", "name", ds->name,
	    "id", output_hex(ds->id, DATASET_ID_LEN, id), "may_read",
	    ds->may_read, "may_write", ds->may_write, "snapshots",
	    (json_int_t)log_count(l), "newest",
	    head != NULL ? describe_snapshot(head, ds->name) : json_null());
}

static void
dataset_row(struct table *t, const struct dataset *ds, const struct log *l)
{
	const struct snapshot *head = log_head(l);
	char count[OUTPUT_TEXT], time[WHEN_NAME_TEXT] = "-";
	char files[OUTPUT_TEXT] = "-", size[OUTPUT_TEXT] = "-";
	const char *cells[] = {
	    output_count(log_count(l), count), time, files, size, ds->name};

	if (head != NULL) {
		(void)when_name(l, head, time);
		(void)output_count(head->totals.files, files);
		(void)output_size(head->totals.bytes, size);
	}
	table_row(t, cells);
}

static int
list_datasets(struct run *run, const struct session *s, struct err *err)
{
	TABLE_AUTO struct table t = {
	    .ncolumns = 5,
	    .titles = {"SNAPSHOTS", "NEWEST", "FILES", "SIZE", "DATASET"},
	    .right = {true, false, true, true, false},
	};

	if (run->json != NULL)
		json_out_list(run->json, "datasets");
	for (size_t i = 0; i < access_datasets(s->access); i++) {
		const struct dataset *ds = access_dataset(s->access, i);
		AUTO(log) struct log *l = NULL;
		struct err why;

		if (session_log(s, ds->name, &l, &why) != 0) {
			int r = session_pass_over(s, &why, err);

			if (r != 0)
				return r;
			continue;
		}
		if (run->json != NULL)
			json_out_item(run->json, dataset_json(ds, l));
		else
			dataset_row(&t, ds, l);
	}
	if (run->json != NULL)
		return EXIT_DONE;
	if (t.ncells == 0 && access_datasets(s->access) == 0) {
		if (!run->common->quiet && !session_sees_none(s))
			(void)puts("no datasets yet");
		return EXIT_DONE;
	}
	return table_print(&t, !run->common->quiet, stdout, err);
}

/* --- a dataset's snapshots ---------------------------------------------- */

static void
snapshot_row(struct table *t, const struct log *l, size_t i)
{
	const struct snapshot *s = log_snapshot(l, i);
	char time[WHEN_NAME_TEXT], files[OUTPUT_TEXT], size[OUTPUT_TEXT];
	char added[OUTPUT_TEXT], problems[OUTPUT_TEXT];
	char id[2 * OBJECT_NAME_LEN + 1];
	char kind[32];
	const char *cells[] = {time, kind, files, size, added, id, problems};

	(void)snprintf(kind, sizeof(kind), "%s%s", describe_kind(s->kind),
	    s->held != 0 ? ", held" : "");
	(void)when_name(l, s, time);
	(void)output_count(s->totals.files, files);
	(void)output_size(s->totals.bytes, size);
	(void)output_size(s->added_stored, added);
	(void)output_hex(s->id, OBJECT_NAME_LEN, id);
	id[OUTPUT_ID] = '\0';
	if (describe_problems(s) > 0)
		(void)output_count(describe_problems(s), problems);
	else
		(void)snprintf(problems, sizeof(problems), "-");
	table_row(t, cells);
}

static int
list_snapshots(struct run *run, const struct session *s, const char *dataset,
    uint64_t last, struct err *err)
{
	AUTO(log) struct log *l = NULL;
	TABLE_AUTO struct table t = {
	    .ncolumns = 7,
	    .titles = {"TIME", "KIND", "FILES", "SIZE", "ADDED", "ID",
		"PROBLEMS"},
	    .right = {false, false, true, true, true, false, true},
	};
	size_t first = 0;
	int r = session_log(s, dataset, &l, err);

	if (r != 0)
		return r;
	if (last != 0 && last < log_count(l))
		first = log_count(l) - (size_t)last;
	if (run->json != NULL)
		json_out_list(run->json, "snapshots");
	for (size_t i = first; i < log_count(l); i++) {
		if (run->json != NULL)
			json_out_item(run->json,
			    describe_snapshot(log_snapshot(l, i), dataset));
		else
			snapshot_row(&t, l, i);
	}
	if (run->json != NULL)
		return EXIT_DONE;
	return table_print(&t, !run->common->quiet, stdout, err);
}

/* --- what has expired --------------------------------------------------- */

/* The snapshot of a record, if it is one that has expired. */
static const struct snapshot *
expired_snapshot(const struct record *r)
{
	if (!r->open || r->head.type != RECORD_SNAPSHOT ||
	    r->snapshot->expired == 0)
		return NULL;
	return r->snapshot;
}

static const char *
signer_name(const struct session *s, const struct record *r)
{
	const char *name = access_signer_name(s->access, r->head.signer);

	return name != NULL ? name : "?";
}

static json_t *
expired_json(const struct session *s, const struct snapshot *snap,
    const struct record *by, const char *dataset)
{
	json_t *o = describe_snapshot(snap, dataset);

	(void)json_object_set_new(o, "expired",
	    json_pack("{s:o, s:s, s:s}", "time",
		describe_moment((struct moment){by->head.time, 0}), "by",
		signer_name(s, by), "why", by->expire.why));
	return o;
}

static void
expired_row(struct table *t, const struct session *s,
    const struct snapshot *snap, const struct record *by)
{
	char time[OUTPUT_TIME], when[OUTPUT_TIME];
	char id[2 * OBJECT_NAME_LEN + 1];
	const char *cells[] = {output_time_ms(snap->time, time),
	    output_hex(snap->id, OBJECT_NAME_LEN, id),
	    output_time((struct moment){by->head.time, 0}, when),
	    signer_name(s, by), by->expire.why};

	id[OUTPUT_ID] = '\0';
	table_row(t, cells);
}

static int
list_expired(struct run *run, const struct session *s, const char *dataset,
    struct err *err)
{
	AUTO(log) struct log *l = NULL;
	TABLE_AUTO struct table t = {
	    .ncolumns = 5,
	    .titles = {"TIME", "ID", "EXPIRED", "BY", "WHY"},
	};
	int r = session_log(s, dataset, &l, err);

	if (r != 0)
		return r;
	if (run->json != NULL)
		json_out_list(run->json, "snapshots");
	for (size_t i = 0; i < log_records(l); i++) {
		const struct snapshot *snap =
		    expired_snapshot(log_record(l, i));
		const struct record *by;

		if (snap == NULL)
			continue;
		by = log_record_at(l, snap->expired);
		if (run->json != NULL)
			json_out_item(
			    run->json, expired_json(s, snap, by, dataset));
		else
			expired_row(&t, s, snap, by);
	}
	if (run->json != NULL || t.ncells == 0)
		return EXIT_DONE;
	return table_print(&t, !run->common->quiet, stdout, err);
}

/* --- the command -------------------------------------------------------- */

/* ${what} begins with the dataset's name; NULL: all. */
static int
list_open(const struct run *run, const struct list_args *args, const char *what,
    struct session **out, struct err *err)
{
	char *dataset = NULL;
	int r;

	if (what != NULL)
		dataset = strndup(what, strcspn(what, "@"));
	if (what != NULL && dataset == NULL)
		return err_nomem(err);
	r = session_open_for(
	    run, &args->store, (const char *const[]){dataset}, 1, out, err);
	free(dataset);
	return r;
}

static int
check_args(const struct list_args *args, const char *what, struct err *err)
{
	bool dataset = what != NULL && strchr(what, '@') == NULL;

	if (args->sites && what != NULL)
		return err_set(
		    err, ERR_USAGE, "--sites shows every dataset: name none");
	if (args->sites && args->expired)
		return err_set(
		    err, ERR_USAGE, "--sites and --expired exclude each other");
	if (args->expired && !dataset)
		return err_set(err, ERR_USAGE,
		    "--expired shows the snapshots of a DATASET");
	if (args->last != 0 && (!dataset || args->expired))
		return err_set(err, ERR_USAGE,
		    "--last is for the snapshots of a DATASET, of those that"
		    " have not expired");
	return 0;
}

static int
list_run(struct run *run, void *values, struct err *err)
{
	const struct list_args *args = values;
	AUTO(session) struct session *s = NULL;
	const char *what =
	    args->common.operands.n > 0 ? args->common.operands.v[0] : NULL;
	int r = check_args(args, what, err);

	if (r == 0)
		r = list_open(run, args, what, &s, err);
	if (r != 0)
		return r;
	if (args->sites)
		return site_lag_show(s, err);
	if (args->expired)
		return list_expired(run, s, what, err);
	if (what == NULL)
		return list_datasets(run, s, err);
	if (strchr(what, '@') != NULL)
		return snapshot_show(run, s, what, err);
	return list_snapshots(run, s, what, args->last, err);
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", list_options, 0),
    STORE_GROUP(offsetof(struct list_args, store)),
    KEY_GROUP(offsetof(struct list_args, store)),
    PASSPHRASE_GROUP(offsetof(struct list_args, store)),
    COMMON_GROUP,
};

const struct command cmd_list = {
    .name = "list",
    .summary = "list datasets, or a dataset's snapshots",
    .about = "List the store's datasets; or the snapshots of DATASET; or, "
	     "given DATASET@TIME,\nsay all about that snapshot, with what "
	     "could not be read.",
    .operands = {"[DATASET[@TIME]]"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct list_args),
    .run = list_run,
};
