/*
 * A log's end gives way to what an admin says counts (snapshot/site/settle.c), and
 * which of several does.
 */
#include "snapshot/site/settle.h"
#include "tests/unit/access_fixture.h"
#include "tests/unit/site_fixture.h"

#define NOW START

static const uint8_t ds[STORE_DATASET_LEN] = {0xaa};

/* Five records, of which the first three came at 100, and two at 200. */
struct bench {
	struct store *store;
	struct sitedir *site;
	struct object_ref refs[5];
	struct settlement by; /* another record 4 counts */
};

static struct bench
new_bench(struct world *w)
{
	struct bench b = {
	    .store = access_store(w->alice),
	    .site = site_new(w->path, "dr", NOW, -1),
	};

	for (uint64_t i = 0; i < ARRAY_LEN(b.refs); i++) {
		b.refs[i].cls = OBJECT_LOG;
		b.refs[i].seq = i + 1;
		memcpy(b.refs[i].dataset, ds, STORE_DATASET_LEN);
		/* Nothing here looks into records: any bytes will do. */
		assert_ok(store_put(b.store, &b.refs[i], &i, sizeof(i), &err));
	}
	assert_ok(sitedb_arrived(sitedir_db(b.site), ds, 3, 100, &err));
	assert_ok(sitedb_arrived(sitedir_db(b.site), ds, 5, 200, &err));
	b.by = (struct settlement){.from = 1, .seq = 4, .name = {7}};
	memcpy(b.by.dataset, ds, STORE_DATASET_LEN);
	memcpy(b.by.prev, b.refs[2].name, OBJECT_NAME_LEN);
	return b;
}

static uint64_t
run(struct bench *b, char aside[ASIDE_NAME])
{
	struct settled out;

	assert_ok(
	    settle_run(b->store, &b->by, sitedir_db(b->site), NOW, &out, &err));
	if (aside != NULL)
		memcpy(aside, out.aside, ASIDE_NAME);
	return out.records;
}

static bool
is_there(const struct bench *b, size_t i)
{
	uint64_t size;

	return store_size(b->store, &b->refs[i], &size, NULL) == 0;
}

static void
settle_run__moves_what_gives_way(void **state)
{
	struct world *w = *state;
	struct bench b = new_bench(w);
	char aside[ASIDE_NAME], text[OBJECT_REF_TEXT];
	char path[SCRATCH_PATH + 512];
	struct stat st;

	assert_int_equal(run(&b, aside), 2);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(is_there(&b, i), i < 3);
		object_ref_text(&b.refs[i], text);
		(void)snprintf(
		    path, sizeof(path), "%s/%s/%s", w->path, aside, text);
		assert_int_equal(stat(path, &st) == 0, i >= 3);
	}
	/* Once is enough. */
	assert_int_equal(run(&b, NULL), 0);
	sitedir_close(b.site);
}

/*
 * For the lock what stays has just come, and so has what comes in their place:
 * what took it up again may have been moved aside.
 */
static void
settle_run__begins_the_lock_anew(void **state)
{
	struct bench b = new_bench(*state);
	struct sitedb *db = sitedir_db(b.site);
	uint64_t newest;
	int64_t when;

	b.by.seq = 5;
	memcpy(b.by.prev, b.refs[3].name, OBJECT_NAME_LEN);
	assert_int_equal(run(&b, NULL), 1);
	for (uint64_t seq = 1; seq < 5; seq++) {
		assert_ok(sitedb_arrival(db, ds, seq, &when, &err));
		assert_true(when >= NOW);
	}
	assert_ok(sitedb_newest(db, ds, &newest, &err));
	assert_int_equal(newest, 4);
	assert_fails(
	    ERR_NOT_FOUND, "not known", sitedb_arrival(db, ds, 5, &when, &err));
	sitedir_close(b.site);
}

static void
settle_run__leaves_what_it_does_not_speak_of(void **state)
{
	struct bench b = new_bench(*state);
	bool pending;

	/* Of what parted before, it says nothing. */
	b.by.prev[0] ^= 1;
	assert_int_equal(run(&b, NULL), 0);
	b.by.prev[0] ^= 1;
	/* The one that counts is here. */
	memcpy(b.by.name, b.refs[3].name, OBJECT_NAME_LEN);
	assert_ok(settle_pending(b.store, &b.by, &pending, &err));
	assert_false(pending);
	assert_int_equal(run(&b, NULL), 0);
	/* Nothing has come that could give way. */
	b.by.seq = 6;
	memcpy(b.by.prev, b.refs[4].name, OBJECT_NAME_LEN);
	assert_int_equal(run(&b, NULL), 0);
	for (size_t i = 0; i < 5; i++)
		assert_true(is_there(&b, i));
	sitedir_close(b.site);
}

static void
settle_run__the_first_record_may_be_another(void **state)
{
	struct bench b = new_bench(*state);

	b.by.seq = 1;
	memset(b.by.prev, 0, sizeof(b.by.prev));
	assert_int_equal(run(&b, NULL), 5);
	sitedir_close(b.site);
}

/* --- who may say so ------------------------------------------------------ */

static void
access_settle__the_newest_counts(void **state)
{
	struct world *w = *state;
	const struct dataset *d = world_dataset(w, "customers");
	struct settlement s = {.seq = 4, .prev = {1}, .name = {2}}, got;

	memcpy(s.dataset, d->id, DATASET_ID_LEN);
	assert_fails(ERR_NOT_FOUND, "nothing was settled",
	    access_settlement(w->alice, d->id, &got, NULL, &err));
	assert_ok(access_settle(w->alice, &s, &err));
	s.seq = 9;
	assert_ok(access_settle(w->alice, &s, &err));
	s.seq = 7;
	assert_ok(access_settle(w->alice, &s, &err));
	assert_ok(access_settlement(w->alice, d->id, &got, NULL, &err));
	assert_int_equal(got.seq, 7);
	assert_fails(ERR_NOT_FOUND, "nothing was settled",
	    access_settlement(w->alice, ds, &got, NULL, &err));
}

static void
access_settlement__only_an_admins_counts(void **state)
{
	struct world *w = *state;
	const struct dataset *d = world_dataset(w, "customers");
	AUTO(identity) struct identity *host = world_host("db1");
	struct settlement s = {.from = START, .seq = 1, .name = {2}}, got;
	WR_AUTO struct wr bytes = {0};
	bool changed;

	assert_ok(access_grant(
	    w->alice, &host->pub, ROLE_WRITER, d, INT64_MAX, &err));
	memcpy(s.store, access_root(w->alice)->store, STORE_ID_LEN);
	memcpy(s.dataset, d->id, DATASET_ID_LEN);
	assert_ok(settlement_make(&s, host, NULL, &bytes, &err));
	(void)world_put(w, bytes.buf, bytes.len);
	assert_ok(access_refresh(w->alice, &changed, &err));
	assert_fails(ERR_NOT_FOUND, "nothing was settled",
	    access_settlement(w->alice, d->id, &got, NULL, &err));
}

/* --- which one counts --------------------------------------------------- */

static struct object_ref
put_settlement(struct world *w, struct settlement *s, uint8_t record)
{
	WR_AUTO struct wr o = {0};

	s->name[0] = record;
	assert_ok(settlement_make(s, w->alice->identity, NULL, &o, &err));
	return world_put(w, o.buf, o.len);
}

/* The one that counts names this record. */
static void
assert_settled(struct world *w, const struct settlement *s, uint8_t record)
{
	struct settlement got;

	world_refresh(w);
	assert_ok(access_settlement(w->alice, s->dataset, &got, NULL, &err));
	assert_int_equal(got.name[0], record);
}

/* Whichever comes first; and the next that is made comes after both. */
static void
access_settlement__of_one_second_the_greater_name_counts(void **state)
{
	struct world *w = *state;

	for (uint8_t i = 1; i <= 16; i++) {
		struct settlement s = {.from = START + 10, .seq = 1};
		struct object_ref a, b;

		memcpy(s.store, access_root(w->alice)->store, STORE_ID_LEN);
		s.dataset[0] = i;
		a = put_settlement(w, &s, 1);
		assert_settled(w, &s, 1);
		b = put_settlement(w, &s, 2);
		assert_settled(
		    w, &s, memcmp(a.name, b.name, OBJECT_NAME_LEN) > 0 ? 1 : 2);
		s.name[0] = 3;
		assert_ok(access_settle(w->alice, &s, &err));
		assert_settled(w, &s, 3);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(settle_run__moves_what_gives_way),
	    world_test(settle_run__begins_the_lock_anew),
	    world_test(settle_run__leaves_what_it_does_not_speak_of),
	    world_test(settle_run__the_first_record_may_be_another),
	    world_test(access_settle__the_newest_counts),
	    world_test(access_settlement__only_an_admins_counts),
	    world_test(
		access_settlement__of_one_second_the_greater_name_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
