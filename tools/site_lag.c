#include "tools/site_lag.h"

#include "snapshot/site/lag.h"
#include "snapshot/site/sitedir.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/table.h"

#include <string.h>

#define SOON (30 * INT64_C(86400))

struct showing {
	struct session *session;
	struct receipts *receipts;     /* NULL: this machine keeps none */
	uint8_t here[IDENTITY_ID_LEN]; /* this store's own site, or zero */
	struct table table;
	/* The dataset that is looked at. */
	const uint8_t *dataset;
	struct lag_log *log;
};

const char *
site_lag_dataset(const struct session *s, const uint8_t id[DATASET_ID_LEN],
    char out[SITE_LAG_DATASET])
{
	char hex[2 * DATASET_ID_LEN + 1];

	for (size_t i = 0; i < access_datasets(s->access); i++) {
		const struct dataset *ds = access_dataset(s->access, i);

		if (memcmp(ds->id, id, DATASET_ID_LEN) == 0) {
			(void)snprintf(out, SITE_LAG_DATASET, "%s", ds->name);
			return out;
		}
	}
	(void)snprintf(out, SITE_LAG_DATASET, "%.8s...",
	    output_hex(id, DATASET_ID_LEN, hex));
	return out;
}

/* --- one dataset at one site -------------------------------------------- */

static void
show_row(struct showing *w, const struct statement *st, const struct lag *lag)
{
	char dataset[SITE_LAG_DATASET], time[OUTPUT_TIME] = "never";
	char snapshots[OUTPUT_TEXT], bytes[OUTPUT_TEXT], behind[OUTPUT_TEXT];
	const char *cells[] = {st->site.pub.name, snapshots, bytes, behind,
	    time, site_lag_dataset(w->session, w->dataset, dataset)};

	(void)output_count(lag->snapshots, snapshots);
	(void)output_size(lag->bytes, bytes);
	(void)snprintf(behind, sizeof(behind), "-");
	if (lag->snapshots > 0)
		(void)output_duration((double)lag->seconds, behind);
	if (lag->received)
		(void)output_time((struct moment){lag->time, 0}, time);
	if (lag->forked) {
		(void)snprintf(snapshots, sizeof(snapshots), "?");
		(void)snprintf(bytes, sizeof(bytes), "?");
		(void)snprintf(behind, sizeof(behind), "other history");
	}
	table_row(&w->table, cells);
}

static json_t *
lag_json(
    const struct showing *w, const struct statement *st, const struct lag *lag)
{
	char dataset[SITE_LAG_DATASET], id[2 * DATASET_ID_LEN + 1];

	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:b}",
	    "site", st->site.pub.name, "dataset",
	    site_lag_dataset(w->session, w->dataset, dataset), "dataset_id",
	    output_hex(w->dataset, DATASET_ID_LEN, id), "other_history",
	    lag->forked, "holds", describe_u64(lag->seq), "receipt",
	    lag->received ? describe_moment((struct moment){lag->time, 0})
			  : json_null(),
	    "behind_snapshots", describe_u64(lag->snapshots), "behind_bytes",
	    describe_u64(lag->bytes), "behind_seconds",
	    json_integer(lag->seconds), "allowed",
	    site_allowed(w->session->access, st, session_now().s, NULL) == 0);
}

static int
measure(const struct showing *w, const struct statement *st, struct lag *lag,
    struct err *err)
{
	return lag_measure(
	    w->log, &st->site.pub, w->receipts, session_now().s, lag, err);
}

static int
show_site(void *arg, const struct statement *st, struct err *err)
{
	struct showing *w = arg;
	struct lag lag;
	int r;

	if (statement_ended(st) ||
	    memcmp(st->site.pub.id, w->here, sizeof(w->here)) == 0)
		return 0;
	r = measure(w, st, &lag, err);
	if (r != 0)
		return err_wrap(err, "site '%s'", st->site.pub.name);
	if (lag.forked && w->session->run->damaged != NULL)
		*w->session->run->damaged = true;
	if (w->session->run->json != NULL)
		json_out_item(w->session->run->json, lag_json(w, st, &lag));
	else
		show_row(w, st, &lag);
	return 0;
}

/* --- whether it may go on ----------------------------------------------- */

/* A copy that is up to date today, and gets no more tomorrow, is to be known. */
static int
warn_of_end(void *arg, const struct statement *st, UNUSED struct err *err)
{
	const struct showing *w = arg;
	const struct run *run = w->session->run;
	int64_t now = session_now().s;
	char until[OUTPUT_TIME];
	struct err why = {0};

	if (statement_ended(st) ||
	    memcmp(st->site.pub.id, w->here, sizeof(w->here)) == 0)
		return 0;
	if (site_allowed(w->session->access, st, now, &why) != 0)
		message_warning(run, "%s", why.text);
	else if (st->site.until - now < SOON)
		message_warning(run,
		    "the statement of site '%s' ends on %s: in time, the site "
		    "makes a new request, and an admin adds it with 'varve "
		    "site add'",
		    st->site.pub.name, output_until(st->site.until, until));
	return 0;
}

/* --- all ---------------------------------------------------------------- */

static int
show_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct showing *w = arg;
	AUTO(lag_log) struct lag_log *log = NULL;
	struct access *a = w->session->access;
	struct err why;
	int r = lag_log_new(access_store(a), ref->dataset, &log, &why);

	w->dataset = ref->dataset;
	w->log = log;
	if (r == 0 && lag_log_head(log) > 0)
		r = site_each(a, show_site, w, &why);
	return r == 0 ? 0 : session_pass_over(w->session, &why, err);
}

static int
open_receipts(const struct session *s, struct receipts **out, struct err *err)
{
	if (s->state_dir == NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "this machine keeps no receipts: it has no place for them");
	return receipts_open(
	    s->state_dir, access_root(s->access)->store, out, err);
}

/* A site doesn't lag behind itself. */
static void
find_own_site(struct showing *w)
{
	const char *path = store_path(access_store(w->session->access));
	struct site_request request;

	if (path != NULL && sitedir_peek(path, &request, NULL) == 0)
		memcpy(w->here, request.site.pub.id, sizeof(w->here));
}

int
site_lag_show(struct session *s, struct err *err)
{
	AUTO(receipts) struct receipts *receipts = NULL;
	struct showing w = {
	    .session = s,
	    .table =
		{
		    .ncolumns = 6,
		    .titles = {"SITE", "MISSING", "BYTES", "FOR", "RECEIPT",
			"DATASET"},
		    .right = {false, true, true, true, false, false},
		},
	};
	int r = open_receipts(s, &receipts, err);

	if (r != 0)
		return r;
	w.receipts = receipts;
	find_own_site(&w);
	if ((r = site_each(s->access, warn_of_end, &w, err)) != 0)
		return r;
	if (s->run->json != NULL)
		json_out_list(s->run->json, "sites");
	r = store_list_datasets(access_store(s->access), show_dataset, &w, err);
	if (s->run->json != NULL)
		json_out_end_list(s->run->json);
	else if (r == 0 && w.table.ncells > 0)
		r = table_print(&w.table, !s->run->common->quiet, stdout, err);
	table_clear(&w.table);
	return r;
}
