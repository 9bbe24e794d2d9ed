/* Packs hashed before there are keys: snapshot/check/check_early.h. */
#include "tests/unit/check_fixture.h"

#include "snapshot/content/pack.h"

#include <time.h>

/* --- looking ------------------------------------------------------------ */

static void
wait_idle(const struct check_early *e)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	while (!check_early_idle(e))
		(void)nanosleep(&pause, NULL);
}

/* To its end. */
static struct check_early *
look(const struct realm *r, bool one_only)
{
	struct check_early *e = check_early_start(r->store, 2, one_only);

	assert_non_null(e);
	wait_idle(e);
	check_early_end(e);
	return e;
}

/* The packs of a store, and how many of them were found whole. */
struct packs {
	const struct check_early *early;
	size_t n, whole;
	struct object_ref ref; /* the last that is whole, and its size */
	uint64_t size;
};

static int
count_pack(void *arg, const struct object_ref *ref, uint64_t size,
    UNUSED struct err *err)
{
	struct packs *p = arg;

	p->n++;
	if (check_early_whole(p->early, ref, size)) {
		p->whole++;
		p->ref = *ref;
		p->size = size;
	}
	return 0;
}

static struct packs
count_packs(const struct realm *r, const struct check_early *e)
{
	struct packs p = {.early = e};

	for (size_t i = 0; i < access_datasets(r->admin); i++)
		assert_ok(store_list(access_store(r->admin), OBJECT_PACK,
		    access_dataset(r->admin, i)->id, count_pack, &p, &err));
	return p;
}

static void
check_early__finds_whole_packs(void **state)
{
	const struct realm *r = *state;
	AUTO(check_early) struct check_early *e = look(r, false);
	struct packs p = count_packs(r, e);

	assert_true(p.n > 4);
	assert_int_equal(p.whole, p.n);
	assert_false(check_early_whole(e, &p.ref, p.size - 1));
	assert_false(check_early_whole(e, &p.ref, p.size + 1));
	/* One of the same name in another dataset is another one. */
	p.ref.dataset[0] ^= 1;
	assert_false(check_early_whole(e, &p.ref, p.size));
	p.ref.dataset[0] ^= 1;
	p.ref.name[0] ^= 1;
	assert_false(check_early_whole(e, &p.ref, p.size));
}

static void
check_early__remembers_no_damaged_pack(void **state)
{
	const struct realm *r = *state;
	struct files packs;

	files_find_class(r, "files", "packs", &packs);
	for (size_t i = 0; i < 3 * packs.n; i++) {
		AUTO(check_early) struct check_early *e = NULL;
		struct original o = original_take(r, packs.name[i / 3]);
		struct packs p;

		if (i % 3 == 0)
			original_flip(&o, i * 97 % o.len);
		else
			original_cut(&o, i % 3 == 1 ? 0 : o.len - 1);
		e = look(r, false);
		p = count_packs(r, e);
		assert_int_equal(p.whole, p.n - 1);
		original_put(&o);
		/* What is there now has its name, and was not looked at. */
		p = count_packs(r, e);
		assert_int_equal(p.whole, p.n - 1);
	}
}

/* --- where to look ------------------------------------------------------ */

static void
check_early__looks_at_one_dataset_where_there_is_no_other(void **state)
{
	struct realm *one = realm_new();
	AUTO(check_early) struct check_early *none = look(*state, true);
	AUTO(check_early) struct check_early *all = NULL;
	struct packs p = count_packs(*state, none);

	assert_true(p.n > 4);
	assert_int_equal(p.whole, 0);

	assert_int_equal(mkdir(one->source, 0755), 0);
	realm_backup(one, "files", one->source, 0);
	all = look(one, true);
	p = count_packs(one, all);
	assert_int_equal(p.whole, p.n);
	realm_free(one);
}

static void
check_early__leaves_one_thread_alone(void **state)
{
	const struct realm *r = *state;

	assert_null(check_early_start(r->store, 1, false));
}

static void
check_early__is_no_matter_where_there_is_no_store(void **state)
{
	const struct realm *r = *state;
	AUTO(check_early) struct check_early *e = NULL;
	char path[2 * SCRATCH_PATH];
	struct packs p;

	(void)snprintf(path, sizeof(path), "%s/nowhere", r->dir);
	e = check_early_start(path, 2, false);
	assert_non_null(e);
	wait_idle(e);
	check_early_end(e);
	p = count_packs(r, e);
	assert_int_equal(p.whole, 0);
}

/* Whatever it is at. */
static void
check_early__ends_at_any_time(void **state)
{
	const struct realm *r = *state;

	for (long i = 0; i < 50; i++) {
		AUTO(check_early)
		struct check_early *e = check_early_start(r->store, 0, false);
		const struct timespec pause = {.tv_nsec = i * 100000};

		if (i % 2 == 0)
			(void)nanosleep(&pause, NULL);
		if (e != NULL && i % 3 != 0)
			check_early_end(e);
	}
}

/* --- the check that follows --------------------------------------------- */

static void
check_threads_after(const struct realm *r, struct check_early *e,
    unsigned threads, struct findings *f)
{
	AUTO(access) struct access *a = realm_open(r);
	struct check_progress p = {0};
	struct check_options opt = {
	    .depth = CHECK_READ_DATA,
	    .threads = threads,
	    .early = e,
	    .progress = &p,
	};

	check_with(a, r->heads, &opt, f);
	assert_int_equal(atomic_load(&p.objects), f->result.objects);
	assert_int_equal(atomic_load(&p.bytes), f->result.bytes);
}

static void
check_after(const struct realm *r, struct check_early *e, struct findings *f)
{
	check_threads_after(r, e, 2, f);
}

static void
check_run__counts_what_was_hashed_early_once(void **state)
{
	const struct realm *r = *state;
	AUTO(check_early) struct check_early *e = look(r, false);
	FINDINGS_AUTO struct findings with, without;

	check_after(r, NULL, &without);
	check_after(r, e, &with);
	assert_clean(&with);
	assert_int_equal(with.result.objects, without.result.objects);
	assert_int_equal(with.result.bytes, without.result.bytes);
	assert_int_equal(with.result.chunks, without.result.chunks);
	assert_int_equal(with.result.entries, without.result.entries);
}

/* It ends what has not ended. */
static void
check_run__begins_while_packs_are_hashed(void **state)
{
	const struct realm *r = *state;

	for (int i = 0; i < 20; i++) {
		AUTO(check_early)
		struct check_early *e = check_early_start(r->store, 2, false);
		FINDINGS_AUTO struct findings f;

		check_after(r, e, &f);
		assert_clean(&f);
	}
}

static void
check_run__finds_damage_that_was_met_early(void **state)
{
	const struct realm *r = *state;
	struct files packs;

	files_find_class(r, "files", "packs", &packs);
	for (size_t i = 0; i < packs.n; i++) {
		AUTO(check_early) struct check_early *e = NULL;
		struct original o = original_take(r, packs.name[i]);
		FINDINGS_AUTO struct findings with, without;

		original_flip(&o, o.len / 2);
		e = look(r, false);
		check_after(r, NULL, &without);
		check_after(r, e, &with);
		assert_only(&with, packs.name[i]);
		assert_true(found(&with, packs.name[i], ""));
		assert_int_equal(with.n, without.n);
		for (size_t j = 0; j < without.n; j++)
			assert_true(found(
			    &with, without.v[j].object, without.v[j].affects));
		original_put(&o);
	}
}

/* In the header, the segments, the table and its padding, the tail. */
static void
finds_later_byte(const struct realm *r, struct check_early *e,
    const struct original *o, const char *pack, size_t off)
{
	FINDINGS_AUTO struct findings f;

	original_flip(o, off);
	check_after(r, e, &f);
	assert_only(&f, pack);
	if (!found(&f, pack, ""))
		fail_msg("byte %zu of '%s' was not found", off, pack);
}

static void
check_run__finds_any_byte_that_turned_since(void **state)
{
	const struct realm *r = *state;
	AUTO(check_early) struct check_early *e = look(r, false);
	char pack[192];

	for (int kind = PACK_DATA; kind <= PACK_META; kind++) {
		struct original o;
		/* Of a large pack not each: it would take long. */
		size_t step = kind == PACK_META ? 1 : 5;

		files_find_pack(r, kind, pack);
		o = original_take(r, pack);
		for (size_t i = 0; i < PACK_HEADER_LEN; i += step)
			finds_later_byte(r, e, &o, pack, i);
		for (size_t i = PACK_HEADER_LEN; i < o.len; i += o.len / 15)
			finds_later_byte(r, e, &o, pack, i);
		for (size_t i = o.len - 40; i < o.len; i += step)
			finds_later_byte(r, e, &o, pack, i);
		original_put(&o);
	}
}

/* Of what the threads find, who opened which segment when is not to be seen. */
static void
check_run__tells_of_a_packs_first_damaged_segment(void **state)
{
	struct realm *one = realm_new();
	AUTO(check_early) struct check_early *e = NULL;
	char path[2 * SCRATCH_PATH], pack[192];
	const size_t len = 6 << 20;
	uint8_t *buf = malloc(len);
	FINDINGS_AUTO struct findings first;
	struct original o;

	(void)state;
	assert_int_equal(mkdir(one->source, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/noise", one->source);
	arc4random_buf(buf, len);
	scratch_write(path, buf, len);
	free(buf);
	realm_backup(one, "files", one->source, 0);
	e = look(one, false);
	files_find_pack(one, PACK_DATA, pack);
	o = original_take(one, pack);
	assert_true(o.len > len);
	for (size_t i = 1; i < 10; i += 2)
		original_flip(&o, o.len / 10 * i);
	check_threads_after(one, e, 1, &first);
	assert_string_equal(first.v[0].object, pack);
	assert_non_null(strstr(first.v[0].what, "segment"));
	for (unsigned i = 0; i < 24; i++) {
		FINDINGS_AUTO struct findings f;

		check_threads_after(one, e, 2 + i % 12, &f);
		assert_string_equal(f.v[0].object, pack);
		assert_string_equal(f.v[0].what, first.v[0].what);
		assert_int_equal(f.n, first.n);
	}
	original_put(&o);
	realm_free(one);
}

/* Cut off, gone, or another pack of the dataset in its place. */
static void
check_run__finds_packs_that_changed_since(void **state)
{
	const struct realm *r = *state;
	AUTO(check_early) struct check_early *e = look(r, false);
	struct files packs;

	files_find_class(r, "files", "packs", &packs);
	for (size_t i = 0; i < 3 * packs.n; i++) {
		struct original o = original_take(r, packs.name[i / 3]);
		struct original other =
		    original_take(r, packs.name[(i / 3 + 1) % packs.n]);
		FINDINGS_AUTO struct findings f;

		if (i % 3 == 0)
			original_cut(&o, o.len - 1);
		else if (i % 3 == 1)
			original_remove(&o);
		else
			scratch_write(o.path, other.buf, other.len);
		check_after(r, e, &f);
		assert_true(found(&f, packs.name[i / 3], NULL));
		original_put(&o);
		original_put(&other);
	}
}

/* A key that opens no pack has them hashed by the check itself. */
static void
check_run__believes_nothing_that_it_does_not_open(void **state)
{
	const struct realm *r = *state;
	AUTO(check_early) struct check_early *e = look(r, false);
	AUTO(access) struct access *a = realm_open_writer(r);
	struct check_options opt = {
	    .depth = CHECK_READ_DATA, .threads = 2, .early = e};
	FINDINGS_AUTO struct findings f;
	struct original o;
	char pack[192];

	files_find_pack(r, PACK_DATA, pack);
	o = original_take(r, pack);
	original_flip(&o, o.len / 2);
	check_with(a, r->heads, &opt, &f);
	assert_only(&f, pack);
	original_put(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_early__finds_whole_packs),
	    cmocka_unit_test(check_early__remembers_no_damaged_pack),
	    cmocka_unit_test(
		check_early__looks_at_one_dataset_where_there_is_no_other),
	    cmocka_unit_test(check_early__leaves_one_thread_alone),
	    cmocka_unit_test(check_early__is_no_matter_where_there_is_no_store),
	    cmocka_unit_test(check_early__ends_at_any_time),
	    cmocka_unit_test(check_run__counts_what_was_hashed_early_once),
	    cmocka_unit_test(check_run__begins_while_packs_are_hashed),
	    cmocka_unit_test(check_run__finds_damage_that_was_met_early),
	    cmocka_unit_test(check_run__finds_any_byte_that_turned_since),
	    cmocka_unit_test(check_run__tells_of_a_packs_first_damaged_segment),
	    cmocka_unit_test(check_run__finds_packs_that_changed_since),
	    cmocka_unit_test(check_run__believes_nothing_that_it_does_not_open),
	};

	return cmocka_run_group_tests(
	    tests, realm_group_setup, realm_group_teardown);
}
