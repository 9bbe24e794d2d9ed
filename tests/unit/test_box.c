#include "crypto/box.h"

#include "tests/unit/hex.h"
#include "tests/unit/key_vectors.h"

static struct err err;
static const struct key32 key = {{1, 2, 3}};

static void
box_open__opens_the_published_box(void **state)
{
	WR_AUTO struct wr out = {0};
	struct key32 k;
	uint8_t box[128];
	size_t len = hex(V_BOX, box);

	(void)state;
	run(0, k.b, sizeof(k.b));
	assert_int_equal(len, 9 + BOX_OVERHEAD);
	assert_int_equal(
	    box_open(&k, "test", "ad", 2, box, len, &out, &err), 0);
	assert_int_equal(out.len, 9);
	assert_memory_equal(out.buf, "plaintext", 9);
}

static void
box_seal__appends_and_opens_again(void **state)
{
	WR_AUTO struct wr box = {0};
	WR_AUTO struct wr out = {0};

	(void)state;
	wr_u8(&box, 0x55);
	wr_u8(&out, 0x66);
	assert_int_equal(
	    box_seal(&key, "l", "ad", 2, "hello", 5, &box, &err), 0);
	assert_int_equal(box.len, 1 + 5 + BOX_OVERHEAD);
	assert_int_equal(box.buf[0], 0x55);
	assert_int_equal(
	    box_open(&key, "l", "ad", 2, box.buf + 1, box.len - 1, &out, &err),
	    0);
	assert_int_equal(out.len, 6);
	assert_memory_equal(out.buf, "\x66hello", 6);
}

static void
box_seal__takes_nothing(void **state)
{
	WR_AUTO struct wr box = {0};
	WR_AUTO struct wr out = {0};

	(void)state;
	assert_int_equal(box_seal(&key, "l", NULL, 0, NULL, 0, &box, &err), 0);
	assert_int_equal(box.len, BOX_OVERHEAD);
	assert_int_equal(
	    box_open(&key, "l", NULL, 0, box.buf, box.len, &out, &err), 0);
	assert_int_equal(out.len, 0);
}

static void
box_seal__never_repeats_itself(void **state)
{
	WR_AUTO struct wr a = {0};
	WR_AUTO struct wr b = {0};

	(void)state;
	assert_int_equal(box_seal(&key, "l", NULL, 0, "hello", 5, &a, &err), 0);
	assert_int_equal(box_seal(&key, "l", NULL, 0, "hello", 5, &b, &err), 0);
	assert_memory_not_equal(a.buf, b.buf, BOX_SALT_LEN);
	assert_memory_not_equal(
	    a.buf + BOX_SALT_LEN, b.buf + BOX_SALT_LEN, BOX_COMMIT_LEN);
	assert_memory_not_equal(a.buf + BOX_HEAD_LEN, b.buf + BOX_HEAD_LEN, 5);
}

static void
box_open__refuses_any_change(void **state)
{
	WR_AUTO struct wr box = {0};
	WR_AUTO struct wr out = {0};
	const struct key32 other = {{1, 2, 4}};

	(void)state;
	assert_int_equal(
	    box_seal(&key, "l", "ad", 2, "hello", 5, &box, &err), 0);
	for (size_t i = 0; i < box.len; i++) {
		box.buf[i] ^= 1;
		assert_int_equal(
		    box_open(&key, "l", "ad", 2, box.buf, box.len, &out, &err),
		    ERR_AUTH);
		box.buf[i] ^= 1;
	}
	assert_int_equal(
	    box_open(&other, "l", "ad", 2, box.buf, box.len, &out, &err),
	    ERR_AUTH);
	assert_int_equal(
	    box_open(&key, "m", "ad", 2, box.buf, box.len, &out, &err),
	    ERR_AUTH);
	assert_int_equal(
	    box_open(&key, "l", "ae", 2, box.buf, box.len, &out, &err),
	    ERR_AUTH);
	assert_int_equal(
	    box_open(&key, "l", "ad", 2, box.buf, box.len - 1, &out, &err),
	    ERR_AUTH);
	assert_int_equal(
	    box_open(&key, "l", "ad", 2, box.buf, BOX_OVERHEAD - 1, &out, &err),
	    ERR_CORRUPT);
	assert_int_equal(out.len, 0);
}

static void
box_head__seals_pages(void **state)
{
	AUTO(aead) struct aead *sealer = NULL;
	AUTO(aead) struct aead *opener = NULL;
	uint8_t head[BOX_HEAD_LEN], pages[2][4 + AEAD_TAG_LEN], pt[4];

	(void)state;
	assert_int_equal(box_head_new(&key, "l", head, &sealer, &err), 0);
	for (uint64_t i = 0; i < 2; i++)
		assert_int_equal(
		    aead_seal(sealer, i, "ad", 2, (const uint8_t *)"page", 4,
			pages[i], &err),
		    0);
	assert_int_equal(box_head_open(&key, "l", head, &opener, &err), 0);
	for (uint64_t i = 0; i < 2; i++) {
		assert_int_equal(aead_open(opener, i, "ad", 2, pages[i],
				     sizeof(pages[i]), pt, &err),
		    0);
		assert_memory_equal(pt, "page", 4);
	}
	/* Neither page passes for the other. */
	assert_int_equal(
	    aead_open(opener, 0, "ad", 2, pages[1], sizeof(pages[1]), pt, &err),
	    ERR_AUTH);
}

/* A box is a head and its page 0: the two ways agree. */
static void
box_head_open__opens_a_box_as_page_0(void **state)
{
	AUTO(aead) struct aead *a = NULL;
	WR_AUTO struct wr box = {0};
	uint8_t pt[5];

	(void)state;
	assert_int_equal(
	    box_seal(&key, "l", "ad", 2, "hello", 5, &box, &err), 0);
	assert_int_equal(box_head_open(&key, "l", box.buf, &a, &err), 0);
	assert_int_equal(aead_open(a, 0, "ad", 2, box.buf + BOX_HEAD_LEN,
			     box.len - BOX_HEAD_LEN, pt, &err),
	    0);
	assert_memory_equal(pt, "hello", 5);
}

static void
box_head_open__checks_the_commitment_first(void **state)
{
	AUTO(aead) struct aead *a = NULL;
	uint8_t head[BOX_HEAD_LEN];

	(void)state;
	assert_int_equal(box_head_new(&key, "l", head, &a, &err), 0);
	aead_free(a);
	for (size_t i = 0; i < sizeof(head); i++) {
		head[i] ^= 0x10;
		assert_int_equal(
		    box_head_open(&key, "l", head, &a, &err), ERR_AUTH);
		assert_null(a);
		head[i] ^= 0x10;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(box_open__opens_the_published_box),
	    cmocka_unit_test(box_seal__appends_and_opens_again),
	    cmocka_unit_test(box_seal__takes_nothing),
	    cmocka_unit_test(box_seal__never_repeats_itself),
	    cmocka_unit_test(box_open__refuses_any_change),
	    cmocka_unit_test(box_head__seals_pages),
	    cmocka_unit_test(box_head_open__opens_a_box_as_page_0),
	    cmocka_unit_test(box_head_open__checks_the_commitment_first),
	};

	return cmocka_run_group_tests_name("box", tests, NULL, NULL);
}
