#include "snapshot/replicate/record_set.h"

#include "snapshot/content/index.h"
#include "snapshot/content/name_set.h"

#include <stdlib.h>
#include <string.h>

static int
compare_names(const void *a, const void *b)
{
	return memcmp(a, b, OBJECT_NAME_LEN);
}

int
record_set_read(
    struct record_set *set, const struct record_clear *clear, struct err *err)
{
	size_t n = clear->nindexes;
	uint8_t(*copy)[OBJECT_NAME_LEN] = calloc(n + 1, OBJECT_NAME_LEN);

	if (copy == NULL)
		return err_nomem(err);
	if (n > 0) {
		memcpy(copy, clear->indexes, n * OBJECT_NAME_LEN);
		qsort(copy, n, OBJECT_NAME_LEN, compare_names);
	}
	record_set_clear(set);
	memcpy(set->dataset, clear->head.dataset, STORE_DATASET_LEN);
	set->names = copy;
	set->n = n;
	return 0;
}

void
record_set_clear(struct record_set *set)
{
	free(set->names);
	set->names = NULL;
	set->n = 0;
}

static bool
has(const struct record_set *set, const uint8_t name[OBJECT_NAME_LEN])
{
	return set->n > 0 && bsearch(name, set->names, set->n, OBJECT_NAME_LEN,
				 compare_names) != NULL;
}

static struct object_ref
ref_of(const struct record_set *set, size_t i)
{
	struct object_ref ref = {.cls = OBJECT_INDEX};

	memcpy(ref.dataset, set->dataset, STORE_DATASET_LEN);
	memcpy(ref.name, set->names[i], OBJECT_NAME_LEN);
	return ref;
}

/* --- what it needs ------------------------------------------------------ */

static int
missing(const struct object_ref *ref, struct err *err)
{
	char text[OBJECT_REF_TEXT];

	object_ref_text(ref, text);
	return err_set(err, ERR_NOT_FOUND,
	    "it needs '%s', which this site does not have", text);
}

static int
need_pack(void *arg, const struct object_ref *ref, uint64_t size,
    UNUSED enum pack_kind kind, struct err *err)
{
	struct store *s = arg;
	char text[OBJECT_REF_TEXT];
	uint64_t there;
	int rc = store_size(s, ref, &there, err);

	if (rc == ERR_NOT_FOUND)
		return missing(ref, err);
	if (rc != 0 || there == size)
		return rc;
	object_ref_text(ref, text);
	return err_set(err, ERR_CORRUPT,
	    "it needs '%s', which is damaged at this site: it has %ju bytes,"
	    " and should have %ju (see 'varve repair')",
	    text, (uintmax_t)there, (uintmax_t)size);
}

static int
need_index(struct store *s, const struct object_ref *ref, struct err *err)
{
	int rc = index_peek(s, ref, need_pack, s, err);

	/* The packs' own absence says so with other words. */
	if (rc == ERR_NOT_FOUND) {
		uint64_t size;
		struct err ignored;

		if (store_size(s, ref, &size, &ignored) == ERR_NOT_FOUND)
			return missing(ref, err);
	}
	return rc;
}

int
record_set_here(struct store *s, const struct record_set *set,
    const struct record_set *seen, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < set->n && rc == 0; i++) {
		struct object_ref ref = ref_of(set, i);

		if (seen == NULL || !has(seen, set->names[i]))
			rc = need_index(s, &ref, err);
	}
	return rc;
}

/* --- what it must not drop ---------------------------------------------- */

static int
strike_pack(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, UNUSED struct err *err)
{
	name_set_remove_object(arg, ref->name);
	return 0;
}

/* The packs of the indexes that have gone from the set. */
static int
note_dropped(struct store *s, const struct record_set *set,
    const struct record_set *before, struct name_set *packs, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < before->n && rc == 0; i++) {
		struct object_ref ref = ref_of(before, i);
		struct err why;

		if (has(set, before->names[i]))
			continue;
		rc = index_listed(s, &ref, packs, &why);
		if (rc != 0)
			rc = rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
	}
	return rc;
}

/* Those that the set's indexes list, by its ${old} or its new ones. */
static int
strike_listed(struct store *s, const struct record_set *set,
    const struct record_set *before, bool old, struct name_set *packs,
    struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < set->n && rc == 0 && packs->n > 0; i++) {
		struct object_ref ref = ref_of(set, i);

		if (has(before, set->names[i]) == old)
			rc = index_peek(s, &ref, strike_pack, packs, err);
	}
	return rc;
}

int
record_set_covers(struct store *s, const struct record_set *set,
    const struct record_set *before, struct err *err)
{
	struct name_set packs = {0};
	int rc = note_dropped(s, set, before, &packs, err);

	/* As a rule a new index lists them: several were joined. */
	if (rc == 0)
		rc = strike_listed(s, set, before, false, &packs, err);
	if (rc == 0)
		rc = strike_listed(s, set, before, true, &packs, err);
	if (rc == 0 && packs.n > 0)
		rc = err_set(err, ERR_CORRUPT,
		    "its indexes no longer list %zu packs that those before it"
		    " do: only a prune may drop packs",
		    packs.n);
	name_set_clear(&packs);
	return rc;
}
