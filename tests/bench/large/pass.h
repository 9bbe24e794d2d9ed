#ifndef TESTS_BENCH_LARGE_PASS_H
#define TESTS_BENCH_LARGE_PASS_H

/* The passphrase of every store that is made here. */
#include "crypto/err.h"
#include "crypto/secret.h"

#include <string.h>

/* As struct credential wants it. */
static inline int
give_pass(
    UNUSED void *arg, UNUSED const char *name, char **pass, struct err *err)
{
	*pass = secret_alloc(sizeof("bench"));
	if (*pass == NULL)
		return err_nomem(err);
	memcpy(*pass, "bench", sizeof("bench"));
	return 0;
}

#endif
