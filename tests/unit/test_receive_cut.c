/* A connection that is cut at any byte. */
#include "tests/unit/receive_fixture.h"

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

	/* The connection that stand_setup() made is not wanted. */
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    stand_test(receive_run__is_cut_at_any_byte),
	    stand_test(receive_run__takes_what_came_from_one_who_is_deaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
