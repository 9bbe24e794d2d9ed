#ifndef CRYPTO_BASE32_H
#define CRYPTO_BASE32_H

/*
 * Private to this folder: base32 (RFC 4648, section 6, without padding) in
 * groups of four characters with '-' between, for people to read and type.
 * Thread: safe.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The characters, groups and NUL that ${n} bytes take. */
#define BASE32_TEXT(n) (((n)*8 + 4) / 5 + (((n)*8 + 4) / 5 - 1) / 4 + 1)

/** base32_encode(buf, len, out): ${out} has room for BASE32_TEXT(len). */
void base32_encode(const uint8_t *buf, size_t len, char *out);

/**
 * base32_decode(text, out, len):
 * Whether ${text} stands for exactly ${len} bytes, which ${out} receives. Case,
 * blanks and '-' don't matter.
 */
bool base32_decode(const char *text, uint8_t *out, size_t len);

#endif
