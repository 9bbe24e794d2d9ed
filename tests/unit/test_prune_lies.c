/*
 * A writer's key makes indexes and says which ones count. It must not be able
 * to make an admin's prune take away what it lied about.
 */
#include "snapshot/content/index.h"
#include "snapshot/store/store.h"
#include "tests/unit/prune_fixture.h"

static int
setup(void **state)
{
	struct realm *r = realm_new();

	put_pieces(r, "one", "ab");
	realm_backup(r, "files", r->source, 0);
	put_pieces(r, "one", "bc");
	realm_backup(r, "files", r->source, 1);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	realm_free(*state);
	return 0;
}

/* An index that has every chunk in the first segment of one pack. */
struct lie {
	struct index_builder *b;
	uint32_t pack;
};

/* An index_pack_fn: any data pack will do. */
static int
lie_pack(void *arg, const struct object_ref *ref, uint64_t size,
    enum pack_kind kind, const struct segment_place *places, size_t n,
    struct err *err)
{
	struct lie *lie = arg;

	if (kind != PACK_DATA)
		return 0;
	return index_builder_pack(
	    lie->b, ref, size, kind, places, n, &lie->pack, err);
}

/* An index_spot_fn. */
static int
lie_chunk(void *arg, const struct chunk_name *name,
    UNUSED const struct index_spot *spot, struct err *err)
{
	struct lie *lie = arg;

	return index_builder_chunk(lie->b, name, lie->pack, 0, err);
}

static void
store_lie(const struct realm *r, const struct log *log, struct object_ref *ref)
{
	const struct dataset *ds = log_dataset(log);
	struct store *store = access_store(r->admin);
	AUTO(index_builder) struct index_builder *b = NULL;
	struct lie lie;
	size_t n;
	const uint8_t(*set)[OBJECT_NAME_LEN] = log_indexes(log, &n);

	assert_ok(index_builder_new(&b, &err));
	lie.b = b;
	assert_true(n > 0);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++) {
			struct object_ref at = {.cls = OBJECT_INDEX};
			AUTO(index) struct index *ix = NULL;

			memcpy(at.dataset, ds->id, sizeof(at.dataset));
			memcpy(at.name, set[i], sizeof(at.name));
			assert_ok(index_open(store, &at, ds->keys, &ix, &err));
			if (pass == 0 && i == n - 1)
				assert_ok(
				    index_each_pack(ix, lie_pack, &lie, &err));
			if (pass == 1)
				assert_ok(
				    index_each_spot(ix, lie_chunk, &lie, &err));
		}
	assert_ok(
	    index_builder_store(b, keyring_latest(ds->keys), store, ref, &err));
}

static char *
copy_text(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	return copy;
}

/* The newest snapshot once more, an hour later. */
static struct snapshot *
again(const struct snapshot *old)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->time = old->time;
	s->end = old->end;
	s->time.s += 3600;
	s->end.s += 3600;
	s->kind = old->kind;
	s->host = copy_text(old->host);
	s->source = copy_text(old->source);
	s->program = copy_text(old->program);
	s->root = malloc(old->root_len);
	assert_non_null(s->root);
	memcpy(s->root, old->root, old->root_len);
	s->root_len = old->root_len;
	s->next_ino = old->next_ino;
	return s;
}

/* Publish it with the lie behind the set, or in its place. */
static void
publish(const struct realm *r, bool in_place)
{
	const struct dataset *ds = access_find(r->admin, "files");
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *log = NULL;
	struct object_ref lie;
	uint8_t set[16][OBJECT_NAME_LEN];
	const uint8_t(*old)[OBJECT_NAME_LEN];
	size_t n;

	assert_ok(store_lock_dataset(
	    access_store(r->admin), ds->id, STORE_LOCK_APPEND, &lock, &err));
	assert_ok(log_load(r->admin, ds, NULL, &log, &err));
	store_lie(r, log, &lie);
	old = log_indexes(log, &n);
	assert_true(n < 16);
	if (in_place)
		n = 0;
	memcpy(set, old, n * OBJECT_NAME_LEN);
	memcpy(set[n++], lie.name, OBJECT_NAME_LEN);
	assert_ok(log_append(log, again(log_newest(log)),
	    (const uint8_t(*)[OBJECT_NAME_LEN])set, n, &err));
}

static void
prune_run__keeps_every_place_that_is_listed(void **state)
{
	const struct realm *r = *state;
	size_t packs = count_of(r, "packs/");
	uint64_t bytes = bytes_of(r, "packs/");

	publish(r, false);
	(void)prune_with(r->admin, "files", 0);
	assert_true(count_of(r, "packs/") >= packs);
	assert_true(bytes_of(r, "packs/") >= bytes);
}

static void
prune_run__takes_nothing_that_a_set_left_out(void **state)
{
	const struct prune_options opt = {.max_dead = 0};
	const struct realm *r = *state;
	size_t packs = count_of(r, "packs/");
	size_t indexes = count_of(r, "index/");
	struct prune_result out;
	struct err why = {0};
	int rc;

	publish(r, true);
	rc = prune_run(
	    r->admin, access_find(r->admin, "files"), NULL, &opt, &out, &why);
	assert_true(rc == ERR_CORRUPT || rc == 0);
	assert_int_equal(out.removed.n, 0);
	assert_int_equal(count_of(r, "packs/"), packs);
	assert_int_equal(count_of(r, "index/"), indexes + 1);
}

#define lies_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    lies_test(prune_run__keeps_every_place_that_is_listed),
	    lies_test(prune_run__takes_nothing_that_a_set_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
