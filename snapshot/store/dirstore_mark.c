/*
 * Whether a log has grown, by its directory's mtime. Two records written within
 * one grain of the filesystem's clock may leave the same mtime, so the number
 * of entries is part of the mark. They are counted for as long as a grain can
 * last after a new mtime was first seen (by this machine's clock: a file
 * server's may differ). From then on the mtime alone tells, and asking costs
 * one stat().
 */
#include "snapshot/store/dirstore.h"
#include "snapshot/store/object_ref.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Longer than the coarsest grain in use: FAT's 2 s. */
#define GRAIN_NS ((uint64_t)3000000000)

struct mark {
	uint8_t dataset[STORE_DATASET_LEN];
	struct timespec mtime; /* the directory's */
	uint64_t since;        /* ns, when that was first seen */
	uint64_t count;
	bool settled; /* counted after the grain: ${count} holds */
};

static int
by_dataset(const void *a, const void *b)
{
	const struct mark *x = a;
	const struct mark *y = b;

	return memcmp(x->dataset, y->dataset, sizeof(x->dataset));
}

void
dirstore_free_marks(struct dirstore *d)
{
	tdestroy(d->marks, free);
}

/* mu is held. */
static struct mark *
mark_of(struct dirstore *d, const uint8_t dataset[STORE_DATASET_LEN])
{
	struct mark *m = calloc(1, sizeof(*m));
	struct mark **node;

	if (m == NULL)
		return NULL;
	memcpy(m->dataset, dataset, STORE_DATASET_LEN);
	node = tsearch(m, &d->marks, by_dataset);
	if (node == NULL || *node != m)
		free(m);
	return node == NULL ? NULL : *node;
}

/* One multiplication for each word, its upper half folded into the lower. */
static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15;
	return h ^ h >> 32;
}

/* Never 0, which says that there is no log. */
static uint64_t
mark_number(const struct mark *m)
{
	uint64_t h = mix(m->count, (uint64_t)m->mtime.tv_sec);

	return mix(h, (uint64_t)m->mtime.tv_nsec) | 1;
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int
count_entry(void *arg, UNUSED int dir, UNUSED const struct dirent *e,
    UNUSED struct err *err)
{
	(*(uint64_t *)arg)++;
	return 0;
}

/* mu is held. ${st} was taken before: what comes later shows next time. */
static int
refresh(const struct dirstore *d, struct mark *m, const char *path,
    const struct stat *st, struct err *err)
{
	uint64_t now = now_ns();
	int rc;

	if (m->since == 0 || m->mtime.tv_sec != st->st_mtim.tv_sec ||
	    m->mtime.tv_nsec != st->st_mtim.tv_nsec) {
		m->mtime = st->st_mtim;
		m->since = now;
		m->settled = false;
	}
	if (m->settled)
		return 0;
	m->count = 0;
	rc = dirstore_each(d, path, count_entry, &m->count, err);
	m->settled = rc == 0 && now - m->since > GRAIN_NS;
	return rc;
}

int
dirstore_log_mark(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    uint64_t *mark, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	char path[OBJECT_REF_TEXT];
	struct stat st;
	struct mark *m;
	int rc;

	*mark = 0;
	object_ref_class_dir(OBJECT_LOG, dataset, path);
	if (fstatat(d->root, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0
				       : dirstore_fail(d, err, "look at", path);
	pthread_mutex_lock(&d->mu);
	m = mark_of(d, dataset);
	rc = m == NULL ? err_nomem(err) : refresh(d, m, path, &st, err);
	if (rc == 0 && m->count > 0)
		*mark = mark_number(m);
	pthread_mutex_unlock(&d->mu);
	return rc;
}
