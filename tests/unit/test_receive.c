/* What a site takes over a connection, and what it refuses. */
#include "snapshot/replicate/fetch.h"
#include "tests/unit/receive_fixture.h"

static void
end_all(struct stand *s)
{
	struct frame f;

	assert_ok(channel_send(s->pair.b, FRAME_DONE, NULL, &err));
	expect(s, FRAME_ACK, &f);
	expect(s, FRAME_DONE, &f);
	(void)pthread_join(s->thread, NULL);
	if (s->rc != 0)
		fail_msg("%s", s->why.text);
}

static void
receive_run__makes_nothing_for_an_unknown_dataset(void **state)
{
	struct stand *s = *state;
	struct store *store = access_store(s->realm->admin);
	struct object_ref ref;
	struct frame_nak nak;
	struct frame f;
	uint64_t size;

	expect(s, FRAME_STATE, &f);
	ref = send_object(s, OBJECT_PACK, (const uint8_t *)"a pack", 6);
	expect(s, FRAME_NAK, &f);
	assert_ok(frame_parse_nak(f.body, f.len, &nak, &err));
	assert_int_equal(nak.why.code, ERR_DENIED);
	end_all(s);
	assert_fails(ERR_NOT_FOUND, "", store_size(store, &ref, &size, &err));
	assert_int_equal(count_of(s->realm, "datasets/"), 0);
}

/* Although the one had not been looked at when the other came. */
static void
receive_run__takes_a_key_set_and_then_a_pack(void **state)
{
	struct stand *s = *state;
	struct store *store = access_store(s->realm->admin);
	struct object_ref ref;
	struct frame f;
	uint64_t size;

	expect(s, FRAME_STATE, &f);
	(void)send_object(s, OBJECT_KEY, s->key_set, s->len);
	ref = send_object(s, OBJECT_PACK, (const uint8_t *)"a pack", 6);
	expect(s, FRAME_ACK, &f);
	end_all(s);
	assert_ok(store_size(store, &ref, &size, &err));
	assert_int_equal(size, 6);
}

/* --- who sends ---------------------------------------------------------- */

/* As one whose grant has ended since it was let in. */
static void
receive_run__takes_nothing_of_one_who_is_not_known_any_more(void **state)
{
	struct stand *s = *state;
	struct store *store = access_store(s->realm->admin);
	struct object_ref key, pack;
	struct ed25519_private priv;
	struct frame f;
	struct err why;
	uint64_t size;

	expect(s, FRAME_STATE, &f);
	assert_ok(sign_keypair(&priv, &s->peer, &err));
	key = send_object(s, OBJECT_KEY, s->key_set, s->len);
	pack = send_object(s, OBJECT_PACK, (const uint8_t *)"a pack", 6);
	assert_int_equal(channel_receive(s->pair.b, &f, &why), ERR_DENIED);
	assert_non_null(strstr(why.text, "nothing more is taken"));
	(void)pthread_join(s->thread, NULL);
	assert_int_equal(s->rc, ERR_DENIED);
	assert_rc(ERR_NOT_FOUND, store_size(store, &key, &size, &err));
	assert_rc(ERR_NOT_FOUND, store_size(store, &pack, &size, &err));
}

static int
count_refusal(
    void *arg, UNUSED const struct sitedb_refusal *r, UNUSED struct err *e)
{
	size_t *n = arg;

	(*n)++;
	return 0;
}

/* However many NAKs it sends, each of which says something else. */
static void
receive_run__notes_only_so_much_of_one_connection(void **state)
{
	struct stand *s = *state;
	size_t rows = 0;
	struct frame f;

	expect(s, FRAME_STATE, &f);
	for (unsigned i = 0; i < 1000; i++) {
		struct frame_nak nak = {
		    .ref = {.cls = OBJECT_LOG, .seq = i + 1}};
		WR_AUTO struct wr w = {0};

		memcpy(nak.ref.dataset, s->dataset, STORE_DATASET_LEN);
		(void)err_set(&nak.why, ERR_CORRUPT, "lie %u", i);
		frame_nak(&nak, &w);
		assert_ok(channel_send(s->pair.b, FRAME_NAK, &w, &err));
	}
	assert_ok(channel_send(s->pair.b, FRAME_DONE, NULL, &err));
	expect(s, FRAME_ACK, &f);
	expect(s, FRAME_DONE, &f);
	(void)pthread_join(s->thread, NULL);
	assert_int_equal(s->rc, 0);
	/* A hundred, that the rest is counted, and how many these are. */
	assert_int_equal(atomic_load(&s->told), 102);
	assert_non_null(strstr(s->last.text, "900 more"));
	assert_ok(sitedb_refusals(
	    sitedir_db(s->site), 1000, count_refusal, &rows, &err));
	assert_int_equal(rows, SITEDB_REFUSALS_CLIENT);
}

static void *
fetch_from(void *arg)
{
	struct stand *s = arg;
	const struct meeting m = {.channel = s->pair.a, .peer = s->peer};

	s->rc = fetch_serve(&s->party, &m, &s->why);
	return NULL;
}

static void
fetch_serve__gives_nothing_to_one_who_may_not(void **state)
{
	struct stand *s = *state;
	struct ed25519_private priv;
	struct frame f;
	struct err why;

	/* The connection that stand_setup() made is not wanted. */
	channel_free(STEAL(s->pair.b));
	(void)pthread_join(s->thread, NULL);
	for (int known = 1; known >= 0; known--) {
		pair_clear(&s->pair);
		pair_setup(&s->pair);
		if (!known)
			assert_ok(sign_keypair(&priv, &s->peer, &err));
		assert_int_equal(
		    pthread_create(&s->thread, NULL, fetch_from, s), 0);
		assert_ok(channel_send(s->pair.b, FRAME_LIST, NULL, &err));
		if (known)
			expect(s, FRAME_NAMES, &f);
		else
			assert_int_equal(
			    channel_receive(s->pair.b, &f, &why), ERR_DENIED);
		channel_free(STEAL(s->pair.b));
		(void)pthread_join(s->thread, NULL);
		assert_int_equal(s->rc, known ? 0 : ERR_DENIED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    stand_test(receive_run__makes_nothing_for_an_unknown_dataset),
	    stand_test(receive_run__takes_a_key_set_and_then_a_pack),
	    stand_test(
		receive_run__takes_nothing_of_one_who_is_not_known_any_more),
	    stand_test(receive_run__notes_only_so_much_of_one_connection),
	    stand_test(fetch_serve__gives_nothing_to_one_who_may_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
