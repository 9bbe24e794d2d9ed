/* The packs that indexes list, as a set of names. */
#include "snapshot/content/index.h"
#include "snapshot/content/name_set.h"

#include <string.h>

/* An index_listed_fn. */
static int
add_pack(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, struct err *err)
{
	int rc = name_set_add_object(arg, ref->name, err);

	return rc < 0 ? rc : 0;
}

int
index_listed(struct store *store, const struct object_ref *ref,
    struct name_set *packs, struct err *err)
{
	return index_peek(store, ref, add_pack, packs, err);
}

int
index_listed_all(struct store *store, const uint8_t dataset[STORE_DATASET_LEN],
    const uint8_t (*names)[OBJECT_NAME_LEN], size_t n, struct name_set *packs,
    struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_INDEX};
	int rc = 0;

	memcpy(ref.dataset, dataset, sizeof(ref.dataset));
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct err why;

		memcpy(ref.name, names[i], sizeof(ref.name));
		rc = index_listed(store, &ref, packs, &why);
		if (rc == ERR_CORRUPT || rc == ERR_NOT_FOUND)
			rc = 0;
		else if (rc != 0)
			(void)err_copy(err, &why);
	}
	return rc;
}
