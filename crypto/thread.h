#ifndef CRYPTO_THREAD_H
#define CRYPTO_THREAD_H

/*
 * Threads to which no signal is delivered: signals are the program's business,
 * and go to the threads it chose for them.
 */
#include "crypto/attr.h"

#include <pthread.h>
#include <stddef.h>

/** thread_start(out, run, arg): As pthread_create(): 0, or an errno. */
NODISCARD int thread_start(pthread_t *out, void *(*run)(void *arg), void *arg);

/* Calls of less than a microsecond or two are not worth a thread. */
#define THREAD_EACH_MIN 16 /* nor are fewer calls than these */
/* The caller is one. More than two also where a disk is waited for. */
#define THREAD_EACH_THREADS 4

/**
 * thread_each(n, run, arg):
 * Call ${run}(${arg}, i) once for each i below ${n}, in no order, by several
 * threads at a time; returns when all have returned. Where no thread is to be
 * had, the caller does all of it.
 */
void thread_each(size_t n, void (*run)(void *arg, size_t i), void *arg);

#endif
