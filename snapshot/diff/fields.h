#ifndef SNAPSHOT_DIFF_FIELDS_H
#define SNAPSHOT_DIFF_FIELDS_H

/* Comparing two entries field by field, for who has both at hand. */
#include "snapshot/diff/diff.h"

struct fields_side {
	struct chunks *chunks;
	const struct entry *e;
};

/**
 * fields_compare(a, b, opt, out, err):
 * Which fields (enum diff_field) differ. Of ${opt}, same_names and unread
 * count. Errors: as diff_run().
 */
NODISCARD int fields_compare(const struct fields_side *a,
    const struct fields_side *b, const struct diff_options *opt, unsigned *out,
    struct err *err);

#endif
