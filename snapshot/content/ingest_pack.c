/*
 * Segments into packs. One pack of each kind is open at a time for all lanes.
 * Who finds it full takes it out and hands it on to be made durable.
 */
#include "snapshot/content/ingest_internal.h"

#include <stdlib.h>

int
open_pack_new(struct ingest *in, enum pack_kind kind, struct open_pack **out,
    struct err *err)
{
	AUTO(open_pack) struct open_pack *p = calloc(1, sizeof(*p));
	int ret;

	*out = NULL;
	if (p == NULL)
		return err_nomem(err);
	p->kind = kind;
	ret = pack_writer_new(
	    in->store, in->run, in->ks->dataset, kind, &p->writer, err);
	if (ret != 0)
		return ret;
	*out = STEAL(p);
	return 0;
}

void
open_pack_free(struct open_pack *p)
{
	if (p == NULL)
		return;
	pack_writer_free(p->writer);
	free(p->places);
	free(p->names);
	free(p->segments);
	free(p);
}

/* Room for one more segment of ${n} chunks. */
static int
open_pack_reserve(struct open_pack *p, size_t n, struct err *err)
{
	if (p->nplaces == p->places_cap) {
		size_t cap = p->places_cap == 0 ? 64 : p->places_cap * 2;
		void *places = realloc(p->places, cap * sizeof(*p->places));

		if (places == NULL)
			return err_nomem(err);
		p->places = places;
		p->places_cap = cap;
	}
	if (p->names_cap - p->nnames < n) {
		size_t cap = p->names_cap * 2 + n;
		void *names = realloc(p->names, cap * sizeof(*p->names));
		void *segs;

		if (names == NULL)
			return err_nomem(err);
		p->names = names;
		segs = realloc(p->segments, cap * sizeof(*p->segments));
		if (segs == NULL)
			return err_nomem(err);
		p->segments = segs;
		p->names_cap = cap;
	}
	return 0;
}

static int
add_segment(struct open_pack *p, const uint8_t *plain, size_t len,
    const struct segment_builder *b, struct err *err)
{
	struct segment_place *place;
	size_t n = segment_builder_count(b);
	int ret;

	if ((ret = open_pack_reserve(p, n, err)) != 0)
		return ret;
	place = &p->places[p->nplaces];
	if ((ret = pack_writer_add(p->writer, plain, len, place, err)) != 0)
		return ret;
	p->nplaces++;
	for (size_t i = 0; i < n; i++) {
		p->names[p->nnames] = *segment_builder_name(b, i);
		p->segments[p->nnames++] = place->number;
	}
	return 0;
}

/* What broke a pack is told to all lanes that come after. */
static int
open_pack_add(struct open_pack *p, const uint8_t *plain, size_t len,
    const struct segment_builder *b, struct err *err)
{
	if (p->broken.code == 0 &&
	    add_segment(p, plain, len, b, &p->broken) == 0)
		return 0;
	return err_copy(err, &p->broken);
}

/* A pack of many tiny chunks is closed early: all of its names are in memory. */
static bool
is_full(const struct open_pack *p, size_t len)
{
	return !pack_writer_fits(p->writer, len) || p->nnames >= PACK_CHUNKS;
}

int
ingest_put_segment(struct ingest *in, enum pack_kind kind, const uint8_t *plain,
    size_t len, const struct segment_builder *b, struct err *err)
{
	struct open_pack *full = NULL;
	int ret = 0;

	pthread_mutex_lock(&in->pack_mu[kind]);
	if (in->open[kind] != NULL && is_full(in->open[kind], len))
		full = STEAL(in->open[kind]);
	if (in->open[kind] == NULL)
		ret = open_pack_new(in, kind, &in->open[kind], err);
	if (ret == 0)
		ret = open_pack_add(in->open[kind], plain, len, b, err);
	pthread_mutex_unlock(&in->pack_mu[kind]);
	if (ret == 0 && full != NULL)
		return committer_add(in->committer, full, err);
	open_pack_free(full);
	return ret;
}

int
ingest_close_packs(struct ingest *in, struct err *err)
{
	for (unsigned kind = 0; kind < PACK_KINDS; kind++) {
		struct open_pack *p;
		int ret;

		pthread_mutex_lock(&in->pack_mu[kind]);
		p = STEAL(in->open[kind]);
		pthread_mutex_unlock(&in->pack_mu[kind]);
		if (p != NULL &&
		    (ret = committer_add(in->committer, p, err)) != 0)
			return ret;
	}
	return committer_wait(in->committer, err);
}
