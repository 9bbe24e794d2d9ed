#include "tools/mount_options.h"

#include "fs/mount.h"
#include "tools/number.h"
#include "tools/suggest.h"

#include <stdlib.h>
#include <string.h>

enum word_type {
	WORD_FLAG,    /* bool */
	WORD_TEXT,    /* const char * */
	WORD_CACHE,   /* uint64_t */
	WORD_FUSE,    /* handed on to libfuse */
	WORD_LABEL,   /* the same, with its value */
	WORD_IGNORED, /* mount(8)'s own, or so for every mount of Varve */
};

struct word {
	const char *name;
	enum word_type type;
	size_t offset;
};

#define STORE_AT(member)                                                       \
	(offsetof(struct mount_args, store) +                                  \
	    offsetof(struct store_args, member))

/*
 * All of mount(8)'s for every filesystem, but for 'remount': what a mount has read
 * when it began stays.
 */
static const struct word words[] = {
    {"allow_other", WORD_FLAG, offsetof(struct mount_args, allow_other)},
    {"no_sharing", WORD_FLAG, offsetof(struct mount_args, no_sharing)},
    {"dataset", WORD_TEXT, offsetof(struct mount_args, dataset)},
    {"cache", WORD_CACHE, offsetof(struct mount_args, cache)},
    {"person", WORD_TEXT, STORE_AT(person)},
    {"passphrase_file", WORD_TEXT, STORE_AT(passphrase_file)},
    {"passphrase_command", WORD_TEXT, STORE_AT(passphrase_command)},
    {"key_file", WORD_TEXT, STORE_AT(key_file)},
    {"recovery_key_file", WORD_TEXT, STORE_AT(recovery_key_file)},
    {"dev", WORD_FUSE, 0},
    {"nodev", WORD_FUSE, 0},
    {"suid", WORD_FUSE, 0},
    {"nosuid", WORD_FUSE, 0},
    {"exec", WORD_FUSE, 0},
    {"noexec", WORD_FUSE, 0},
    {"atime", WORD_FUSE, 0},
    {"noatime", WORD_FUSE, 0},
    {"context", WORD_LABEL, 0},
    {"fscontext", WORD_LABEL, 0},
    {"defcontext", WORD_LABEL, 0},
    {"rootcontext", WORD_LABEL, 0},
    {"ro", WORD_IGNORED, 0},
    {"rw", WORD_IGNORED, 0},
    {"defaults", WORD_IGNORED, 0},
    {"auto", WORD_IGNORED, 0},
    {"noauto", WORD_IGNORED, 0},
    {"user", WORD_IGNORED, 0},
    {"nouser", WORD_IGNORED, 0},
    {"users", WORD_IGNORED, 0},
    {"nousers", WORD_IGNORED, 0},
    {"owner", WORD_IGNORED, 0},
    {"noowner", WORD_IGNORED, 0},
    {"group", WORD_IGNORED, 0},
    {"nogroup", WORD_IGNORED, 0},
    {"nofail", WORD_IGNORED, 0},
    {"_netdev", WORD_IGNORED, 0},
    {"diratime", WORD_IGNORED, 0},
    {"nodiratime", WORD_IGNORED, 0},
    {"relatime", WORD_IGNORED, 0},
    {"norelatime", WORD_IGNORED, 0},
    {"strictatime", WORD_IGNORED, 0},
    {"nostrictatime", WORD_IGNORED, 0},
    {"lazytime", WORD_IGNORED, 0},
    {"nolazytime", WORD_IGNORED, 0},
    {"sync", WORD_IGNORED, 0},
    {"async", WORD_IGNORED, 0},
    {"dirsync", WORD_IGNORED, 0},
    {"iversion", WORD_IGNORED, 0},
    {"noiversion", WORD_IGNORED, 0},
    {"mand", WORD_IGNORED, 0},
    {"nomand", WORD_IGNORED, 0},
    {"silent", WORD_IGNORED, 0},
    {"loud", WORD_IGNORED, 0},
    {"symfollow", WORD_IGNORED, 0},
    {"nosymfollow", WORD_IGNORED, 0},
};

static bool
is_comment(const char *text)
{
	return strncmp(text, "x-", 2) == 0 || strncmp(text, "X-", 2) == 0 ||
	       strncmp(text, "comment=", strlen("comment=")) == 0 ||
	       strncmp(text, "user=", strlen("user=")) == 0;
}

static const struct word *
find_word(const char *name, struct err *err)
{
	char hint[SUGGEST_HINT];
	struct suggest near = {.typed = name};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
		suggest_offer(&near, words[i].name);
	}
	(void)err_set(err, ERR_USAGE, "no mount option '%s'%s", name,
	    suggest_hint(&near, hint));
	return NULL;
}

static int
add_fuse(struct mount_options *m, const char *name, struct err *err)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s", m->fuse != NULL ? m->fuse : "",
		m->fuse != NULL ? "," : "", name) < 0)
		return err_nomem(err);
	free(m->fuse);
	m->fuse = joined;
	return 0;
}

static bool
wants_value(enum word_type type)
{
	return type == WORD_TEXT || type == WORD_CACHE || type == WORD_LABEL;
}

/* ${value} is what stands in ${piece} after a '=', which is cut off there. */
static int
take_word(struct mount_args *args, struct mount_options *m,
    const struct word *w, char *piece, char *value, struct err *err)
{
	void *at = (char *)args + w->offset;

	switch (w->type) {
	case WORD_FLAG:
		*(bool *)at = true;
		return 0;
	case WORD_TEXT:
		*(const char **)at = value;
		return 0;
	case WORD_CACHE:
		return number_size(
		    value, FS_CACHE_MIN, MOUNT_CACHE_MAX, at, err);
	case WORD_LABEL:
		value[-1] = '=';
		return add_fuse(m, piece, err);
	case WORD_FUSE:
		return add_fuse(m, piece, err);
	case WORD_IGNORED:
		break;
	}
	return 0;
}

/* One piece of a list, 'name' or 'name=value'; it is cut at the '='. */
static int
apply_one(struct mount_args *args, struct mount_options *m, char *piece,
    struct err *err)
{
	char *value = strchr(piece, '=');
	const struct word *w;

	if (piece[0] == '\0' || is_comment(piece))
		return 0;
	if (value != NULL)
		*value++ = '\0';
	if (strcmp(piece, "remount") == 0)
		return err_set(err, ERR_USAGE,
		    "a mount can't be mounted anew by 'remount': unmount it, "
		    "and mount it again");
	w = find_word(piece, err);
	if (w == NULL)
		return ERR_USAGE;
	if (wants_value(w->type) != (value != NULL))
		return err_set(err, ERR_USAGE, "mount option '%s' %s", piece,
		    value != NULL ? "takes no value" : "needs a value");
	return take_word(args, m, w, piece, value, err);
}

static int
apply_list(struct mount_args *args, struct mount_options *m, const char *text,
    struct err *err)
{
	char **lists = reallocarray(m->lists, m->nlists + 1, sizeof(*lists));
	char *rest;
	char *piece;
	int r = 0;

	if (lists == NULL)
		return err_nomem(err);
	m->lists = lists;
	rest = strdup(text);
	lists[m->nlists++] = rest;
	if (rest == NULL)
		return err_nomem(err);
	while (r == 0 && (piece = strsep(&rest, ",")) != NULL)
		r = apply_one(args, m, piece, err);
	return r;
}

int
mount_options_apply(
    struct mount_args *args, struct mount_options *out, struct err *err)
{
	int r = 0;

	*out = (struct mount_options){0};
	for (size_t i = 0; r == 0 && i < args->options.n; i++)
		r = apply_list(args, out, args->options.items[i].text, err);
	return r;
}

void
mount_options_clear(struct mount_options *m)
{
	for (size_t i = 0; i < m->nlists; i++)
		free(m->lists[i]);
	free(m->lists);
	free(m->fuse);
	*m = (struct mount_options){0};
}
