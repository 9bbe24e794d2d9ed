#ifndef SNAPSHOT_REPLICATE_REAP_H
#define SNAPSHOT_REPLICATE_REAP_H

/*
 * What a replica deletes: only what the newest prune record, which is an
 * admin's, says is gone, only when neither that record nor one after it needs
 * it, and only when the site's retention lock has passed, by the site's own
 * clock, since the arrival of the newest snapshot that may have needed it.
 * Whoever asks sooner has to wait.
 * Source: PROTOCOL.md section 9.
 */
#include "snapshot/replicate/party.h"

struct reaper;

/** reaper_new(out, err): It knows nothing yet; for one store. */
NODISCARD int reaper_new(struct reaper **out, struct err *err);
void reaper_free(struct reaper *r);
DEFINE_AUTO(reaper, reaper_free)

struct reap_result {
	uint64_t removed, removed_bytes;
	uint64_t kept, kept_bytes; /* gone at the primary, and locked here */
	int64_t next; /* when the first of them may go; INT64_MAX: none */
	bool behind;  /* the clock was set back: nothing is removed */
};

/**
 * reaper_run(r, p, out, err):
 * Look at all datasets and remove what may go. ${r} remembers what it found, so
 * that looking again at what has not changed costs little.
 * Errors: those of reading the log and of store_remove(): of the first dataset
 * that failed, after what may go of all others was removed.
 * Thread: one at a time for a reaper; any number of processes for a store.
 */
NODISCARD int reaper_run(struct reaper *r, struct party *p,
    struct reap_result *out, struct err *err);

/**
 * reaper_note(p, client, r): Note among what was refused that ${client} brought
 * the word that objects are to go, and that they are kept.
 */
void reaper_note(
    const struct party *p, const char *client, const struct reap_result *r);

#endif
