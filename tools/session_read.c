/* Logs and snapshots of an open store, for the commands that read. */
#include "tools/session.h"

#include "tools/describe.h"
#include "tools/message.h"
#include "tools/suggest.h"

#include "snapshot/log/when.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CACHE_BYTES ((size_t)128 << 20)

#define FOUND 1

/* A store_visit_fn: the first will do. */
static int
meet_dataset(UNUSED void *arg, UNUSED const struct object_ref *ref,
    UNUSED uint64_t size, UNUSED struct err *err)
{
	return FOUND;
}

bool
session_sees_none(const struct session *s)
{
	struct store *store = access_store(s->access);
	struct err why;

	return access_datasets(s->access) == 0 &&
	       store_list_datasets(store, meet_dataset, NULL, &why) == FOUND;
}

/* The first dataset in folder ${name}, or NULL. */
static const char *
dataset_in(const struct session *s, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < access_datasets(s->access); i++) {
		const char *own = access_dataset(s->access, i)->name;

		if (strncmp(own, name, len) == 0 && own[len] == '/')
			return own;
	}
	return NULL;
}

static int
no_dataset(const struct session *s, const char *name, struct err *err)
{
	struct suggest near = {.typed = name};
	const char *inside = dataset_in(s, name);

	if (inside != NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "no dataset '%s', which is a folder; in it is '%s'", name,
		    inside);
	for (size_t i = 0; i < access_datasets(s->access); i++)
		suggest_offer(&near, access_dataset(s->access, i)->name);
	if (near.best != NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "no dataset '%s'; did you mean '%s'?", name, near.best);
	return err_set(err, ERR_NOT_FOUND,
	    "no dataset '%s' in this store that this key may see", name);
}

static void
warn_of_damage(const struct session *s, const struct log *log)
{
	message_problem(s->run,
	    "newer snapshots of '%s' may be missing (see 'varve check'): %s",
	    log_dataset(log)->name, log_damage(log)->text);
	if (s->run->damaged != NULL)
		*s->run->damaged = true;
}

static void
warn_of_gap(const struct session *s, const struct log *log)
{
	message_problem(s->run,
	    "a snapshot of '%s' may be missing (see 'varve check'): %s",
	    log_dataset(log)->name, log_gap(log)->text);
	if (s->run->damaged != NULL)
		*s->run->damaged = true;
}

static bool
was_told(const json_t *list, const json_t *item)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), item))
			return true;
	return false;
}

void
session_behind(
    const struct run *run, const char *dataset, const struct log_behind *b)
{
	char text[LOG_BEHIND_TEXT];
	json_t *item = json_pack("{s:s, s:o, s:o, s:o}", "dataset", dataset,
	    "seen", describe_u64(b->seen), "shown", describe_u64(b->shown),
	    "newest", b->any ? describe_moment(b->newest) : json_null());

	if (*run->behind == NULL)
		*run->behind = json_array();
	if (!was_told(*run->behind, item)) {
		message_problem(run, "%s", log_behind_text(b, dataset, text));
		(void)json_array_append(*run->behind, item);
	}
	json_decref(item);
}

int
session_dataset(const struct session *s, const char *name,
    const struct dataset **out, struct err *err)
{
	*out = access_find(s->access, name);
	return *out == NULL ? no_dataset(s, name, err) : 0;
}

int
session_may_read(const struct session *s, const char *name, struct err *err)
{
	const struct dataset *ds = NULL;
	size_t n = access_datasets(s->access);
	bool may = n == 0;
	int r = name != NULL ? session_dataset(s, name, &ds, err) : 0;

	if (r != 0)
		return r;
	for (size_t i = 0; i < n && ds == NULL; i++)
		may = may || access_dataset(s->access, i)->may_read;
	if (ds == NULL)
		return may ? 0
			   : err_set(err, ERR_DENIED,
				 "this key may not open backups");
	return ds->may_read
		   ? 0
		   : err_set(err, ERR_DENIED,
			 "this key may not open backups of '%s'", ds->name);
}

/* Of this dataset's objects: damaged, signed by nobody who may, or too new. */
static bool
is_about_objects(const struct err *why)
{
	return why->code == ERR_CORRUPT || why->code == ERR_AUTH ||
	       why->code == ERR_VERSION;
}

int
session_pass_over(
    const struct session *s, const struct err *why, struct err *err)
{
	if (!is_about_objects(why))
		return err_copy(err, why);
	message_problem(s->run, "%s (see 'varve check')", why->text);
	if (s->run->damaged != NULL)
		*s->run->damaged = true;
	return 0;
}

int
session_log(const struct session *s, const char *dataset, struct log **out,
    struct err *err)
{
	const struct dataset *ds;
	int r = session_dataset(s, dataset, &ds, err);

	*out = NULL;
	if (r != 0)
		return r;
	r = log_load(s->access, ds, s->heads, out, err);
	if (r == 0 && log_damage(*out) != NULL)
		warn_of_damage(s, *out);
	if (r == 0 && log_gap(*out) != NULL)
		warn_of_gap(s, *out);
	if (r == 0 && log_warning(*out) != NULL)
		message_problem(s->run, "%s", log_warning(*out)->text);
	if (r == 0 && log_behind(*out) != NULL)
		session_behind(s->run, ds->name, log_behind(*out));
	return r;
}

static int
need_cache(struct session *s, struct err *err)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	int r;

	if (s->cache != NULL)
		return 0;
	r = segcache_new(CACHE_BYTES, &s->cache, err);
	if (r != 0)
		return r;
	return segcache_threads(s->cache, n > 1 ? (unsigned)n : 1, err);
}

/* Indexes and packs may have been replaced since: look at the newest record. */
static int
look_again(void *arg, struct err *err)
{
	struct reading *r = arg;
	const struct dataset *ds = log_dataset(r->log);
	AUTO(log) struct log *log = NULL;
	const uint8_t(*indexes)[OBJECT_NAME_LEN];
	size_t n;
	int rc = log_load(r->session->access, ds, NULL, &log, err);

	if (rc != 0)
		return rc;
	if (log_records(log) == 0)
		return err_set(
		    err, ERR_CORRUPT, "the log of '%s' has gone", ds->name);
	indexes = log_indexes(log, &n);
	return chunks_set_indexes(r->chunks, indexes, n, err);
}

/* What the newest record names doesn't lead there: what older ones name may. */
static int
look_further(void *arg, struct err *err)
{
	struct reading *r = arg;
	uint8_t(*names)[OBJECT_NAME_LEN];
	size_t n;
	int rc = log_all_indexes(r->log, &names, &n, err);

	if (rc == 0)
		rc = chunks_widen_indexes(r->chunks,
		    (const uint8_t(*)[OBJECT_NAME_LEN])names, n, err);
	free(names);
	return rc;
}

int
session_chunks(struct session *s, const struct log *log, struct reading *out,
    struct err *err)
{
	const struct dataset *ds = log_dataset(log);
	size_t n;
	const uint8_t(*indexes)[OBJECT_NAME_LEN] = log_indexes(log, &n);
	int r;

	*out = (struct reading){.session = s, .log = log};
	r = session_may_read(s, ds->name, err);
	if (r == 0)
		r = need_cache(s, err);
	if (r == 0)
		r = chunks_new(access_store(s->access), s->cache, ds->keys,
		    &out->chunks, err);
	if (r == 0)
		r = chunks_set_indexes(out->chunks, indexes, n, err);
	if (r != 0)
		return r;
	chunks_on_missing(out->chunks, look_again, out);
	chunks_on_failure(out->chunks, look_further, out);
	return 0;
}

void
reading_clear(struct reading *r)
{
	chunks_free(STEAL(r->chunks));
}

int
session_snapshot(struct session *s, const struct snapshot_arg *arg,
    struct opened **out, struct err *err)
{
	AUTO(opened) struct opened *o = calloc(1, sizeof(*o));
	int r;

	*out = NULL;
	if (o == NULL)
		return err_nomem(err);
	r = session_log(s, arg->dataset, &o->log, err);
	if (r == 0)
		r = when_select(
		    o->log, arg->time, session_now(), &o->snapshot, err);
	if (r == 0)
		r = session_chunks(s, o->log, &o->reading, err);
	if (r != 0)
		return r;
	o->chunks = o->reading.chunks;
	o->root = (struct span){o->snapshot->root, o->snapshot->root_len};
	*out = STEAL(o);
	return 0;
}

void
opened_free(struct opened *o)
{
	if (o == NULL)
		return;
	reading_clear(&o->reading);
	log_free(o->log);
	free(o);
}
