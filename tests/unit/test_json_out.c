#include "tools/json_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* What is written, until it is looked at. */
struct written {
	char *text;
	size_t len;
	FILE *f;
	struct json_out o;
};

static void
begin(struct written *w)
{
	*w = (struct written){0};
	w->f = open_memstream(&w->text, &w->len);
	assert_non_null(w->f);
	json_out_begin(&w->o, w->f, "test");
}

static void
expect(
    struct written *w, int status, const struct err *failure, const char *want)
{
	struct err err = {0};
	json_t *parsed;

	assert_int_equal(json_out_finish(&w->o, status, failure, &err), 0);
	assert_int_equal(fclose(w->f), 0);
	assert_string_equal(w->text, want);
	parsed = json_loads(w->text, 0, NULL);
	assert_non_null(parsed);
	json_decref(parsed);
	free(w->text);
}

static void
finish__closes_an_object_without_members(UNUSED void **state)
{
	struct written w;

	begin(&w);
	expect(&w, 0, NULL,
	    "{\"varve\": 1, \"command\": \"test\",\n\"status\": 0}\n");
}

static void
list__is_ended_by_the_next_member(UNUSED void **state)
{
	struct written w;

	begin(&w);
	json_out_list(&w.o, "none");
	json_out_list(&w.o, "two");
	json_out_item(&w.o, json_integer(1));
	json_out_item(&w.o, json_string("b\"\033"));
	json_out_member(&w.o, "n", json_null());
	expect(&w, 4, NULL,
	    "{\"varve\": 1, \"command\": \"test\",\n\"none\": [],\n"
	    "\"two\": [\n1,\n\"b\\\"\\u001B\"\n],\n\"n\": null,\n"
	    "\"status\": 4}\n");
}

static void
finish__tells_of_a_failure_inside_a_list(UNUSED void **state)
{
	const struct err failure = {.code = ERR_NOT_FOUND, .text = "no '\xff'"};
	struct written w;

	begin(&w);
	json_out_list(&w.o, "l");
	json_out_item(&w.o, json_integer(1));
	expect(&w, 1, &failure,
	    "{\"varve\": 1, \"command\": \"test\",\n\"l\": [\n1\n],\n"
	    "\"error\": {\"code\":\"not-found\",\"text\":"
	    "{\"bytes\":\"bm8gJ/8n\"}},\n\"status\": 1}\n");
}

static void
finish__says_when_memory_ran_out(UNUSED void **state)
{
	struct err err = {0};
	struct written w;

	begin(&w);
	json_out_member(&w.o, "gone", NULL);
	assert_int_equal(json_out_finish(&w.o, 0, NULL, &err), ERR_NOMEM);
	assert_int_equal(fclose(w.f), 0);
	free(w.text);
}

static void
expect_name(const char *name, size_t len, const char *want)
{
	json_t *value = json_out_name(name, len);
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	assert_string_equal(text, want);
	free(text);
	json_decref(value);
}

/* The base64 values are those of RFC 4648, section 10, with \xff in front. */
static void
name__is_text_or_bytes(UNUSED void **state)
{
	expect_name("", 0, "\"\"");
	expect_name("a\xc3\xa4", 3, "\"a\xc3\xa4\"");
	expect_name("\xff", 1, "{\"bytes\":\"/w==\"}");
	expect_name("\xff"
		    "f",
	    2, "{\"bytes\":\"/2Y=\"}");
	expect_name("\xff"
		    "fo",
	    3, "{\"bytes\":\"/2Zv\"}");
	expect_name("\xff\xfe\xfd\xfc", 4, "{\"bytes\":\"//79/A==\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finish__closes_an_object_without_members),
	    cmocka_unit_test(list__is_ended_by_the_next_member),
	    cmocka_unit_test(finish__tells_of_a_failure_inside_a_list),
	    cmocka_unit_test(finish__says_when_memory_ran_out),
	    cmocka_unit_test(name__is_text_or_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
