/* varve settle: say that this store's history of a dataset counts. */
#include "snapshot/log/log.h"
#include "snapshot/log/record.h"
#include "tools/asking.h"
#include "tools/describe.h"
#include "tools/escape.h"
#include "tools/message.h"
#include "tools/output.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 100 /* records of the other history, the newest ones */

struct settle_args {
	struct common_args common;
	struct store_args store;
	struct remote_args how;
	bool dry_run;
};

static const struct option settle_options[] = {
    {"dry-run", 0, OPTION_FLAG, NULL, "only show what would be moved aside",
	NULL, offsetof(struct settle_args, dry_run), 0, 0},
};

/* One run of the command. */
struct settling {
	struct run *run;
	struct remote *remote;
	const struct dataset *ds;
	struct asking asking;
	struct demote_fork fork; /* the dataset's */
	struct settlement what;
};

/* --- where the histories part ------------------------------------------- */

static int
find_fork(struct settling *s, struct err *err)
{
	DEMOTE_PLAN_AUTO struct demote_plan plan = {0};
	int r = demote_look(s->asking.store, &s->asking.other, &plan, err);

	for (size_t i = 0; r == 0 && i < plan.n; i++)
		if (memcmp(plan.forks[i].dataset, s->ds->id, DATASET_ID_LEN) ==
		    0)
			s->fork = plan.forks[i];
	return r;
}

/* Whether it has records that are not here. */
static bool
has_others(const struct demote_fork *f)
{
	return f->theirs > f->common;
}

static int
check_fork(const struct settling *s, struct err *err)
{
	const struct demote_fork *f = &s->fork;

	/* One that is behind may be held up by what was settled before. */
	if (!has_others(f) && f->head <= f->common)
		return err_set(err, ERR_USAGE,
		    "dataset '%s' has one history: %s has no record that is"
		    " not here",
		    s->ds->name, s->remote->text);
	if (f->head <= f->common)
		return err_set(err, ERR_USAGE,
		    "dataset '%s' has no record here after number %ju, which"
		    " %s goes on from: make a backup, which counts then",
		    s->ds->name, (uintmax_t)f->common, s->remote->text);
	return 0;
}

/* What is to be said of it. */
static int
name_records(struct settling *s, struct err *err)
{
	RECORD_REFS_AUTO struct record_refs refs = {0};
	int r = record_refs_list(s->asking.store, s->ds->id, &refs, err);

	s->what.seq = s->fork.common + 1;
	memcpy(s->what.dataset, s->ds->id, DATASET_ID_LEN);
	for (size_t i = 0; r == 0 && i < refs.n; i++) {
		if (refs.v[i].seq == s->fork.common)
			memcpy(s->what.prev, refs.v[i].name, OBJECT_NAME_LEN);
		if (refs.v[i].seq == s->what.seq)
			memcpy(s->what.name, refs.v[i].name, OBJECT_NAME_LEN);
	}
	return r;
}

/* --- the other history -------------------------------------------------- */

static const char *
type_name(enum record_type type)
{
	static const char *const names[] = {
	    [RECORD_SNAPSHOT] = "snapshot",
	    [RECORD_EXPIRE] = "expire",
	    [RECORD_HOLD] = "hold",
	    [RECORD_RULES] = "rules",
	    [RECORD_PRUNE] = "prune",
	    [RECORD_PRIMARY] = "primary",
	};

	return names[type];
}

/*
 * Whether the record is what it is listed as. The site may say of anything that
 * it is a record, and of anybody that they signed it.
 */
static int
check_record(const struct settling *s, const struct object_ref *ref,
    const struct record_clear *clear, const uint8_t *buf, size_t len,
    struct err *err)
{
	const struct access *a = s->remote->session->access;

	if (clear->head.seq != ref->seq ||
	    memcmp(clear->head.dataset, ref->dataset, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_CORRUPT,
		    "%s shows another record as number %ju", s->remote->text,
		    (uintmax_t)ref->seq);
	return log_verify(a, clear, buf, len, err);
}

/* ${doubt} NULL: the signature is that of who it names, and who may sign. */
static void
show_record(const struct settling *s, const struct record_head *h,
    const struct err *doubt)
{
	const char *signer =
	    access_signer_name(s->remote->session->access, h->signer);
	const struct moment when = {h->time, 0};
	char time[OUTPUT_TIME];

	if (signer == NULL)
		signer = "an unknown key";
	if (s->run->json != NULL) {
		json_out_item(s->run->json,
		    json_pack("{s:o, s:s, s:o, s:o, s:b}", "record",
			describe_u64(h->seq), "what", type_name(h->type),
			"time", describe_moment(when), "signer",
			json_out_name(signer, strlen(signer)), "verified",
			doubt == NULL));
		return;
	}
	(void)printf("record %ju, %s, %s, %s ", (uintmax_t)h->seq,
	    type_name(h->type), output_time(when, time),
	    doubt == NULL ? "signed by" : "not signed by who may, but says");
	escape_message(stdout, signer);
	if (doubt != NULL) {
		(void)fputs(": ", stdout);
		escape_message(stdout, doubt->text);
	}
	(void)putchar('\n');
}

/* Each names the one before it: the newest first. */
static int
show_records(struct settling *s, struct err *err)
{
	const struct frame_log *head = asking_head(&s->asking, s->ds->id);
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = head->seq};
	int r = 0;

	memcpy(ref.dataset, s->ds->id, STORE_DATASET_LEN);
	memcpy(ref.name, head->head, OBJECT_NAME_LEN);
	for (int i = 0; r == 0 && i < SHOWN_MAX && ref.seq > s->fork.common;
	     i++) {
		struct record_clear clear;
		uint8_t *buf = NULL;
		size_t len;

		r = fetch_bytes(
		    s->asking.fetch.channel, &ref, RECORD_MAX, &buf, &len, err);
		if (r == 0)
			r = record_peek(buf, len, &clear, err);
		if (r == 0)
			r = check_record(s, &ref, &clear, buf, len, err);
		if (r == 0 || r == ERR_AUTH) {
			show_record(s, &clear.head, r == 0 ? NULL : err);
			r = 0;
			memcpy(ref.name, clear.head.prev, OBJECT_NAME_LEN);
			ref.seq--;
		}
		free(buf);
	}
	return r;
}

static void
show_text(const struct settling *s)
{
	const struct demote_fork *f = &s->fork;
	char n[OUTPUT_THINGS];

	if (!has_others(f)) {
		(void)printf("%s has no other record of '%s': after number %ju"
			     " it will take this store's, whatever was settled"
			     " before\n",
		    s->remote->text, s->ds->name, (uintmax_t)f->common);
		return;
	}
	(void)printf("%s of '%s' at %s after number %ju will be moved aside"
		     " there:\n",
	    output_things(f->theirs - f->common, "record", "records", n),
	    s->ds->name, s->remote->text, (uintmax_t)f->common);
}

static int
show(struct settling *s, struct err *err)
{
	const struct demote_fork *f = &s->fork;
	struct json_out *json = s->run->json;
	int r = 0;

	if (json != NULL) {
		json_out_member(json, "dataset", json_string(s->ds->name));
		json_out_member(json, "common", describe_u64(f->common));
		json_out_member(
		    json, "records", describe_u64(f->theirs - f->common));
		json_out_list(json, "newest");
	} else {
		show_text(s);
	}
	if (has_others(f))
		r = show_records(s, err);
	if (json != NULL)
		json_out_end_list(json);
	return r;
}

/* --- the whole ---------------------------------------------------------- */

static int
look(struct settling *s, struct err *err)
{
	int r = asking_begin(&s->asking, s->remote, err);

	if (r == 0)
		r = find_fork(s, err);
	if (r == 0)
		r = check_fork(s, err);
	if (r == 0)
		r = name_records(s, err);
	if (r == 0)
		r = show(s, err);
	asking_end(&s->asking, s->remote);
	return r;
}

static int
settle(struct settling *s, const struct settle_args *args, struct err *err)
{
	struct access *a = s->remote->session->access;
	int r = look(s, err);

	if (r == 0 && !args->dry_run)
		r = access_settle(a, &s->what, err);
	if (s->run->json != NULL)
		json_out_member(s->run->json, "settled",
		    json_boolean(r == 0 && !args->dry_run));
	if (r != 0 || args->dry_run)
		return r;
	message_result(s->run,
	    "this store's history of '%s' counts now: 'varve replicate %s' goes"
	    " on with it%s",
	    s->ds->name, args->common.operands.v[1],
	    has_others(&s->fork)
		? "; end the grant of whose key began the other one"
		: "");
	return EXIT_DONE;
}

static int
settle_command(struct run *run, void *values, struct err *err)
{
	const struct settle_args *args = values;
	const char *const *o = args->common.operands.v;
	AUTO(remote) struct remote *remote = NULL;
	struct settling s = {.run = run};
	int r = remote_open(
	    run, &args->store, &args->how, REMOTE_BY_PERSON, &remote, err);

	if (r == 0)
		r = session_dataset(remote->session, o[0], &s.ds, err);
	if (r == 0 && !access_is_admin(remote->session->access))
		r = err_set(
		    err, ERR_DENIED, "only an admin says which history counts");
	if (r == 0)
		r = remote_find(remote, o[1], err);
	s.remote = remote;
	return r != 0 ? r : settle(&s, args, err);
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", settle_options, 0),
    REMOTE_GROUP(offsetof(struct settle_args, how)),
    STORE_GROUP(offsetof(struct settle_args, store)),
    KEY_GROUP(offsetof(struct settle_args, store)),
    PASSPHRASE_GROUP(offsetof(struct settle_args, store)),
    COMMON_GROUP,
};

const struct command cmd_settle = {
    .name = "settle",
    .summary = "say that this store's history of a dataset counts",
    .about = "Where the log of DATASET goes on in another way at SITE than "
	     "here, say that this\nstore's way counts: SITE moves the other "
	     "records aside, and keeps them. Only an\nadmin can.",
    .operands = {"DATASET", "SITE"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct settle_args),
    .run = settle_command,
};
