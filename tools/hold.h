#ifndef TOOLS_HOLD_H
#define TOOLS_HOLD_H

/* What 'varve hold' and 'varve release' have in common. */
#include "tools/session.h"

struct hold_args {
	struct common_args common;
	struct store_args store;
	const char *why;
};

/** hold_command(run, args, on, err): Hold or release the operand. */
NODISCARD int hold_command(
    struct run *run, const struct hold_args *args, bool on, struct err *err);

#endif
