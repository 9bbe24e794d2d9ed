#ifndef CRYPTO_KEYRING_H
#define CRYPTO_KEYRING_H

/*
 * A dataset's key sets, one for each epoch that its holder was given.
 * Thread: safe to read once filled.
 */
#include "crypto/keyset.h"

#define KEYRING_EPOCHS_MAX 1024

struct keyring;

/** keyring_new(out, err): Empty; it owns the key sets that are added. */
NODISCARD int keyring_new(struct keyring **out, struct err *err);
void keyring_free(struct keyring *kr);
DEFINE_AUTO(keyring, keyring_free)

/**
 * keyring_add(kr, ks, err):
 * Takes ${ks} over, also when it fails. Of two key sets of one epoch, the one
 * with the private half is kept. Errors: ERR_CORRUPT of another dataset, or
 * another id key; ERR_NOMEM.
 */
NODISCARD int keyring_add(
    struct keyring *kr, struct keyset *ks, struct err *err);

/** keyring_latest(kr): The highest epoch's, the keyring's; NULL when empty. */
const struct keyset *keyring_latest(const struct keyring *kr);

/** keyring_epoch(kr, epoch): NULL when it was not given. */
const struct keyset *keyring_epoch(const struct keyring *kr, uint32_t epoch);

/** keyring_can_read(kr): Whether the latest epoch has its private half. */
bool keyring_can_read(const struct keyring *kr);

#endif
