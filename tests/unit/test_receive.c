/* What a site takes over a connection, and what it refuses. */
#include "snapshot/replicate/fetch.h"
#include "snapshot/replicate/receive.h"
#include "tests/unit/channel_fixture.h"
#include "tests/unit/prune_fixture.h"
#include "tests/unit/site_fixture.h"

#include "crypto/hash.h"

/* A site in a thread of its own; this one sends. */
struct stand {
	struct realm *realm;
	struct sitedir *site;
	struct pair pair;
	struct party party;
	struct receive_room *room;
	struct receive_progress progress;
	struct ed25519_public peer; /* who sends */
	atomic_uint told;           /* what was refused, and said */
	struct err last;            /* of it */
	pthread_t thread;
	struct err why;
	int rc;
	/* The key set of a dataset that the site doesn't know. */
	uint8_t dataset[STORE_DATASET_LEN];
	uint8_t *key_set;
	size_t len;
};

static void
on_refused(
    void *arg, UNUSED const struct object_ref *ref, const struct err *why)
{
	struct stand *s = arg;

	atomic_fetch_add(&s->told, 1);
	s->last = *why;
}

static void *
receive(void *arg)
{
	struct stand *s = arg;
	const struct receive_options opt = {.until_done = true,
	    .room = s->room,
	    .peer = &s->peer,
	    .progress = &s->progress,
	    .on_refused = on_refused,
	    .arg = s};

	s->rc = receive_run(&s->party, s->pair.a, &opt, &s->why);
	return NULL;
}

/* Take the key set of the newest dataset out of the store. */
static int
take_key_set(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *e)
{
	struct stand *s = arg;
	struct store *store = access_store(s->realm->admin);
	struct keyset_head head;
	struct err why;
	uint8_t *buf;
	size_t len;
	int rc = store_get(store, ref, KEYSET_OBJECT_MAX, &buf, &len, e);

	if (rc != 0)
		return rc;
	if (keyset_peek(buf, len, &head, &why) != 0 ||
	    memcmp(head.dataset, s->dataset, STORE_DATASET_LEN) != 0) {
		free(buf);
		return 0;
	}
	s->key_set = buf;
	s->len = len;
	return store_remove(store, ref, e);
}

static int
setup(void **state)
{
	struct stand *s = calloc(1, sizeof(*s));
	const struct dataset *ds;

	assert_non_null(s);
	s->realm = realm_new();
	assert_ok(access_create_dataset(s->realm->admin, "new", &ds, &err));
	memcpy(s->dataset, ds->id, STORE_DATASET_LEN);
	assert_ok(store_list(access_store(s->realm->admin), OBJECT_KEY, NULL,
	    take_key_set, s, &err));
	assert_non_null(s->key_set);
	s->site = site_new(s->realm->store, "dr", FIRST_TIME, 0);
	assert_ok(store_set_replica(access_store(s->realm->admin), "dr", &err));
	s->party.address = s->realm->store;
	s->party.site = s->site;
	assert_ok(access_open_keyless(s->realm->store, &s->party.access, &err));
	s->peer = access_root(s->realm->admin)->admin.sign;
	pair_setup(&s->pair);
	assert_ok(receive_room_new(&s->room, &err));
	assert_int_equal(pthread_create(&s->thread, NULL, receive, s), 0);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct stand *s = *state;

	pair_clear(&s->pair);
	receive_room_free(s->room);
	access_close(s->party.access);
	sitedir_close(s->site);
	realm_free(s->realm);
	free(s->key_set);
	free(s);
	return 0;
}

static void
expect(struct stand *s, enum frame_type type, struct frame *f)
{
	assert_ok(channel_expect(s->pair.b, type, f, &err));
}

/* What PUT says of an object. */
static struct object_ref
put_head(const struct stand *s, enum object_class cls, const uint8_t *buf,
    size_t len, struct wr *head)
{
	struct frame_object o = {.ref = {.cls = cls}, .size = len};

	if (cls != OBJECT_KEY)
		memcpy(o.ref.dataset, s->dataset, STORE_DATASET_LEN);
	assert_ok(sha256(buf, len, o.ref.name, &err));
	frame_put(&o, head);
	return o.ref;
}

static struct object_ref
send_object(
    struct stand *s, enum object_class cls, const uint8_t *buf, size_t len)
{
	WR_AUTO struct wr head = {0};
	WR_AUTO struct wr body = {0};
	struct object_ref ref = put_head(s, cls, buf, len, &head);

	wr_bytes(&body, buf, len);
	assert_ok(channel_send(s->pair.b, FRAME_PUT, &head, &err));
	assert_ok(channel_send(s->pair.b, FRAME_DATA, &body, &err));
	return ref;
}

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

	/* The connection that setup() made is not wanted. */
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

/* --- memory ------------------------------------------------------------- */

static void
moment(void)
{
	const struct timespec t = {.tv_nsec = 50000000};

	(void)nanosleep(&t, NULL);
}

/* Bytes of objects that have come, once ${n} have, or after a while. */
static uint64_t
bytes_come(const struct stand *s, uint64_t n)
{
	uint64_t come = 0;

	for (int i = 0; i < 100 && come < n; i++) {
		come = atomic_load(&s->progress.bytes);
		if (come < n)
			moment();
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
		moment();
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

/* --- cut at any byte ------------------------------------------------------ */

/* What a sender says in all: a key set, a pack, a question, and that it is done. */
struct dialogue {
	struct wr bytes;
	size_t from[8],
	    to[8]; /* bodies of DATA: bytes in the middle are alike */
	size_t n;
	struct object_ref key, pack;
};

static void
say(struct dialogue *d, enum frame_type type, const struct wr *body)
{
	size_t len = body != NULL ? body->len : 0;

	wr_u32(&d->bytes, (uint32_t)len);
	wr_u8(&d->bytes, (uint8_t)type);
	wr_bytes(&d->bytes, "\0\0", 3);
	if (type == FRAME_DATA) {
		d->from[d->n] = d->bytes.len + 2;
		d->to[d->n++] = d->bytes.len + len - 2;
	}
	if (len > 0)
		wr_bytes(&d->bytes, body->buf, len);
}

static struct object_ref
say_object(struct dialogue *d, const struct stand *s, enum object_class cls,
    const uint8_t *buf, size_t len)
{
	WR_AUTO struct wr head = {0};
	WR_AUTO struct wr body = {0};
	struct object_ref ref = put_head(s, cls, buf, len, &head);

	wr_bytes(&body, buf, len);
	say(d, FRAME_PUT, &head);
	say(d, FRAME_DATA, &body);
	return ref;
}

static struct dialogue
new_dialogue(const struct stand *s)
{
	struct dialogue d = {.n = 0};
	static const uint8_t asked[1][OBJECT_NAME_LEN] = {{7}};
	struct frame_names have = {.cls = OBJECT_PACK, .n = 1, .names = asked};
	WR_AUTO struct wr w = {0};

	memcpy(have.dataset, s->dataset, STORE_DATASET_LEN);
	frame_have(&have, &w);
	say(&d, FRAME_HAVE, &w);
	d.key = say_object(&d, s, OBJECT_KEY, s->key_set, s->len);
	d.pack = say_object(
	    &d, s, OBJECT_PACK, (const uint8_t *)"a longer pack", 13);
	say(&d, FRAME_DONE, NULL);
	return d;
}

static bool
is_alike(const struct dialogue *d, size_t at)
{
	for (size_t i = 0; i < d->n; i++)
		if (at > d->from[i] && at < d->to[i])
			return true;
	return false;
}

/* All of it or nothing: then taken out again, for the next. */
static bool
take_whole(const struct stand *s, const struct object_ref *ref)
{
	struct store *store = access_store(s->realm->admin);
	uint8_t *buf = NULL;
	struct err why;
	size_t len;
	int rc = store_get(store, ref, 4096, &buf, &len, &why);

	free(buf);
	if (rc == ERR_NOT_FOUND)
		return false;
	if (rc != 0)
		fail_msg("%s", why.text);
	assert_ok(store_remove(store, ref, &err));
	return true;
}

/* Who sends the first ${n} bytes; then the line is dead. */
struct cutter {
	const struct dialogue *d;
	struct end end;
	size_t n;
	int fd;
	bool deaf; /* nothing can be said to it, from STATE on */
};

static void *
say_and_cut(void *arg)
{
	struct cutter *cut = arg;
	uint8_t head[FRAME_HEAD];

	cut->end.rc = 0;
	if (cut->deaf) {
		/* STATE has come: no write after it succeeds. */
		cut->end.rc =
		    tls_read(cut->end.tls, head, sizeof(head), &cut->end.err);
		(void)shutdown(cut->fd, SHUT_RD);
	}
	if (cut->end.rc == 0 && cut->n > 0)
		cut->end.rc = tls_write(
		    cut->end.tls, cut->d->bytes.buf, cut->n, &cut->end.err);
	(void)shutdown(cut->fd, SHUT_WR);
	return NULL;
}

/* What became of it. */
static int
receive_cut(struct stand *s, struct cutter *cut, bool *key, bool *pack)
{
	const struct receive_options opt = {.until_done = false};
	struct end b;
	struct channel *c;
	pthread_t thread;
	int rc;

	cut->fd = ends_setup(&cut->end, &b);
	assert_ok(channel_new(b.tls, "a", &c, &err));
	access_close(s->party.access);
	assert_ok(access_open_keyless(s->realm->store, &s->party.access, &err));
	assert_int_equal(pthread_create(&thread, NULL, say_and_cut, cut), 0);
	rc = receive_run(&s->party, c, &opt, &s->why);
	(void)pthread_join(thread, NULL);
	assert_int_equal(cut->end.rc, 0);
	channel_free(c);
	tls_free(cut->end.tls);
	*pack = take_whole(s, &cut->d->pack);
	*key = take_whole(s, &cut->d->key);
	return rc;
}

static void
cut_at_any_byte(struct stand *s, bool deaf)
{
	struct dialogue d = new_dialogue(s);
	size_t cuts = 0;
	bool key, pack;

	/* The connection that setup() made is not wanted. */
	channel_free(STEAL(s->pair.b));
	(void)pthread_join(s->thread, NULL);
	for (size_t n = 0; n <= d.bytes.len; n++) {
		struct cutter cut = {.d = &d, .n = n, .deaf = deaf};

		if (is_alike(&d, n))
			continue;
		/* No goodbye was said: it is an error at every byte. */
		assert_int_equal(receive_cut(s, &cut, &key, &pack), ERR_IO);
		/* What came whole stays, and nothing else. */
		assert_int_equal(key, n >= d.to[0] + 2);
		assert_int_equal(pack, n >= d.to[1] + 2);
		cuts++;
	}
	if (cuts < 200)
		fail_msg("%zu cuts", cuts);
	wr_clear(&d.bytes);
}

static void
receive_run__is_cut_at_any_byte(void **state)
{
	cut_at_any_byte(*state, false);
}

static void
receive_run__takes_what_came_from_one_who_is_deaf(void **state)
{
	cut_at_any_byte(*state, true);
}

#define stand_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
	    stand_test(receive_run__one_connection_holds_many_records),
	    stand_test(
		receive_run__gives_the_room_back_once_a_group_was_dealt_with),
	    stand_test(receive_run__is_cut_at_any_byte),
	    stand_test(receive_run__takes_what_came_from_one_who_is_deaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
