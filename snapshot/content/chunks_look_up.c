/* Where a chunk is, among all indexes of a dataset, and where else. */
#include "snapshot/content/chunks_internal.h"

#include <stdio.h>
#include <string.h>

/*
 * What came of a look-up that goes from index to index: the failure that tells
 * most, and whether something was not where an index, or the log, says.
 */
struct outcome {
	int rc;
	struct err err;
	bool missing;
};

/*
 * What there is but can't be read tells more than what isn't there. The keys are
 * the dataset's: an object that they don't open is damaged.
 */
static void
note_failure(struct outcome *o, int rc, const struct err *err)
{
	if (rc == ERR_AUTH)
		rc = ERR_CORRUPT;
	if (rc == ERR_NOT_FOUND)
		o->missing = true;
	if (o->rc == 0 || (o->rc == ERR_NOT_FOUND && rc != ERR_NOT_FOUND)) {
		o->rc = rc;
		o->err = *err;
		o->err.code = rc;
	}
}

static void
try_index(struct chunks *c, const struct index_set *set, size_t i,
    const struct chunk_name *name, chunks_place_fn *fn, void *out, bool *done,
    struct outcome *o)
{
	struct chunk_place place;
	struct err err = {0};
	bool found;
	int rc = index_set_lookup(set, i, name, &place, &found, &err);

	/* The log names it: once looking again does not help, it is damage. */
	if (rc == ERR_NOT_FOUND) {
		o->missing = true;
		rc = err.code = ERR_CORRUPT;
	}
	if (rc == 0 && found) {
		rc = fn(c, name, &place, out, &err);
		*done = rc == 0;
	}
	if (rc != 0)
		note_failure(o, rc, &err);
}

/*
 * Try every place that the set's indexes list, those of the newest first: a
 * chunk may be stored twice, and one of them be damaged.
 */
static void
try_set(struct chunks *c, const struct index_set *set,
    const struct chunk_name *name, chunks_place_fn *fn, void *out,
    struct outcome *o)
{
	bool done = false;

	*o = (struct outcome){0};
	for (size_t i = index_set_count(set); !done && i > 0; i--)
		try_index(c, set, i - 1, name, fn, out, &done, o);
	if (done) {
		o->rc = 0;
		o->missing = false;
	} else if (o->rc == 0) {
		o->missing = true;
		o->rc = err_set(
		    &o->err, ERR_NOT_FOUND, "no index of the dataset lists it");
	}
}

static void
try_current(struct chunks *c, const struct chunk_name *name,
    chunks_place_fn *fn, void *out, uint64_t *generation, struct outcome *o)
{
	struct index_set *set = chunks_current(c, generation);

	try_set(c, set, name, fn, out, o);
	index_set_unref(set);
}

/* An index that an older record names may know a place where it is whole. */
static bool
may_be_elsewhere(const struct outcome *o)
{
	return o->rc == ERR_CORRUPT || o->rc == ERR_NOT_FOUND;
}

/*
 * Learn of newer indexes; whether to look again. Of several threads that miss
 * something at a time, one asks.
 */
static bool
refresh(struct chunks *c, uint64_t generation)
{
	struct index_set *set;
	struct err err;
	uint64_t now;
	bool again;

	if (c->refresh == NULL)
		return false;
	(void)pthread_mutex_lock(&c->refresh_mu);
	set = chunks_current(c, &now);
	index_set_unref(set);
	again = now != generation || c->refresh(c->refresh_arg, &err) == 0;
	(void)pthread_mutex_unlock(&c->refresh_mu);
	return again;
}

/* Let older indexes be looked in, too; whether to look again. */
static bool
widen(struct chunks *c, uint64_t generation)
{
	struct err err;
	uint64_t now;
	bool again, wide;

	if (c->widen == NULL)
		return false;
	(void)pthread_mutex_lock(&c->refresh_mu);
	(void)pthread_mutex_lock(&c->mu);
	now = c->generation;
	wide = c->wide;
	(void)pthread_mutex_unlock(&c->mu);
	/* What another thread has put there may be a narrow one. */
	again = wide ? now != generation : c->widen(c->widen_arg, &err) == 0;
	(void)pthread_mutex_unlock(&c->refresh_mu);
	return again;
}

/* "chunk 0123...: what went wrong" */
static int
name_chunk(const struct chunk_name *name, int rc, struct err *err)
{
	char text[2 * CHUNK_NAME_LEN + 1];

	for (size_t i = 0; i < CHUNK_NAME_LEN; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", name->b[i]);
	(void)err_wrap(err, "chunk %s", text);
	return rc;
}

int
chunks_look_up(struct chunks *c, const struct chunk_name *name,
    chunks_place_fn *fn, void *out, struct err *err)
{
	struct outcome o;
	uint64_t generation;

	try_current(c, name, fn, out, &generation, &o);
	if (o.rc != 0 && o.missing && refresh(c, generation))
		try_current(c, name, fn, out, &generation, &o);
	if (may_be_elsewhere(&o) && widen(c, generation))
		try_current(c, name, fn, out, &generation, &o);
	if (o.rc == 0)
		return 0;
	(void)err_copy(err, &o.err);
	return name_chunk(name, o.rc, err);
}

void
chunks_try(struct chunks *c, const struct chunk_name *name, chunks_place_fn *fn,
    void *out)
{
	struct outcome o;
	uint64_t generation;

	try_current(c, name, fn, out, &generation, &o);
}

static int
take_place(struct chunks *c, const struct chunk_name *name,
    const struct chunk_place *place, void *out, struct err *err)
{
	(void)c;
	(void)name;
	(void)err;
	memcpy(out, place, sizeof(*place));
	return 0;
}

int
chunks_place(struct chunks *c, const struct chunk_name *name,
    struct chunk_place *place, struct err *err)
{
	return chunks_look_up(c, name, take_place, place, err);
}
