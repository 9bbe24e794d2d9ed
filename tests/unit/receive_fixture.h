#ifndef TESTS_UNIT_RECEIVE_FIXTURE_H
#define TESTS_UNIT_RECEIVE_FIXTURE_H

/* A site that takes what a connection brings, and who sends to it. */
#include "crypto/hash.h"
#include "snapshot/replicate/receive.h"
#include "tests/unit/channel_fixture.h"
#include "tests/unit/prune_fixture.h"
#include "tests/unit/site_fixture.h"

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

static inline UNUSED void
on_refused(
    void *arg, UNUSED const struct object_ref *ref, const struct err *why)
{
	struct stand *s = arg;

	atomic_fetch_add(&s->told, 1);
	s->last = *why;
}

static inline UNUSED void *
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
static inline UNUSED int
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

static inline UNUSED int
stand_setup(void **state)
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

static inline UNUSED int
stand_teardown(void **state)
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

static inline UNUSED void
expect(struct stand *s, enum frame_type type, struct frame *f)
{
	assert_ok(channel_expect(s->pair.b, type, f, &err));
}

/* What PUT says of an object. */
static inline UNUSED struct object_ref
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

static inline UNUSED struct object_ref
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

#define stand_test(name)                                                       \
	cmocka_unit_test_setup_teardown(name, stand_setup, stand_teardown)

#endif
