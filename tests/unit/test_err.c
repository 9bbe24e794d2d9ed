#include "crypto/err.h"

#include "tests/unit/hex.h"

#include <errno.h>

static void
err_set__records_and_returns_the_code(void **state)
{
	struct err err = {.errnum = 5};

	(void)state;
	assert_int_equal(
	    err_set(&err, ERR_CORRUPT, "pack '%s' is cut short", "ab"),
	    ERR_CORRUPT);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_int_equal(err.errnum, 0);
	assert_string_equal(err.text, "pack 'ab' is cut short");
}

static void
err_set__takes_no_err(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_FULL, "%d", 1), ERR_FULL);
	assert_int_equal(err_nomem(NULL), ERR_NOMEM);
	errno = EACCES;
	assert_int_equal(err_errno(NULL, "x"), ERR_DENIED);
}

static void
err_errno__maps_errno_to_codes(void **state)
{
	static const struct {
		int errnum, code;
	} cases[] = {
	    {ENOENT, ERR_NOT_FOUND},
	    {ENOTDIR, ERR_NOT_FOUND},
	    {EACCES, ERR_DENIED},
	    {EPERM, ERR_DENIED},
	    {EROFS, ERR_DENIED},
	    {ENOSPC, ERR_FULL},
	    {EDQUOT, ERR_FULL},
	    {EFBIG, ERR_FULL},
	    {EMFILE, ERR_NOMEM},
	    {ENOMEM, ERR_NOMEM},
	    {EIO, ERR_IO},
	    {EISDIR, ERR_IO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = {0};

		errno = cases[i].errnum;
		assert_int_equal(
		    err_errno(&err, "cannot open '%s'", "f"), cases[i].code);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(err.errnum, cases[i].errnum);
	}
}

static void
err_errno__appends_what_the_system_says(void **state)
{
	struct err err;

	(void)state;
	errno = ENOENT;
	(void)err_errno(&err, "cannot open '%s'", "f");
	assert_string_equal(
	    err.text, "cannot open 'f': No such file or directory");
}

static void
err_wrap__puts_context_in_front(void **state)
{
	struct err err;

	(void)state;
	errno = EIO;
	(void)err_errno(&err, "cannot read");
	assert_int_equal(err_wrap(&err, "store '%s'", "/b"), ERR_IO);
	assert_string_equal(
	    err.text, "store '/b': cannot read: Input/output error");
	assert_int_equal(err.errnum, EIO);
}

static void
err__cuts_long_texts(void **state)
{
	static char text[5000];
	struct err err;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	(void)err_set(&err, ERR_IO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	(void)err_wrap(&err, "front");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "front: xxx", 10);
	errno = EIO;
	(void)err_errno(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void
err_copy__copies(void **state)
{
	struct err a, b = {0};

	(void)state;
	(void)err_set(&a, ERR_LOCKED, "busy");
	assert_int_equal(err_copy(&b, &a), ERR_LOCKED);
	assert_string_equal(b.text, "busy");
	assert_int_equal(err_copy(NULL, &a), ERR_LOCKED);
	assert_int_equal(err_copy(&a, &a), ERR_LOCKED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(err_set__records_and_returns_the_code),
	    cmocka_unit_test(err_set__takes_no_err),
	    cmocka_unit_test(err_errno__maps_errno_to_codes),
	    cmocka_unit_test(err_errno__appends_what_the_system_says),
	    cmocka_unit_test(err_wrap__puts_context_in_front),
	    cmocka_unit_test(err__cuts_long_texts),
	    cmocka_unit_test(err_copy__copies),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
