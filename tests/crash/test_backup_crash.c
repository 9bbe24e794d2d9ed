/*
 * A backup after a crash at any sync: every snapshot that is visible is whole,
 * byte for byte, and the next backup takes up what the crashed one had stored.
 */
#include "snapshot/access/access_internal.h"
#include "snapshot/backup/backup.h"
#include "snapshot/store/dirstore.h"
#include "tests/crash/census.h"
#include "tests/crash/relied.h"
#include "tests/crash/scenario.h"
#include "tests/unit/scratch.h"

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <time.h>

#define SEEDS 4
#define BIG (3 * 1024 * 1024)
#define SNAPSHOTS 3
#define CACHE (1 * 1024 * 1024)

static const char dataset_name[] = "customers";

/* What all crashes share, and what the work of one was told. */
struct world {
	char dir[SCRATCH_PATH];
	char store[SCRATCH_PATH + 16];   /* its keys; nothing else in it */
	char source[SCRATCH_PATH + 16];  /* on which the version is changed */
	char keyfile[SCRATCH_PATH + 16]; /* of a host that reads and writes */
	char *census[SNAPSHOTS];         /* of each version of the source */

	unsigned told;      /* snapshots that were reported stored */
	unsigned noted;     /* packs that crashed backups left, in all */
	uint64_t unchanged; /* files that the differential did not read */
};

/* The outcome of what has no reason to fail. */
#define MUST(call)                                                             \
	do {                                                                   \
		struct err err = {0};                                          \
		if ((call) != 0)                                               \
			fail_msg("%s", err.text);                              \
	} while (0)

/* --- the source -------------------------------------------------------- */

static void
source_write(const struct world *w, const char *name, size_t len, uint64_t seed)
{
	char path[2 * SCRATCH_PATH];
	uint8_t *buf = malloc(len);

	for (size_t i = 0; i < len; i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		buf[i] = (uint8_t)(seed >> 56);
	}
	(void)snprintf(path, sizeof(path), "%s/%s", w->source, name);
	scratch_write(path, buf, len);
	free(buf);
}

static void
source_dir(const struct world *w, const char *name)
{
	char path[2 * SCRATCH_PATH];

	(void)snprintf(path, sizeof(path), "%s/%s", w->source, name);
	assert_int_equal(mkdir(path, 0750), 0);
}

static void
source_remove(const struct world *w, const char *name)
{
	char path[2 * SCRATCH_PATH];

	(void)snprintf(path, sizeof(path), "%s/%s", w->source, name);
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
	(void)snprintf(from, sizeof(from), "%s/a/small", w->source);
	(void)snprintf(to, sizeof(to), "%s/b/link", w->source);
	assert_int_equal(link(from, to), 0);
	(void)snprintf(to, sizeof(to), "%s/b/symlink", w->source);
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
	w->census[version] = census_source(w->source);
}

/* --- the store --------------------------------------------------------- */

static int64_t
tell_time(UNUSED void *arg)
{
	return (int64_t)time(NULL);
}

static const struct access_clock wall_clock = {.now = tell_time};

/* A host opens it without an scrypt, so that it costs nothing. */
static struct access *
enter(const struct world *w, const char *dir, const struct sysio *io)
{
	const struct credential cred = {.keyfile = w->keyfile};
	char path[SCRATCH_PATH + 16];
	struct access *a = NULL;
	struct store *s;

	(void)snprintf(path, sizeof(path), "%s/store", dir);
	MUST(dirstore_open(path, io, &s, &err));
	MUST(access_open_store(s, &cred, &wall_clock, &a, &err));
	return a;
}

static int
copy_key(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct store *const *stores = arg; /* from, to */
	struct object_ref copy = *ref;
	uint8_t *buf;
	size_t len;
	int rc;

	if ((rc = store_get(stores[0], ref, 65536, &buf, &len, err)) != 0)
		return rc;
	rc = store_put(stores[1], &copy, buf, len, err);
	free(buf);
	return rc;
}

/* Another store of the same keys, without any backup. */
static void
store_copy(const struct world *w, const char *dir)
{
	const struct object_ref root = {.cls = OBJECT_ROOT};
	const struct sysio io = crashfs_calm();
	struct store *stores[2];
	char path[SCRATCH_PATH + 16];
	uint8_t *buf;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/store", dir);
	MUST(store_open(w->store, &stores[0], &err));
	MUST(store_get(stores[0], &root, 65536, &buf, &len, &err));
	MUST(dirstore_create(path, buf, len, &io, &stores[1], &err));
	MUST(store_list(stores[0], OBJECT_KEY, NULL, copy_key, stores, &err));
	store_close(stores[0]);
	store_close(stores[1]);
	free(buf);
}

/* --- the work ---------------------------------------------------------- */

static void
state_dir(const char *dir, char path[SCRATCH_PATH + 16])
{
	(void)snprintf(path, SCRATCH_PATH + 16, "%s/state", dir);
}

/* Back the source up as it is. */
static int
back_up(const struct world *w, const char *dir, struct access *a,
    struct backup_result *out, struct err *err)
{
	AUTO(heads) struct heads *heads = NULL;
	char state[SCRATCH_PATH + 16];
	const struct backup_options opt = {
	    .dataset = dataset_name,
	    .source = w->source,
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
	store_copy(w, dir);
	source_become(w, 0);
}

/* A full one, and a differential. */
static void
backup_work(void *arg, const char *dir, const struct sysio *io)
{
	struct world *w = arg;
	AUTO(access) struct access *a = enter(w, dir, io);
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
	MUST(segcache_new(CACHE, &cache, &err));
	MUST(chunks_new(
	    access_store(a), cache, log_dataset(log)->keys, &chunks, &err));
	/* The newest one's indexes locate what any of them needs. */
	MUST(chunks_set_indexes(chunks, indexes, n, &err));
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
	const struct dataset *ds = access_find(a, dataset_name);
	char state[SCRATCH_PATH + 16];
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
	char tmp[SCRATCH_PATH + 16];
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
	AUTO(access) struct access *a = enter(w, dir, &io);
	AUTO(log) struct log *log = NULL;
	RELIED_AUTO struct relied relied = {0};
	char state[SCRATCH_PATH + 16];
	const char *wrong;
	struct err err;

	wrong = check_objects(a, access_find(a, dataset_name));
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

/* A store with one dataset, which a host may write and read. */
static void
make_store(const struct world *w)
{
	AUTO(identity) struct identity *host = NULL;
	AUTO(recovery) struct recovery *recovery = NULL;
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds;

	MUST(access_init(
	    w->store, "alice", "correct horse", &a, &recovery, &err));
	MUST(access_create_dataset(a, dataset_name, &ds, &err));
	MUST(identity_new(IDENTITY_HOST, "host", &host, &err));
	MUST(access_write_keyfile(host, w->keyfile, &err));
	MUST(access_grant(a, &host->pub, ROLE_WRITER, ds, INT64_MAX, &err));
	MUST(access_grant(a, &host->pub, ROLE_READER, ds, INT64_MAX, &err));
}

static int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	scratch_new(w->dir);
	(void)snprintf(w->store, sizeof(w->store), "%s/keys", w->dir);
	(void)snprintf(w->source, sizeof(w->source), "%s/source", w->dir);
	(void)snprintf(w->keyfile, sizeof(w->keyfile), "%s/host.key", w->dir);
	make_store(w);
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
	scratch_rm(w->dir);
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
