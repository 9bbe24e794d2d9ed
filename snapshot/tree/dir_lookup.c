#include "snapshot/tree/dir.h"
#include "snapshot/tree/page.h"
#include "snapshot/tree/span.h"

void
dir_entry_release(struct dir_entry *de)
{
	chunk_release(&de->page);
	memset(de, 0, sizeof(*de));
}

/* The child below which ${name} would be: 1, or 0 when it sorts before all. */
static int
find_child(
    struct page *p, struct span name, struct page_ref *child, struct err *err)
{
	struct page_item item;
	bool beyond = false;
	int found = 0;
	int rc;

	/* To the end, also when it's found: the counts have to add up. */
	while ((rc = page_next(p, &item, err)) > 0) {
		beyond = beyond || span_compare(item.name, name) > 0;
		if (beyond)
			continue;
		*child = item.child;
		found = 1;
	}
	return rc < 0 ? rc : found;
}

static int
find_entry(
    struct page *p, struct span name, struct page_item *item, struct err *err)
{
	int rc;

	while ((rc = page_next(p, item, err)) > 0) {
		int order = span_compare(item->name, name);

		if (order >= 0)
			return order == 0;
	}
	return rc;
}

/* Walk down to the page of level 0 where ${name} would be: 1, or 0. */
static int
find_leaf(struct chunks *chunks, struct page_ref *ref, struct span name,
    struct chunk *ch, struct page *p, struct err *err)
{
	/* Borrowed by ${ref}: lets go when the child has been opened. */
	CHUNK_AUTO struct chunk above = {0};

	for (;;) {
		struct page_ref child;
		int rc = page_open(chunks, ref, ch, p, err);

		if (rc < 0)
			return rc;
		if (p->level == 0)
			return 1;
		chunk_release(&above);
		above = *ch;
		*ch = (struct chunk){0};
		rc = find_child(p, name, &child, err);
		if (rc < 0)
			page_damaged(&ref->name, err);
		if (rc <= 0)
			return rc;
		*ref = child;
	}
}

static int
look_up(struct chunks *chunks, struct page_ref *ref, struct span name,
    struct dir_entry *out, struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};
	struct page p;
	struct page_item item;
	int rc = find_leaf(chunks, ref, name, &ch, &p, err);

	if (rc <= 0)
		return rc;
	rc = find_entry(&p, name, &item, err);
	if (rc > 0 &&
	    entry_decode(item.entry.p, item.entry.len, &out->e, err) < 0)
		rc = ERR_CORRUPT;
	if (rc < 0)
		page_damaged(&ref->name, err);
	if (rc <= 0)
		return rc;
	out->page = ch;
	out->name = item.name;
	out->raw = item.entry;
	ch = (struct chunk){0};
	return 1;
}

int
dir_lookup(struct chunks *chunks, const struct dir_ref *ref,
    const uint8_t *name, size_t len, struct dir_entry *out, struct err *err)
{
	struct page_ref root = {
	    .name = ref->root, .level = ref->level, .entries = ref->entries};
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (ref->entries > 0 && entry_name_ok(name, len))
		rc = look_up(chunks, &root, (struct span){name, len}, out, err);
	if (rc == 0)
		return err_set(err, ERR_NOT_FOUND, "no such name");
	return rc < 0 ? rc : 0;
}

/* Step from the directory ${out} to its entry ${name}. */
static int
resolve_part(struct chunks *chunks, struct dir_entry *out, struct span name,
    struct err *err)
{
	struct dir_entry next;
	int rc;

	if (out->e.type != ENTRY_DIR)
		return err_set(err, ERR_USAGE, "not a directory");
	rc = dir_lookup(chunks, &out->e.dir, name.p, name.len, &next, err);
	if (rc < 0)
		return rc;
	dir_entry_release(out);
	*out = next;
	return 0;
}

int
dir_resolve(struct chunks *chunks, const struct span *root, const char *path,
    struct dir_entry *out, struct err *err)
{
	const char *at = path;
	int rc;

	memset(out, 0, sizeof(*out));
	out->raw = *root;
	rc = entry_decode(root->p, root->len, &out->e, err);
	while (rc == 0 && *(at += strspn(at, "/")) != '\0') {
		struct span name = {(const uint8_t *)at, strcspn(at, "/")};

		rc = resolve_part(chunks, out, name, err);
		at += name.len;
		if (rc < 0)
			(void)err_wrap(err, "'%.*s'", (int)(at - path), path);
	}
	if (rc < 0)
		dir_entry_release(out);
	return rc;
}
