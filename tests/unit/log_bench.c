#include "tests/unit/log_bench.h"

struct bench
bench_new(struct world *w)
{
	struct bench b = {.w = w, .ds = world_dataset(w, "customers")};

	assert_ok(
	    heads_open(w->dir, access_root(w->alice), w->path, &b.heads, &err));
	return b;
}

const struct keyset *
bench_keys(const struct bench *b)
{
	return keyring_latest(b->ds->keys);
}

/* --- files ------------------------------------------------------------- */

void
bench_path(const struct bench *b, uint64_t seq,
    const uint8_t name[OBJECT_NAME_LEN], char out[BENCH_PATH])
{
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = seq};
	char text[OBJECT_REF_TEXT];

	memcpy(ref.dataset, b->ds->id, DATASET_ID_LEN);
	memcpy(ref.name, name, OBJECT_NAME_LEN);
	object_ref_text(&ref, text);
	(void)snprintf(out, BENCH_PATH, "%s/%s", b->w->path, text);
}

void
bench_remove(const struct bench *b, uint64_t seq, const uint8_t *name)
{
	char path[BENCH_PATH];

	bench_path(b, seq, name, path);
	assert_int_equal(unlink(path), 0);
}

struct wr
bench_read(const struct bench *b, uint64_t seq, const uint8_t *name)
{
	struct wr w = {0};
	char path[BENCH_PATH];
	FILE *file;
	uint8_t *p = wr_space(&w, 65536);

	bench_path(b, seq, name, path);
	file = fopen(path, "rb");
	assert_non_null(file);
	w.len = fread(p, 1, 65536, file);
	(void)fclose(file);
	return w;
}

void
bench_damage(const struct bench *b, uint64_t seq, const uint8_t *name)
{
	char path[BENCH_PATH];

	bench_path(b, seq, name, path);
	scratch_write(path, "cut", 3);
}

void
bench_plant_bytes(struct bench *b, uint64_t seq, const struct wr *w)
{
	char path[BENCH_PATH];

	assert_ok(sha256(w->buf, w->len, b->prev, &err));
	b->seq = seq;
	bench_path(b, seq, b->prev, path);
	scratch_write(path, w->buf, w->len);
}

struct wr
bench_record(const struct bench *b, const struct keyset *ks,
    const struct identity *signer, int64_t s)
{
	AUTO(record) struct record *r = record_at(s, 0);
	struct wr w = {0};

	r->head.seq = b->seq + 1;
	memcpy(r->head.dataset, ks->dataset, DATASET_ID_LEN);
	memcpy(r->head.prev, b->prev, OBJECT_NAME_LEN);
	assert_ok(record_encode(r, &fixture_lists, ks, signer, &w, &err));
	return w;
}

void
bench_plant(struct bench *b, const struct identity *signer, int64_t s)
{
	WR_AUTO struct wr w = bench_record(b, bench_keys(b), signer, s);

	bench_plant_bytes(b, b->seq + 1, &w);
}

/* --- logs -------------------------------------------------------------- */

struct log *
bench_load(const struct bench *b)
{
	struct log *l = NULL;

	assert_ok(log_load(b->w->alice, b->ds, b->heads, &l, &err));
	return l;
}

void
bench_no_load(const struct bench *b, int want, const char *part)
{
	struct log *l = NULL;

	assert_fails(
	    want, part, log_load(b->w->alice, b->ds, b->heads, &l, &err));
	assert_null(l);
}

void
assert_damaged(const struct log *l, size_t n, int want, const char *part)
{
	const struct err *damage = log_damage(l);

	assert_int_equal(log_count(l), n);
	assert_non_null(damage);
	assert_int_equal(damage->code, want);
	if (strstr(damage->text, part) == NULL)
		fail_msg("'%s' is not in: %s", part, damage->text);
}

void
bench_loads(const struct bench *b, size_t n, int want, const char *part)
{
	AUTO(log) struct log *l = bench_load(b);

	assert_damaged(l, n, want, part);
}

void
bench_loads_without(const struct bench *b, size_t n, const char *part)
{
	AUTO(log) struct log *l = bench_load(b);

	assert_null(log_damage(l));
	assert_int_equal(log_count(l), n);
	assert_non_null(log_gap(l));
	if (strstr(log_gap(l)->text, part) == NULL)
		fail_msg("'%s' is not in: %s", part, log_gap(l)->text);
	assert_fails(log_gap(l)->code, part, log_whole(l, &err));
}

int
add_snapshot(struct log *l, int64_t s, uint32_t ns, struct err *err)
{
	return log_append(l, snapshot_at(s, ns), fixture_indexes, 2, err);
}

void
must_add(struct log *l, int64_t s, uint32_t ns)
{
	assert_ok(add_snapshot(l, s, ns, &err));
}

struct log *
bench_log(struct bench *b, size_t n)
{
	struct log *l;

	*b = bench_new(b->w);
	l = bench_load(b);
	for (size_t i = 0; i < n; i++)
		must_add(l, START + 100 * (int64_t)i, 0);
	if (n > 0)
		memcpy(b->prev, log_head(l)->id, OBJECT_NAME_LEN);
	b->seq = n;
	return l;
}

void
bench_end(struct bench *b, struct log *l)
{
	log_free(l);
	heads_close(b->heads);
}
