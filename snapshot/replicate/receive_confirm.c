/* What the other side is told of a log that it may count on (section 6). */
#include "snapshot/replicate/receive_internal.h"

#include <string.h>

static int
send_receipt(struct receiver *r, struct log_tail *t, struct err *err)
{
	struct sitedir *site = r->party->site;
	uint8_t receipt[RECEIPT_LEN];
	WR_AUTO struct wr w = {0};
	struct site_clock clock;
	struct site_time now;
	int rc;

	site_clock_now(party_time(), &clock);
	rc = sitedb_bear_out(sitedir_db(site), &clock, t->time, err);
	if (rc == 0)
		rc = sitedb_clock_at(sitedir_db(site), &clock, &now, err);
	if (rc == 0)
		rc = sitedb_arrived(
		    sitedir_db(site), t->dataset, t->seq, now.borne, err);
	if (rc == 0)
		rc = sitedir_receipt(site, access_root(r->party->access)->store,
		    t->dataset, t->seq, t->head, party_time(), receipt, err);
	if (rc != 0)
		return rc;
	wr_bytes(&w, receipt, sizeof(receipt));
	t->receipt = t->seq;
	return receive_say(r, FRAME_RECEIPT, &w, err);
}

/*
 * What came is kept, and need not come again; but who sent it must not think
 * that all is well.
 */
static int
send_gap(struct receiver *r, struct log_tail *t, struct err *err)
{
	struct frame_gap gap = {
	    .ref = {.cls = OBJECT_LOG, .seq = t->seq}, .missing = t->missing};
	WR_AUTO struct wr w = {0};
	char text[OBJECT_REF_TEXT];
	struct err why;

	memcpy(gap.ref.dataset, t->dataset, STORE_DATASET_LEN);
	memcpy(gap.ref.name, t->head, OBJECT_NAME_LEN);
	object_ref_text(&gap.ref, text);
	(void)err_set(&why, ERR_CORRUPT,
	    "'%s': there is no receipt while record %ju of this log is missing"
	    " at this site: 'varve repair' here fetches it",
	    text, (uintmax_t)t->missing);
	/* Once: all that comes after it has the same to be said of it. */
	if (t->gap == 0)
		receive_note(r, &gap.ref, &why);
	frame_gap(&gap, &w);
	t->gap = t->seq;
	return receive_say(r, FRAME_GAP, &w, err);
}

int
receive_confirm(struct receiver *r, struct log_tail *t, struct err *err)
{
	if (!t->whole || t->seq == 0)
		return 0;
	if (t->missing != 0)
		return t->seq == t->gap ? 0 : send_gap(r, t, err);
	return t->seq == t->receipt ? 0 : send_receipt(r, t, err);
}
