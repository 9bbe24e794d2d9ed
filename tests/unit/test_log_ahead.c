/* Records read before they are asked for: snapshot/log/log_ahead.c. */
#include "snapshot/log/log_ahead.h"
#include "tests/unit/store_fixture.h"

#define MANY 500 /* more than are kept ready at a time */

/* Record i says i + 1; the last one but one is larger than is read ahead. */
#define LARGE (MANY - 2)

struct shelf {
	struct fixture *f;
	struct object_ref refs[MANY];
};

static void
shelf_fill(struct shelf *s, struct fixture *f)
{
	static uint8_t large[LOG_AHEAD_BYTES + 1];
	char text[16];

	s->f = f;
	for (unsigned i = 0; i < MANY; i++) {
		s->refs[i] = ref_of(OBJECT_LOG, i + 1);
		(void)snprintf(text, sizeof(text), "%u", i + 1);
		if (i == LARGE)
			assert_ok(store_put(
			    f->s, &s->refs[i], large, sizeof(large), &err));
		else
			s->refs[i] = put_text(f->s, OBJECT_LOG, i + 1, text);
	}
}

static void
assert_taken(struct log_ahead *a, const struct shelf *s, unsigned i)
{
	uint8_t *buf;
	size_t len;
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", i + 1);
	assert_true(log_ahead_take(a, &s->refs[i], &buf, &len));
	assert_int_equal(len, strlen(text));
	assert_memory_equal(buf, text, len);
	free(buf);
}

static void
assert_not_taken(struct log_ahead *a, const struct shelf *s, unsigned i)
{
	uint8_t *buf;
	size_t len;

	assert_false(log_ahead_take(a, &s->refs[i], &buf, &len));
}

static void
take__gives_all_in_order(void **state)
{
	AUTO(log_ahead) struct log_ahead *a = NULL;
	struct shelf s;

	shelf_fill(&s, *state);
	a = log_ahead_start(s.f->s, s.refs, MANY);
	assert_non_null(a);
	for (unsigned i = 0; i < LARGE; i++)
		assert_taken(a, &s, i);
	assert_not_taken(a, &s, LARGE);
	assert_taken(a, &s, MANY - 1);
}

static void
take__gives_each_once_and_none_behind(void **state)
{
	AUTO(log_ahead) struct log_ahead *a = NULL;
	struct shelf s;

	shelf_fill(&s, *state);
	a = log_ahead_start(s.f->s, s.refs, MANY);
	assert_taken(a, &s, 0);
	assert_not_taken(a, &s, 0);
	/* Over whole batches that nobody took. */
	assert_taken(a, &s, MANY / 2);
	assert_not_taken(a, &s, 1);
	assert_taken(a, &s, MANY / 2 + 1);
	assert_taken(a, &s, MANY - 1);
}

static void
take__leaves_what_cannot_be_read_to_the_store(void **state)
{
	AUTO(log_ahead) struct log_ahead *a = NULL;
	char path[SCRATCH_PATH + 256];
	struct shelf s;

	shelf_fill(&s, *state);
	object_path(s.f, &s.refs[1], path);
	assert_int_equal(unlink(path), 0);
	object_path(s.f, &s.refs[40], path);
	scratch_write(path, "forty-two", 9);
	a = log_ahead_start(s.f->s, s.refs, MANY);
	assert_taken(a, &s, 0);
	assert_not_taken(a, &s, 1);
	assert_taken(a, &s, 2);
	assert_not_taken(a, &s, 40);
	assert_taken(a, &s, 41);
}

static void
start__is_not_for_a_few(void **state)
{
	struct shelf s;

	shelf_fill(&s, *state);
	assert_null(log_ahead_start(s.f->s, s.refs, LOG_AHEAD_MIN - 1));
	assert_not_taken(NULL, &s, 0);
}

static void
free__does_not_wait_for_the_rest(void **state)
{
	struct shelf s;

	shelf_fill(&s, *state);
	log_ahead_free(log_ahead_start(s.f->s, s.refs, MANY));
	for (unsigned n = LOG_AHEAD_MIN; n < 2 * LOG_AHEAD_MIN; n++) {
		struct log_ahead *a = log_ahead_start(s.f->s, s.refs, n);

		assert_taken(a, &s, n - LOG_AHEAD_MIN);
		log_ahead_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(take__gives_all_in_order),
	    store_test(take__gives_each_once_and_none_behind),
	    store_test(take__leaves_what_cannot_be_read_to_the_store),
	    store_test(start__is_not_for_a_few),
	    store_test(free__does_not_wait_for_the_rest),
	};

	return cmocka_run_group_tests_name("log_ahead", tests, NULL, NULL);
}
