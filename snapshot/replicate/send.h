#ifndef SNAPSHOT_REPLICATE_SEND_H
#define SNAPSHOT_REPLICATE_SEND_H

/*
 * The sending side. It needs no key of any dataset: what has to go follows from
 * what stands in the clear, record -> index set -> packs. The oldest missing
 * snapshot goes first, so that the other side's recovery point moves forward
 * steadily.
 * Source: PROTOCOL.md sections 5 to 7.
 */
#include "snapshot/replicate/party.h"

#include <stdatomic.h>

/* How far it has come; may be looked at from any thread. */
struct send_progress {
	atomic_uint_fast64_t records, records_total; /* taken; of those to go */
	atomic_uint_fast64_t bytes, bytes_total; /* sent; of those planned */
	atomic_uint_fast64_t objects;
	atomic_bool planned; /* bytes_total is all there is */
	atomic_bool waiting; /* for something new: send_options.follow */
};

struct send_options {
	bool follow; /* go on as new records come, until it is stopped */
	const atomic_bool *stop;        /* may be NULL */
	struct send_progress *progress; /* may be NULL */
	/* How messages call a dataset; NULL, or NULL returned: by its id. */
	const char *(*dataset_name)(
	    void *arg, const uint8_t dataset[STORE_DATASET_LEN]);
	/* A receipt, checked. A failure ends the sending. */
	int (*on_receipt)(void *arg, const uint8_t buf[RECEIPT_LEN],
	    const struct receipt *receipt, struct err *err);
	/*
	 * A dataset that can't be sent on: the others are. Or a key object that
	 * the other side did not take, once each: it is no problem that counts.
	 */
	void (*on_problem)(void *arg, const struct err *why);
	/* All called by one thread at a time, not always the caller's. */
	void *arg;
};

struct send_result {
	uint64_t records, objects, bytes; /* taken; sent */
	size_t problems;
};

/**
 * send_run(p, m, opt, out, err):
 * Send what the other side lacks. First, and before each group of records, it
 * is seen whether the store's objects may lie there, and may be sent on from
 * here.
 * Errors: ERR_DENIED the other side is no site of this store, or its statement,
 * or this site's own, forbids it; ERR_CANCELLED ${opt}->stop; those of
 * channel_receive(). ${out} is filled in any case.
 * Threads: one more than the caller's.
 */
NODISCARD int send_run(struct party *p, const struct meeting *m,
    const struct send_options *opt, struct send_result *out, struct err *err);

#endif
