#ifndef TESTS_UNIT_ACCESS_FIXTURE_H
#define TESTS_UNIT_ACCESS_FIXTURE_H

/*
 * For each test a new store in a scratch directory, opened by its first admin
 * 'alice', under a clock that stands still.
 */
#include "snapshot/access/access_internal.h"
#include "tests/unit/outcome.h"
#include "tests/unit/scratch.h"

#define ALICE_PASS "correct horse"
#define START 1000000000 /* the time at which the store is made */

struct world {
	char dir[SCRATCH_PATH];
	char path[SCRATCH_PATH + 16];
	int64_t now;
	struct access_clock clock;
	struct access *alice;
	struct recovery *recovery;
	struct keyset *rival; /* stored when somebody asks for the time */
};

int world_setup(void **state);
int world_teardown(void **state);
#define world_test(name)                                                       \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

/* --- who opens it ------------------------------------------------------- */

/** by_pass(pass): A credential; ${pass} is what is typed. */
struct credential by_pass(const char *person, const char *pass);

/** world_host(name): A new host; identity_free(). */
struct identity *world_host(const char *name);

/** world_enter(w, host, out, err): Open the store by a key file of ${host}. */
NODISCARD int world_enter(struct world *w, const struct identity *host,
    struct access **out, struct err *err);
/** world_entered(w, host): The same, where it must succeed. */
struct access *world_entered(struct world *w, const struct identity *host);

/* --- what is in the store ----------------------------------------------- */

/** world_dataset(w, name): A new dataset, made by alice. */
const struct dataset *world_dataset(struct world *w, const char *name);

/** world_keys(ds): The latest key set of a dataset, as alice has it. */
const struct keyset *world_keys(const struct dataset *ds);

/** world_granted(): A new one, on which alice gave a role until START+100. */
const struct dataset *world_granted(struct world *w, const char *name,
    const struct identity *host, enum role role);
void world_make_admin(
    struct world *w, const struct identity *host, int64_t until);

/** world_refresh(w): Alice looks at what is there now. */
void world_refresh(struct world *w);

/** world_put(w, buf, len): Store a key object, whatever it is. */
struct object_ref world_put(struct world *w, const void *buf, size_t len);

/* A grant, signed by whoever is told to: right or wrong. */
struct forgery {
	enum role role;
	const struct identity *subject;
	const struct identity *issuer; /* NULL: ${master} */
	const struct master *master;
	const struct keyset *keys; /* NULL: as an admin */
	const uint8_t *store;      /* NULL: this one */
	const struct key32 *seed;  /* NULL: the true one */
	int64_t from, until;
};
struct object_ref world_grant(struct world *w, const struct forgery *f);

/** world_request(w, key, country): Of a site, good until START+1000. */
struct site_request world_request(
    const struct world *w, const struct identity *key, const char *country);

/** world_key_set(w, ks, signer): A key set object. */
struct object_ref world_key_set(
    struct world *w, const struct keyset *ks, const struct identity *signer);

/* --- what is wrong with it ---------------------------------------------- */

/** damage_code(a, ref): How an object was passed over; 0: it was not. */
int damage_code(const struct access *a, const struct object_ref *ref);
/** damage_count(a): How many were. */
size_t damage_count(const struct access *a);

#endif
