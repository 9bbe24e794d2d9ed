/* A store that shows another log than was written. */
#include "tests/unit/log_bench.h"

static void
log_load__a_flipped_bit(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 3);
	const uint8_t *name = log_snapshot(l, 1)->id;
	WR_AUTO struct wr w = bench_read(&b, 2, name);
	char path[BENCH_PATH];

	w.buf[w.len / 2] ^= 1;
	bench_path(&b, 2, name, path);
	scratch_write(path, w.buf, w.len);
	bench_loads_without(&b, 2, "record 2");
	assert_fails(ERR_CORRUPT, "", log_check(l, &err));
	bench_end(&b, l);
}

/* The same, under the name that its bytes now have. */
static void
log_load__a_flipped_bit_renamed(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 3);
	const uint8_t *name = log_snapshot(l, 1)->id;
	WR_AUTO struct wr w = bench_read(&b, 2, name);

	heads_close(STEAL(b.heads));
	bench_remove(&b, 2, name);
	w.buf[w.len - 1] ^= 1; /* the signature: everything else holds */
	bench_plant_bytes(&b, 2, &w);
	/* Record 3 does not follow it, and by itself it is forged. */
	bench_loads(&b, 1, ERR_AUTH, "record 2");
	bench_end(&b, l);
}

static void
log_load__swapped_records(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 3);
	const uint8_t *name1 = log_snapshot(l, 0)->id;
	const uint8_t *name2 = log_snapshot(l, 1)->id;
	WR_AUTO struct wr w1 = bench_read(&b, 1, name1);
	WR_AUTO struct wr w2 = bench_read(&b, 2, name2);

	bench_remove(&b, 1, name1);
	bench_remove(&b, 2, name2);
	bench_plant_bytes(&b, 1, &w2);
	bench_plant_bytes(&b, 2, &w1);
	bench_loads_without(&b, 1, "says that it is record 2");
	bench_end(&b, l);
}

static void
log_load__a_removed_record(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 3);
	bool changed;

	bench_remove(&b, 2, log_snapshot(l, 1)->id);
	bench_loads_without(&b, 2, "has no record 2, but a record 3");
	assert_fails(
	    ERR_CORRUPT, "has no record 2", log_refresh(l, &changed, &err));
	bench_end(&b, l);
}

static void
log_load__cut_back(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 3);
	bool changed;

	bench_remove(&b, 3, log_snapshot(l, 2)->id);
	bench_no_load(&b, ERR_CORRUPT,
	    "log of dataset 'customers' was cut back: this machine has seen"
	    " record 3 of it, the store shows 2");
	assert_fails(ERR_CORRUPT, "cut back", log_refresh(l, &changed, &err));
	assert_fails(
	    ERR_CORRUPT, "cut back", add_snapshot(l, START + 1000, 0, &err));
	bench_remove(&b, 2, log_snapshot(l, 1)->id);
	bench_remove(&b, 1, log_snapshot(l, 0)->id);
	bench_no_load(&b, ERR_CORRUPT, "the store shows 0");
	/* Who remembers nothing can't know. */
	heads_close(STEAL(b.heads));
	log_free(bench_load(&b));
	bench_end(&b, l);
}

static void
log_load__rewritten(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 3);

	/* As a thief with a writer's key would: a new record 3. */
	bench_remove(&b, 3, log_snapshot(l, 2)->id);
	memcpy(b.prev, log_snapshot(l, 1)->id, OBJECT_NAME_LEN);
	b.seq = 2;
	bench_plant(&b, access_identity(b.w->alice), START + 5000);
	bench_no_load(&b, ERR_CORRUPT, "record 3 is not the one");
	bench_plant(&b, access_identity(b.w->alice), START + 6000);
	bench_no_load(&b, ERR_CORRUPT, "record 3 is not the one");
	bench_end(&b, l);
}

static void
log_load__a_fork(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 2);

	memcpy(b.prev, log_snapshot(l, 0)->id, OBJECT_NAME_LEN);
	b.seq = 1;
	bench_plant(&b, access_identity(b.w->alice), START + 5000);
	/* The one that was seen; who has seen neither can't tell. */
	bench_loads(&b, 2, ERR_CORRUPT, "two records 2");
	heads_close(STEAL(b.heads));
	bench_loads(&b, 1, ERR_CORRUPT, "two records 2");
	bench_end(&b, l);
}

static void
log_load__a_break_in_the_chain(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 2);

	memset(b.prev, 0x77, OBJECT_NAME_LEN);
	bench_plant(&b, access_identity(b.w->alice), START + 5000);
	bench_loads(&b, 2, ERR_CORRUPT, "does not follow");
	bench_end(&b, l);
}

static void
log_load__an_old_record_again(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 2);
	WR_AUTO struct wr w = bench_read(&b, 2, log_snapshot(l, 1)->id);

	bench_plant_bytes(&b, 3, &w);
	bench_loads(&b, 2, ERR_CORRUPT, "says that it is record 2");
	bench_end(&b, l);
}

static void
log_load__a_record_of_another_dataset(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 2);
	const struct dataset *other = world_dataset(b.w, "other");
	const struct identity *alice = access_identity(b.w->alice);
	WR_AUTO struct wr w =
	    bench_record(&b, keyring_latest(other->keys), alice, START + 1000);

	bench_plant_bytes(&b, 3, &w);
	bench_loads(&b, 2, ERR_CORRUPT, "of another dataset");

	/* With this dataset's id in its head, its box is still the other's. */
	bench_remove(&b, 3, b.prev);
	memcpy(w.buf + 8, b.ds->id, DATASET_ID_LEN);
	bench_plant_bytes(&b, 3, &w);
	bench_loads(&b, 2, ERR_AUTH, "record 3");
	bench_end(&b, l);
}

static void
log_load__two_snapshots_of_one_moment(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 2);

	bench_plant(&b, access_identity(b.w->alice), START + 100);
	bench_loads(&b, 2, ERR_CORRUPT, "same time");
	bench_end(&b, l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_load__a_flipped_bit),
	    world_test(log_load__a_flipped_bit_renamed),
	    world_test(log_load__swapped_records),
	    world_test(log_load__a_removed_record),
	    world_test(log_load__cut_back),
	    world_test(log_load__rewritten),
	    world_test(log_load__a_fork),
	    world_test(log_load__a_break_in_the_chain),
	    world_test(log_load__an_old_record_again),
	    world_test(log_load__a_record_of_another_dataset),
	    world_test(log_load__two_snapshots_of_one_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
