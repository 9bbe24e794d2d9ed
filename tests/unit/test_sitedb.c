#include "snapshot/state/receipts.h"
#include "snapshot/state/sitedb.h"

#include "tests/unit/state_fixture.h"

#define DAY 86400
#define PATH (SCRATCH_PATH + 256)

static const uint8_t dataset[SITEDB_DATASET_LEN] = {1};
static const uint8_t another[SITEDB_DATASET_LEN] = {2};

static struct sitedb *
open_db(struct fixture *f)
{
	struct sitedb *db = NULL;
	char path[PATH];

	assert_ok(sitedb_make(fixture_path(f, "site.db", path), &db, &err));
	return db;
}

static void
sitedb_lock__is_ninety_days_until_it_is_set(void **state)
{
	struct fixture *f = *state;
	AUTO(sitedb) struct sitedb *db = open_db(f);
	int64_t lock;

	assert_ok(sitedb_lock(db, &lock, &err));
	assert_true(lock == 90 * DAY);
	assert_ok(sitedb_lengthen(db, 0, &err));
	assert_ok(sitedb_lock(db, &lock, &err));
	assert_true(lock == 0);
}

static void
sitedb_lengthen__never_shortens(void **state)
{
	struct fixture *f = *state;
	struct sitedb *db = open_db(f);
	int64_t lock;

	assert_ok(sitedb_lengthen(db, 10 * DAY, &err));
	assert_rc(ERR_DENIED, sitedb_lengthen(db, 10 * DAY - 1, &err));
	assert_rc(ERR_USAGE, sitedb_lengthen(db, -1, &err));
	assert_rc(ERR_USAGE, sitedb_lengthen(db, SITEDB_LOCK_MAX + 1, &err));
	assert_ok(sitedb_lengthen(db, 10 * DAY, &err));
	assert_ok(sitedb_lengthen(db, 20 * DAY, &err));
	sitedb_close(db);
	db = open_db(f);
	assert_rc(ERR_DENIED, sitedb_lengthen(db, 10 * DAY, &err));
	assert_ok(sitedb_lock(db, &lock, &err));
	assert_true(lock == 20 * DAY);
	sitedb_close(db);
}

static void
sitedb_clock__never_goes_back(void **state)
{
	struct fixture *f = *state;
	struct sitedb *db = open_db(f);
	struct site_time t;

	assert_ok(sitedb_clock(db, 1000000, &t, &err));
	assert_true(t.now == 1000000 && t.back == 0 && !t.behind);
	assert_ok(sitedb_clock(db, 1000000 - 60, &t, &err));
	assert_true(t.now == 1000000 && t.back == 60 && !t.behind);
	sitedb_close(db);
	db = open_db(f);
	assert_ok(sitedb_clock(db, 1000000 - 61, &t, &err));
	assert_true(t.now == 1000000 && t.back == 61 && t.behind);
	assert_ok(sitedb_clock(db, 2000000, &t, &err));
	assert_true(t.now == 2000000 && t.back == 0 && !t.behind);
	assert_ok(sitedb_clock(db, 1000000, &t, &err));
	assert_true(t.now == 2000000 && t.behind);
	sitedb_close(db);
}

static int64_t
borne_at(struct sitedb *db, int64_t wall, int64_t up, int64_t boot)
{
	const struct site_clock c = {.wall = wall, .up = up, .boot = boot};
	struct site_time t;

	assert_ok(sitedb_clock_at(db, &c, &t, &err));
	return t.borne;
}

static void
sitedb_clock__set_forward_bears_nothing_out(void **state)
{
	struct fixture *f = *state;
	struct sitedb *db = open_db(f);

	/* The first time it is believed. */
	assert_int_equal(borne_at(db, 1000000, 500, 7), 1000000);
	assert_int_equal(borne_at(db, 1000100, 600, 7), 1000100);
	assert_int_equal(borne_at(db, 9000000, 700, 7), 1000200);
	sitedb_close(db);
	db = open_db(f);
	assert_int_equal(borne_at(db, 9000100, 800, 7), 1000300);
	/* Put right again; and never back. */
	assert_int_equal(borne_at(db, 1000350, 850, 7), 1000350);
	assert_int_equal(borne_at(db, 1000000, 900, 7), 1000350);
	sitedb_close(db);
}

static void
sitedb_clock__another_boot_bears_nothing_out(void **state)
{
	struct fixture *f = *state;
	AUTO(sitedb) struct sitedb *db = open_db(f);

	assert_int_equal(borne_at(db, 1000000, 500, 7), 1000000);
	assert_int_equal(borne_at(db, 2000000, 900, 8), 1000000);
	assert_int_equal(borne_at(db, 2000050, 950, 8), 1000050);
	/* One that isn't known is always another. */
	assert_int_equal(borne_at(db, 2000100, 1000, 0), 1000050);
	assert_int_equal(borne_at(db, 2000200, 1100, 0), 1000050);
}

static void
sitedb_bear_out__by_records_up_to_the_clock(void **state)
{
	struct fixture *f = *state;
	AUTO(sitedb) struct sitedb *db = open_db(f);
	const struct site_clock later = {.wall = 2000000, .up = 10, .boot = 8};

	assert_int_equal(borne_at(db, 1000000, 500, 7), 1000000);
	assert_ok(sitedb_bear_out(db, &later, 1900000, &err));
	assert_int_equal(borne_at(db, 2000000, 10, 8), 1900000);
	assert_ok(sitedb_bear_out(db, &later, 1500000, &err));
	assert_int_equal(borne_at(db, 2000000, 10, 8), 1900000);
	assert_ok(sitedb_bear_out(db, &later, 99000000, &err));
	assert_int_equal(borne_at(db, 2000000, 10, 8), 2000000);
}

static void
sitedb_arrival__is_the_batch_that_brought_it(void **state)
{
	struct fixture *f = *state;
	AUTO(sitedb) struct sitedb *db = open_db(f);
	int64_t when;

	assert_ok(sitedb_arrived(db, dataset, 3, 100, &err));
	assert_ok(sitedb_arrived(db, dataset, 7, 200, &err));
	assert_ok(sitedb_arrived(db, another, 9, 300, &err));
	assert_ok(sitedb_arrival(db, dataset, 1, &when, &err));
	assert_true(when == 100);
	assert_ok(sitedb_arrival(db, dataset, 3, &when, &err));
	assert_true(when == 100);
	assert_ok(sitedb_arrival(db, dataset, 4, &when, &err));
	assert_true(when == 200);
	assert_rc(ERR_NOT_FOUND, sitedb_arrival(db, dataset, 8, &when, &err));
	/* What is known stays. */
	assert_ok(sitedb_arrived(db, dataset, 3, 50, &err));
	assert_ok(sitedb_arrival(db, dataset, 2, &when, &err));
	assert_true(when == 100);
}

static void
sitedb_restart__lets_all_that_stays_come_anew(void **state)
{
	struct fixture *f = *state;
	AUTO(sitedb) struct sitedb *db = open_db(f);
	int64_t when;

	assert_ok(sitedb_arrived(db, dataset, 3, 100, &err));
	assert_ok(sitedb_arrived(db, dataset, 7, 200, &err));
	assert_ok(sitedb_arrived(db, another, 7, 200, &err));
	/* The second time is what somebody does whom a crash has stopped. */
	for (int64_t i = 0; i < 2; i++) {
		assert_ok(sitedb_restart(db, dataset, 5, 300 + i, &err));
		assert_ok(sitedb_arrival(db, dataset, 1, &when, &err));
		assert_true(when == 300 + i);
		assert_ok(sitedb_arrival(db, dataset, 5, &when, &err));
		assert_true(when == 300 + i);
		assert_rc(
		    ERR_NOT_FOUND, sitedb_arrival(db, dataset, 6, &when, &err));
	}
	assert_ok(sitedb_arrival(db, another, 7, &when, &err));
	assert_true(when == 200);
}

static void
sitedb_newest__of_those_that_were_not_moved_aside(void **state)
{
	struct fixture *f = *state;
	AUTO(sitedb) struct sitedb *db = open_db(f);
	uint64_t seq;

	assert_rc(ERR_NOT_FOUND, sitedb_newest(db, dataset, &seq, &err));
	/* Before the first record: nothing has come. */
	assert_ok(sitedb_arrived(db, dataset, 0, 50, &err));
	assert_rc(ERR_NOT_FOUND, sitedb_newest(db, dataset, &seq, &err));
	assert_ok(sitedb_arrived(db, dataset, 3, 100, &err));
	assert_ok(sitedb_arrived(db, dataset, 7, 200, &err));
	assert_ok(sitedb_arrived(db, another, 9, 200, &err));
	assert_ok(sitedb_newest(db, dataset, &seq, &err));
	assert_int_equal(seq, 7);
	assert_ok(sitedb_restart(db, dataset, 5, 300, &err));
	assert_ok(sitedb_newest(db, dataset, &seq, &err));
	assert_int_equal(seq, 5);
	assert_ok(sitedb_restart(db, dataset, 0, 300, &err));
	assert_rc(ERR_NOT_FOUND, sitedb_newest(db, dataset, &seq, &err));
}

struct heard {
	size_t n, strangers;
	char text[256];
};

static int
on_refusal(void *arg, const struct sitedb_refusal *r, struct err *err)
{
	struct heard *h = arg;
	size_t at = strlen(h->text);

	(void)err;
	h->n++;
	h->strangers += !r->known;
	if (at < sizeof(h->text))
		(void)snprintf(h->text + at, sizeof(h->text) - at,
		    "%d-%d x%d %s %s;", (int)r->since, (int)r->time,
		    (int)r->times, r->client, r->what);
	return 0;
}

static void
refuse(struct sitedb *db, int64_t time, bool known, const char *client,
    const char *what)
{
	const struct sitedb_refusal r = {
	    .client = client, .known = known, .what = what, .time = time};

	assert_ok(sitedb_refuse(db, &r, &err));
}

static void
sitedb_refusals__lists_the_newest_first(void **state)
{
	struct fixture *f = *state;
	AUTO(sitedb) struct sitedb *db = open_db(f);
	struct heard h = {0};

	refuse(db, 5, true, "mallory", "overwrite");
	refuse(db, 6, false, "", "early delete");
	assert_ok(sitedb_refusals(db, 10, on_refusal, &h, &err));
	assert_string_equal(
	    h.text, "6-6 x1  early delete;5-5 x1 mallory overwrite;");
	assert_int_equal(h.strangers, 1);
	h = (struct heard){0};
	assert_ok(sitedb_refusals(db, 1, on_refusal, &h, &err));
	assert_string_equal(h.text, "6-6 x1  early delete;");
}

static void
sitedb_refuse__counts_what_comes_again(void **state)
{
	struct fixture *f = *state;
	AUTO(sitedb) struct sitedb *db = open_db(f);
	struct heard h = {0};

	refuse(db, 5, true, "mallory", "overwrite");
	refuse(db, 6, true, "mallory", "delete");
	refuse(db, 7, true, "mallory", "overwrite");
	refuse(db, 9, true, "mallory", "overwrite");
	assert_ok(sitedb_refusals(db, 10, on_refusal, &h, &err));
	assert_string_equal(
	    h.text, "5-9 x3 mallory overwrite;6-6 x1 mallory delete;");
}

/* As if so many had been there; each one takes a sync. */
#define PLANT_1500                                                             \
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"       \
	" WHERE i < 1500) INSERT INTO refusal(since, time, times, known,"      \
	" client, what) "

static void
sitedb_refuse__one_client_pushes_out_its_own_only(void **state)
{
	struct fixture *f = *state;
	AUTO(sitedb) struct sitedb *db = open_db(f);
	struct heard h = {0};
	char path[PATH];

	refuse(db, 1, true, "good", "something");
	change_database(fixture_path(f, "site.db", path), PLANT_1500
	    "SELECT i, i, 1, 1, CAST('mallory' AS BLOB), CAST(i AS BLOB)"
	    " FROM n");
	refuse(db, 5, true, "mallory", "one more");
	assert_ok(sitedb_refusals(db, 5000, on_refusal, &h, &err));
	assert_int_equal(h.n, 1 + SITEDB_REFUSALS_CLIENT);
}

static void
sitedb_refuse__strangers_push_out_strangers_only(void **state)
{
	struct fixture *f = *state;
	AUTO(sitedb) struct sitedb *db = open_db(f);
	struct heard h = {0};
	char path[PATH];

	refuse(db, 1, true, "good", "something");
	change_database(fixture_path(f, "site.db", path),
	    PLANT_1500 "SELECT i, i, 1, 0, CAST(i AS BLOB), x'62' FROM n");
	refuse(db, 5, false, "192.0.2.1", "one more");
	assert_ok(sitedb_refusals(db, 5000, on_refusal, &h, &err));
	assert_int_equal(h.n, 1 + SITEDB_REFUSALS_STRANGER);
	assert_int_equal(h.strangers, SITEDB_REFUSALS_STRANGER);
}

static void
sitedb_refuse__keeps_a_bounded_number(void **state)
{
	struct fixture *f = *state;
	AUTO(sitedb) struct sitedb *db = open_db(f);
	struct heard h = {0};
	char path[PATH];
	char long_text[3000];

	change_database(fixture_path(f, "site.db", path),
	    PLANT_1500 "SELECT i, i, 1, 1, CAST(i AS BLOB), x'62' FROM n");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	refuse(db, 5, true, long_text, long_text);
	assert_ok(sitedb_refusals(db, 5000, on_refusal, &h, &err));
	assert_int_equal(h.n, SITEDB_REFUSALS_KNOWN);
}

static void
sitedb_open__never_replaces_a_damaged_one(void **state)
{
	struct fixture *f = *state;
	struct sitedb *db;
	char path[PATH];

	scratch_write(fixture_path(f, "site.db", path), "not a database", 14);
	assert_fails(
	    ERR_CORRUPT, "bring the file back", sitedb_open(path, &db, &err));
	assert_null(db);
	assert_fails(
	    ERR_CORRUPT, "bring the file back", sitedb_make(path, &db, &err));
	assert_null(db);
}

/* Not there, of no length, a database without tables. */
static void
sitedb_open__makes_none(void **state)
{
	struct fixture *f = *state;
	struct sitedb *db;
	char path[PATH];
	struct stat st;
	int64_t lock;

	(void)fixture_path(f, "site.db", path);
	assert_fails(
	    ERR_CORRUPT, "site.db' is missing", sitedb_open(path, &db, &err));
	assert_null(db);
	assert_int_equal(stat(path, &st), -1);
	scratch_write(path, "", 0);
	assert_fails(
	    ERR_CORRUPT, "--init --lock", sitedb_open(path, &db, &err));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	change_database(path, "CREATE TABLE a(b); DROP TABLE a");
	assert_fails(
	    ERR_CORRUPT, "--init --lock", sitedb_open(path, &db, &err));
	assert_null(db);
	assert_ok(sitedb_make(path, &db, &err));
	assert_ok(sitedb_lengthen(db, 3 * DAY, &err));
	sitedb_close(db);
	assert_ok(sitedb_open(path, &db, &err));
	assert_ok(sitedb_lock(db, &lock, &err));
	assert_true(lock == 3 * DAY);
	sitedb_close(db);
}

/* --- receipts ----------------------------------------------------------- */

static void
make_receipt(const struct identity *site, uint64_t seq, int64_t time,
    uint8_t buf[RECEIPT_LEN])
{
	struct receipt r = {
	    .store = {9}, .dataset = {1}, .seq = seq, .time = time};

	assert_ok(receipt_make(&r, site, buf, &err));
}

static void
receipts_get__gives_the_newest(void **state)
{
	static const uint8_t store[STORE_ID_LEN] = {9};
	struct fixture *f = *state;
	AUTO(identity) struct identity *site = NULL;
	AUTO(receipts) struct receipts *r = NULL;
	uint8_t old[RECEIPT_LEN], new[RECEIPT_LEN], got[RECEIPT_LEN];

	assert_ok(identity_new(IDENTITY_SITE, "dr", &site, &err));
	assert_ok(receipts_open(f->dir, store, &r, &err));
	assert_rc(
	    ERR_NOT_FOUND, receipts_get(r, site->pub.id, dataset, got, &err));
	make_receipt(site, 5, 100, old);
	make_receipt(site, 6, 200, new);
	assert_ok(receipts_put(r, new, RECEIPT_LEN, &err));
	assert_ok(receipts_put(r, old, RECEIPT_LEN, &err));
	assert_ok(receipts_get(r, site->pub.id, dataset, got, &err));
	assert_memory_equal(got, new, RECEIPT_LEN);
	assert_rc(
	    ERR_NOT_FOUND, receipts_get(r, site->pub.id, another, got, &err));
}

static void
receipts_put__takes_those_of_its_store_only(void **state)
{
	static const uint8_t store[STORE_ID_LEN] = {8};
	struct fixture *f = *state;
	AUTO(identity) struct identity *site = NULL;
	AUTO(receipts) struct receipts *r = NULL;
	uint8_t buf[RECEIPT_LEN];

	assert_ok(identity_new(IDENTITY_SITE, "dr", &site, &err));
	assert_ok(receipts_open(f->dir, store, &r, &err));
	make_receipt(site, 5, 100, buf);
	assert_rc(ERR_USAGE, receipts_put(r, buf, RECEIPT_LEN, &err));
	assert_rc(ERR_CORRUPT, receipts_put(r, buf, 50, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    state_test(sitedb_lock__is_ninety_days_until_it_is_set),
	    state_test(sitedb_lengthen__never_shortens),
	    state_test(sitedb_clock__never_goes_back),
	    state_test(sitedb_clock__set_forward_bears_nothing_out),
	    state_test(sitedb_clock__another_boot_bears_nothing_out),
	    state_test(sitedb_bear_out__by_records_up_to_the_clock),
	    state_test(sitedb_arrival__is_the_batch_that_brought_it),
	    state_test(sitedb_restart__lets_all_that_stays_come_anew),
	    state_test(sitedb_newest__of_those_that_were_not_moved_aside),
	    state_test(sitedb_refusals__lists_the_newest_first),
	    state_test(sitedb_refuse__counts_what_comes_again),
	    state_test(sitedb_refuse__one_client_pushes_out_its_own_only),
	    state_test(sitedb_refuse__strangers_push_out_strangers_only),
	    state_test(sitedb_refuse__keeps_a_bounded_number),
	    state_test(sitedb_open__never_replaces_a_damaged_one),
	    state_test(sitedb_open__makes_none),
	    state_test(receipts_get__gives_the_newest),
	    state_test(receipts_put__takes_those_of_its_store_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
