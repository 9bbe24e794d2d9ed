#ifndef SNAPSHOT_ACCESS_ACCESS_INTERNAL_H
#define SNAPSHOT_ACCESS_ACCESS_INTERNAL_H

/*
 * Private to this folder and its tests.
 *
 *	access_open.c     proves who opens the store
 *	access_person.c   finds a person by name; the passphrase
 *	access_keyfile.c  a key file
 *	access_keys.c     reads key objects, and keeps those at hand
 *	access_kinds.c    finds out what each one is
 *	access_trust.c    who is an admin, and which grants count
 *	access_damage.c   what counts for nothing, and why
 *	access_dataset.c  opens key sets and grants into keyrings
 *	access_names.c    the names under which datasets show
 *	access_wanted.c   which datasets to open, where not all are asked for
 *	access_create.c   new datasets, grants and persons
 *	defaults.c        the default rules of new datasets
 *	peer.c            who speaks from another machine
 *	peer_take.c       key objects that come from there
 *	settlement.c      which of two histories counts
 *	site.c            sites' statements and the location policy
 *	site_make.c       new ones
 *	access.c          the rest: looking, refreshing, closing
 */
#include "snapshot/access/access.h"
#include "snapshot/access/site.h"

#include <stdatomic.h>

/* Where the time comes from: the one seam to the clock. */
struct access_clock {
	int64_t (*now)(void *arg); /* Unix seconds */
	void *arg;
};

/** access_open_clock(), access_init_clock(): As those without, by ${clock}. */
NODISCARD int access_init_clock(const char *address, const char *name,
    const char *pass, const struct access_clock *clock, struct access **out,
    struct recovery **recovery, struct err *err);
NODISCARD int access_open_clock(const char *address,
    const struct credential *cred, const struct access_clock *clock,
    struct access **out, struct err *err);
/** access_open_datasets_clock(): access_open_datasets() by ${clock}. */
NODISCARD int access_open_datasets_clock(const char *address,
    const struct credential *cred, const char *const *names, size_t n,
    const struct access_clock *clock, struct access **out, struct err *err);
/**
 * access_open_store(store, cred, clock, out, err):
 * The same of a store that is open already, and taken over, also when it fails.
 */
NODISCARD int access_open_store(struct store *store,
    const struct credential *cred, const struct access_clock *clock,
    struct access **out, struct err *err);

enum key_kind {
	KEY_NONE, /* passed over: see problem; or of a kind yet unknown */
	KEY_PERSON,
	KEY_RECOVERY,
	KEY_SET,
	KEY_GRANT,
	KEY_STATEMENT,
	KEY_POLICY,
	KEY_DEFAULTS,
	KEY_SETTLEMENT,
};

/*
 * Whether the keys in a key set or grant, or in another of its dataset, call the
 * dataset by a name that is wanted.
 */
enum claim { CLAIM_UNKNOWN, CLAIM_WANTED, CLAIM_OTHER };

/* One key object of the store, read and parsed. */
struct key_object {
	uint8_t name[OBJECT_NAME_LEN];
	enum key_kind kind;
	uint8_t *buf; /* sealed, as stored */
	size_t len;
	union {
		struct identity_public person;
		struct keyset_head set;
		struct grant grant;
		struct statement statement;
		struct policy policy;
		struct defaults defaults;
		struct settlement settlement;
	};
	atomic_bool trusted; /* it was found to count: a cache */
	bool opened;         /* its keys are in a keyring */
	enum claim claim;
	struct err *problem; /* why it is passed over, or NULL */
};

/* An identity that is an admin for a time; points into the root or a grant. */
struct admin {
	const struct identity_public *pub;
	int64_t from, until;
};

/* A dataset of which this key has, or had, some keys. */
struct slot {
	struct dataset ds; /* ds.name: shown, or NULL before that */
	char real[DATASET_NAME_MAX + 1];   /* as in its newest key set */
	char shown[DATASET_NAME_MAX + 10]; /* '~' and 8 digits longer */
	bool readable, writable;           /* what the update finds */
	bool grown;                        /* keys came in this update */
};

struct access {
	struct store *store;
	struct root root;
	struct access_clock clock;
	struct identity *identity; /* NULL: recovery key, or keyless */
	struct master *master;     /* admins only */
	bool recovered;            /* opened by the recovery key */
	struct key_object **keys;  /* ascending by name */
	size_t nkeys;
	struct admin *admins;
	size_t nadmins;
	bool stale;          /* keys came or went since the admins were found */
	struct slot **slots; /* all */
	size_t nslots;
	struct slot **listed; /* those to see, sorted by name */
	size_t nlisted;
	char **wanted; /* names of the datasets to open; none: all */
	size_t nwanted;
};

/** access_valid(g, when): Whether ${g} has begun and not ended. */
bool access_valid(const struct grant *g, int64_t when);

/* --- access_kinds.c ----------------------------------------------------- */

/* The largest key object that there can be. */
#define KEY_OBJECT_MAX GRANT_OBJECT_MAX

/**
 * access_kinds_parse(a, o, err):
 * Find out what ${o}, whose bytes are at hand, is: its kind, and what stands in
 * the clear. One of a kind that this program does not know is left as it is.
 * Errors: ERR_CORRUPT; ERR_VERSION; ERR_AUTH of another store.
 */
NODISCARD int access_kinds_parse(
    const struct access *a, struct key_object *o, struct err *err);

/* --- access_keys.c ------------------------------------------------------ */

/**
 * access_keys_load(a, changed, err):
 * Bring a->keys up to date with the store. Only objects that are new are read.
 */
NODISCARD int access_keys_load(
    struct access *a, bool *changed, struct err *err);
void access_keys_free(struct access *a);
/**
 * access_keys_add(a, buf, len, out, err):
 * Take a key object's bytes, which are not in the store, among those at hand.
 * *${out}: the object, or NULL when it was there already. Who is an admin has
 * to be found anew then.
 */
NODISCARD int access_keys_add(struct access *a, const uint8_t *buf, size_t len,
    struct key_object **out, struct err *err);
/** access_keys_remove(a, o): The same for taking one out again; frees it. */
void access_keys_remove(struct access *a, struct key_object *o);
/**
 * access_keys_pass_over(o, why, err):
 * ${why} went wrong with ${o}: note it, and use ${o} no more. When it is not
 * the object's fault (ERR_NOMEM, ERR_BUG) fail with it.
 */
NODISCARD int access_keys_pass_over(
    struct key_object *o, const struct err *why, struct err *err);
/**
 * access_keys_hint(a, code, err):
 * Something was not found: when there are objects that could not be used, add
 * that to the text, for it may be in one of those. Returns ${code}.
 */
int access_keys_hint(const struct access *a, int code, struct err *err);

/* --- access_trust.c ----------------------------------------------------- */

/** access_trust_admins(a, err): Find out who is an admin, and when. */
NODISCARD int access_trust_admins(struct access *a, struct err *err);
/** access_trust_admin(a, id, when): NULL unless an admin at ${when}. */
const struct identity_public *access_trust_admin(
    const struct access *a, const uint8_t id[IDENTITY_ID_LEN], int64_t when);
/**
 * access_trust_grant(a, o, err):
 * Whether a grant counts: its issuer was an admin when it began, or the master
 * key, and signed it. Says nothing of whether it has ended.
 * Errors: ERR_AUTH it does not; ERR_NOMEM, ERR_BUG.
 */
NODISCARD int access_trust_grant(
    const struct access *a, struct key_object *o, struct err *err);
/**
 * access_trust_counts(a, o, counts, err):
 * The same, put as a question: a grant that does not count is no error.
 * Errors: ERR_NOMEM, ERR_BUG.
 */
NODISCARD int access_trust_counts(const struct access *a, struct key_object *o,
    bool *counts, struct err *err);
/**
 * access_trust_location(a, o, err):
 * Whether a statement, a policy, default rules or a settlement counts: its
 * issuer was an admin when it began, or the master key, and signed it. Errors: as
 * access_trust_grant().
 */
NODISCARD int access_trust_location(
    const struct access *a, struct key_object *o, struct err *err);
/* Whether an object is one of those that are meant. */
typedef bool access_fits_fn(const struct key_object *o, const void *arg);

/** access_trust_from(o): When a statement, policy, ... begins. */
int64_t access_trust_from(const struct key_object *o);
/**
 * access_trust_newer(a, b):
 * Of two of one kind: by when they begin; of one second, the statement that
 * takes away, and then the greater object name: all who have both agree.
 */
bool access_trust_newer(const struct key_object *a, const struct key_object *b);
/**
 * access_trust_newest(a, kind, fits, arg, out, err):
 * The newest statement, location policy, default rules or settlement that
 * counts, of those that fit (${fits} NULL: all do); *${out} is NULL when there is
 * none.
 * Errors: ERR_NOMEM, ERR_BUG.
 */
NODISCARD int access_trust_newest(const struct access *a, enum key_kind kind,
    access_fits_fn *fits, const void *arg, const struct key_object **out,
    struct err *err);
/**
 * access_trust_key_set(a, o, signer, err):
 * *${signer}: the key that must have signed the key set; NULL the master key.
 * Errors: ERR_AUTH its signer never was an admin.
 */
NODISCARD int access_trust_key_set(const struct access *a,
    const struct key_object *o, const struct ed25519_public **signer,
    struct err *err);

/* --- dated.c ------------------------------------------------------------ */

/* What an admin makes a new one of, of which only the newest counts. */
struct dated {
	enum key_kind kind;
	access_fits_fn *fits; /* as for access_trust_newest() */
	const void *arg;
	const char *what; /* as messages name it: "the location policy" */
};

/**
 * dated_begin(a, d, from, err):
 * When a new one is to begin: now, but after the one that it replaces.
 * Errors: ERR_DENIED that one is dated more than a day ahead of the clock.
 */
NODISCARD int dated_begin(const struct access *a, const struct dated *d,
    int64_t *from, struct err *err);
/**
 * dated_store(a, d, w, err):
 * Store the new one, and look whether it is the one that counts then.
 * Errors: ERR_LOCKED another one does.
 */
NODISCARD int dated_store(struct access *a, const struct dated *d,
    const struct wr *w, struct err *err);
/**
 * dated_check(a, o, err):
 * Of one that another site offers. ERR_DENIED: dated more than a day ahead.
 */
NODISCARD int dated_check(
    const struct access *a, const struct key_object *o, struct err *err);

/* --- access_create.c ---------------------------------------------------- */

/**
 * access_check_admin(a, what, err):
 * ERR_DENIED: only an admin can ${what}, and not in a replica.
 */
NODISCARD int access_check_admin(
    const struct access *a, const char *what, struct err *err);

/* --- access_dataset.c, access_names.c, access_wanted.c ------------------ */

/**
 * access_opens(a, o, now):
 * Whether ${o} is a key set or a grant that may have keys for this key in it.
 */
bool access_opens(
    const struct access *a, const struct key_object *o, int64_t now);

/**
 * access_dataset_update(a, changed, err):
 * Open what this key may open now, and list the datasets.
 */
NODISCARD int access_dataset_update(
    struct access *a, bool *changed, struct err *err);
/** access_dataset_known(a, id): Whether a key set of it has been opened. */
bool access_dataset_known(
    const struct access *a, const uint8_t id[DATASET_ID_LEN]);
/** access_dataset_forget(a, id): One that nobody has a pointer to. */
void access_dataset_forget(struct access *a, const uint8_t id[DATASET_ID_LEN]);
void access_dataset_free(struct access *a);

/** access_names_show(a): Name the slots that are listed for the first time. */
void access_names_show(struct access *a);
/** access_names_is_or_holds(a, b): Equal, or ${a} a folder of ${b}. */
bool access_names_is_or_holds(const char *a, const char *b);
/** access_names_clash(a, b): Equal, or one a folder of the other. */
bool access_names_clash(const char *a, const char *b);

/** access_wanted_set(a, names, n, err): From now on, open only these. */
NODISCARD int access_wanted_set(
    struct access *a, const char *const *names, size_t n, struct err *err);
/** access_wanted_all(a): From now on, open all. */
void access_wanted_all(struct access *a);
/** access_wanted_find(a, now, err): Look at what came since. */
NODISCARD int access_wanted_find(
    struct access *a, int64_t now, struct err *err);
/** access_wanted(a, o): Whether ${o}'s dataset is to be opened. */
bool access_wanted(const struct access *a, const struct key_object *o);
/** access_wanted_missing(a): Whether one that is wanted isn't listed. */
bool access_wanted_missing(const struct access *a);

/* --- access_person.c, access_keyfile.c ---------------------------------- */

/** access_person_unlock(a, cred, out, err): Errors: those of access_open(). */
NODISCARD int access_person_unlock(struct access *a,
    const struct credential *cred, struct identity **out, struct err *err);

#define ID_TEXT (2 * IDENTITY_ID_LEN + 1)
/** access_id_text(id, out): In lower-case hexadecimal. */
void access_id_text(const uint8_t id[IDENTITY_ID_LEN], char out[ID_TEXT]);

#endif
