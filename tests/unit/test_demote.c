#include "snapshot/site/demote.h"
#include "tests/unit/access_fixture.h"
#include "tests/unit/site_fixture.h"

#define PATH (SCRATCH_PATH + 512)
#define NOW START

static const uint8_t ds_a[STORE_DATASET_LEN] = {0xaa};
static const uint8_t ds_b[STORE_DATASET_LEN] = {0xbb};

/* A store that has all records of a dataset up to a number, and others then. */
struct other {
	uint64_t a, head_a, b, head_b;
	size_t asked;
	int fails; /* from that question on; 0: never */
};

static int
their_head(void *arg, const uint8_t dataset[STORE_DATASET_LEN], uint64_t *seq,
    struct err *err)
{
	const struct other *o = arg;

	(void)err;
	*seq = dataset[0] == 0xaa ? o->head_a : o->head_b;
	return 0;
}

static int
they_have(void *arg, const struct object_ref *ref, bool *out, struct err *err)
{
	struct other *o = arg;

	o->asked++;
	if (o->fails != 0 && o->asked >= (size_t)o->fails)
		return err_set(err, ERR_IO, "the line is cut");
	*out = ref->seq <= (ref->dataset[0] == 0xaa ? o->a : o->b);
	return 0;
}

static int
look(struct world *w, struct other *o, struct demote_plan *p, struct err *err)
{
	const struct demote_other other = {
	    .head = their_head, .has = they_have, .arg = o};

	return demote_look(access_store(w->alice), &other, p, err);
}

/* Nothing here looks into records: any bytes will do. */
static void
put_records(struct world *w, const uint8_t dataset[STORE_DATASET_LEN], size_t n)
{
	for (uint64_t seq = 1; seq <= n; seq++) {
		struct object_ref ref = {.cls = OBJECT_LOG, .seq = seq};

		memcpy(ref.dataset, dataset, STORE_DATASET_LEN);
		assert_ok(store_put(
		    access_store(w->alice), &ref, &seq, sizeof(seq), &err));
	}
}

static int
count_one(
    void *arg, const struct object_ref *ref, uint64_t size, struct err *err)
{
	uint64_t *last = arg;

	(void)size;
	(void)err;
	/* Without a gap. */
	assert_int_equal(ref->seq, *last + 1);
	*last = ref->seq;
	return 0;
}

static uint64_t
head_of(struct store *s, const uint8_t dataset[STORE_DATASET_LEN])
{
	uint64_t last = 0;

	assert_ok(store_list(s, OBJECT_LOG, dataset, count_one, &last, &err));
	return last;
}

static const struct demote_fork *
fork_of(const struct demote_plan *p, const uint8_t dataset[STORE_DATASET_LEN])
{
	for (size_t i = 0; i < p->n; i++)
		if (memcmp(p->forks[i].dataset, dataset, STORE_DATASET_LEN) ==
		    0)
			return &p->forks[i];
	return NULL;
}

static void
demote_look__finds_where_histories_part(void **state)
{
	struct world *w = *state;
	put_records(w, ds_a, 9);
	for (uint64_t common = 0; common <= 12; common++) {
		DEMOTE_PLAN_AUTO struct demote_plan p = {0};
		struct other o = {.a = common, .head_a = 20};

		assert_ok(look(w, &o, &p, &err));
		assert_int_equal(p.n, 1);
		assert_int_equal(p.forks[0].head, 9);
		assert_int_equal(p.forks[0].common, common < 9 ? common : 9);
		assert_in_range(o.asked, 1, 5);
		if (common >= 9)
			assert_int_equal(o.asked, 1);
	}
}

/* To leave one out would take it for the primary's, or for nobody's. */
static void
demote_look__says_what_is_in_the_way(void **state)
{
	struct world *w = *state;
	struct other o = {.a = 1, .head_a = 2, .b = 1, .head_b = 2};
	DEMOTE_PLAN_AUTO struct demote_plan p = {0};
	char path[PATH], hex[2 * STORE_DATASET_LEN + 1] = "";

	put_records(w, ds_a, 2);
	for (size_t i = 0; i < sizeof(ds_b); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", ds_b[i]);
	(void)snprintf(path, sizeof(path), "%s/datasets/%s",
	    store_path(access_store(w->alice)), hex);
	scratch_write(path, "", 0);
	assert_fails(ERR_CORRUPT, "move away", look(w, &o, &p, &err));
	assert_int_equal(p.n, 0);
	assert_int_equal(unlink(path), 0);
	assert_ok(look(w, &o, &p, &err));
	assert_int_equal(p.n, 1);
}

static void
demote_look__fails_with_the_line(void **state)
{
	struct world *w = *state;
	DEMOTE_PLAN_AUTO struct demote_plan p = {0};
	struct other o = {.a = 3, .head_a = 20, .fails = 2};

	put_records(w, ds_a, 9);
	assert_fails(ERR_IO, "line is cut", look(w, &o, &p, &err));
	assert_int_equal(p.n, 0);
}

static void
demote_run__moves_what_is_beyond_and_nothing_else(void **state)
{
	struct world *w = *state;
	struct store *s = access_store(w->alice);
	AUTO(sitedir) struct sitedir *d = site_new(w->path, "prod", NOW, -1);
	DEMOTE_PLAN_AUTO struct demote_plan p = {0};
	struct other o = {.a = 4, .head_a = 5, .b = 3, .head_b = 4};
	char aside[DEMOTE_ASIDE], path[PATH];
	char site[STORE_SITE_MAX];
	bool replica;
	int64_t when;

	put_records(w, ds_a, 6);
	put_records(w, ds_b, 3);
	assert_ok(look(w, &o, &p, &err));
	assert_int_equal(fork_of(&p, ds_a)->common, 4);
	assert_int_equal(fork_of(&p, ds_b)->common, 3);
	assert_ok(demote_run(s, d, &p, NOW + 5, aside, &err));

	assert_ok(store_replica(s, &replica, site, &err));
	assert_true(replica);
	assert_string_equal(site, "prod");
	assert_int_equal(head_of(s, ds_a), 4);
	assert_int_equal(head_of(s, ds_b), 3);
	assert_string_equal(aside, "aside/2001-09-09T01-46-45Z");
	(void)snprintf(path, sizeof(path),
	    "%s/%s/datasets/aa000000000000000000000000000000/log", w->path,
	    aside);
	assert_int_equal(scratch_count(path), 2);
	(void)snprintf(path, sizeof(path), "%s/%s/datasets", w->path, aside);
	assert_int_equal(scratch_count(path), 1);

	/* What is here counts as having come now. */
	assert_ok(sitedb_arrival(sitedir_db(d), ds_a, 1, &when, &err));
	assert_true(when == NOW + 5);
	assert_fails(ERR_NOT_FOUND, "record 5",
	    sitedb_arrival(sitedir_db(d), ds_a, 5, &when, &err));
}

static void
demote_run__can_be_done_again(void **state)
{
	struct world *w = *state;
	struct store *s = access_store(w->alice);
	AUTO(sitedir) struct sitedir *d = site_new(w->path, "prod", NOW, -1);
	struct other o = {.a = 4, .head_a = 5};
	char aside[DEMOTE_ASIDE];

	put_records(w, ds_a, 6);
	for (int i = 0; i < 2; i++) {
		DEMOTE_PLAN_AUTO struct demote_plan p = {0};

		assert_ok(look(w, &o, &p, &err));
		assert_ok(demote_run(s, d, &p, NOW, aside, &err));
		assert_int_equal(head_of(s, ds_a), 4);
	}
}

static void
demote_run__waits_for_no_backup(void **state)
{
	struct world *w = *state;
	struct store *s = access_store(w->alice);
	AUTO(sitedir) struct sitedir *d = site_new(w->path, "prod", NOW, -1);
	AUTO(store_lock) struct store_lock *lock = NULL;
	DEMOTE_PLAN_AUTO struct demote_plan p = {0};
	struct other o = {.a = 4, .head_a = 5};
	char aside[DEMOTE_ASIDE];
	char site[STORE_SITE_MAX];
	bool replica;

	put_records(w, ds_a, 6);
	assert_ok(look(w, &o, &p, &err));
	assert_ok(store_lock_dataset(s, ds_a, STORE_LOCK_RUN, &lock, &err));
	assert_fails(ERR_LOCKED, "a backup is running",
	    demote_run(s, d, &p, NOW, aside, &err));
	assert_ok(store_replica(s, &replica, site, &err));
	assert_false(replica);
	assert_int_equal(head_of(s, ds_a), 6);
}

static void
demote_look__asks_only_for_what_may_be_there(void **state)
{
	struct world *w = *state;
	DEMOTE_PLAN_AUTO struct demote_plan p = {0};
	struct other o = {.a = 3, .head_a = 3};

	put_records(w, ds_a, 9);
	put_records(w, ds_b, 2);
	assert_ok(look(w, &o, &p, &err));
	assert_int_equal(fork_of(&p, ds_a)->common, 3);
	assert_int_equal(fork_of(&p, ds_b)->common, 0);
	assert_int_equal(fork_of(&p, ds_b)->theirs, 0);
	assert_int_equal(o.asked, 1);
}

static void
demote_check__refuses_who_took_nothing_over(void **state)
{
	static const struct {
		const char *why; /* NULL: none */
		struct demote_fork a, b;
	} cases[] = {
	    /* One that is behind, with either dataset. */
	    {"taken nothing over", {.common = 3, .head = 5, .theirs = 3},
		{.common = 2, .head = 2, .theirs = 2}},
	    {"taken nothing over", {.common = 5, .head = 5, .theirs = 5},
		{.common = 2, .head = 2, .theirs = 2}},
	    /* It has more; but so does a replica that somebody else sent to. */
	    {"taken nothing over", {.common = 5, .head = 5, .theirs = 6},
		{.common = 2, .head = 2, .theirs = 2}},
	    /* Promoted, but not all of it. */
	    {"not taken dataset '00000000...' over",
		{.common = 3, .head = 5, .theirs = 4, .taken = true},
		{.common = 2, .head = 3, .theirs = 2}},
	    {"record 3 and those after it",
		{.common = 3, .head = 5, .theirs = 4, .taken = true},
		{.common = 2, .head = 3, .theirs = 4}},
	    /* Promoted; the second one, too, or unchanged, or unknown there. */
	    {NULL, {.common = 3, .head = 5, .theirs = 4, .taken = true},
		{.common = 2, .head = 3, .theirs = 4, .taken = true}},
	    {NULL, {.common = 3, .head = 5, .theirs = 4, .taken = true},
		{.common = 2, .head = 2, .theirs = 2}},
	    {NULL, {.common = 3, .head = 5, .theirs = 4, .taken = true},
		{.common = 0, .head = 3, .theirs = 0}},
	    {NULL, {.common = 5, .head = 5, .theirs = 6, .taken = true},
		{.common = 2, .head = 2, .theirs = 3}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct demote_fork forks[] = {cases[i].a, cases[i].b};
		const struct demote_plan p = {forks, ARRAY_LEN(forks)};

		if (cases[i].why == NULL)
			assert_ok(demote_check(&p, &err));
		else
			assert_fails(
			    ERR_DENIED, cases[i].why, demote_check(&p, &err));
	}
}

/* One that took over dataset aa..., and counts what it was asked. */
static int
they_took_over(void *arg, const uint8_t dataset[STORE_DATASET_LEN],
    uint64_t common, bool *taken, struct err *err)
{
	struct other *o = arg;

	o->asked++;
	if (common == 13)
		return err_set(err, ERR_CORRUPT, "damaged there");
	*taken = dataset[0] == 0xaa;
	return 0;
}

static void
demote_ask__asks_where_it_matters(void **state)
{
	static const struct {
		size_t asked;
		bool a_taken, b_taken;
		struct demote_fork a, b;
	} cases[] = {
	    /* It has no more. */
	    {0, false, false, {.common = 3, .head = 5, .theirs = 3},
		{.common = 2, .head = 2, .theirs = 2}},
	    /* Each that would lose something; of others, until one is found. */
	    {2, true, false, {.common = 3, .head = 5, .theirs = 4},
		{.common = 2, .head = 3, .theirs = 4}},
	    {1, true, false, {.common = 5, .head = 5, .theirs = 6},
		{.common = 2, .head = 2, .theirs = 3}},
	};
	struct demote_fork forks[2];
	struct demote_plan p = {forks, ARRAY_LEN(forks)};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct other o = {0};
		const struct demote_other other = {
		    .took_over = they_took_over, .arg = &o};

		forks[0] = cases[i].a;
		forks[0].dataset[0] = 0xaa;
		forks[1] = cases[i].b;
		assert_ok(demote_ask(&other, &p, &err));
		assert_int_equal(o.asked, cases[i].asked);
		assert_int_equal(forks[0].taken, cases[i].a_taken);
		assert_int_equal(forks[1].taken, cases[i].b_taken);
	}
}

static void
demote_ask__fails_where_it_cant_be_told(void **state)
{
	struct demote_fork fork = {.common = 13, .head = 14, .theirs = 15};
	struct demote_plan p = {&fork, 1};
	struct other o = {0};
	const struct demote_other other = {
	    .took_over = they_took_over, .arg = &o};

	(void)state;
	assert_fails(
	    ERR_CORRUPT, "damaged there", demote_ask(&other, &p, &err));
	assert_fails(ERR_DENIED, "taken nothing over", demote_check(&p, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(demote_look__finds_where_histories_part),
	    world_test(demote_look__says_what_is_in_the_way),
	    world_test(demote_look__fails_with_the_line),
	    world_test(demote_look__asks_only_for_what_may_be_there),
	    cmocka_unit_test(demote_check__refuses_who_took_nothing_over),
	    cmocka_unit_test(demote_ask__asks_where_it_matters),
	    cmocka_unit_test(demote_ask__fails_where_it_cant_be_told),
	    world_test(demote_run__moves_what_is_beyond_and_nothing_else),
	    world_test(demote_run__can_be_done_again),
	    world_test(demote_run__waits_for_no_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
