#ifndef TESTS_CRASH_PLACE_H
#define TESTS_CRASH_PLACE_H

/*
 * What every crash of one piece of work starts from: a directory with a source,
 * the keys of a store with one dataset, and the key file of a host, which opens
 * a store without an scrypt, so that it costs nothing. A failure fails the
 * running test.
 */
#include "snapshot/access/access.h"
#include "snapshot/store/sysio.h"
#include "tests/unit/outcome.h"
#include "tests/unit/scratch.h"

#define PLACE_PATH (SCRATCH_PATH + 16)
#define PLACE_DATASET "customers"

struct place {
	char dir[SCRATCH_PATH];
	char store[PLACE_PATH];   /* its keys; nothing else in it */
	char source[PLACE_PATH];  /* not made yet */
	char keyfile[PLACE_PATH]; /* of the host */
};

/**
 * place_new(p, roles, n):
 * With a host that has these roles: on the dataset, or as an admin of the store.
 */
void place_new(struct place *p, const enum role *roles, size_t n);
void place_rm(const struct place *p);

/** place_copy(p, dir): ${dir}/store, of the same keys, without any backup. */
void place_copy(const struct place *p, const char *dir);

/** place_enter(p, dir, io): Open ${dir}/store as the host (access_free). */
struct access *place_enter(
    const struct place *p, const char *dir, const struct sysio *io);

/** place_noise(buf, len, seed): Bytes that follow from ${seed} alone. */
void place_noise(uint8_t *buf, size_t len, uint64_t seed);

#endif
