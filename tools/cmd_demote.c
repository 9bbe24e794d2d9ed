/* varve demote: bring a former primary back as a replica. */
#include "snapshot/replicate/receive.h"
#include "tools/asking.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/site_lag.h"

#include <string.h>

struct demote_args {
	struct common_args common;
	struct store_args store;
	bool dry_run;
	struct remote_args how;
};

static const struct option demote_options[] = {
    {"dry-run", 0, OPTION_FLAG, NULL, "only show what would be moved aside",
	NULL, offsetof(struct demote_args, dry_run), 0, 0},
};

/* --- the other store ---------------------------------------------------- */

static int
look(struct remote *remote, struct demote_plan *plan, struct err *err)
{
	struct asking asking;
	int r = asking_begin(&asking, remote, err);

	if (r == 0)
		r = demote_look(asking.store, &asking.other, plan, err);
	if (r == 0)
		r = demote_ask(&asking.other, plan, err);
	if (r == 0 && (r = demote_check(plan, err)) != 0)
		r = err_wrap(err, "%s", remote->text);
	asking_end(&asking, remote);
	return r;
}

static int
pull(struct remote *remote, struct err *err)
{
	const struct receive_options opt = {.until_done = true};
	int r = remote_connect(remote, HELLO_PULL, false, err);

	if (r != 0)
		return r;
	r = receive_run(&remote->party, remote->meeting.channel, &opt, err);
	remote_disconnect(remote);
	return r;
}

/* --- what came of it ---------------------------------------------------- */

static void
show_json(const struct remote *remote, const struct demote_fork *f)
{
	char name[SITE_LAG_DATASET], id[2 * DATASET_ID_LEN + 1];

	json_out_item(remote->run->json,
	    json_pack("{s:s, s:s, s:o, s:o, s:o}", "dataset",
		site_lag_dataset(remote->session, f->dataset, name),
		"dataset_id", output_hex(f->dataset, DATASET_ID_LEN, id),
		"common", describe_u64(f->common), "records",
		describe_u64(f->head - f->common), "snapshots",
		describe_u64(f->snapshots)));
}

static void
show_text(
    const struct remote *remote, const struct demote_fork *f, const char *where)
{
	char name[SITE_LAG_DATASET];
	char snapshots[OUTPUT_THINGS], records[OUTPUT_THINGS];

	if (f->head == f->common)
		return;
	(void)printf("%s (%s) of '%s' %s\n",
	    output_things(f->snapshots, "snapshot", "snapshots", snapshots),
	    output_things(f->head - f->common, "record", "records", records),
	    site_lag_dataset(remote->session, f->dataset, name), where);
}

/* ${aside}: where they went; NULL: they stay. */
static void
show_plan(const struct remote *remote, const struct demote_plan *plan,
    const char *aside)
{
	char where[256] = "to be moved aside";

	if (aside != NULL)
		(void)snprintf(where, sizeof(where), "moved to '%s/%s'",
		    remote->party.address, aside);
	if (remote->run->json != NULL) {
		json_out_member(remote->run->json, "aside",
		    aside != NULL ? json_string(aside) : json_null());
		json_out_list(remote->run->json, "datasets");
	}
	for (size_t i = 0; i < plan->n; i++) {
		if (remote->run->json != NULL)
			show_json(remote, &plan->forks[i]);
		else
			show_text(remote, &plan->forks[i], where);
	}
	if (remote->run->json != NULL)
		json_out_end_list(remote->run->json);
}

/*
 * Of a dataset that was moved as a whole, this machine would go on missing what
 * it saw. Where a part is left, the record of the new primary explains it.
 */
static int
forget_moved(const struct remote *remote, const struct demote_plan *plan,
    struct err *err)
{
	struct heads *heads = remote->session->heads;
	int r = 0;

	for (size_t i = 0; heads != NULL && i < plan->n && r == 0; i++)
		if (plan->forks[i].common == 0)
			r = heads_forget(heads, plan->forks[i].dataset, err);
	return r;
}

static int
demote(struct remote *remote, const struct demote_args *args, struct err *err)
{
	DEMOTE_PLAN_AUTO struct demote_plan plan = {0};
	struct store *store = access_store(remote->session->access);
	char aside[DEMOTE_ASIDE];
	int r = look(remote, &plan, err);

	if (r != 0)
		return r;
	if (args->dry_run) {
		show_plan(remote, &plan, NULL);
		return EXIT_DONE;
	}
	r = demote_run(store, remote->site, &plan, session_now().s, aside, err);
	if (r != 0)
		return r;
	show_plan(remote, &plan, aside);
	if ((r = forget_moved(remote, &plan, err)) != 0)
		return r;
	message_result(
	    remote->run, "store '%s' is a replica now", store_address(store));
	r = pull(remote, err);
	if (r != 0)
		return err_wrap(err,
		    "the store is a replica, but has not got all that came"
		    " since ('varve replicate --pull' fetches it)");
	return EXIT_DONE;
}

static int
demote_command(struct run *run, void *values, struct err *err)
{
	const struct demote_args *args = values;
	AUTO(remote) struct remote *remote = NULL;
	int r = remote_open(
	    run, &args->store, &args->how, REMOTE_BY_SITE, &remote, err);

	if (r == 0 && remote->session == NULL)
		r = err_set(err, ERR_USAGE,
		    "there is no store yet: 'varve replicate --pull' fetches"
		    " it");
	if (r == 0)
		r = remote_find(remote, args->common.operands.v[0], err);
	return r != 0 ? r : demote(remote, args, err);
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", demote_options, 0),
    REMOTE_GROUP(offsetof(struct demote_args, how)),
    STORE_GROUP(offsetof(struct demote_args, store)),
    COMMON_GROUP,
};

const struct command cmd_demote = {
    .name = "demote",
    .summary = "make a former primary a replica of the one that took over",
    .about = "Make this store a replica of the one at SITE, which was "
	     "promoted. What was written\nhere after the histories parted is "
	     "moved aside, and listed; then what came since\nis fetched.",
    .operands = {"SITE"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct demote_args),
    .run = demote_command,
};
