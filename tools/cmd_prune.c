/* varve prune: give back the space of what no snapshot needs any more. */
#include "snapshot/prune/prune.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/number.h"
#include "tools/output.h"
#include "tools/session.h"

#include <string.h>

struct prune_args {
	struct common_args common;
	struct store_args store;
	bool dry_run;
	const char *max_dead;
};

static const struct option prune_command_options[] = {
    {"dry-run", 0, OPTION_FLAG, NULL, "say what would be done, and do nothing",
	NULL, offsetof(struct prune_args, dry_run), 0, 0},
    {"max-dead", 0, OPTION_TEXT, "PERCENT",
	"how much of a pack may be dead before it is repacked; by default 25, "
	"and with 0 nothing dead stays",
	NULL, offsetof(struct prune_args, max_dead), 0, 0},
};

/* Of the packs that are lost, so many are named. */
#define LOST_NAMED 5

/* One run of the command. */
struct pruning {
	struct run *run;
	struct session *session;
	struct prune_options opt;
	struct prune_progress progress;
	uint64_t lost; /* packs of the dataset at hand */
	bool partial;  /* there was no room for all of it */
};

static void
draw(void *arg, double seconds, char *line, size_t cap)
{
	const struct prune_progress *p = arg;
	uint64_t total = atomic_load(&p->bytes_total);
	char a[OUTPUT_TEXT], b[OUTPUT_TEXT], c[OUTPUT_TEXT], time[OUTPUT_TEXT];

	if (total > 0)
		(void)snprintf(line, cap, "repacking: %s of %s; %s",
		    output_size(atomic_load(&p->bytes), a),
		    output_size(total, b), output_duration(seconds, time));
	else
		(void)snprintf(line, cap,
		    "looking: %s of %s snapshots, %s chunks needed; %s",
		    output_count(atomic_load(&p->snapshots), a),
		    output_count(atomic_load(&p->snapshots_total), b),
		    output_count(atomic_load(&p->chunks), c),
		    output_duration(seconds, time));
}

static void
on_damage(void *arg, const struct object_ref *pack, const struct err *why)
{
	const struct pruning *x = arg;
	char text[OBJECT_REF_TEXT];

	object_ref_text(pack, text);
	message_problem(
	    x->run, "'%s' is damaged, and stays as it is: %s", text, why->text);
	if (x->run->damaged != NULL)
		*x->run->damaged = true;
}

static void
on_lost(void *arg, const struct object_ref *pack, uint64_t chunks,
    const struct err *why)
{
	struct pruning *x = arg;
	char text[OBJECT_REF_TEXT], n[OUTPUT_THINGS];

	if (x->lost++ >= LOST_NAMED)
		return;
	object_ref_text(pack, text);
	message_problem(x->run, "'%s' has %s that snapshots need: %s", text,
	    output_things(chunks, "chunk", "chunks", n), why->text);
}

/* What was not named, why nothing was done, and what there is to do. */
static void
tell_lost(struct pruning *x, const char *dataset, const struct prune_result *r)
{
	char n[OUTPUT_THINGS];

	if (r->lost_packs > LOST_NAMED)
		message_problem(x->run, "and %s more",
		    output_things(
			r->lost_packs - LOST_NAMED, "pack", "packs", n));
	if (r->unlisted_chunks > 0)
		message_problem(x->run, "%s in no index",
		    output_things(r->unlisted_chunks,
			"chunk that snapshots need is",
			"chunks that snapshots need are", n));
	message_problem(x->run,
	    "dataset '%s': nothing is removed, since %s missing; 'varve check' "
	    "names the files, and 'varve repair --from SITE' fetches what a "
	    "site has",
	    dataset,
	    output_things(r->lost_chunks, "chunk that snapshots need is",
		"chunks that snapshots need are", n));
	if (x->run->damaged != NULL)
		*x->run->damaged = true;
}

/* What went has gone; the rest takes room that there isn't. */
static void
tell_no_room(
    struct pruning *x, const char *dataset, const struct prune_result *r)
{
	char n[OUTPUT_THINGS], size[OUTPUT_TEXT];

	message_problem(x->run,
	    "dataset '%s': the store has no room to repack %s, %s; free some, "
	    "and prune again, or repack fewer with a higher --max-dead",
	    dataset, output_things(r->no_room.n, "pack", "packs", n),
	    output_size(r->no_room.bytes, size));
	x->partial = true;
}

/* --- in JSON ------------------------------------------------------------ */

static json_t *
describe_count(const struct prune_count *c)
{
	return json_pack("{s:o, s:o}", "objects", describe_u64(c->n), "bytes",
	    describe_u64(c->bytes));
}

static void
print_item(
    struct json_out *json, const char *dataset, const struct prune_result *r)
{
	json_t *item = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "dataset", dataset, "snapshots", describe_u64(r->snapshots),
	    "chunks", describe_u64(r->chunks), "dead_chunks",
	    describe_u64(r->dead_chunks), "lost_chunks",
	    describe_u64(r->lost_chunks), "lost_packs",
	    describe_u64(r->lost_packs), "damaged", describe_u64(r->damaged),
	    "record", describe_u64(r->record));
	const struct {
		const char *key;
		const struct prune_count *count;
	} counts[] = {
	    {"packs", &r->packs},
	    {"dead", &r->dead},
	    {"repacked", &r->repacked},
	    {"merged", &r->merged},
	    {"written", &r->written},
	    {"kept_dead", &r->kept_dead},
	    {"no_room", &r->no_room},
	    {"leaving", &r->leaving},
	    {"indexes", &r->indexes},
	    {"orphans", &r->orphans},
	    {"removed", &r->removed},
	    {"waiting", &r->waiting},
	};

	for (size_t i = 0; item != NULL && i < ARRAY_LEN(counts); i++)
		if (json_object_set_new(item, counts[i].key,
			describe_count(counts[i].count)) != 0) {
			json_decref(item);
			item = NULL;
		}
	json_out_item(json, item);
}

/* --- in words ----------------------------------------------------------- */

static void
print_count(const char *what, const struct prune_count *c, const char *one,
    const char *many, const char *why)
{
	char n[OUTPUT_THINGS], size[OUTPUT_TEXT];

	if (c->n > 0)
		(void)printf("  %s %s, %s%s\n", what,
		    output_things(c->n, one, many, n),
		    output_size(c->bytes, size), why);
}

static void
print_plan(const struct prune_result *r, bool dry)
{
	print_count(dry ? "would remove" : "no longer needed:", &r->dead,
	    "pack", "packs", ": nothing in them is needed");
	print_count(dry ? "would repack" : "repacked", &r->repacked, "pack",
	    "packs", ": too much in them is dead");
	print_count(dry ? "would merge" : "merged", &r->merged, "small pack",
	    "small packs", "");
	print_count("wrote", &r->written, "pack", "packs", " in their place");
	print_count("removed", &r->orphans, "pack", "packs",
	    " that backups which never ended had left");
}

static void
print_rest(const struct prune_result *r)
{
	print_count("waiting:", &r->waiting, "object", "objects",
	    ": a backup is running that began before; prune again after it");
	print_count("dead, but kept:", &r->kept_dead, "pack", "packs",
	    " of them (see --max-dead)");
}

static void
print_result(
    const struct pruning *x, const char *dataset, const struct prune_result *r)
{
	char a[OUTPUT_THINGS], b[OUTPUT_TEXT], c[OUTPUT_THINGS];
	bool dry = x->opt.dry_run;

	if (x->run->common->quiet || r->lost_chunks > 0)
		return;
	(void)printf("%s: %s, %s; %s\n", dataset,
	    output_things(r->packs.n, "pack", "packs", a),
	    output_size(r->packs.bytes, b),
	    output_things(r->snapshots, "snapshot", "snapshots", c));
	print_plan(r, dry);
	print_rest(r);
	if (dry)
		return;
	(void)printf("  removed %s, %s; ",
	    output_things(r->removed.n, "object", "objects", a),
	    output_size(r->removed.bytes, b));
	if (r->removed.bytes >= r->written.bytes)
		(void)printf("%s given back\n",
		    output_size(r->removed.bytes - r->written.bytes, b));
	else
		(void)printf("%s more than before for now\n",
		    output_size(r->written.bytes - r->removed.bytes, b));
}

/* --- doing it ----------------------------------------------------------- */

static int
prune_dataset(struct pruning *x, const struct dataset *ds, struct err *err)
{
	struct prune_result r;
	int rc;

	memset(&x->progress, 0, sizeof(x->progress));
	x->lost = 0;
	if (!x->run->common->quiet && progress_wanted()) {
		rc = progress_start(draw, &x->progress, &x->run->progress, err);
		if (rc != 0)
			return rc;
	}
	rc = prune_run(
	    x->session->access, ds, x->session->heads, &x->opt, &r, err);
	progress_stop(STEAL(x->run->progress));
	if (rc != 0)
		return err_wrap(err, "dataset '%s'", ds->name);
	if (r.lost_chunks > 0)
		tell_lost(x, ds->name, &r);
	if (r.no_room.n > 0)
		tell_no_room(x, ds->name, &r);
	if (x->run->json != NULL)
		print_item(x->run->json, ds->name, &r);
	else
		print_result(x, ds->name, &r);
	return 0;
}

/*
 * One that can't be pruned does not keep the others from it; least of all when
 * there is no room for it.
 */
static int
prune_all(struct pruning *x, struct err *err)
{
	const struct access *a = x->session->access;
	struct err first = {0};

	for (size_t i = 0; i < access_datasets(a); i++) {
		struct err why;
		int rc = prune_dataset(x, access_dataset(a, i), &why);

		if (rc == 0)
			continue;
		if (rc == ERR_CANCELLED || rc == ERR_NOMEM)
			return err_copy(err, &why);
		if (first.code == 0)
			first = why;
		else
			message_error(x->run, &why);
	}
	return first.code == 0 ? 0 : err_copy(err, &first);
}

static int
prune_one(struct pruning *x, const char *name, struct err *err)
{
	const struct dataset *ds;
	int rc = session_dataset(x->session, name, &ds, err);

	return rc == 0 ? prune_dataset(x, ds, err) : rc;
}

static int
prune_command(struct run *run, void *values, struct err *err)
{
	const struct prune_args *args = values;
	const struct operands *o = &args->common.operands;
	const char *name = o->n > 0 ? o->v[0] : NULL;
	AUTO(session) struct session *s = NULL;
	struct pruning x = {.run = run};
	uint64_t max_dead = PRUNE_MAX_DEAD;
	int rc = 0;

	if (args->max_dead != NULL)
		rc = number_parse(args->max_dead, 0, 100, &max_dead, err);
	if (rc != 0)
		return err_wrap(err, "--max-dead");
	rc = session_open_for(run, &args->store, &name, 1, &s, err);
	if (rc != 0)
		return rc;
	x.session = s;
	x.opt = (struct prune_options){
	    .dry_run = args->dry_run,
	    .max_dead = (unsigned)max_dead,
	    .stop = run->stop,
	    .progress = &x.progress,
	    .on_damage = on_damage,
	    .on_lost = on_lost,
	    .arg = &x,
	};
	if (run->json != NULL)
		json_out_list(run->json, "datasets");
	rc = name != NULL ? prune_one(&x, name, err) : prune_all(&x, err);
	if (rc != 0)
		return rc;
	if (run->damaged != NULL && *run->damaged)
		return EXIT_DAMAGE;
	return x.partial ? EXIT_PARTIAL : EXIT_DONE;
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", prune_command_options, 0),
    STORE_GROUP(offsetof(struct prune_args, store)),
    KEY_GROUP(offsetof(struct prune_args, store)),
    PASSPHRASE_GROUP(offsetof(struct prune_args, store)),
    COMMON_GROUP,
};

const struct command cmd_prune = {
    .name = "prune",
    .summary = "give back the space of what no snapshot needs any more",
    .about = "Remove what only expired snapshots needed from all datasets, "
	     "or from one, repack what is\nmostly dead, and merge what is "
	     "small. Backups and mounts may go on meanwhile.",
    .operands = {"[DATASET]"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct prune_args),
    .run = prune_command,
};
