#include "snapshot/content/index_format.h"

#include <string.h>

/* Packs read at a time: 37 KiB. */
#define AT_A_TIME 1024

/* "index 'datasets/.../...': what is wrong with it" */
static int
malformed(const struct object_ref *ref, int rc, struct err *err)
{
	char text[OBJECT_REF_TEXT];

	object_ref_text(ref, text);
	(void)err_wrap(err, "index '%s'", text);
	return rc;
}

static int
read_head(struct store *store, const struct object_ref *ref,
    struct index_head *head, struct err *err)
{
	uint8_t buf[INDEX_HEAD_LEN];
	int rc = store_read_at(store, ref, 0, buf, sizeof(buf), err);

	if (rc != 0)
		return rc;
	rc = index_head_decode(buf, head, err);
	if (rc == 0 && memcmp(head->dataset, ref->dataset, DATASET_ID_LEN) != 0)
		rc = err_set(err, ERR_CORRUPT, "it is another dataset's");
	return rc == 0 ? 0 : malformed(ref, rc, err);
}

static int
visit_some(const struct object_ref *ref, const uint8_t *buf, size_t n,
    index_listed_fn *visit, void *arg, struct err *err)
{
	struct object_ref pack = {.cls = OBJECT_PACK};
	int rc = 0;

	memcpy(pack.dataset, ref->dataset, sizeof(pack.dataset));
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct index_pack p;

		rc = index_pack_decode(buf + i * INDEX_PACK_LEN, &p, err);
		if (rc != 0)
			return malformed(ref, rc, err);
		memcpy(pack.name, p.name, sizeof(pack.name));
		rc = visit(arg, &pack, p.size, p.kind, err);
	}
	return rc;
}

int
index_peek(struct store *store, const struct object_ref *ref,
    index_listed_fn *visit, void *arg, struct err *err)
{
	uint8_t buf[AT_A_TIME * INDEX_PACK_LEN];
	struct index_head head;
	int rc = read_head(store, ref, &head, err);

	for (uint32_t at = 0; rc == 0 && at < head.npacks; at += AT_A_TIME) {
		size_t n = head.npacks - at;

		if (n > AT_A_TIME)
			n = AT_A_TIME;
		rc = store_read_at(store, ref,
		    INDEX_PACKS_AT + (uint64_t)at * INDEX_PACK_LEN, buf,
		    n * INDEX_PACK_LEN, err);
		if (rc == 0)
			rc = visit_some(ref, buf, n, visit, arg, err);
	}
	return rc;
}
