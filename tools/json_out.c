#include "tools/json_out.h"

#include "tools/exit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
dump(struct json_out *o, json_t *value)
{
	/* Nothing but ASCII may reach a terminal: names can hold controls. */
	size_t flags = JSON_ENCODE_ANY | JSON_COMPACT;

	if (isatty(fileno(o->f)) == 1)
		flags |= JSON_ENSURE_ASCII;
	if (value == NULL || json_dumpf(value, o->f, flags) != 0) {
		o->failed = o->failed || value == NULL;
		(void)fputs("null", o->f);
	}
	json_decref(value);
}

void
json_out_begin(struct json_out *o, FILE *f, const char *command)
{
	*o = (struct json_out){.f = f};
	(void)fprintf(
	    f, "{\"varve\": %d, \"command\": \"%s\"", JSON_OUT_SCHEMA, command);
}

void
json_out_member(struct json_out *o, const char *key, json_t *value)
{
	json_out_end_list(o);
	(void)fprintf(o->f, ",\n\"%s\": ", key);
	dump(o, value);
}

void
json_out_list(struct json_out *o, const char *key)
{
	json_out_end_list(o);
	(void)fprintf(o->f, ",\n\"%s\": [", key);
	o->in_list = true;
	o->first = true;
}

void
json_out_item(struct json_out *o, json_t *value)
{
	(void)fputs(o->first ? "\n" : ",\n", o->f);
	o->first = false;
	dump(o, value);
}

void
json_out_end_list(struct json_out *o)
{
	if (!o->in_list)
		return;
	(void)fputs(o->first ? "]" : "\n]", o->f);
	o->in_list = false;
}

int
json_out_finish(
    struct json_out *o, int status, const struct err *failure, struct err *err)
{
	json_out_end_list(o);
	if (failure != NULL)
		json_out_member(o, "error",
		    json_pack("{s:s, s:o}", "code", exit_word(failure->code),
			"text",
			json_out_name(failure->text, strlen(failure->text))));
	json_out_member(o, "status", json_integer(status));
	(void)fputs("}\n", o->f);
	return o->failed ? err_nomem(err) : 0;
}

/* RFC 4648, section 4. */
static void
base64(const uint8_t *p, size_t len, char *out)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)p[i] << 16;

		if (n > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (n > 2)
			v |= p[i + 2];
		*out++ = digit[v >> 18];
		*out++ = digit[v >> 12 & 63];
		*out++ = n > 1 ? digit[v >> 6 & 63] : '=';
		*out++ = n > 2 ? digit[v & 63] : '=';
	}
	*out = '\0';
}

json_t *
json_out_name(const void *name, size_t len)
{
	json_t *value = json_stringn(name, len);
	char *text;

	if (value != NULL)
		return value;
	text = malloc((len + 2) / 3 * 4 + 1);
	if (text == NULL)
		return NULL;
	base64(name, len, text);
	value = json_pack("{s:s}", "bytes", text);
	free(text);
	return value;
}
