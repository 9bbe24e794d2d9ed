#ifndef TESTS_UNIT_HEX_H
#define TESTS_UNIT_HEX_H

/* Published vectors as they are printed: hexadecimal text. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline unsigned
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";

	return (unsigned)(strchr(digits, c) - digits);
}

/** hex(text, out): Decode; returns the number of bytes. */
static inline size_t
hex(const char *text, void *out)
{
	uint8_t *p = out;
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 |
				 hex_digit(text[2 * i + 1]));
	return n;
}

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/** assert_hex(buf, text): That ${buf} begins with the bytes ${text} shows. */
#define assert_hex(buf, text)                                                  \
	do {                                                                   \
		uint8_t want_[sizeof(text)];                                   \
		size_t len_ = hex(text, want_);                                \
		assert_memory_equal(buf, want_, len_);                         \
	} while (0)

#endif
