#ifndef TOOLS_SESSION_H
#define TOOLS_SESSION_H

/*
 * A store opened for one command: who opens it, by which options, and what this
 * machine remembers of it.
 */
#include "snapshot/access/access.h"
#include "snapshot/content/chunks.h"
#include "snapshot/log/log.h"
#include "snapshot/state/state.h"
#include "tools/command.h"
#include "tools/snapshot_arg.h"

/* Which store, and by which key: the values of the options below. */
struct store_args {
	const char *store;
	const char *fingerprint;
	const char *person;
	const char *passphrase_file;
	const char *passphrase_command;
	const char *key_file;
	const char *recovery_key_file;
};

/*
 * Three tables, so that a command takes those that have a meaning for it; their
 * values are all in a struct store_args.
 */
extern const struct option store_options[2];      /* --store, --fingerprint */
extern const struct option passphrase_options[2]; /* --passphrase-... */
extern const struct option key_options[3]; /* --person, --key-file, ... */

/* The groups of a command whose struct store_args is at ${at}. */
#define STORE_GROUP(at)                                                        \
	{                                                                      \
		.title = "Store", .options = store_options,                    \
		.n = ARRAY_LEN(store_options), .base = (at), .apart = true     \
	}
#define KEY_GROUP(at)                                                          \
	{                                                                      \
		.title = "Key", .options = key_options,                        \
		.n = ARRAY_LEN(key_options), .base = (at)                      \
	}
#define PASSPHRASE_GROUP(at)                                                   \
	{                                                                      \
		.title = "Passphrase", .options = passphrase_options,          \
		.n = ARRAY_LEN(passphrase_options), .base = (at)               \
	}

struct session {
	const struct run *run;
	struct access *access;
	char *state_dir;        /* NULL: nothing can be remembered */
	struct heads *heads;    /* likewise */
	struct segcache *cache; /* made when it is needed */
};

/**
 * session_open(run, args, out, err):
 * VARVE_PASSPHRASE leaves the environment here, used or not.
 * Errors: ERR_USAGE no store named, two keys named; those of access_open() and
 * passphrase_get(); ERR_AUTH not the store that this machine knows, or not the
 * one whose fingerprint was given; ERR_CORRUPT what this machine remembers is
 * damaged, and a backup is to be made. Other commands warn of that, and of a
 * machine that can't remember anything, and go on.
 */
NODISCARD int session_open(const struct run *run, const struct store_args *args,
    struct session **out, struct err *err);

/**
 * session_open_for(run, args, datasets, n, out, err):
 * The same for a command that is about these datasets alone: of others, those
 * that show may not be all. One that is NULL: all datasets.
 */
NODISCARD int session_open_for(const struct run *run,
    const struct store_args *args, const char *const *datasets, size_t n,
    struct session **out, struct err *err);

/* What a command does while its store is being opened. Each may be NULL. */
struct meanwhile {
	/*
	 * Before a passphrase is asked for, where the key needs one; the store
	 * at ${address} could be opened.
	 */
	void (*asking)(void *arg, const char *address);
	/* Once no passphrase is waited for: it was given, or needs none. */
	void (*given)(void *arg);
	void *arg;
};

/** session_open_meanwhile(): As session_open_for(); ${m} NULL: nothing. */
NODISCARD int session_open_meanwhile(const struct run *run,
    const struct store_args *args, const char *const *datasets, size_t n,
    const struct meanwhile *m, struct session **out, struct err *err);

/** session_open_keyless(run, args, out, err): For 'check --no-keys'. */
NODISCARD int session_open_keyless(const struct run *run,
    const struct store_args *args, struct session **out, struct err *err);
void session_close(struct session *s);
DEFINE_AUTO(session, session_close)

/**
 * session_address(args, out, err): The store's address. ERR_USAGE: none given.
 */
NODISCARD int session_address(
    const struct store_args *args, const char **out, struct err *err);

/** session_dataset(s, name, out, err): ERR_NOT_FOUND, with the nearest name. */
NODISCARD int session_dataset(const struct session *s, const char *name,
    const struct dataset **out, struct err *err);

/**
 * session_may_read(s, name, err): ERR_DENIED where the key may not open backups
 * of dataset ${name}; or, where that is NULL, of any that there is.
 */
NODISCARD int session_may_read(
    const struct session *s, const char *name, struct err *err);

/**
 * session_log(s, dataset, out, err):
 * ERR_NOT_FOUND, with the nearest name. Of a log whose end is damaged, a warning
 * says so, and the command ends with EXIT_DAMAGE at best. That a replica is
 * behind is told: session_behind().
 */
NODISCARD int session_log(const struct session *s, const char *dataset,
    struct log **out, struct err *err);

/**
 * session_sees_none(s):
 * Whether the store has datasets, and this key may see none of them. Whoever
 * opens a session is told so.
 */
bool session_sees_none(const struct session *s);

/**
 * session_behind(run, dataset, b):
 * Tell that a replica lacks records of ${dataset} that this machine has seen:
 * once of each, with -q too, and in the JSON object. The exit status stays.
 */
void session_behind(
    const struct run *run, const char *dataset, const struct log_behind *b);

/**
 * session_pass_over(s, why, err):
 * Of all datasets, one could not be worked on. Damage of one keeps nobody from
 * the others: it is said, the command ends with EXIT_DAMAGE at best, and this
 * returns 0. Anything else is the command's error.
 */
NODISCARD int session_pass_over(
    const struct session *s, const struct err *why, struct err *err);

/* --- a snapshot, ready to be read --------------------------------------- */

/* A dataset's chunks, and what it takes to look for them again. */
struct reading {
	struct session *session;
	const struct log *log;
	struct chunks *chunks;
};

/**
 * session_chunks(s, log, out, err):
 * As the newest snapshot locates them; what is not there is looked for again, in
 * what records say that have come since, and that are older. ${log} may have none,
 * and outlives ${out}, as ${s} does. reading_clear() in any case.
 */
NODISCARD int session_chunks(struct session *s, const struct log *log,
    struct reading *out, struct err *err);
void reading_clear(struct reading *r);
#define READING_AUTO __attribute__((cleanup(reading_clear)))

struct opened {
	struct log *log;
	const struct snapshot *snapshot; /* the log's */
	struct reading reading;
	struct chunks *chunks; /* the reading's */
	struct span root;      /* the snapshot's root entry */
};

/**
 * session_snapshot(s, arg, out, err):
 * Find ${arg}'s snapshot and make its chunks ready. ${s} outlives it.
 * Errors: those of session_log() and when_select(); ERR_DENIED a key that may
 * not read.
 */
NODISCARD int session_snapshot(struct session *s,
    const struct snapshot_arg *arg, struct opened **out, struct err *err);
void opened_free(struct opened *o);
DEFINE_AUTO(opened, opened_free)

/** session_now(): The clock's time. */
struct moment session_now(void);

#endif
