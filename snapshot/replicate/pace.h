#ifndef SNAPSHOT_REPLICATE_PACE_H
#define SNAPSHOT_REPLICATE_PACE_H

/*
 * A rate that is not exceeded: each piece waits until those before it would
 * have gone at that rate. Thread: safe.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pace {
	pthread_mutex_t mu;
	pthread_cond_t stopping;
	uint64_t rate; /* guarded by mu: bytes a second, 0: any */
	int64_t due;   /* guarded by mu: ns at which the next may go */
	bool stopped;  /* guarded by mu */
};

void pace_init(struct pace *p);
void pace_clear(struct pace *p);
/** pace_set(p, rate): Bytes a second; 0: no limit. */
void pace_set(struct pace *p, uint64_t rate);
/** pace_wait(p, n): Returns when ${n} bytes may go, or after pace_stop(). */
void pace_wait(struct pace *p, size_t n);
/** pace_stop(p): Nobody waits any more. */
void pace_stop(struct pace *p);

#endif
