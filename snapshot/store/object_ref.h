#ifndef SNAPSHOT_STORE_OBJECT_REF_H
#define SNAPSHOT_STORE_OBJECT_REF_H

/*
 * The names of objects and of the directories that hold them, and back.
 * Source: FORMAT.md section 2. Thread: safe.
 */
#include "snapshot/store/store.h"

/** object_ref_dir(ref, out): The directory of ${ref}'s path; "." for the root. */
void object_ref_dir(const struct object_ref *ref, char out[OBJECT_REF_TEXT]);

/** object_ref_dataset_dir(dataset, out): The directory of all that is its. */
void object_ref_dataset_dir(
    const uint8_t dataset[STORE_DATASET_LEN], char out[OBJECT_REF_TEXT]);

/**
 * object_ref_class_dir(cls, dataset, out):
 * The directory that holds a class's objects; OBJECT_PACK's have one more, XX/.
 */
void object_ref_class_dir(enum object_class cls,
    const uint8_t dataset[STORE_DATASET_LEN], char out[OBJECT_REF_TEXT]);

/**
 * object_ref_parse(ref, file):
 * Read the last component of a path of ${ref}->cls into ${ref}->seq and
 * ${ref}->name. False when it is no such object's name.
 */
bool object_ref_parse(struct object_ref *ref, const char *file);

/** object_size_max(cls): The most bytes that an object of a class has. */
uint64_t object_size_max(enum object_class cls);

/** object_ref_hex(text, out, len): Exactly ${len} bytes of lower-case hex. */
bool object_ref_hex(const char *text, uint8_t *out, size_t len);

#endif
