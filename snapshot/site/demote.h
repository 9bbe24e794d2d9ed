#ifndef SNAPSHOT_SITE_DEMOTE_H
#define SNAPSHOT_SITE_DEMOTE_H

/*
 * Coming back: make a former primary a replica of the store that took over.
 * What it wrote after the other one went its own way can't be in one history
 * with what the other wrote: those records are moved to STORE/aside/, whole,
 * and nothing else is touched.
 * Thread: one.
 * Source: FORMAT.md section 2 (aside/), section 9, type 6.
 */
#include "snapshot/site/aside.h"

/* The store that took over. */
struct demote_other {
	/** The number of its newest record of a dataset; 0: it has none. */
	int (*head)(void *arg, const uint8_t dataset[STORE_DATASET_LEN],
	    uint64_t *seq, struct err *err);
	/** Whether it has this record; it has then all before it. */
	int (*has)(void *arg, const struct object_ref *ref, bool *has,
	    struct err *err);
	/**
	 * Whether it took a dataset over, by a record after number ${common};
	 * it has more than these.
	 */
	int (*took_over)(void *arg, const uint8_t dataset[STORE_DATASET_LEN],
	    uint64_t common, bool *taken, struct err *err);
	void *arg;
};

/* A dataset here, against the other store's. */
struct demote_fork {
	uint8_t dataset[STORE_DATASET_LEN];
	uint64_t common; /* the newest record that both have; 0: none */
	uint64_t head;   /* the newest here; common: nothing is to be moved */
	uint64_t theirs; /* the newest there; 0: none */
	uint64_t snapshots; /* of the records that are to be moved */
	bool taken;         /* the other store took it over: demote_ask() */
};

struct demote_plan {
	struct demote_fork *forks; /* of each dataset that has a log here */
	size_t n;
};
void demote_plan_clear(struct demote_plan *p);
#define DEMOTE_PLAN_AUTO __attribute__((cleanup(demote_plan_clear)))

/**
 * demote_look(s, other, out, err):
 * Find where the histories part; changes nothing. Errors: ${other}'s;
 * ERR_CORRUPT a log can't be listed.
 * Cost: asks 13 times for a log of 6,480 records, once where there is no fork.
 */
NODISCARD int demote_look(struct store *s, const struct demote_other *other,
    struct demote_plan *out, struct err *err);

/**
 * demote_ask(other, plan, err):
 * Which datasets the other store took over, as far as demote_check() needs it.
 * Errors: ${other}'s, also where a record there is damaged.
 * Cost: reads back in its logs to where they were taken over.
 */
NODISCARD int demote_ask(const struct demote_other *other,
    struct demote_plan *plan, struct err *err);

/**
 * demote_check(plan, err):
 * ERR_DENIED: the other store took nothing over, or not a dataset that would lose
 * records here. It is a replica that is behind, or a promotion left the dataset.
 */
NODISCARD int demote_check(const struct demote_plan *plan, struct err *err);

/**
 * demote_run(s, site, plan, clock, aside, err):
 * Make the store a replica that stands at ${site}, and move what comes after
 * the forks to STORE/${aside}, newest first. ${aside} is filled in:
 * 'aside/TIME'. What is here counts as having arrived now (${clock}: Unix
 * seconds).
 * Errors: ERR_LOCKED a backup or a prune is running; those of
 * store_set_replica() and store_set_aside(). After one, do it again.
 */
#define DEMOTE_ASIDE ASIDE_NAME
NODISCARD int demote_run(struct store *s, struct sitedir *site,
    const struct demote_plan *plan, int64_t clock, char aside[DEMOTE_ASIDE],
    struct err *err);

#endif
