/*
 * A prune beside a backup: whatever the order in which the one begins, finds
 * chunks that are there already, and publishes, and the other's snapshot is
 * expired, marked without, condemned and removed, nothing is lost that the
 * backup relies on, and in the end all that nothing needs is gone.
 */
#include "snapshot/log/running.h"
#include "tests/unit/prune_fixture.h"

#define ORDERS 35 /* of B, H, P among E, M, C, R */

/* --- a prune that goes step by step -------------------------------------- */

struct stepper {
	struct access *access;
	const char *dataset;
	unsigned max_dead;
	pthread_t thread;
	pthread_mutex_t mu;
	pthread_cond_t moved;
	enum prune_step reached; /* guarded by mu */
	enum prune_step allowed; /* guarded by mu */
	bool started;
	int rc;
	struct prune_result out;
	struct err err;
};

static void
on_step(void *arg, enum prune_step step)
{
	struct stepper *s = arg;

	pthread_mutex_lock(&s->mu);
	s->reached = step;
	pthread_cond_broadcast(&s->moved);
	while (s->allowed <= step && step != PRUNE_REMOVED)
		pthread_cond_wait(&s->moved, &s->mu);
	pthread_mutex_unlock(&s->mu);
}

static void *
prune_thread(void *arg)
{
	struct stepper *s = arg;
	const struct prune_options opt = {
	    .max_dead = s->max_dead, .on_step = on_step, .arg = s};

	s->rc = prune_run(s->access, access_find(s->access, s->dataset), NULL,
	    &opt, &s->out, &s->err);
	on_step(s, PRUNE_REMOVED);
	return NULL;
}

static void
stepper_go(struct stepper *s, enum prune_step to)
{
	if (!s->started)
		assert_int_equal(
		    pthread_create(&s->thread, NULL, prune_thread, s), 0);
	s->started = true;
	pthread_mutex_lock(&s->mu);
	s->allowed = to;
	pthread_cond_broadcast(&s->moved);
	while (s->reached < to)
		pthread_cond_wait(&s->moved, &s->mu);
	pthread_mutex_unlock(&s->mu);
	if (to != PRUNE_REMOVED)
		return;
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	if (s->rc != 0)
		fail_msg("prune: %s", s->err.text);
}

/* --- a backup that goes step by step -------------------------------------- */

struct walker {
	struct realm *r;
	const char *dataset;
	char command[8 * SCRATCH_PATH];
	int hours;
	pthread_t thread;
	int rc;
	struct err err;
};

static void
fifo_path(const struct walker *w, const char *name, char path[2 * SCRATCH_PATH])
{
	(void)snprintf(path, 2 * SCRATCH_PATH, "%s/%s", w->r->dir, name);
}

static void
fifo_make(const struct walker *w, const char *name)
{
	char path[2 * SCRATCH_PATH];

	fifo_path(w, name, path);
	(void)unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
}

/* Wait until the command has come there, or let it go on from there. */
static void
fifo_meet(const struct walker *w, const char *name, int flags)
{
	char path[2 * SCRATCH_PATH], byte = '\n';
	int fd;

	fifo_path(w, name, path);
	fd = open(path, flags | O_CLOEXEC);
	assert_true(fd >= 0);
	if (flags == O_WRONLY)
		assert_int_equal(write(fd, &byte, 1), 1);
	else
		assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(close(fd), 0);
}

static void *
backup_thread(void *arg)
{
	struct walker *w = arg;
	struct backup_result result = {0};
	struct backup_options opt = {
	    .dataset = w->dataset,
	    .exec = w->command,
	    .exec_name = "data",
	    .state_dir = w->r->state,
	    .program = "test",
	    .host = "host",
	    .threads = 2,
	    .now = {FIRST_TIME + w->hours * 3600, 0},
	};

	w->rc = backup_run(w->r->admin, NULL, &opt, &result, &w->err);
	backup_result_clear(&result);
	return NULL;
}

static void
walker_go(struct walker *w, char step)
{
	switch (step) {
	case 'B':
		fifo_make(w, "begun");
		fifo_make(w, "take");
		fifo_make(w, "taken");
		fifo_make(w, "publish");
		(void)snprintf(w->command, sizeof(w->command),
		    "cd '%s' && echo > begun && read x < take && "
		    "cat source/next && echo > taken && read x < publish",
		    w->r->dir);
		assert_int_equal(
		    pthread_create(&w->thread, NULL, backup_thread, w), 0);
		fifo_meet(w, "begun", O_RDONLY);
		break;
	case 'H':
		fifo_meet(w, "take", O_WRONLY);
		fifo_meet(w, "taken", O_RDONLY);
		break;
	case 'P':
		fifo_meet(w, "publish", O_WRONLY);
		assert_int_equal(pthread_join(w->thread, NULL), 0);
		if (w->rc != 0)
			fail_msg("backup: %s", w->err.text);
		break;
	default:
		fail();
	}
}

/* --- all orders ----------------------------------------------------------- */

static void
backup_file(struct realm *r, const char *dataset, const char *file, int hours)
{
	struct backup_result result = {0};
	char command[2 * SCRATCH_PATH];
	struct backup_options opt = {
	    .dataset = dataset,
	    .exec = command,
	    .exec_name = "data",
	    .state_dir = r->state,
	    .program = "test",
	    .host = "host",
	    .threads = 2,
	    .now = {FIRST_TIME + hours * 3600, 0},
	};

	(void)snprintf(
	    command, sizeof(command), "cat '%s/%s'", r->source, file);
	assert_ok(backup_run(r->admin, NULL, &opt, &result, &err));
	backup_result_clear(&result);
}

static void
go(struct stepper *s, struct walker *w, char step)
{
	switch (step) {
	case 'E':
		expire_one(s->access, s->dataset, 0);
		break;
	case 'M':
		stepper_go(s, PRUNE_MARKED);
		break;
	case 'C':
		stepper_go(s, PRUNE_CONDEMNED);
		break;
	case 'R':
		stepper_go(s, PRUNE_REMOVED);
		break;
	default:
		walker_go(w, step);
		break;
	}
}

/* A dataset has come. */
static void
look_again(struct access *a)
{
	bool changed;

	assert_ok(access_refresh(a, &changed, &err));
	assert_true(changed);
}

/* One order; afterwards, what is left when all is quiet. */
static void
try_order(struct realm *r, struct access *a, const char *order,
    const char *dataset, unsigned max_dead)
{
	struct stepper s = {
	    .access = a, .dataset = dataset, .max_dead = max_dead};
	struct walker w = {.r = r, .dataset = dataset, .hours = 3};

	backup_file(r, dataset, "first", 0);
	backup_file(r, dataset, "second", 1);
	look_again(a);
	pthread_mutex_init(&s.mu, NULL);
	pthread_cond_init(&s.moved, NULL);
	for (const char *p = order; *p != '\0'; p++)
		go(&s, &w, *p);
	pthread_cond_destroy(&s.moved);
	pthread_mutex_destroy(&s.mu);
	assert_int_equal(snapshots_of(a, dataset), 2);
}

/* The ${k}-th of the ways to put the backup's steps among the prune's. */
static void
order_of(int k, char order[8])
{
	int n = 0;

	for (unsigned set = 0; set < 128; set++) {
		const char *b = "BHP", *p = "EMCR";

		if (__builtin_popcount(set) != 3 || n++ != k)
			continue;
		for (int i = 0; i < 7; i++)
			order[i] = (set >> i & 1) != 0 ? *b++ : *p++;
		order[7] = '\0';
	}
}

/* --- the tests ------------------------------------------------------------- */

struct beside {
	struct realm *r;
	struct access *a;
};

static int
setup(void **state)
{
	struct beside *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->r = realm_new();
	b->a = realm_admin(b->r);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct beside *b = *state;

	access_close(b->a);
	realm_free(b->r);
	free(b);
	return 0;
}

static void
name_of(char dataset[32], int order)
{
	(void)snprintf(dataset, 32, "order-%d", order);
}

static void
try_all(struct beside *b, unsigned max_dead)
{
	char order[8], dataset[32];

	put_pieces(b->r, "first", "abx");
	put_pieces(b->r, "second", "cx");
	put_pieces(b->r, "next", "abd");
	for (int k = 0; k < ORDERS; k++) {
		order_of(k, order);
		(void)printf("%s\n", order);
		name_of(dataset, k);
		try_order(b->r, b->a, order, dataset, max_dead);
	}
	assert_whole(b->r);

	/* When all is quiet, what is dead goes: of five pieces none is. */
	for (int k = 0; k < ORDERS; k++) {
		name_of(dataset, k);
		(void)prune_with(b->a, dataset, 0);
		assert_int_equal(prune_with(b->a, dataset, 0).waiting.n, 0);
	}
	assert_whole(b->r);
	assert_in_range(bytes_of(b->r, "packs/"), ORDERS * 5 * PIECE,
	    ORDERS * (5 * PIECE + 100000));
}

static void
prune_run__beside_a_backup_in_any_order(void **state)
{
	try_all(*state, 25);
}

static void
prune_run__to_the_last_chunk_in_any_order(void **state)
{
	try_all(*state, 0);
}

static void
prune_run__keeps_what_a_run_takes_over(void **state)
{
	struct beside *b = *state;
	struct realm *r = b->r;
	const struct dataset *ds;
	struct store_lock *lock;
	struct prune_result out;
	AUTO(log) struct log *log = NULL;

	put_pieces(r, "file", "ab");
	realm_backup(r, "files", r->source, 0);
	put_pieces(r, "file", "c");
	realm_backup(r, "files", r->source, 1);
	look_again(b->a);
	ds = access_find(b->a, "files");
	assert_ok(log_load(b->a, ds, NULL, &log, &err));
	assert_ok(store_lock_dataset(
	    access_store(b->a), ds->id, STORE_LOCK_RUN, &lock, &err));
	assert_ok(running_tell(lock, 2, log_snapshot(log, 0)->id, &err));
	expire_one(b->a, "files", 0);
	(void)prune_with(b->a, "files", 0);
	(void)prune_with(b->a, "files", 0);
	assert_true(bytes_of(r, "packs/") > 3 * PIECE);
	store_unlock(lock);
	out = prune_with(b->a, "files", 0);
	assert_true(out.removed.bytes > 2 * PIECE);
	assert_true(bytes_of(r, "packs/") < 2 * PIECE);
	assert_whole(r);
}

static void
prune_run__waits_for_a_run_that_began_before(void **state)
{
	struct beside *b = *state;
	struct realm *r = b->r;
	struct prune_result out;
	struct store_lock *lock;
	const struct dataset *ds;

	put_pieces(r, "file", "ab");
	realm_backup(r, "files", r->source, 0);
	put_pieces(r, "file", "c");
	realm_backup(r, "files", r->source, 1);
	look_again(b->a);
	ds = access_find(b->a, "files");
	expire_one(b->a, "files", 0);
	assert_ok(store_lock_dataset(
	    access_store(b->a), ds->id, STORE_LOCK_RUN, &lock, &err));
	assert_ok(running_tell(lock, 3, NULL, &err));
	out = prune_with(b->a, "files", 0);
	assert_true(out.waiting.bytes > 2 * PIECE);
	assert_int_equal(out.removed.n, 0);
	assert_true(bytes_of(r, "packs/") > 3 * PIECE);
	store_unlock(lock);

	/* One that began since does not matter. */
	assert_ok(store_lock_dataset(
	    access_store(b->a), ds->id, STORE_LOCK_RUN, &lock, &err));
	assert_ok(running_tell(lock, out.record, NULL, &err));
	out = prune_with(b->a, "files", 0);
	assert_int_equal(out.waiting.n, 0);
	assert_true(out.removed.bytes > 2 * PIECE);
	store_unlock(lock);
	assert_whole(r);
}

#define beside_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    beside_test(prune_run__beside_a_backup_in_any_order),
	    beside_test(prune_run__to_the_last_chunk_in_any_order),
	    beside_test(prune_run__keeps_what_a_run_takes_over),
	    beside_test(prune_run__waits_for_a_run_that_began_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
