#include "tests/unit/channel_fixture.h"
#include "tests/unit/wait.h"

#include <stdlib.h>

static struct err err;

static int
setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	pair_setup(p);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct pair *p = *state;

	pair_clear(p);
	free(p);
	return 0;
}

static void
channel_meet__lets_nobody_ping(void **state)
{
	struct pair *p = *state;
	struct frame f;

	channel_meet(p->a, channel_clock() + 5000);
	assert_int_equal(channel_send(p->b, FRAME_PING, NULL, &err), 0);
	assert_int_equal(channel_receive(p->a, &f, &err), ERR_CORRUPT);

	/* Afterwards it is answered, and nobody sees it. */
	channel_meet(p->a, 0);
	assert_int_equal(channel_send(p->b, FRAME_PING, NULL, &err), 0);
	assert_int_equal(channel_send(p->b, FRAME_DONE, NULL, &err), 0);
	assert_int_equal(channel_receive(p->a, &f, &err), 0);
	assert_int_equal(f.type, FRAME_DONE);
}

static void *
dribble(void *arg)
{
	struct err why;

	/* Until the other side has had enough. */
	while (channel_send(arg, FRAME_KNOWN, NULL, &why) == 0)
		wait_ms(20);
	return NULL;
}

static void
channel_meet__ends_for_who_keeps_sending(void **state)
{
	struct pair *p = *state;
	int64_t until = channel_clock() + 300;
	pthread_t thread;
	struct frame f;
	size_t came = 0;
	int rc;

	channel_meet(p->a, until);
	assert_int_equal(pthread_create(&thread, NULL, dribble, p->b), 0);
	while ((rc = channel_receive(p->a, &f, &err)) == 0)
		came++;
	assert_int_equal(rc, ERR_IO);
	assert_true(came > 0);
	assert_true(channel_clock() >= until);
	channel_stop(p->b);
	(void)pthread_join(thread, NULL);
}

static void
channel_meet__ends_for_who_is_silent(void **state)
{
	struct pair *p = *state;
	int64_t until = channel_clock() + 100;
	struct frame f;

	channel_meet(p->a, until);
	assert_int_equal(channel_receive(p->a, &f, &err), ERR_IO);
	assert_in_range(channel_clock(), until, until + 10000);
}

#define pair_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(channel_meet__lets_nobody_ping),
	    pair_test(channel_meet__ends_for_who_keeps_sending),
	    pair_test(channel_meet__ends_for_who_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
