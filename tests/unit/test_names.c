/* The upper, dated tree: fs/names.c, folder.c, days.c, watch.c, inode.c. */
#include "fs/names.h"
#include "tests/unit/access_fixture.h"
#include "tests/unit/log_fixture.h"

#include <errno.h>

#define NOV_21 1795219200 /* 2026-11-21T00:00:00Z */
#define AT(h, m, s) (NOV_21 + ((h)*60 + (m)) * 60 + (s))
#define DAY 86400

/* A mount without a kernel: what names.c needs of one. */
struct scene {
	struct world *w;
	struct heads *heads;
	struct segcache *cache;
	struct fs fs;
	char seen[4096]; /* lines reported */
};

static void
see(void *arg, const char *line, const char *path)
{
	struct scene *sc = arg;

	(void)path;
	(void)strncat(sc->seen, line, sizeof(sc->seen) - strlen(sc->seen) - 1);
}

static void
scene_mount(struct scene *sc, const char *dataset)
{
	struct watch_options opt = {
	    .access = sc->w->alice,
	    .heads = sc->heads,
	    .cache = sc->cache,
	    .dataset = dataset,
	};
	struct node_key root;

	assert_ok(report_new(see, sc, &sc->fs.report, &err));
	opt.report = sc->fs.report;
	assert_ok(watch_new(&opt, &sc->fs.watch, &err));
	sc->fs.access = sc->w->alice;
	sc->fs.sharing = true;
	sc->fs.since.s = START;
	names_root(&sc->fs, &root);
	assert_ok(nodes_new(&root, &sc->fs.nodes, &err));
}

static int
scene_setup(void **state)
{
	struct scene *sc = calloc(1, sizeof(*sc));

	if (sc == NULL || world_setup((void **)&sc->w) != 0)
		return -1;
	assert_ok(heads_open(sc->w->dir, access_root(sc->w->alice), sc->w->path,
	    &sc->heads, &err));
	assert_ok(segcache_new(1 << 20, &sc->cache, &err));
	*state = sc;
	return 0;
}

static int
scene_teardown(void **state)
{
	struct scene *sc = *state;
	int rc;

	nodes_free(sc->fs.nodes);
	watch_free(sc->fs.watch);
	report_free(sc->fs.report);
	segcache_free(sc->cache);
	heads_close(sc->heads);
	rc = world_teardown((void **)&sc->w);
	free(sc);
	return rc;
}

#define scene_test(name)                                                       \
	cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

/* Add a snapshot to a dataset's log, as a backup would. */
static void
back_up(struct scene *sc, const char *dataset, int64_t s, uint32_t ns)
{
	const struct dataset *ds = access_find(sc->w->alice, dataset);
	AUTO(log) struct log *log = NULL;

	if (ds == NULL)
		ds = world_dataset(sc->w, dataset);
	sc->w->now = s;
	assert_ok(log_load(sc->w->alice, ds, sc->heads, &log, &err));
	assert_ok(log_append(log, snapshot_at(s, ns), NULL, 0, &err));
}

/* --- walking ----------------------------------------------------------- */

static int
step(struct scene *sc, struct node *in, const char *name, struct node **out)
{
	struct span text = {(const uint8_t *)name, strlen(name)};
	struct named found;
	int rc = names_lookup(&sc->fs, in, text, &found);

	if (rc == 0)
		assert_ok(nodes_intern(sc->fs.nodes, &found.key, out, &err));
	return rc;
}

/* The node at a path of single steps; fails the test when there is none. */
static struct node *
walk(struct scene *sc, const char *path)
{
	struct node *n = nodes_get(sc->fs.nodes, NODE_ROOT_ID);
	char *copy = strdup(path), *save, *name;

	nodes_put(sc->fs.nodes, n);
	assert_non_null(copy);
	for (name = strtok_r(copy, "/", &save); name != NULL;
	     name = strtok_r(NULL, "/", &save))
		if (step(sc, n, name, &n) != 0)
			fail_msg("no '%s' in '%s'", name, path);
	free(copy);
	return n;
}

static void
assert_nothing(struct scene *sc, const char *dir, const char *name)
{
	struct node *n;

	assert_int_equal(step(sc, walk(sc, dir), name, &n), ENOENT);
}

static void
assert_points(struct scene *sc, const char *path, const char *target)
{
	const struct node *n = walk(sc, path);
	struct span raw = node_raw(n);

	assert_int_equal(n->kind, NODE_LINK);
	assert_int_equal(raw.len, strlen(target));
	assert_memory_equal(raw.p, target, raw.len);
}

static void
assert_snapshot(struct scene *sc, const char *path, uint64_t seq)
{
	const struct node *n = walk(sc, path);

	assert_int_equal(n->kind, NODE_DIR);
	assert_non_null(n->s);
	assert_int_equal(n->s->seq, seq);
}

/* What a listing shows, in its order, from the place ${from} on. */
static void
assert_listed(
    struct scene *sc, const char *path, uint64_t from, const char *want)
{
	struct node *n = walk(sc, path);
	struct named found;
	char got[4096] = "";
	bool any;

	for (;; from = found.next) {
		assert_int_equal(names_next(&sc->fs, n, from, &found, &any), 0);
		if (!any)
			break;
		(void)strncat(
		    got, (const char *)found.key.name.p, found.key.name.len);
		(void)strcat(got, " ");
	}
	assert_string_equal(got, want);
}

/* --- folders and datasets ---------------------------------------------- */

static void
names__datasets_make_folders(void **state)
{
	struct scene *sc = *state;

	(void)world_dataset(sc->w, "customers");
	(void)world_dataset(sc->w, "db/clarity");
	(void)world_dataset(sc->w, "db/hr/pay");
	scene_mount(sc, NULL);
	assert_listed(sc, "", 0, "customers db ");
	assert_listed(sc, "db", 0, "clarity hr ");
	assert_listed(sc, "db/hr", 0, "pay ");
	assert_int_equal(walk(sc, "db")->kind, NODE_FOLDER);
	assert_int_equal(walk(sc, "db/hr/pay")->kind, NODE_DATASET);
	assert_nothing(sc, "", "clarity");
	assert_nothing(sc, "db", "hr2");
	assert_nothing(sc, "db", "h");
}

static void
names__one_dataset_alone(void **state)
{
	struct scene *sc = *state;

	(void)world_dataset(sc->w, "customers");
	(void)world_dataset(sc->w, "db/clarity");
	(void)world_dataset(sc->w, "db/hr");
	scene_mount(sc, "db/hr");
	assert_listed(sc, "", 0, "db ");
	assert_listed(sc, "db", 0, "hr ");
}

static void
watch_new__no_such_dataset(void **state)
{
	struct scene *sc = *state;
	struct watch_options opt = {
	    .access = sc->w->alice, .cache = sc->cache, .dataset = "nope"};
	struct watch *watch;

	assert_fails(ERR_NOT_FOUND, "'nope'", watch_new(&opt, &watch, &err));
	assert_null(watch);
}

/* Told at once, and not again by whoever enters. */
static void
watch_new__of_a_replica_that_is_behind(void **state)
{
	struct scene *sc = *state;
	const struct dataset *ds = world_dataset(sc->w, "customers");
	const struct head_seen seen = {.seq = 2};
	const char *told = "this replica is 2 records behind";

	(void)world_dataset(sc->w, "whole");
	assert_ok(heads_set(sc->heads, ds->id, &seen, &err));
	assert_ok(store_set_replica(access_store(sc->w->alice), "dr", &err));
	scene_mount(sc, NULL);
	if (strncmp(sc->seen, told, strlen(told)) != 0)
		fail_msg("%s", sc->seen);
	sc->seen[0] = '\0';
	assert_listed(sc, "customers", 0, "");
	assert_listed(sc, "whole", 0, "");
	assert_string_equal(sc->seen, "");
}

static void
names__dataset_without_snapshots_is_empty(void **state)
{
	struct scene *sc = *state;

	(void)world_dataset(sc->w, "customers");
	scene_mount(sc, NULL);
	assert_listed(sc, "customers", 0, "");
	assert_nothing(sc, "customers", "latest");
	assert_nothing(sc, "customers", "@latest");
	assert_nothing(sc, "customers", "2026-11-21");
}

/* --- days and snapshots ------------------------------------------------ */

static void
three_snapshots(struct scene *sc)
{
	back_up(sc, "customers", AT(0, 0, 0) - 1, 0);
	back_up(sc, "customers", AT(14, 20, 0), 0);
	back_up(sc, "customers", AT(14, 40, 0), 0);
	scene_mount(sc, NULL);
}

static void
names__days_and_snapshots(void **state)
{
	struct scene *sc = *state;

	three_snapshots(sc);
	assert_listed(sc, "customers", 0, "latest 2026-11-20 2026-11-21 ");
	assert_listed(sc, "customers/2026-11-20", 0, "latest 23-59-59Z ");
	assert_listed(
	    sc, "customers/2026-11-21", 0, "latest 14-20-00Z 14-40-00Z ");
	assert_snapshot(sc, "customers/2026-11-20/23-59-59Z", 1);
	assert_snapshot(sc, "customers/2026-11-21/14-20-00Z", 2);
	assert_snapshot(sc, "customers/2026-11-21/14-40-00Z", 3);
}

static void
names__latest(void **state)
{
	struct scene *sc = *state;

	three_snapshots(sc);
	assert_points(sc, "customers/latest", "2026-11-21/14-40-00Z");
	assert_points(sc, "customers/2026-11-20/latest", "23-59-59Z");
	assert_points(sc, "customers/2026-11-21/latest", "14-40-00Z");
}

static void
names__times_are_found_but_not_listed(void **state)
{
	struct scene *sc = *state;

	three_snapshots(sc);
	assert_snapshot(sc, "customers/@latest", 3);
	assert_snapshot(sc, "customers/@2026-11-21", 3);
	assert_snapshot(sc, "customers/@2026-11-20", 1);
	assert_snapshot(sc, "customers/@2026-11-21T14:39Z", 2);
	assert_nothing(sc, "customers", "@2026-11-19");
	assert_nothing(sc, "customers", "@nonsense");
	assert_nothing(sc, "customers", "@");
}

static void
names__only_exact_names(void **state)
{
	struct scene *sc = *state;

	three_snapshots(sc);
	assert_nothing(sc, "customers", "2026-11-22");
	assert_nothing(sc, "customers", "2026-11-21T14:20Z");
	assert_nothing(sc, "customers", "today");
	assert_nothing(sc, "customers/2026-11-21", "14-20-00");
	assert_nothing(sc, "customers/2026-11-21", "14-20-00.000Z");
	assert_nothing(sc, "customers/2026-11-21", "14-20-01Z");
	assert_nothing(sc, "customers/2026-11-21", "@latest");
}

static void
names__second_taken(void **state)
{
	struct scene *sc = *state;

	back_up(sc, "customers", AT(14, 20, 0), 100000000);
	back_up(sc, "customers", AT(14, 20, 0), 250000000);
	scene_mount(sc, NULL);
	assert_listed(
	    sc, "customers/2026-11-21", 0, "latest 14-20-00Z 14-20-00.250Z ");
	assert_snapshot(sc, "customers/2026-11-21/14-20-00Z", 1);
	assert_snapshot(sc, "customers/2026-11-21/14-20-00.250Z", 2);
	assert_nothing(sc, "customers/2026-11-21", "14-20-00.100Z");
	assert_points(sc, "customers/latest", "2026-11-21/14-20-00.250Z");
}

static void
days_of__before_1970(UNUSED void **state)
{
	assert_int_equal(days_of((struct moment){-1, 0}), -1);
	assert_int_equal(days_of((struct moment){-DAY, 0}), -1);
	assert_int_equal(days_of((struct moment){-DAY - 1, 0}), -2);
	assert_int_equal(days_of((struct moment){DAY - 1, 0}), 0);
	assert_int_equal(days_of((struct moment){DAY, 0}), 1);
}

/* --- news -------------------------------------------------------------- */

/* A listing that is under way when snapshots come goes on where it was. */
static void
names_next__goes_on_among_news(void **state)
{
	struct scene *sc = *state;
	struct named found;
	struct node *day;
	bool any;

	three_snapshots(sc);
	day = walk(sc, "customers/2026-11-21");
	assert_int_equal(names_next(&sc->fs, day, 1, &found, &any), 0);
	assert_true(any);
	back_up(sc, "customers", AT(12, 0, 0), 0);
	(void)usleep(1100 * 1000);
	assert_listed(
	    sc, "customers/2026-11-21", found.next, "14-40-00Z 12-00-00Z ");
	assert_points(sc, "customers/2026-11-21/latest", "14-40-00Z");
}

static void
names_stat__mtime_tells_of_news(void **state)
{
	struct scene *sc = *state;
	struct stat before, after;
	struct node *ds;

	three_snapshots(sc);
	ds = walk(sc, "customers");
	names_stat(&sc->fs, ds, &before);
	assert_int_equal(before.st_mtim.tv_sec, START);
	assert_int_equal(before.st_mode, S_IFDIR | 0555);
	assert_int_equal(before.st_nlink, 1);

	(void)walk(sc, "customers/latest");
	names_stat(&sc->fs, ds, &before);
	assert_int_equal(before.st_mtim.tv_sec, AT(14, 40, 0));
	back_up(sc, "customers", AT(15, 0, 0), 0);
	(void)usleep(1100 * 1000);
	names_stat(&sc->fs, ds, &after);
	assert_int_equal(after.st_mtim.tv_sec, AT(15, 0, 0));
}

static void
names__damaged_log_is_reported(void **state)
{
	struct scene *sc = *state;
	char command[2 * SCRATCH_PATH];
	struct node *n;

	three_snapshots(sc);
	(void)snprintf(command, sizeof(command),
	    "cd '%s'/datasets/*/log && for f in *; do chmod u+w $f && "
	    "printf x >>$f; done",
	    sc->w->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(step(sc, walk(sc, "customers"), "latest", &n), EIO);
	assert_non_null(strstr(sc->seen, "dataset 'customers'"));
}

/* --- inode numbers ----------------------------------------------------- */

static void
inode_number__ranges_are_apart(UNUSED void **state)
{
	uint64_t shared = inode_number(inode_scope(0, 0), 5);

	assert_int_equal(shared, UINT64_C(1) << 48 | 5);
	assert_int_equal(
	    inode_number(inode_scope(2, 0), 5), UINT64_C(3) << 48 | 5);
	assert_int_equal(inode_number(inode_scope(32766, 0), ENTRY_INO_MAX),
	    UINT64_MAX >> 1);
	assert_int_equal(inode_number(inode_scope(32767, 0), 5), 0);
	assert_int_equal(inode_number(inode_scope(1, 2), 5),
	    UINT64_C(1) << 63 | UINT64_C(1) << 50 | UINT64_C(2) << 32 | 5);
	assert_int_equal(inode_number(inode_scope(4095, 1), 5) >> 62, 2);
	assert_int_equal(inode_number(inode_scope(4096, 1), 5), 0);
	assert_int_equal(inode_number(inode_scope(0, 1 << 18), 5), 0);
	assert_int_equal(inode_number(inode_scope(0, 1), UINT64_C(1) << 32), 0);
	assert_true(inode_folder(70000) < shared);
	assert_true(inode_day(32767, -1) < shared);
	assert_int_not_equal(inode_day(0, 1), inode_day(1, 1));
	assert_int_not_equal(inode_day(0, 0), inode_folder(0));
}

static void
names__numbers_with_and_without_sharing(void **state)
{
	struct scene *sc = *state;

	three_snapshots(sc);
	/* All three have the same root entry. */
	assert_int_equal(walk(sc, "customers/2026-11-21/14-20-00Z")->st_ino,
	    walk(sc, "customers/2026-11-21/14-40-00Z")->st_ino);
	sc->fs.sharing = false;
	assert_int_not_equal(walk(sc, "customers/@2026-11-21T14:20Z")->st_ino,
	    walk(sc, "customers/@2026-11-21T14:40Z")->st_ino);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    scene_test(names__datasets_make_folders),
	    scene_test(names__one_dataset_alone),
	    scene_test(watch_new__no_such_dataset),
	    scene_test(watch_new__of_a_replica_that_is_behind),
	    scene_test(names__dataset_without_snapshots_is_empty),
	    scene_test(names__days_and_snapshots),
	    scene_test(names__latest),
	    scene_test(names__times_are_found_but_not_listed),
	    scene_test(names__only_exact_names),
	    scene_test(names__second_taken),
	    cmocka_unit_test(days_of__before_1970),
	    scene_test(names_next__goes_on_among_news),
	    scene_test(names_stat__mtime_tells_of_news),
	    scene_test(names__damaged_log_is_reported),
	    cmocka_unit_test(inode_number__ranges_are_apart),
	    scene_test(names__numbers_with_and_without_sharing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
