/* What a sender takes from a receiver that means it harm. */
#include "snapshot/replicate/send_internal.h"
#include "tests/unit/channel_fixture.h"

#include <stdlib.h>
#include <string.h>

static struct err err;

struct stand {
	struct pair pair;
	struct sender sender;
	pthread_t thread;
};

static int
setup(void **state)
{
	struct stand *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	pair_setup(&s->pair);
	s->sender.channel = s->pair.a;
	s->sender.answers_end = &s->sender.answers;
	(void)pthread_mutex_init(&s->sender.mu, NULL);
	(void)pthread_cond_init(&s->sender.changed, NULL);
	s->sender.asked = 2;
	assert_int_equal(
	    pthread_create(&s->thread, NULL, answers_read, &s->sender), 0);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct stand *s = *state;

	answers_clear(&s->sender);
	pair_clear(&s->pair);
	(void)pthread_mutex_destroy(&s->sender.mu);
	(void)pthread_cond_destroy(&s->sender.changed);
	free(s);
	return 0;
}

/* The other side may have hung up. */
static int
send_want(struct stand *s)
{
	static const uint8_t bits[1] = {1};
	const struct frame_want want = {.n = 1, .bits = bits};
	WR_AUTO struct wr w = {0};

	frame_want(&want, &w);
	return channel_send(s->pair.b, FRAME_WANT, &w, &err);
}

static size_t
count_answers(struct stand *s)
{
	size_t n = 0;

	for (const struct answer *a = s->sender.answers; a != NULL; a = a->next)
		n++;
	return n;
}

static void
answers_read__takes_no_answer_that_was_not_asked_for(void **state)
{
	struct stand *s = *state;

	for (int i = 0; i < 20 && send_want(s) == 0; i++)
		;
	channel_free(STEAL(s->pair.b));
	(void)pthread_join(s->thread, NULL);
	assert_int_equal(s->sender.failure.code, ERR_CORRUPT);
	assert_non_null(strstr(s->sender.failure.text, "WANT"));
	assert_int_equal(count_answers(s), 2);
}

static void
answers_read__takes_those_that_were(void **state)
{
	struct stand *s = *state;

	assert_int_equal(send_want(s), 0);
	assert_int_equal(send_want(s), 0);
	channel_free(STEAL(s->pair.b));
	(void)pthread_join(s->thread, NULL);
	assert_int_equal(s->sender.failure.code, 0);
	assert_int_equal(count_answers(s), 2);
}

#define stand_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    stand_test(answers_read__takes_no_answer_that_was_not_asked_for),
	    stand_test(answers_read__takes_those_that_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
