#include "snapshot/site/lag.h"
#include "tests/unit/promote_fixture.h"

static int
on_dataset(void *arg, const struct promoted *p, struct err *err)
{
	int *left = arg;

	assert_null(p->why);
	assert_non_null(p->log);
	return --*left == 0 ? err_set(err, ERR_IO, "cut off") : 0;
}

static const struct promote_options plain = {.clock = NOW};

static void
promote_run__takes_every_dataset_over(void **state)
{
	struct world *w = *state;
	const struct dataset *a = backed_up(w, "a", 2);
	const struct dataset *b = backed_up(w, "b", 1);
	const struct dataset *c = backed_up(w, "c", 0);
	struct identity_public site = make_site(w);
	AUTO(log) struct log *l = NULL;
	const struct record *r;
	int left = -1;

	become_replica(w);
	assert_ok(promote_run(w->alice, &plain, on_dataset, &left, &err));
	assert_int_equal(left, -4);
	assert_false(is_replica(w));
	assert_int_equal(changes(w, a), 1);
	assert_int_equal(changes(w, b), 1);
	assert_int_equal(changes(w, c), 1);
	assert_ok(log_load(w->alice, a, NULL, &l, &err));
	r = log_record_at(l, 3);
	assert_string_equal(r->primary.site, "dr");
	assert_memory_equal(r->primary.id, site.id, IDENTITY_ID_LEN);
	assert_int_equal(r->primary.change, 1);
	assert_fails(ERR_USAGE, "a primary already",
	    promote_run(w->alice, &plain, on_dataset, &left, &err));
	assert_int_equal(changes(w, a), 1);
}

static void
promote_run__goes_on_where_it_was_cut_off(void **state)
{
	struct world *w = *state;
	const struct dataset *a = backed_up(w, "a", 2);
	const struct dataset *b = backed_up(w, "b", 1);
	int left = 1;

	(void)make_site(w);
	become_replica(w);
	assert_fails(ERR_IO, "cut off",
	    promote_run(w->alice, &plain, on_dataset, &left, &err));
	assert_true(is_replica(w));
	assert_int_equal(changes(w, a), 1);
	assert_int_equal(changes(w, b), 0);
	assert_ok(promote_run(w->alice, &plain, on_dataset, &left, &err));
	assert_false(is_replica(w));
	assert_int_equal(changes(w, a), 1);
	assert_int_equal(changes(w, b), 1);
}

static void
promote_run__is_for_admins(void **state)
{
	struct world *w = *state;
	const struct dataset *a = backed_up(w, "a", 1);
	AUTO(identity) struct identity *host = world_host("h");
	AUTO(access) struct access *by_host = NULL;
	AUTO(access) struct access *by_recovery = NULL;
	const struct credential cred = {.recovery = w->recovery};
	int left = -1;

	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_WRITER, a, INT64_MAX, &err));
	(void)make_site(w);
	become_replica(w);
	by_host = world_entered(w, host);
	assert_fails(ERR_DENIED, "only an admin",
	    promote_run(by_host, &plain, on_dataset, &left, &err));
	assert_ok(
	    access_open_clock(w->path, &cred, &w->clock, &by_recovery, &err));
	assert_fails(ERR_DENIED, "signs no log",
	    promote_run(by_recovery, &plain, on_dataset, &left, &err));
	assert_true(is_replica(w));
	assert_int_equal(changes(w, a), 0);
}

static void
promote_run__needs_a_site(void **state)
{
	struct world *w = *state;
	int left = -1;

	become_replica(w);
	assert_fails(ERR_NOT_FOUND, "is no site",
	    promote_run(w->alice, &plain, on_dataset, &left, &err));
	assert_true(is_replica(w));
}

/* --- the lag ------------------------------------------------------------ */

struct behind {
	struct identity *site;
	struct receipts *receipts;
	struct lag_log *log;
	const struct dataset *ds;
};

static void
behind_new(struct world *w, struct behind *b)
{
	*b = (struct behind){.ds = backed_up(w, "a", 3)};
	assert_ok(identity_new(IDENTITY_SITE, "dr", &b->site, &err));
	assert_ok(receipts_open(
	    w->dir, access_root(w->alice)->store, &b->receipts, &err));
	assert_ok(
	    lag_log_new(access_store(w->alice), b->ds->id, &b->log, &err));
}

static void
behind_clear(struct behind *b)
{
	identity_free(b->site);
	receipts_close(b->receipts);
	lag_log_free(b->log);
}
#define BEHIND_AUTO __attribute__((cleanup(behind_clear)))

/* A receipt through record ${seq}, signed by ${by}. */
static void
receive(
    struct world *w, struct behind *b, uint64_t seq, const struct identity *by)
{
	struct receipt r = {.seq = seq, .time = NOW + 500 + (int64_t)seq};
	AUTO(log) struct log *l = NULL;
	uint8_t buf[RECEIPT_LEN];

	assert_ok(log_load(w->alice, b->ds, NULL, &l, &err));
	memcpy(r.store, access_root(w->alice)->store, STORE_ID_LEN);
	memcpy(r.dataset, b->ds->id, DATASET_ID_LEN);
	if (log_record_at(l, seq) != NULL)
		memcpy(r.head, log_record_at(l, seq)->name, OBJECT_NAME_LEN);
	assert_ok(receipt_make(&r, by, buf, &err));
	assert_ok(receipts_put(b->receipts, buf, sizeof(buf), &err));
}

static struct lag
measured(struct behind *b)
{
	struct lag lag;

	assert_ok(lag_measure(
	    b->log, &b->site->pub, b->receipts, NOW + 1000, &lag, &err));
	return lag;
}

static void
lag_measure__counts_from_the_receipt(void **state)
{
	struct world *w = *state;
	BEHIND_AUTO struct behind b;
	struct lag lag;

	behind_new(w, &b);
	assert_int_equal(lag_log_head(b.log), 3);
	lag = measured(&b);
	assert_false(lag.received);
	assert_int_equal(lag.snapshots, 3);
	/* A snapshot is there from its end on, a minute after its start. */
	assert_int_equal(lag.seconds, 1000 - 60);
	receive(w, &b, 1, b.site);
	lag = measured(&b);
	assert_true(lag.received && !lag.forked);
	assert_int_equal(lag.seq, 1);
	assert_int_equal(lag.time, NOW + 501);
	assert_int_equal(lag.snapshots, 2);
	assert_int_equal(lag.seconds, 1000 - 160);
	receive(w, &b, 3, b.site);
	lag = measured(&b);
	assert_int_equal(lag.snapshots, 0);
	assert_int_equal(lag.seconds, 0);
}

static void
lag_measure__knows_another_history(void **state)
{
	struct world *w = *state;
	BEHIND_AUTO struct behind b;

	behind_new(w, &b);
	/* Of a record that isn't here: its name is none of this log's. */
	receive(w, &b, 7, b.site);
	assert_true(measured(&b).forked);
}

static void
lag_measure__believes_the_site_alone(void **state)
{
	struct world *w = *state;
	BEHIND_AUTO struct behind b;
	AUTO(identity) struct identity *liar = NULL;
	struct lag lag;

	behind_new(w, &b);
	assert_ok(identity_new(IDENTITY_SITE, "dr", &liar, &err));
	memcpy(liar->pub.id, b.site->pub.id, IDENTITY_ID_LEN);
	receive(w, &b, 3, liar);
	assert_fails(ERR_AUTH, "receipt of site 'dr'",
	    lag_measure(b.log, &b.site->pub, b.receipts, NOW, &lag, &err));
}

static void
lag_log_newest__is_a_snapshot(void **state)
{
	struct world *w = *state;
	BEHIND_AUTO struct behind b;
	AUTO(lag_log) struct lag_log *empty = NULL;
	static const uint8_t none[DATASET_ID_LEN];
	int64_t time;

	behind_new(w, &b);
	assert_ok(lag_log_newest(b.log, &time, &err));
	assert_int_equal(time, NOW + 260);
	assert_ok(lag_log_new(access_store(w->alice), none, &empty, &err));
	assert_fails(
	    ERR_NOT_FOUND, "no snapshot", lag_log_newest(empty, &time, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(promote_run__takes_every_dataset_over),
	    world_test(promote_run__goes_on_where_it_was_cut_off),
	    world_test(promote_run__is_for_admins),
	    world_test(promote_run__needs_a_site),
	    world_test(lag_measure__counts_from_the_receipt),
	    world_test(lag_measure__knows_another_history),
	    world_test(lag_measure__believes_the_site_alone),
	    world_test(lag_log_newest__is_a_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
