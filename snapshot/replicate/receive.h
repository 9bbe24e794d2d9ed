#ifndef SNAPSHOT_REPLICATE_RECEIVE_H
#define SNAPSHOT_REPLICATE_RECEIVE_H

/*
 * The receiving side: a replica, which has no key of any dataset. It believes
 * nothing: every object's bytes have to be what its name says, every record has
 * to follow the one before it, signed by who may, and all that it needs has to
 * be here, before it is taken. What is taken is durable before it is
 * acknowledged.
 * Source: PROTOCOL.md sections 5 to 7.
 */
#include "snapshot/replicate/party.h"

#include <stdatomic.h>

/* How far it has come; may be looked at from any thread. */
struct receive_progress {
	atomic_uint_fast64_t objects, bytes, records;
};

/*
 * A connection may hold 4 MiB of records in memory, and what is needed to keep
 * count of them. For more, up to what a group may have, it takes the room that
 * all connections of a server share: one has it at a time, and when it has had
 * it for ten minutes and another wants it, it is cut. Thread: safe.
 */
struct receive_room;
NODISCARD int receive_room_new(struct receive_room **out, struct err *err);
void receive_room_free(struct receive_room *room);
DEFINE_AUTO(receive_room, receive_room_free)
/** receive_room_try(room, c): Take it for ${c}; waits for a moment. */
bool receive_room_try(struct receive_room *room, struct channel *c);
/** receive_room_give(room): By whoever has it. */
void receive_room_give(struct receive_room *room);

struct receive_options {
	struct receive_room *room; /* NULL: there is no other connection */
	/*
	 * Who sends, as the meeting found: before anything is taken it is looked
	 * anew whether the store still knows it. NULL: it isn't asked.
	 */
	const struct ed25519_public *peer;
	bool until_done; /* return at the other side's DONE, not its goodbye */
	struct receive_progress *progress; /* may be NULL */
	/*
	 * Called for what was refused, for what is not sent by the other side
	 * (${ref}: a record), and when an admin's settlement has set records
	 * aside (${ref}: NULL); it goes on. By any thread, one at a time or not.
	 */
	void (*on_refused)(
	    void *arg, const struct object_ref *ref, const struct err *why);
	void *arg;
};

/**
 * receive_run(p, c, opt, err):
 * Take what the other side sends, until it says goodbye or, with ${until_done},
 * that it is done. When the connection breaks, or reading is stopped, what has
 * come whole is still made durable.
 * Errors: ERR_DENIED the store is no replica, or doesn't know ${opt}->peer any
 * more; ERR_CORRUPT the other side
 * doesn't keep to the protocol; those of store_batch_commit(); those of
 * channel_receive(). What is wrong with single objects or records is told to
 * the other side, and no error here.
 * Threads: one more than the caller's.
 */
NODISCARD int receive_run(struct party *p, struct channel *c,
    const struct receive_options *opt, struct err *err);

#endif
