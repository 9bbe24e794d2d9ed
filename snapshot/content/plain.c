#include "snapshot/content/plain.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/*
 * Buffers come in sizes of 4, 5, 6 and 7 times a power of two, so that at most
 * a fifth of one is wasted and freed ones are often of use again.
 */
#define PAGE 4096
#define ROOM_MIN_BITS 12
#define ROOM_MAX_BITS 24
#define STEPS 4
#define CLASSES ((ROOM_MAX_BITS - ROOM_MIN_BITS) * STEPS)

/*
 * Freed buffers kept, in bytes over all sizes. The longest unused go first, so
 * that what is kept has the sizes that are in use.
 */
#define IDLE_MAX (6 * 1024 * 1024)

/* Stands at the start of a freed buffer. */
struct idle {
	size_t room;
	size_t used;                /* bytes that are not wiped yet */
	struct idle *next, *prev;   /* of its size; the last freed first */
	struct idle *older, *newer; /* of all */
};

struct plain_pool {
	atomic_uint refs;
	bool lock;
	pthread_mutex_t mu;
	struct idle *idle[CLASSES];   /* guarded by mu */
	struct idle *oldest, *newest; /* guarded by mu */
	size_t idle_bytes;            /* guarded by mu */
};

size_t
plain_room(size_t len)
{
	size_t step;
	unsigned bits;

	if (len <= PAGE)
		return PAGE;
	bits = 63 - (unsigned)__builtin_clzll(len - 1);
	step = ((size_t)1 << bits) / STEPS;
	if (step < PAGE)
		step = PAGE;
	return (len + step - 1) / step * step;
}

/* The class of a size that plain_room() gave; CLASSES when it is not kept. */
static size_t
class_of(size_t room)
{
	unsigned bits = 63 - (unsigned)__builtin_clzll(room);
	size_t step = ((size_t)1 << bits) / STEPS;

	if (bits >= ROOM_MAX_BITS)
		return CLASSES;
	return (bits - ROOM_MIN_BITS) * STEPS + room / step - STEPS;
}

static bool
may_lock(size_t expected)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return false;
	return limit.rlim_cur == RLIM_INFINITY ||
	       limit.rlim_cur / 2 >= expected;
}

int
plain_pool_new(size_t expected, struct plain_pool **out, struct err *err)
{
	struct plain_pool *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (p == NULL)
		return err_nomem(err);
	(void)pthread_mutex_init(&p->mu, NULL);
	atomic_init(&p->refs, 1);
	p->lock = may_lock(expected);
	*out = p;
	return 0;
}

struct plain_pool *
plain_pool_ref(struct plain_pool *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

/* --- freed buffers, with mu held ---------------------------------------- */

static void
unlink_idle(struct plain_pool *p, struct idle *idle)
{
	if (idle->prev != NULL)
		idle->prev->next = idle->next;
	else
		p->idle[class_of(idle->room)] = idle->next;
	if (idle->next != NULL)
		idle->next->prev = idle->prev;
	if (idle->older != NULL)
		idle->older->newer = idle->newer;
	else
		p->oldest = idle->newer;
	if (idle->newer != NULL)
		idle->newer->older = idle->older;
	else
		p->newest = idle->older;
	p->idle_bytes -= idle->room;
}

static void
link_idle(struct plain_pool *p, struct idle *idle, size_t room, size_t used)
{
	struct idle **first = &p->idle[class_of(room)];

	*idle = (struct idle){
	    .room = room,
	    .used = used > sizeof(*idle) ? used : sizeof(*idle),
	    .next = *first,
	    .older = p->newest,
	};
	if (*first != NULL)
		(*first)->prev = idle;
	*first = idle;
	if (p->newest != NULL)
		p->newest->newer = idle;
	else
		p->oldest = idle;
	p->newest = idle;
	p->idle_bytes += room;
}

/* Take the oldest ones out until no more than ${max} bytes are left. */
static struct idle *
shrink(struct plain_pool *p, size_t max)
{
	struct idle *gone = NULL;

	while (p->idle_bytes > max) {
		struct idle *idle = p->oldest;

		unlink_idle(p, idle);
		idle->next = gone;
		gone = idle;
	}
	return gone;
}

static void
unmap(void *buf, size_t room, size_t used)
{
	explicit_bzero(buf, used);
	(void)munmap(buf, room);
}

/* Not with mu held. */
static void
unmap_idle(struct idle *gone)
{
	while (gone != NULL) {
		struct idle *idle = gone;

		gone = idle->next;
		unmap(idle, idle->room, idle->used);
	}
}

/* --- the pool ----------------------------------------------------------- */

void
plain_pool_unref(struct plain_pool *p)
{
	if (p == NULL || atomic_fetch_sub(&p->refs, 1) > 1)
		return;
	unmap_idle(shrink(p, 0));
	(void)pthread_mutex_destroy(&p->mu);
	free(p);
}

static bool
take_idle(struct plain_pool *p, size_t room, struct plain_buf *out)
{
	size_t class = class_of(room);
	struct idle *idle;

	if (class == CLASSES)
		return false;
	(void)pthread_mutex_lock(&p->mu);
	idle = p->idle[class];
	if (idle != NULL)
		unlink_idle(p, idle);
	(void)pthread_mutex_unlock(&p->mu);
	if (idle == NULL)
		return false;
	out->used = idle->used;
	out->p = (uint8_t *)idle;
	return true;
}

static bool
keep_idle(struct plain_pool *p, const struct plain_buf *buf, size_t room)
{
	struct idle *gone;

	if (class_of(room) == CLASSES || room > IDLE_MAX)
		return false;
	(void)pthread_mutex_lock(&p->mu);
	link_idle(p, (struct idle *)(void *)buf->p, room, buf->used);
	gone = shrink(p, IDLE_MAX);
	(void)pthread_mutex_unlock(&p->mu);
	unmap_idle(gone);
	return true;
}

/*
 * Locking is a second line of defence and may be refused; being left out of
 * core files is promised. MLOCK_ONFAULT: pages that are never touched cost
 * nothing.
 */
static void *
map(const struct plain_pool *p, size_t room)
{
	void *buf = mmap(NULL, room, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buf == MAP_FAILED)
		return NULL;
	if (madvise(buf, room, MADV_DONTDUMP) != 0) {
		(void)munmap(buf, room);
		return NULL;
	}
	if (p->lock)
		(void)mlock2(buf, room, MLOCK_ONFAULT);
	return buf;
}

bool
plain_alloc(struct plain_pool *p, size_t len, struct plain_buf *out)
{
	size_t room = plain_room(len);

	*out = (struct plain_buf){.asked = len};
	if (!take_idle(p, room, out))
		out->p = map(p, room);
	return out->p != NULL;
}

void
plain_use(struct plain_buf *buf, size_t len)
{
	if (buf->used < len)
		buf->used = len;
}

void
plain_free(struct plain_pool *p, struct plain_buf *buf)
{
	size_t room = plain_room(buf->asked);

	if (buf->p != NULL && !keep_idle(p, buf, room))
		unmap(buf->p, room, buf->used);
	*buf = (struct plain_buf){0};
}
