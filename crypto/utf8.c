#include "crypto/utf8.h"

#include <stdint.h>

/* The bytes a character takes, by its first one; 0: none starts so. */
static size_t
char_len(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

/* The character at p, in n bytes that are all there; -1: malformed. */
static int32_t
decode(const uint8_t *p, size_t n)
{
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	int32_t c = n == 1 ? p[0] : p[0] & (0x7f >> n);

	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	return c;
}

static bool
is_control(int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

static bool
is_hidden(int32_t c)
{
	return c == 0xad || c == 0x61c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static bool
each_fits(const char *s, size_t len, bool plain)
{
	const uint8_t *p = (const uint8_t *)s;

	while (len > 0) {
		size_t n = char_len(*p);
		int32_t c;

		if (n == 0 || n > len)
			return false;
		c = decode(p, n);
		if (c < 0 || is_control(c) || (plain && is_hidden(c)))
			return false;
		p += n;
		len -= n;
	}
	return true;
}

bool
utf8_printable(const char *s, size_t len)
{
	return each_fits(s, len, false);
}

bool
utf8_plain(const char *s, size_t len)
{
	return each_fits(s, len, true);
}
