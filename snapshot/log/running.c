#include "snapshot/log/running.h"

#include "crypto/bytes.h"

#include <string.h>

int
running_tell(struct store_lock *lock, uint64_t seq,
    const uint8_t base[OBJECT_NAME_LEN], struct err *err)
{
	static const uint8_t none[OBJECT_NAME_LEN];
	WR_AUTO struct wr w = {0};

	wr_u64(&w, seq);
	wr_bytes(&w, base != NULL ? base : none, OBJECT_NAME_LEN);
	if (w.failed)
		return err_nomem(err);
	return store_lock_note(lock, w.buf, w.len, err);
}

int
running_look(struct store *store, const uint8_t dataset[STORE_DATASET_LEN],
    struct running *out, struct err *err)
{
	struct store_lock_state st;
	const uint8_t *base;
	struct rd r;
	int rc = store_lock_look(store, dataset, STORE_LOCK_RUN, &st, err);

	memset(out, 0, sizeof(*out));
	if (rc != 0)
		return rc;
	out->any = st.held;
	r = rd_init(st.note, st.len);
	out->seq = rd_u64(&r);
	base = rd_bytes(&r, OBJECT_NAME_LEN);
	out->told = rd_done(&r);
	if (out->told)
		memcpy(out->base, base, OBJECT_NAME_LEN);
	return 0;
}
