#ifndef TOOLS_REPLICATE_SHOW_H
#define TOOLS_REPLICATE_SHOW_H

/* What 'varve replicate' says of how it goes, and how it went. */
#include "snapshot/replicate/reap.h"
#include "snapshot/replicate/receive.h"
#include "snapshot/replicate/send.h"
#include "snapshot/state/receipts.h"
#include "tools/remote.h"

#include <time.h>

struct replicate_args {
	struct common_args common;
	struct store_args store;
	bool pull;
	bool watch;
	uint64_t limit;
	struct remote_args how;
};

/* One run of the command. */
struct replicating {
	struct run *run;
	const struct replicate_args *args;
	struct remote *remote;
	struct receipts *receipts; /* NULL: nothing can be remembered */
	struct timespec began;
	/* Of all connections. */
	uint64_t records, objects, bytes;
	atomic_size_t problems; /* datasets that were not sent; refusals */
	struct send_progress sending;
	struct receive_progress receiving;
	struct reap_result reaped;
};

/** replicate_show_progress(): The progress line; ${arg} is a struct replicating. */
void replicate_show_progress(void *arg, double seconds, char *line, size_t cap);

/** replicate_show_result(g): What was moved, as text or JSON. */
void replicate_show_result(const struct replicating *g);

#endif
