/* A replica that has yet to get what this machine has seen of a log. */
#include "snapshot/log/when.h"
#include "tests/unit/log_place.h"

static const uint8_t dr[IDENTITY_ID_LEN] = {0xd1};

static void
cut(const struct place *s, const struct log *l, uint64_t seq)
{
	for (uint64_t i = seq; log_record_at(l, i) != NULL; i++)
		remove_record(s, log_record_at(l, i));
}

/* ${site} NULL: a primary. */
static void
set_replica(const struct place *s, const char *site)
{
	assert_ok(store_set_replica(access_store(s->w->alice), site, &err));
}

/* What this machine has seen is record ${seq}. */
static void
assert_seen(const struct place *s, uint64_t seq)
{
	struct head_seen seen;

	assert_ok(heads_get(s->heads, s->ds->id, &seen, &err));
	assert_int_equal(seen.seq, seq);
}

static void
assert_behind(const struct log *l, uint64_t seen, uint64_t shown)
{
	const struct log_behind *b = log_behind(l);

	assert_non_null(b);
	assert_int_equal(b->seen, seen);
	assert_int_equal(b->shown, shown);
	assert_int_equal(log_records(l), shown);
	assert_null(log_warning(l));
}

/* 12 records, of which the store has lost those after 8. */
static void
cut_back(struct place *s, struct world *w)
{
	AUTO(log) struct log *l = NULL;

	*s = new_place(w);
	l = must_load(s);
	add_many(l, 12);
	cut(s, l, 9);
}

static void
log_load__of_a_replica_that_is_behind(void **state)
{
	struct place s;
	AUTO(log) struct log *l = NULL;
	AUTO(log) struct log *tail = NULL;
	struct log *none = NULL;
	char text[LOG_BEHIND_TEXT];
	bool changed;

	cut_back(&s, *state);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	set_replica(&s, "dr");
	l = must_load(&s);
	assert_behind(l, 12, 8);
	assert_int_equal(log_count(l), 8);
	assert_ok(log_sound(l, &err));
	assert_fails(ERR_DENIED, "4 records behind", log_whole(l, &err));
	assert_string_equal(log_behind_text(log_behind(l), "customers", text),
	    "this replica is 4 records behind what this machine has seen of"
	    " dataset 'customers'; the newest snapshot here is of"
	    " 2001-09-09T01:58:20Z");
	tail = must_load_tail(&s);
	assert_behind(tail, 12, 8);
	assert_int_equal(tail->base, 0);
	assert_ok(log_refresh(tail, &changed, &err));
	assert_behind(tail, 12, 8);
	assert_seen(&s, 12);
	/* It is the store's being a replica that excuses it. */
	set_replica(&s, NULL);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	heads_close(s.heads);
}

/* As where the mark is set and taken away while somebody is at it. */
static void
log_append__adds_nothing_to_what_is_behind(void **state)
{
	struct place s;
	AUTO(log) struct log *l = NULL;
	const struct snapshot *first;

	cut_back(&s, *state);
	set_replica(&s, "dr");
	l = must_load(&s);
	first = log_snapshot(l, 0);
	set_replica(&s, NULL);
	assert_fails(ERR_CORRUPT,
	    "ends at record 8, and this machine has seen"
	    " record 12",
	    log_append(
		l, snapshot_at(START + 9000, 0), fixture_indexes, 2, &err));
	assert_fails(ERR_CORRUPT, "ends at record 8",
	    log_append_expire(l, &first, 1, "--keep-last 7", &err));
	assert_fails(ERR_CORRUPT, "ends at record 8",
	    log_append_hold(l, first, true, "why", &err));
	assert_seen(&s, 12);
	heads_close(s.heads);
}

static void
log_refresh__of_a_replica_that_catches_up(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *at_site = NULL;
	struct aside newest;
	bool changed;

	add_many(l, 12);
	put_aside(&s, log_record_at(l, 12), &newest);
	set_replica(&s, "dr");
	at_site = must_load(&s);
	assert_behind(at_site, 12, 11);
	put_back(&newest);
	assert_ok(log_refresh(at_site, &changed, &err));
	assert_true(changed);
	assert_null(log_behind(at_site));
	assert_int_equal(log_records(at_site), 12);
	assert_ok(log_whole(at_site, &err));
	heads_close(s.heads);
}

/* Another record in the place of the one that was seen is no lag. */
static void
log_load__of_a_replica_that_went_another_way(void **state)
{
	struct place s;
	AUTO(log) struct log *there = NULL;
	AUTO(log) struct log *l = NULL;
	struct log *none = NULL;

	cut_back(&s, *state);
	there = elsewhere(&s);
	for (int64_t i = 0; i < 3; i++)
		add(there, START + 5000 + i);
	/* It can't be told yet, and isn't remembered. */
	set_replica(&s, "dr");
	l = must_load(&s);
	assert_behind(l, 12, 11);
	assert_seen(&s, 12);
	add(there, START + 6000);
	assert_fails(ERR_CORRUPT, "was rewritten",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	heads_close(s.heads);
}

/* A snapshot after the record that ends the log, as its signer could make it. */
static void
plant_after(const struct place *s, int64_t time, const struct identity *signer)
{
	AUTO(record) struct record *r = record_at(time, 0);
	struct object_ref ref = {.cls = OBJECT_LOG};
	RECORD_REFS_AUTO struct record_refs refs = {0};
	WR_AUTO struct wr w = {0};

	memcpy(ref.dataset, s->ds->id, DATASET_ID_LEN);
	assert_ok(record_refs_list(
	    access_store(s->w->alice), s->ds->id, &refs, &err));
	ref.seq = r->head.seq = record_refs_last(&refs) + 1;
	memcpy(r->head.dataset, s->ds->id, DATASET_ID_LEN);
	memcpy(r->head.prev, refs.v[refs.n - 1].name, OBJECT_NAME_LEN);
	assert_ok(record_encode(
	    r, &fixture_lists, keyring_latest(s->ds->keys), signer, &w, &err));
	assert_ok(
	    store_put(access_store(s->w->alice), &ref, w.buf, w.len, &err));
}

/* That it is older than what was seen vouches for nothing. */
static void
log_load__of_a_replica_trusts_no_number(void **state)
{
	struct place s;
	AUTO(identity) struct identity *host = world_host("db1");
	AUTO(log) struct log *l = NULL;
	struct record r = {
	    .head = {.type = RECORD_RULES},
	    .rules = {.keep = {[RULE_LAST] = 1}},
	};

	cut_back(&s, *state);
	assert_ok(access_grant(
	    s.w->alice, &host->pub, ROLE_WRITER, s.ds, INT64_MAX, &err));
	r.open = true;
	plant(&s, &r, host);
	plant_after(&s, START + 5000, host);
	set_replica(&s, "dr");
	l = must_load(&s);
	assert_int_equal(log_records(l), 8);
	assert_non_null(log_damage(l));
	assert_int_equal(log_damage(l)->code, ERR_AUTH);
	assert_null(log_rules(l));
	assert_int_equal(log_behind(l)->shown, 10);
	heads_close(s.heads);
}

/* What an admin settled later is no reason to remember less. */
static void
log_load__of_a_replica_remembers_nothing(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *at_site = NULL;
	struct settlement st = {.seq = 11};

	add_many(l, 12);
	memcpy(st.dataset, s.ds->id, DATASET_ID_LEN);
	memcpy(st.prev, log_record_at(l, 10)->name, OBJECT_NAME_LEN);
	memcpy(st.name, log_record_at(l, 11)->name, OBJECT_NAME_LEN);
	assert_ok(access_settle(s.w->alice, &st, &err));
	cut(&s, l, 9);
	set_replica(&s, "dr");
	at_site = must_load(&s);
	assert_behind(at_site, 12, 8);
	assert_seen(&s, 12);
	heads_close(s.heads);
}

static void
assert_takes_over(const struct place *s, uint64_t records)
{
	AUTO(log) struct log *l = must_load(s);
	AUTO(log) struct log *after = NULL;
	AUTO(log) struct log *tail = NULL;

	assert_ok(log_append_primary(l, "dr-london", dr, &err));
	assert_int_equal(log_record_at(l, records + 1)->primary.change, 1);
	/* Whoever did it can still say what was left behind. */
	assert_int_equal(log_behind(l)->shown, records);
	set_replica(s, NULL);
	assert_seen(s, records + 1);
	after = must_load(s);
	assert_null(log_behind(after));
	assert_null(log_warning(after));
	assert_ok(log_whole(after, &err));
	tail = must_load_tail(s);
	add(tail, START + 9000);
	assert_seen(s, records + 2);
}

static void
log_append_primary__leaves_behind_what_was_seen(void **state)
{
	struct place s;

	cut_back(&s, *state);
	set_replica(&s, "dr");
	assert_takes_over(&s, 8);
	heads_close(s.heads);
}

/* Then its number is one that this machine has seen already. */
static void
log_append_primary__leaves_another_change_behind(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);

	add_many(l, 9);
	assert_ok(log_append_primary(l, "lost-too", dr, &err));
	add(l, START + 5000);
	cut(&s, l, 9);
	set_replica(&s, "dr");
	assert_takes_over(&s, 8);
	heads_close(s.heads);
}

struct gone {
	size_t n;
	uint64_t seq;
	enum log_gone_how how;
};

static int
on_gone(void *arg, const struct object_ref *newest, enum log_gone_how how,
    UNUSED struct err *e)
{
	struct gone *g = arg;

	g->n++;
	g->seq = newest->seq;
	g->how = how;
	return 0;
}

static void
assert_gone(const struct place *s, enum log_gone_how how)
{
	struct gone g = {0};

	assert_ok(log_gone(s->w->alice, s->heads, NULL, on_gone, &g, &err));
	assert_int_equal(g.n, 1);
	assert_int_equal(g.seq, 12);
	assert_int_equal(g.how, how);
}

/* Nor has it any record yet of a dataset that was seen. */
static void
log_gone__of_a_replica_that_has_nothing_yet(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *at_site = NULL;
	struct log_behind b;
	char text[LOG_BEHIND_TEXT];

	add_many(l, 12);
	cut(&s, l, 1);
	assert_gone(&s, LOG_GONE_SEEN);
	assert_ok(log_behind_look(
	    access_store(s.w->alice), s.ds->id, s.heads, &b, &err));
	assert_int_equal(b.seen, 0);
	set_replica(&s, "dr");
	assert_gone(&s, LOG_GONE_BEHIND);
	assert_ok(log_behind_look(
	    access_store(s.w->alice), s.ds->id, s.heads, &b, &err));
	assert_int_equal(b.seen, 12);
	assert_int_equal(b.shown, 0);
	at_site = must_load(&s);
	assert_behind(at_site, 12, 0);
	assert_non_null(
	    strstr(log_behind_text(log_behind(at_site), "customers", text),
		"; no snapshot is here"));
	assert_takes_over(&s, 0);
	heads_close(s.heads);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_load__of_a_replica_that_is_behind),
	    world_test(log_append__adds_nothing_to_what_is_behind),
	    world_test(log_refresh__of_a_replica_that_catches_up),
	    world_test(log_load__of_a_replica_that_went_another_way),
	    world_test(log_load__of_a_replica_trusts_no_number),
	    world_test(log_load__of_a_replica_remembers_nothing),
	    world_test(log_append_primary__leaves_behind_what_was_seen),
	    world_test(log_append_primary__leaves_another_change_behind),
	    world_test(log_gone__of_a_replica_that_has_nothing_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
