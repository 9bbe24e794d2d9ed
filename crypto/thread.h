#ifndef CRYPTO_THREAD_H
#define CRYPTO_THREAD_H

/*
 * Threads to which no signal is delivered: signals are the program's business,
 * and go to the threads it chose for them.
 */
#include "crypto/attr.h"

#include <pthread.h>

/** thread_start(out, run, arg): As pthread_create(): 0, or an errno. */
NODISCARD int thread_start(pthread_t *out, void *(*run)(void *arg), void *arg);

#endif
