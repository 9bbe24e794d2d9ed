#ifndef TOOLS_MOUNT_OPTIONS_H
#define TOOLS_MOUNT_OPTIONS_H

/*
 * The arguments of 'varve mount', and mount(8)'s way of giving them: '-o' and a
 * list 'allow_other,dataset=home,...', as fstab(5) has it.
 */
#include "tools/session.h"

struct mount_args {
	struct common_args common;
	struct store_args store;
	bool foreground;
	bool allow_other;
	bool no_sharing;
	const char *dataset;
	uint64_t cache;
	struct option_list options; /* of -o */
};

#define MOUNT_CACHE_MAX (UINT64_C(1) << 40)

/* What the lists turned into, beside the arguments. */
struct mount_options {
	char **lists; /* cut to pieces; the arguments point into them */
	size_t nlists;
	char *fuse; /* those that are libfuse's: 'a,b=c', or NULL */
};
void mount_options_clear(struct mount_options *m);
#define MOUNT_OPTIONS_AUTO __attribute__((cleanup(mount_options_clear)))

/**
 * mount_options_apply(args, out, err):
 * Set ${args} by its ->options. Words that only mount(8) minds are passed over
 * (rw, noauto, nofail, x-...). ${out} must live as long as ${args}; clear it
 * also after a failure. Errors: ERR_USAGE, with the nearest word; ERR_NOMEM.
 */
NODISCARD int mount_options_apply(
    struct mount_args *args, struct mount_options *out, struct err *err);

#endif
