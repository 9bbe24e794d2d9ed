#ifndef SNAPSHOT_STORE_STORE_OPS_H
#define SNAPSHOT_STORE_STORE_OPS_H

/*
 * What a kind of store has to do. store_write.c names objects by their SHA-256,
 * and store.c checks them; a kind only keeps bytes under the names it is given.
 * Unless stated otherwise, a function does what the store_ function of its name
 * promises, its errors included.
 */
#include "snapshot/store/store.h"

struct store_ops;

/* Each of these is the head of the kind's own struct. */
struct store {
	const struct store_ops *ops;
	char *address; /* as the user wrote it */
	char *path;    /* absolute, or NULL when it isn't a local directory */
};

/* An object being written: not visible and, if left alone, to be forgotten. */
struct store_draft {
	struct store *store;
};

struct store_lock {
	struct store *store;
};

struct store_ops {
	void (*close)(struct store *s);

	/* The content is not checked against the name. */
	int (*get)(struct store *s, const struct object_ref *ref, size_t max,
	    uint8_t **buf, size_t *len, struct err *err);
	int (*read_at)(struct store *s, const struct object_ref *ref,
	    uint64_t off, void *buf, size_t len, struct err *err);
	void (*will_read)(struct store *s, const struct object_ref *ref);
	int (*size)(struct store *s, const struct object_ref *ref,
	    uint64_t *size, struct err *err);
	int (*time)(struct store *s, const struct object_ref *ref,
	    int64_t *when, struct err *err);
	int (*list)(struct store *s, enum object_class cls,
	    const uint8_t dataset[STORE_DATASET_LEN], store_visit_fn *visit,
	    void *arg, struct err *err);
	int (*list_datasets)(
	    struct store *s, store_visit_fn *visit, void *arg, struct err *err);
	int (*log_mark)(struct store *s,
	    const uint8_t dataset[STORE_DATASET_LEN], uint64_t *mark,
	    struct err *err);

	int (*replica)(struct store *s, bool *replica,
	    char site[STORE_SITE_MAX], struct err *err);
	int (*set_replica)(struct store *s, const char *site, struct err *err);
	int (*left)(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
	    bool *left, struct err *err);
	int (*set_left)(struct store *s,
	    const uint8_t dataset[STORE_DATASET_LEN], bool left,
	    struct err *err);

	int (*draft_new)(
	    struct store *s, struct store_draft **out, struct err *err);
	int (*draft_write)(struct store_draft *draft, const void *buf,
	    size_t len, struct err *err);
	/*
	 * Make the draft durable and visible as ${ref}. What is there already
	 * is never replaced: the same size passes for the same object, another
	 * one is ERR_CORRUPT (of the root object: both are ERR_USAGE).
	 */
	int (*draft_commit)(struct store_draft *draft,
	    const struct object_ref *ref, struct err *err);
	/* The same of ${n} drafts, in this order; any failure ends it. */
	int (*drafts_commit)(struct store *s, struct store_draft *const *drafts,
	    const struct object_ref *refs, size_t n, struct err *err);
	void (*draft_free)(struct store_draft *draft);
	/* All that is in the store now is durable. */
	int (*sync)(struct store *s, struct err *err);

	int (*remove)(
	    struct store *s, const struct object_ref *ref, struct err *err);
	int (*set_aside)(struct store *s, const struct object_ref *ref,
	    const char *aside, struct err *err);
	int (*lock)(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
	    enum store_lock_kind kind, struct store_lock **out,
	    struct err *err);
	int (*lock_note)(struct store_lock *lock, const void *buf, size_t len,
	    struct err *err);
	int (*lock_look)(struct store *s,
	    const uint8_t dataset[STORE_DATASET_LEN], enum store_lock_kind kind,
	    struct store_lock_state *out, struct err *err);
	void (*unlock)(struct store_lock *lock);
};

#endif
