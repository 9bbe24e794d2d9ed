#ifndef SNAPSHOT_STATE_STATE_H
#define SNAPSHOT_STATE_STATE_H

/*
 * What this machine knows, in SQLite (KEYS.md 'What lies on this machine'):
 * the heads it has seen, and for each dataset it backs up, the last seen state
 * of the files and the packs of an unfinished run. Everything but the heads can
 * be rebuilt. No file name and no content is ever in the clear: rows are keyed
 * by keyed hashes and sealed in boxes.
 *
 * Lies in $XDG_STATE_HOME/varve, else /var/lib/varve for root, else
 * ~/.local/state/varve; directories are 0700, files 0600.
 */
#include "crypto/hash.h"
#include "crypto/keyring.h"
#include "crypto/root.h"
#include "snapshot/store/store.h"

#define STATE_PATH_MAX 4096
/** state_default_dir(out, err): Where it lies; ERR_USAGE without a home. */
NODISCARD int state_default_dir(char out[STATE_PATH_MAX], struct err *err);

/* --- remembered heads: one file for all stores. Thread: safe ----------- */

struct heads;

/**
 * heads_open(dir, root, address, out, err):
 * Open or make ${dir}/heads.db for the store ${root}, and remember its
 * fingerprint the first time: by its id, and by ${address}, which is where it
 * stands in a form that is always the same (a directory's real path).
 * Errors: ERR_AUTH the store's id, or its address, is known under another
 * fingerprint: it is not the store it was (nothing is remembered, and the text
 * says what to do); ERR_CORRUPT the file is damaged (it is left as it is; the
 * text says what to do); ERR_VERSION; ERR_DENIED; ERR_FULL; ERR_IO.
 */
NODISCARD int heads_open(const char *dir, const struct root *root,
    const char *address, struct heads **out, struct err *err);
/**
 * heads_compare(dir, root, address, err):
 * Only whether ${root} is what is known, if anything is: nothing is written.
 * Errors: those of heads_open().
 */
NODISCARD int heads_compare(const char *dir, const struct root *root,
    const char *address, struct err *err);
/**
 * heads_accept(dir, root, address, err):
 * Somebody has compared ${root}'s fingerprint: remember it in place of what was
 * known. Errors: those of heads_open(), but not ERR_AUTH.
 */
NODISCARD int heads_accept(const char *dir, const struct root *root,
    const char *address, struct err *err);
void heads_close(struct heads *h);
DEFINE_AUTO(heads, heads_close)

/* Which settlement (KEYS.md section 15): a newer one is greater. */
struct settled_mark {
	int64_t from; /* 0: none */
	uint8_t object[OBJECT_NAME_LEN];
};

/* What this machine saw last of a log. */
struct head_seen {
	uint64_t seq; /* of the newest record */
	uint8_t name[OBJECT_NAME_LEN];
	uint64_t changes; /* of the primary (FORMAT.md section 9, type 6) */
	int64_t latest;   /* no snapshot's time is after: Unix milliseconds */
	uint64_t
	    next_ino; /* inode number for the next snapshot; 0: not known */
	struct settled_mark settled; /* the newest that counted */
};

/** heads_get(): ERR_NOT_FOUND when none is remembered; ERR_CORRUPT, ERR_IO. */
NODISCARD int heads_get(struct heads *h, const uint8_t dataset[DATASET_ID_LEN],
    struct head_seen *out, struct err *err);
/**
 * heads_set(): Only ever forward: one of a lower seq is ignored, but when it
 * has more changes, or a newer settlement. Durable.
 */
NODISCARD int heads_set(struct heads *h, const uint8_t dataset[DATASET_ID_LEN],
    const struct head_seen *head, struct err *err);
/**
 * heads_forget(): All of a log was moved aside on purpose: remember no head of
 * it. Durable.
 */
NODISCARD int heads_forget(
    struct heads *h, const uint8_t dataset[DATASET_ID_LEN], struct err *err);

/* --- a dataset's files and unfinished run: one file a dataset ---------- */

struct state;

/**
 * state_open(dir, store, ks, out, err):
 * Open or make the dataset's state. A damaged one is set aside (renamed to
 * *.damaged-TIME) and made anew, for it can be rebuilt; so is one in which
 * damage was met, when it is closed. Whoever meets ERR_CORRUPT below may go on
 * as if nothing had been there.
 * Errors: ERR_LOCKED another run has it open; ERR_VERSION made by a newer
 * version; ERR_DENIED; ERR_FULL; ERR_IO.
 * Thread: belongs to one thread, but state_pending_add(), state_dir_key() and
 * state_dir_get() are safe.
 * Cost: a directory is put or looked up in about 15 us.
 */
NODISCARD int state_open(const char *dir, const uint8_t store[STORE_ID_LEN],
    const struct keyset *ks, struct state **out, struct err *err);
void state_close(struct state *s);
DEFINE_AUTO(state, state_close)

/* What a state describes. */
struct state_base {
	uint8_t id[OBJECT_NAME_LEN]; /* the snapshot */
	uint8_t source[HASH_LEN];    /* a hash of what it was taken from */
	/* The newest prune record before it; 0: there was none. */
	uint64_t prune;
	uint8_t prune_name[OBJECT_NAME_LEN];
};

/** state_snapshot(s, out, err): ERR_NOT_FOUND none yet; ERR_CORRUPT. */
NODISCARD int state_snapshot(
    struct state *s, struct state_base *out, struct err *err);

/*
 * The last seen state of a directory: pages of bytes that only backup/ knows,
 * in order of page number. The key is derived from the directory's path.
 */
/** state_dir_key(s, path, len, key, err): HMAC of the path. */
NODISCARD int state_dir_key(struct state *s, const void *path, size_t len,
    uint8_t key[HASH_LEN], struct err *err);
/** state_dir_get(): The page, opened, appended to ${w}; ERR_NOT_FOUND;
 * ERR_CORRUPT. Between state_begin() and state_publish() still the old one. */
NODISCARD int state_dir_get(struct state *s, const uint8_t key[HASH_LEN],
    uint32_t page, struct wr *w, struct err *err);

/*
 * A new generation is written beside the one that is read, and takes its place
 * only when the snapshot has been published: state_begin(), any number of
 * state_dir_put() and state_dir_keep(), state_publish(); or state_rollback().
 * A process that dies leaves the old generation whole, and its pending packs.
 * After a failed put or keep the new one can't be published.
 */
NODISCARD int state_begin(struct state *s, struct err *err);
NODISCARD int state_dir_put(struct state *s, const uint8_t key[HASH_LEN],
    uint32_t page, const void *buf, size_t len, struct err *err);
/**
 * state_dir_keep(): All pages of the directory are as they were. Of one that
 * is also put, in either order, what was put counts.
 */
NODISCARD int state_dir_keep(
    struct state *s, const uint8_t key[HASH_LEN], struct err *err);
/**
 * state_publish(): Drops the directories neither put nor kept, and the pending
 * packs, in one step. ${base} as state_snapshot() will give it. Durable.
 */
NODISCARD int state_publish(
    struct state *s, const struct state_base *base, struct err *err);
void state_rollback(struct state *s);

/*
 * The packs of a run that has not published yet: outlive a rollback, and a
 * kill. state_pending_each() visits them in the order in which they were added;
 * the visitor may add others. A power failure may lose the latest, and may
 * bring those of a run back that published just before it: whether a pack is
 * still in the store is for the visitor to ask.
 */
NODISCARD int state_pending_add(struct state *s,
    const uint8_t pack[OBJECT_NAME_LEN], const uint8_t *index, size_t len,
    struct err *err);
typedef int state_pending_fn(
    void *arg, const uint8_t *index, size_t len, struct err *err);
NODISCARD int state_pending_each(
    struct state *s, state_pending_fn *visit, void *arg, struct err *err);

#endif
