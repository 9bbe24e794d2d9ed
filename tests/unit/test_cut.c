#include "snapshot/content/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA_LEN (8 * 1024 * 1024)
#define CUTS_MAX (DATA_LEN / 1024)

struct cuts {
	size_t at[CUTS_MAX];
	size_t n;
};

static struct id_key
key_of(uint8_t fill)
{
	struct id_key key;

	memset(&key, fill, sizeof(key));
	return key;
}

/* Bytes that look random and are the same in every run. */
static uint8_t *
noise(size_t len, uint64_t seed)
{
	uint8_t *buf = malloc(len);

	assert_non_null(buf);
	for (size_t i = 0; i < len; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		buf[i] = (uint8_t)(seed >> 56);
	}
	return buf;
}

static struct cuts *
cut_all(const uint8_t *buf, size_t len, uint8_t key_fill, size_t page)
{
	AUTO(namer) struct namer *namer = NULL;
	AUTO(cutter) struct cutter *c = NULL;
	struct cuts *cuts = calloc(1, sizeof(*cuts));
	struct id_key key = key_of(key_fill);
	struct err err;
	size_t at = 0, cut;

	assert_non_null(cuts);
	assert_int_equal(namer_new(&key, &namer, &err), 0);
	assert_int_equal(cutter_new(namer, &c, &err), 0);
	cutter_page(c, page);
	while (at < len) {
		assert_int_equal(
		    cutter_next(c, buf + at, len - at, true, &cut, &err), 0);
		assert_in_range(cut, 1, len - at);
		at += cut;
		cuts->at[cuts->n++] = at;
	}
	return cuts;
}

static size_t
shared(const struct cuts *a, const struct cuts *b, size_t shift)
{
	size_t n = 0, j = 0;

	for (size_t i = 0; i < a->n; i++) {
		while (j < b->n && b->at[j] < a->at[i] + shift)
			j++;
		n += j < b->n && b->at[j] == a->at[i] + shift;
	}
	return n;
}

static void
cutter_next__keeps_its_bounds(UNUSED void **state)
{
	uint8_t *buf = noise(DATA_LEN, 1);
	struct cuts *cuts = cut_all(buf, DATA_LEN, 7, 0);
	size_t last = 0;

	for (size_t i = 0; i + 1 < cuts->n; i++) {
		assert_in_range(cuts->at[i] - last, CUT_MIN, CUT_MAX);
		last = cuts->at[i];
	}
	/* 16 KiB and 32 KiB more on average: about 170 chunks. */
	assert_in_range(cuts->n, 120, 230);
	free(cuts);
	free(buf);
}

static void
cutter_next__finds_the_cuts_again_behind_an_insertion(UNUSED void **state)
{
	uint8_t *buf = noise(DATA_LEN + 5, 2);
	struct cuts *a = cut_all(buf + 5, DATA_LEN, 7, 0);
	struct cuts *b = cut_all(buf, DATA_LEN + 5, 7, 0);

	/* All but those before the first that both agree on. */
	assert_true(shared(a, b, 5) + 8 > a->n);
	free(a);
	free(b);
	free(buf);
}

static void
cutter_next__decides_by_the_key(UNUSED void **state)
{
	uint8_t *buf = noise(DATA_LEN, 3);
	struct cuts *a = cut_all(buf, DATA_LEN, 7, 0);
	struct cuts *b = cut_all(buf, DATA_LEN, 8, 0);
	struct cuts *again = cut_all(buf, DATA_LEN, 7, 0);

	assert_true(shared(a, b, 0) < a->n / 3);
	assert_int_equal(shared(a, again, 0), a->n);
	free(a);
	free(b);
	free(again);
	free(buf);
}

static void
cutter_next__asks_for_more_before_the_end(UNUSED void **state)
{
	AUTO(namer) struct namer *namer = NULL;
	AUTO(cutter) struct cutter *c = NULL;
	uint8_t *buf = noise(CUT_MAX, 4);
	struct id_key key = key_of(7);
	struct err err;
	size_t cut = 1;

	assert_int_equal(namer_new(&key, &namer, &err), 0);
	assert_int_equal(cutter_new(namer, &c, &err), 0);
	assert_int_equal(
	    cutter_next(c, buf, CUT_MAX - 1, false, &cut, &err), 0);
	assert_int_equal(cut, 0);
	assert_int_equal(cutter_next(c, buf, CUT_MAX, false, &cut, &err), 0);
	assert_true(cut >= CUT_MIN);
	assert_int_equal(cutter_next(c, buf, 10, true, &cut, &err), 0);
	assert_int_equal(cut, 10);
	free(buf);
}

static void
cutter_next__cuts_pages(UNUSED void **state)
{
	uint8_t *buf = noise(100 * 1000, 5);
	struct cuts *cuts = cut_all(buf, 100 * 1000, 7, 8192);

	assert_int_equal(cuts->n, 13);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(cuts->at[i], (i + 1) * 8192);
	assert_int_equal(cuts->at[12], 100 * 1000);
	free(cuts);
	free(buf);
}

static void
cut_page_size__knows_databases(UNUSED void **state)
{
	uint8_t head[4096] = {0};

	assert_int_equal(cut_page_size(head, sizeof(head), 1 << 20), 0);

	memcpy(head, "SQLite format 3", 16);
	head[16] = 0x20;
	assert_int_equal(cut_page_size(head, sizeof(head), 1 << 20), 8192);
	head[16] = 0x02;
	assert_int_equal(cut_page_size(head, sizeof(head), 1 << 20), 4096);
	head[16] = 0;
	head[17] = 1;
	assert_int_equal(cut_page_size(head, sizeof(head), 1 << 20), 65536);
	head[17] = 3;
	assert_int_equal(cut_page_size(head, sizeof(head), 1 << 20), 0);
	assert_int_equal(cut_page_size(head, 50, 50), 0);

	/* A PostgreSQL heap page: lower 28, upper 8000, special 8192. */
	memset(head, 0, sizeof(head));
	head[12] = 28;
	head[14] = 0x40;
	head[15] = 0x1f;
	head[17] = 0x20;
	head[18] = 4;
	head[19] = 0x20;
	assert_int_equal(cut_page_size(head, sizeof(head), 81920), 8192);
	assert_int_equal(cut_page_size(head, sizeof(head), 81921), 0);
	head[15] = 0x2f;
	assert_int_equal(cut_page_size(head, sizeof(head), 81920), 0);
}

static void
cut_page_size__knows_disk_images(UNUSED void **state)
{
	uint8_t head[4096] = {0};

	memcpy(head, "QFI\xfb", 4);
	assert_int_equal(cut_page_size(head, sizeof(head), 12345), 8192);
	memset(head, 0, sizeof(head));
	memcpy(head + 512, "EFI PART", 8);
	assert_int_equal(cut_page_size(head, sizeof(head), 1 << 20), 8192);
	assert_int_equal(cut_page_size(head, sizeof(head), 12345), 0);
	memset(head, 0, sizeof(head));
	head[1080] = 0x53;
	head[1081] = 0xef;
	assert_int_equal(cut_page_size(head, sizeof(head), 1 << 20), 8192);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cutter_next__keeps_its_bounds),
	    cmocka_unit_test(
		cutter_next__finds_the_cuts_again_behind_an_insertion),
	    cmocka_unit_test(cutter_next__decides_by_the_key),
	    cmocka_unit_test(cutter_next__asks_for_more_before_the_end),
	    cmocka_unit_test(cutter_next__cuts_pages),
	    cmocka_unit_test(cut_page_size__knows_databases),
	    cmocka_unit_test(cut_page_size__knows_disk_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
