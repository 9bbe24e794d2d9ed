#include "tools/escape.h"

#include "crypto/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * The bytes of the UTF-8 sequence that ${lead} starts, by the lead alone; 0
 * when none starts so.
 */
static size_t
sequence_len(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

/*
 * U+200E, U+200F, U+202A to U+202E and U+2066 to U+2069 turn the direction of
 * writing, U+2028 and U+2029 end a line: all can make a name look like another.
 */
static bool
misleads(const uint8_t *p, size_t n)
{
	if (n != 3 || p[0] != 0xe2)
		return false;
	if (p[1] == 0x80)
		return p[2] == 0x8e || p[2] == 0x8f ||
		       (p[2] >= 0xa8 && p[2] <= 0xae);
	return p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
}

/* How many bytes at ${p} form one character that may be printed; 0: none. */
static size_t
printable(const uint8_t *p, size_t left)
{
	size_t n = sequence_len(p[0]);

	if (n == 0 || n > left || !utf8_printable((const char *)p, n) ||
	    misleads(p, n))
		return 0;
	return n;
}

static size_t
octal(uint8_t c, char *out)
{
	out[0] = '\\';
	out[1] = (char)('0' + (c >> 6));
	out[2] = (char)('0' + ((c >> 3) & 7));
	out[3] = (char)('0' + (c & 7));
	return 4;
}

/* One character, or one byte that is none; advances ${p}. */
static size_t
escape_one(const uint8_t **p, const uint8_t *end, bool backslash, char *out)
{
	size_t n;

	if (backslash && **p == '\\') {
		(*p)++;
		memcpy(out, "\\\\", 2);
		return 2;
	}
	n = printable(*p, (size_t)(end - *p));
	if (n == 0)
		return octal(*(*p)++, out);
	memcpy(out, *p, n);
	*p += n;
	return n;
}

size_t
escape_name(const void *name, size_t len, char *out)
{
	const uint8_t *p = name;
	const uint8_t *end = p + len;
	size_t n = 0;

	while (p < end)
		n += escape_one(&p, end, true, out + n);
	out[n] = '\0';
	return n;
}

static void
print(FILE *f, const void *text, size_t len, bool backslash)
{
	const uint8_t *p = text;
	const uint8_t *end = p + len;
	char one[4];

	while (p < end) {
		size_t n = escape_one(&p, end, backslash, one);

		(void)fwrite(one, 1, n, f);
	}
}

void
escape_print(FILE *f, const void *name, size_t len)
{
	print(f, name, len, true);
}

void
escape_message(FILE *f, const char *text)
{
	print(f, text, strlen(text), false);
}
