#include "tools/keep.h"

#include "tools/describe.h"
#include "tools/number.h"

#include <stdio.h>
#include <string.h>

#define COUNT(name, rule, text)                                                \
	{                                                                      \
		"keep-" name, 0, OPTION_NUMBER, "N", text, NULL,               \
		    offsetof(struct keep_args, count[rule]), 1, UINT32_MAX     \
	}

const struct option keep_options[KEEP_OPTIONS] = {
    {"keep-within", 0, OPTION_TEXT, "AGE",
	"keep all that are not older than AGE, as in 90d", NULL,
	offsetof(struct keep_args, within), 0, 0},
    COUNT("last", RULE_LAST, "keep the N newest"),
    COUNT("hourly", RULE_HOURLY, "keep the newest of each of N hours"),
    COUNT("daily", RULE_DAILY, "keep the newest of each of N days (UTC)"),
    COUNT("weekly", RULE_WEEKLY, "keep the newest of each of N weeks"),
    COUNT("monthly", RULE_MONTHLY, "keep the newest of each of N months"),
    COUNT("yearly", RULE_YEARLY, "keep the newest of each of N years"),
};

int
keep_parse(
    const struct keep_args *args, struct rules *out, bool *any, struct err *err)
{
	uint64_t seconds = 0;
	int r = 0;

	memset(out, 0, sizeof(*out));
	if (args->within != NULL)
		r = number_duration(args->within, 1, UINT32_MAX, &seconds, err);
	if (r != 0)
		return err_wrap(err, "--keep-within");
	for (size_t i = 0; i < RULES; i++)
		out->keep[i] = (uint32_t)args->count[i];
	out->keep[RULE_WITHIN] = (uint32_t)seconds;
	*any = rules_any(out);
	return 0;
}

json_t *
keep_json(const struct rules *rules)
{
	json_t *o;

	if (rules == NULL || !rules_any(rules))
		return json_null();
	o = json_object();
	for (size_t i = 0; i < RULES; i++)
		if (rules->keep[i] != 0)
			(void)json_object_set_new(o, rule_name((enum rule)i),
			    json_integer(rules->keep[i]));
	return o;
}

static const char *
bit_name(size_t i)
{
	return i == RULES ? "held" : rule_name((enum rule)i);
}

const char *
keep_why(uint32_t why, char out[KEEP_WHY])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i <= RULES; i++)
		if (why & KEEP_RULE(i))
			len += (size_t)snprintf(out + len, KEEP_WHY - len,
			    "%s%s", len > 0 ? ", " : "", bit_name(i));
	if (why & KEEP_DOUBT)
		(void)snprintf(out + len, KEEP_WHY - len, " (times in doubt)");
	return out;
}

json_t *
keep_why_json(uint32_t why)
{
	json_t *list = json_array();

	for (size_t i = 0; i <= RULES; i++)
		if (why & KEEP_RULE(i))
			(void)json_array_append_new(
			    list, json_string(bit_name(i)));
	return list;
}
