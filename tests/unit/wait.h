#ifndef TESTS_UNIT_WAIT_H
#define TESTS_UNIT_WAIT_H

#include "crypto/attr.h"

#include <time.h>

/* Where nothing tells that it has come to it. */
static inline UNUSED void
wait_ms(unsigned ms)
{
	const struct timespec t = {
	    .tv_sec = ms / 1000, .tv_nsec = 1000000L * (ms % 1000)};

	(void)nanosleep(&t, NULL);
}

#endif
