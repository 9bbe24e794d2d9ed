#include "tests/unit/index_fixture.h"

struct index *
open_index(struct fixture *f, const struct object_ref *ref)
{
	struct index *ix;

	assert_ok(index_open(f->store, ref, f->kr, &ix, &err));
	return ix;
}

void
made_up(struct packed *p, uint64_t first, size_t n, size_t per, uint32_t len)
{
	struct chunk_name name = name_of(first + 0x1000000);

	memset(p, 0, sizeof(*p));
	p->ref.cls = OBJECT_PACK;
	memcpy(p->ref.name, &name, sizeof(name));
	p->n = n;
	p->first = first;
	p->per_segment = per;
	for (size_t i = 0; i < n; i++) {
		p->places[i].number = (uint32_t)i;
		p->places[i].offset = 128 + (uint32_t)i * len;
		p->places[i].sealed_len = len;
	}
	p->size = pack_padded(128 + n * len + 100);
}

void
assert_place(
    const struct chunk_place *place, const struct packed *p, size_t segment)
{
	assert_memory_equal(place->pack, p->ref.name, OBJECT_NAME_LEN);
	assert_int_equal(place->pack_size, p->size);
	assert_int_equal(place->kind, p->kind);
	assert_memory_equal(
	    &place->segment, &p->places[segment], sizeof(place->segment));
}

void
assert_all_found(struct index *ix, const struct packed *p)
{
	for (size_t i = 0; i < p->n * p->per_segment; i++) {
		struct chunk_name name = name_of(p->first + i);
		struct chunk_place place;

		assert_ok(index_find(ix, &name, &place, &err));
		assert_place(&place, p, i / p->per_segment);
	}
}

void
assert_not_found(struct index *ix, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		struct chunk_name name = name_of(i);
		struct chunk_place place;

		assert_rc(ERR_NOT_FOUND, index_find(ix, &name, &place, &err));
	}
}
