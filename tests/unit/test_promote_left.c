/* Datasets that can't be taken over, beside those that can. */
#include "snapshot/store/store_ops.h"
#include "tests/unit/log_place.h"
#include "tests/unit/promote_fixture.h"

#define SEEN_MAX 4

/* A store with three datasets, and what was said of each. */
struct fallen {
	struct world *w;
	struct place a, b, c;
	struct sitedir *dir;
	struct promote_options opt;
	struct promoted seen[SEEN_MAX]; /* but for the log */
	char why[SEEN_MAX][1024];
	size_t n;
};

static void
fallen_clear(struct fallen *s)
{
	sitedir_close(s->dir);
}
#define FALLEN_AUTO __attribute__((cleanup(fallen_clear)))

static struct fallen
new_replica(struct world *w)
{
	struct fallen s = {.w = w};

	s.a = (struct place){.w = w, .ds = backed_up(w, "a", 3)};
	s.b = (struct place){.w = w, .ds = backed_up(w, "b", 3)};
	s.c = (struct place){.w = w, .ds = backed_up(w, "c", 1)};
	s.dir = site_new(w->path, "dr", NOW, -1);
	s.opt.site = sitedir_db(s.dir);
	s.opt.clock = NOW;
	become_replica(w);
	return s;
}

static int
on_dataset(void *arg, const struct promoted *p, UNUSED struct err *err)
{
	struct fallen *s = arg;

	assert_true(s->n < SEEN_MAX);
	s->seen[s->n] = *p;
	if (p->why != NULL)
		memcpy(s->why[s->n], p->why->text, sizeof(p->why->text));
	s->n++;
	return 0;
}

static int
promote(struct fallen *s, struct err *err)
{
	s->n = 0;
	return promote_run(s->w->alice, &s->opt, on_dataset, s, err);
}

static void
assert_taken(const struct fallen *s, const struct place *d)
{
	bool left;

	assert_ok(
	    store_left(access_store(s->w->alice), d->ds->id, &left, &err));
	assert_false(left);
	assert_int_equal(changes(s->w, d->ds), 1);
	for (size_t i = 0; i < s->n; i++)
		if (s->seen[i].dataset == d->ds)
			assert_null(s->seen[i].why);
}

/* And nobody adds to it, nor takes from it, until it is. */
static void
assert_left(const struct fallen *s, const struct place *d, const char *why)
{
	static const enum store_lock_kind kinds[] = {
	    STORE_LOCK_APPEND, STORE_LOCK_RUN, STORE_LOCK_PRUNE};
	struct store *store = access_store(s->w->alice);
	bool told = false;

	for (size_t i = 0; i < s->n; i++)
		if (s->seen[i].dataset == d->ds) {
			told = true;
			assert_non_null(s->seen[i].why);
			assert_non_null(strstr(s->why[i], why));
		}
	assert_true(told);
	assert_int_equal(changes(s->w, d->ds), 0);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		AUTO(store_lock) struct store_lock *lock = NULL;

		assert_fails(ERR_CORRUPT, "was not taken over",
		    store_lock_dataset(
			store, d->ds->id, kinds[i], &lock, &err));
	}
}

static void
assert_not_received(const struct fallen *s, const struct place *d)
{
	AUTO(store_lock) struct store_lock *lock = NULL;

	assert_fails(ERR_DENIED, "is a primary",
	    store_lock_replica(access_store(s->w->alice), d->ds->id,
		STORE_LOCK_APPEND, &lock, &err));
}

/* A record is not in the store any more; put_back(). One at a time. */
static struct aside
lose(const struct place *d, size_t i)
{
	AUTO(log) struct log *l = elsewhere(d);
	struct aside aside;

	put_aside(d, log_record(l, i), &aside);
	return aside;
}

/* Signed and chained as it has to be; but what is in the box nobody can read. */
static void
plant_garbage(const struct fallen *s, const struct place *d)
{
	AUTO(identity) struct identity *thief = world_host("thief");
	AUTO(keyset) struct keyset *ks = NULL;
	AUTO(record) struct record *r = record_at(NOW + 1000, 0);

	assert_ok(access_grant(
	    s->w->alice, &thief->pub, ROLE_WRITER, d->ds, INT64_MAX, &err));
	assert_ok(keyset_new("other", &ks, &err));
	memcpy(ks->dataset, d->ds->id, DATASET_ID_LEN);
	plant_under(d, r, ks, thief);
}

static struct fallen
robbed(struct world *w)
{
	struct fallen s = new_replica(w);

	assert_ok(store_set_replica(access_store(w->alice), NULL, &err));
	plant_garbage(&s, &s.b);
	become_replica(w);
	return s;
}

static void
promote_run__leaves_what_does_not_open(void **state)
{
	FALLEN_AUTO struct fallen s = robbed(*state);

	assert_ok(promote(&s, &err));
	assert_false(is_replica(s.w));
	assert_int_equal(s.n, 3);
	assert_taken(&s, &s.a);
	assert_left(&s, &s.b, "wrong key, or tampered bytes");
	assert_taken(&s, &s.c);
	assert_not_received(&s, &s.b);
	/* It is asked for again, and alone. */
	assert_ok(promote(&s, &err));
	assert_int_equal(s.n, 1);
	assert_left(&s, &s.b, "wrong key, or tampered bytes");
	assert_int_equal(changes(s.w, s.a.ds), 1);
}

static void
promote_run__takes_over_what_was_mended(void **state)
{
	FALLEN_AUTO struct fallen s = new_replica(*state);
	struct aside lost = lose(&s.a, 1);

	assert_ok(promote(&s, &err));
	assert_false(is_replica(s.w));
	assert_left(&s, &s.a, "has no record 2");
	assert_taken(&s, &s.b);
	/* That it is whole is not enough. */
	put_back(&lost);
	assert_left(&s, &s.a, "has no record 2");
	assert_ok(promote(&s, &err));
	assert_int_equal(s.n, 1);
	assert_taken(&s, &s.a);
	assert_not_received(&s, &s.a);
	assert_fails(ERR_USAGE, "a primary already", promote(&s, &err));
	assert_int_equal(s.n, 0);
}

/* A process without file descriptors, say, is no reason to give up a dataset. */
struct broken {
	struct store_ops ops; /* the first, so that a store leads here */
	const struct store_ops *whole;
	const struct dataset *ds;
};

static int
get_fails(struct store *st, const struct object_ref *ref, size_t max,
    uint8_t **buf, size_t *len, struct err *err)
{
	const struct broken *b = (const struct broken *)st->ops;

	if (memcmp(ref->dataset, b->ds->id, DATASET_ID_LEN) != 0)
		return b->whole->get(st, ref, max, buf, len, err);
	return err_set(err, ERR_IO, "cannot read record %ju: out of files",
	    (uintmax_t)ref->seq);
}

static void
promote_run__adds_nothing_where_it_fails(void **state)
{
	struct fallen s = new_replica(*state);
	struct store *store = access_store(s.w->alice);
	const struct place *const places[] = {&s.a, &s.b, &s.c};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct broken b = {*store->ops, store->ops, places[i]->ds};
		struct err why;
		int rc;

		b.ops.get = get_fails;
		store->ops = &b.ops;
		rc = promote(&s, &why);
		store->ops = b.whole;
		assert_int_equal(rc, ERR_IO);
		assert_non_null(strstr(why.text, "out of files"));
		assert_int_equal(s.n, 0);
		assert_true(is_replica(s.w));
		for (size_t k = 0; k < ARRAY_LEN(places); k++)
			assert_int_equal(changes(s.w, places[k]->ds), 0);
	}
	fallen_clear(&s);
}

/* Nothing would be gained. */
static void
promote_run__leaves_a_replica_of_which_nothing_is_whole(void **state)
{
	FALLEN_AUTO struct fallen s = new_replica(*state);
	bool left;

	(void)lose(&s.a, 1);
	(void)lose(&s.b, 1);
	assert_ok(sitedb_arrived(s.opt.site, s.c.ds->id, 9, NOW, &err));
	assert_fails(
	    ERR_CORRUPT, "no dataset can be taken over", promote(&s, &err));
	assert_int_equal(s.n, 3);
	assert_true(is_replica(s.w));
	for (size_t i = 0; i < s.n; i++) {
		assert_non_null(s.seen[i].why);
		assert_int_equal(changes(s.w, s.seen[i].dataset), 0);
		assert_ok(store_left(access_store(s.w->alice),
		    s.seen[i].dataset->id, &left, &err));
		assert_false(left);
	}
}

/* The log alone doesn't show it. */
static void
promote_run__knows_what_has_arrived(void **state)
{
	FALLEN_AUTO struct fallen s = new_replica(*state);

	assert_ok(sitedb_arrived(s.opt.site, s.a.ds->id, 3, NOW, &err));
	assert_ok(sitedb_arrived(s.opt.site, s.b.ds->id, 4, NOW, &err));
	assert_ok(promote(&s, &err));
	assert_taken(&s, &s.a);
	assert_left(&s, &s.b, "record 4 has arrived at this site");
	s.opt.up_to_readable = true;
	assert_ok(promote(&s, &err));
	assert_taken(&s, &s.b);
	assert_int_equal(s.seen[0].moved, 0);
}

static void
promote_run__leaves_a_dataset_without_keys(void **state)
{
	FALLEN_AUTO struct fallen s = new_replica(*state);
	struct store *store = access_store(s.w->alice);
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = 1};
	bool left;

	memset(ref.dataset, 0xee, DATASET_ID_LEN);
	assert_ok(store_put(store, &ref, "x", 1, &err));
	assert_ok(promote(&s, &err));
	assert_int_equal(s.n, 3);
	assert_ok(store_left(store, ref.dataset, &left, &err));
	assert_true(left);
	assert_fails(ERR_USAGE, "a primary already", promote(&s, &err));
}

/* --- up to the newest record that can be read ---------------------------- */

static void
promote_run__moves_the_unreadable_end_aside(void **state)
{
	FALLEN_AUTO struct fallen s = robbed(*state);
	char path[SCRATCH_PATH + 256];

	s.opt.up_to_readable = true;
	assert_ok(promote(&s, &err));
	assert_false(is_replica(s.w));
	assert_taken(&s, &s.a);
	assert_taken(&s, &s.b);
	assert_taken(&s, &s.c);
	for (size_t i = 0; i < s.n; i++)
		assert_int_equal(
		    s.seen[i].moved, s.seen[i].dataset == s.b.ds ? 1 : 0);
	(void)snprintf(path, sizeof(path), "%s/%s", s.w->path,
	    "aside/2001-09-09T01-46-40Z/datasets");
	assert_int_equal(scratch_count(path), 1);
}

/* What this machine saw of the end is explained by the new primary. */
static void
promote_run__moves_aside_what_was_seen(void **state)
{
	FALLEN_AUTO struct fallen s = new_replica(*state);
	AUTO(heads) struct heads *heads = NULL;
	AUTO(log) struct log *l = NULL;
	AUTO(log) struct log *seen = NULL;

	assert_ok(heads_open(
	    s.w->dir, access_root(s.w->alice), s.w->path, &heads, &err));
	assert_ok(log_load(s.w->alice, s.a.ds, heads, &seen, &err));
	damage_record(&s.a, log_record(seen, 2));
	s.opt.heads = heads;
	assert_ok(promote(&s, &err));
	assert_left(&s, &s.a, "record 3");
	s.opt.up_to_readable = true;
	assert_ok(promote(&s, &err));
	assert_taken(&s, &s.a);
	assert_int_equal(s.seen[0].moved, 1);
	assert_ok(log_load(s.w->alice, s.a.ds, heads, &l, &err));
	assert_int_equal(log_records(l), 3);
	assert_null(log_damage(l));
}

/* What lies behind a gap can be read: it is not given up. */
static void
promote_run__cuts_no_gap(void **state)
{
	FALLEN_AUTO struct fallen s = new_replica(*state);
	char path[SCRATCH_PATH + 256];

	(void)lose(&s.a, 1);
	s.opt.up_to_readable = true;
	assert_ok(promote(&s, &err));
	assert_left(&s, &s.a, "has no record 2");
	assert_taken(&s, &s.b);
	(void)snprintf(path, sizeof(path), "%s/aside", s.w->path);
	assert_false(scratch_exists(path));
}

/* Nor is what this version can't read, and another can. */
static void
promote_run__cuts_no_newer_version(void **state)
{
	FALLEN_AUTO struct fallen s = new_replica(*state);
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = 4};
	static const char newer[] = "VRVl\x02\0\0\0 of tomorrow";

	memcpy(ref.dataset, s.b.ds->id, DATASET_ID_LEN);
	assert_ok(store_put(
	    access_store(s.w->alice), &ref, newer, sizeof(newer), &err));
	s.opt.up_to_readable = true;
	assert_ok(promote(&s, &err));
	assert_left(&s, &s.b, "version");
	assert_taken(&s, &s.a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(promote_run__leaves_what_does_not_open),
	    world_test(promote_run__takes_over_what_was_mended),
	    world_test(promote_run__adds_nothing_where_it_fails),
	    world_test(promote_run__leaves_a_replica_of_which_nothing_is_whole),
	    world_test(promote_run__knows_what_has_arrived),
	    world_test(promote_run__leaves_a_dataset_without_keys),
	    world_test(promote_run__moves_the_unreadable_end_aside),
	    world_test(promote_run__moves_aside_what_was_seen),
	    world_test(promote_run__cuts_no_gap),
	    world_test(promote_run__cuts_no_newer_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
