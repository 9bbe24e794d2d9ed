#include "fs/node.h"
#include "crypto/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * Three hash tables over the same nodes:
 *
 *	BY_ID	id			every node
 *	BY_PATH	parent, name		directories and the upper tree
 *	BY_INO	scope, inode number	entries: files and directories
 *
 * Files are found by inode number alone: a file is the node whose entry has the
 * same bytes, wherever it stands. All entries with the same number and the same
 * bytes show the same st_ino. One directory of many snapshots is many nodes with
 * one number, so that chains of BY_INO may be long and are linked both ways.
 */
enum { BY_ID, BY_PATH, BY_INO, TABLES };

struct table {
	struct node **slots;
	size_t mask;
	size_t n;
};

struct nodes {
	pthread_mutex_t mu;
	uint64_t seed; /* so that nobody can aim names at one slot */

	/* guarded by mu */
	struct table tables[TABLES];
	uint64_t next_id;
	uint64_t next_private;
	size_t bytes;
	size_t hand; /* the slot of BY_ID where nodes_idle() goes on */
};

#define SLOTS_MIN 1024
/* st_ino from here on come from a counter; inode.h has all ranges. */
#define PRIVATE_INO (UINT64_C(3) << 62)
/* Different entries with one inode number are a lie: don't look far. */
#define LIARS_MAX 16
/* What malloc() adds. */
#define MALLOC_OVERHEAD 16

struct span
node_name(const struct node *n)
{
	return (struct span){n->bytes, n->name_len};
}

struct span
node_raw(const struct node *n)
{
	return (struct span){n->bytes + n->name_len, n->raw_len};
}

static bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static bool
is_entry(enum node_kind kind)
{
	return kind == NODE_DIR || kind == NODE_FILE;
}

/* --- the tables -------------------------------------------------------- */

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ (h >> 29);
}

static uint64_t
hash_path(const struct nodes *t, const struct node *parent, struct span name)
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
hash_ino(const struct nodes *t, uint64_t scope, uint64_t ino)
{
	return mix(mix(t->seed, scope), ino);
}

static uint64_t
hash_node(const struct nodes *t, int by, const struct node *n)
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
		return is_entry(n->kind);
	}
}

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
slot(const struct nodes *t, int by, uint64_t hash)
{
	return &t->tables[by].slots[hash & t->tables[by].mask];
}

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
unchain(struct nodes *t, int by, struct node *n)
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
table_grow(struct nodes *t, int by)
{
	struct table *tab = &t->tables[by];
	struct table old = *tab;
	size_t size = (old.mask + 1) * 2;
	struct node **slots = calloc(size, sizeof(*slots));

	if (slots == NULL)
		return;
	tab->slots = slots;
	tab->mask = size - 1;
	for (size_t i = 0; i <= old.mask; i++) {
		struct node *n, *next;

		for (n = old.slots[i]; n != NULL; n = next) {
			next = *next_of(by, n);
			chain(by, slot(t, by, hash_node(t, by, n)), n);
		}
	}
	free(old.slots);
}

static size_t
node_size(const struct node *n)
{
	return sizeof(*n) + n->name_len + n->raw_len + MALLOC_OVERHEAD;
}

static void
insert(struct nodes *t, struct node *n)
{
	for (int by = 0; by < TABLES; by++) {
		if (!belongs(by, n))
			continue;
		if (t->tables[by].n++ > t->tables[by].mask)
			table_grow(t, by);
		chain(by, slot(t, by, hash_node(t, by, n)), n);
	}
	t->bytes += node_size(n);
}

static void
extract(struct nodes *t, struct node *n)
{
	for (int by = 0; by < TABLES; by++) {
		if (!belongs(by, n))
			continue;
		unchain(t, by, n);
		t->tables[by].n--;
	}
	t->bytes -= node_size(n);
}

/* --- making and finding ------------------------------------------------ */

static struct node *
node_new(const struct node_key *key)
{
	size_t size = sizeof(struct node) + key->name.len + key->raw.len;
	struct node *n = calloc(1, size);

	if (n == NULL)
		return NULL;
	n->kind = (uint8_t)key->kind;
	n->parent = key->parent;
	n->scope = key->scope;
	n->ino = key->ino;
	n->st_ino = key->st_ino;
	n->ds = key->ds;
	n->name_len = (uint16_t)key->name.len;
	n->raw_len = (uint32_t)key->raw.len;
	if (key->name.len > 0)
		memcpy(n->bytes, key->name.p, key->name.len);
	if (key->raw.len > 0)
		memcpy(n->bytes + n->name_len, key->raw.p, key->raw.len);
	switch (key->kind) {
	case NODE_FOLDER:
	case NODE_DATASET:
		n->folder = key->folder;
		break;
	case NODE_DAY:
		n->day = key->day;
		break;
	case NODE_DIR:
		n->s = key->s;
		break;
	case NODE_FILE:
		atomic_init(&n->blocks, NODE_BLOCKS_UNKNOWN);
		break;
	case NODE_LINK:
		break;
	}
	return n;
}

/*
 * In the upper tree, one name means different things at different times: then
 * their bytes differ, or the snapshots that they are the roots of.
 */
static bool
same_place(const struct node *n, const struct node_key *key)
{
	return n->parent == key->parent && n->kind == key->kind &&
	       span_equal(node_name(n), key->name) &&
	       span_equal(node_raw(n), key->raw) &&
	       (n->kind != NODE_DIR || n->s == key->s);
}

static struct node *
find_path(const struct nodes *t, const struct node_key *key)
{
	uint64_t hash = hash_path(t, key->parent, key->name);
	struct node *n = *slot(t, BY_PATH, hash);

	while (n != NULL && !same_place(n, key))
		n = n->path_next;
	return n;
}

/*
 * The newest node with the entry's number and bytes: of a file, any; of a
 * directory, its st_ino is what counts. *${st_ino} is what a new node shows.
 */
static struct node *
find_ino(const struct nodes *t, const struct node_key *key, uint64_t *st_ino)
{
	struct node *n = *slot(t, BY_INO, hash_ino(t, key->scope, key->ino));
	int liars = 0;

	*st_ino = key->st_ino;
	for (; n != NULL && liars < LIARS_MAX; n = n->ino_next) {
		if (n->scope != key->scope || n->ino != key->ino)
			continue;
		if (n->kind == key->kind && span_equal(node_raw(n), key->raw)) {
			*st_ino = n->st_ino;
			return n;
		}
		liars++;
		*st_ino = 0;
	}
	return NULL;
}

static int
intern(struct nodes *t, const struct node_key *key, struct node **out,
    struct err *err)
{
	uint64_t st_ino = key->st_ino;
	struct node *n = NULL;

	if (is_entry(key->kind))
		n = find_ino(t, key, &st_ino);
	if (key->kind != NODE_FILE)
		n = find_path(t, key);
	if (n == NULL) {
		n = node_new(key);
		if (n == NULL)
			return err_nomem(err);
		n->id = t->next_id++;
		n->st_ino = st_ino != 0 ? st_ino : t->next_private++;
		n->parent->refs++;
		insert(t, n);
	}
	n->nlookup++;
	*out = n;
	return 0;
}

int
nodes_intern(struct nodes *t, const struct node_key *key, struct node **out,
    struct err *err)
{
	int rc;

	*out = NULL;
	if (key->name.len > UINT16_MAX || key->raw.len > UINT32_MAX)
		return err_set(err, ERR_BUG, "a node too big to keep");
	pthread_mutex_lock(&t->mu);
	rc = intern(t, key, out, err);
	pthread_mutex_unlock(&t->mu);
	return rc;
}

/* Free ${n} if nothing needs it any more, and then what only it needed. */
static void
release(struct nodes *t, struct node *n)
{
	while (n->refs == 0 && n->nlookup == 0) {
		struct node *parent = n->parent;

		extract(t, n);
		free(n);
		n = parent;
		n->refs--;
	}
}

static struct node *
find_id(struct nodes *t, uint64_t id)
{
	struct node *n = *slot(t, BY_ID, id);

	while (n != NULL && n->id != id)
		n = n->id_next;
	return n;
}

struct node *
nodes_get(struct nodes *t, uint64_t id)
{
	struct node *n;

	pthread_mutex_lock(&t->mu);
	n = find_id(t, id);
	if (n != NULL)
		n->refs++;
	pthread_mutex_unlock(&t->mu);
	return n;
}

void
nodes_put(struct nodes *t, struct node *n)
{
	if (n == NULL)
		return;
	pthread_mutex_lock(&t->mu);
	n->refs--;
	release(t, n);
	pthread_mutex_unlock(&t->mu);
}

void
nodes_forget(struct nodes *t, uint64_t id, uint64_t count)
{
	struct node *n;

	pthread_mutex_lock(&t->mu);
	n = find_id(t, id);
	if (n != NULL && n->parent != NULL) {
		n->nlookup -= count < n->nlookup ? count : n->nlookup;
		release(t, n);
	}
	pthread_mutex_unlock(&t->mu);
}

/* --- the whole --------------------------------------------------------- */

static int
init(struct nodes *t, const struct node_key *key, struct err *err)
{
	struct node *root;
	int rc = random_bytes(&t->seed, sizeof(t->seed), err);

	if (rc != 0)
		return rc;
	for (int by = 0; by < TABLES; by++) {
		t->tables[by].mask = SLOTS_MIN - 1;
		t->tables[by].slots =
		    calloc(SLOTS_MIN, sizeof(*t->tables[by].slots));
		if (t->tables[by].slots == NULL)
			return err_nomem(err);
	}
	root = node_new(key);
	if (root == NULL)
		return err_nomem(err);
	root->id = NODE_ROOT_ID;
	root->refs = 1; /* the kernel never forgets it */
	insert(t, root);
	t->next_id = NODE_ROOT_ID + 1;
	t->next_private = PRIVATE_INO;
	return 0;
}

int
nodes_new(const struct node_key *root, struct nodes **out, struct err *err)
{
	AUTO(nodes) struct nodes *t = calloc(1, sizeof(*t));
	int rc;

	*out = NULL;
	if (t == NULL)
		return err_nomem(err);
	pthread_mutex_init(&t->mu, NULL);
	rc = init(t, root, err);
	if (rc != 0)
		return rc;
	*out = STEAL(t);
	return 0;
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
nodes_free(struct nodes *t)
{
	struct table *ids;

	if (t == NULL)
		return;
	ids = &t->tables[BY_ID];
	for (size_t i = 0; ids->slots != NULL && i <= ids->mask; i++)
		free_slot(ids->slots[i]);
	for (int by = 0; by < TABLES; by++)
		free(t->tables[by].slots);
	pthread_mutex_destroy(&t->mu);
	free(t);
}

size_t
nodes_count(struct nodes *t)
{
	size_t n;

	pthread_mutex_lock(&t->mu);
	n = t->tables[BY_ID].n;
	pthread_mutex_unlock(&t->mu);
	return n;
}

size_t
nodes_bytes(struct nodes *t)
{
	size_t bytes;

	pthread_mutex_lock(&t->mu);
	bytes = t->bytes;
	for (int by = 0; by < TABLES; by++)
		bytes += (t->tables[by].mask + 1) * sizeof(struct node *);
	pthread_mutex_unlock(&t->mu);
	return bytes;
}

/* The hand goes round BY_ID, whose slots are nearly in order of age. */
size_t
nodes_idle(struct nodes *t, uint64_t *ids, size_t max)
{
	const struct table *tab = &t->tables[BY_ID];
	size_t found = 0;

	pthread_mutex_lock(&t->mu);
	for (size_t left = tab->mask + 1; left > 0 && found < max; left--) {
		const struct node *n = tab->slots[t->hand & tab->mask];

		for (; n != NULL && found < max; n = n->id_next)
			if (n->refs == 0)
				ids[found++] = n->id;
		t->hand++;
	}
	pthread_mutex_unlock(&t->mu);
	return found;
}

/* --- paths ------------------------------------------------------------- */

static void
path_bytes(struct span s, struct wr *w)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.p[i];

		if (c >= 0x20 && c != 0x7f && c != '\\') {
			wr_u8(w, c);
			continue;
		}
		wr_u8(w, '\\');
		wr_u8(w, (uint8_t)('0' + (c >> 6)));
		wr_u8(w, (uint8_t)('0' + ((c >> 3) & 7)));
		wr_u8(w, (uint8_t)('0' + (c & 7)));
	}
}

void
node_path(const struct node *n, struct wr *w)
{
	/* Parents first: count down to the ancestor that is due. */
	size_t depth = 0;

	for (const struct node *a = n; a->parent != NULL; a = a->parent)
		depth++;
	while (depth-- > 0) {
		const struct node *a = n;

		for (size_t i = 0; i < depth; i++)
			a = a->parent;
		path_bytes(node_name(a), w);
		if (depth > 0)
			wr_u8(w, '/');
	}
}
