/*
 * A store that changes while it is checked. What a prune removes was needed when
 * the check began, and is missing now: that is no damage. Before it removes
 * anything that was needed then, it adds a record; what an older record had
 * called gone, nobody looks for. So what is found once such a record has come
 * is not told of: the dataset is looked at again, and what is still wrong then
 * is.
 */
#include "crypto/hash.h"
#include "snapshot/check/check_internal.h"
#include "snapshot/log/record.h"
#include "snapshot/store/record_refs.h"

#include <stdlib.h>
#include <string.h>

/* After so many attempts whatever is found is told: they come too fast. */
#define ATTEMPTS 5

/* One that can't be read may be: then it is looked at again in vain. */
static bool
may_be_prune(struct check *c, const struct object_ref *ref)
{
	struct record_clear clear;
	uint8_t *buf = NULL;
	size_t len;
	bool may;

	may = store_get(c->store, ref, RECORD_MAX, &buf, &len, NULL) != 0 ||
	      record_peek(buf, len, &clear, NULL) != 0 ||
	      clear.head.type == RECORD_PRUNE;
	free(buf);
	return may;
}

/*
 * Whether a prune's may be among the records behind the last; which is the last
 * now.
 */
static bool
look_for_prune(struct check *c, uint64_t *last)
{
	RECORD_REFS_AUTO struct record_refs refs = {0};
	bool any = false;

	if (record_refs_list(c->store, c->again.dataset, &refs, NULL) != 0)
		return true;
	for (size_t i = record_refs_find(&refs, *last + 1); i < refs.n; i++)
		any |= may_be_prune(c, &refs.v[i]);
	*last = record_refs_last(&refs);
	return any;
}

/* With mu held. */
static bool
has_come(struct check *c)
{
	struct again *a = &c->again;
	uint64_t mark;

	if (a->on && !a->stale &&
	    store_log_mark(c->store, a->dataset, &mark, NULL) == 0 &&
	    mark != a->mark) {
		a->mark = mark;
		a->stale = look_for_prune(c, &a->last);
	}
	return a->stale;
}

/* What can't be remembered is told twice. */
static bool
is_new(
    struct check *c, const char *object, const char *what, const char *affects)
{
	const char *const parts[] = {
	    object, what, affects != NULL ? affects : ""};
	uint8_t name[OBJECT_NAME_LEN];
	WR_AUTO struct wr w = {0};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		wr_bytes(&w, parts[i], strlen(parts[i]) + 1);
	if (w.failed || sha256(w.buf, w.len, name, NULL) != 0)
		return true;
	return name_set_add_object(&c->again.told, name, NULL) != 0;
}

bool
again_is_to_tell(
    struct check *c, const char *object, const char *what, const char *affects)
{
	return !has_come(c) && is_new(c, object, what, affects);
}

static void
begin(struct check *c, const uint8_t dataset[DATASET_ID_LEN], bool last)
{
	struct again *a = &c->again;

	a->stale = false;
	memcpy(a->dataset, dataset, DATASET_ID_LEN);
	/* The mark first: what comes meanwhile is then looked at once more. */
	a->on = !last && store_log_mark(c->store, dataset, &a->mark, NULL) == 0;
	a->last = UINT64_MAX - 1; /* none is behind that */
	if (a->on)
		(void)look_for_prune(c, &a->last);
}

int
again_check(struct check *c, const uint8_t dataset[DATASET_ID_LEN],
    again_fn *fn, const void *arg, struct err *err)
{
	const struct check_result before = *c->out;
	const uint64_t objects = atomic_load(&c->done.objects);
	const uint64_t bytes = atomic_load(&c->done.bytes);
	int rc = 0;

	for (unsigned i = 1; rc == 0 && i <= ATTEMPTS; i++) {
		begin(c, dataset, i == ATTEMPTS);
		rc = fn(c, arg, err);
		if (rc != 0 || !c->again.stale)
			break;
		*c->out = before;
		atomic_store(&c->done.objects, objects);
		atomic_store(&c->done.bytes, bytes);
	}
	c->again.on = false;
	c->again.stale = false;
	name_set_clear(&c->again.told);
	return rc;
}
