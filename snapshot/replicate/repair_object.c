#include "snapshot/replicate/repair_internal.h"

#include <string.h>

static int
hash_object(struct repair *r, const struct object_ref *ref, uint64_t size,
    uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	int again, rc = 0;

	for (uint64_t off = 0; off < size && rc == 0; off += REPAIR_PIECE) {
		size_t n = size - off < REPAIR_PIECE ? (size_t)(size - off)
						     : REPAIR_PIECE;

		if (r->opt->stop != NULL && atomic_load(r->opt->stop))
			rc = err_set(err, ERR_CANCELLED, "stopped");
		if (rc == 0)
			rc = store_read_at(r->store, ref, off, r->buf, n, err);
		if (rc == 0)
			rc = sha256_update(r->sha, r->buf, n, err);
		if (rc == 0 && r->opt->progress != NULL)
			atomic_fetch_add(&r->opt->progress->bytes, n);
	}
	if (rc == 0)
		r->out->bytes += size;
	/* Also after a failure: the hash starts over. */
	again = sha256_final(r->sha, name, rc == 0 ? err : NULL);
	return rc != 0 ? rc : again;
}

/* Not the object's fault: it says nothing of it. */
static bool
is_fatal(int rc)
{
	return rc == ERR_NOMEM || rc == ERR_BUG || rc == ERR_CANCELLED;
}

/* *${what}: NULL, or what is wrong with it. */
static int
examine(struct repair *r, const struct object_ref *ref, const char **what,
    struct err *err)
{
	uint8_t name[OBJECT_NAME_LEN];
	struct err why;
	uint64_t size;
	int rc = store_size(r->store, ref, &size, &why);

	*what = NULL;
	r->out->objects++;
	if (r->opt->progress != NULL)
		atomic_fetch_add(&r->opt->progress->objects, 1);
	if (rc == 0)
		rc = hash_object(r, ref, size, name, &why);
	if (is_fatal(rc))
		return err_copy(err, &why);
	if (rc == ERR_NOT_FOUND)
		*what = "missing";
	else if (rc != 0)
		*what = "can't be read";
	else if (memcmp(name, ref->name, OBJECT_NAME_LEN) != 0)
		*what = "damaged";
	return 0;
}

/* What is fetched has been compared with its name when it is in the batch. */
static int
replace(struct repair *r, const struct object_ref *ref, bool missing,
    struct err *err)
{
	int rc = fetch_object(r->channel, ref, r->batch, err);

	if (rc == 0 && !missing)
		rc = store_set_aside(r->store, ref, r->out->aside, err);
	return rc != 0 ? rc : store_batch_commit(r->batch, err);
}

/* What one object lacks keeps nobody from the next, unless the line is cut. */
bool
repair_goes_on(int rc)
{
	return rc == ERR_NOT_FOUND || rc == ERR_CORRUPT || rc == ERR_DENIED;
}

static int
mend(struct repair *r, const struct object_ref *ref, const char *what,
    struct err *err)
{
	bool missing = strcmp(what, "missing") == 0;
	struct err why = {0};
	int rc;

	r->out->missing += missing;
	r->out->damaged += !missing;
	if (r->opt->dry_run)
		rc = err_set(&why, ERR_CANCELLED, "nothing was fetched");
	else
		rc = replace(r, ref, missing, &why);
	if (rc == 0) {
		r->out->repaired++;
		if (r->opt->progress != NULL)
			atomic_fetch_add(&r->opt->progress->repaired, 1);
	} else if (!r->opt->dry_run && !repair_goes_on(rc)) {
		return err_copy(err, &why);
	}
	r->opt->on_object(r->opt->arg, ref, what, rc == 0 ? NULL : &why);
	return 0;
}

int
repair_visit(
    struct repair *r, const struct object_ref *ref, bool *good, struct err *err)
{
	uint64_t before = r->out->repaired;
	const char *what;
	int rc = name_set_add_object(&r->seen, ref->name, err);

	*good = true;
	if (rc <= 0)
		return rc;
	rc = examine(r, ref, &what, err);
	if (rc == 0 && what != NULL) {
		rc = mend(r, ref, what, err);
		*good = r->out->repaired > before;
	}
	return rc;
}

int
repair_visit_listed(void *arg, const struct object_ref *ref,
    UNUSED uint64_t size, struct err *err)
{
	bool good;

	return repair_visit(arg, ref, &good, err);
}
