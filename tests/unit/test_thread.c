/* Work that threads share: crypto/thread.c. */
#include "crypto/thread.h"
#include "tests/unit/outcome.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MANY 10000

struct tally {
	atomic_uint calls[MANY];
	atomic_uint open_to_signals; /* calls on a thread that takes signals */
	pthread_t caller;
};

static void
count(void *arg, size_t i)
{
	struct tally *t = arg;
	sigset_t mask;

	atomic_fetch_add(&t->calls[i], 1);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (!pthread_equal(pthread_self(), t->caller) &&
	    sigismember(&mask, SIGTERM) != 1)
		atomic_fetch_add(&t->open_to_signals, 1);
}

static void
assert_each_once(size_t n)
{
	struct tally *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->caller = pthread_self();
	thread_each(n, count, t);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(t->calls[i], i < n ? 1 : 0);
	assert_int_equal(t->open_to_signals, 0);
	free(t);
}

static void
each__calls_once_for_each(UNUSED void **state)
{
	static const size_t some[] = {
	    0, 1, THREAD_EACH_MIN - 1, THREAD_EACH_MIN, MANY};

	for (size_t i = 0; i < ARRAY_LEN(some); i++)
		assert_each_once(some[i]);
}

/* Two that wait for each other end only where both run at once. */
static void
meet(void *arg, size_t i)
{
	if (i < 2)
		(void)pthread_barrier_wait(arg);
}

static void
each__is_by_several_at_once(UNUSED void **state)
{
	pthread_barrier_t both;

	assert_int_equal(pthread_barrier_init(&both, NULL, 2), 0);
	thread_each(THREAD_EACH_MIN, meet, &both);
	(void)pthread_barrier_destroy(&both);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each__calls_once_for_each),
	    cmocka_unit_test(each__is_by_several_at_once),
	};

	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
