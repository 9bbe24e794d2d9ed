/* A check in one thread and in several: snapshot/check/. */
#include "tests/unit/check_fixture.h"

#define ROUNDS 4

static const unsigned counts[] = {2, 3, 8};

/* --- the same ----------------------------------------------------------- */

static int
compare_damage(const void *a, const void *b)
{
	const struct damage *x = a;
	const struct damage *y = b;
	int order = strcmp(x->object, y->object);

	if (order == 0)
		order = strcmp(x->affects, y->affects);
	return order != 0 ? order : strcmp(x->what, y->what);
}

static void
check_in(const struct realm *r, unsigned threads, struct findings *f)
{
	AUTO(access) struct access *a = realm_open(r);
	struct check_options opt = {
	    .depth = CHECK_READ_DATA, .threads = threads};

	check_with(a, r->heads, &opt, f);
}

/* Damage of objects as such comes first, then what it affects. */
static void
assert_order(const struct findings *f)
{
	size_t i = 0;

	while (i < f->n && *f->v[i].affects == '\0')
		i++;
	for (; i < f->n; i++)
		assert_int_not_equal(*f->v[i].affects, '\0');
}

static void
assert_same_counts(const struct check_result *a, const struct check_result *b)
{
	assert_int_equal(a->objects, b->objects);
	assert_int_equal(a->bytes, b->bytes);
	assert_int_equal(a->snapshots, b->snapshots);
	assert_int_equal(a->entries, b->entries);
	assert_int_equal(a->chunks, b->chunks);
	assert_int_equal(a->damaged, b->damaged);
	assert_int_equal(a->unreferenced, b->unreferenced);
	assert_int_equal(a->closed, b->closed);
}

static void
assert_same(struct findings *a, struct findings *b)
{
	assert_same_counts(&a->result, &b->result);
	assert_int_equal(a->n, b->n);
	if (a->n == 0)
		return;
	qsort(a->v, a->n, sizeof(*a->v), compare_damage);
	qsort(b->v, b->n, sizeof(*b->v), compare_damage);
	for (size_t i = 0; i < a->n; i++) {
		assert_string_equal(a->v[i].object, b->v[i].object);
		assert_string_equal(a->v[i].what, b->v[i].what);
		assert_string_equal(a->v[i].affects, b->v[i].affects);
	}
}

/* ${least}: damages, so that there is something to compare. */
static void
assert_any_number_finds(const struct realm *r, size_t least)
{
	FINDINGS_AUTO struct findings one;

	check_in(r, 1, &one);
	assert_true(one.n >= least);
	assert_order(&one);
	for (size_t i = 0; i < ROUNDS * ARRAY_LEN(counts); i++) {
		FINDINGS_AUTO struct findings many;

		check_in(r, counts[i % ARRAY_LEN(counts)], &many);
		assert_order(&many);
		assert_same(&one, &many);
	}
}

/* --- damage ------------------------------------------------------------- */

static void
check_run__any_number_of_threads_finds_no_damage(void **state)
{
	assert_any_number_finds(*state, 0);
}

/* A byte of each pack in turn: in its header, a segment, its table. */
static void
check_run__any_number_of_threads_finds_a_damaged_pack(void **state)
{
	const struct realm *r = *state;
	struct files packs;

	files_find_class(r, "files", "packs", &packs);
	assert_true(packs.n > 2);
	for (size_t i = 0; i < packs.n; i++) {
		struct original o = original_take(r, packs.name[i]);
		const size_t at[] = {70, PACK_HEADER_LEN + 20, o.len - 30};

		original_flip(&o, at[i % ARRAY_LEN(at)]);
		assert_any_number_finds(r, 1);
		original_put(&o);
	}
}

/* Pages that can't be read, files that can't, and a pack that is missing. */
static void
check_run__any_number_of_threads_finds_all_damages(void **state)
{
	const struct realm *r = *state;
	struct original o[FILES_MAX];
	struct files packs;

	files_find_class(r, "files", "packs", &packs);
	for (size_t i = 0; i < packs.n; i++) {
		o[i] = original_take(r, packs.name[i]);
		if (i % 3 == 0)
			original_flip(&o[i], o[i].len / 2);
		else if (i % 3 == 1)
			original_cut(&o[i], o[i].len - 1);
		else
			original_remove(&o[i]);
	}
	assert_any_number_finds(r, packs.n + 1);
	for (size_t i = 0; i < packs.n; i++)
		original_put(&o[i]);
}

/* --- an end before the end ---------------------------------------------- */

struct stopping {
	atomic_bool stop;
	uint64_t after; /* damages */
};

static void
stop_after(void *arg, UNUSED const char *object, UNUSED const char *what,
    UNUSED const char *affects)
{
	struct stopping *s = arg;

	if (s->after > 0 && --s->after == 0)
		atomic_store(&s->stop, true);
}

/* The first damage is told by the pass, the last ones by the walk. */
static void
check_run__any_number_of_threads_stops_when_asked(void **state)
{
	const struct realm *r = *state;
	char pack[192];
	struct original o;
	FINDINGS_AUTO struct findings all;

	files_find_pack(r, PACK_DATA, pack);
	o = original_take(r, pack);
	original_flip(&o, PACK_HEADER_LEN + 20);
	check_in(r, 1, &all);
	assert_true(all.n > 2);
	for (unsigned i = 0; i < 4 * 2; i++) {
		AUTO(access) struct access *a = realm_open(r);
		struct stopping s = {.after = i % 2 == 0 ? 1 : 2};
		struct check_options opt = {
		    .depth = CHECK_READ_DATA,
		    .threads = 1 + i / 2,
		    .stop = &s.stop,
		    .on_damage = stop_after,
		    .arg = &s,
		};
		struct check_result result;
		struct err err;

		assert_int_equal(
		    check_run(a, r->heads, &opt, &result, &err), ERR_CANCELLED);
		assert_int_equal(err.code, ERR_CANCELLED);
		assert_true(result.damaged < all.n);
	}
	original_put(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_run__any_number_of_threads_finds_no_damage),
	    cmocka_unit_test(
		check_run__any_number_of_threads_finds_a_damaged_pack),
	    cmocka_unit_test(
		check_run__any_number_of_threads_finds_all_damages),
	    cmocka_unit_test(check_run__any_number_of_threads_stops_when_asked),
	};

	return cmocka_run_group_tests(
	    tests, realm_group_setup, realm_group_teardown);
}
