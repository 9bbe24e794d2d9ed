#ifndef TESTS_UNIT_INDEX_FIXTURE_H
#define TESTS_UNIT_INDEX_FIXTURE_H

/* Indexes of packs that may be made up, and what is found in them. */
#include "snapshot/content/index_write.h"
#include "tests/unit/content_fixture.h"

/* An index's sizes, from FORMAT.md section 7. */
#define PAGE_ENTRIES 256
#define ENTRY 36
#define PAGE_SEGMENTS 1024
#define SEGMENT 8
#define PACK 37
#define TAG 16
#define HEADS 96

struct index *open_index(struct fixture *f, const struct object_ref *ref);

/* A pack that only an index knows: ${n} segments of ${len} sealed bytes. */
void made_up(
    struct packed *p, uint64_t first, size_t n, size_t per, uint32_t len);

void assert_place(
    const struct chunk_place *place, const struct packed *p, size_t segment);
void assert_all_found(struct index *ix, const struct packed *p);
void assert_not_found(struct index *ix, uint64_t from, uint64_t to);

#endif
