#ifndef SNAPSHOT_STORE_DIRSTORE_H
#define SNAPSHOT_STORE_DIRSTORE_H

/*
 * The directory kind of store: FORMAT.md section 2. Private to this folder,
 * and to tests that put their own system calls in.
 *
 *	dirstore.c        opening, closing, what errno means in a store
 *	dirstore_create.c making a new one
 *	dirstore_read.c   reading objects
 *	dirstore_list.c   listing them
 *	dirstore_mark.c   whether a log has grown
 *	dirstore_draft.c  writing and removing objects
 *	dirstore_aside.c  moving objects out of the way
 *	dirstore_batch.c  making many of them durable together
 *	dirstore_dirs.c   making directories that last
 *	dirstore_replica.c the mark of a replica
 *	dirstore_lock.c   a dataset's locks
 *	dirstore_sweep.c  the leftovers of the dead
 */
#include "snapshot/store/store_ops.h"
#include "snapshot/store/sysio.h"

#include <pthread.h>

#define OBJECT_MODE 0444
#define DIR_MODE 0777
#define DRAFT_ID_LEN 16 /* its name in tmp/, in hex */

struct fdcache;

struct dirstore {
	struct store base;
	const struct sysio *io;
	int root; /* the store's directory; all paths are relative to it */
	struct fdcache *files;
	pthread_mutex_t mu;
	struct dirstore_dirs {
		void *tree; /* tsearch() of paths */
		unsigned count;
	} durable;   /* guarded by mu; directories known to outlast a crash */
	void *marks; /* guarded by mu; tsearch() of struct mark */
};

/** dirstore_open(): store_open() with the given system calls. */
NODISCARD int dirstore_open(const char *address, const struct sysio *io,
    struct store **out, struct err *err);

/** dirstore_create(): store_create() with the given system calls. */
NODISCARD int dirstore_create(const char *address, const void *root, size_t len,
    const struct sysio *io, struct store **out, struct err *err);

/** dirstore_prepare_replica(), dirstore_finish_replica(): likewise. */
NODISCARD int dirstore_prepare_replica(const char *address, const char *site,
    const struct sysio *io, struct err *err);
NODISCARD int dirstore_finish_replica(const char *address, const void *root,
    size_t len, const struct sysio *io, struct store **out, struct err *err);

/* --- for this folder only ---------------------------------------------- */

/**
 * dirstore_attach(address, io, out, err):
 * A store on the directory ${address}, whether or not it is one yet.
 * Errors: as store_open(), but ERR_CORRUPT only for what is no directory.
 */
NODISCARD int dirstore_attach(const char *address, const struct sysio *io,
    struct store **out, struct err *err);

/** dirstore_of(s): The directory store that ${s} is. */
static inline struct dirstore *
dirstore_of(struct store *s)
{
	return (struct dirstore *)s;
}

/**
 * dirstore_fail(d, err, verb, path):
 * "cannot ${verb} 'STORE/${path}': strerror" of the system call that failed.
 * As err_errno(), but something of the wrong type is damage: ERR_CORRUPT.
 */
int dirstore_fail(const struct dirstore *d, struct err *err, const char *verb,
    const char *path);

/** dirstore_not_file(d, err, path): ERR_CORRUPT, ${path} being of that type. */
int dirstore_not_file(
    const struct dirstore *d, struct err *err, const char *path);

/**
 * dirstore_make_dir(d, path, err):
 * Make the directory ${path} and its parents where they are missing, and
 * durable in any case: whoever made them may have died before that.
 * Cost: nothing once this store has seen ${path}.
 */
NODISCARD int dirstore_make_dir(
    struct dirstore *d, const char *path, struct err *err);

/** dirstore_forget_dirs(d): Look again: something has removed a directory. */
void dirstore_forget_dirs(struct dirstore *d);

/** dirstore_sync_dir(d, path, err): Make the names in ${path} durable. */
NODISCARD int dirstore_sync_dir(
    const struct dirstore *d, const char *path, struct err *err);

struct dirent;
typedef int dirstore_entry_fn(
    void *arg, int dir, const struct dirent *e, struct err *err);

/**
 * dirstore_each(d, path, fn, arg, err):
 * ${fn} for each entry of the directory ${path} but '.' and '..', in no order;
 * its first return other than 0 ends it and is returned. None when the
 * directory is missing.
 */
NODISCARD int dirstore_each(const struct dirstore *d, const char *path,
    dirstore_entry_fn *fn, void *arg, struct err *err);

/** dirstore_sweep(d): Remove from tmp/ what dead writers left there. */
void dirstore_sweep(struct dirstore *d);

/** dirstore_free_marks(d): What log_mark remembers. */
void dirstore_free_marks(struct dirstore *d);

int dirstore_get(struct store *s, const struct object_ref *ref, size_t max,
    uint8_t **buf, size_t *len, struct err *err);
void dirstore_will_read(struct store *s, const struct object_ref *ref);
int dirstore_read_at(struct store *s, const struct object_ref *ref,
    uint64_t off, void *buf, size_t len, struct err *err);
int dirstore_size(struct store *s, const struct object_ref *ref, uint64_t *size,
    struct err *err);
int dirstore_time(struct store *s, const struct object_ref *ref, int64_t *when,
    struct err *err);
int dirstore_list(struct store *s, enum object_class cls,
    const uint8_t dataset[STORE_DATASET_LEN], store_visit_fn *visit, void *arg,
    struct err *err);
int dirstore_list_datasets(
    struct store *s, store_visit_fn *visit, void *arg, struct err *err);
int dirstore_log_mark(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    uint64_t *mark, struct err *err);
int dirstore_replica(
    struct store *s, bool *replica, char site[STORE_SITE_MAX], struct err *err);
int dirstore_set_replica(struct store *s, const char *site, struct err *err);
int dirstore_left(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    bool *left, struct err *err);
int dirstore_set_left(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    bool left, struct err *err);
int dirstore_draft_new(
    struct store *s, struct store_draft **out, struct err *err);
int dirstore_draft_write(
    struct store_draft *draft, const void *buf, size_t len, struct err *err);
int dirstore_draft_commit(
    struct store_draft *draft, const struct object_ref *ref, struct err *err);
void dirstore_draft_free(struct store_draft *draft);
/** dirstore_draft_sync(): The first half of a commit: its bytes are durable. */
NODISCARD int dirstore_draft_sync(
    const struct store_draft *draft, struct err *err);
/** dirstore_draft_name(): The second, but for syncing the name's directory. */
NODISCARD int dirstore_draft_name(
    struct store_draft *draft, const struct object_ref *ref, struct err *err);
int dirstore_sync(struct store *s, struct err *err);
int dirstore_drafts_commit(struct store *s, struct store_draft *const *drafts,
    const struct object_ref *refs, size_t n, struct err *err);
int dirstore_remove(
    struct store *s, const struct object_ref *ref, struct err *err);
int dirstore_set_aside(struct store *s, const struct object_ref *ref,
    const char *aside, struct err *err);
int dirstore_lock(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    enum store_lock_kind kind, struct store_lock **out, struct err *err);
int dirstore_lock_note(
    struct store_lock *lock, const void *buf, size_t len, struct err *err);
int dirstore_lock_look(struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], enum store_lock_kind kind,
    struct store_lock_state *out, struct err *err);
void dirstore_unlock(struct store_lock *lock);

#endif
