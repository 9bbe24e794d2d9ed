#ifndef CRYPTO_ATTR_H
#define CRYPTO_ATTR_H

/*
 * Compiler attributes and ownership helpers used by every layer.
 *
 * AUTO(type) frees a local when it leaves scope:
 *	AUTO(buf) struct buf *b = NULL;		calls buf_free(b)
 * A module makes its type usable so with DEFINE_AUTO(type, free_function).
 * STEAL(p) hands such a local to the caller: yields p and leaves NULL behind.
 */
#include <stddef.h>

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))

#define AUTO(type) __attribute__((cleanup(type##_auto)))
#define DEFINE_AUTO(type, fn)                                                  \
	static inline UNUSED void type##_auto(struct type **p)                 \
	{                                                                      \
		fn(*p);                                                        \
	}

#define STEAL(p)                                                               \
	({                                                                     \
		__typeof__(p) stolen_ = (p);                                   \
		(p) = NULL;                                                    \
		stolen_;                                                       \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
