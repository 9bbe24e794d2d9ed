#ifndef TESTS_UNIT_LOG_FIXTURE_H
#define TESTS_UNIT_LOG_FIXTURE_H

/* Snapshots to put into logs. */
#include "crypto/attr.h"
#include "snapshot/log/record.h"

#include <stdlib.h>
#include <string.h>

/* The entry of a root directory with 3 files of 1000 bytes in all. */
static inline UNUSED void
root_entry(struct wr *w)
{
	static const struct entry root = {
	    .type = ENTRY_DIR,
	    .mode = 0755,
	    .mtime = 1000,
	    .mtime_ns = 5,
	    .ino = 1,
	    .nlink = 1,
	    .dir = {.entries = 5, .level = 1, .root = {{0xd1}}},
	    .totals = {.files = 3, .dirs = 1, .others = 1, .bytes = 1000},
	};

	entry_encode(&root, w);
}

static inline UNUSED struct snapshot *
snapshot_at(int64_t s, uint32_t ns)
{
	struct snapshot *snap = calloc(1, sizeof(*snap));
	struct wr w = {0};

	if (snap == NULL)
		abort();
	root_entry(&w);
	snap->time = (struct moment){s, ns};
	snap->end = (struct moment){s + 60, 7};
	snap->kind = SNAPSHOT_FULL;
	snap->host = strdup("db1");
	snap->source = strdup("/srv/data");
	snap->program = strdup("varve 1");
	snap->root_len = w.len;
	snap->root = wr_steal(&w);
	snap->added_chunks = 300;
	snap->added_bytes = 70000;
	snap->added_stored = 66000;
	snap->unreadable = 1;
	snap->changed = 2;
	snap->problems_size = 10;
	snap->problems.form = CONTENT_TREE;
	snap->problems.root.b[0] = 0xe1;
	snap->next_ino = 6;
	if (snap->host == NULL || snap->source == NULL ||
	    snap->program == NULL || snap->root == NULL)
		abort();
	return snap;
}

/* The index set of such a snapshot. */
static const uint8_t fixture_indexes[2][OBJECT_NAME_LEN] = {{0xa1}, {0xa2}};
static const struct record_lists fixture_lists = {
    .indexes = fixture_indexes,
    .nindexes = 2,
};

/* A record with such a snapshot, without its place; record_free(). */
static inline UNUSED struct record *
record_at(int64_t s, uint32_t ns)
{
	struct record *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	r->head.type = RECORD_SNAPSHOT;
	r->open = true;
	r->snapshot = snapshot_at(s, ns);
	return r;
}

#endif
