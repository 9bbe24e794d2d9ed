#include "snapshot/replicate/send_internal.h"

#include <stdlib.h>
#include <string.h>

static int
check_numbers(const struct source *src, struct err *err)
{
	for (size_t i = 0; i < src->records.n; i++) {
		if (src->records.v[i].seq != i + 1)
			return err_set(err, ERR_CORRUPT,
			    "the log has no record %zu, or two of one number:"
			    " see 'varve check --no-keys'",
			    i + 1);
	}
	return 0;
}

int
source_load(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    struct source **out, struct err *err)
{
	AUTO(source) struct source *src = calloc(1, sizeof(*src));
	int rc;

	*out = NULL;
	if (src == NULL)
		return err_nomem(err);
	memcpy(src->dataset, dataset, STORE_DATASET_LEN);
	rc = record_refs_list(s, dataset, &src->records, err);
	if (rc == ERR_NOMEM)
		return rc;
	if (rc == 0)
		rc = check_numbers(src, err);
	/* The caller reports it, of this dataset. */
	if (rc == 0 && src->records.n == 0)
		return 0;
	*out = STEAL(src);
	return rc;
}

void
source_free(struct source *s)
{
	if (s == NULL)
		return;
	name_set_clear(&s->known);
	record_refs_clear(&s->records);
	free(s);
}

int
source_read(struct store *s, const struct source *src, size_t i, uint8_t **buf,
    size_t *len, struct record_clear *clear, struct err *err)
{
	int rc = store_get(s, &src->records.v[i], RECORD_MAX, buf, len, err);

	if (rc == 0)
		rc = record_peek(*buf, *len, clear, err);
	if (rc == 0)
		return 0;
	free(STEAL(*buf));
	return err_wrap(err, "record %zu", i + 1);
}

/* What its head needs, it has. */
static int
know_indexes(struct store *s, struct source *src, size_t i, struct err *err)
{
	struct record_clear clear;
	uint8_t *buf = NULL;
	size_t len;
	int rc = source_read(s, src, i, &buf, &len, &clear, err);

	for (size_t k = 0; rc == 0 && k < clear.nindexes; k++) {
		rc = name_set_add_object(&src->known, clear.indexes[k], err);
		rc = rc < 0 ? rc : 0;
	}
	free(buf);
	return rc;
}

/* Whether they have what an admin has said doesn't count; we do what does. */
static bool
is_settled(const struct access *a, const struct source *src, uint64_t theirs,
    uint64_t *seq)
{
	struct settlement st;

	if (access_settlement(a, src->dataset, &st, NULL, NULL) != 0 ||
	    st.seq > theirs || st.seq > src->records.n)
		return false;
	*seq = st.seq;
	return memcmp(src->records.v[st.seq - 1].name, st.name,
		   OBJECT_NAME_LEN) == 0;
}

int
source_compare(const struct access *a, struct source *src,
    const struct frame_log *head, bool new_keys, struct err *err)
{
	struct store *s = access_store(a);
	const struct object_ref *ours;
	uint64_t settled;
	bool same;

	src->next = 0;
	if (head == NULL || head->seq == 0)
		return 0;
	same = head->seq <= src->records.n &&
	       memcmp(src->records.v[head->seq - 1].name, head->head,
		   OBJECT_NAME_LEN) == 0;
	/* They go back to the record before it, whole or not, when ours come. */
	if (!same && new_keys && is_settled(a, src, head->seq, &settled)) {
		src->next = settled > 1 ? (size_t)settled - 2 : 0;
		return 0;
	}
	if (head->seq > src->records.n)
		return err_set(err, ERR_USAGE,
		    "the other side has %ju records, and there are only %zu"
		    " here: is this an old copy of the store? (if not, see"
		    " varve-settle(1))",
		    (uintmax_t)head->seq, src->records.n);
	ours = &src->records.v[head->seq - 1];
	if (memcmp(ours->name, head->head, OBJECT_NAME_LEN) != 0)
		return err_set(err, ERR_CORRUPT,
		    "two histories: record %ju is another one on the other"
		    " side (was it made the primary? 'varve demote' brings one"
		    " of the two back as a replica; or an admin says by"
		    " 'varve settle' that the records here count)",
		    (uintmax_t)head->seq);
	/* What that one needs is asked for again, and the record sent with it. */
	src->next = (size_t)head->seq - !head->whole;
	return head->whole && src->next < src->records.n
		   ? know_indexes(s, src, (size_t)head->seq - 1, err)
		   : 0;
}
