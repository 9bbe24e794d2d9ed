/* varve repair: fetch what is damaged or missing from another site. */
#include "snapshot/replicate/repair.h"
#include "tools/describe.h"
#include "tools/escape.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/remote.h"

#include <string.h>

struct repair_args {
	struct common_args common;
	struct store_args store;
	const char *from;
	bool dry_run;
	struct remote_args how;
};

static const struct option repair_options[] = {
    {"from", 0, OPTION_TEXT, "SITE",
	"fetch good copies from the site SITE, or its address", NULL,
	offsetof(struct repair_args, from), 0, 0},
    {"dry-run", 0, OPTION_FLAG, NULL,
	"say what is damaged or missing, and change nothing", NULL,
	offsetof(struct repair_args, dry_run), 0, 0},
};

static void
draw(void *arg, double seconds, char *line, size_t cap)
{
	const struct repair_progress *p = arg;
	uint64_t bytes = atomic_load(&p->bytes);
	char n[OUTPUT_TEXT], done[OUTPUT_TEXT], rate[OUTPUT_TEXT],
	    mended[OUTPUT_TEXT];

	(void)snprintf(line, cap, "%s objects, %s, %s/s; %s repaired",
	    output_count(atomic_load(&p->objects), n), output_size(bytes, done),
	    output_size((uint64_t)((double)bytes / seconds), rate),
	    output_count(atomic_load(&p->repaired), mended));
}

/* One object, as a line or an item of the open JSON list. */
static void
on_object(void *arg, const struct object_ref *ref, const char *what,
    const struct err *why)
{
	struct run *run = arg;
	char text[OBJECT_REF_TEXT];

	object_ref_text(ref, text);
	if (run->json != NULL) {
		json_out_item(run->json,
		    json_pack("{s:s, s:s, s:b, s:o}", "object", text, "what",
			what, "repaired", why == NULL, "why",
			why == NULL
			    ? json_null()
			    : json_out_name(why->text, strlen(why->text))));
		return;
	}
	progress_hide(run->progress);
	(void)printf("%s: %s (%s)", why == NULL ? "repaired" : "not repaired",
	    text, what);
	if (why != NULL) {
		(void)fputs(": ", stdout);
		escape_message(stdout, why->text);
	}
	(void)putchar('\n');
	progress_show(run->progress);
}

static void
on_unlisted(void *arg, const struct err *why)
{
	const struct run *run = arg;

	message_problem(run,
	    "%s: move away what is in its place, and repair again", why->text);
}

static void
show(const struct run *run, const struct repair_result *out)
{
	char n[OUTPUT_THINGS], m[OUTPUT_THINGS], size[OUTPUT_TEXT];

	if (run->json != NULL) {
		json_out_member(
		    run->json, "checked", describe_u64(out->objects));
		json_out_member(run->json, "bytes", describe_u64(out->bytes));
		json_out_member(
		    run->json, "damaged", describe_u64(out->damaged));
		json_out_member(
		    run->json, "missing", describe_u64(out->missing));
		json_out_member(
		    run->json, "repaired", describe_u64(out->repaired));
		json_out_member(
		    run->json, "unlisted", describe_u64(out->unlisted));
		json_out_member(run->json, "aside",
		    out->aside[0] != '\0' ? json_string(out->aside)
					  : json_null());
		return;
	}
	if (!message_summary(run))
		return;
	(void)printf("looked at %s, %s: %s, %ju missing, %ju repaired\n",
	    output_things(out->objects, "object", "objects", n),
	    output_size(out->bytes, size),
	    output_things(out->damaged, "damaged", "damaged", m),
	    (uintmax_t)out->missing, (uintmax_t)out->repaired);
	if (out->aside[0] != '\0')
		(void)printf("the damaged ones are kept in '%s'\n", out->aside);
}

static int
repair(struct run *run, const struct repair_args *args, struct remote *r,
    struct err *err)
{
	struct repair_progress progress = {0};
	const struct repair_options opt = {
	    .dry_run = args->dry_run,
	    .stop = run->stop,
	    .progress = &progress,
	    .on_object = on_object,
	    .on_unlisted = on_unlisted,
	    .arg = run,
	};
	struct repair_result out;
	int rc = 0;

	if (r->party.access == NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "'%s' is an empty replica: fill it with 'varve replicate'",
		    r->party.address);
	if (!args->dry_run)
		rc = remote_connect(r, HELLO_FETCH, false, err);
	if (rc != 0)
		return rc;
	if (run->json != NULL)
		json_out_list(run->json, "objects");
	if (!run->common->quiet && progress_wanted())
		rc = progress_start(draw, &progress, &run->progress, err);
	if (rc == 0)
		rc = repair_run(&r->party, r->meeting.channel, &opt, &out, err);
	progress_stop(STEAL(run->progress));
	if (run->json != NULL)
		json_out_end_list(run->json);
	if (rc != 0)
		return rc;
	show(run, &out);
	return out.unlisted > 0 || out.repaired < out.damaged + out.missing
		   ? EXIT_DAMAGE
		   : EXIT_DONE;
}

static int
repair_command(struct run *run, void *values, struct err *err)
{
	const struct repair_args *args = values;
	AUTO(remote) struct remote *r = NULL;
	int rc;

	if (args->from == NULL)
		return err_set(err, ERR_USAGE,
		    "from which site? --from SITE, or its address");
	rc = remote_open(run, &args->store, &args->how, REMOTE_BY_ANY, &r, err);
	if (rc == 0)
		rc = remote_find(r, args->from, err);
	return rc != 0 ? rc : repair(run, args, r, err);
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", repair_options, 0),
    REMOTE_GROUP(offsetof(struct repair_args, how)),
    STORE_GROUP(offsetof(struct repair_args, store)),
    KEY_GROUP(offsetof(struct repair_args, store)),
    PASSPHRASE_GROUP(offsetof(struct repair_args, store)),
    COMMON_GROUP,
};

const struct command cmd_repair = {
    .name = "repair",
    .summary = "fetch what is damaged or missing from another site",
    .about =
	"Look at every object of the store, and fetch what is damaged or "
	"missing from another\nsite. What comes is compared with its name "
	"before it takes the place of a damaged\none, which is kept aside. "
	"Works at a primary and at a replica. Exit status 3 when\nthe site "
	"lacks some of it, too.",
    .operands = {NULL},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct repair_args),
    .run = repair_command,
};
