/* varve hold: keep a snapshot, whatever the rules say. */
#include "tools/hold.h"

static const struct option hold_options[] = {
    {"why", 0, OPTION_TEXT, "TEXT", "the reason, for the log", NULL,
	offsetof(struct hold_args, why), 0, 0},
};

static int
hold_run(struct run *run, void *values, struct err *err)
{
	return hold_command(run, values, true, err);
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", hold_options, 0),
    STORE_GROUP(offsetof(struct hold_args, store)),
    KEY_GROUP(offsetof(struct hold_args, store)),
    PASSPHRASE_GROUP(offsetof(struct hold_args, store)),
    COMMON_GROUP,
};

const struct command cmd_hold = {
    .name = "hold",
    .summary = "keep a snapshot, whatever the rules say",
    .about = "Hold a snapshot: it does not expire until 'varve release'. Only "
	     "an admin can.",
    .operands = {"DATASET@TIME"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct hold_args),
    .run = hold_run,
};
