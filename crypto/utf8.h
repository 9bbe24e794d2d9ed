#ifndef CRYPTO_UTF8_H
#define CRYPTO_UTF8_H

/* Names that people give: UTF-8 that is safe to print. */
#include <stdbool.h>
#include <stddef.h>

/**
 * utf8_printable(s, len):
 * Whether the ${len} bytes are well-formed UTF-8 (RFC 3629) without control
 * characters (U+0000 to U+001F, U+007F to U+009F).
 */
bool utf8_printable(const char *s, size_t len);

/**
 * utf8_plain(s, len):
 * The same, and without characters that don't show, or turn the direction of
 * writing, so that two names that look alike are hardly two: U+00AD, U+061C,
 * U+180E, U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F, U+FEFF.
 */
bool utf8_plain(const char *s, size_t len);

#endif
