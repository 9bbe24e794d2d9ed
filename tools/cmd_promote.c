/* varve promote: make a replica the primary. */
#include "snapshot/site/promote.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"

struct promote_args {
	struct common_args common;
	struct store_args store;
};

/* What each dataset has come to the disaster with: the recovery point. */
static int
show_dataset(void *arg, const struct log *l, UNUSED struct err *err)
{
	struct run *run = arg;
	const struct snapshot *head = log_head(l);
	const char *name = log_dataset(l)->name;
	char count[OUTPUT_THINGS], time[OUTPUT_TIME];

	if (run->json != NULL) {
		json_out_item(run->json,
		    json_pack("{s:s, s:o, s:o}", "dataset", name, "snapshots",
			describe_u64(log_count(l)), "newest",
			head != NULL ? describe_moment(head->time)
				     : json_null()));
		return 0;
	}
	if (!message_summary(run))
		return 0;
	(void)printf("'%s': %s", name,
	    output_things(log_count(l), "snapshot", "snapshots", count));
	if (head != NULL)
		(void)printf(
		    ", the newest of %s", output_time(head->time, time));
	(void)putchar('\n');
	return 0;
}

static int
promote(struct run *run, void *values, struct err *err)
{
	const struct promote_args *args = values;
	AUTO(session) struct session *s = NULL;
	int r = session_open(run, &args->store, &s, err);

	if (r != 0)
		return r;
	if (run->json != NULL)
		json_out_list(run->json, "datasets");
	r = promote_run(s->access, s->heads, show_dataset, run, err);
	if (run->json != NULL)
		json_out_end_list(run->json);
	if (r != 0)
		return r;
	message_result(run,
	    "store '%s' is the primary now; when the former one is back, run"
	    " 'varve demote' there",
	    store_address(access_store(s->access)));
	return EXIT_DONE;
}

static const struct option_group groups[] = {
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
	     "gets a record of it, signed by an admin.",
    .operands = {NULL},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct promote_args),
    .run = promote,
};
