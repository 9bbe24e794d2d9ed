#include "snapshot/log/log.h"

#include <string.h>

void
log_settled(const struct access *a, const uint8_t dataset[DATASET_ID_LEN],
    struct settled_mark *out)
{
	struct settlement st;

	*out = (struct settled_mark){0};
	if (access_settlement(a, dataset, &st, out->object, NULL) == 0)
		out->from = st.from;
}

static bool
is_newer(const struct settled_mark *a, const struct settled_mark *b)
{
	if (a->from != b->from)
		return a->from > b->from;
	return memcmp(a->object, b->object, sizeof(a->object)) > 0;
}

bool
log_settled_since(const struct access *a, const uint8_t dataset[DATASET_ID_LEN],
    const struct head_seen *seen, struct settlement *out)
{
	struct settled_mark now = {0};

	if (access_settlement(a, dataset, out, now.object, NULL) != 0)
		return false;
	now.from = out->from;
	return is_newer(&now, &seen->settled) && out->seq <= seen->seq;
}
