#ifndef CRYPTO_ERR_H
#define CRYPTO_ERR_H

/*
 * Errors: every function that can fail returns 0 or a negative enum err_code
 * and, when it fails, fills the caller's struct err with a sentence that names
 * the object and what happened to it. Libraries never print and never exit.
 *
 * Missing (ERR_NOT_FOUND), damaged (ERR_CORRUPT) and unreadable (ERR_IO,
 * ERR_DENIED) are never merged.
 *
 * Thread: a struct err belongs to one thread at a time.
 */
#include "crypto/attr.h"

enum err_code {
	ERR_IO = -1, /* the system refused; see errnum */
	ERR_NOMEM = -2,
	ERR_NOT_FOUND = -3,  /* the object named is not there */
	ERR_CORRUPT = -4,    /* bytes that can't be what they claim to be */
	ERR_AUTH = -5,       /* wrong passphrase or key, or tampered */
	ERR_DENIED = -6,     /* the key's role, or the system, forbids it */
	ERR_LOCKED = -7,     /* somebody else is at it */
	ERR_FULL = -8,       /* no space, or a quota */
	ERR_VERSION = -9,    /* made by a newer version */
	ERR_USAGE = -10,     /* the caller asked for something meaningless */
	ERR_BUG = -11,       /* can't happen */
	ERR_CANCELLED = -12, /* stopped on request */
};

struct err {
	int code;        /* enum err_code, 0 when unset */
	int errnum;      /* errno, or 0 */
	char text[1024]; /* lower case, no full stop, subject in quotes */
};

/**
 * err_set(err, code, fmt, ...):
 * Record a failure where it is detected. Replaces what ${err} held.
 * ${err} may be NULL. Returns ${code}.
 */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    PRINTF(3, 4);

/**
 * err_errno(err, fmt, ...):
 * Record a failed system call: the code follows from errno (ENOENT and ENOTDIR
 * NOT_FOUND; EACCES, EPERM and EROFS DENIED; ENOSPC, EDQUOT and EFBIG FULL;
 * ENOMEM, EMFILE and ENFILE NOMEM; all others IO) and ": strerror" is appended.
 * Returns the code.
 */
int err_errno(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/**
 * err_wrap(err, fmt, ...):
 * Put context in front of the recorded text ("context: text"); code and errnum
 * stay. Returns the code, which is why ${err} may not be NULL here.
 */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/** err_nomem(err): Record that memory ran out. Returns ERR_NOMEM. */
int err_nomem(struct err *err);

/** err_copy(dst, src): Copy ${src} into ${dst} (may be NULL). Returns the code.
 */
int err_copy(struct err *dst, const struct err *src);

#endif
