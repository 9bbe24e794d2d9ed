/* varve diff: what differs between two snapshots. */
#include "crypto/hash.h"
#include "snapshot/diff/diff.h"
#include "tools/describe.h"
#include "tools/escape.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"

#include <inttypes.h>
#include <string.h>

struct diff_args {
	struct common_args common;
	struct store_args store;
	struct store_args other;
};

/* One of the two snapshots, and the directory in it to compare. */
struct side {
	struct snapshot_arg arg;
	struct opened *opened;
	struct dir_entry top; /* its page holds what ${root} borrows */
	struct span root;
};

/* A comparison while it runs. */
struct comparing {
	struct run *run;
	uint64_t added, removed, changed, problems;
	bool damaged;
	_Atomic uint64_t found; /* for the progress line */
};

static const struct {
	enum diff_field field;
	const char *word;
} fields[] = {
    {DIFF_TYPE, "type"},
    {DIFF_CONTENT, "content"},
    {DIFF_SIZE, "size"},
    {DIFF_MODE, "mode"},
    {DIFF_OWNER, "owner"},
    {DIFF_MTIME, "mtime"},
    {DIFF_XATTRS, "xattrs"},
    {DIFF_TARGET, "target"},
    {DIFF_DEVICE, "device"},
    {DIFF_NLINK, "links"},
};

/* --- one difference ------------------------------------------------------ */

static const struct dir_entry *
entry_of(const struct diff_item *item)
{
	return item->b != NULL ? item->b : item->a;
}

static bool
is_dir(const struct dir_entry *de)
{
	return de->e.type == ENTRY_DIR;
}

static json_t *
item_json(const struct diff_item *item)
{
	static const char *const kinds[] = {"added", "removed", "changed"};
	json_t *what = json_array();

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if ((item->fields & fields[i].field) != 0)
			(void)json_array_append_new(
			    what, json_string(fields[i].word));
	}
	return json_pack("{s:s, s:o, s:s, s:o}", "change", kinds[item->kind],
	    "path", json_out_name(item->path, item->path_len), "type",
	    describe_type(entry_of(item)->e.type), "fields", what);
}

static void
print_item(const struct run *run, const struct diff_item *item)
{
	static const char marks[] = {'+', '-', 'M'};
	const char *gap = " (";

	progress_hide(run->progress);
	(void)printf("%c ", marks[item->kind]);
	if (item->path_len == 0)
		(void)putchar('.');
	escape_print(stdout, item->path, item->path_len);
	if (is_dir(entry_of(item)))
		(void)putchar('/');
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if ((item->fields & fields[i].field) == 0)
			continue;
		(void)printf("%s%s", gap, fields[i].word);
		gap = ", ";
	}
	(void)puts(gap[0] == ',' ? ")" : "");
	progress_show(run->progress);
}

static int
on_item(void *arg, const struct diff_item *item, bool *descend,
    UNUSED struct err *err)
{
	struct comparing *c = arg;

	*descend = true;
	switch (item->kind) {
	case DIFF_ADDED:
		c->added++;
		break;
	case DIFF_REMOVED:
		c->removed++;
		break;
	case DIFF_CHANGED:
		c->changed++;
		break;
	}
	atomic_fetch_add(&c->found, 1);
	if (c->run->json != NULL)
		json_out_item(c->run->json, item_json(item));
	else
		print_item(c->run, item);
	return 0;
}

static int
on_problem(void *arg, const char *path, UNUSED size_t path_len,
    const struct err *problem)
{
	struct comparing *c = arg;

	c->problems++;
	c->damaged = c->damaged || problem->code != ERR_IO;
	message_problem(c->run, "cannot compare '%s': %s", path, problem->text);
	return 0;
}

static void
draw(void *arg, double seconds, char *line, size_t cap)
{
	const struct comparing *c = arg;
	char n[OUTPUT_TEXT], time[OUTPUT_TEXT];

	(void)snprintf(line, cap, "comparing: %s differences so far; %s",
	    output_count(atomic_load(&c->found), n),
	    output_duration(seconds, time));
}

/* --- the two sides ------------------------------------------------------- */

static int
side_open(struct session *s, struct side *side, struct err *err)
{
	int r = session_snapshot(s, &side->arg, &side->opened, err);

	if (r != 0)
		return r;
	side->root = side->opened->root;
	if (side->arg.path == NULL)
		return 0;
	r = dir_resolve(side->opened->chunks, &side->opened->root,
	    side->arg.path, &side->top, err);
	if (r != 0)
		return err_wrap(
		    err, "%s@%s", side->arg.dataset, side->arg.time);
	side->root = side->top.raw;
	return 0;
}

static void
side_clear(struct side *side)
{
	dir_entry_release(&side->top);
	opened_free(side->opened);
	snapshot_arg_clear(&side->arg);
}

/* Chunks of both are named alike when both datasets have one id key. */
static bool
same_names(const struct side *a, const struct side *b)
{
	const struct keyset *ka =
	    keyring_latest(log_dataset(a->opened->log)->keys);
	const struct keyset *kb =
	    keyring_latest(log_dataset(b->opened->log)->keys);

	return ka != NULL && kb != NULL &&
	       ct_equal(ka->id.b, kb->id.b, KEY_LEN);
}

static void
show_totals(const struct comparing *c)
{
	char a[OUTPUT_TEXT], b[OUTPUT_TEXT], d[OUTPUT_TEXT];

	if (c->run->json != NULL) {
		struct json_out *o = c->run->json;

		json_out_member(o, "added", describe_u64(c->added));
		json_out_member(o, "removed", describe_u64(c->removed));
		json_out_member(o, "changed", describe_u64(c->changed));
		json_out_member(o, "problems", describe_u64(c->problems));
	} else if (c->added + c->removed + c->changed + c->problems == 0) {
		message_result(c->run, "no difference");
	} else {
		message_result(c->run, "%s added, %s removed, %s changed",
		    output_count(c->added, a), output_count(c->removed, b),
		    output_count(c->changed, d));
	}
}

static int
compare(struct run *run, const struct side *a, const struct side *b,
    struct err *err)
{
	struct comparing c = {.run = run};
	const struct diff_side sa = {a->opened->chunks, a->root};
	const struct diff_side sb = {b->opened->chunks, b->root};
	const struct diff_options opt = {
	    .same_names = same_names(a, b),
	    .on_item = on_item,
	    .on_problem = on_problem,
	    .arg = &c,
	    .stop = run->stop,
	};
	int r = 0;

	if (run->json != NULL) {
		json_out_member(run->json, "a",
		    describe_snapshot(a->opened->snapshot, a->arg.dataset));
		json_out_member(run->json, "b",
		    describe_snapshot(b->opened->snapshot, b->arg.dataset));
		json_out_list(run->json, "changes");
	}
	if (!run->common->quiet && progress_wanted())
		r = progress_start(draw, &c, &run->progress, err);
	if (r == 0)
		r = diff_run(&sa, &sb, &opt, err);
	progress_stop(STEAL(run->progress));
	if (r != 0)
		return r;
	show_totals(&c);
	if (c.damaged)
		return EXIT_DAMAGE;
	return c.problems > 0 ? EXIT_PARTIAL : EXIT_DONE;
}

static int
open_and_compare(struct run *run, const struct diff_args *args, struct side *a,
    struct side *b, struct err *err)
{
	AUTO(session) struct session *first = NULL;
	AUTO(session) struct session *second = NULL;
	const char *names[] = {a->arg.dataset, b->arg.dataset};
	bool two = args->other.store != NULL;
	int r = session_open_for(
	    run, &args->store, names, two ? 1 : 2, &first, err);

	if (r == 0 && two)
		r = session_open_for(
		    run, &args->other, &names[1], 1, &second, err);
	if (r == 0)
		r = side_open(first, a, err);
	if (r == 0)
		r = side_open(second != NULL ? second : first, b, err);
	if (r == 0)
		r = compare(run, a, b, err);
	/* Before the stores they read from. */
	side_clear(a);
	side_clear(b);
	return r;
}

/* One of ${n} options whose value ${args} has; NULL: none. */
static const struct option *
find_given(
    const struct store_args *args, const struct option *options, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *value;

		if (options[i].type != OPTION_TEXT)
			continue;
		memcpy(&value, (const char *)args + options[i].offset,
		    sizeof(value));
		if (value != NULL)
			return &options[i];
	}
	return NULL;
}

/* What is said of B's store says nothing where B is in A's. */
static int
check_other(const struct store_args *other, struct err *err)
{
	const struct option *given = NULL;

	if (other->store != NULL)
		return 0;
	given = find_given(other, store_options, ARRAY_LEN(store_options));
	if (given == NULL)
		given = find_given(other, key_options, ARRAY_LEN(key_options));
	if (given == NULL)
		given = find_given(
		    other, passphrase_options, ARRAY_LEN(passphrase_options));
	if (given == NULL)
		return 0;
	return err_set(err, ERR_USAGE,
	    "--other-%s is for another store of B's: say --other-store STORE,"
	    " too",
	    given->name);
}

static int
diff_command(struct run *run, void *values, struct err *err)
{
	const struct diff_args *args = values;
	struct side a = {0}, b = {0};
	int r = check_other(&args->other, err);

	if (r == 0)
		r = snapshot_arg_parse(args->common.operands.v[0], &a.arg, err);
	if (r == 0)
		r = snapshot_arg_parse(args->common.operands.v[1], &b.arg, err);
	if (r == 0)
		return open_and_compare(run, args, &a, &b, err);
	side_clear(&a);
	side_clear(&b);
	return r;
}

#define OTHER_GROUP(what, list)                                                \
	{                                                                      \
		.title = (what), .options = (list), .n = ARRAY_LEN(list),      \
		.base = offsetof(struct diff_args, other), .prefix = "other-"  \
	}
static const struct option_group groups[] = {
    STORE_GROUP(offsetof(struct diff_args, store)),
    KEY_GROUP(offsetof(struct diff_args, store)),
    PASSPHRASE_GROUP(offsetof(struct diff_args, store)),
    OTHER_GROUP("B's store, where it is another one", store_options),
    OTHER_GROUP("Its key", key_options),
    OTHER_GROUP("Its passphrase", passphrase_options),
    COMMON_GROUP,
};

const struct command cmd_diff = {
    .name = "diff",
    .summary = "what differs between two snapshots",
    .about = "Show what differs between A and B, each DATASET@TIME[:PATH]: "
	     "'+' only in B,\n'-' only in A, 'M' in both, and what of it. "
	     "The time it takes follows the\ndifference, not the size.",
    .operands = {"A", "B"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct diff_args),
    .run = diff_command,
};
