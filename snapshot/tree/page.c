#include "snapshot/tree/page.h"
#include "snapshot/tree/span.h"

/*
 * A page (FORMAT.md section 8):
 *	u8 level, varint n
 *	level 0: n times string name, string entry
 *	level > 0: n times string first name, varint entries, name of the child
 */
void
page_put_head(uint8_t level, size_t n, struct wr *w)
{
	wr_u8(w, level);
	wr_varint(w, n);
}

void
page_put_entry(struct span name, struct span entry, struct wr *w)
{
	wr_string(w, name.p, name.len);
	wr_string(w, entry.p, entry.len);
}

void
page_put_child(const struct page_ref *ref, struct wr *w)
{
	wr_string(w, ref->first.p, ref->first.len);
	wr_varint(w, ref->entries);
	wr_bytes(w, ref->name.b, sizeof(ref->name.b));
}

static int
malformed(struct err *err)
{
	return err_set(err, ERR_CORRUPT, "malformed page of a directory");
}

static void
get_child(struct page *p, struct page_item *out)
{
	out->child.entries = rd_varint(&p->r);
	rd_copy(&p->r, out->child.name.b, sizeof(out->child.name.b));
	out->child.level = (uint8_t)(p->level - 1);
	out->child.first = out->name;
	if (out->child.entries == 0)
		p->r.failed = true;
}

/* The entries that an item stands for must be among those announced. */
static bool
count_item(struct page *p, const struct page_item *item)
{
	uint64_t n = p->level > 0 ? item->child.entries : 1;

	if (n > p->want)
		return false;
	p->want -= n;
	p->left--;
	return true;
}

int
page_next(struct page *p, struct page_item *out, struct err *err)
{
	if (p->left == 0) {
		if (!rd_done(&p->r))
			return malformed(err);
		if (p->want > 0)
			return err_set(err, ERR_CORRUPT,
			    "a directory's page has fewer entries than listed");
		return 0;
	}
	out->name.p = rd_string(&p->r, &out->name.len);
	if (p->level > 0)
		get_child(p, out);
	else
		out->entry.p = rd_string(&p->r, &out->entry.len);
	if (p->r.failed)
		return malformed(err);
	if (!entry_name_ok(out->name.p, out->name.len))
		return err_set(
		    err, ERR_CORRUPT, "a directory lists what can't be a name");
	if (span_compare(p->last, out->name) >= 0)
		return err_set(
		    err, ERR_CORRUPT, "a directory's names are out of order");
	if (!count_item(p, out))
		return err_set(err, ERR_CORRUPT,
		    "a directory's page has more entries than listed");
	p->last = out->name;
	return 1;
}

int
page_init(struct page *p, const uint8_t *buf, size_t len,
    const struct page_ref *ref, struct err *err)
{
	struct page ahead;
	struct page_item item;
	int rc;

	*p = (struct page){.r = rd_init(buf, len), .want = ref->entries};
	p->level = rd_u8(&p->r);
	p->left = rd_count(&p->r, 2);
	if (p->r.failed || p->left == 0)
		return malformed(err);
	if (p->level != ref->level || p->level >= DIR_LEVELS)
		return err_set(err, ERR_CORRUPT,
		    "a directory's page has another level than listed");
	if (ref->first.len == 0)
		return 0;
	ahead = *p;
	rc = page_next(&ahead, &item, err);
	if (rc < 0)
		return rc;
	if (!span_equal(item.name, ref->first))
		return err_set(err, ERR_CORRUPT,
		    "a directory's page starts with another name than listed");
	return 0;
}

void
page_damaged(const struct chunk_name *name, struct err *err)
{
	char text[CONTENT_NAME_TEXT];

	content_name_text(name, text);
	(void)err_wrap(err, "chunk '%s'", text);
}

int
page_open(struct chunks *chunks, const struct page_ref *ref, struct chunk *ch,
    struct page *p, struct err *err)
{
	int rc = content_chunk(chunks, &ref->name, CHUNK_TREE, 0, ch, err);

	if (rc < 0)
		return rc;
	rc = page_init(p, ch->data, ch->len, ref, err);
	if (rc < 0) {
		page_damaged(&ref->name, err);
		chunk_release(ch);
		*ch = (struct chunk){0};
	}
	return rc;
}
