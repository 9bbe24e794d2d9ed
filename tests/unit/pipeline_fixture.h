#ifndef TESTS_UNIT_PIPELINE_FIXTURE_H
#define TESTS_UNIT_PIPELINE_FIXTURE_H

/* A backup's pool of workers over a store in memory. */
#include "snapshot/backup/pool.h"
#include "tests/unit/ingest_fixture.h"

#define THREADS 3

struct pipeline {
	struct fixture *f;
	struct ingest *in;
	struct pool *pool;
	struct worker self; /* this thread's own tools */
};

static inline UNUSED struct pipeline
pipeline_new(struct fixture *f, unsigned threads, pool_work_fn *work, void *arg)
{
	struct pipeline p = {.f = f, .in = run_new(f)};

	assert_ok(pool_new(p.in, threads, work, arg, &p.pool, &err));
	assert_ok(worker_init(&p.self, p.in, p.pool, &err));
	return p;
}

static inline UNUSED void
pipeline_free(struct pipeline *p)
{
	pool_free(p->pool);
	worker_clear(&p->self);
	ingest_free(p->in);
}
#define PIPELINE_AUTO __attribute__((cleanup(pipeline_free)))

/* All that was taken in becomes readable. */
static inline UNUSED struct reader
pipeline_finish(struct pipeline *p)
{
	INDEXES_AUTO struct indexes ix = {0};

	assert_ok(pool_flush(p->pool, &err));
	assert_ok(ingest_lane_flush(p->self.lane, &err));
	finish(p->in, &ix);
	return reader_new(p->f, &ix);
}

#endif
