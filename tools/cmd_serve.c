/* varve serve: make a site. */
#include "tools/serve_init.h"

struct serve_args {
	struct common_args common;
	struct serve_init_args init;
};

static int
serve_run(struct run *run, void *values, struct err *err)
{
	const struct serve_args *args = values;
	int r = serve_init_check(&args->init, err);

	if (r != 0)
		return r;
	if (!args->init.init)
		return err_set(err, ERR_USAGE, "what is to be done? --init");
	return serve_init(run, &args->init, args->common.operands.v[0], err);
}

static const struct option_group groups[] = {
    SERVE_INIT_GROUP(offsetof(struct serve_args, init)),
    COMMON_GROUP,
};

const struct command cmd_serve = {
    .name = "serve",
    .summary = "make a site",
    .about = "Make DIRECTORY a site, with a key of its own: where it is "
	     "missing or empty, an\nempty replica of the store that --for "
	     "names; where a store stands, this store's\nsite. Print the "
	     "request that an admin adds with 'varve site add'. Of a site "
	     "that\nis there, the request is renewed, and the lock can be "
	     "lengthened.",
    .operands = {"DIRECTORY"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct serve_args),
    .run = serve_run,
};
