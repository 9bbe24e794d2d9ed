/* A job that is shared out in pieces: snapshot/backup/pool.c. */
#include "tests/unit/pool_fixture.h"

#define PIECES 8
#define PIECE_LEN 5000 /* of each chunk */
#define PER_PIECE 20

static uint64_t
chunk_number(uint64_t job, unsigned piece, unsigned chunk)
{
	return (job * PIECES + piece) * PER_PIECE + chunk;
}

static struct piece *
piece_of(uint64_t job, unsigned number)
{
	struct piece *piece = calloc(1, sizeof(*piece));
	uint8_t *at;

	if (piece == NULL || (piece->buf = malloc(WORKER_BUF)) == NULL)
		abort();
	at = piece->buf;
	piece->n = PER_PIECE;
	for (unsigned i = 0; i < PER_PIECE; i++) {
		piece->lens[i] = PIECE_LEN;
		fill_random(at, PIECE_LEN, chunk_number(job, number, i));
		at += PIECE_LEN;
	}
	return piece;
}

static void
piece_free(struct piece *piece)
{
	free(piece->buf);
	free(piece);
}

/* Send all, do what nobody takes, and wait for all. */
static int
send_pieces(struct worker *w, struct piece **pieces, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < PIECES; i++) {
		if (pool_piece_send(w->pool, pieces[i]))
			continue;
		if (rc == 0)
			rc = piece_work(w, pieces[i], err);
		pieces[i]->done = true;
	}
	for (unsigned i = 0; i < PIECES; i++) {
		int one = pool_piece_wait(w, pieces[i], rc == 0 ? err : NULL);

		if (rc == 0)
			rc = one;
	}
	return rc;
}

static int
work_in_pieces(
    struct worker *w, struct job *job, UNUSED void *arg, struct err *err)
{
	struct piece *pieces[PIECES];
	int rc;

	for (unsigned i = 0; i < PIECES; i++)
		pieces[i] = piece_of(job->bytes, i);
	rc = send_pieces(w, pieces, err);
	job->removed = true;
	for (unsigned i = 0; i < PIECES; i++)
		piece_free(pieces[i]);
	return rc;
}

static void
pool_piece_send__shares_a_job_out(void **state)
{
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, THREADS, work_in_pieces, NULL);
	const uint64_t jobs = 6;

	for (uint64_t i = 0; i < jobs; i++)
		pool_push(p.pool, numbered(i, true));
	for (uint64_t i = 0; i < jobs; i++)
		assert_popped(p.pool, i);
	assert_int_equal(ingest_totals(p.in).chunks, jobs * PIECES * PER_PIECE);
	READER_AUTO struct reader r = pipeline_finish(&p);
	for (uint64_t i = 0; i < jobs * PIECES * PER_PIECE; i++)
		assert_found(&r, i, PIECE_LEN);
}

/* Every chunk's name comes back at its place. */
static void
pool_piece_wait__has_the_names(void **state)
{
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, THREADS, work_in_pieces, NULL);
	AUTO(namer) struct namer *namer = NULL;
	struct piece *pieces[PIECES];

	assert_ok(namer_new(&p.f->ks->id, &namer, &err));
	for (unsigned i = 0; i < PIECES; i++)
		pieces[i] = piece_of(3, i);
	assert_ok(send_pieces(&p.self, pieces, &err));
	for (unsigned i = 0; i < PIECES; i++) {
		for (unsigned k = 0; k < PER_PIECE; k++) {
			const struct chunk_name want =
			    name_by(namer, chunk_number(3, i, k), PIECE_LEN);

			assert_memory_equal(
			    &pieces[i]->names[k], &want, sizeof(want));
		}
		piece_free(pieces[i]);
	}
}

/* Nobody is free to take them: the queue is short, and who waits helps. */
static void
pool_piece_send__refuses_more_than_threads(void **state)
{
	struct gate gate = GATE;
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, 2, work_at_gate, &gate);
	struct piece *pieces[3];

	pool_push(p.pool, numbered(0, true));
	pool_push(p.pool, numbered(1, true));
	gate_await(&gate, 2);
	for (unsigned i = 0; i < 3; i++)
		pieces[i] = piece_of(0, i);
	assert_true(pool_piece_send(p.pool, pieces[0]));
	assert_true(pool_piece_send(p.pool, pieces[1]));
	assert_false(pool_piece_send(p.pool, pieces[2]));
	assert_ok(pool_piece_wait(&p.self, pieces[1], &err));
	assert_ok(pool_piece_wait(&p.self, pieces[0], &err));
	assert_int_equal(ingest_totals(p.in).chunks, 2 * PER_PIECE);
	assert_true(pool_piece_send(p.pool, pieces[2]));
	assert_ok(pool_piece_wait(&p.self, pieces[2], &err));
	gate_open(&gate);
	for (unsigned i = 0; i < 3; i++)
		piece_free(pieces[i]);
}

/* The store is full: every job ends, with that error. */
static void
pool_piece_wait__ends_after_an_error(void **state)
{
	PIPELINE_AUTO struct pipeline p =
	    pipeline_new(*state, THREADS, work_in_pieces, NULL);
	struct piece *late = piece_of(9, 0);
	struct job *job;
	int rc;

	memstore_fail(p.f->store, ERR_FULL);
	for (uint64_t i = 0; i < 20; i++)
		pool_push(p.pool, numbered(i, true));
	while ((rc = pool_pop(p.pool, true, &job, NULL)) == 1)
		job_free(job);
	assert_int_equal(rc, ERR_FULL);
	assert_false(pool_piece_send(p.pool, late));
	piece_free(late);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(pool_piece_send__shares_a_job_out),
	    content_test(pool_piece_wait__has_the_names),
	    content_test(pool_piece_send__refuses_more_than_threads),
	    content_test(pool_piece_wait__ends_after_an_error),
	};

	return cmocka_run_group_tests_name("pool_pieces", tests, NULL, NULL);
}
