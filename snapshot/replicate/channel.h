#ifndef SNAPSHOT_REPLICATE_CHANNEL_H
#define SNAPSHOT_REPLICATE_CHANNEL_H

/*
 * Frames over TLS. PING is answered, and an ERROR of the other side becomes the
 * error of who receives it.
 * Thread: any may send, and stop it; one receives, and names the peer.
 * Memory: a frame in either direction (FRAME_MAX).
 * Source: PROTOCOL.md section 3.
 */
#include "crypto/tls.h"
#include "snapshot/replicate/frame.h"

struct channel;

/* Who is on the other side, for messages. */
#define CHANNEL_PEER 320

/**
 * channel_new(tls, peer, out, err):
 * Over a connection whose handshake is done; takes ${tls} over, also when it
 * fails. ${peer} is what messages call the other side.
 */
NODISCARD int channel_new(
    struct tls *tls, const char *peer, struct channel **out, struct err *err);
/** channel_free(c): Says goodbye, if it can be said at once, and closes. */
void channel_free(struct channel *c);
DEFINE_AUTO(channel, channel_free)

/** channel_peer(c): The channel's, until channel_call(). */
const char *channel_peer(const struct channel *c);
/** channel_call(c, peer): It has been found who it is. */
void channel_call(struct channel *c, const char *peer);

/**
 * channel_times(c, idle, within):
 * Milliseconds that receiving waits for a frame to begin (0: for ever), and
 * then for the rest of it; and sending for the other side to take a frame.
 */
void channel_times(struct channel *c, unsigned idle, unsigned within);

/**
 * channel_meet(c, until):
 * Until it is known who is on the other side: no PING has a place, and what is
 * waited for, in all calls together, has to come before ${until}, as
 * channel_clock() says. 0: it is known.
 */
void channel_meet(struct channel *c, int64_t until);
/**
 * channel_silent(c):
 * For how many milliseconds nothing was said, either way, but that somebody is
 * there: no frame but PING and PONG has come or gone. From any thread.
 */
int64_t channel_silent(const struct channel *c);
/** channel_clock(): Milliseconds of a clock that nobody sets. */
int64_t channel_clock(void);

/**
 * channel_limit(c, rate):
 * Move at most ${rate} bytes a second of DATA, either way; 0: no limit.
 */
void channel_limit(struct channel *c, uint64_t rate);

/** channel_stop_reading(c), channel_stop(c): As those of tls.h. */
void channel_stop_reading(struct channel *c);
void channel_stop(struct channel *c);

/** channel_send(c, type, body, err): ${body} NULL: none. Errors: tls_write()'s.
 */
NODISCARD int channel_send(struct channel *c, enum frame_type type,
    const struct wr *body, struct err *err);

/**
 * channel_send_data(c, buf, len, err):
 * A DATA frame with ${len} bytes (1 to FRAME_MAX), which lie at ${buf} +
 * FRAME_HEAD: the head is put before them.
 */
NODISCARD int channel_send_data(
    struct channel *c, uint8_t *buf, size_t len, struct err *err);

/** channel_send_error(c, why): Tell the other side; whether it hears or not. */
void channel_send_error(struct channel *c, const struct err *why);

/* A frame that came; the body is the channel's, until the next. */
struct frame {
	enum frame_type type;
	const uint8_t *body;
	size_t len;
};

/**
 * channel_receive(c, out, err):
 * FRAME_END: the other side said goodbye between frames.
 * Errors: what an ERROR frame says, led by who says it; those of tls_read() and
 * frame_parse_head().
 */
NODISCARD int channel_receive(
    struct channel *c, struct frame *out, struct err *err);

/**
 * channel_expect(c, type, out, err):
 * Receive a frame that must be of that type. Errors: ERR_CORRUPT another one;
 * ERR_IO a goodbye.
 */
NODISCARD int channel_expect(struct channel *c, enum frame_type type,
    struct frame *out, struct err *err);

/**
 * channel_unexpected(f, err): ${f} has no place there: ERR_CORRUPT, or ERR_IO.
 */
int channel_unexpected(const struct frame *f, struct err *err);

#endif
