#include "snapshot/access/access.h"

#include "snapshot/access/access_internal.h"

#include <stdlib.h>
#include <string.h>

void
access_close(struct access *a)
{
	if (a == NULL)
		return;
	access_dataset_free(a);
	access_wanted_all(a);
	access_keys_free(a);
	free(a->admins);
	master_free(a->master);
	identity_free(a->identity);
	store_close(a->store);
	free(a);
}

int64_t
access_now(const struct access *a)
{
	return a->clock.now(a->clock.arg);
}

struct store *
access_store(const struct access *a)
{
	return a->store;
}

const struct root *
access_root(const struct access *a)
{
	return &a->root;
}

const struct identity *
access_identity(const struct access *a)
{
	return a->identity;
}

bool
access_is_admin(const struct access *a)
{
	return a->master != NULL;
}

size_t
access_datasets(const struct access *a)
{
	return a->nlisted;
}

const struct dataset *
access_dataset(const struct access *a, size_t i)
{
	return &a->listed[i]->ds;
}

static int
compare_to_slot(const void *name, const void *slot)
{
	const struct slot *const *s = slot;

	return strcmp(name, (*s)->ds.name);
}

const struct dataset *
access_find(const struct access *a, const char *name)
{
	struct slot **slot = NULL;

	if (a->nlisted > 0)
		slot = bsearch(name, a->listed, a->nlisted,
		    sizeof(struct slot *), compare_to_slot);
	return slot == NULL ? NULL : &(*slot)->ds;
}

int
access_refresh(struct access *a, bool *changed, struct err *err)
{
	bool loaded;
	int ret;

	*changed = false;
	if ((ret = access_keys_load(a, &loaded, err)) != 0)
		return ret;
	a->stale |= loaded;
	if (a->stale && (ret = access_trust_admins(a, err)) != 0)
		return ret;
	return access_dataset_update(a, changed, err);
}
