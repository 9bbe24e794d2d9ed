/* Files that are being read from front to back, or not: fs/stream.c. */
#include "fs/stream.h"
#include "fs/watch.h"
#include "tests/unit/content_elements.h"

#define FILE_MIB 200

/* A file of chunks of 1 MiB, and streams of it. */
struct file {
	struct chunks *c;
	struct element els[FILE_MIB];
	struct content content;
	uint64_t size;
	struct fs_dataset ds;
	struct streams *streams;
	struct node n; /* last: its end is open */
};

static int
set_up(void **state)
{
	struct file *f = calloc(1, sizeof(*f));

	f->c = fake_chunks_new(0);
	for (size_t i = 0; i < FILE_MIB; i++)
		f->els[i] = data_element(MIB, i);
	f->content = build(f->c, f->els, FILE_MIB, &f->size);
	f->ds.chunks = f->c;
	f->n = (struct node){.id = 7, .ds = &f->ds};
	assert_ok(streams_new(MIB, &f->streams, &err));
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct file *f = *state;

	streams_free(f->streams);
	fake_chunks_free(f->c);
	free(f);
	return 0;
}

static bool
read_at(struct file *f, uint64_t off, uint64_t len)
{
	struct stream *st;
	bool onward;

	assert_ok(
	    stream_open(f->streams, &f->n, &f->content, f->size, &st, &err));
	onward = stream_ahead(st, off, len);
	stream_close(st);
	return onward;
}

/* From 32 MiB on, the pack of what comes 64 MiB later; once every 8 MiB. */
static void
ahead__fetches_packs_of_what_is_read_in_order(void **state)
{
	struct file *f = *state;
	size_t want = 0;

	for (uint64_t i = 0; i < FILE_MIB; i++) {
		uint64_t end = i + 1;

		assert_true(read_at(f, i * MIB, MIB));
		if (end >= 32 && end % 8 == 0 && end + 64 < FILE_MIB - 1) {
			want++;
			assert_memory_equal(fake_fetched(f->c),
			    &f->els[end + 64].name, CHUNK_NAME_LEN);
		}
		assert_int_equal(fake_fetches(f->c), want);
	}
	assert_true(want > 10);
}

static void
ahead__fetches_nothing_for_who_reads_here_and_there(void **state)
{
	struct file *f = *state;

	for (uint64_t i = 0; i < 500; i++)
		(void)read_at(f, i * 77 % FILE_MIB * MIB, 4096);
	assert_int_equal(fake_fetches(f->c), 0);
	/* A run that begins in the middle counts from there. */
	for (uint64_t i = 0; i < 31; i++)
		(void)read_at(f, (50 + i) * MIB, MIB);
	assert_int_equal(fake_fetches(f->c), 0);
	for (uint64_t i = 31; i < 33; i++)
		(void)read_at(f, (50 + i) * MIB, MIB);
	assert_int_equal(fake_fetches(f->c), 1);
}

/* Each once: what the first read needs itself is left to it. */
static void
ahead__opens_what_comes_next_for_who_reads_in_order(void **state)
{
	struct file *f = *state;

	for (uint64_t i = 0; i + 1 < 50; i++) {
		assert_true(read_at(f, i * MIB, MIB));
		assert_int_equal(fake_prefetches(f->c), i + 1);
		assert_memory_equal(
		    fake_prefetched(f->c), &f->els[i + 1].name, CHUNK_NAME_LEN);
	}
}

/* What is read at this moment needs no other thread to open it, too. */
static void
ahead__opens_nothing_for_who_reads_here_and_there(void **state)
{
	struct file *f = *state;

	for (uint64_t i = 0; i < 500; i++)
		(void)read_at(f, i * 77 % FILE_MIB * MIB + 8192, 4096);
	assert_int_equal(fake_prefetches(f->c), 0);
	/* At the end of a chunk the read may go on. */
	(void)read_at(f, 150 * MIB - 4096, 4096);
	assert_int_equal(fake_prefetches(f->c), 1);
	assert_memory_equal(
	    fake_prefetched(f->c), &f->els[150].name, CHUNK_NAME_LEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		ahead__fetches_packs_of_what_is_read_in_order, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		ahead__fetches_nothing_for_who_reads_here_and_there, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		ahead__opens_what_comes_next_for_who_reads_in_order, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		ahead__opens_nothing_for_who_reads_here_and_there, set_up,
		tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
