#ifndef SNAPSHOT_LOG_LOG_H
#define SNAPSHOT_LOG_LOG_H

/*
 * A dataset's log: its records in order, and the snapshots that it holds: those
 * that no record has expired. Loading follows the chain of hashes over all
 * records and checks the signature of the newest, which vouches for the rest,
 * and of every record by which an admin takes something away or changes rules
 * and that this machine has not seen before; log_check() checks every one. The
 * head is compared with the one this machine saw last, so that a store that
 * hides snapshots is found out.
 * Source: FORMAT.md section 9.
 * Thread: a log may be read by many threads while none refreshes or appends.
 */
#include "snapshot/access/access.h"
#include "snapshot/log/record.h"
#include "snapshot/state/sitedb.h"
#include "snapshot/state/state.h"

struct log;

/**
 * log_load(a, ds, heads, out, err):
 * ${heads} (may be NULL) remembers heads; ${a} and ${ds} outlive the log.
 * Records of an epoch that this key was not given stay in the chain, but are no
 * snapshots of this log.
 * Records whose bytes are not to be had (missing, damaged, unreadable) are
 * passed over, and what comes after them counts: log_gap() tells of them.
 * Where the end of the log is damaged, the log is what lies before it, up to
 * the newest record that is signed by who may; log_damage() says what is wrong.
 * Errors: ERR_CORRUPT the newest records that this machine has seen are missing,
 * and not only because a replica has yet to get them (log_behind()), or some were
 * exchanged; and where nothing can be used, or not all that this
 * machine has seen and that has its bytes, what is wrong: ERR_CORRUPT a fork, a
 * break in the chain, a record that contradicts others, or two snapshots of one
 * moment; ERR_AUTH a record is not signed by who may, or its box does not open;
 * ERR_DENIED all are of an epoch that this key was not given; ERR_VERSION.
 * Cost: reads every record: about 20 us each.
 */
NODISCARD int log_load(struct access *a, const struct dataset *ds,
    struct heads *heads, struct log **out, struct err *err);

/**
 * log_load_tail(a, ds, heads, out, err):
 * The same, but only the records since shortly before the one that this machine
 * saw last: among them the newest snapshot, if the log holds any. All below
 * speaks of these alone, but log_append_*() work, whatever the log is. Where
 * nothing was seen yet, it is log_load().
 * Cost: lists the records, and reads a few.
 */
NODISCARD int log_load_tail(struct access *a, const struct dataset *ds,
    struct heads *heads, struct log **out, struct err *err);
void log_free(struct log *l);
DEFINE_AUTO(log, log_free)

/**
 * log_damage(l):
 * NULL, or what is wrong with the records after those of this log. Who reads
 * goes on and tells of it; log_append_*() refuse. The log's, until a refresh.
 */
const struct err *log_damage(const struct log *l);

/**
 * log_gap(l):
 * NULL, or what is wrong with the first record that is passed over because its
 * bytes are not to be had. Its snapshot is not of this log, and what else it
 * said is not known: log_append() goes on, the other log_append_*() refuse. When
 * the record is there again, loading the log anew shows it.
 */
const struct err *log_gap(const struct log *l);

/** log_sound(l, err): What log_damage() or else log_gap() says; 0: neither. */
NODISCARD int log_sound(const struct log *l, struct err *err);

/* --- a replica that has yet to get some of it ----------------------------- */

/* Records that this machine has seen elsewhere, and a replica does not show. */
struct log_behind {
	uint64_t seen;  /* the newest that this machine has seen */
	uint64_t shown; /* the newest that is here; 0: none */
	bool any; /* there is a snapshot, and the newest here is of then: */
	struct moment newest;
};

/**
 * log_behind(l):
 * NULL; or how far a replica is behind what this machine has seen. The log is
 * what is there then, none of it taken on trust, and nothing of it is
 * remembered. Who reads goes on and tells of it once. log_append_primary() takes
 * what is missing for lost; the other log_append_*() refuse. The log's, until a
 * refresh.
 */
const struct log_behind *log_behind(const struct log *l);

#define LOG_BEHIND_TEXT 512
/** log_behind_text(b, dataset, out): Of the dataset of that name, in words. */
const char *log_behind_text(
    const struct log_behind *b, const char *dataset, char out[LOG_BEHIND_TEXT]);

/**
 * log_behind_look(s, dataset, heads, out, err):
 * What a listing shows of it, without a key: ${out}->seen is 0 where the store is
 * no replica, or nothing is missing. A record that this machine has not read yet
 * may excuse what is. ${heads} may be NULL. Errors: those of store_list(),
 * heads_get().
 */
NODISCARD int log_behind_look(struct store *s,
    const uint8_t dataset[DATASET_ID_LEN], struct heads *heads,
    struct log_behind *out, struct err *err);

/**
 * log_may_lag(s, seen, shown):
 * Whether that record ${seen} was seen, and the log ends at ${shown}, is no more
 * than that a replica has yet to get the rest.
 */
bool log_may_lag(struct store *s, uint64_t seen, uint64_t shown);

/** log_settled(a, dataset, out): The newest settlement that counts; or none. */
void log_settled(const struct access *a, const uint8_t dataset[DATASET_ID_LEN],
    struct settled_mark *out);
/**
 * log_settled_since(a, dataset, seen, out):
 * Whether one counts that is newer than any known when ${seen} was, and not
 * behind it: then it excuses that ${seen} is missing, where the log holds the
 * record that it names.
 */
bool log_settled_since(const struct access *a,
    const uint8_t dataset[DATASET_ID_LEN], const struct head_seen *seen,
    struct settlement *out);

/**
 * log_whole(l, err):
 * What log_sound() says; or ERR_DENIED the log is behind, so that what is still
 * needed is not known, and nothing may be taken away by it.
 */
NODISCARD int log_whole(const struct log *l, struct err *err);

/**
 * log_warning(l):
 * NULL, or what whoever uses the log should be told of once: another store
 * became the primary, and what this machine saw of the former one's log after
 * that is not in this one.
 */
const struct err *log_warning(const struct log *l);

/**
 * log_refresh(l, changed, err):
 * Read what came since. When it fails, the log stays as it was; a damaged end
 * is no failure, see log_damage(). A record by somebody who was granted
 * something since ${a} was opened is such damage (ERR_AUTH) until an
 * access_refresh(). Cheap when nothing came: store_log_mark(); but a tail lists
 * its records.
 * Snapshots that were expired meanwhile are no longer counted below.
 */
NODISCARD int log_refresh(struct log *l, bool *changed, struct err *err);

/* --- what it holds ------------------------------------------------------- */

const struct dataset *log_dataset(const struct log *l);

/** log_count(l): Snapshots that have not expired. */
size_t log_count(const struct log *l);
/** log_snapshot(l, i): By sequence; the log's, valid until it is freed. */
const struct snapshot *log_snapshot(const struct log *l, size_t i);
/** log_head(l): The newest of them, or NULL. */
const struct snapshot *log_head(const struct log *l);
/** log_newest(l): The newest of all, expired or not, or NULL. */
const struct snapshot *log_newest(const struct log *l);

/**
 * log_next_ino(l):
 * The inode number that the next snapshot begins with: no entry of those at hand
 * has it, or a greater one, as far as their writers kept to the rules.
 * Source: FORMAT.md section 9, 'The next inode number'.
 */
uint64_t log_next_ino(const struct log *l);

/**
 * log_indexes(l, n):
 * The index set of the newest record: together they locate all that these
 * snapshots need. The log's, until a refresh or an append.
 */
const uint8_t (*log_indexes(const struct log *l, size_t *n))[OBJECT_NAME_LEN];

/**
 * log_indexes_have(names, n, name):
 * Whether ${name} is one of the ${n} names of such a set. Cost: looks at all.
 */
bool log_indexes_have(const uint8_t (*names)[OBJECT_NAME_LEN], size_t n,
    const uint8_t name[OBJECT_NAME_LEN]);

/**
 * log_all_indexes(l, names, n, err):
 * Of the sets of all records, as far as they are read and the indexes there: the
 * oldest first, and those of the newest record last, as it has them. For when
 * those alone won't do: a writer may have named others in the place of good ones.
 * *${names} is the caller's (free). RECORD_INDEXES_MAX at most.
 * Cost: reads all records again, and looks for each index.
 */
NODISCARD int log_all_indexes(const struct log *l,
    uint8_t (**names)[OBJECT_NAME_LEN], size_t *n, struct err *err);

/**
 * log_rules(l): What is to be kept of this dataset; NULL when nobody has said
 * so. Valid until the log is freed.
 */
const struct rules *log_rules(const struct log *l);

/* All records, of whatever type, also of snapshots that have expired. */
size_t log_records(const struct log *l);
/** log_record(l, i): By sequence; the log's, valid until it is freed. */
const struct record *log_record(const struct log *l, size_t i);
/** log_record_at(l, seq): The record of that number, or NULL. */
const struct record *log_record_at(const struct log *l, uint64_t seq);
/** log_prune(l): The newest record of type prune, or NULL. */
const struct record *log_prune(const struct log *l);
/**
 * log_record_bytes(l, seq, buf, len, err):
 * The record as it is stored, for record_peek() to show its lists; free().
 */
NODISCARD int log_record_bytes(const struct log *l, uint64_t seq, uint8_t **buf,
    size_t *len, struct err *err);

/* --- adding to it -------------------------------------------------------- */

/*
 * Publish a record: the caller holds the dataset's lock, and all that the
 * record relies on is durable. But for snapshots, the record is signed at
 * access_now(), and only admins may.
 * Errors: ERR_DENIED this key may not, or might not any more when the snapshot
 * ended; ERR_LOCKED somebody else has appended since the last refresh;
 * ERR_USAGE a text is too long; ERR_CORRUPT the log is damaged (see
 * log_damage(): look before a long run), or lacks records (log_gap()) and this
 * is no snapshot; those of store_put(), and of
 * heads_set() when the record is stored, but not remembered: log_records() has
 * grown then.
 */

/**
 * log_append(l, s, indexes, n, err):
 * A snapshot. Fills in its seq, id, prev and signer, nudges its time by
 * milliseconds until no other snapshot has it; its totals follow from the
 * root's entry. Takes ${s} over, also when it fails. ${indexes}: the new index
 * set.
 * Errors: also ERR_CORRUPT the root is no directory's entry.
 */
NODISCARD int log_append(struct log *l, struct snapshot *s,
    const uint8_t (*indexes)[OBJECT_NAME_LEN], size_t n, struct err *err);

/**
 * log_append_expire(l, snapshots, n, why, err):
 * Snapshots of this log that expire, ascending by seq. Errors: also ERR_USAGE
 * one is held.
 */
NODISCARD int log_append_expire(struct log *l,
    const struct snapshot *const *snapshots, size_t n, const char *why,
    struct err *err);

/** log_append_hold(l, s, on, why, err): Hold, or release, a snapshot. */
NODISCARD int log_append_hold(struct log *l, const struct snapshot *s, bool on,
    const char *why, struct err *err);

NODISCARD int log_append_rules(
    struct log *l, const struct rules *rules, struct err *err);

/**
 * log_append_prune(l, prune, lists, err):
 * ${lists}: the new index set, and what is condemned, ascending.
 */
NODISCARD int log_append_prune(struct log *l, const struct record_prune *prune,
    const struct record_lists *lists, struct err *err);

/**
 * log_append_primary(l, site, id, err):
 * This store takes backups from now on. The number of the change is found here.
 */
NODISCARD int log_append_primary(struct log *l, const char *site,
    const uint8_t id[IDENTITY_ID_LEN], struct err *err);

/* --- logs that are not there ---------------------------------------------- */

/* How it is known that there are some. */
enum log_gone_how {
	LOG_GONE_SEEN,    /* by this machine, at a primary: they are gone */
	LOG_GONE_ARRIVED, /* they had arrived at the site: likewise */
	LOG_GONE_BEHIND,  /* by this machine; the replica has yet to get them */
};

/*
 * ${newest} is the newest record that is known of; where it has arrived, only
 * its number is: its name is all zeros.
 */
typedef int log_gone_fn(void *arg, const struct object_ref *newest,
    enum log_gone_how how, struct err *err);
/**
 * log_gone(a, heads, site, visit, arg, err):
 * Each dataset of which the store has no record, although there are some: this
 * machine has seen them (${heads}), or they have arrived at a replica's site
 * (${site}). One that was erased has no key set, and isn't shown. Needs no key.
 * NULL: nothing is known. A return of ${visit} other than 0 ends it.
 * Errors: those of store_list(), store_replica(), heads_get(), sitedb_newest().
 */
NODISCARD int log_gone(const struct access *a, struct heads *heads,
    struct sitedb *site, log_gone_fn *visit, void *arg, struct err *err);

/* --- signatures ----------------------------------------------------------- */

/**
 * log_check(l, err): Check the signature of every record; then, log_damage().
 */
NODISCARD int log_check(struct log *l, struct err *err);

/**
 * log_verify(a, clear, buf, len, err):
 * Whether a record was signed by somebody who might at its time. Needs no key.
 * Errors: ERR_AUTH it was not.
 */
NODISCARD int log_verify(const struct access *a,
    const struct record_clear *clear, const uint8_t *buf, size_t len,
    struct err *err);

#endif
