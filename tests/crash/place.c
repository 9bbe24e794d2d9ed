#include "tests/crash/place.h"

#include "snapshot/access/access_internal.h"
#include "snapshot/store/dirstore.h"
#include "tests/crash/crashfs.h"

#include <time.h>

#define OBJECT_MAX 65536

static void
make_store(const struct place *p, const enum role *roles, size_t n)
{
	AUTO(identity) struct identity *host = NULL;
	AUTO(recovery) struct recovery *recovery = NULL;
	AUTO(access) struct access *a = NULL;
	const struct dataset *ds;

	assert_ok(access_init(
	    p->store, "alice", "correct horse", &a, &recovery, &err));
	assert_ok(access_create_dataset(a, PLACE_DATASET, &ds, &err));
	assert_ok(identity_new(IDENTITY_HOST, "host", &host, &err));
	assert_ok(access_write_keyfile(host, p->keyfile, &err));
	for (size_t i = 0; i < n; i++)
		assert_ok(access_grant(a, &host->pub, roles[i],
		    roles[i] == ROLE_ADMIN ? NULL : ds, INT64_MAX, &err));
}

void
place_new(struct place *p, const enum role *roles, size_t n)
{
	scratch_new(p->dir);
	(void)snprintf(p->store, sizeof(p->store), "%s/keys", p->dir);
	(void)snprintf(p->source, sizeof(p->source), "%s/source", p->dir);
	(void)snprintf(p->keyfile, sizeof(p->keyfile), "%s/host.key", p->dir);
	make_store(p, roles, n);
}

void
place_rm(const struct place *p)
{
	scratch_rm(p->dir);
}

static int
copy_key(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct store *const *stores = arg; /* from, to */
	struct object_ref copy = *ref;
	uint8_t *buf;
	size_t len;
	int rc = store_get(stores[0], ref, OBJECT_MAX, &buf, &len, err);

	if (rc != 0)
		return rc;
	rc = store_put(stores[1], &copy, buf, len, err);
	free(buf);
	return rc;
}

void
place_copy(const struct place *p, const char *dir)
{
	const struct object_ref root = {.cls = OBJECT_ROOT};
	const struct sysio io = crashfs_calm();
	struct store *stores[2];
	char path[PLACE_PATH];
	uint8_t *buf;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/store", dir);
	assert_ok(store_open(p->store, &stores[0], &err));
	assert_ok(store_get(stores[0], &root, OBJECT_MAX, &buf, &len, &err));
	assert_ok(dirstore_create(path, buf, len, &io, &stores[1], &err));
	assert_ok(
	    store_list(stores[0], OBJECT_KEY, NULL, copy_key, stores, &err));
	store_close(stores[0]);
	store_close(stores[1]);
	free(buf);
}

static int64_t
tell_time(UNUSED void *arg)
{
	return (int64_t)time(NULL);
}

struct access *
place_enter(const struct place *p, const char *dir, const struct sysio *io)
{
	static const struct access_clock wall_clock = {.now = tell_time};
	const struct credential cred = {.keyfile = p->keyfile};
	char path[PLACE_PATH];
	struct access *a = NULL;
	struct store *s;

	(void)snprintf(path, sizeof(path), "%s/store", dir);
	assert_ok(dirstore_open(path, io, &s, &err));
	assert_ok(access_open_store(s, &cred, &wall_clock, &a, &err));
	return a;
}

void
place_noise(uint8_t *buf, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		buf[i] = (uint8_t)(seed >> 56);
	}
}
