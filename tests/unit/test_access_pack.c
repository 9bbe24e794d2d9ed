/* The roles, tried on a pack: what a writer makes, a reader opens. */
#include "snapshot/content/pack.h"
#include "tests/unit/access_fixture.h"

static struct object_ref
write_pack(struct access *a, const struct dataset *ds)
{
	const struct keyset *ks = keyring_latest(ds->keys);
	AUTO(packrun) struct packrun *run = NULL;
	AUTO(pack_writer) struct pack_writer *pw = NULL;
	static const uint8_t plain[100];
	struct segment_place place;
	struct object_ref ref;
	uint64_t size;

	assert_ok(
	    packrun_new(&ks->seal_pub, ks->dataset, ks->epoch, &run, &err));
	assert_ok(pack_writer_new(
	    access_store(a), run, ds->id, PACK_DATA, &pw, &err));
	assert_ok(pack_writer_add(pw, plain, sizeof(plain), &place, &err));
	assert_ok(pack_writer_commit(pw, &ref, &size, &err));
	return ref;
}

static int
open_pack(struct access *a, const struct object_ref *ref, struct err *why)
{
	AUTO(pack_openers) struct pack_openers *openers = NULL;
	AUTO(pack) struct pack *pack = NULL;

	assert_ok(pack_openers_new(access_find(a, "a")->keys, &openers, &err));
	return pack_open(access_store(a), openers, ref, &pack, why);
}

static void
access_open__keeps_a_writer_from_opening_packs(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *writer = world_host("db1");
	AUTO(identity) struct identity *reader = world_host("bob");
	AUTO(access) struct access *db1 = NULL;
	AUTO(access) struct access *bob = NULL;
	const struct dataset *ds;
	struct object_ref ref;

	assert_ok(access_create_dataset(w->alice, "a", &ds, &err));
	assert_ok(access_grant(
	    w->alice, &writer->pub, ROLE_WRITER, ds, INT64_MAX, &err));
	assert_ok(access_grant(
	    w->alice, &reader->pub, ROLE_READER, ds, INT64_MAX, &err));
	db1 = world_entered(w, writer);
	bob = world_entered(w, reader);

	ref = write_pack(db1, access_find(db1, "a"));
	assert_fails(ERR_DENIED, "key", open_pack(db1, &ref, &err));
	assert_ok(open_pack(bob, &ref, &err));
	assert_ok(open_pack(w->alice, &ref, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(access_open__keeps_a_writer_from_opening_packs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
