/*
 * A backup after a crash at any sync: every snapshot that is visible is whole,
 * byte for byte, and the next backup takes up what the crashed one had stored.
 */
#include "snapshot/backup/backup.h"
#include "tests/crash/census.h"
#include "tests/crash/place.h"
#include "tests/crash/relied.h"
#include "tests/crash/scenario.h"

#include <time.h>

#define SEEDS 4
#define BIG (3 * 1024 * 1024)
#define SNAPSHOTS 3
#define CACHE (1 * 1024 * 1024)

/* What all crashes share, and what the work of one was told. */
struct world {
	struct place at;
	char *census[SNAPSHOTS]; /* of each version of the source */

	unsigned told;      /* snapshots that were reported stored */
	unsigned noted;     /* packs that crashed backups left, in all */
	uint64_t unchanged; /* files that the differential did not read */
};

/* --- the source -------------------------------------------------------- */

static void
source_write(const struct world *w, const char *name, size_t len, uint64_t seed)
{
	char path[2 * SCRATCH_PATH];
	uint8_t *buf = malloc(len);

	place_noise(buf, len, seed);
	(void)snprintf(path, sizeof(path), "%s/%s", w->at.source, name);
	scratch_write(path, buf, len);
	free(buf);
}

static void
source_dir(const struct world *w, const char *name)
{
	char path[2 * SCRATCH_PATH];

	(void)snprintf(path, sizeof(path), "%s/%s", w->at.source, name);
	assert_int_equal(mkdir(path, 0750), 0);
}

static void
source_remove(const struct world *w, const char *name)
{
	char path[2 * SCRATCH_PATH];

	(void)snprintf(path, sizeof(path), "%s/%s", w->at.source, name);
	(void)unlink(path);
}

/* What stays the same in all versions. */
static void
source_make(const struct world *w)
{
	char from[2 * SCRATCH_PATH], to[2 * SCRATCH_PATH];

	source_dir(w, "");
	source_dir(w, "a");
	source_dir(w, "a/empty");
	source_dir(w, "b");
	source_write(w, "a/big", BIG, 1);
	source_write(w, "a/small", 100, 2);
	source_write(w, "b/nothing", 0, 3);
	(void)snprintf(from, sizeof(from), "%s/a/small", w->at.source);
	(void)snprintf(to, sizeof(to), "%s/b/link", w->at.source);
	assert_int_equal(link(from, to), 0);
	(void)snprintf(to, sizeof(to), "%s/b/symlink", w->at.source);
	assert_int_equal(symlink("../a/small", to), 0);
}

/* A file that is in the source anew, one that is gone, and one that changed. */
static void
source_become(struct world *w, unsigned version)
{
	char name[16];

	for (unsigned v = 0; v < SNAPSHOTS; v++) {
		(void)snprintf(name, sizeof(name), "b/only-%u", v);
		if (v == version)
			source_write(w, name, 70000, 100 + v);
		else
			source_remove(w, name);
	}
	source_write(w, "changes", 300000, 200 + version);
	free(w->census[version]);
	w->census[version] = census_source(w->at.source);
}

/* --- the work ---------------------------------------------------------- */

static void
state_dir(const char *dir, char path[PLACE_PATH])
{
	(void)snprintf(path, PLACE_PATH, "%s/state", dir);
}

/* Back the source up as it is. */
static int
back_up(const struct world *w, const char *dir, struct access *a,
    struct backup_result *out, struct err *err)
{
	AUTO(heads) struct heads *heads = NULL;
	char state[PLACE_PATH];
	const struct backup_options opt = {
	    .dataset = PLACE_DATASET,
	    .source = w->at.source,
	    .program = "test",
	    .state_dir = state,
	    .threads = 2,
	};
	int rc;

	state_dir(dir, state);
	if ((rc = heads_open(state, access_root(a),
		 store_address(access_store(a)), &heads, err)) != 0)
		return rc;
	return backup_run(a, heads, &opt, out, err);
}

static void
backup_before(void *arg, const char *dir)
{
	struct world *w = arg;

	w->told = 0;
	place_copy(&w->at, dir);
	source_become(w, 0);
}

/* A full one, and a differential. */
static void
backup_work(void *arg, const char *dir, const struct sysio *io)
{
	struct world *w = arg;
	AUTO(access) struct access *a = place_enter(&w->at, dir, io);
	struct backup_result out;
	struct err err;

	if (back_up(w, dir, a, &out, &err) != 0)
		return;
	assert_int_equal(out.snapshot->kind, SNAPSHOT_FULL);
	backup_result_clear(&out);
	w->told = 1;
	source_become(w, 1);
	if (back_up(w, dir, a, &out, &err) != 0)
		return;
	assert_int_equal(out.snapshot->kind, SNAPSHOT_DIFFERENTIAL);
	w->unchanged = out.unchanged;
	backup_result_clear(&out);
	w->told = 2;
}

/* --- what a crash leaves ----------------------------------------------- */

static int
visit_whole(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	uint8_t *buf;
	size_t len;
	int rc = store_get(arg, ref, PACK_LIMIT, &buf, &len, err);

	if (rc == 0)
		free(buf);
	return rc;
}

static const char *
check_objects(struct access *a, const struct dataset *ds)
{
	static const enum object_class all[] = {
	    OBJECT_KEY, OBJECT_LOG, OBJECT_INDEX, OBJECT_PACK};
	struct store *s = access_store(a);

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (store_list(s, all[i], ds->id, visit_whole, s, NULL) != 0)
			return "an object is visible and not whole";
	return NULL;
}

/* Every snapshot is what its version of the source was. */
static const char *
check_snapshots(const struct world *w, struct access *a, const struct log *log)
{
	AUTO(segcache) struct segcache *cache = NULL;
	AUTO(chunks) struct chunks *chunks = NULL;
	size_t n;
	const uint8_t(*indexes)[OBJECT_NAME_LEN] = log_indexes(log, &n);
	const char *wrong = NULL;

	if (log_count(log) == 0)
		return NULL;
	assert_ok(segcache_new(CACHE, &cache, &err));
	assert_ok(chunks_new(
	    access_store(a), cache, log_dataset(log)->keys, &chunks, &err));
	/* The newest one's indexes locate what any of them needs. */
	assert_ok(chunks_set_indexes(chunks, indexes, n, &err));
	for (size_t i = 0; i < log_count(log) && wrong == NULL; i++) {
		char *have;
		struct err err;

		if (census_snapshot(
			chunks, log_snapshot(log, i), &have, &err) != 0) {
			print_error("%s\n", err.text);
			return "a snapshot is visible and not whole";
		}
		if (strcmp(have, w->census[i]) != 0) {
			(void)fprintf(stderr, "snapshot %zu:\n%ssource:\n%s",
			    i + 1, have, w->census[i]);
			wrong = "a snapshot is not what its source was";
		}
		free(have);
	}
	return wrong;
}

static const char *
check_log(
    const struct world *w, const char *dir, struct access *a, struct log **out)
{
	AUTO(heads) struct heads *heads = NULL;
	const struct dataset *ds = access_find(a, PLACE_DATASET);
	char state[PLACE_PATH];
	struct err err;

	*out = NULL;
	state_dir(dir, state);
	if (heads_open(state, access_root(a), store_address(access_store(a)),
		&heads, &err) != 0 ||
	    log_load(a, ds, heads, out, &err) != 0) {
		print_error("%s\n", err.text);
		return "the log can't be loaded";
	}
	if (log_count(*out) < w->told)
		return "a snapshot was reported stored, and is not";
	if (log_count(*out) > w->told + 1)
		return "there are more snapshots than backups";
	return check_snapshots(w, a, *out);
}

/* A backup that nothing disturbs, of a source that has changed once more. */
static const char *
check_next(struct world *w, const char *dir, struct access *a,
    struct relied *relied, size_t count)
{
	AUTO(log) struct log *log = NULL;
	struct backup_result out;
	char tmp[PLACE_PATH];
	const char *wrong;
	struct err err;

	source_become(w, (unsigned)count);
	if (back_up(w, dir, a, &out, &err) != 0) {
		print_error("%s\n", err.text);
		return "what a crash left is in the way";
	}
	w->told = (unsigned)count + 1;
	wrong = out.state_err.code != 0 ? "the state can't be written" : NULL;
	backup_result_clear(&out);
	(void)snprintf(tmp, sizeof(tmp), "%s/tmp", store_path(access_store(a)));
	if (wrong == NULL && scratch_count(tmp) > 0)
		wrong = "tmp/ is not cleared up";
	if (wrong == NULL)
		wrong = check_log(w, dir, a, &log);
	if (wrong == NULL && log_count(log) != count + 1)
		wrong = "the next backup is not there";
	if (wrong != NULL)
		return wrong;
	if (relied_look(relied, &err) != 0)
		return "a new pack can't be read";
	return relied->again > 0 ? "what was stored is stored again" : NULL;
}

static const char *
backup_check(void *arg, const char *dir)
{
	const struct sysio io = crashfs_calm();
	struct world *w = arg;
	AUTO(access) struct access *a = place_enter(&w->at, dir, &io);
	AUTO(log) struct log *log = NULL;
	RELIED_AUTO struct relied relied = {0};
	char state[PLACE_PATH];
	const char *wrong;
	struct err err;

	wrong = check_objects(a, access_find(a, PLACE_DATASET));
	if (wrong == NULL)
		wrong = check_log(w, dir, a, &log);
	if (wrong != NULL)
		return wrong;
	state_dir(dir, state);
	if (relied_find(&relied, a, log, state, &err) != 0) {
		print_error("%s\n", err.text);
		return "a pack that is relied on is not whole";
	}
	w->noted += relied.noted;
	return check_next(w, dir, a, &relied, log_count(log));
}

static void
backup_run__is_all_or_nothing(void **state)
{
	static const struct scenario sc = {.before = backup_before,
	    .work = backup_work,
	    .check = backup_check};
	struct world *w = *state;

	/* Two packs, an index and a record, each with its directory: twice. */
	assert_true(scenario_run(&sc, w, SEEDS) >= 16);
	/* Without these, much of it would have gone untested. */
	assert_true(w->noted > 0);
	assert_int_equal(w->unchanged, 3);
}

/* --- the world --------------------------------------------------------- */

static int
world_setup(void **state)
{
	static const enum role roles[] = {ROLE_WRITER, ROLE_READER};
	struct world *w = calloc(1, sizeof(*w));

	place_new(&w->at, roles, ARRAY_LEN(roles));
	source_make(w);
	/* A file that has just changed is read again: see last_doubtful(). */
	(void)nanosleep(
	    &(struct timespec){.tv_sec = 3, .tv_nsec = 100000000}, NULL);
	*state = w;
	return 0;
}

static int
world_teardown(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < SNAPSHOTS; i++)
		free(w->census[i]);
	place_rm(&w->at);
	free(w);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		backup_run__is_all_or_nothing, world_setup, world_teardown),
	};

	return cmocka_run_group_tests_name("backup_crash", tests, NULL, NULL);
}
