#ifndef TESTS_UNIT_FORGE_H
#define TESTS_UNIT_FORGE_H

/*
 * Snapshots whose objects are all authentic, put together by hand: only a
 * program with a mistake, or a writer with a purpose, makes some of them. They
 * are of the dataset 'lies', in a store of their own.
 */
#include "snapshot/tree/dir.h"
#include "snapshot/tree/page.h"
#include "tests/unit/check_fixture.h"

#define LIES "lies@2023-11-14T22:13:20Z:/"
#define NEXT_INO 1000

/* A snapshot in the making. */
struct forge {
	struct realm *r;
	const struct dataset *ds;
	struct ingest *in;
	struct ingest_lane *lane;
	struct dir_builder *dir;
	uint64_t ino;
	uint64_t next_ino; /* as the record says */
	int hours;         /* after FIRST_TIME */
	struct dir_totals totals;
	/* What the record names; NULL: what ingest gives. */
	uint8_t (*indexes)[OBJECT_NAME_LEN];
	size_t nindexes;
};

struct forge forge_new(void);
void forge_free(struct forge *f);
#define FORGE_AUTO __attribute__((cleanup(forge_free)))

/** forge_entry(f, type): Of no particular kind, with an inode of its own. */
struct entry forge_entry(struct forge *f, enum entry_type type);

/** forge_add(f, name, e): Put it into the directory; names ascend. */
void forge_add(struct forge *f, const char *name, const struct entry *e);

struct chunk_name forge_chunk(
    struct forge *f, enum chunk_kind kind, const void *buf, size_t len);

void forge_file(
    struct forge *f, const char *name, const struct content *c, uint64_t size);

/** forge_file_of(): Of one chunk, which is said to have ${len} bytes. */
void forge_file_of(
    struct forge *f, const char *name, struct chunk_name chunk, uint64_t len);

/** forge_dir(f): The entry of the directory, which then starts anew. */
struct entry forge_dir(struct forge *f);

/** forge_page(): With an entry of each name, in the order given. */
struct page_ref forge_page(struct forge *f, const char *const *names, size_t n);

/** forge_publish(f, root): All that was put, and a snapshot with that root. */
void forge_publish(struct forge *f, const struct entry *root);

/** forge_publish_again(): The same root, found by the same indexes. */
void forge_publish_again(struct forge *f, const struct entry *root);

/** forge_publish_dir(f): The directory is the root. */
void forge_publish_dir(struct forge *f);

/* --- looking ------------------------------------------------------------ */

void assert_whole(const struct forge *f);

/** assert_caught(): Checks of this depth and deeper find that, and no more. */
void assert_caught(const struct forge *f, enum check_depth depth,
    const char *what, const char *affects);

#endif
