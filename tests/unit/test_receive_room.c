/* How much memory a connection takes at a site. */
#include "tests/unit/receive_fixture.h"
#include "tests/unit/wait.h"

/* Bytes of objects that have come, once ${n} have, or after a while. */
static uint64_t
bytes_come(const struct stand *s, uint64_t n)
{
	uint64_t come = 0;

	for (int i = 0; i < 100 && come < n; i++) {
		come = atomic_load(&s->progress.bytes);
		if (come < n)
			wait_ms(50);
	}
	return come;
}

/* A record of 64 KiB, whose bytes say which. */
#define RECORD_LEN ((size_t)64 * 1024)

static void
send_record(struct stand *s, uint64_t seq)
{
	struct frame_object o = {
	    .ref = {.cls = OBJECT_LOG, .seq = seq}, .size = RECORD_LEN};
	WR_AUTO struct wr head = {0};
	WR_AUTO struct wr body = {0};
	uint8_t *buf = calloc(1, RECORD_LEN);

	assert_non_null(buf);
	memcpy(buf, &seq, sizeof(seq));
	memcpy(o.ref.dataset, s->dataset, STORE_DATASET_LEN);
	assert_ok(sha256(buf, RECORD_LEN, o.ref.name, &err));
	frame_put(&o, &head);
	wr_bytes(&body, buf, RECORD_LEN);
	free(buf);
	assert_ok(channel_send(s->pair.b, FRAME_PUT, &head, &err));
	assert_ok(channel_send(s->pair.b, FRAME_DATA, &body, &err));
}

static void
receive_run__one_connection_holds_many_records(void **state)
{
	struct stand *s = *state;
	const uint64_t small = UINT64_C(4) * 1024 * 1024;
	uint64_t seq = 0, come = s->len;
	struct frame f;

	expect(s, FRAME_STATE, &f);
	(void)send_object(s, OBJECT_KEY, s->key_set, s->len);
	/* Another has the room; what is small needs none. */
	assert_true(receive_room_try(s->room, s->pair.b));
	while (come + RECORD_LEN < small) {
		send_record(s, ++seq);
		come += RECORD_LEN;
	}
	assert_int_equal(bytes_come(s, come), come);
	/* These do: the next is not even read. */
	send_record(s, ++seq);
	for (int i = 0; i < 10; i++)
		wait_ms(50);
	assert_int_equal(atomic_load(&s->progress.bytes), come);
	receive_room_give(s->room);
	come += RECORD_LEN;
	assert_int_equal(bytes_come(s, come), come);
	/* It has it, until they go. */
	assert_false(receive_room_try(s->room, s->pair.b));
	channel_free(STEAL(s->pair.b));
	(void)pthread_join(s->thread, NULL);
	assert_true(receive_room_try(s->room, s->pair.a));
}

static void
receive_run__gives_the_room_back_once_a_group_was_dealt_with(void **state)
{
	struct stand *s = *state;
	struct frame_commit commit = {.first = 1, .last = 80};
	WR_AUTO struct wr w = {0};
	struct frame f;
	bool free = false;

	expect(s, FRAME_STATE, &f);
	(void)send_object(s, OBJECT_KEY, s->key_set, s->len);
	for (uint64_t seq = 1; seq <= commit.last; seq++)
		send_record(s, seq);
	(void)bytes_come(s, s->len + commit.last * RECORD_LEN);
	assert_false(receive_room_try(s->room, s->pair.b));
	memcpy(commit.dataset, s->dataset, STORE_DATASET_LEN);
	frame_commit(&commit, &w);
	assert_ok(channel_send(s->pair.b, FRAME_COMMIT, &w, &err));
	/* They are no records at all. */
	do {
		assert_ok(channel_receive(s->pair.b, &f, &err));
	} while (f.type == FRAME_ACK);
	assert_int_equal(f.type, FRAME_NAK);
	for (int i = 0; i < 100 && !free; i++)
		free = receive_room_try(s->room, s->pair.b);
	assert_true(free);
	channel_free(STEAL(s->pair.b));
	(void)pthread_join(s->thread, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    stand_test(receive_run__one_connection_holds_many_records),
	    stand_test(
		receive_run__gives_the_room_back_once_a_group_was_dealt_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
