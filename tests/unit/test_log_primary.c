/* A log that has another primary, or that an admin has settled. */
#include "tests/unit/log_place.h"

/* Away with the records from ${seq} on, as if the site had never had them. */
static void
cut(const struct place *s, const struct log *l, uint64_t seq)
{
	for (uint64_t i = seq; log_record_at(l, i) != NULL; i++)
		remove_record(s, log_record_at(l, i));
}

static const uint8_t dr[IDENTITY_ID_LEN] = {0xd1};

static void
log_load__another_primary_cut_records_off(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *there = NULL;
	AUTO(log) struct log *back = NULL;
	AUTO(log) struct log *tail = NULL;
	struct log *none = NULL;

	add_many(l, 12);
	cut(&s, l, 9);
	/* The site, which has seen 8 records, becomes the primary. */
	assert_ok(log_load(s.w->alice, s.ds, NULL, &there, &err));
	assert_int_equal(log_records(there), 8);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	assert_ok(log_append_primary(there, "dr-london", dr, &err));

	back = must_load(&s);
	assert_int_equal(log_records(back), 9);
	assert_int_equal(log_count(back), 8);
	assert_null(log_damage(back));
	assert_non_null(log_warning(back));
	assert_non_null(strstr(log_warning(back)->text, "'dr-london'"));
	assert_non_null(strstr(log_warning(back)->text, "to record 12"));
	assert_int_equal(log_record_at(back, 9)->primary.change, 1);
	/* Said once: now this is what the machine has seen. */
	tail = must_load_tail(&s);
	assert_null(log_warning(tail));
	assert_int_equal(log_number(tail), 9);
	add(tail, START + 5000);

	/* The change is no excuse for what is cut off after it. */
	cut(&s, tail, 10);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	/* But the next one is. */
	log_free(STEAL(there));
	assert_ok(log_load(s.w->alice, s.ds, NULL, &there, &err));
	assert_ok(log_append_primary(there, "primary", dr, &err));
	log_free(STEAL(back));
	back = must_load(&s);
	assert_non_null(log_warning(back));
	assert_int_equal(log_record_at(back, 10)->primary.change, 2);
	heads_close(s.heads);
}

/* A machine that has seen a history which an admin then took away. */
static void
log_load__an_admin_settled_another_history(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *there = NULL;
	AUTO(log) struct log *back = NULL;
	struct settlement st = {.seq = 9};
	struct log *none = NULL;

	add_many(l, 12);
	cut(&s, l, 9);
	assert_ok(log_load(s.w->alice, s.ds, NULL, &there, &err));
	add(there, START + 5000);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));

	memcpy(st.dataset, s.ds->id, DATASET_ID_LEN);
	memcpy(st.prev, log_record_at(there, 8)->name, OBJECT_NAME_LEN);
	memcpy(st.name, log_record_at(there, 9)->name, OBJECT_NAME_LEN);
	assert_ok(access_settle(s.w->alice, &st, &err));
	back = must_load(&s);
	assert_int_equal(log_records(back), 9);
	assert_non_null(log_warning(back));
	assert_non_null(
	    strstr(log_warning(back)->text, "an admin has settled"));
	add(back, START + 6000);
	/* It is no excuse for what is cut off later. */
	cut(&s, back, 10);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	/* Nor is another one, of which it doesn't hold the record. */
	st.name[0] ^= 1;
	assert_ok(access_settle(s.w->alice, &st, &err));
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	heads_close(s.heads);
}

/* --- two settlements of one second --------------------------------------- */

/* A history that parts from others with record 9, and what settles for it. */
struct history {
	struct aside record;
	uint8_t settlement[SETTLEMENT_OBJECT_LEN];
	uint8_t name[HASH_LEN]; /* of that object */
};

static void
make_history(struct history *h, const struct place *s, uint8_t number)
{
	AUTO(log) struct log *l = elsewhere(s);
	struct settlement st = {.from = START + 10, .seq = 9};
	WR_AUTO struct wr w = {0};

	add(l, START + 5000 + number);
	memcpy(st.store, access_root(s->w->alice)->store, STORE_ID_LEN);
	memcpy(st.dataset, s->ds->id, DATASET_ID_LEN);
	memcpy(st.prev, log_record_at(l, 8)->name, OBJECT_NAME_LEN);
	memcpy(st.name, log_record_at(l, 9)->name, OBJECT_NAME_LEN);
	assert_ok(settlement_make(&st, s->w->alice->identity, NULL, &w, &err));
	assert_int_equal(w.len, SETTLEMENT_OBJECT_LEN);
	memcpy(h->settlement, w.buf, w.len);
	assert_ok(sha256(w.buf, w.len, h->name, &err));
	put_aside(s, log_record_at(l, 9), &h->record);
}

static void
settle_for(const struct place *s, const struct history *h)
{
	(void)world_put(s->w, h->settlement, sizeof(h->settlement));
	world_refresh(s->w);
	put_back(&h->record);
}

/* The store doesn't show it any more: now the other one counts there. */
static void
hide_settlement(const struct place *s, const struct history *h)
{
	struct object_ref ref = {.cls = OBJECT_KEY};
	struct settlement st;

	memcpy(ref.name, h->name, OBJECT_NAME_LEN);
	assert_ok(store_remove(access_store(s->w->alice), &ref, &err));
	world_refresh(s->w);
	assert_ok(access_settlement(s->w->alice, s->ds->id, &st, NULL, &err));
	assert_memory_not_equal(st.name, h->settlement + 88, OBJECT_NAME_LEN);
}

static void
log_load__of_two_settlements_of_a_second(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	struct history a, b, *less = &a, *more = &b;
	struct log *none = NULL;

	add_many(l, 12);
	cut(&s, l, 9);
	make_history(&a, &s, 1);
	make_history(&b, &s, 2);
	if (memcmp(a.name, b.name, sizeof(a.name)) > 0) {
		less = &b;
		more = &a;
	}
	settle_for(&s, less);
	log_free(must_load(&s));
	assert_int_equal(rename(less->record.from, less->record.to), 0);
	/* The other comes from a site that did not have the first. */
	settle_for(&s, more);
	log_free(STEAL(l));
	l = must_load(&s);
	assert_int_equal(log_records(l), 9);
	assert_non_null(log_warning(l));
	assert_non_null(strstr(log_warning(l)->text, "an admin has settled"));
	/* There is no way back, not even where the second is hidden. */
	assert_int_equal(rename(more->record.from, more->record.to), 0);
	put_back(&less->record);
	hide_settlement(&s, more);
	assert_rc(
	    ERR_CORRUPT, log_load(s.w->alice, s.ds, s.heads, &none, &err));
	heads_close(s.heads);
}

static void
log_load__a_writer_makes_no_primary(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(identity) struct identity *host = world_host("db1");
	struct record r = {
	    .head = {.type = RECORD_PRIMARY},
	    .primary = {(char *)(uintptr_t) "thief", {1}, 1},
	};
	struct log *none = NULL;

	assert_ok(access_grant(
	    s.w->alice, &host->pub, ROLE_WRITER, s.ds, INT64_MAX, &err));
	add_many(l, 12);
	cut(&s, l, 9);
	plant(&s, &r, host);
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	heads_close(s.heads);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_load__another_primary_cut_records_off),
	    world_test(log_load__an_admin_settled_another_history),
	    world_test(log_load__of_two_settlements_of_a_second),
	    world_test(log_load__a_writer_makes_no_primary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
