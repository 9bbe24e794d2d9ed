#include "snapshot/content/segcache.h"
#include "tests/unit/content_fixture.h"
#include "tests/unit/wait.h"

#include <pthread.h>
#include <stdatomic.h>

#define CHUNK 10000
#define PER 4

static const uint8_t OURS[DATASET_ID_LEN] = {1};
static const uint8_t THEIRS[DATASET_ID_LEN] = {2};

/* What loads segments: segment ${number} has chunks number * PER and on. */
struct source {
	struct segcache *c;
	uint32_t number;
	int fail;
	atomic_uint loads;
	unsigned ms;
};

static int
load(void *arg, struct segment **out, struct err *err)
{
	struct source *src = arg;
	WR_AUTO struct wr w = {0};
	uint64_t first = src->number * PER;

	atomic_fetch_add(&src->loads, 1);
	wait_ms(src->ms);
	if (src->fail != 0)
		return err_set(
		    err, (enum err_code)src->fail, "load %u", src->number);
	put_segment(&w, first, first + PER, CHUNK, CHUNK_DATA);
	return segment_decode(segcache_decoder(src->c), w.buf, w.len, out, err);
}

static struct segtable_key
key_of(const uint8_t dataset[DATASET_ID_LEN], uint32_t number)
{
	struct segtable_key key = {.number = number};

	memcpy(key.dataset, dataset, DATASET_ID_LEN);
	memset(key.pack, 0x77, sizeof(key.pack));
	return key;
}

static int
get(struct source *src, uint32_t number, struct segment **out, struct err *err)
{
	struct segtable_key key = key_of(OURS, number);

	src->number = number;
	return segcache_get(src->c, &key, load, src, out, err);
}

/* Get it and let it go. */
static void
touch(struct source *src, uint32_t number)
{
	struct segment *s;
	struct segment_chunk ch;

	assert_ok(get(src, number, &s, &err));
	ch = segment_chunk(s, 1);
	assert_chunk(&ch, number * PER + 1, CHUNK);
	segment_unref(s);
}

static bool
holds(struct segcache *c, uint32_t number)
{
	struct segtable_key key = key_of(OURS, number);

	return segcache_busy(c, &key);
}

static struct segcache *
new_cache(size_t limit)
{
	struct segcache *c;

	assert_ok(segcache_new(limit, &c, &err));
	return c;
}

/* What one of these segments takes in the cache. */
static size_t
cost_of_one(void)
{
	AUTO(segcache) struct segcache *c = new_cache(1 << 20);
	struct source src = {.c = c};

	touch(&src, 0);
	assert_true(segcache_memory(c) > PER * CHUNK);
	assert_true(segcache_memory(c) < 2 * PER * CHUNK);
	return segcache_memory(c);
}

static void
get__loads_once(void **state)
{
	AUTO(segcache) struct segcache *c = new_cache(1 << 20);
	struct source src = {.c = c};

	(void)state;
	assert_int_equal(segcache_limit(c), 1 << 20);
	for (int i = 0; i < 10; i++)
		touch(&src, 3);
	assert_int_equal(src.loads, 1);
	touch(&src, 4);
	assert_int_equal(src.loads, 2);
}

static void
get__least_recently_used_goes_first(void **state)
{
	const size_t one = cost_of_one();
	AUTO(segcache) struct segcache *c = new_cache(3 * one);
	struct source src = {.c = c};

	(void)state;
	touch(&src, 0);
	touch(&src, 1);
	touch(&src, 2);
	touch(&src, 0);
	touch(&src, 3);
	assert_true(holds(c, 0));
	assert_false(holds(c, 1));
	assert_true(holds(c, 2));
	assert_true(holds(c, 3));
	assert_int_equal(segcache_memory(c), 3 * one);
}

static void
get__never_keeps_more_than_the_limit(void **state)
{
	const size_t one = cost_of_one();
	const size_t limit = 10 * one + one / 2;
	AUTO(segcache) struct segcache *c = new_cache(limit);
	struct source src = {.c = c};

	(void)state;
	for (uint32_t i = 0; i < 500; i++) {
		touch(&src, (uint32_t)(mix(i) % 40));
		assert_true(segcache_memory(c) <= limit);
	}
	assert_int_equal(segcache_memory(c), 10 * one);
}

static void
get__what_is_in_use_stays(void **state)
{
	const size_t one = cost_of_one();
	AUTO(segcache) struct segcache *c = new_cache(2 * one);
	struct source src = {.c = c};
	struct segment *a, *b, *other;
	struct segment_chunk ch;

	(void)state;
	assert_ok(get(&src, 0, &a, &err));
	assert_ok(get(&src, 1, &b, &err));
	/* No room: it is handed out but not kept. */
	assert_ok(get(&src, 2, &other, &err));
	assert_false(holds(c, 2));
	assert_true(holds(c, 0));
	assert_true(holds(c, 1));
	ch = segment_chunk(other, 0);
	assert_chunk(&ch, 2 * PER, CHUNK);
	segment_unref(other);
	/* The one in use is passed over, the other goes. */
	segment_unref(b);
	touch(&src, 3);
	assert_true(holds(c, 0));
	assert_false(holds(c, 1));
	ch = segment_chunk(a, 0);
	assert_chunk(&ch, 0, CHUNK);
	segment_unref(a);
}

static void
get__larger_than_the_cache(void **state)
{
	AUTO(segcache) struct segcache *c = new_cache(1000);
	struct source src = {.c = c};

	(void)state;
	touch(&src, 0);
	touch(&src, 0);
	assert_int_equal(src.loads, 2);
	assert_int_equal(segcache_memory(c), 0);
}

static void
get__segments_outlive_the_cache(void **state)
{
	struct segcache *c = new_cache(1 << 20);
	struct source src = {.c = c};
	struct segment *s;
	struct segment_chunk ch;

	(void)state;
	assert_ok(get(&src, 5, &s, &err));
	segcache_free(c);
	ch = segment_chunk(s, 0);
	assert_chunk(&ch, 5 * PER, CHUNK);
	segment_unref(s);
}

static void
get__failures_are_not_kept(void **state)
{
	AUTO(segcache) struct segcache *c = new_cache(1 << 20);
	struct source src = {.c = c, .fail = ERR_CORRUPT};
	struct segment *s;

	(void)state;
	assert_fails(ERR_CORRUPT, "load 1", get(&src, 1, &s, &err));
	assert_null(s);
	assert_false(holds(c, 1));
	src.fail = 0;
	touch(&src, 1);
	assert_int_equal(src.loads, 2);
}

static void
get__datasets_share_nothing(void **state)
{
	AUTO(segcache) struct segcache *c = new_cache(1 << 20);
	struct source src = {.c = c};
	struct segtable_key key = key_of(THEIRS, 0);
	struct chunk_name name = name_of(0);
	struct segment *s;

	(void)state;
	touch(&src, 0);
	assert_false(segcache_busy(c, &key));
	assert_null(segcache_find(c, THEIRS, &name));
	src.fail = ERR_DENIED;
	assert_rc(ERR_DENIED, segcache_get(c, &key, load, &src, &s, &err));
}

static void
find__chunks_of_kept_segments(void **state)
{
	const size_t one = cost_of_one();
	AUTO(segcache) struct segcache *c = new_cache(4 * one);
	struct source src = {.c = c};
	struct chunk_name name;
	struct segment *s;
	struct segment_chunk ch;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		touch(&src, i);
		name = name_of(i * PER + 2);
		s = segcache_find(c, OURS, &name);
		assert_non_null(s);
		assert_true(segment_find(s, &name, &ch));
		segment_unref(s);
		if (i < 4)
			continue;
		name = name_of((i - 4) * PER + 2);
		assert_null(segcache_find(c, OURS, &name));
	}
}

/* --- threads ------------------------------------------------------------ */

#define THREADS 8

struct thread {
	struct source *src;
	int rc;
	struct err err;
	struct segment *seg;
};

static void *
get_seven(void *arg)
{
	struct thread *t = arg;
	struct segtable_key key = key_of(OURS, 7);

	t->rc = segcache_get(t->src->c, &key, load, t->src, &t->seg, &t->err);
	return NULL;
}

static void
in_threads(struct source *src, struct thread *t)
{
	pthread_t ids[THREADS];

	src->number = 7;
	for (int i = 0; i < THREADS; i++) {
		t[i] = (struct thread){.src = src};
		assert_int_equal(
		    pthread_create(&ids[i], NULL, get_seven, &t[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(ids[i], NULL), 0);
}

static void
get__threads_that_want_one_segment_load_it_once(void **state)
{
	AUTO(segcache) struct segcache *c = new_cache(1 << 20);
	struct source src = {.c = c, .ms = 50};
	struct thread t[THREADS];

	(void)state;
	in_threads(&src, t);
	assert_int_equal(src.loads, 1);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(t[i].rc, 0);
		assert_ptr_equal(t[i].seg, t[0].seg);
		segment_unref(t[i].seg);
	}
}

/* The same where nothing is kept. */
static void
get__threads_share_what_is_not_kept(void **state)
{
	AUTO(segcache) struct segcache *c = new_cache(0);
	struct source src = {.c = c, .ms = 100};
	struct thread t[THREADS];

	(void)state;
	in_threads(&src, t);
	assert_int_equal(src.loads, 1);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(t[i].rc, 0);
		segment_unref(t[i].seg);
	}
}

static void
get__threads_that_wait_share_the_failure(void **state)
{
	AUTO(segcache) struct segcache *c = new_cache(1 << 20);
	struct source src = {.c = c, .ms = 100, .fail = ERR_IO};
	struct thread t[THREADS];

	(void)state;
	in_threads(&src, t);
	assert_int_equal(src.loads, 1);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(t[i].rc, ERR_IO);
		assert_string_equal(t[i].err.text, "load 7");
		assert_null(t[i].seg);
	}
}

static void *
churn(void *arg)
{
	struct segcache *c = arg;
	struct source src = {.c = c};

	for (uint32_t i = 0; i < 300; i++) {
		struct chunk_name name = name_of(mix(i) % 20 * PER);
		struct segment *s = segcache_find(c, OURS, &name);

		segment_unref(s);
		touch(&src, (uint32_t)(mix(i * 31) % 20));
	}
	return NULL;
}

static void
get__threads_that_displace_each_other(void **state)
{
	const size_t one = cost_of_one();
	AUTO(segcache) struct segcache *c = new_cache(5 * one);
	pthread_t ids[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, churn, c), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(ids[i], NULL), 0);
	assert_true(segcache_memory(c) <= 5 * one);
}

/* --- prefetch ----------------------------------------------------------- */

struct counter {
	atomic_uint calls;
	unsigned ms;
};

static void
count_call(void *owner, const struct chunk_name *name)
{
	struct counter *n = owner;

	(void)name;
	wait_ms(n->ms);
	atomic_fetch_add(&n->calls, 1);
}

static void
prefetch__without_threads_does_nothing(void **state)
{
	AUTO(segcache) struct segcache *c = new_cache(1 << 20);
	struct chunk_name name = name_of(1);
	struct counter n = {0};

	(void)state;
	prefetch_put(segcache_prefetch(c), count_call, &n, &name);
	prefetch_forget(segcache_prefetch(c), &n);
	assert_int_equal(n.calls, 0);
}

static void
prefetch__is_bounded_and_forgets(void **state)
{
	AUTO(segcache) struct segcache *c = new_cache(1 << 20);
	struct chunk_name name = name_of(1);
	struct counter slow = {.ms = 20}, dropped = {0}, kept = {0};
	unsigned calls;

	(void)state;
	assert_ok(segcache_threads(c, 1, &err));
	for (int i = 0; i < 3; i++)
		prefetch_put(segcache_prefetch(c), count_call, &slow, &name);
	for (int i = 0; i < 100; i++) {
		prefetch_put(segcache_prefetch(c), count_call, &dropped, &name);
		prefetch_put(segcache_prefetch(c), count_call, &kept, &name);
	}
	/* The thread is still at the slow ones. */
	prefetch_forget(segcache_prefetch(c), &dropped);
	for (int i = 0; i < 1000; i++)
		prefetch_put(segcache_prefetch(c), count_call, &dropped, &name);
	while (atomic_load(&kept.calls) < 100)
		wait_ms(1);
	assert_int_equal(slow.calls, 3);
	prefetch_forget(segcache_prefetch(c), &dropped);
	calls = dropped.calls;
	assert_true(calls <= 256);
	wait_ms(5);
	assert_int_equal(dropped.calls, calls);
}

static void
free__with_work_queued(void **state)
{
	struct segcache *c = new_cache(1 << 20);
	struct chunk_name name = name_of(1);
	struct counter n = {.ms = 5};

	(void)state;
	assert_ok(segcache_threads(c, 3, &err));
	for (int i = 0; i < 200; i++)
		prefetch_put(segcache_prefetch(c), count_call, &n, &name);
	segcache_free(c);
	assert_true(n.calls < 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(get__loads_once),
	    cmocka_unit_test(get__least_recently_used_goes_first),
	    cmocka_unit_test(get__never_keeps_more_than_the_limit),
	    cmocka_unit_test(get__what_is_in_use_stays),
	    cmocka_unit_test(get__larger_than_the_cache),
	    cmocka_unit_test(get__segments_outlive_the_cache),
	    cmocka_unit_test(get__failures_are_not_kept),
	    cmocka_unit_test(get__datasets_share_nothing),
	    cmocka_unit_test(find__chunks_of_kept_segments),
	    cmocka_unit_test(get__threads_that_want_one_segment_load_it_once),
	    cmocka_unit_test(get__threads_share_what_is_not_kept),
	    cmocka_unit_test(get__threads_that_wait_share_the_failure),
	    cmocka_unit_test(get__threads_that_displace_each_other),
	    cmocka_unit_test(prefetch__without_threads_does_nothing),
	    cmocka_unit_test(prefetch__is_bounded_and_forgets),
	    cmocka_unit_test(free__with_work_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
