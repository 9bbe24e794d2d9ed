#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

/*
 * Secrets: locked memory that is left out of core files and wiped when freed,
 * and a distinct type for the key of each purpose, so that the compiler
 * refuses one in the place of another.
 */
#include "crypto/err.h"

#include <stdbool.h>
#include <stdint.h>

#define KEY_LEN 32

/* A key on its way to a purpose. */
struct key32 {
	uint8_t b[KEY_LEN];
};
/* Names and cuts chunks. */
struct id_key {
	uint8_t b[KEY_LEN];
};
/* Indexes and log records. */
struct index_key {
	uint8_t b[KEY_LEN];
};
struct x25519_private {
	uint8_t b[KEY_LEN];
};
struct x25519_public {
	uint8_t b[KEY_LEN];
};
/* The RFC 8032 seed. */
struct ed25519_private {
	uint8_t b[KEY_LEN];
};
struct ed25519_public {
	uint8_t b[KEY_LEN];
};

/* WIPE struct key32 k: any 32-byte key on the stack, wiped on every way out. */
#define WIPE __attribute__((cleanup(secret_wipe_key)))

/** secret_wipe(p, len): Overwrite; never optimised away. */
void secret_wipe(void *p, size_t len);

/** secret_wipe_key(key): secret_wipe() of one 32-byte key; for WIPE. */
void secret_wipe_key(void *key);

/**
 * secret_alloc(len):
 * ${len} zeroed bytes on pages of their own: locked, left out of core files
 * and of forked children, with an inaccessible page on either side.
 * NULL when memory runs out. Locking is refused only by a limit
 * (RLIMIT_MEMLOCK); secret_locked() tells.
 *
 * Cost: a few system calls and 12 KiB of address space; for long-lived keys.
 * Thread: safe.
 */
void *secret_alloc(size_t len);

/** secret_free(p): Wipe and release; NULL is fine. */
void secret_free(void *p);

/** secret_locked(): Whether every allocation so far could be locked. */
bool secret_locked(void);

/**
 * secret_no_core(): Keep this process from leaving core files, whether written
 * to disk or piped to a collector. Call once, at the start of main.
 */
void secret_no_core(void);

#endif
