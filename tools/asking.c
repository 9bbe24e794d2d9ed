#include "tools/asking.h"

#include <string.h>

const struct frame_log *
asking_head(const struct asking *a, const uint8_t dataset[STORE_DATASET_LEN])
{
	for (size_t i = 0; i < a->fetch.nheads; i++)
		if (memcmp(a->fetch.heads[i].dataset, dataset,
			STORE_DATASET_LEN) == 0)
			return &a->fetch.heads[i];
	return NULL;
}

static int
their_head(void *arg, const uint8_t dataset[STORE_DATASET_LEN], uint64_t *seq,
    UNUSED struct err *err)
{
	const struct frame_log *head = asking_head(arg, dataset);

	*seq = head != NULL ? head->seq : 0;
	return 0;
}

/* A record is asked for, and given up again: records are small. */
static int
they_have(void *arg, const struct object_ref *ref, bool *has, struct err *err)
{
	struct asking *a = arg;
	AUTO(store_batch) struct store_batch *b = NULL;
	struct err why;
	int r = store_batch_new(a->store, &b, err);

	if (r != 0)
		return r;
	r = fetch_object(a->fetch.channel, ref, b, &why);
	*has = r == 0;
	return r == 0 || r == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
}

int
asking_begin(struct asking *a, struct remote *remote, struct err *err)
{
	int r;

	*a = (struct asking){
	    .store = access_store(remote->session->access),
	    .other = {their_head, they_have, a},
	};
	r = remote_connect(remote, HELLO_FETCH, false, err);
	return r != 0 ? r
		      : fetch_begin(&a->fetch, remote->meeting.channel, err);
}

void
asking_end(struct asking *a, struct remote *remote)
{
	fetch_end(&a->fetch);
	remote_disconnect(remote);
}
