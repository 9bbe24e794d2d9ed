/* What is in a directory: held back, or on its way into pages. */
#include "snapshot/backup/assemble_internal.h"

#include <stdlib.h>
#include <string.h>

/* Of a very big directory the records are not held back: that bounds memory. */
#define HELD_BYTES (32 * 1024 * 1024)

struct assembly_level *
assembly_top(struct assembly *as)
{
	return &as->levels[as->depth - 1];
}

void
assembly_level_end(struct assembly_level *l)
{
	item_free(STEAL(l->self));
	free(STEAL(l->path));
	wr_reset(&l->held);
	l->entries = 0;
	l->anew = false;
	memset(&l->totals, 0, sizeof(l->totals));
}

static void
sum(struct dir_totals *t, const struct entry *e)
{
	if (e->type == ENTRY_FILE) {
		t->files++;
		t->bytes += e->size;
	} else if (e->type == ENTRY_DIR) {
		t->dirs += e->totals.dirs + 1;
		t->files += e->totals.files;
		t->others += e->totals.others;
		t->bytes += e->totals.bytes;
	} else {
		t->others++;
	}
}

static int
put(struct assembly *as, const struct last_entry *rec, struct err *err)
{
	struct assembly_level *l = assembly_top(as);
	struct entry e;
	int ret = entry_decode(rec->raw.p, rec->raw.len, &e, err);

	if (ret != 0)
		return ret;
	sum(&l->totals, &e);
	ret = dir_builder_add(l->builder, as->worker->lane, rec->name.p,
	    rec->name.len, rec->raw.p, rec->raw.len, err);
	if (ret != 0 || as->state == NULL || !l->anew)
		return ret;
	return last_write(&l->last, as->state, l->key, rec->record, err);
}

static int
put_all(struct assembly *as, struct rd r, struct err *err)
{
	struct last_entry rec;
	int ret = 0;

	while (ret == 0 && rd_left(&r) > 0)
		ret = last_next(&r, &rec)
			  ? put(as, &rec, err)
			  : err_set(err, ERR_BUG, "a record lost its end");
	return ret;
}

int
assembly_put_held(struct assembly *as, struct err *err)
{
	struct assembly_level *l = assembly_top(as);
	int ret = 0;

	if (l->builder == NULL)
		ret = dir_builder_new(&l->builder, err);
	if (ret == 0)
		ret = put_all(as, rd_init(l->held.buf, l->held.len), err);
	wr_clear(&l->held);
	return ret;
}

int
assembly_make_anew(struct assembly *as, struct err *err)
{
	struct assembly_level *l = assembly_top(as);

	if (l->anew)
		return 0;
	l->anew = true;
	return assembly_put_held(as, err);
}

int
assembly_take_records(struct assembly *as, struct span records, struct err *err)
{
	struct assembly_level *l = assembly_top(as);

	if (l->anew)
		return put_all(as, rd_init(records.p, records.len), err);
	wr_bytes(&l->held, records.p, records.len);
	if (l->held.failed)
		return err_nomem(err);
	return l->held.len > HELD_BYTES ? assembly_make_anew(as, err) : 0;
}
