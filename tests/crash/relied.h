#ifndef TESTS_CRASH_RELIED_H
#define TESTS_CRASH_RELIED_H

/*
 * The packs that the next backup can rely on: those that the newest snapshot's
 * indexes list, and those that an unfinished backup has noted. What they hold
 * must not be stored again.
 */
#include "snapshot/content/name_set.h"
#include "snapshot/log/log.h"

struct relied {
	struct store *store;
	const struct dataset *ds;
	struct pack_openers *openers;
	struct name_set packs;  /* their names */
	struct name_set chunks; /* all that is in them */
	unsigned noted;         /* packs that are in no index yet */
	unsigned again;         /* chunks that were stored again */
};

/**
 * relied_find(r, a, log, state_dir, err):
 * As things are now. Errors: ERR_NOT_FOUND a pack is relied on, and not there;
 * whatever keeps one from being read.
 */
NODISCARD int relied_find(struct relied *r, struct access *a,
    const struct log *log, const char *state_dir, struct err *err);

/** relied_look(r, err): After the backup: count what was stored again. */
NODISCARD int relied_look(struct relied *r, struct err *err);

void relied_clear(struct relied *r);
#define RELIED_AUTO __attribute__((cleanup(relied_clear)))

#endif
