#ifndef TOOLS_ASKING_H
#define TOOLS_ASKING_H

/* What another site has of this store's logs, for who compares them. */
#include "snapshot/replicate/fetch.h"
#include "snapshot/site/demote.h"
#include "tools/remote.h"

struct asking {
	struct fetch fetch;
	struct store *store; /* this one, whose drafts hold what is fetched */
	struct demote_other other;
};

/**
 * asking_begin(a, remote, err):
 * Connect to it; asking_end() also on failure. ${a} is not moved meanwhile.
 */
NODISCARD int asking_begin(
    struct asking *a, struct remote *remote, struct err *err);
void asking_end(struct asking *a, struct remote *remote);

/** asking_head(a, dataset): Its newest record there, or NULL. */
const struct frame_log *asking_head(
    const struct asking *a, const uint8_t dataset[STORE_DATASET_LEN]);

#endif
