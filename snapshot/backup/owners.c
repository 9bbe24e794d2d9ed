#include "snapshot/backup/owners.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUP_BUF 65536
#define OWNER_NAME_MAX 255 /* FORMAT.md section 8 */

struct owner {
	uint32_t id;
	char *name;
};

struct owners {
	void *users, *groups;                 /* of struct owner, tsearch() */
	struct owner *last_user, *last_group; /* most files have them */
	char buf[LOOKUP_BUF];
};

int
owners_new(struct owners **out, struct err *err)
{
	*out = calloc(1, sizeof(**out));
	return *out == NULL ? err_nomem(err) : 0;
}

static void
owner_free(void *p)
{
	struct owner *own = p;

	free(own->name);
	free(own);
}

void
owners_free(struct owners *o)
{
	if (o == NULL)
		return;
	tdestroy(o->users, owner_free);
	tdestroy(o->groups, owner_free);
	free(o);
}

static int
compare(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static const char *
ask_user(struct owners *o, uint32_t id)
{
	struct passwd pw, *found = NULL;

	if (getpwuid_r(id, &pw, o->buf, sizeof(o->buf), &found) != 0)
		return "";
	return found != NULL ? pw.pw_name : "";
}

static const char *
ask_group(struct owners *o, uint32_t id)
{
	struct group gr, *found = NULL;

	if (getgrgid_r(id, &gr, o->buf, sizeof(o->buf), &found) != 0)
		return "";
	return found != NULL ? gr.gr_name : "";
}

static struct owner *
look_up(struct owners *o, void **tree, uint32_t id,
    const char *(*ask)(struct owners *, uint32_t))
{
	struct owner key = {.id = id};
	struct owner **at = tfind(&key, tree, compare);
	struct owner *own;
	const char *name;

	if (at != NULL)
		return *at;
	if ((own = calloc(1, sizeof(*own))) == NULL)
		return NULL;
	name = ask(o, id);
	own->id = id;
	own->name = strdup(strlen(name) <= OWNER_NAME_MAX ? name : "");
	if (own->name == NULL || tsearch(own, tree, compare) == NULL) {
		owner_free(own);
		return NULL;
	}
	return own;
}

const char *
owners_user(struct owners *o, uid_t uid)
{
	if (o->last_user == NULL || o->last_user->id != uid)
		o->last_user = look_up(o, &o->users, uid, ask_user);
	return o->last_user != NULL ? o->last_user->name : NULL;
}

const char *
owners_group(struct owners *o, gid_t gid)
{
	if (o->last_group == NULL || o->last_group->id != gid)
		o->last_group = look_up(o, &o->groups, gid, ask_group);
	return o->last_group != NULL ? o->last_group->name : NULL;
}
