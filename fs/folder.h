#ifndef FS_FOLDER_H
#define FS_FOLDER_H

/*
 * The tree that datasets' names make: 'db/clarity' is the dataset 'clarity' in
 * the folder 'db'. It only ever grows, and what is in it keeps its place and
 * its number. Pure; the caller locks.
 */
#include "snapshot/tree/entry.h"

struct fs_dataset;

struct folder {
	struct folder *parent; /* NULL: the root */
	struct fs_dataset *ds; /* NULL: a folder, not a dataset */
	uint32_t number;       /* from 0, the root's, in order of arrival */
	size_t name_len;
	char name[];
};

struct folders;

NODISCARD int folders_new(struct folders **out, struct err *err);
void folders_free(struct folders *f);
DEFINE_AUTO(folders, folders_free)

struct folder *folders_root(const struct folders *f);

/**
 * folders_add(f, path, ds, err):
 * Put a dataset where ${path} says, with folders on the way.
 * Errors: ERR_USAGE the path can't be a place, or there is something in its
 * way; ERR_NOMEM. Then nothing but folders was added.
 */
NODISCARD int folders_add(struct folders *f, const char *path,
    struct fs_dataset *ds, struct err *err);

/** folders_child(f, in, name): What is called ${name} in ${in}, or NULL. */
struct folder *folders_child(
    const struct folders *f, const struct folder *in, struct span name);

/** folders_next(f, in, from): The first in ${in} numbered ${from} or more. */
struct folder *folders_next(
    const struct folders *f, const struct folder *in, uint64_t from);

/** folders_count(f): How many there are, the root counted. */
size_t folders_count(const struct folders *f);

#endif
