/* How many bytes a site lacks: what it has is not among them, pruned or not. */
#include "snapshot/site/lag.h"
#include "tests/unit/prune_fixture.h"

#include <utime.h>

/* --- the store ---------------------------------------------------------- */

/* What was stored of ${part} since the last time, as if at ${when}. */
static void
date_files(const struct realm *r, const char *part, time_t when)
{
	const time_t latest = FIRST_TIME + 1000 * 3600;
	const struct utimbuf t = {.actime = when, .modtime = when};
	struct files files;

	files_find(r, part, &files);
	for (size_t i = 0; i < files.n; i++) {
		char path[2 * SCRATCH_PATH];
		const struct stat st = stat_of(r, &files, i, path);

		if (st.st_mtime > latest)
			assert_int_equal(utime(path, &t), 0);
	}
}

/* As if ${hours} after the first: the last packs when all had been read. */
static void
date_packs(const struct realm *r, int hours)
{
	date_files(r, "packs/", FIRST_TIME + hours * 3600 + 30);
	date_files(r, "log/", FIRST_TIME + hours * 3600 + 60);
}

static void
back_up(struct realm *r, const char *file, const char *pieces, int hours)
{
	put_pieces(r, file, pieces);
	realm_backup(r, "files", r->source, hours);
	date_packs(r, hours);
}

/* --- its copy at a site ----------------------------------------------------------- */

struct copy {
	struct realm *realm;
	const struct dataset *ds;
	struct identity *key;
	struct receipts *receipts;
};

static void
copy_begin(struct realm *r, struct copy *s)
{
	*s = (struct copy){.realm = r, .ds = access_find(r->admin, "files")};
	assert_ok(identity_new(IDENTITY_SITE, "dr", &s->key, &err));
	assert_ok(receipts_open(
	    r->dir, access_root(r->admin)->store, &s->receipts, &err));
}

static void
copy_clear(struct copy *s)
{
	identity_free(s->key);
	receipts_close(s->receipts);
}
#define COPY_AUTO __attribute__((cleanup(copy_clear)))

/* It holds all that there is. */
static void
copy_receive(struct copy *s)
{
	struct receipt r = {.time = FIRST_TIME};
	AUTO(log) struct log *l = NULL;
	uint8_t buf[RECEIPT_LEN];

	assert_ok(log_load(s->realm->admin, s->ds, NULL, &l, &err));
	r.seq = log_records(l);
	memcpy(r.store, access_root(s->realm->admin)->store, STORE_ID_LEN);
	memcpy(r.dataset, s->ds->id, DATASET_ID_LEN);
	memcpy(r.head, log_record_at(l, r.seq)->name, OBJECT_NAME_LEN);
	assert_ok(receipt_make(&r, s->key, buf, &err));
	assert_ok(receipts_put(s->receipts, buf, sizeof(buf), &err));
}

static uint64_t
copy_lacks(struct copy *s)
{
	AUTO(lag_log) struct lag_log *log = NULL;
	struct lag lag;

	assert_ok(
	    lag_log_new(access_store(s->realm->admin), s->ds->id, &log, &err));
	assert_ok(lag_measure(
	    log, &s->key->pub, s->receipts, FIRST_TIME, &lag, &err));
	return lag.bytes;
}

/* --- the tests ---------------------------------------------------------- */

static void
lag_measure__counts_what_came_since(void **state)
{
	struct realm *r = *state;
	COPY_AUTO struct copy s;
	uint64_t had;

	back_up(r, "one", "abcdef", 0);
	copy_begin(r, &s);
	assert_int_equal(copy_lacks(&s), bytes_of(r, "packs/"));
	copy_receive(&s);
	assert_int_equal(copy_lacks(&s), 0);
	had = bytes_of(r, "packs/");
	back_up(r, "two", "gh", 1);
	assert_int_equal(copy_lacks(&s), bytes_of(r, "packs/") - had);
}

/* The second snapshot lists what the first had stored a second time. */
static void
lag_measure__counts_a_pack_of_two_indexes_once(void **state)
{
	struct realm *r = *state;
	COPY_AUTO struct copy s;

	back_up(r, "one", "a", 0);
	back_up(r, "one", "b", 1);
	(void)prune_with(r->admin, "files", 100);
	back_up(r, "one", "a", 2);
	copy_begin(r, &s);
	assert_int_equal(copy_lacks(&s), bytes_of(r, "packs/"));
}

/* The indexes by which it knew what the site has are gone, but not the packs. */
static void
lag_measure__knows_after_a_prune_what_is_held(void **state)
{
	struct realm *r = *state;
	COPY_AUTO struct copy s;
	struct prune_result out;
	uint64_t had;

	back_up(r, "two", "m", 0);
	back_up(r, "one", "abcdefghijkl", 1);
	copy_begin(r, &s);
	copy_receive(&s);
	had = bytes_of(r, "packs/");
	back_up(r, "two", "n", 2);
	expire_one(r->admin, "files", 0);
	expire_one(r->admin, "files", 0);
	out = prune_with(r->admin, "files", 0);
	date_packs(r, 3);
	assert_true(out.removed.bytes > PIECE);
	assert_true(bytes_of(r, "packs/") > 12 * PIECE);
	assert_true(had > 12 * PIECE);
	assert_in_range(copy_lacks(&s), PIECE, 2 * PIECE);
}

#define realm_test(f) cmocka_unit_test_setup_teardown(f, begin_realm, end_realm)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    realm_test(lag_measure__counts_what_came_since),
	    realm_test(lag_measure__counts_a_pack_of_two_indexes_once),
	    realm_test(lag_measure__knows_after_a_prune_what_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
