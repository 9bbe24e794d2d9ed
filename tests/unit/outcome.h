#ifndef TESTS_UNIT_OUTCOME_H
#define TESTS_UNIT_OUTCOME_H

/*
 * How a call ended that is handed an 'err': each of these brings one of its
 * own, whose code has to be the one that the call returned when it failed, and
 * which a call that succeeded has to have left alone.
 */
#include "crypto/err.h"

#include <string.h>

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What it returned: 0 or more, or a code; another is printed with its text. */
#define assert_rc(want, call)                                                  \
	do {                                                                   \
		struct err err = {0};                                          \
		int rc_ = (call);                                              \
		if (rc_ != (want))                                             \
			fail_msg("%d (%s), not %d", rc_,                       \
			    rc_ < 0 ? err.text : "done", (int)(want));         \
		assert_int_equal(err.code, rc_ < 0 ? rc_ : 0);                 \
	} while (0)
#define assert_ok(call) assert_rc(0, call)

/* The failure's code, and that its message says ${part}. */
#define assert_fails(want, part, call)                                         \
	do {                                                                   \
		struct err err = {0};                                          \
		int rc_ = (call);                                              \
		assert_int_equal(rc_, want);                                   \
		assert_int_equal(err.code, want);                              \
		if (strstr(err.text, part) == NULL)                            \
			fail_msg("'%s' is not in: %s", part, err.text);        \
	} while (0)

#endif
