/* varve release: let the rules have a snapshot that is held. */
#include "tools/hold.h"

static const struct option release_options[] = {
    {"why", 0, OPTION_TEXT, "TEXT", "the reason, for the log", NULL,
	offsetof(struct hold_args, why), 0, 0},
};

static int
release_run(struct run *run, void *values, struct err *err)
{
	return hold_command(run, values, false, err);
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", release_options, 0),
    STORE_GROUP(offsetof(struct hold_args, store)),
    KEY_GROUP(offsetof(struct hold_args, store)),
    PASSPHRASE_GROUP(offsetof(struct hold_args, store)),
    COMMON_GROUP,
};

const struct command cmd_release = {
    .name = "release",
    .summary = "let the rules have a snapshot that is held",
    .about = "End what 'varve hold' began. Only an admin can.",
    .operands = {"DATASET@TIME"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct hold_args),
    .run = release_run,
};
