/*
 * Many indexes into one. Entries are sorted everywhere, so the next is the
 * least of those that the indexes' pages are at:
 *
 *	index 0  [page] --.
 *	index 1  [page] ---+--> least name --> page of the new one --> store
 *	index 2  [page] --'
 *
 * What must be known beforehand is the list of packs, which comes first in the
 * object, and with it what number each segment has from now on: see
 * index_join_packs.c.
 */
#include "snapshot/content/index_join_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- entries ------------------------------------------------------------ */

static const uint8_t *
entry_at(const struct join_part *part)
{
	return part->page + part->at * INDEX_ENTRY_LEN;
}

/* Whether to take the entry at hand. */
static int
takes(const struct join_part *part, struct err *err)
{
	struct index_entry e = index_page_entry(part->page, part->at);
	struct index_spot spot = index_spot_of(&part->ix->sum,
	    (part->next_page - 1) * INDEX_PAGE_ENTRIES + part->at, e.segment);

	if (part->numbers[spot.pack] == INDEX_JOIN_LEFT_OUT)
		return 0;
	if (part->want->entry == NULL)
		return 1;
	return part->want->entry(part->want->arg, &e.name, &spot, err);
}

static int
next_page(struct join_part *part, struct err *err)
{
	const struct index_summary *s = &part->ix->sum;
	int rc = index_read_page(part->ix, part->next_page, part->page, err);

	if (rc != 0)
		return rc;
	part->n = index_page_entries(s, part->next_page++);
	part->at = 0;
	return 0;
}

/* Have an entry at hand, if there is one left. */
static int
fill(struct join_part *part, struct err *err)
{
	for (;;) {
		int rc;

		while (part->at < part->n) {
			rc = takes(part, err);
			if (rc != 0)
				return rc < 0 ? rc : 0;
			part->at++;
		}
		if (part->next_page == part->ix->sum.npages)
			return 0;
		rc = next_page(part, err);
		if (rc != 0)
			return rc;
	}
}

/* The part whose entry is next: of equal names the last one's, or none. */
static struct join_part *
least(const struct index_join *j)
{
	struct join_part *found = NULL;

	for (size_t i = 0; i < j->n; i++) {
		struct join_part *part = &j->parts[i];

		if (part->at < part->n &&
		    (found == NULL || memcmp(entry_at(part), entry_at(found),
					  CHUNK_NAME_LEN) <= 0))
			found = part;
	}
	return found;
}

static int
put_entry(struct index_join *j, const struct join_part *part, struct err *err)
{
	struct index_entry e = index_page_entry(part->page, part->at);
	const struct index_summary *s = &part->ix->sum;
	const struct index_pack *p = index_segment_pack(s, e.segment);

	e.segment = j->packs[part->numbers[p - s->packs]].first +
		    (e.segment - p->first);
	return index_writer_entry(&j->w, &e, err);
}

/* Past the name that was put, wherever it is. */
static int
step(struct index_join *j, const uint8_t name[CHUNK_NAME_LEN], struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < j->n; i++) {
		struct join_part *part = &j->parts[i];

		if (part->at == part->n ||
		    memcmp(entry_at(part), name, CHUNK_NAME_LEN) != 0)
			continue;
		part->at++;
		rc = fill(part, err);
	}
	return rc;
}

static int
join_entries(struct index_join *j, struct err *err)
{
	struct join_part *part;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < j->n; i++)
		rc = fill(&j->parts[i], err);
	while (rc == 0 && (part = least(j)) != NULL) {
		uint8_t name[CHUNK_NAME_LEN];

		memcpy(name, entry_at(part), sizeof(name));
		rc = put_entry(j, part, err);
		if (rc == 0)
			rc = step(j, name, err);
	}
	return rc;
}

/* --- segments ----------------------------------------------------------- */

struct joining {
	struct index_join *j;
	const struct join_part *part;
	size_t next; /* pack of the part */
	size_t put;  /* packs of the new one */
};

/* An index_pack_fn. */
static int
put_segments(void *arg, UNUSED const struct object_ref *ref,
    UNUSED uint64_t size, UNUSED enum pack_kind kind,
    const struct segment_place *places, size_t n, struct err *err)
{
	struct joining *g = arg;
	int rc = 0;

	/* One that an earlier index lists has had its turn. */
	if (g->part->numbers[g->next++] != g->put)
		return 0;
	g->put++;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct index_segment seg = {
		    places[i].offset, places[i].sealed_len};

		rc = index_writer_segment(&g->j->w, &seg, err);
	}
	return rc;
}

static int
join_segments(struct index_join *j, struct err *err)
{
	struct joining g = {.j = j};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < j->n; i++) {
		g.part = &j->parts[i];
		g.next = 0;
		rc = index_each_pack(j->parts[i].ix, put_segments, &g, err);
	}
	return rc;
}

/* --- the whole ---------------------------------------------------------- */

static int
join_begin(struct index_join *j, const struct index_part *parts, size_t n,
    struct err *err)
{
	j->parts = calloc(n, sizeof(*j->parts));
	if (j->parts == NULL)
		return err_nomem(err);
	for (; j->n < n; j->n++) {
		struct join_part *part = &j->parts[j->n];

		part->want = &parts[j->n];
		part->ix = parts[j->n].ix;
		part->numbers =
		    calloc(part->ix->sum.npacks, sizeof(*part->numbers));
		part->page = malloc(INDEX_PAGE_LEN + AEAD_TAG_LEN);
		if (part->numbers == NULL || part->page == NULL) {
			free(part->numbers);
			free(part->page);
			return err_nomem(err);
		}
	}
	return index_join_packs(j, err);
}

static void
join_clear(struct index_join *j)
{
	for (size_t i = 0; i < j->n; i++) {
		free(j->parts[i].numbers);
		free(j->parts[i].page);
	}
	free(j->parts);
	index_writer_clear(&j->w);
	free(j->packs);
}
#define JOIN_AUTO __attribute__((cleanup(join_clear)))

int
index_join(struct store *store, const struct keyset *ks, struct index *const *v,
    size_t n, struct object_ref *ref, struct err *err)
{
	struct index_part *parts = calloc(n, sizeof(*parts));
	int rc;

	if (parts == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		parts[i].ix = v[i];
	rc = index_join_some(store, ks, parts, n, ref, err);
	free(parts);
	return rc;
}

int
index_join_some(struct store *store, const struct keyset *ks,
    const struct index_part *parts, size_t n, struct object_ref *ref,
    struct err *err)
{
	JOIN_AUTO struct index_join j = {0};
	AUTO(store_writer) struct store_writer *to = NULL;
	int rc = join_begin(&j, parts, n, err);

	if (rc == 0 && j.npacks == 0)
		return 1;
	if (rc == 0)
		rc = store_writer_new(
		    store, OBJECT_INDEX, ks->dataset, &to, err);
	if (rc == 0)
		rc = index_writer_begin(
		    &j.w, j.packs, j.npacks, ks, index_put_to_store, to, err);
	if (rc == 0)
		rc = join_entries(&j, err);
	if (rc == 0 && j.w.sum.entries == 0)
		return 1;
	if (rc == 0)
		rc = join_segments(&j, err);
	if (rc == 0)
		rc = index_writer_end(&j.w, err);
	return rc == 0 ? store_writer_commit(to, ref, err) : rc;
}
