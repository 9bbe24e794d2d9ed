#ifndef TESTS_UNIT_REALM_FILES_H
#define TESTS_UNIT_REALM_FILES_H

/* The files of a realm's store, and damage to them. */
#include "tests/unit/realm.h"

#define FILES_MAX 256

/* Paths of objects, as messages name them. */
struct files {
	char name[FILES_MAX][192];
	size_t n;
};
/** files_find(r, part, out): Objects whose path has ${part} in it, sorted. */
void files_find(const struct realm *r, const char *part, struct files *out);

/** files_dataset_dir(): Where they are: "datasets/ID/". */
void files_dataset_dir(
    const struct realm *r, const char *dataset, char out[64]);
/** files_find_class(): The objects of a dataset's class: "packs", "log". */
void files_find_class(const struct realm *r, const char *dataset,
    const char *class, struct files *out);
/** files_find_pack(): The largest pack of that kind of the dataset 'files'. */
void files_find_pack(const struct realm *r, int kind, char out[192]);

/** files_pick(r, part): The only one. */
void files_pick(const struct realm *r, const char *part, char out[192]);

/* An object as it was, to be put back. */
struct original {
	char path[2 * SCRATCH_PATH];
	uint8_t *buf;
	size_t len;
};
struct original original_take(const struct realm *r, const char *object);
/** original_put(o): Put it back, and forget it. */
void original_put(struct original *o);
/** original_flip(o, off): Store it with a bit of byte ${off} turned. */
void original_flip(const struct original *o, size_t off);
/** original_cut(o, len): Store its beginning. */
void original_cut(const struct original *o, size_t len);
void original_remove(const struct original *o);

/** object_kind(r, object): Of a pack: the byte in its header. */
int object_kind(const struct realm *r, const char *object);

#endif
