#ifndef SNAPSHOT_ACCESS_ACCESS_H
#define SNAPSHOT_ACCESS_ACCESS_H

/*
 * Access: an open store together with who opened it and what that key may do.
 * It finds identities and grants among the store's key objects, checks the
 * chain of signatures from the root to each grant and key set, and hands out
 * datasets with their keyrings.
 *
 * Key objects that are damaged, forged or of no known kind never keep anybody
 * out: they are passed over, and access_visit_damage() tells of them.
 * Source: KEYS.md. Thread: safe to use from several threads once open;
 * access_refresh(), access_create_dataset(), access_grant() and
 * access_add_person() are not.
 */
#include "crypto/defaults.h"
#include "crypto/grant.h"
#include "crypto/keyring.h"
#include "crypto/settlement.h"
#include "snapshot/store/store.h"

/*
 * How to prove who one is: by a key file, by the recovery key, or else (both
 * NULL) by a person's passphrase.
 */
struct credential {
	/*
	 * A person's name, or the first digits (at least 4) of the person's
	 * id in hexadecimal; NULL: the store's only person.
	 */
	const char *person;
	/*
	 * Asks for the passphrase of ${name}; *${pass} is made by
	 * secret_alloc() and freed by access.
	 */
	int (*passphrase)(
	    void *arg, const char *name, char **pass, struct err *err);
	void *arg;
	const char *keyfile;             /* path of a host's key file */
	const struct recovery *recovery; /* the recovery key */
};

struct access;

/**
 * access_init(address, name, pass, out, recovery, err):
 * Make a store, its first admin (a person called ${name}, sealed under
 * ${pass}) and its recovery key, and open it. *${recovery} is the caller's.
 * Errors: those of store_create(); ERR_USAGE a name that can't be, or an empty
 * passphrase. Cost: one scrypt.
 */
NODISCARD int access_init(const char *address, const char *name,
    const char *pass, struct access **out, struct recovery **recovery,
    struct err *err);

/**
 * access_open(address, cred, out, err):
 * Errors: those of store_open(); ERR_AUTH wrong passphrase or recovery key, or
 * a tampered key; ERR_NOT_FOUND no such person, no such key file; ERR_USAGE
 * which person is not clear (the text lists them); ERR_DENIED a key that was
 * never granted anything, or nothing that is valid now, or a key file that
 * others may read; ERR_CORRUPT; ERR_VERSION.
 * Cost: one scrypt for a person; one signature check and one unsealing for each
 * grant of this key (an admin: for each key set), about 0.3 ms; a signature
 * check for each grant of an admin.
 */
NODISCARD int access_open(const char *address, const struct credential *cred,
    struct access **out, struct err *err);

/**
 * access_open_datasets(address, cred, names, n, out, err):
 * The same for who knows which datasets it is about, by the ${n} names under
 * which they show (0: all). access_find() finds these; what other datasets
 * there are may not be seen. Where one of ${names} isn't there, or no longer
 * at a refresh, all are opened.
 * Cost: that of access_open() for these alone; and for each grant, or key set,
 * of others an unsealing without more, about 0.06 ms.
 */
NODISCARD int access_open_datasets(const char *address,
    const struct credential *cred, const char *const *names, size_t n,
    struct access **out, struct err *err);

/**
 * access_open_keyless(address, out, err):
 * For what needs no key. There are no datasets then, but access_signer() and
 * access_visit_damage() work.
 */
NODISCARD int access_open_keyless(
    const char *address, struct access **out, struct err *err);
void access_close(struct access *a);
DEFINE_AUTO(access, access_close)

struct store *access_store(const struct access *a);
const struct root *access_root(const struct access *a);
/** access_identity(a): Who opened it; NULL for a recovery key or keyless. */
const struct identity *access_identity(const struct access *a);
/**
 * access_is_admin(a):
 * Whether the store's master key is at hand. So it is by the recovery key,
 * which may make datasets and grants, but signs no log.
 */
bool access_is_admin(const struct access *a);

/* A dataset that this key may do something with. The access's. */
struct dataset {
	uint8_t id[DATASET_ID_LEN];
	const char *name;
	struct keyring *keys;
	bool may_read;  /* the private half of an epoch's keys is there */
	bool may_write; /* admin, or granted as writer */
};

/*
 * Datasets, sorted by name. access_create_dataset() lets no two names clash,
 * but stores that were apart may each have made one. Then all of them are
 * reachable, under names that do not depend on who came first: two datasets
 * called 'a' show as 'a~0123abcd' and 'a~89ab4567', with 8 digits of their
 * ids, so that nobody writes to the wrong one by its plain name; and a dataset
 * 'a/b' beside a dataset 'a' as 'a~0123abcd/b'. A name, once shown, stays for
 * as long as the store is open.
 */
size_t access_datasets(const struct access *a);
/** access_dataset(a, i): ${i} counts anew after a refresh. */
const struct dataset *access_dataset(const struct access *a, size_t i);
/** access_find(a, name): NULL when there is none that this key may see. */
const struct dataset *access_find(const struct access *a, const char *name);

/**
 * access_refresh(a, changed, err):
 * Look for datasets, key sets and grants that came since, or that have ended.
 * Pointers to datasets stay valid until the close; new ones are added. One
 * whose last grant has ended is no longer listed, and may neither be read nor
 * written. *${changed}: whether any of this happened.
 * Cost: listing the key objects, when there is nothing new.
 */
NODISCARD int access_refresh(struct access *a, bool *changed, struct err *err);

/**
 * access_create_dataset(a, name, out, err):
 * A new dataset; admins only. Errors: ERR_USAGE a name that can't be, or that
 * is another's, or a folder of another's name (or under one); ERR_DENIED;
 * ERR_CORRUPT a key set seems to have been damaged or lost, and with it the
 * name of a dataset: it might be this one; ERR_LOCKED another admin is making
 * one of a clashing name at this moment.
 */
NODISCARD int access_create_dataset(struct access *a, const char *name,
    const struct dataset **out, struct err *err);

/**
 * access_key_set_lost(a, id, err):
 * 1: the dataset has objects, and no key set that an admin, who opens all,
 * could open them with. 0: it has none, or one that opens; or this is no admin.
 * Errors: ERR_BUG not all datasets were opened.
 */
NODISCARD int access_key_set_lost(
    const struct access *a, const uint8_t id[DATASET_ID_LEN], struct err *err);

/**
 * access_grant(a, subject, role, dataset, until, err):
 * Give a person or host a role (admins only), from now until ${until} (Unix
 * seconds, exclusive; INT64_MAX: no end). ${dataset} is this access's; NULL for
 * ROLE_ADMIN, and for ROLE_REPLICA of all datasets. A reader and a writer are
 * granted all epochs.
 * Errors: ERR_DENIED not an admin, or a key set that is damaged; ERR_USAGE an
 * end that has passed, or is sooner than that of a grant of the same role which
 * is there: no grant ends another; or a role without its dataset.
 */
NODISCARD int access_grant(struct access *a,
    const struct identity_public *subject, enum role role,
    const struct dataset *dataset, int64_t until, struct err *err);

/**
 * access_add_person(a, id, pass, err):
 * Store a person's sealed identity. It opens nothing before it is granted
 * something. Errors: ERR_USAGE a host, an empty passphrase, or a name that
 * another person has.
 */
NODISCARD int access_add_person(struct access *a, const struct identity *id,
    const char *pass, struct err *err);

/**
 * access_keyfile_read(path, out, err):
 * The identity in a key file, of a host or a site. Errors: ERR_NOT_FOUND;
 * ERR_DENIED, also when others may read it; ERR_CORRUPT; ERR_VERSION.
 */
NODISCARD int access_keyfile_read(
    const char *path, struct identity **out, struct err *err);

/**
 * access_write_keyfile(host, path, err):
 * Make the key file of a host or a site: readable by its owner alone, durable.
 * The store keeps nothing of a host but its grants, which carry its public
 * half.
 * Errors: ERR_USAGE there is a file already, or ${host} is a person;
 * ERR_DENIED; ERR_FULL; ERR_IO.
 */
NODISCARD int access_write_keyfile(
    const struct identity *host, const char *path, struct err *err);

/**
 * access_signer(a, id, dataset, when, out, err):
 * The public key of the identity ${id}, provided that it may append to the
 * dataset's log at ${when} (Unix seconds): an admin then, or granted as writer.
 * Errors: ERR_AUTH it may not.
 */
NODISCARD int access_signer(const struct access *a,
    const uint8_t id[IDENTITY_ID_LEN], const uint8_t dataset[DATASET_ID_LEN],
    int64_t when, struct ed25519_public *out, struct err *err);

/**
 * access_admin_signer(a, id, when, out, err):
 * The same, provided that it is an admin at ${when}. Errors: ERR_AUTH it isn't.
 */
NODISCARD int access_admin_signer(const struct access *a,
    const uint8_t id[IDENTITY_ID_LEN], int64_t when, struct ed25519_public *out,
    struct err *err);

/**
 * access_defaults(a, out, err):
 * The default rules of the store's datasets to come. ERR_NOT_FOUND: none.
 */
NODISCARD int access_defaults(
    const struct access *a, struct defaults *out, struct err *err);
/**
 * access_set_defaults(a, rules, len, err):
 * From now on, these. Admins only: ERR_DENIED. Errors: those of store_put().
 */
NODISCARD int access_set_defaults(
    struct access *a, const uint8_t *rules, size_t len, struct err *err);

/**
 * access_settlement(a, dataset, out, object, err):
 * Which of two histories of the dataset counts, where an admin has said so; the
 * newest. Its object's name to ${object}, which may be NULL. ERR_NOT_FOUND:
 * nobody has.
 */
NODISCARD int access_settlement(const struct access *a,
    const uint8_t dataset[DATASET_ID_LEN], struct settlement *out,
    uint8_t *object, struct err *err);
/**
 * access_settle(a, what, err):
 * Say so: ${what}'s dataset, seq, prev and name. Admins only: ERR_DENIED. Errors:
 * those of store_put().
 */
NODISCARD int access_settle(
    struct access *a, const struct settlement *what, struct err *err);

/** access_now(a): Unix seconds, by the clock that grants are held against. */
int64_t access_now(const struct access *a);

/**
 * access_signer_name(a, id):
 * The name of an identity, or NULL. Valid until a refresh.
 */
const char *access_signer_name(
    const struct access *a, const uint8_t id[IDENTITY_ID_LEN]);

/*
 * Called for a key object that was passed over; ${why} says what is wrong:
 * ERR_CORRUPT, ERR_VERSION, ERR_AUTH not signed by who may; ERR_IO, ERR_DENIED
 * it could not be read. Where the recovery object is missing, ${ref}'s name is
 * zero and ${why} ERR_NOT_FOUND; where there are several, it is called for
 * each. A return other than 0 ends the visit with it.
 */
typedef int access_damage_fn(void *arg, const struct object_ref *ref,
    const struct err *why, struct err *err);

/**
 * access_visit_damage(a, visit, arg, err):
 * All key objects that were passed over, as of the last refresh, and what is
 * wrong with the recovery object as far as shows without its key. Without the
 * master key, the content of key sets is not checked; nor is that of others,
 * where only some datasets were opened.
 * Cost: one signature check for each grant that was not needed so far.
 */
NODISCARD int access_visit_damage(const struct access *a,
    access_damage_fn *visit, void *arg, struct err *err);

#endif
