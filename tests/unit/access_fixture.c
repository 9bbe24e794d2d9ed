#include "tests/unit/access_fixture.h"

/*
 * Something may happen in the store at the moment that somebody asks for the
 * time: between the looks of access_create_dataset().
 */
static int64_t
tell_time(void *arg)
{
	struct world *w = arg;
	AUTO(keyset) struct keyset *rival = STEAL(w->rival);

	if (rival != NULL)
		(void)world_key_set(w, rival, w->alice->identity);
	return w->now;
}

int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	scratch_new(w->dir);
	(void)snprintf(w->path, sizeof(w->path), "%s/store", w->dir);
	w->now = START;
	w->clock = (struct access_clock){.now = tell_time, .arg = w};
	assert_ok(access_init_clock(w->path, "alice", ALICE_PASS, &w->clock,
	    &w->alice, &w->recovery, &err));
	*state = w;
	return 0;
}

int
world_teardown(void **state)
{
	struct world *w = *state;

	access_close(w->alice);
	recovery_free(w->recovery);
	scratch_rm(w->dir);
	free(w);
	return 0;
}

static int
type_pass(void *arg, UNUSED const char *name, char **pass, struct err *err)
{
	size_t len = strlen(arg);

	*pass = secret_alloc(len + 1);
	if (*pass == NULL)
		return err_nomem(err);
	memcpy(*pass, arg, len);
	return 0;
}

struct credential
by_pass(const char *person, const char *pass)
{
	return (struct credential){
	    .person = person,
	    .passphrase = type_pass,
	    .arg = (void *)(uintptr_t)pass,
	};
}

struct identity *
world_host(const char *name)
{
	struct identity *host;

	assert_ok(identity_new(IDENTITY_HOST, name, &host, &err));
	return host;
}

int
world_enter(struct world *w, const struct identity *host, struct access **out,
    struct err *err)
{
	char path[SCRATCH_PATH + 32];
	struct credential cred = {.keyfile = path};
	int ret;

	(void)snprintf(path, sizeof(path), "%s/host.key", w->dir);
	(void)unlink(path);
	if ((ret = access_write_keyfile(host, path, err)) != 0)
		return ret;
	return access_open_clock(w->path, &cred, &w->clock, out, err);
}

struct access *
world_entered(struct world *w, const struct identity *host)
{
	struct access *a = NULL;

	assert_ok(world_enter(w, host, &a, &err));
	return a;
}

const struct dataset *
world_dataset(struct world *w, const char *name)
{
	const struct dataset *ds = NULL;

	assert_ok(access_create_dataset(w->alice, name, &ds, &err));
	return ds;
}

const struct keyset *
world_keys(const struct dataset *ds)
{
	return keyring_latest(ds->keys);
}

const struct dataset *
world_granted(struct world *w, const char *name, const struct identity *host,
    enum role role)
{
	const struct dataset *ds = world_dataset(w, name);

	assert_ok(
	    access_grant(w->alice, &host->pub, role, ds, START + 100, &err));
	return ds;
}

void
world_make_admin(struct world *w, const struct identity *host, int64_t until)
{
	assert_ok(
	    access_grant(w->alice, &host->pub, ROLE_ADMIN, NULL, until, &err));
}

void
world_refresh(struct world *w)
{
	bool changed;

	assert_ok(access_refresh(w->alice, &changed, &err));
}

struct object_ref
world_put(struct world *w, const void *buf, size_t len)
{
	struct object_ref ref = {.cls = OBJECT_KEY};

	assert_ok(store_put(w->alice->store, &ref, buf, len, &err));
	return ref;
}

/* The keys that go with a forgery, and what its grant says of them. */
static void
forge_keys(const struct world *w, const struct forgery *f, struct grant *g,
    struct wr *keys)
{
	const struct key32 *seed =
	    f->seed != NULL ? f->seed : &w->alice->master->seed;

	if (f->keys == NULL) {
		wr_bytes(keys, seed->b, sizeof(seed->b));
		return;
	}
	memcpy(g->dataset, f->keys->dataset, DATASET_ID_LEN);
	g->epoch = f->keys->epoch;
	keyset_encode(f->keys, f->role == ROLE_READER, keys);
}

struct object_ref
world_grant(struct world *w, const struct forgery *f)
{
	WR_AUTO struct wr keys = {.secret = true};
	WR_AUTO struct wr out = {0};
	struct grant g = {
	    .role = f->role,
	    .subject = f->subject->pub,
	    .from = f->from,
	    .until = f->until,
	};

	memcpy(g.store, f->store != NULL ? f->store : w->alice->root.store,
	    STORE_ID_LEN);
	forge_keys(w, f, &g, &keys);
	assert_ok(grant_make(
	    &g, keys.buf, keys.len, f->issuer, f->master, &out, &err));
	return world_put(w, out.buf, out.len);
}

struct object_ref
world_key_set(
    struct world *w, const struct keyset *ks, const struct identity *signer)
{
	WR_AUTO struct wr out = {0};

	assert_ok(keyset_seal(ks, &w->alice->root, signer, NULL, &out, &err));
	return world_put(w, out.buf, out.len);
}

struct site_request
world_request(
    const struct world *w, const struct identity *key, const char *country)
{
	struct site_request r = {
	    .site = {.pub = key->pub, .until = START + 1000}};

	memcpy(
	    r.fingerprint, access_root(w->alice)->fingerprint, FINGERPRINT_LEN);
	(void)strcpy(r.site.country, country);
	(void)strcpy(r.site.accreditation, "ISO/IEC 27001:2022");
	return r;
}

struct search {
	const struct object_ref *ref;
	int code;
	size_t n;
};

static int
search(void *arg, const struct object_ref *ref, const struct err *why,
    UNUSED struct err *err)
{
	struct search *s = arg;

	assert_int_equal(ref->cls, OBJECT_KEY);
	assert_true(why->text[0] != '\0');
	s->n++;
	if (s->ref != NULL &&
	    memcmp(s->ref->name, ref->name, OBJECT_NAME_LEN) == 0)
		s->code = why->code;
	return 0;
}

int
damage_code(const struct access *a, const struct object_ref *ref)
{
	struct search s = {.ref = ref};

	assert_ok(access_visit_damage(a, search, &s, &err));
	return s.code;
}

size_t
damage_count(const struct access *a)
{
	struct search s = {0};

	assert_ok(access_visit_damage(a, search, &s, &err));
	return s.n;
}
