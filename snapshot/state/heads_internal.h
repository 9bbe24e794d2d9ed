#ifndef SNAPSHOT_STATE_HEADS_INTERNAL_H
#define SNAPSHOT_STATE_HEADS_INTERNAL_H

/* What the files of the remembered heads share. */
#include "snapshot/state/sql.h"
#include "snapshot/state/state.h"

enum {
	STORE_ADD,
	STORE_GET,
	STORE_SET,
	PLACE_ADD,
	PLACE_GET,
	PLACE_SET,
	HEAD_GET,
	HEAD_SET,
	HEAD_FORGET,
	NSTATEMENTS
};

extern const struct sql_kind heads_kind;

/* A fingerprint is remembered twice: by the store's id, and by its address. */

/**
 * pins_compare(q, root, address, err):
 * ERR_AUTH the store that either is remembered for is another.
 */
NODISCARD int pins_compare(struct sql *q, const struct root *root,
    const char *address, struct err *err);
/** pins_hold_to(): As pins_compare(); and what wasn't remembered is from now on. */
NODISCARD int pins_hold_to(struct sql *q, const struct root *root,
    const char *address, struct err *err);
/** pins_accept(): Whatever was remembered, this store is, from now on. */
NODISCARD int pins_accept(struct sql *q, const struct root *root,
    const char *address, struct err *err);

#endif
