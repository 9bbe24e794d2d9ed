#include "tools/hold.h"

#include "snapshot/expire/expire.h"
#include "snapshot/log/when.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/output.h"

static void
show(const struct run *run, const struct snapshot *s, const char *dataset,
    bool on, const char *why)
{
	char time[OUTPUT_TIME];

	if (run->json != NULL) {
		json_out_member(
		    run->json, "snapshot", describe_snapshot(s, dataset));
		json_out_member(run->json, "held", json_boolean(on));
		json_out_member(run->json, "why", json_string(why));
	} else if (message_summary(run)) {
		(void)printf("%s@%s is %s\n", dataset,
		    output_time_ms(s->time, time),
		    on ? "held: it does not expire" : "held no more");
	}
}

int
hold_command(
    struct run *run, const struct hold_args *args, bool on, struct err *err)
{
	SNAPSHOT_ARG_AUTO struct snapshot_arg arg = {0};
	const char *text = args->common.operands.v[0];
	const char *why = args->why != NULL ? args->why : "";
	AUTO(session) struct session *s = NULL;
	AUTO(log) struct log *log = NULL;
	const struct snapshot *snap;
	int r = snapshot_arg_parse(text, &arg, err);

	if (r == 0 && arg.path != NULL)
		return err_set(err, ERR_USAGE,
		    "'%s' names a file: only whole snapshots are held", text);
	if (r == 0)
		r = session_open_for(run, &args->store,
		    (const char *const[]){arg.dataset}, 1, &s, err);
	if (r == 0)
		r = session_log(s, arg.dataset, &log, err);
	if (r == 0)
		r = when_select(log, arg.time, session_now(), &snap, err);
	if (r == 0)
		r = expire_hold(s->access, log_dataset(log), s->heads, snap->id,
		    on, why, err);
	if (r != 0)
		return r;
	show(run, snap, arg.dataset, on, why);
	return EXIT_DONE;
}
