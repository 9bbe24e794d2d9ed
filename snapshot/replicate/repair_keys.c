#include "snapshot/replicate/repair_internal.h"
#include "snapshot/store/object_ref.h"

#include <stdlib.h>
#include <string.h>

/* One that isn't here: it has to count before it is stored. */
static int
take_key(struct repair *r, const struct object_ref *ref, struct err *err)
{
	struct key_offer offer = {0};
	uint8_t *buf = NULL;
	struct err why;
	int rc = fetch_bytes(r->channel, ref, object_size_max(OBJECT_KEY), &buf,
	    &offer.len, &why);

	if (rc == 0) {
		offer.buf = buf;
		rc = access_take(r->party->access, &offer, 1, &why);
		if (rc == 0 && !offer.taken) {
			rc = offer.why.code;
			why = offer.why;
		}
	}
	free(buf);
	if (rc != 0 && !repair_goes_on(rc) && rc != ERR_AUTH &&
	    rc != ERR_VERSION)
		return err_copy(err, &why);
	/* What counts for nothing isn't missing. */
	if (rc != 0)
		return 0;
	r->out->missing++;
	r->out->repaired++;
	r->opt->on_object(r->opt->arg, ref, "missing", NULL);
	return 0;
}

struct key_names {
	uint8_t (*v)[OBJECT_NAME_LEN];
	size_t n, cap;
};

static int
note_name(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct key_names *k = arg;

	if (k->n == k->cap) {
		size_t cap = k->cap == 0 ? 64 : 2 * k->cap;
		uint8_t(*v)[OBJECT_NAME_LEN] =
		    reallocarray(k->v, cap, OBJECT_NAME_LEN);

		if (v == NULL)
			return err_nomem(err);
		k->v = v;
		k->cap = cap;
	}
	memcpy(k->v[k->n++], ref->name, OBJECT_NAME_LEN);
	return 0;
}

int
repair_keys(struct repair *r, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_KEY};
	struct key_names names = {0};
	int rc =
	    store_list(r->store, OBJECT_KEY, NULL, repair_visit_listed, r, err);

	if (rc == 0 && !r->opt->dry_run)
		rc = fetch_key_names(r->channel, note_name, &names, err);
	for (size_t i = 0; i < names.n && rc == 0; i++) {
		memcpy(ref.name, names.v[i], OBJECT_NAME_LEN);
		if (!name_set_has_object(&r->seen, ref.name))
			rc = take_key(r, &ref, err);
	}
	free(names.v);
	return rc;
}
