#include "fs/node_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * Files are found by inode number alone: a file is the node whose entry has the
 * same bytes, wherever it stands. All entries with the same number and the same
 * bytes show the same st_ino.
 */
struct nodes {
	pthread_mutex_t mu;
	/* guarded by mu */
	struct node_table table;
	uint64_t next_id;
	uint64_t next_private;
	size_t hand; /* the slot of BY_ID where nodes_idle() goes on */
};

/* st_ino from here on come from a counter; inode.h has all ranges. */
#define PRIVATE_INO (UINT64_C(3) << 62)
/* Different entries with one inode number are a lie: don't look far. */
#define LIARS_MAX 16

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
	struct node *n = node_table_path(&t->table, key->parent, key->name);

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
	struct node *n = node_table_ino(&t->table, key->scope, key->ino);
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

	if (node_table_is_entry(key->kind))
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
		node_table_insert(&t->table, n);
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

		node_table_remove(&t->table, n);
		free(n);
		n = parent;
		n->refs--;
	}
}

static struct node *
find_id(struct nodes *t, uint64_t id)
{
	struct node *n = node_table_id(&t->table, id);

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
	int rc = node_table_init(&t->table, err);

	if (rc != 0)
		return rc;
	root = node_new(key);
	if (root == NULL)
		return err_nomem(err);
	root->id = NODE_ROOT_ID;
	root->refs = 1; /* the kernel never forgets it */
	node_table_insert(&t->table, root);
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

void
nodes_free(struct nodes *t)
{
	if (t == NULL)
		return;
	node_table_clear(&t->table);
	pthread_mutex_destroy(&t->mu);
	free(t);
}

uint64_t
nodes_last_id(struct nodes *t)
{
	uint64_t last;

	pthread_mutex_lock(&t->mu);
	last = t->next_id - 1;
	pthread_mutex_unlock(&t->mu);
	return last;
}

size_t
nodes_count(struct nodes *t)
{
	size_t n;

	pthread_mutex_lock(&t->mu);
	n = t->table.by[BY_ID].n;
	pthread_mutex_unlock(&t->mu);
	return n;
}

size_t
nodes_bytes(struct nodes *t)
{
	size_t bytes;

	pthread_mutex_lock(&t->mu);
	bytes = t->table.bytes;
	for (int by = 0; by < NODE_TABLES; by++)
		bytes += (t->table.by[by].mask + 1) * sizeof(struct node *);
	pthread_mutex_unlock(&t->mu);
	return bytes;
}

/* The hand goes round BY_ID, whose slots are nearly in order of age. */
size_t
nodes_idle(struct nodes *t, uint64_t *ids, size_t max)
{
	size_t found = 0, mask;

	pthread_mutex_lock(&t->mu);
	mask = t->table.by[BY_ID].mask;
	for (size_t left = mask + 1; left > 0 && found < max; left--) {
		const struct node *n = node_table_id(&t->table, t->hand & mask);

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
