#include "snapshot/check/check_internal.h"
#include "snapshot/store/object_ref.h"

#include <stdio.h>
#include <stdlib.h>

/* --- one dataset -------------------------------------------------------- */

static void
scope_clear(struct scope *s)
{
	/* Its threads use all the rest. */
	pass_free(s->pass);
	for (size_t i = 0; i < s->nsnapshots; i++)
		snapshot_free(s->snapshots[i]);
	free(s->snapshots);
	free(s->indexes);
	free(s->listed);
	jobs_clear(&s->packs);
	lengths_clear(&s->lengths);
}
#define SCOPE_AUTO __attribute__((cleanup(scope_clear)))

void
scope_ref(const struct scope *s, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], struct object_ref *ref)
{
	memset(ref, 0, sizeof(*ref));
	ref->cls = cls;
	memcpy(ref->dataset, s->id, sizeof(ref->dataset));
	memcpy(ref->name, name, sizeof(ref->name));
}

static void
expect(struct check *c, const struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++)
		check_expect(c, jobs->v[i].size);
}

/* All indexes, whether the log names them or not; and what those list. */
static int
check_indexes_without_keys(struct scope *s, struct err *err)
{
	struct jobs indexes = {0};
	int rc = jobs_list(s, OBJECT_INDEX, &indexes, err);

	if (rc == 0) {
		expect(s->c, &indexes);
		rc = check_bytes(s, &indexes, false, err);
	}
	if (rc == 0)
		rc = check_indexes_listed(s, &indexes, err);
	jobs_clear(&indexes);
	return rc;
}

/* An again_fn. */
static int
look_without_keys(struct check *c, const void *id, struct err *err)
{
	SCOPE_AUTO struct scope s = {.c = c};
	int rc;

	memcpy(s.id, id, sizeof(s.id));
	rc = check_log(&s, err);
	if (rc == 0)
		rc = check_indexes_without_keys(&s, err);
	if (rc == 0)
		rc = jobs_list(&s, OBJECT_PACK, &s.packs, err);
	if (rc != 0)
		return rc;
	expect(c, &s.packs);
	rc = check_bytes(&s, &s.packs, false, err);
	return rc == 0 ? listed_packs(&s, err) : rc;
}

static int
check_without_keys(
    struct check *c, const uint8_t id[DATASET_ID_LEN], struct err *err)
{
	return again_check(c, id, look_without_keys, id, err);
}

static int
begin_to_read(struct scope *s, struct err *err)
{
	uint64_t chunks = 0;
	int rc;

	for (size_t i = 0; i < s->nlisted; i++)
		chunks += s->listed[i].chunks;
	rc = lengths_init(&s->lengths, &s->c->mix, chunks, err);
	if (rc != 0)
		return rc;
	expect(s->c, &s->packs);
	/* It has hashed beside all that was looked at before. */
	if (s->c->opt->early != NULL)
		check_early_end(s->c->opt->early);
	return pass_begin(s, &s->packs, s->ds->may_read, &s->pass, err);
}

/* The trees beside the bytes: on many cores neither has to wait. */
static int
check_contents(struct scope *s, struct err *err)
{
	int rc = 0;

	if (s->c->opt->depth == CHECK_READ_DATA)
		rc = begin_to_read(s, err);
	if (rc == 0 && s->ds->may_read)
		rc = check_trees(s, err);
	return rc == 0 && s->pass != NULL ? pass_end(s->pass, err) : rc;
}

/* An again_fn. */
static int
look_at_dataset(struct check *c, const void *arg, struct err *err)
{
	const struct dataset *ds = arg;
	SCOPE_AUTO struct scope s = {.c = c, .ds = ds};
	int rc;

	memcpy(s.id, ds->id, sizeof(s.id));
	rc = check_log(&s, err);
	if (rc == 0)
		rc = check_indexes(&s, err);
	if (rc == 0)
		rc = listed_compare(&s, err);
	if (rc == 0)
		rc = check_contents(&s, err);
	if (rc == 0 && !ds->may_read)
		c->out->closed++;
	return rc;
}

static int
check_dataset(struct check *c, const struct dataset *ds, struct err *err)
{
	return again_check(c, ds->id, look_at_dataset, ds, err);
}

/* --- all of them -------------------------------------------------------- */

static int
visit_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	return check_without_keys(arg, ref->dataset, err);
}

/* A log_gone_fn. */
static int
visit_gone(void *arg, const struct object_ref *newest, enum log_gone_how how,
    UNUSED struct err *err)
{
	const struct log_behind behind = {.seen = newest->seq};
	char dir[OBJECT_REF_TEXT], what[128];

	if (how == LOG_GONE_BEHIND) {
		check_lag(arg, newest->dataset, NULL, &behind);
		return 0;
	}
	if (how == LOG_GONE_SEEN) {
		check_say(arg, newest,
		    "this machine has seen it, and the store shows no record"
		    " of its dataset any more");
		return 0;
	}
	object_ref_dataset_dir(newest->dataset, dir);
	(void)snprintf(what, sizeof(what),
	    "record %ju of its log has arrived at this site, and the store"
	    " shows none any more",
	    (uintmax_t)newest->seq);
	check_tell(arg, dir, what, NULL);
	return 0;
}

/* ${heads} NULL: what this machine has seen is looked at elsewhere. */
static int
check_gone(struct check *c, struct heads *heads, struct err *err)
{
	return log_gone(c->access, heads, c->opt->site, visit_gone, c, err);
}

static int
check_all_without_keys(struct check *c, struct err *err)
{
	const char *name = c->opt->dataset;
	const struct dataset *ds;
	int rc;

	if (name == NULL) {
		rc = store_list_datasets(c->store, visit_dataset, c, err);
		return rc != 0 ? rc : check_gone(c, c->heads, err);
	}
	ds = access_find(c->access, name);
	if (ds == NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "this key may see no dataset '%s'", name);
	return check_without_keys(c, ds->id, err);
}

/* 1: lost, and not only made since the store was opened. */
static int
key_set_lost(
    struct access *a, const uint8_t id[DATASET_ID_LEN], struct err *err)
{
	bool changed;
	int rc = access_key_set_lost(a, id, err);

	if (rc == 1 && (rc = access_refresh(a, &changed, err)) == 0)
		rc = access_key_set_lost(a, id, err);
	return rc;
}

static bool
may_see(const struct access *a, const uint8_t id[DATASET_ID_LEN])
{
	for (size_t i = 0; i < access_datasets(a); i++)
		if (memcmp(access_dataset(a, i)->id, id, DATASET_ID_LEN) == 0)
			return true;
	return false;
}

/* An again_fn. */
static int
look_at_log(struct check *c, const void *id, struct err *err)
{
	SCOPE_AUTO struct scope s = {.c = c};

	memcpy(s.id, id, sizeof(s.id));
	return check_log(&s, err);
}

/* One that this key was not granted: what can be seen without a key. */
static int
check_closed(struct check *c, const uint8_t id[DATASET_ID_LEN], struct err *err)
{
	c->out->closed++;
	return c->opt->depth == CHECK_READ_DATA
		   ? check_without_keys(c, id, err)
		   : again_check(c, id, look_at_log, id, err);
}

/* The datasets of a store that this key does not see. */
struct unseen {
	struct check *c;
	uint8_t (*ids)[DATASET_ID_LEN];
	size_t n;
};

static int
note_unseen(struct unseen *u, const uint8_t id[DATASET_ID_LEN], struct err *err)
{
	void *v;

	if (may_see(u->c->access, id))
		return 0;
	v = reallocarray(u->ids, u->n + 1, sizeof(*u->ids));
	if (v == NULL)
		return err_nomem(err);
	u->ids = v;
	memcpy(u->ids[u->n++], id, DATASET_ID_LEN);
	return 0;
}

static int
tell_lost(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct unseen *u = arg;
	struct check *c = u->c;
	char dir[OBJECT_REF_TEXT];
	struct err why;
	int rc = key_set_lost(c->access, ref->dataset, &why);

	if (rc < 0 && check_fatal(rc))
		return err_copy(err, &why);
	if (rc == 0)
		return note_unseen(u, ref->dataset, err);
	object_ref_dataset_dir(ref->dataset, dir);
	check_tell(c, dir,
	    rc < 0 ? why.text
		   : "it has objects, and no key set that opens: it is missing "
		     "or damaged, or the dataset was erased and this was left",
	    NULL);
	return 0;
}

/* Datasets that nobody can open any more, or not this key. */
static int
check_lost(struct check *c, struct err *err)
{
	struct unseen u = {.c = c};
	struct err why;
	int rc = store_list_datasets(c->store, tell_lost, &u, &why);

	if (rc < 0 && !check_fatal(rc)) {
		check_tell(c, "datasets", why.text, NULL);
		rc = 0;
	}
	if (rc != 0)
		(void)err_copy(err, &why);
	for (size_t i = 0; rc == 0 && i < u.n; i++)
		rc = check_closed(c, u.ids[i], err);
	free(u.ids);
	return rc;
}

static int
check_all(struct check *c, struct err *err)
{
	const char *name = c->opt->dataset;
	const struct dataset *ds;
	int rc;

	if (name != NULL) {
		ds = access_find(c->access, name);
		if (ds != NULL)
			return check_dataset(c, ds, err);
		return err_set(err, ERR_NOT_FOUND,
		    "this key may see no dataset '%s'", name);
	}
	rc = check_lost(c, err);
	for (size_t i = 0; rc == 0 && i < access_datasets(c->access); i++)
		rc = check_dataset(c, access_dataset(c->access, i), err);
	return rc == 0 ? check_gone(c, NULL, err) : rc;
}

static int
run(struct check *c, struct err *err)
{
	int rc = mix_init(&c->mix, err);

	if (rc == 0)
		rc = check_keys(c, err);
	if (rc != 0)
		return rc;
	return c->opt->depth == CHECK_NO_KEYS ? check_all_without_keys(c, err)
					      : check_all(c, err);
}

int
check_run(struct access *a, struct heads *heads,
    const struct check_options *opt, struct check_result *out, struct err *err)
{
	struct check c = {
	    .access = a,
	    .store = access_store(a),
	    .heads = heads,
	    .opt = opt,
	    .out = out,
	};
	int rc;

	memset(out, 0, sizeof(*out));
	(void)pthread_mutex_init(&c.mu, NULL);
	rc = run(&c, err);
	name_set_clear(&c.again.told);
	(void)pthread_mutex_destroy(&c.mu);
	out->objects = atomic_load(&c.done.objects);
	out->bytes = atomic_load(&c.done.bytes);
	out->damaged = c.damaged;
	return rc;
}
