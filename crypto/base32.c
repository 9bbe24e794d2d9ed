#include "crypto/base32.h"

#define GROUP 4

void
base32_encode(const uint8_t *buf, size_t len, char *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	size_t chars = (len * 8 + 4) / 5;
	size_t next = 0;
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < chars; i++) {
		if (i > 0 && i % GROUP == 0)
			*out++ = '-';
		if (have < 5) {
			bits = bits << 8 | (next < len ? buf[next++] : 0);
			have += 8;
		}
		have -= 5;
		*out++ = alphabet[bits >> have & 31];
		bits &= (1u << have) - 1;
	}
	*out = '\0';
}

/* The five bits of c; -1: to be skipped; -2: not one of the alphabet. */
static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	if (c == '-' || c == ' ' || (c >= '\t' && c <= '\r'))
		return -1;
	return -2;
}

bool
base32_decode(const char *text, uint8_t *out, size_t len)
{
	size_t done = 0, chars = 0;
	unsigned bits = 0, have = 0;

	for (; *text != '\0'; text++) {
		int d = digit(*text);

		if (d == -1)
			continue;
		if (d < 0 || ++chars > (len * 8 + 4) / 5)
			return false;
		bits = bits << 5 | (unsigned)d;
		have += 5;
		if (have >= 8) {
			have -= 8;
			out[done++] = (uint8_t)(bits >> have);
			bits &= (1u << have) - 1;
		}
	}
	/* All there, and the bits that fill the last character are zero. */
	return done == len && chars == (len * 8 + 4) / 5 && bits == 0;
}
