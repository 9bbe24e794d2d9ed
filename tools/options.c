#include "tools/options.h"

#include "tools/number.h"
#include "tools/suggest.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 64
#define GROUPS_MAX 8

/* An option where it was found. */
struct found {
	const struct option *option;
	const struct option_group *group;
};

static const char *
prefix_of(const struct option_group *g)
{
	return g->prefix != NULL ? g->prefix : "";
}

/* Whether ${name}, of ${len} characters, is the full name of the option. */
static bool
has_name(const struct option_group *g, const struct option *o, const char *name,
    size_t len)
{
	size_t skip = strlen(prefix_of(g));

	return len == skip + strlen(o->name) &&
	       memcmp(name, prefix_of(g), skip) == 0 &&
	       memcmp(name + skip, o->name, len - skip) == 0;
}

static bool
find_name(const struct option_group *groups, size_t n, const char *name,
    size_t len, struct found *out)
{
	for (size_t g = 0; g < n; g++) {
		for (size_t i = 0; i < groups[g].n; i++) {
			const struct option *o = &groups[g].options[i];

			if (!has_name(&groups[g], o, name, len))
				continue;
			*out = (struct found){o, &groups[g]};
			return true;
		}
	}
	return false;
}

static bool
find_letter(
    const struct option_group *groups, size_t n, char letter, struct found *out)
{
	for (size_t g = 0; g < n; g++) {
		for (size_t i = 0; i < groups[g].n; i++) {
			const struct option *o = &groups[g].options[i];

			if (groups[g].prefix != NULL || o->letter != letter)
				continue;
			*out = (struct found){o, &groups[g]};
			return true;
		}
	}
	return false;
}

static int
unknown_name(const struct option_group *groups, size_t n, const char *name,
    size_t len, struct err *err)
{
	char typed[NAME_MAX_LEN];
	char names[48][NAME_MAX_LEN];
	size_t used = 0;
	struct suggest s = {.typed = typed};

	(void)snprintf(typed, sizeof(typed), "%.*s", (int)len, name);
	for (size_t g = 0; g < n; g++) {
		for (size_t i = 0; i < groups[g].n; i++) {
			if (used == ARRAY_LEN(names))
				break;
			(void)snprintf(names[used], NAME_MAX_LEN, "%s%s",
			    prefix_of(&groups[g]), groups[g].options[i].name);
			suggest_offer(&s, names[used++]);
		}
	}
	if (s.best == NULL)
		return err_set(err, ERR_USAGE, "no option '--%s'", typed);
	return err_set(err, ERR_USAGE, "no option '--%s'; did you mean '--%s'?",
	    typed, s.best);
}

static int
list_add(struct option_list *list, const struct option *o, const char *text,
    struct err *err)
{
	struct option_item *items =
	    reallocarray(list->items, list->n + 1, sizeof(*items));

	if (items == NULL)
		return err_nomem(err);
	list->items = items;
	items[list->n++] = (struct option_item){text, o};
	return 0;
}

/* A parse on its way. */
struct parse {
	const struct option_group *groups;
	size_t n;
	void *values;
	bool given[GROUPS_MAX]; /* whether any of a group's options was */
};

static int
store_value(
    struct parse *p, const struct found *f, const char *text, struct err *err)
{
	const struct option *o = f->option;
	void *value = (char *)p->values + f->group->base + o->offset;
	int r = 0;

	p->given[f->group - p->groups] = true;
	switch (o->type) {
	case OPTION_FLAG:
		*(bool *)value = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)value = text;
		return 0;
	case OPTION_LIST:
		return list_add(value, o, text, err);
	case OPTION_NUMBER:
		r = number_parse(text, o->min, o->max, value, err);
		break;
	case OPTION_SIZE:
		r = number_size(text, o->min, o->max, value, err);
		break;
	}
	if (r != 0)
		return err_wrap(err, "--%s%s", prefix_of(f->group), o->name);
	return 0;
}

/* '--name', '--name=value' or '--name value'; how many words in *${used}. */
static int
parse_long(struct parse *p, char *const *argv, size_t *used, struct err *err)
{
	const char *name = argv[0] + 2;
	const char *value = strchr(name, '=');
	size_t len = value != NULL ? (size_t)(value - name) : strlen(name);
	struct found f;

	*used = 1;
	if (!find_name(p->groups, p->n, name, len, &f))
		return unknown_name(p->groups, p->n, name, len, err);
	if (value != NULL) {
		value++;
		if (f.option->arg == NULL)
			return err_set(err, ERR_USAGE,
			    "option '--%.*s' takes no value", (int)len, name);
	} else if (f.option->arg != NULL) {
		value = argv[1];
		*used = 2;
		if (value == NULL)
			return err_set(err, ERR_USAGE, "option '--%s' needs %s",
			    name, f.option->arg);
	}
	return store_value(p, &f, value, err);
}

/* '-q', '-qv', '-sVALUE' or '-s VALUE'. */
static int
parse_letters(struct parse *p, char *const *argv, size_t *used, struct err *err)
{
	*used = 1;
	for (const char *at = argv[0] + 1; *at != '\0'; at++) {
		const char *value = NULL;
		struct found f;
		int r;

		if (!find_letter(p->groups, p->n, *at, &f))
			return err_set(err, ERR_USAGE, "no option '-%c'", *at);
		if (f.option->arg != NULL) {
			value = at[1] != '\0' ? at + 1 : argv[1];
			if (at[1] == '\0')
				*used = 2;
			if (value == NULL)
				return err_set(err, ERR_USAGE,
				    "option '-%c' needs %s", *at,
				    f.option->arg);
		}
		r = store_value(p, &f, value, err);
		if (r != 0 || value != NULL)
			return r;
	}
	return 0;
}

static int
operands_add(struct operands *o, const char *text, struct err *err)
{
	const char **v = reallocarray(o->v, o->n + 1, sizeof(*v));

	if (v == NULL)
		return err_nomem(err);
	o->v = v;
	v[o->n++] = text;
	return 0;
}

void
operands_clear(struct operands *o)
{
	free(o->v);
	*o = (struct operands){0};
}

/*
 * The environment stands in for what was not given; but not for a group of
 * which something was: who names a command for the passphrase does not mean
 * the file that the environment has. Some stand apart: who gives a fingerprint
 * may well mean the store that the environment has.
 */
static void
one_from_environment(const struct parse *p, size_t g, size_t i)
{
	const struct option_group *group = &p->groups[g];
	const struct option *o = &group->options[i];
	char *at = (char *)p->values + group->base + o->offset;
	const char **value = (void *)at;
	const char *env;

	if (o->env == NULL || group->prefix != NULL)
		return;
	if (*value != NULL || (p->given[g] && !group->apart))
		return;
	env = getenv(o->env);
	if (env != NULL && *env != '\0')
		*value = env;
}

static void
from_environment(const struct parse *p)
{
	for (size_t g = 0; g < p->n; g++)
		for (size_t i = 0; i < p->groups[g].n; i++)
			one_from_environment(p, g, i);
}

int
options_parse(const struct option_group *groups, size_t n, char *const *argv,
    void *values, struct operands *operands, struct err *err)
{
	struct parse p = {.groups = groups, .n = n, .values = values};
	bool only_operands = false;

	if (n > GROUPS_MAX)
		return err_set(err, ERR_BUG, "too many groups of options");
	while (*argv != NULL) {
		const char *arg = *argv;
		size_t used = 1;
		int r = 0;

		if (only_operands || arg[0] != '-' || arg[1] == '\0')
			r = operands_add(operands, arg, err);
		else if (strcmp(arg, "--") == 0)
			only_operands = true;
		else if (arg[1] == '-')
			r = parse_long(&p, argv, &used, err);
		else
			r = parse_letters(&p, argv, &used, err);
		if (r != 0)
			return r;
		argv += used;
	}
	from_environment(&p);
	return 0;
}

void
options_clear(const struct option_group *groups, size_t n, void *values)
{
	for (size_t g = 0; g < n; g++) {
		for (size_t i = 0; i < groups[g].n; i++) {
			const struct option *o = &groups[g].options[i];
			struct option_list *list =
			    (void *)((char *)values + groups[g].base +
				     o->offset);

			if (o->type != OPTION_LIST)
				continue;
			free(list->items);
			*list = (struct option_list){0};
		}
	}
}
