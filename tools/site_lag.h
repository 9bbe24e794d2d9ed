#ifndef TOOLS_SITE_LAG_H
#define TOOLS_SITE_LAG_H

/* How far each site is behind, as 'varve list --sites' and 'varve status' show. */
#include "tools/session.h"

/**
 * site_lag_show(s, err):
 * A row, or an item of 'sites', for each dataset and site that may be sent to.
 * Datasets of which no key is at hand show by the start of their id.
 * Returns an enum exit_status: EXIT_DAMAGE where a site's history is another.
 */
int site_lag_show(struct session *s, struct err *err);

#define SITE_LAG_DATASET (DATASET_NAME_MAX + 1)
/** site_lag_dataset(s, id, out): How a dataset shows. */
const char *site_lag_dataset(const struct session *s,
    const uint8_t id[DATASET_ID_LEN], char out[SITE_LAG_DATASET]);

#endif
