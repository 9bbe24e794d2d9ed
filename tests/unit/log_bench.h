#ifndef TESTS_UNIT_LOG_BENCH_H
#define TESTS_UNIT_LOG_BENCH_H

/* A log as its parts, for putting together wrongly. */
#include "snapshot/log/log.h"
#include "tests/unit/access_fixture.h"
#include "tests/unit/log_fixture.h"

/* Of the dataset 'customers' of a world of the caller's. */
struct bench {
	struct world *w;
	const struct dataset *ds;
	struct heads *heads;
	uint64_t seq; /* of the last record planted */
	uint8_t prev[OBJECT_NAME_LEN];
};

struct bench bench_new(struct world *w);

/**
 * bench_log(b, n):
 * A new bench for ${b}->w and a log of ${n} records, made as it should be;
 * bench_end() for both.
 */
struct log *bench_log(struct bench *b, size_t n);
void bench_end(struct bench *b, struct log *l);

const struct keyset *bench_keys(const struct bench *b);

/* --- files ------------------------------------------------------------- */

#define BENCH_PATH (SCRATCH_PATH + 256)

void bench_path(const struct bench *b, uint64_t seq,
    const uint8_t name[OBJECT_NAME_LEN], char out[BENCH_PATH]);
void bench_remove(const struct bench *b, uint64_t seq, const uint8_t *name);
/** bench_damage(): Other bytes stand under its name. */
void bench_damage(const struct bench *b, uint64_t seq, const uint8_t *name);
struct wr bench_read(const struct bench *b, uint64_t seq, const uint8_t *name);

/** bench_plant_bytes(): Where record ${seq} goes, under their own name. */
void bench_plant_bytes(struct bench *b, uint64_t seq, const struct wr *w);

/** bench_record(): As anybody could make it who has these keys. */
struct wr bench_record(const struct bench *b, const struct keyset *ks,
    const struct identity *signer, int64_t s);

/** bench_plant(): Such a record after the last one planted. */
void bench_plant(struct bench *b, const struct identity *signer, int64_t s);

/* --- logs -------------------------------------------------------------- */

struct log *bench_load(const struct bench *b);
void bench_no_load(const struct bench *b, int want, const char *part);

/** assert_damaged(): Shorter than the store shows, and it says why. */
void assert_damaged(const struct log *l, size_t n, int want, const char *part);
void bench_loads(const struct bench *b, size_t n, int want, const char *part);

/** bench_loads_without(): ${n} snapshots, and a gap of which it says why. */
void bench_loads_without(const struct bench *b, size_t n, const char *part);

int add_snapshot(struct log *l, int64_t s, uint32_t ns, struct err *err);
void must_add(struct log *l, int64_t s, uint32_t ns);

#endif
