#ifndef SNAPSHOT_CHECK_CHECK_INTERNAL_H
#define SNAPSHOT_CHECK_CHECK_INTERNAL_H

/*
 * Private to this folder: a check, as its files share it. They are told from
 * the outside of a store to its inside:
 *
 *	check.c          which datasets, and how deep
 *	check_keys.c     the root and the key objects
 *	check_log.c      a log, and what this machine has seen of it
 *	check_chain.c    its records, and the snapshots in them
 *	check_index.c    the newest indexes
 *	check_listed.c   the packs they list, against those that are there
 *	check_bytes.c    every byte of indexes and packs, in threads
 *	check_early.c    their hashes before there are keys
 *	check_pack.c     ... and what a pack holds, opened
 *	check_share.c    ... by all threads that have nothing else to do
 *	check_trees.c    beside that, the directories of all snapshots
 *	                 (check_walk.h)
 *	check_entry.c    their entries
 *	check_content.c  the chunk lists of files
 *	check_locate.c   whether each chunk is where it should be
 *	check_report.c   telling of damage, counting, reading objects whole
 *	check_again.c    ... of a store that changes meanwhile
 */
#include "snapshot/check/check.h"
#include "snapshot/check/lengths.h"
#include "snapshot/content/name_set.h"

#include <pthread.h>

#define CHECK_THREADS_MAX 256

/* The dataset at hand, and whether it was pruned since. Guarded by mu. */
struct again {
	bool on; /* it is asked */
	uint8_t dataset[DATASET_ID_LEN];
	uint64_t mark;        /* of the log, when it was looked at */
	uint64_t last;        /* record there then */
	bool stale;           /* it was, and something was found since */
	struct name_set told; /* what was said of the dataset */
};

struct check {
	struct access *access;
	struct store *store; /* the access's */
	struct heads *heads; /* may be NULL */
	const struct check_options *opt;
	struct check_result *out; /* but for objects, bytes and damaged */
	struct check_progress done;
	struct mix mix;
	pthread_mutex_t mu; /* held while on_damage is called */
	uint64_t damaged;   /* guarded by mu */
	struct again again;
};

/* A pack as one index lists it. */
struct listed {
	uint8_t name[OBJECT_NAME_LEN];
	uint32_t index; /* its number in the snapshot's record */
	uint32_t size;
	enum pack_kind kind;
	bool there;
	/*
	 * Something is wrong with it: what a snapshot needs of it is read, to
	 * see whether it can be. Set by the one thread that has the pack.
	 */
	bool doubtful;
	bool entire; /* all that the index says of it could be read */
	uint32_t segments;
	uint64_t places; /* mix of where its segments lie */
	uint64_t chunks; /* how many the index says it holds ... */
	uint64_t sum;    /* ... and the sum of mixes of which, and where */
};

/* An object to be read whole. */
struct job {
	struct object_ref ref;
	uint64_t size;
	size_t first, n; /* in the scope's listed; n 0: no index lists it */
	bool damaged;    /* set by the one thread that has it */
};

struct jobs {
	struct job *v;
	size_t n, cap;
};

/* Objects that are read whole, in threads: see pass_begin(). */
struct pass;

/* One dataset under check. */
struct scope {
	struct check *c;
	uint8_t id[DATASET_ID_LEN];
	const struct dataset *ds; /* NULL: without keys */
	/* Those that could be opened and have not expired, by seq. */
	struct snapshot **snapshots;
	size_t nsnapshots;
	/* The index set of the newest record that is sound. */
	uint8_t (*indexes)[OBJECT_NAME_LEN];
	size_t nindexes;
	/*
	 * Something in the log or the indexes could not be read, so that what
	 * nothing refers to may yet be needed.
	 */
	bool partial;
	struct object_ref lost; /* the first index that could not be read */
	bool has_lost;
	struct listed *listed; /* by name and index */
	size_t nlisted, listed_cap;
	struct jobs packs;      /* those that are there */
	struct lengths lengths; /* of the chunks that were read */
	/*
	 * Over the packs; NULL: they are not read. Until it has ended, what is
	 * said of the listed to be doubtful, and the lengths, are its own.
	 */
	struct pass *pass;
};

/* --- check_report.c ----------------------------------------------------- */

/** check_lag(c, dataset, ds, b): Tell that a replica is behind; ${ds}: or NULL. */
void check_lag(struct check *c, const uint8_t dataset[DATASET_ID_LEN],
    const struct dataset *ds, const struct log_behind *b);

/** check_fatal(rc): Whether it is no fault of the store. */
bool check_fatal(int rc);
/** check_stopped(c, err): ERR_CANCELLED once a stop was asked for. */
NODISCARD int check_stopped(const struct check *c, struct err *err);

/** check_tell(c, object, what, affects): One damage. Thread: safe. */
void check_tell(
    struct check *c, const char *object, const char *what, const char *affects);
/** check_damage(c, ref, why, affects): ${why} without the object's own name. */
void check_damage(struct check *c, const struct object_ref *ref,
    const struct err *why, const char *affects);
/** check_say(c, ref, fmt, ...): Damage that affects nothing in particular. */
void check_say(struct check *c, const struct object_ref *ref, const char *fmt,
    ...) PRINTF(3, 4);

/**
 * check_pass_over(c, ref, rc, why, err):
 * ${rc} befell an object: fail when it is fatal, else tell of it and return 0.
 */
NODISCARD int check_pass_over(struct check *c, const struct object_ref *ref,
    int rc, const struct err *why, struct err *err);
/**
 * check_unlisted(c, cls, dataset, rc, why, err):
 * The same for a class of objects that could not be listed.
 */
NODISCARD int check_unlisted(struct check *c, enum object_class cls,
    const uint8_t dataset[DATASET_ID_LEN], int rc, const struct err *why,
    struct err *err);

/** check_threads(asked): How many are meant by check_options.threads. */
unsigned check_threads(unsigned asked);

void check_count(struct check *c, uint64_t objects, uint64_t bytes);
void check_expect(struct check *c, uint64_t bytes);

/* What a thread reads objects with. */
struct reader {
	struct sha256_ctx *sha;
	uint8_t *buf;
};
NODISCARD int reader_init(struct reader *r, struct err *err);
void reader_clear(struct reader *r);
#define READER_AUTO __attribute__((cleanup(reader_clear)))

/**
 * check_object(c, r, ref, size, err):
 * Read the ${size} bytes of an object. Errors: ERR_CORRUPT its SHA-256 is not
 * its name; ERR_CANCELLED; those of store_read_at().
 */
NODISCARD int check_object(struct check *c, struct reader *r,
    const struct object_ref *ref, uint64_t size, struct err *err);

/* --- check_again.c ------------------------------------------------------ */

typedef int again_fn(struct check *c, const void *arg, struct err *err);
/**
 * again_check(c, dataset, fn, arg, err):
 * Check a dataset by ${fn}; once more, a few times at most, if what was found may
 * be a matter of records that came meanwhile.
 */
NODISCARD int again_check(struct check *c,
    const uint8_t dataset[DATASET_ID_LEN], again_fn *fn, const void *arg,
    struct err *err);
/** again_is_to_tell(): Whether damage is to be told of now. With mu held. */
bool again_is_to_tell(
    struct check *c, const char *object, const char *what, const char *affects);

/* --- outside ------------------------------------------------------------ */

/** check_keys(c, err): The root and the key objects. */
NODISCARD int check_keys(struct check *c, struct err *err);

/**
 * check_log(s, err):
 * Fills ${s}->indexes, and ${s}->snapshots when there are keys.
 */
NODISCARD int check_log(struct scope *s, struct err *err);

void scope_ref(const struct scope *s, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], struct object_ref *ref);

/* --- inside ------------------------------------------------------------- */

/** check_indexes(s, err): Those that the newest record names. */
NODISCARD int check_indexes(struct scope *s, struct err *err);
/**
 * check_indexes_listed(s, jobs, err):
 * Without keys: whether they are there; their packs go into ${s}->listed.
 * ${jobs}: all indexes that are there, after check_bytes().
 */
NODISCARD int check_indexes_listed(
    struct scope *s, const struct jobs *jobs, struct err *err);

/** listed_sort(s, first): Those from ${first} on. */
void listed_sort(struct scope *s, size_t first);
/** listed_find(s, first, name, n): Of those from ${first} on; ${n} of it. */
struct listed *listed_find(const struct scope *s, size_t first,
    const uint8_t name[OBJECT_NAME_LEN], size_t *n);
/**
 * listed_compare(s, err):
 * The packs listed against those in the store. Fills ${s}->packs; counts what
 * nothing refers to.
 */
NODISCARD int listed_compare(struct scope *s, struct err *err);
/** listed_packs(s, err): Of packs that were listed, and read, already. */
NODISCARD int listed_packs(struct scope *s, struct err *err);

void jobs_clear(struct jobs *jobs);
/** jobs_list(s, cls, jobs, err): Add all objects of a class. */
NODISCARD int jobs_list(
    struct scope *s, enum object_class cls, struct jobs *jobs, struct err *err);

/**
 * pass_begin(s, jobs, open, out, err):
 * Begin to read all of these whole; with ${open}, open packs and look at what
 * is in them. ${s} and ${jobs} outlive the pass. Who calls this is one of
 * opt->threads; where it is the only one, or no other could be started, all is
 * done when this returns.
 * Thread: the pass belongs to who began it.
 */
NODISCARD int pass_begin(struct scope *s, struct jobs *jobs, bool open,
    struct pass **out, struct err *err);
/** pass_failed(p): It has failed, and pass_end() will say how. */
bool pass_failed(const struct pass *p);
/**
 * pass_end(p, err): Take part in it until all is done. May be called again, and
 * returns the same. Errors: the first fatal one of any thread.
 */
NODISCARD int pass_end(struct pass *p, struct err *err);
/** pass_free(p): One that goes on is broken off. */
void pass_free(struct pass *p);
DEFINE_AUTO(pass, pass_free)

/** check_bytes(s, jobs, open, err): A pass, from its beginning to its end. */
NODISCARD int check_bytes(
    struct scope *s, struct jobs *jobs, bool open, struct err *err);

/* A chunk found in a pack. */
struct held {
	struct chunk_name name;
	uint32_t segment;
};

struct held_list {
	struct held *v;
	size_t n, cap;
};
NODISCARD int held_add(struct held_list *l, const struct chunk_name *name,
    uint32_t segment, struct err *err);
/** held_join(l, other, err): Add copies of the other's. */
NODISCARD int held_join(
    struct held_list *l, const struct held_list *other, struct err *err);

struct shares;

/* What a thread opens packs with. */
struct opener {
	struct scope *s;
	struct pack_openers *openers; /* shared */
	struct namer *namer;
	struct shares *shares;  /* with other threads: check_share.h */
	struct held_list held;  /* the chunks of the pack at hand */
	struct held_list found; /* ... of the segment at hand */
};
NODISCARD int opener_init(struct opener *o, struct scope *s,
    struct pack_openers *openers, struct shares *shares, struct err *err);
void opener_clear(struct opener *o);
#define OPENER_AUTO __attribute__((cleanup(opener_clear)))

/**
 * check_pack(o, job, err):
 * Open all that is in a pack, compute the names of its chunks again, and
 * compare what the indexes say of it. Errors: what is wrong with the pack;
 * what is wrong with an index is told.
 */
NODISCARD int check_pack(
    struct opener *o, const struct job *job, struct err *err);

/**
 * check_trees(s, err):
 * The trees of all snapshots, the newest first. Damage is told of when
 * ${s}->pass has ended; what could be needed of it is not asked before.
 */
NODISCARD int check_trees(struct scope *s, struct err *err);

#endif
