#ifndef SNAPSHOT_LOG_LOG_H
#define SNAPSHOT_LOG_LOG_H

/*
 * A dataset's log: all of its snapshots, in order. Loading follows the chain
 * of hashes over all records and checks the signature of the newest, which
 * vouches for the rest; log_check() checks every one. The head is compared
 * with the one this machine saw last, so that a store that hides snapshots is
 * found out.
 * Thread: a log may be read by many threads while none refreshes or appends.
 */
#include "snapshot/access/access.h"
#include "snapshot/log/record.h"
#include "snapshot/state/state.h"

struct log;

/**
 * log_load(a, ds, heads, out, err):
 * ${heads} (may be NULL) remembers heads; ${a} and ${ds} outlive the log.
 * Records of an epoch that this key was not given stay in the chain, but are no
 * snapshots of this log.
 * Where the end of the log is damaged, the log is what lies before it, up to
 * the newest record that is signed by who may; log_damage() says what is wrong.
 * Errors: ERR_CORRUPT records missing or exchanged that this machine has seen;
 * and where nothing can be used, or not all that this machine has seen, what is
 * wrong: ERR_CORRUPT a gap, a fork, a break in the chain, a record that is not
 * what its name says, or two snapshots of one moment; ERR_AUTH a record is not
 * signed by who may, or its box does not open; ERR_DENIED all are of an epoch
 * that this key was not given; ERR_VERSION.
 * Cost: reads every record: about 30 us each.
 */
NODISCARD int log_load(struct access *a, const struct dataset *ds,
    struct heads *heads, struct log **out, struct err *err);
void log_free(struct log *l);
DEFINE_AUTO(log, log_free)

/**
 * log_damage(l):
 * NULL, or what is wrong with the records after those of this log. Who reads
 * goes on and tells of it; log_append() refuses. The log's, until a refresh.
 */
const struct err *log_damage(const struct log *l);

/**
 * log_refresh(l, changed, err):
 * Read what came since. When it fails, the log stays as it was; a damaged end
 * is no failure, see log_damage(). A record by somebody who was granted
 * something since ${a} was opened is such damage (ERR_AUTH) until an
 * access_refresh(). Cheap when nothing came: store_log_mark().
 */
NODISCARD int log_refresh(struct log *l, bool *changed, struct err *err);

size_t log_count(const struct log *l);
/** log_snapshot(l, i): By sequence; the log's, valid until it is freed. */
const struct snapshot *log_snapshot(const struct log *l, size_t i);
/** log_head(l): The newest snapshot, or NULL. */
const struct snapshot *log_head(const struct log *l);
const struct dataset *log_dataset(const struct log *l);

/**
 * log_append(l, s, err):
 * Publish a snapshot: the caller holds the dataset's lock, and packs and
 * indexes are durable. Fills in ${s}'s seq, id, prev and signer, nudges its time
 * by milliseconds until no other snapshot has it; its totals follow from the
 * root's entry. Takes ${s} over, also when it fails.
 * Errors: ERR_DENIED this key may not write, or might not any more when the
 * snapshot ended; ERR_LOCKED somebody else has appended since the last refresh;
 * ERR_USAGE host, source or program too long; ERR_CORRUPT the log is damaged
 * (see log_damage(): look before a long run), or the root is no directory's
 * entry; those of store_put(), and of
 * heads_set() when the record is stored, but not remembered.
 */
NODISCARD int log_append(struct log *l, struct snapshot *s, struct err *err);

/**
 * log_check(l, err): Check the signature of every record; then, log_damage().
 */
NODISCARD int log_check(struct log *l, struct err *err);

#endif
