/*
 * A prune after a crash at any sync: every snapshot that has not expired is
 * whole, to the last byte, and the next prune finishes what the crashed one
 * began, so that nothing is left that nobody needs.
 */
#include "snapshot/backup/backup.h"
#include "snapshot/check/check.h"
#include "snapshot/prune/prune.h"
#include "tests/crash/place.h"
#include "tests/crash/scenario.h"

#include <utime.h>

#define SEEDS 4
#define VERSIONS 3
#define PIECE 200000

struct world {
	struct place at;
	size_t expected; /* snapshots that there should be */
};

/* --- sources ------------------------------------------------------------ */

/* Version v: the pieces v, v + 1 and v + 2 in a file, and one by itself. */
static void
source_make(const struct world *w, unsigned version)
{
	char path[2 * SCRATCH_PATH];
	uint8_t *buf = malloc(3 * PIECE);

	for (unsigned i = 0; i < 3; i++)
		place_noise(buf + i * PIECE, PIECE, version + i + 1);
	(void)snprintf(path, sizeof(path), "%s/%u", w->at.source, version);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(
	    path, sizeof(path), "%s/%u/pieces", w->at.source, version);
	scratch_write(path, buf, 3 * PIECE);
	(void)snprintf(path, sizeof(path), "%s/%u/only", w->at.source, version);
	scratch_write(path, buf, 1000 + version);
	free(buf);
}

/* --- what is done with it ------------------------------------------------ */

static int
back_up(
    const struct world *w, struct access *a, unsigned version, struct err *err)
{
	char path[2 * SCRATCH_PATH];
	struct backup_result out;
	const struct backup_options opt = {
	    .dataset = PLACE_DATASET,
	    .source = path,
	    .program = "test",
	    .threads = 1,
	};
	int rc;

	(void)snprintf(path, sizeof(path), "%s/%u", w->at.source, version);
	rc = backup_run(a, NULL, &opt, &out, err);
	if (rc == 0)
		backup_result_clear(&out);
	return rc;
}

static int
expire_first(struct access *a, struct err *err)
{
	const struct dataset *ds = access_find(a, PLACE_DATASET);
	AUTO(log) struct log *log = NULL;
	const struct snapshot *s;
	int rc = log_load(a, ds, NULL, &log, err);

	if (rc != 0)
		return rc;
	s = log_snapshot(log, 0);
	return log_append_expire(log, &s, 1, "a test", err);
}

static int
prune(struct access *a, struct prune_result *out, struct err *err)
{
	const struct prune_options opt = {.max_dead = 0};

	return prune_run(
	    a, access_find(a, PLACE_DATASET), NULL, &opt, out, err);
}

static void
prune_before(void *arg, const char *dir)
{
	const struct sysio io = crashfs_calm();
	struct world *w = arg;
	AUTO(access) struct access *a = NULL;

	place_copy(&w->at, dir);
	a = place_enter(&w->at, dir, &io);
	for (unsigned v = 0; v < VERSIONS; v++)
		assert_ok(back_up(w, a, v, &err));
	assert_ok(expire_first(a, &err));
	w->expected = VERSIONS - 1;
}

/* Twice, so that the second finds what the first has made and said. */
static void
prune_work(void *arg, const char *dir, const struct sysio *io)
{
	struct world *w = arg;
	AUTO(access) struct access *a = place_enter(&w->at, dir, io);
	struct prune_result out;
	struct err err;

	if (prune(a, &out, &err) != 0)
		return;
	assert_true(out.removed.n > 0);
	assert_true(out.repacked.n > 0);
	if (expire_first(a, &err) != 0) {
		/* Whether it is stored, only the log knows. */
		w->expected = 0;
		return;
	}
	w->expected = VERSIONS - 2;
	(void)prune(a, &out, &err);
}

/* --- what a crash leaves -------------------------------------------------- */

static void
on_damage(
    UNUSED void *arg, const char *object, const char *what, const char *affects)
{
	print_error("%s: %s (%s)\n", object, what,
	    affects != NULL ? affects : "nothing");
}

static const char *
check_whole(const struct world *w, struct access *a, uint64_t *unreferenced)
{
	const struct check_options opt = {
	    .depth = CHECK_READ_DATA, .threads = 1, .on_damage = on_damage};
	struct check_result out;

	assert_ok(check_run(a, NULL, &opt, &out, &err));
	*unreferenced = out.unreferenced;
	if (out.damaged > 0)
		return "a snapshot is damaged";
	if (out.snapshots < 1 || out.snapshots > VERSIONS - 1)
		return "another number of snapshots";
	if (w->expected != 0 && out.snapshots != w->expected)
		return "a snapshot is missing, or one too many";
	return NULL;
}

static int
make_old(const char *path, UNUSED const struct stat *st, int type,
    UNUSED struct FTW *ftw)
{
	const struct utimbuf old = {1000000000, 1000000000};

	return type == FTW_F ? utime(path, &old) : 0;
}

/* Twice: the first condemns what the second may find to be an orphan. */
static const char *
check_finished(const struct world *w, const char *dir, struct access *a)
{
	char path[2 * SCRATCH_PATH];
	struct prune_result out;
	uint64_t unreferenced;
	const char *wrong;
	struct err err;

	/* What is not a day old might still be taken up by somebody. */
	(void)snprintf(path, sizeof(path), "%s/store/datasets", dir);
	assert_int_equal(nftw(path, make_old, 16, FTW_PHYS), 0);
	for (int i = 0; i < 2; i++)
		if (prune(a, &out, &err) != 0) {
			print_error("%s\n", err.text);
			return "what a crash left is in the way";
		}
	if (out.waiting.n > 0)
		return "it waits for nobody";
	wrong = check_whole(w, a, &unreferenced);
	if (wrong == NULL && unreferenced > 0)
		wrong = "something is left that nobody needs";
	if (wrong == NULL && back_up(w, a, 0, &err) != 0)
		wrong = "nothing can be backed up any more";
	return wrong;
}

static const char *
prune_check(void *arg, const char *dir)
{
	const struct sysio io = crashfs_calm();
	struct world *w = arg;
	AUTO(access) struct access *a = place_enter(&w->at, dir, &io);
	uint64_t unreferenced;
	const char *wrong = check_whole(w, a, &unreferenced);

	return wrong != NULL ? wrong : check_finished(w, dir, a);
}

static void
prune_run__harms_nothing(void **state)
{
	static const struct scenario sc = {
	    .before = prune_before, .work = prune_work, .check = prune_check};
	struct world *w = *state;

	/* Packs, indexes and a record, each with its directory: twice. */
	assert_true(scenario_run(&sc, w, SEEDS) >= 16);
}

/* --- the world ------------------------------------------------------------ */

static int
world_setup(void **state)
{
	static const enum role roles[] = {ROLE_ADMIN};
	struct world *w = calloc(1, sizeof(*w));

	place_new(&w->at, roles, ARRAY_LEN(roles));
	assert_int_equal(mkdir(w->at.source, 0755), 0);
	for (unsigned v = 0; v < VERSIONS; v++)
		source_make(w, v);
	*state = w;
	return 0;
}

static int
world_teardown(void **state)
{
	struct world *w = *state;

	place_rm(&w->at);
	free(w);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		prune_run__harms_nothing, world_setup, world_teardown),
	};

	return cmocka_run_group_tests_name("prune_crash", tests, NULL, NULL);
}
