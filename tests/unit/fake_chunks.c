#include "tests/unit/fake_chunks.h"

#include "crypto/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 65536

/* One chunk a segment. A replaced or dropped one lives on while it is held. */
struct segment {
	struct segment *next;
	struct chunks *owner;
	struct chunk_name name;
	enum chunk_kind kind;
	size_t refs; /* beyond the map's own */
	bool dropped;
	uint32_t len;
	uint8_t data[];
};

struct ingest_lane {
	struct chunks *to;
};

struct chunks {
	struct segment *bucket[BUCKETS];
	struct ingest_lane lane;
	uint8_t salt;
	size_t count[CHUNK_KINDS];
	size_t gets;
	size_t prefetches;
	struct chunk_name prefetched; /* by the last of them */
	size_t fetches;
	struct chunk_name fetched[2]; /* of the last of them */
	size_t pinned;
	size_t fail_at; /* 0: never */
};

struct chunks *
fake_chunks_new(uint8_t salt)
{
	struct chunks *c = calloc(1, sizeof(*c));

	assert(c != NULL);
	c->lane.to = c;
	c->salt = salt;
	return c;
}

void
fake_chunks_free(struct chunks *c)
{
	assert(c->pinned == 0);
	for (size_t i = 0; i < BUCKETS; i++)
		while (c->bucket[i] != NULL) {
			struct segment *s = c->bucket[i];

			c->bucket[i] = s->next;
			free(s);
		}
	free(c);
}

struct ingest_lane *
fake_lane(struct chunks *c)
{
	return &c->lane;
}

size_t
fake_count(const struct chunks *c, enum chunk_kind kind)
{
	return c->count[kind];
}

size_t
fake_gets(const struct chunks *c)
{
	return c->gets;
}

size_t
fake_pinned(const struct chunks *c)
{
	return c->pinned;
}

void
fake_fail_at(struct chunks *c, size_t n)
{
	c->fail_at = n;
}

static struct segment **
bucket_of(struct chunks *c, const struct chunk_name *name)
{
	return &c->bucket[name->b[30] << 8 | name->b[31]];
}

static struct segment *
find(struct chunks *c, const struct chunk_name *name)
{
	struct segment *s = *bucket_of(c, name);

	while (s != NULL && (s->dropped || memcmp(&s->name, name, 32) != 0))
		s = s->next;
	return s;
}

static void
insert(struct chunks *c, const struct chunk_name *name, enum chunk_kind kind,
    const void *buf, size_t len)
{
	struct segment *s = malloc(sizeof(*s) + len);

	assert(s != NULL);
	*s = (struct segment){.next = *bucket_of(c, name),
	    .owner = c,
	    .name = *name,
	    .kind = kind,
	    .len = (uint32_t)len};
	memcpy(s->data, buf, len);
	*bucket_of(c, name) = s;
}

void
fake_drop(struct chunks *c, const struct chunk_name *name)
{
	struct segment *s = find(c, name);

	assert(s != NULL);
	s->dropped = true;
}

void
fake_replace(struct chunks *c, const struct chunk_name *name, const void *buf,
    size_t len)
{
	struct segment *s = find(c, name);

	assert(s != NULL);
	s->dropped = true;
	insert(c, name, s->kind, buf, len);
}

int
ingest_chunk(struct ingest_lane *lane, enum chunk_kind kind, const void *buf,
    size_t len, struct chunk_name *name, struct err *err)
{
	struct chunks *c = lane->to;
	uint8_t head[2] = {c->salt, (uint8_t)kind};
	struct sha256_ctx *ctx;

	assert(len > 0 && len <= CHUNK_MAX);
	if (c->fail_at > 0 && --c->fail_at == 0)
		return err_set(err, ERR_FULL, "no space");
	if (sha256_new(&ctx, err) < 0 || sha256_update(ctx, head, 2, err) < 0 ||
	    sha256_update(ctx, buf, len, err) < 0 ||
	    sha256_final(ctx, name->b, err) < 0)
		abort();
	sha256_free(ctx);
	if (find(c, name) == NULL) {
		insert(c, name, kind, buf, len);
		c->count[kind]++;
	}
	return 0;
}

int
chunks_get(struct chunks *c, const struct chunk_name *name,
    enum chunk_kind kind, struct chunk *out, struct err *err)
{
	struct segment *s = find(c, name);

	c->gets++;
	if (s == NULL)
		return err_set(err, ERR_NOT_FOUND, "no index lists the chunk");
	if (s->kind != kind)
		return err_set(err, ERR_CORRUPT, "a chunk of another kind");
	*out = (struct chunk){segment_ref(s), s->data, s->len};
	return 0;
}

struct segment *
segment_ref(struct segment *s)
{
	s->refs++;
	s->owner->pinned++;
	return s;
}

void
segment_unref(struct segment *s)
{
	if (s == NULL)
		return;
	assert(s->refs > 0);
	s->refs--;
	s->owner->pinned--;
}

void
chunk_release(struct chunk *ch)
{
	segment_unref(ch->seg);
	*ch = (struct chunk){0};
}

/* All of them are in memory. */
void
chunks_prefetch(struct chunks *c, const struct chunk_name *name)
{
	c->prefetches++;
	c->prefetched = *name;
}

size_t
fake_prefetches(const struct chunks *c)
{
	return c->prefetches;
}

const struct chunk_name *
fake_prefetched(const struct chunks *c)
{
	return &c->prefetched;
}

void
chunks_fetch_pack(struct chunks *c, const struct chunk_name *name,
    const struct chunk_name *other)
{
	c->fetches++;
	c->fetched[0] = *name;
	c->fetched[1] = *other;
}

size_t
fake_fetches(const struct chunks *c)
{
	return c->fetches;
}

const struct chunk_name *
fake_fetched(const struct chunks *c)
{
	return &c->fetched[0];
}

const struct chunk_name *
fake_fetched_other(const struct chunks *c)
{
	return &c->fetched[1];
}
