#ifndef TOOLS_SESSION_KNOWN_H
#define TOOLS_SESSION_KNOWN_H

/* Private to session.c: whether a store is the one that is meant. */
#include "tools/session.h"

/**
 * session_remember(s, args, err):
 * Hold the store to what is known of it, or get to know it: ${s}->heads and
 * state_dir. Errors: see session_open().
 */
NODISCARD int session_remember(
    struct session *s, const struct store_args *args, struct err *err);

/**
 * session_compare(s, args, err):
 * ERR_AUTH where the store is not the one that is meant, or that was seen.
 * Nothing is remembered; what can't be told is another failure, for who has
 * one to tell already.
 */
NODISCARD int session_compare(
    const struct session *s, const struct store_args *args, struct err *err);

#endif
