#include "snapshot/access/access_internal.h"

#include <stdio.h>
#include <string.h>

/* The names under which datasets show: see access_datasets(). */

/* Whether ${a} is a folder of ${b}: 'a' of 'a/b'. */
static bool
is_folder(const char *a, const char *b)
{
	size_t len = strlen(a);

	return strncmp(a, b, len) == 0 && b[len] == '/';
}

bool
access_names_is_or_holds(const char *a, const char *b)
{
	return strcmp(a, b) == 0 || is_folder(a, b);
}

bool
access_names_clash(const char *a, const char *b)
{
	return access_names_is_or_holds(a, b) || is_folder(b, a);
}

/*
 * How many bytes of ${slot}'s name the digits go behind because of ${other}, or
 * SIZE_MAX. A folder yields to what lies under it only if that shows already.
 */
static size_t
clash_at(const struct slot *slot, const struct slot *other)
{
	if (slot == other)
		return SIZE_MAX;
	if (strcmp(slot->real, other->real) == 0)
		return strlen(slot->real);
	if (is_folder(other->real, slot->real))
		return strlen(other->real);
	if (other->ds.name != NULL && is_folder(slot->real, other->real))
		return strlen(slot->real);
	return SIZE_MAX;
}

static void
choose(struct access *a, struct slot *slot)
{
	const uint8_t *id = slot->ds.id;
	size_t at = SIZE_MAX;

	for (size_t i = 0; i < a->nlisted; i++) {
		size_t here = clash_at(slot, a->listed[i]);

		at = here < at ? here : at;
	}
	if (at == SIZE_MAX)
		(void)snprintf(
		    slot->shown, sizeof(slot->shown), "%s", slot->real);
	else
		(void)snprintf(slot->shown, sizeof(slot->shown),
		    "%.*s~%02x%02x%02x%02x%s", (int)at, slot->real, id[0],
		    id[1], id[2], id[3], slot->real + at);
}

void
access_names_show(struct access *a)
{
	for (size_t i = 0; i < a->nlisted; i++) {
		struct slot *slot = a->listed[i];

		if (slot->ds.name == NULL)
			(void)snprintf(slot->real, sizeof(slot->real), "%s",
			    keyring_latest(slot->ds.keys)->name);
	}
	/* All choose before any of them counts as shown. */
	for (size_t i = 0; i < a->nlisted; i++) {
		if (a->listed[i]->ds.name == NULL)
			choose(a, a->listed[i]);
	}
	for (size_t i = 0; i < a->nlisted; i++)
		a->listed[i]->ds.name = a->listed[i]->shown;
}
