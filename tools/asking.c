#include "tools/asking.h"
#include "snapshot/log/record.h"

#include <stdlib.h>
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

/* From the newest one back, each names the one before it. */
static int
they_took_over(void *arg, const uint8_t dataset[STORE_DATASET_LEN],
    uint64_t common, bool *taken, struct err *err)
{
	const struct asking *a = arg;
	const struct frame_log *head = asking_head(a, dataset);
	struct object_ref ref = {.cls = OBJECT_LOG};
	struct record_clear clear;

	*taken = false;
	memcpy(ref.dataset, dataset, STORE_DATASET_LEN);
	memcpy(ref.name, head->head, OBJECT_NAME_LEN);
	for (ref.seq = head->seq; ref.seq > common && !*taken; ref.seq--) {
		uint8_t *buf = NULL;
		size_t len;
		int r = fetch_bytes(
		    a->fetch.channel, &ref, RECORD_MAX, &buf, &len, err);

		if (r == 0)
			r = record_peek(buf, len, &clear, err);
		free(buf);
		if (r != 0)
			return err_wrap(err,
			    "whether the other store took a dataset over can't"
			    " be told by its record %ju ('varve check' there)",
			    (uintmax_t)ref.seq);
		*taken = clear.head.type == RECORD_PRIMARY;
		memcpy(ref.name, clear.head.prev, OBJECT_NAME_LEN);
	}
	return 0;
}

int
asking_begin(struct asking *a, struct remote *remote, struct err *err)
{
	int r;

	*a = (struct asking){
	    .store = access_store(remote->session->access),
	    .other = {their_head, they_have, they_took_over, a},
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
