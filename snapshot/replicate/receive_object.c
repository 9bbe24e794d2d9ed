#include "snapshot/replicate/receive_internal.h"

#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

static bool
in_memory(const struct receiver *r)
{
	return r->object.ref.cls == OBJECT_KEY ||
	       r->object.ref.cls == OBJECT_LOG;
}

int
receive_wait_room(struct receiver *r, struct err *err)
{
	int rc;

	pthread_mutex_lock(&r->mu);
	while (job_is_full(&r->job) && r->failure.code == 0)
		pthread_cond_wait(&r->changed, &r->mu);
	rc = r->failure.code != 0 ? err_copy(err, &r->failure) : 0;
	pthread_mutex_unlock(&r->mu);
	return rc;
}

/* Those that have come have to be taken first. */
static int
wait_keys(struct receiver *r, struct err *err)
{
	int rc;

	pthread_mutex_lock(&r->mu);
	r->hurry = true;
	pthread_cond_broadcast(&r->changed);
	while (r->nkeys > 0 && r->failure.code == 0)
		pthread_cond_wait(&r->changed, &r->mu);
	r->hurry = false;
	rc = r->failure.code != 0 ? err_copy(err, &r->failure) : 0;
	pthread_mutex_unlock(&r->mu);
	return rc;
}

static int
know_dataset(struct receiver *r, struct err *err)
{
	const struct object_ref *ref = &r->object.ref;
	bool same = memcmp(r->dataset, ref->dataset, STORE_DATASET_LEN) == 0;

	for (int tries = 0; tries < 2; tries++) {
		if (ref->cls == OBJECT_KEY || (r->known_dataset && same))
			return 0;
		int rc = tries > 0 ? wait_keys(r, err) : 0;

		if (rc != 0)
			return rc;
		memcpy(r->dataset, ref->dataset, STORE_DATASET_LEN);
		same = true;
		pthread_mutex_lock(&r->keys);
		r->known_dataset =
		    access_has_key_set(r->party->access, ref->dataset);
		pthread_mutex_unlock(&r->keys);
	}
	return 0;
}

/* Nothing is made in the store for a dataset that it doesn't know. */
static int
look_dataset(struct receiver *r, struct err *err)
{
	const uint8_t *dataset = r->object.ref.dataset;
	const struct err *why = receive_unusable(r, dataset);
	int rc = know_dataset(r, err);

	r->refused = false;
	if (rc != 0 || r->object.ref.cls == OBJECT_KEY)
		return rc;
	r->refused = !r->known_dataset || why != NULL;
	if (!r->known_dataset)
		(void)err_set(&r->refusal, ERR_DENIED,
		    "this site has no key set of its dataset");
	else if (why != NULL)
		r->refusal = *why;
	return 0;
}

static int
begin_in_memory(struct receiver *r, struct err *err)
{
	int rc = 0;

	if (r->object.ref.cls == OBJECT_LOG &&
	    (r->waiting.n == JOB_RECORDS ||
		r->waiting.bytes + r->object.size > JOB_RECORDS_BYTES))
		return err_set(err, ERR_CORRUPT,
		    "the records of one group are more than %zu, or have more"
		    " than %ju bytes",
		    JOB_RECORDS, (uintmax_t)JOB_RECORDS_BYTES);
	if (r->object.ref.cls == OBJECT_LOG)
		rc = receive_hold(r, r->object.size, err);
	if (rc != 0)
		return rc;
	r->memory = malloc((size_t)r->object.size);
	return r->memory != NULL ? 0 : err_nomem(err);
}

int
receive_put(struct receiver *r, const struct frame *f, struct err *err)
{
	int rc = frame_parse_put(f->body, f->len, &r->object, err);

	if (rc == 0)
		rc = receive_wait_room(r, err);
	if (rc == 0)
		rc = look_dataset(r, err);
	if (rc != 0)
		return rc;
	r->in_object = true;
	r->left = r->object.size;
	if (r->refused)
		return 0;
	if (in_memory(r))
		return begin_in_memory(r, err);
	pthread_mutex_lock(&r->mu);
	rc = store_batch_begin(r->job.objects, &r->object.ref, err);
	pthread_mutex_unlock(&r->mu);
	return rc;
}

static void
drop_object(struct receiver *r)
{
	r->in_object = r->refused = false;
	if (r->memory != NULL && r->object.ref.cls == OBJECT_LOG)
		receive_release(r, r->object.size);
	free(STEAL(r->memory));
	pthread_mutex_lock(&r->mu);
	store_batch_drop(r->job.objects);
	pthread_mutex_unlock(&r->mu);
}

static int
end_in_memory(struct receiver *r, struct err *err)
{
	struct object_ref *ref = &r->object.ref;
	size_t len = (size_t)r->object.size;
	uint8_t name[HASH_LEN];
	int rc = sha256(r->memory, len, name, err);

	if (rc != 0)
		return rc;
	if (memcmp(name, ref->name, OBJECT_NAME_LEN) != 0)
		return err_set(
		    err, ERR_CORRUPT, "the SHA-256 of it is not its name");
	if (ref->cls == OBJECT_LOG)
		return blobs_add(&r->waiting, ref, STEAL(r->memory), len, err);
	pthread_mutex_lock(&r->mu);
	rc = blobs_add(&r->job.keys, ref, STEAL(r->memory), len, err);
	r->nkeys += rc == 0;
	pthread_mutex_unlock(&r->mu);
	return rc;
}

/* Bytes that aren't what the name says harm nobody but this object. */
static int
end_object(struct receiver *r, struct err *err)
{
	bool refused = r->refused;
	struct err why;
	int rc;

	if (refused) {
		rc = err_copy(&why, &r->refusal);
	} else if (in_memory(r)) {
		rc = end_in_memory(r, &why);
	} else {
		pthread_mutex_lock(&r->mu);
		rc = store_batch_end(r->job.objects, &why);
		pthread_mutex_unlock(&r->mu);
	}
	drop_object(r);
	if (rc != 0 && rc != ERR_CORRUPT && !refused)
		return err_copy(err, &why);
	if (rc != 0) {
		r->spoilt |= r->object.ref.cls == OBJECT_LOG;
		rc = receive_nak(r, &r->object.ref, &why, err);
	}
	if (r->opt->progress != NULL)
		atomic_fetch_add(&r->opt->progress->objects, 1);
	pthread_mutex_lock(&r->mu);
	r->job.came++;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mu);
	return rc;
}

int
receive_data(struct receiver *r, const struct frame *f, struct err *err)
{
	int rc = 0;

	if (!r->in_object || f->len == 0 || f->len > r->left)
		return channel_unexpected(f, err);
	if (r->refused) {
		/* Its end says so. */
	} else if (r->memory != NULL) {
		memcpy(r->memory + (r->object.size - r->left), f->body, f->len);
	} else {
		pthread_mutex_lock(&r->mu);
		rc = store_batch_write(r->job.objects, f->body, f->len, err);
		pthread_mutex_unlock(&r->mu);
	}
	if (rc != 0)
		return rc;
	r->left -= f->len;
	if (r->opt->progress != NULL)
		atomic_fetch_add(&r->opt->progress->bytes, f->len);
	return r->left == 0 ? end_object(r, err) : 0;
}

int
receive_abort(struct receiver *r, const struct frame *f, struct err *err)
{
	if (!r->in_object || f->len != 0)
		return channel_unexpected(f, err);
	r->spoilt |= r->object.ref.cls == OBJECT_LOG;
	drop_object(r);
	return 0;
}
