#ifndef SNAPSHOT_STATE_SITEDB_H
#define SNAPSHOT_STATE_SITEDB_H

/*
 * What only a site knows, in SQLite beside its key (STORE/site/site.db): its
 * retention lock, how far its clock has come, when the records of each log
 * arrived, and what it refused.
 *
 * Deleting depends on it: so what it doesn't know counts as having just come.
 * Times are Unix seconds by the site's own clock.
 * Source: FORMAT.md 'A site's directory'. Thread: safe. Every change is durable
 * when the call returns.
 */
#include "crypto/root.h"

#include <stdbool.h>
#include <stdint.h>

#define SITEDB_DATASET_LEN 16
#define SITEDB_LOCK_DEFAULT (90 * INT64_C(86400))
#define SITEDB_LOCK_MAX (100 * 366 * INT64_C(86400))

struct sitedb;

/**
 * sitedb_make(path, out, err):
 * Open it, or make it with mode 0600: only for whoever makes the site.
 * Errors: ERR_CORRUPT damaged (left as it is: the text says what to do);
 * ERR_VERSION; ERR_LOCKED; ERR_DENIED; ERR_FULL; ERR_IO.
 */
NODISCARD int sitedb_make(
    const char *path, struct sitedb **out, struct err *err);
/**
 * sitedb_open(path, out, err):
 * The same, where it has to be: that it is not there, or has nothing in it, is
 * damage, too. A new one would know of no lock.
 */
NODISCARD int sitedb_open(
    const char *path, struct sitedb **out, struct err *err);
void sitedb_close(struct sitedb *db);
DEFINE_AUTO(sitedb, sitedb_close)

/* --- the retention lock ------------------------------------------------- */

/**
 * sitedb_lock(db, seconds, err):
 * How long what arrived is kept, at least; SITEDB_LOCK_DEFAULT until it is set.
 */
NODISCARD int sitedb_lock(struct sitedb *db, int64_t *seconds, struct err *err);

/**
 * sitedb_lengthen(db, seconds, err):
 * Set it, the first time to any length. Errors: ERR_DENIED shorter than it is;
 * ERR_USAGE over SITEDB_LOCK_MAX.
 */
NODISCARD int sitedb_lengthen(
    struct sitedb *db, int64_t seconds, struct err *err);

/* --- the clock ---------------------------------------------------------- */

#define SITEDB_CLOCK_SLACK 60 /* seconds that a clock may be set back */

/*
 * What the retention lock goes by is time that has been borne out: by this
 * machine's own uptime, since it was last looked at in the same boot; and beyond
 * that by the times of signed records that come. So a clock that is set forward
 * ends no lock, and time for which the machine was off counts only when a record
 * shows that it has passed.
 */
struct site_time {
	int64_t borne; /* never later than now, and never back */
	int64_t now;   /* never behind what it once was: the later of both */
	int64_t back;  /* seconds that the clock is behind that; 0: it is not */
	bool behind;   /* by more than the slack: nothing may be deleted */
};

/* What the machine says. */
struct site_clock {
	int64_t wall; /* Unix seconds */
	int64_t up;   /* seconds since it was started, sleep included */
	int64_t boot; /* tells one start from another; 0: not known */
};
/** site_clock_now(wall, out): The rest of it, as it is now. */
void site_clock_now(int64_t wall, struct site_clock *out);

/** sitedb_clock_at(db, clock, out, err): The same by ${clock}: for tests. */
NODISCARD int sitedb_clock_at(struct sitedb *db, const struct site_clock *clock,
    struct site_time *out, struct err *err);
/**
 * sitedb_bear_out(db, clock, time, err):
 * A record that was signed at ${time} has come: so much has passed, if the clock
 * says so, too.
 */
NODISCARD int sitedb_bear_out(struct sitedb *db, const struct site_clock *clock,
    int64_t time, struct err *err);

/**
 * sitedb_clock(db, clock, out, err):
 * ${clock} is what the system's clock says. Remembers the latest it ever said,
 * to within 10 s. Cost: a commit for each 10 s that pass, else nothing.
 */
NODISCARD int sitedb_clock(
    struct sitedb *db, int64_t clock, struct site_time *out, struct err *err);

/* --- arrivals ----------------------------------------------------------- */

/**
 * sitedb_arrived(db, dataset, seq, when, err):
 * The log's records up to ${seq}, as far as they weren't there before, arrived
 * at ${when}: site_time.borne. One call for a batch. A ${seq} that is known stays.
 */
NODISCARD int sitedb_arrived(struct sitedb *db,
    const uint8_t dataset[SITEDB_DATASET_LEN], uint64_t seq, int64_t when,
    struct err *err);

/**
 * sitedb_arrival(db, dataset, seq, when, err):
 * When record ${seq} arrived. ERR_NOT_FOUND it isn't known: count it as now,
 * and say so with sitedb_arrived().
 */
NODISCARD int sitedb_arrival(struct sitedb *db,
    const uint8_t dataset[SITEDB_DATASET_LEN], uint64_t seq, int64_t *when,
    struct err *err);

/**
 * sitedb_newest(db, dataset, seq, err):
 * The newest record of the log that is known to have arrived, and was not
 * moved aside. ERR_NOT_FOUND none is.
 */
NODISCARD int sitedb_newest(struct sitedb *db,
    const uint8_t dataset[SITEDB_DATASET_LEN], uint64_t *seq, struct err *err);

/**
 * sitedb_restart(db, dataset, seq, when, err):
 * The records after ${seq} are to be moved aside: others will have their numbers.
 * All that stays counts as having come at ${when}: what is said from now on of
 * what it needs isn't what was said when it came.
 */
NODISCARD int sitedb_restart(struct sitedb *db,
    const uint8_t dataset[SITEDB_DATASET_LEN], uint64_t seq, int64_t when,
    struct err *err);

/* --- what was refused --------------------------------------------------- */

/*
 * Whoever is refused again and again leaves one row; who is refused many things
 * pushes out the oldest of its own; and all strangers together, only those of
 * strangers.
 */
#define SITEDB_REFUSALS_CLIENT 100   /* of one client */
#define SITEDB_REFUSALS_KNOWN 800    /* of those that the store knows */
#define SITEDB_REFUSALS_STRANGER 200 /* of all others */
#define SITEDB_REFUSALS_MAX (SITEDB_REFUSALS_KNOWN + SITEDB_REFUSALS_STRANGER)
#define SITEDB_TEXT_MAX 1023 /* bytes of a text; longer ones are cut */

struct sitedb_refusal {
	const char *client; /* who it is, or else its address */
	bool known;         /* to the store: it came as far as READY */
	const char *what;
	int64_t time;  /* the last time */
	int64_t since; /* the first time */
	uint64_t times;
};

/** sitedb_refuse(db, r, err): Note it, at r->time; since and times are not used. */
NODISCARD int sitedb_refuse(
    struct sitedb *db, const struct sitedb_refusal *r, struct err *err);

typedef int sitedb_refusal_fn(
    void *arg, const struct sitedb_refusal *r, struct err *err);
/**
 * sitedb_refusals(db, max, visit, arg, err):
 * The newest first, ${max} at most; a return other than 0 ends it. ${visit} may
 * not call this database.
 */
NODISCARD int sitedb_refusals(struct sitedb *db, size_t max,
    sitedb_refusal_fn *visit, void *arg, struct err *err);

#endif
