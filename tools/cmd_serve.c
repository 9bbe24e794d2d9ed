/* varve serve: make a site, and serve it. */
#include "tools/serve_init.h"
#include "tools/serve_run.h"

struct serve_args {
	struct common_args common;
	struct serve_init_args init;
	struct serve_run_args serve;
};

static int
serve_command(struct run *run, void *values, struct err *err)
{
	const struct serve_args *args = values;
	const char *address = args->common.operands.v[0];
	int r = serve_init_check(&args->init, err);

	if (r != 0)
		return r;
	if (!args->init.init)
		return serve_run(run, &args->serve, address, err);
	if (args->serve.stdio || args->serve.listen != NULL ||
	    args->serve.clients != 0)
		return err_set(err, ERR_USAGE,
		    "--init ends when the site is made: serve it afterwards");
	return serve_init(run, &args->init, address, err);
}

static const struct option_group groups[] = {
    SERVE_RUN_GROUP(offsetof(struct serve_args, serve)),
    SERVE_INIT_GROUP(offsetof(struct serve_args, init)),
    COMMON_GROUP,
};

const struct command cmd_serve = {
    .name = "serve",
    .summary = "make a site, or serve it",
    .about = "Serve the site at DIRECTORY: take what 'varve replicate' sends, "
	     "send what a site\npulls, hand out single objects to 'varve "
	     "repair', and remove what was pruned once\nthe retention lock "
	     "has passed.\n\nWith --init: make DIRECTORY a site, with a key of "
	     "its own: where it is "
	     "missing or empty, an\nempty replica of the store that --for "
	     "names; where a store stands, this store's\nsite. Print the "
	     "request that an admin adds with 'varve site add'. Of a site "
	     "that\nis there, the request is renewed, and the lock can be "
	     "lengthened.",
    .operands = {"DIRECTORY"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct serve_args),
    .run = serve_command,
};
