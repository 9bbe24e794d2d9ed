#include "tools/escape.h"

#include "crypto/attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
expect(const char *name, size_t len, const char *want)
{
	char out[256];

	memset(out, 'x', sizeof(out));
	assert_true(ESCAPE_ROOM(len) <= sizeof(out));
	assert_int_equal(escape_name(name, len, out), strlen(want));
	assert_string_equal(out, want);
}

#define EXPECT(name, want) expect(name, sizeof(name) - 1, want)

static void
name__leaves_ordinary_text(UNUSED void **state)
{
	EXPECT("", "");
	EXPECT("a b'\"$", "a b'\"$");
	EXPECT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa6",
	    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa6");
	EXPECT("~", "~");
}

static void
name__escapes_controls(UNUSED void **state)
{
	EXPECT("a\033[31mb", "a\\033[31mb");
	EXPECT("\n\t\x7f", "\\012\\011\\177");
	EXPECT("\0", "\\000");
	/* U+009B, a terminal's one-character CSI */
	EXPECT("\xc2\x9b", "\\302\\233");
	EXPECT("\xc2\xa0", "\xc2\xa0");
}

static void
name__escapes_what_is_not_utf8(UNUSED void **state)
{
	EXPECT("\xff", "\\377");
	EXPECT("\x80"
	       "a",
	    "\\200a");
	EXPECT("\xc3", "\\303");
	EXPECT("\xc3(", "\\303(");
	EXPECT("\xe2\x82", "\\342\\202");
	/* overlong, a surrogate, beyond U+10FFFF */
	EXPECT("\xc0\x80", "\\300\\200");
	EXPECT("\xe0\x80\x80", "\\340\\200\\200");
	EXPECT("\xed\xa0\x80", "\\355\\240\\200");
	EXPECT("\xf4\x90\x80\x80", "\\364\\220\\200\\200");
}

static void
name__escapes_turned_writing(UNUSED void **state)
{
	EXPECT("\xe2\x80\xae", "\\342\\200\\256"); /* U+202E */
	EXPECT("\xe2\x80\xa8", "\\342\\200\\250"); /* U+2028 */
	EXPECT("\xe2\x80\x8f", "\\342\\200\\217"); /* U+200F */
	EXPECT("\xe2\x81\xa6", "\\342\\201\\246"); /* U+2066 */
	EXPECT("\xe2\x80\xaf", "\xe2\x80\xaf");    /* U+202F, a space */
	EXPECT("\xe2\x81\xaa", "\xe2\x81\xaa");
}

static void
name__can_be_read_back(UNUSED void **state)
{
	EXPECT("\\", "\\\\");
	EXPECT("\\012", "\\\\012");
}

static void
message__leaves_backslashes(UNUSED void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	escape_message(f, "no 'a\\012b\033\xff'");
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, "no 'a\\012b\\033\\377'");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(name__leaves_ordinary_text),
	    cmocka_unit_test(name__escapes_controls),
	    cmocka_unit_test(name__escapes_what_is_not_utf8),
	    cmocka_unit_test(name__escapes_turned_writing),
	    cmocka_unit_test(name__can_be_read_back),
	    cmocka_unit_test(message__leaves_backslashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
