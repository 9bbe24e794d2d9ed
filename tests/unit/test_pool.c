/* Jobs of a pool: snapshot/backup/pool.c. */
#include "tests/unit/pool_fixture.h"

/* --- jobs --------------------------------------------------------------- */

/* Each takes another time, and is marked. */
static int
work_and_mark(
    UNUSED struct worker *w, struct job *job, void *arg, UNUSED struct err *err)
{
	atomic_uint *count = arg;

	if (mix(job->bytes) % 4 == 0)
		nap(mix(job->bytes) % 200);
	job->removed = true;
	atomic_fetch_add(count, 1);
	return 0;
}

static void
pool_pop__keeps_the_order(void **state)
{
	atomic_uint count = 0;
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, THREADS, work_and_mark, &count);
	const uint64_t n = 5000;
	uint64_t popped = 0;
	unsigned worked = 0;
	struct job *none;

	for (uint64_t i = 0; i < n; i++) {
		bool to_work = mix(i) % 3 != 0;

		while (i - popped == POOL_RING)
			assert_popped(p.pool, popped++);
		pool_push(p.pool, numbered(i, to_work));
		worked += to_work;
	}
	while (popped < n)
		assert_popped(p.pool, popped++);
	assert_int_equal(pool_pop(p.pool, true, &none, NULL), 0);
	assert_null(none);
	assert_int_equal(atomic_load(&count), worked);
}

/* Pushes one job more than the ring holds, then says that it was the last. */
struct pusher {
	struct pool *pool;
	atomic_uint pushed;
};

static void *
push_too_many(void *arg)
{
	struct pusher *pusher = arg;

	for (uint64_t i = 0; i < POOL_RING + 1; i++) {
		if (!pool_push(pusher->pool, numbered(i, false)))
			break;
		atomic_fetch_add(&pusher->pushed, 1);
	}
	pool_close(pusher->pool);
	return NULL;
}

static void
await_pushed(struct pusher *pusher, unsigned n)
{
	while (atomic_load(&pusher->pushed) < n)
		nap(1000);
	nap(20000); /* time enough for one too many */
	assert_int_equal(atomic_load(&pusher->pushed), n);
}

static void
pool_push__waits_for_room(void **state)
{
	atomic_uint count = 0;
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, 1, work_and_mark, &count);
	struct pusher pusher = {.pool = p.pool};
	struct job *none;
	pthread_t thread;

	pool_open(p.pool);
	assert_int_equal(
	    pthread_create(&thread, NULL, push_too_many, &pusher), 0);
	await_pushed(&pusher, POOL_RING);
	/* The end is only the end when the pusher says so. */
	for (uint64_t i = 0; i < POOL_RING + 1; i++)
		assert_popped(p.pool, i);
	assert_int_equal(pool_pop(p.pool, true, &none, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&pusher.pushed), POOL_RING + 1);
}

static void
pool_fail__ends_the_wait_for_room(void **state)
{
	atomic_uint count = 0;
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, 1, work_and_mark, &count);
	struct pusher pusher = {.pool = p.pool};
	struct err why;
	struct job *none;
	pthread_t thread;

	(void)err_set(&why, ERR_FULL, "the reason");
	pool_open(p.pool);
	assert_int_equal(
	    pthread_create(&thread, NULL, push_too_many, &pusher), 0);
	await_pushed(&pusher, POOL_RING);
	pool_fail(p.pool, &why);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&pusher.pushed), POOL_RING);
	assert_fails(
	    ERR_FULL, "the reason", pool_pop(p.pool, true, &none, &err));
}

static void
pool_pop__waits_only_when_asked_to(void **state)
{
	struct gate gate = GATE;
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, 2, work_at_gate, &gate);
	struct job *job;

	pool_push(p.pool, numbered(0, true));
	pool_push(p.pool, numbered(1, false));
	gate_await(&gate, 1);
	/* The second is done, but it is not its turn. */
	assert_int_equal(pool_pop(p.pool, false, &job, NULL), 0);
	assert_null(job);
	gate_open(&gate);
	assert_popped(p.pool, 0);
	assert_int_equal(pool_pop(p.pool, false, &job, NULL), 1);
	assert_int_equal(job->bytes, 1);
	job_free(job);
}

static void
pool_push__lets_all_threads_work_at_once(void **state)
{
	struct gate gate = GATE;
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, THREADS, work_at_gate, &gate);

	for (unsigned i = 0; i < THREADS; i++)
		pool_push(p.pool, numbered(i, true));
	gate_await(&gate, THREADS);
	gate_open(&gate);
	for (unsigned i = 0; i < THREADS; i++)
		assert_popped(p.pool, i);
}

/* --- errors ------------------------------------------------------------- */

struct failing {
	uint64_t from;   /* jobs fail from here on */
	atomic_uint met; /* jobs worked on */
};

static int
work_and_fail(
    UNUSED struct worker *w, struct job *job, void *arg, struct err *err)
{
	struct failing *f = arg;

	atomic_fetch_add(&f->met, 1);
	job->removed = true;
	if (job->bytes < f->from)
		return 0;
	return err_set(err, job->bytes == f->from ? ERR_IO : ERR_FULL, "job %u",
	    (unsigned)job->bytes);
}

/* One thread takes them in order: nothing is begun after a failure. */
static void
pool_pop__tells_the_first_error(void **state)
{
	struct failing failing = {.from = 5};
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, 1, work_and_fail, &failing);
	uint64_t popped = 0;
	struct job *job;
	int rc;

	for (uint64_t i = 0; i < 20; i++)
		pool_push(p.pool, numbered(i, true));
	while ((rc = pool_pop(p.pool, true, &job, NULL)) == 1) {
		assert_int_equal(job->bytes, popped++);
		job_free(job);
	}
	assert_int_equal(rc, ERR_IO);
	assert_true(popped <= 5);
	for (unsigned i = 0; i < 3; i++) {
		assert_fails(
		    ERR_IO, "job 5", pool_pop(p.pool, i > 0, &job, &err));
		assert_null(job);
	}
	assert_int_equal(atomic_load(&failing.met), 6);
}

/* The first job fails at once, the second when it is let through. */
static int
fail_at_gate(
    UNUSED struct worker *w, struct job *job, void *arg, struct err *err)
{
	if (job->bytes == 0)
		return err_set(err, ERR_IO, "the first");
	gate_pass(arg);
	return err_set(err, ERR_FULL, "the second");
}

static void
pool_pop__keeps_to_the_first_error(void **state)
{
	struct gate gate = GATE;
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, 2, fail_at_gate, &gate);
	struct job *job;

	pool_push(p.pool, numbered(1, true));
	gate_await(&gate, 1);
	pool_push(p.pool, numbered(0, true));
	assert_fails(ERR_IO, "the first", pool_pop(p.pool, true, &job, &err));
	gate_open(&gate);
	nap(20000); /* by now the second has failed */
	assert_fails(ERR_IO, "the first", pool_pop(p.pool, true, &job, &err));
}

static void
pool_free__waits_for_work_and_drops_the_rest(void **state)
{
	struct failing failing = {.from = UINT64_MAX};
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, THREADS, work_and_fail, &failing);

	for (uint64_t i = 0; i < POOL_RING; i++)
		pool_push(p.pool, numbered(i, true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(pool_pop__keeps_the_order),
	    content_test(pool_push__waits_for_room),
	    content_test(pool_fail__ends_the_wait_for_room),
	    content_test(pool_pop__waits_only_when_asked_to),
	    content_test(pool_push__lets_all_threads_work_at_once),
	    content_test(pool_pop__tells_the_first_error),
	    content_test(pool_pop__keeps_to_the_first_error),
	    content_test(pool_free__waits_for_work_and_drops_the_rest),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
