/*
 * Which records a replica takes. The newest record's index set says what is
 * needed: the indexes, and the packs that these list, in the clear. Of the sets
 * of older records, parts may have been pruned before they could be sent; so
 * records come in groups, and of each group the last one's set has to be here.
 */
#include "snapshot/replicate/receive_internal.h"

#include "snapshot/content/index.h"

#include <stdlib.h>
#include <string.h>

void
log_tail_clear(struct log_tail *t)
{
	free(t->indexes);
	t->indexes = NULL;
	t->nindexes = 0;
}

/* --- what is here ------------------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
	return memcmp(a, b, OBJECT_NAME_LEN);
}

static int
set_indexes(
    struct log_tail *t, const struct record_clear *clear, struct err *err)
{
	size_t n = clear->nindexes;
	uint8_t(*copy)[OBJECT_NAME_LEN] = calloc(n + 1, OBJECT_NAME_LEN);

	if (copy == NULL)
		return err_nomem(err);
	if (n > 0) {
		memcpy(copy, clear->indexes, n * OBJECT_NAME_LEN);
		qsort(copy, n, OBJECT_NAME_LEN, compare_names);
	}
	free(t->indexes);
	t->indexes = copy;
	t->nindexes = n;
	return 0;
}

static bool
has_index(const struct log_tail *t, const uint8_t name[OBJECT_NAME_LEN])
{
	return t->nindexes > 0 && bsearch(name, t->indexes, t->nindexes,
				      OBJECT_NAME_LEN, compare_names) != NULL;
}

/* In order of seq, so the last one stays. */
static int
see_record(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct log_tail *t = arg;

	if (ref->seq == t->seq)
		return err_set(err, ERR_CORRUPT,
		    "this site has two records %ju of one log: see 'varve"
		    " check --no-keys'",
		    (uintmax_t)ref->seq);
	t->seq = ref->seq;
	memcpy(t->head, ref->name, OBJECT_NAME_LEN);
	return 0;
}

static int
read_head(struct store *s, struct log_tail *t, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = t->seq};
	struct record_clear clear;
	uint8_t *buf;
	size_t len;
	int rc;

	memcpy(ref.dataset, t->dataset, STORE_DATASET_LEN);
	memcpy(ref.name, t->head, OBJECT_NAME_LEN);
	rc = store_get(s, &ref, RECORD_MAX, &buf, &len, err);
	if (rc != 0)
		return rc;
	rc = record_peek(buf, len, &clear, err);
	if (rc == 0)
		rc = set_indexes(t, &clear, err);
	free(buf);
	return rc;
}

int
log_tail_read(struct store *s, struct log_tail *t, struct err *err)
{
	uint64_t mark;
	int rc = store_log_mark(s, t->dataset, &mark, err);

	if (rc != 0 || (t->read && mark == t->mark))
		return rc;
	t->read = false;
	t->seq = 0;
	log_tail_clear(t);
	rc = store_list(s, OBJECT_LOG, t->dataset, see_record, t, err);
	if (rc == 0 && t->seq > 0)
		rc = read_head(s, t, err);
	if (rc == 0) {
		t->read = true;
		t->mark = mark;
	}
	return rc;
}

/* --- what a record needs ------------------------------------------------ */

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
need_index(struct store *s, const struct log_tail *t,
    const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_INDEX};
	int rc;

	memcpy(ref.dataset, t->dataset, STORE_DATASET_LEN);
	memcpy(ref.name, name, OBJECT_NAME_LEN);
	rc = index_peek(s, &ref, need_pack, s, err);
	/* The packs' own absence says so with other words. */
	if (rc == ERR_NOT_FOUND) {
		uint64_t size;
		struct err ignored;

		if (store_size(s, &ref, &size, &ignored) == ERR_NOT_FOUND)
			return missing(&ref, err);
	}
	return rc;
}

static int
need_all(struct store *s, const struct log_tail *t,
    const struct record_clear *clear, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < clear->nindexes && rc == 0; i++) {
		if (!has_index(t, clear->indexes[i]))
			rc = need_index(s, t, clear->indexes[i], err);
	}
	return rc;
}

/* --- the chain ---------------------------------------------------------- */

static int
two_histories(uint64_t seq, struct err *err)
{
	return err_set(err, ERR_CORRUPT,
	    "two histories of one dataset: record %ju is another one at this"
	    " site (was it, or another site, made the primary? see"
	    " varve-demote(1))",
	    (uintmax_t)seq);
}

/* Records that another connection has brought meanwhile. */
static int
skip_known(struct store *s, const struct log_tail *t,
    const struct job_group *group, size_t *skip, struct err *err)
{
	const struct blobs *records = &group->records;
	uint64_t size;
	int rc;

	*skip = 0;
	while (*skip < records->n && records->v[*skip].ref.seq <= t->seq)
		(*skip)++;
	if (*skip == 0)
		return 0;
	rc = store_size(s, &records->v[*skip - 1].ref, &size, err);
	return rc == ERR_NOT_FOUND
		   ? two_histories(records->v[*skip - 1].ref.seq, err)
		   : rc;
}

static int
check_record(const struct access *a, const struct log_tail *t,
    const struct blob *b, struct record_clear *clear, struct err *err)
{
	static const uint8_t none[OBJECT_NAME_LEN];
	int rc = record_peek(b->buf, b->len, clear, err);

	if (rc != 0)
		return rc;
	if (memcmp(clear->head.dataset, b->ref.dataset, DATASET_ID_LEN) != 0 ||
	    clear->head.seq != b->ref.seq)
		return err_set(
		    err, ERR_CORRUPT, "it says that it is another record");
	if (clear->head.seq != t->seq + 1)
		return err_set(err, ERR_CORRUPT, "record %ju was to come next",
		    (uintmax_t)(t->seq + 1));
	if (memcmp(clear->head.prev, t->seq == 0 ? none : t->head,
		OBJECT_NAME_LEN) != 0)
		return two_histories(t->seq, err);
	return log_verify(a, clear, b->buf, b->len, err);
}

int
log_tail_check(const struct access *a, struct log_tail *t,
    const struct job_group *group, size_t *skip, struct err *err)
{
	const struct blobs *records = &group->records;
	struct store *s = access_store(a);
	struct log_tail next = *t;
	struct record_clear clear;
	int rc = skip_known(s, t, group, skip, err);

	for (size_t i = *skip; i < records->n && rc == 0; i++) {
		const struct blob *b = &records->v[i];

		rc = check_record(a, &next, b, &clear, err);
		if (rc != 0)
			return err_wrap(
			    err, "record %ju", (uintmax_t)b->ref.seq);
		next.seq = b->ref.seq;
		memcpy(next.head, b->ref.name, OBJECT_NAME_LEN);
	}
	if (rc != 0 || *skip == records->n)
		return rc;
	rc = need_all(s, t, &clear, err);
	if (rc != 0)
		return err_wrap(err, "record %ju", (uintmax_t)next.seq);
	rc = set_indexes(t, &clear, err);
	if (rc == 0) {
		t->seq = next.seq;
		memcpy(t->head, next.head, OBJECT_NAME_LEN);
	}
	return rc;
}
