/* varve status: what a store is, and how far its sites are behind. */
#include "snapshot/log/log.h"
#include "snapshot/site/lag.h"
#include "snapshot/site/sitedir.h"
#include "tools/describe.h"
#include "tools/escape.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/site_lag.h"
#include "tools/table.h"

#include <stdlib.h>
#include <string.h>

#define REFUSALS_SHOWN 10
#define NOT_TAKEN " (not taken over: see varve-promote(1))"

struct status_args {
	struct common_args common;
	struct store_args store;
	uint64_t refusals;
};

static const struct option status_options[] = {
    {"refusals", 0, OPTION_NUMBER, "N",
	"show the N latest things that the site refused; by default 10", NULL,
	offsetof(struct status_args, refusals), 1, SITEDB_REFUSALS_MAX},
};

/* What is looked at. */
struct looking {
	struct run *run;
	struct session *session;
	const char *path;     /* the store's */
	struct sitedir *site; /* NULL: there is none, or it can't be opened */
	struct table table;
};

/* --- the site ----------------------------------------------------------- */

static int
show_role(const struct looking *l, struct err *err)
{
	struct store *store = access_store(l->session->access);
	char site[STORE_SITE_MAX];
	bool replica;
	int r = store_replica(store, &replica, site, err);

	if (r != 0)
		return r;
	if (l->run->json != NULL)
		json_out_member(l->run->json, "role",
		    json_string(replica ? "replica" : "primary"));
	else
		(void)printf("role   %s\n", replica ? "replica" : "primary");
	return 0;
}

static void
show_request(const struct looking *l, const struct site *s)
{
	char id[2 * IDENTITY_ID_LEN + 1];

	(void)output_hex(s->pub.id, IDENTITY_ID_LEN, id);
	if (l->run->json != NULL)
		json_out_member(l->run->json, "site",
		    json_pack("{s:s, s:s, s:s, s:s, s:o}", "site", s->pub.name,
			"id", id, "country", s->country, "accreditation",
			s->accreditation, "until",
			describe_moment((struct moment){s->until, 0})));
	else
		(void)printf("site   %s, %s, %s; key %s\n", s->pub.name,
		    s->country, s->accreditation, id);
}

/* The lock and the clock, which tell what may be deleted. */
static int
show_lock(const struct looking *l, struct sitedb *db, struct err *err)
{
	char text[OUTPUT_TEXT];
	struct site_time now;
	int64_t lock;
	int r = sitedb_lock(db, &lock, err);

	if (r == 0)
		r = sitedb_clock(db, session_now().s, &now, err);
	if (r != 0)
		return r;
	if (l->run->json != NULL) {
		json_out_member(
		    l->run->json, "lock_seconds", json_integer(lock));
		json_out_member(l->run->json, "clock_behind_seconds",
		    json_integer(now.back));
		json_out_member(l->run->json, "clock_ahead_seconds",
		    json_integer(now.now - now.borne));
		return 0;
	}
	(void)printf("lock   %s\n", output_duration((double)lock, text));
	if (now.behind)
		(void)printf("clock  %s behind what it was: nothing is deleted "
			     "until it is right\n",
		    output_duration((double)now.back, text));
	if (now.now - now.borne > SITEDB_CLOCK_SLACK)
		(void)printf("clock  %s ahead of what is borne out: the lock "
			     "goes on without that\n",
		    output_duration((double)(now.now - now.borne), text));
	return 0;
}

static int
show_refusal(void *arg, const struct sitedb_refusal *r, UNUSED struct err *err)
{
	const struct looking *l = arg;
	const struct moment last = {r->time, 0}, first = {r->since, 0};
	char time[OUTPUT_TIME], times[OUTPUT_TEXT];

	if (l->run->json != NULL) {
		json_out_item(l->run->json,
		    json_pack("{s:o, s:o, s:o, s:b, s:o, s:o}", "time",
			describe_moment(last), "since", describe_moment(first),
			"times", describe_u64(r->times), "known", r->known,
			"client", json_out_name(r->client, strlen(r->client)),
			"what", json_out_name(r->what, strlen(r->what))));
		return 0;
	}
	(void)printf("refused %s ", output_time(last, time));
	escape_message(stdout, r->client);
	(void)fputs(": ", stdout);
	escape_message(stdout, r->what);
	if (r->times > 1)
		(void)printf(" (%s times since %s)",
		    output_count(r->times, times), output_time(first, time));
	(void)putchar('\n');
	return 0;
}

static int
show_site(struct looking *l, size_t refusals, struct err *err)
{
	struct site_request request;
	struct err why = {0};
	int r;

	if (sitedir_peek(l->path, &request, &why) != 0)
		return why.code == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
	show_request(l, &request.site);
	r = sitedir_open(l->path, &l->site, &why);
	if (r == ERR_DENIED) {
		message_warning(l->run,
		    "the site's lock, clock and refusals can't be shown: %s",
		    why.text);
		return 0;
	}
	if (r != 0)
		return err_copy(err, &why);
	if ((r = show_lock(l, sitedir_db(l->site), err)) != 0)
		return r;
	if (l->run->json != NULL)
		json_out_list(l->run->json, "refusals");
	r = sitedb_refusals(
	    sitedir_db(l->site), refusals, show_refusal, l, err);
	if (l->run->json != NULL)
		json_out_end_list(l->run->json);
	return r;
}

/* --- what it holds ------------------------------------------------------ */

/* By its listing alone: ${newest} is of the newest snapshot, if there is any. */
static int
tell_behind(const struct looking *l, const struct object_ref *ref,
    const char *name, const struct moment *newest, struct err *err)
{
	struct log_behind b;
	int r = log_behind_look(access_store(l->session->access), ref->dataset,
	    l->session->heads, &b, err);

	if (r != 0 || b.seen == 0)
		return r;
	b.any = newest != NULL;
	if (newest != NULL)
		b.newest = *newest;
	session_behind(l->run, name, &b);
	return 0;
}

/* What is shown of a dataset. */
struct held {
	uint64_t records;
	bool any; /* a snapshot: the newest is of ${newest} */
	struct moment newest;
	bool left; /* see store_left() */
};

static int
look_at(struct store *s, const uint8_t dataset[DATASET_ID_LEN],
    struct held *out, struct err *err)
{
	AUTO(lag_log) struct lag_log *log = NULL;
	int r = lag_log_new(s, dataset, &log, err);

	*out = (struct held){0};
	if (r != 0)
		return r;
	r = lag_log_newest(log, &out->newest.s, err);
	if (r != 0 && r != ERR_NOT_FOUND)
		return r;
	out->any = r == 0;
	out->records = lag_log_head(log);
	return store_left(s, dataset, &out->left, err);
}

static json_t *
describe_held(const struct held *h, const uint8_t dataset[DATASET_ID_LEN],
    const char *name)
{
	char id[2 * DATASET_ID_LEN + 1];

	return json_pack("{s:s, s:s, s:o, s:o, s:b}", "dataset", name,
	    "dataset_id", output_hex(dataset, DATASET_ID_LEN, id), "records",
	    describe_u64(h->records), "newest",
	    h->any ? describe_moment(h->newest) : json_null(), "left", h->left);
}

static void
show_held(struct table *table, const struct held *h, const char *name)
{
	char records[OUTPUT_TEXT], newest[OUTPUT_TIME] = "-";
	char shown[SITE_LAG_DATASET + sizeof(NOT_TAKEN)];
	const char *cells[] = {records, newest, shown};

	(void)snprintf(
	    shown, sizeof(shown), "%s%s", name, h->left ? NOT_TAKEN : "");
	(void)output_count(h->records, records);
	if (h->any)
		(void)output_time(h->newest, newest);
	table_row(table, cells);
}

static int
show_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct looking *l = arg;
	char name[SITE_LAG_DATASET];
	struct held held;
	struct err why = {0};
	int r = look_at(
	    access_store(l->session->access), ref->dataset, &held, &why);

	if (r != 0)
		return session_pass_over(l->session, &why, err);
	(void)site_lag_dataset(l->session, ref->dataset, name);
	r = tell_behind(l, ref, name, held.any ? &held.newest : NULL, err);
	if (r != 0)
		return r;
	if (l->run->json != NULL)
		json_out_item(
		    l->run->json, describe_held(&held, ref->dataset, name));
	else
		show_held(&l->table, &held, name);
	return 0;
}

/* A log_gone_fn. */
static int
tell_gone(void *arg, const struct object_ref *newest, enum log_gone_how how,
    struct err *err)
{
	const struct looking *l = arg;
	const struct log_behind behind = {.seen = newest->seq};
	char name[SITE_LAG_DATASET];
	struct err why;

	(void)site_lag_dataset(l->session, newest->dataset, name);
	if (how == LOG_GONE_BEHIND) {
		session_behind(l->run, name, &behind);
		return 0;
	}
	(void)err_set(&why, ERR_CORRUPT,
	    how == LOG_GONE_ARRIVED
		? "dataset '%s' is gone: record %ju of it has arrived at"
		  " this site, and the store shows none any more"
		: "dataset '%s' is gone: this machine has seen record %ju"
		  " of it, and the store shows none any more",
	    name, (uintmax_t)newest->seq);
	return session_pass_over(l->session, &why, err);
}

static int
show_datasets(struct looking *l, struct err *err)
{
	int r;

	if (l->run->json != NULL)
		json_out_list(l->run->json, "datasets");
	r = store_list_datasets(
	    access_store(l->session->access), show_dataset, l, err);
	if (l->run->json != NULL)
		json_out_end_list(l->run->json);
	else if (r == 0 && l->table.ncells > 0)
		r = table_print(&l->table, !l->run->common->quiet, stdout, err);
	if (r != 0)
		return r;
	return log_gone(l->session->access, l->session->heads,
	    l->site != NULL ? sitedir_db(l->site) : NULL, tell_gone, l, err);
}

/* --- the command -------------------------------------------------------- */

/* Without a key, datasets have no names; nobody is asked for one here. */
static int
open_store(struct run *run, const struct store_args *args, struct session **out,
    struct err *err)
{
	bool key = args->key_file != NULL || args->recovery_key_file != NULL ||
		   args->passphrase_file != NULL ||
		   args->passphrase_command != NULL ||
		   getenv("VARVE_PASSPHRASE") != NULL;

	return key ? session_open(run, args, out, err)
		   : session_open_keyless(run, args, out, err);
}

/* An empty replica has nothing but its site. */
static int
show_waiting(struct looking *l, size_t refusals, struct err *err)
{
	if (l->run->json != NULL)
		json_out_member(l->run->json, "role", json_string("replica"));
	else
		(void)puts("role   replica; nothing was sent to it yet");
	return show_site(l, refusals, err);
}

static int
show_all(struct looking *l, size_t refusals, struct err *err)
{
	int r = show_role(l, err);

	if (r == 0)
		r = show_site(l, refusals, err);
	if (r == 0)
		r = show_datasets(l, err);
	return r != 0 ? r : site_lag_show(l->session, err);
}

static int
status_run(struct run *run, void *values, struct err *err)
{
	const struct status_args *args = values;
	AUTO(session) struct session *s = NULL;
	struct site_request request;
	struct looking l = {
	    .run = run,
	    .table = {.ncolumns = 3,
		.titles = {"RECORDS", "NEWEST SNAPSHOT", "DATASET"},
		.right = {true}},
	};
	size_t refusals =
	    args->refusals != 0 ? (size_t)args->refusals : REFUSALS_SHOWN;
	int r = session_address(&args->store, &l.path, err);

	if (r != 0)
		return r;
	r = open_store(run, &args->store, &s, err);
	if (r == ERR_NOT_FOUND && sitedir_peek(l.path, &request, NULL) == 0) {
		r = show_waiting(&l, refusals, err);
	} else if (r == 0) {
		l.session = s;
		l.path = store_path(access_store(s->access));
		r = show_all(&l, refusals, err);
	}
	sitedir_close(l.site);
	table_clear(&l.table);
	return r;
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", status_options, 0),
    STORE_GROUP(offsetof(struct status_args, store)),
    KEY_GROUP(offsetof(struct status_args, store)),
    PASSPHRASE_GROUP(offsetof(struct status_args, store)),
    COMMON_GROUP,
};

const struct command cmd_status = {
    .name = "status",
    .summary = "say what a store is, and how far its sites are behind",
    .about = "Show whether the store is the primary or a replica, its site "
	     "with its lock, its\nclock and what it refused, the newest "
	     "snapshot of each dataset, and how far each\nsite is behind by "
	     "its receipts. Needs no key; without one, datasets show by "
	     "their\nids.",
    .operands = {NULL},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct status_args),
    .run = status_run,
};
