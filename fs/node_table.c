#include "fs/node_table.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 1024
/* What malloc() adds. */
#define MALLOC_OVERHEAD 16

bool
node_table_is_entry(enum node_kind kind)
{
	return kind == NODE_DIR || kind == NODE_FILE;
}

/* --- hashing ----------------------------------------------------------- */

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ (h >> 29);
}

static uint64_t
hash_path(
    const struct node_table *t, const struct node *parent, struct span name)
{
	uint64_t h = mix(t->seed, parent->id);
	size_t i;

	for (i = 0; i + 8 <= name.len; i += 8) {
		uint64_t v;

		memcpy(&v, name.p + i, 8);
		h = mix(h, v);
	}
	for (; i < name.len; i++)
		h = mix(h, name.p[i]);
	return h;
}

static uint64_t
hash_ino(const struct node_table *t, uint64_t scope, uint64_t ino)
{
	return mix(mix(t->seed, scope), ino);
}

static uint64_t
hash_node(const struct node_table *t, int by, const struct node *n)
{
	switch (by) {
	case BY_ID:
		return n->id;
	case BY_PATH:
		return hash_path(t, n->parent, node_name(n));
	default:
		return hash_ino(t, n->scope, n->ino);
	}
}

static bool
belongs(int by, const struct node *n)
{
	switch (by) {
	case BY_ID:
		return true;
	case BY_PATH:
		return n->kind != NODE_FILE && n->parent != NULL;
	default:
		return node_table_is_entry(n->kind);
	}
}

/* --- chains ------------------------------------------------------------ */

static struct node **
next_of(int by, struct node *n)
{
	switch (by) {
	case BY_ID:
		return &n->id_next;
	case BY_PATH:
		return &n->path_next;
	default:
		return &n->ino_next;
	}
}

static struct node **
slot(const struct node_table *t, int by, uint64_t hash)
{
	return &t->by[by].slots[hash & t->by[by].mask];
}

/*
 * One directory of many snapshots is many nodes with one inode number: chains of
 * BY_INO may be long, and are linked both ways.
 */
static void
chain(int by, struct node **at, struct node *n)
{
	*next_of(by, n) = *at;
	if (by == BY_INO) {
		n->ino_at = at;
		if (*at != NULL)
			(*at)->ino_at = &n->ino_next;
	}
	*at = n;
}

static void
unchain(struct node_table *t, int by, struct node *n)
{
	struct node **at = n->ino_at;

	if (by == BY_INO) {
		if (n->ino_next != NULL)
			n->ino_next->ino_at = at;
	} else {
		at = slot(t, by, hash_node(t, by, n));
		while (*at != n)
			at = next_of(by, *at);
	}
	*at = *next_of(by, n);
}

/* A table that can't grow for want of memory is slow, not wrong. */
static void
table_grow(struct node_table *t, int by)
{
	struct node **old = t->by[by].slots;
	size_t old_size = t->by[by].mask + 1;
	struct node **slots = calloc(old_size * 2, sizeof(*slots));

	if (slots == NULL)
		return;
	t->by[by].slots = slots;
	t->by[by].mask = old_size * 2 - 1;
	for (size_t i = 0; i < old_size; i++) {
		struct node *n, *next;

		for (n = old[i]; n != NULL; n = next) {
			next = *next_of(by, n);
			chain(by, slot(t, by, hash_node(t, by, n)), n);
		}
	}
	free(old);
}

static size_t
node_size(const struct node *n)
{
	return sizeof(*n) + n->name_len + n->raw_len + MALLOC_OVERHEAD;
}

void
node_table_insert(struct node_table *t, struct node *n)
{
	for (int by = 0; by < NODE_TABLES; by++) {
		if (!belongs(by, n))
			continue;
		if (t->by[by].n++ > t->by[by].mask)
			table_grow(t, by);
		chain(by, slot(t, by, hash_node(t, by, n)), n);
	}
	t->bytes += node_size(n);
}

void
node_table_remove(struct node_table *t, struct node *n)
{
	for (int by = 0; by < NODE_TABLES; by++) {
		if (!belongs(by, n))
			continue;
		unchain(t, by, n);
		t->by[by].n--;
	}
	t->bytes -= node_size(n);
}

/* --- finding ----------------------------------------------------------- */

struct node *
node_table_id(const struct node_table *t, uint64_t id)
{
	return *slot(t, BY_ID, id);
}

struct node *
node_table_path(
    const struct node_table *t, const struct node *parent, struct span name)
{
	return *slot(t, BY_PATH, hash_path(t, parent, name));
}

struct node *
node_table_ino(const struct node_table *t, uint64_t scope, uint64_t ino)
{
	return *slot(t, BY_INO, hash_ino(t, scope, ino));
}

/* --- the whole --------------------------------------------------------- */

int
node_table_init(struct node_table *t, struct err *err)
{
	for (int by = 0; by < NODE_TABLES; by++) {
		t->by[by].mask = SLOTS_MIN - 1;
		t->by[by].slots = calloc(SLOTS_MIN, sizeof(struct node *));
		if (t->by[by].slots == NULL)
			return err_nomem(err);
	}
	return random_bytes(&t->seed, sizeof(t->seed), err);
}

static void
free_slot(struct node *n)
{
	struct node *next;

	for (; n != NULL; n = next) {
		next = n->id_next;
		free(n);
	}
}

void
node_table_clear(struct node_table *t)
{
	if (t->by[BY_ID].slots != NULL)
		for (size_t i = 0; i <= t->by[BY_ID].mask; i++)
			free_slot(t->by[BY_ID].slots[i]);
	for (int by = 0; by < NODE_TABLES; by++)
		free(t->by[by].slots);
}
