#include "tools/replicate_show.h"

#include "tools/describe.h"
#include "tools/message.h"
#include "tools/output.h"

/* --- how it goes --------------------------------------------------------- */

static void
draw_sending(
    const struct replicating *g, double seconds, char *line, size_t cap)
{
	const struct send_progress *p = &g->sending;
	uint64_t bytes = atomic_load(&p->bytes);
	uint64_t total = atomic_load(&p->bytes_total);
	double rate = (double)bytes / seconds;
	char n[OUTPUT_TEXT], of[OUTPUT_TEXT], done[OUTPUT_TEXT],
	    all[OUTPUT_TEXT], speed[OUTPUT_TEXT], left[OUTPUT_TEXT];
	bool planned = atomic_load(&p->planned) && total >= bytes && rate > 0;

	if (atomic_load(&p->waiting)) {
		(void)snprintf(line, cap, "all sent; waiting for more");
		return;
	}
	(void)snprintf(line, cap, "%s of %s records, %s of %s, %s/s; %s left",
	    output_count(atomic_load(&p->records), n),
	    output_count(atomic_load(&p->records_total), of),
	    output_size(bytes, done), planned ? output_size(total, all) : "?",
	    output_size((uint64_t)rate, speed),
	    planned ? output_duration((double)(total - bytes) / rate, left)
		    : "?");
}

void
replicate_show_progress(void *arg, double seconds, char *line, size_t cap)
{
	const struct replicating *g = arg;
	const struct receive_progress *p = &g->receiving;
	uint64_t bytes = atomic_load(&p->bytes);
	char n[OUTPUT_TEXT], done[OUTPUT_TEXT], speed[OUTPUT_TEXT];

	if (!g->args->pull) {
		draw_sending(g, seconds, line, cap);
		return;
	}
	(void)snprintf(line, cap, "%s records, %s, %s/s",
	    output_count(atomic_load(&p->records), n), output_size(bytes, done),
	    output_size((uint64_t)((double)bytes / seconds), speed));
}

/* --- how it went -------------------------------------------------------- */

static double
seconds_since(const struct timespec *t)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - t->tv_sec) +
	       (double)(now.tv_nsec - t->tv_nsec) / 1e9;
}

static void
show_json(const struct replicating *g, double seconds)
{
	struct json_out *o = g->run->json;

	json_out_member(o, "site", json_string(g->args->common.operands.v[0]));
	json_out_member(o, "pull", json_boolean(g->args->pull));
	json_out_member(o, "records", describe_u64(g->records));
	json_out_member(o, "objects", describe_u64(g->objects));
	json_out_member(o, "bytes", describe_u64(g->bytes));
	json_out_member(o, "problems", describe_u64(atomic_load(&g->problems)));
	json_out_member(o, "removed", describe_u64(g->reaped.removed));
	json_out_member(o, "seconds", json_real(seconds));
}

/* Never 'all is there' when something was held back. */
static void
show_nothing(const struct replicating *g)
{
	if (atomic_load(&g->problems) > 0)
		(void)printf("nothing moved: what was held back, and why, is "
			     "said above\n");
	else
		(void)printf("nothing new: %s %s\n",
		    g->args->pull ? "this replica has all of" : "all is at",
		    g->remote->text);
}

void
replicate_show_result(const struct replicating *g)
{
	double seconds = seconds_since(&g->began);
	char n[OUTPUT_THINGS], objects[OUTPUT_THINGS], size[OUTPUT_TEXT],
	    time[OUTPUT_TEXT];

	if (g->run->json != NULL) {
		show_json(g, seconds);
		return;
	}
	if (!message_summary(g->run))
		return;
	if (g->records == 0 && g->objects == 0) {
		show_nothing(g);
		return;
	}
	(void)printf("%s %s: %s, %s, %s in %s%s\n",
	    g->args->pull ? "took from" : "sent to", g->remote->text,
	    output_things(g->records, "record", "records", n),
	    output_things(g->objects, "object", "objects", objects),
	    output_size(g->bytes, size), output_duration(seconds, time),
	    atomic_load(&g->problems) > 0 ? "; not all, as is said above" : "");
}
