#ifndef SNAPSHOT_STORE_STORE_H
#define SNAPSHOT_STORE_STORE_H

/*
 * A store holds immutable objects by name, and knows nothing of what is in
 * them. This is the seam behind which a directory stands today and other
 * kinds of store may stand later: store_open() picks the kind by the address.
 *
 * An object's name is the SHA-256 of its bytes (FORMAT.md section 2).
 * Thread: every function is safe to call from several threads at once.
 */
#include "crypto/err.h"

#include <stdbool.h>
#include <stdint.h>

#define OBJECT_NAME_LEN 32
#define STORE_DATASET_LEN 16

enum object_class {
	OBJECT_ROOT,  /* the one root object; no dataset, no name */
	OBJECT_KEY,   /* identities, recovery, key sets, grants; no dataset */
	OBJECT_LOG,   /* log records; dataset, seq and name */
	OBJECT_INDEX, /* dataset and name */
	OBJECT_PACK,  /* dataset and name */
};

struct object_ref {
	enum object_class cls;
	uint8_t dataset[STORE_DATASET_LEN];
	uint64_t seq; /* OBJECT_LOG only, else 0 */
	uint8_t name[OBJECT_NAME_LEN];
};

#define OBJECT_REF_TEXT 192
/** object_ref_text(): The object as messages name it: its path in a store. */
void object_ref_text(const struct object_ref *ref, char out[OBJECT_REF_TEXT]);

struct store;

/**
 * store_create(address, root, len, out, err):
 * Make a new, empty store whose root object is the ${len} bytes ${root}, and
 * open it. The address is a directory, missing or empty.
 * Whatever a failure, or a crash, leaves of it is no store and in nobody's way.
 * Errors: ERR_USAGE something is there already; ERR_NOT_FOUND its parent isn't;
 * ERR_LOCKED another process is making it; ERR_DENIED; ERR_FULL; ERR_IO.
 */
NODISCARD int store_create(const char *address, const void *root, size_t len,
    struct store **out, struct err *err);

/**
 * store_open(address, out, err):
 * Open an existing store. Nothing is written, so a read-only medium will do.
 * Errors: ERR_NOT_FOUND nothing there; ERR_CORRUPT something, but not a store;
 * ERR_DENIED; ERR_IO.
 */
NODISCARD int store_open(
    const char *address, struct store **out, struct err *err);
void store_close(struct store *s);
DEFINE_AUTO(store, store_close)

/*
 * A replica is a store that another one, the primary, is sent to: nobody but
 * who receives adds to it. A file in it marks it as one; 'varve promote' and
 * 'varve demote' take the mark away and set it.
 */
#define STORE_SITE_MAX 64 /* the name of the site that it stands at, and NUL */

/**
 * store_prepare_replica(address, site, err):
 * Make all of an empty replica but its root object, which makes it a store:
 * store_finish_replica(). To do it again is fine.
 * Errors: those of store_create().
 */
NODISCARD int store_prepare_replica(
    const char *address, const char *site, struct err *err);
/**
 * store_finish_replica(address, root, len, out, err):
 * Give a prepared replica its root object, and open it.
 * Errors: those of store_create(); ERR_USAGE it was not prepared.
 */
NODISCARD int store_finish_replica(const char *address, const void *root,
    size_t len, struct store **out, struct err *err);

/**
 * store_replica(s, replica, site, err):
 * Whether the store is a replica now, and at which site. Cost: one open().
 * Errors: ERR_DENIED the mark can't be read, ERR_IO: then take it for one.
 */
NODISCARD int store_replica(
    struct store *s, bool *replica, char site[STORE_SITE_MAX], struct err *err);
/**
 * store_check_primary(s, err):
 * ERR_DENIED when it is a replica; the text says what to do instead.
 */
NODISCARD int store_check_primary(struct store *s, struct err *err);
/**
 * store_set_replica(s, site, err):
 * Make it a replica that stands at ${site}, or with NULL a primary. Durable.
 * Errors: ERR_DENIED; ERR_FULL; ERR_IO.
 */
NODISCARD int store_set_replica(
    struct store *s, const char *site, struct err *err);

/*
 * A promotion leaves a dataset whose log is not whole to the store that was the
 * primary: in this one nobody adds to it, and nothing is received, until it is
 * taken over, too. A file in the store marks it.
 */
/**
 * store_left(s, dataset, left, err):
 * Whether a dataset was left. Cost: a look at one name. Errors: ERR_DENIED it
 * can't be told, ERR_IO: then take it for one that was.
 */
NODISCARD int store_left(struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], bool *left, struct err *err);
/**
 * store_set_left(s, dataset, left, err):
 * Leave it, or don't any more. Durable; to do it again is fine.
 * Errors: ERR_DENIED; ERR_FULL; ERR_IO.
 */
NODISCARD int store_set_left(struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], bool left, struct err *err);

/** store_address(s): As messages print it; the store's for its lifetime. */
const char *store_address(const struct store *s);

/** store_path(s): The local directory it stands in, or NULL for a remote one. */
const char *store_path(const struct store *s);

/* --- reading ----------------------------------------------------------- */

/**
 * store_get(s, ref, max, buf, len, err):
 * A whole object; its SHA-256 is checked against the name (not of OBJECT_ROOT,
 * which has none). *${buf} is the caller's (free).
 * Errors: ERR_NOT_FOUND; ERR_CORRUPT not what its name says, or over ${max}
 * bytes; ERR_DENIED; ERR_IO.
 */
NODISCARD int store_get(struct store *s, const struct object_ref *ref,
    size_t max, uint8_t **buf, size_t *len, struct err *err);

/**
 * store_read_at(s, ref, off, buf, len, err):
 * Exactly ${len} bytes from ${off}. Nothing is checked: the caller
 * authenticates. Errors: ERR_NOT_FOUND; ERR_CORRUPT the object ends before.
 * Cost: one pread; recently used objects are kept open.
 */
NODISCARD int store_read_at(struct store *s, const struct object_ref *ref,
    uint64_t off, void *buf, size_t len, struct err *err);

/**
 * store_will_read(s, ref):
 * Much of the object will be read soon, here and there: have all of it at hand,
 * where that costs no memory that is wanted for anything else. A hint: what
 * can't be done is left. Takes as long as reading it: not for who is waited for.
 */
void store_will_read(struct store *s, const struct object_ref *ref);

/** store_size(s, ref, size, err): ERR_NOT_FOUND when it isn't there. */
NODISCARD int store_size(struct store *s, const struct object_ref *ref,
    uint64_t *size, struct err *err);

/** store_time(s, ref, when, err): When it was stored, in Unix seconds. */
NODISCARD int store_time(struct store *s, const struct object_ref *ref,
    int64_t *when, struct err *err);

/* Called for each object; a return other than 0 ends the listing with it. */
typedef int store_visit_fn(
    void *arg, const struct object_ref *ref, uint64_t size, struct err *err);

/**
 * store_list(s, cls, dataset, visit, arg, err):
 * All objects of a class (of one dataset where the class has datasets), in no
 * order but OBJECT_LOG's, which is by seq. What hasn't an object's name is passed
 * over; what has one and is no file is shown, with size 0: to read it is
 * ERR_CORRUPT. ${size} is 0 when listing OBJECT_LOG and OBJECT_KEY.
 */
NODISCARD int store_list(struct store *s, enum object_class cls,
    const uint8_t dataset[STORE_DATASET_LEN], store_visit_fn *visit, void *arg,
    struct err *err);

/**
 * store_list_datasets(s, visit, arg, err):
 * ${ref}->dataset is each one's id. One that is no directory is shown, too.
 */
NODISCARD int store_list_datasets(
    struct store *s, store_visit_fn *visit, void *arg, struct err *err);

/**
 * store_log_mark(s, dataset, mark, err):
 * A number that changes whenever the dataset's log may have grown: cheap enough
 * to ask for every second: one stat(), but for the 3 s after a change, when
 * the records are counted as well (3 ms for 6,480). It may change without a
 * new record. 0 when there is no log yet.
 */
NODISCARD int store_log_mark(struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], uint64_t *mark, struct err *err);

/* --- writing ----------------------------------------------------------- */

/**
 * store_put(s, ref, buf, len, err):
 * Store a whole object. ${ref}->name is computed here and filled in (class,
 * dataset and seq are the caller's; not OBJECT_ROOT). Durable when it returns.
 * Storing what is there already is fine; but when that has another length,
 * it was damaged: ERR_CORRUPT, and it stays as it is.
 * Errors: ERR_CORRUPT; ERR_FULL; ERR_DENIED the store is read-only; ERR_IO.
 */
NODISCARD int store_put(struct store *s, struct object_ref *ref,
    const void *buf, size_t len, struct err *err);

/*
 * An object written piece by piece. Until the commit nothing is visible; a
 * writer that is freed, or whose process dies, leaves nothing that counts.
 * Thread: a writer belongs to one thread at a time.
 */
struct store_writer;
NODISCARD int store_writer_new(struct store *s, enum object_class cls,
    const uint8_t dataset[STORE_DATASET_LEN], struct store_writer **out,
    struct err *err);
NODISCARD int store_writer_write(
    struct store_writer *w, const void *buf, size_t len, struct err *err);
/**
 * store_writer_commit(w, ref, err):
 * Durable and named; ${ref} receives it. Once; then only store_writer_free().
 */
NODISCARD int store_writer_commit(
    struct store_writer *w, struct object_ref *ref, struct err *err);
void store_writer_free(struct store_writer *w);
DEFINE_AUTO(store_writer, store_writer_free)

/**
 * store_remove(s, ref, err):
 * Durable when it returns, but for a pack, which a crash may bring back.
 * Errors: ERR_NOT_FOUND when it isn't there; ERR_DENIED; ERR_IO.
 */
NODISCARD int store_remove(
    struct store *s, const struct object_ref *ref, struct err *err);

/**
 * store_set_aside(s, ref, aside, err):
 * Move an object out of the way, to ${aside} (a path below the store, such as
 * 'aside/2026-11-22') and there to the path that it has here; what has that name
 * there already is replaced. Durable. Errors: as store_remove().
 */
NODISCARD int store_set_aside(struct store *s, const struct object_ref *ref,
    const char *aside, struct err *err);

/*
 * A dataset's locks. They are the kernel's, so each dies with its holder, and
 * each kind is held by one at a time, of all processes and of each.
 */
enum store_lock_kind {
	STORE_LOCK_APPEND, /* adds a record to the log: held for moments */
	STORE_LOCK_RUN,    /* makes a backup: from its start to its end */
	STORE_LOCK_PRUNE,  /* prunes: likewise */
};

struct store_lock;
/**
 * store_lock_dataset(s, dataset, kind, out, err):
 * STORE_LOCK_APPEND is waited for, 10 s at most; the others are not. Taking
 * those also clears up what dead writers left behind.
 * Errors: ERR_LOCKED somebody holds it, in this process or another; ERR_DENIED
 * the store is read-only, or a replica; ERR_CORRUPT the dataset was left when
 * the store was promoted, for its log was damaged.
 */
NODISCARD int store_lock_dataset(struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], enum store_lock_kind kind,
    struct store_lock **out, struct err *err);
/**
 * store_lock_replica(s, dataset, kind, out, err):
 * The same, for who receives: ERR_DENIED the store is no replica.
 */
NODISCARD int store_lock_replica(struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], enum store_lock_kind kind,
    struct store_lock **out, struct err *err);
/**
 * store_lock_promotion(s, dataset, out, err):
 * STORE_LOCK_APPEND, for who takes the dataset over: the store is a replica, or
 * the dataset was left. Else ERR_DENIED.
 */
NODISCARD int store_lock_promotion(struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], struct store_lock **out,
    struct err *err);
void store_unlock(struct store_lock *lock);
DEFINE_AUTO(store_lock, store_unlock)

#define STORE_NOTE_MAX 256
/**
 * store_lock_note(lock, buf, len, err):
 * Write, once, 1 to STORE_NOTE_MAX bytes that others can read while the lock is
 * held. They need not outlast it.
 */
NODISCARD int store_lock_note(
    struct store_lock *lock, const void *buf, size_t len, struct err *err);

/* What can be seen of a lock without taking it. */
struct store_lock_state {
	bool held;
	uint8_t note[STORE_NOTE_MAX];
	size_t len; /* 0: not held, or nothing written yet */
};
NODISCARD int store_lock_look(struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], enum store_lock_kind kind,
    struct store_lock_state *out, struct err *err);

#endif
