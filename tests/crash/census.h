#ifndef TESTS_CRASH_CENSUS_H
#define TESTS_CRASH_CENSUS_H

/*
 * All that a tree holds, as lines of text: of a source and of a snapshot alike,
 * so that the two can be compared with strcmp(). Every byte is read.
 */
#include "snapshot/log/record.h"

/** census_source(dir): The caller's (free). Aborts when ${dir} can't be read. */
char *census_source(const char *dir);

/**
 * census_snapshot(chunks, s, out, err):
 * *${out} is the caller's (free), NULL on failure: something is not whole.
 */
NODISCARD int census_snapshot(struct chunks *chunks, const struct snapshot *s,
    char **out, struct err *err);

#endif
