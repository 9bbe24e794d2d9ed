/* The bodies of log records, of all types: snapshot/log/record_body.c. */
#include "tests/unit/record_fixture.h"

/* --- a snapshot ---------------------------------------------------------- */

/* A body in which one thing is not as it should be. */
enum fault {
	NONE,
	TIME_NS,
	END_NS,
	KIND,
	HOST_LONG,
	HOST_NUL,
	SOURCE_LONG,
	PROGRAM_LONG,
	ROOT_EMPTY,
	ROOT_GARBAGE,
	PROBLEMS_SIZE,
	INO_ZERO,
	INO_BIG,
	LEFTOVER,
	FAULTS
};

static void
faulty_text(struct wr *w, bool fault, size_t max, const char *text)
{
	WR_AUTO struct wr longer = {0};

	memset(wr_space(&longer, max + 1), 'x', max + 1);
	if (fault)
		wr_string(w, longer.buf, longer.len);
	else
		wr_string(w, text, strlen(text));
}

static void
faulty_body(struct wr *w, enum fault fault)
{
	WR_AUTO struct wr root = {0};

	root_entry(&root);
	wr_svarint(w, INT64_MIN);
	wr_varint(w, fault == TIME_NS ? 1000000000 : 999999999);
	wr_svarint(w, INT64_MAX);
	wr_varint(w, fault == END_NS ? UINT64_MAX : 0);
	wr_u8(w, fault == KIND ? 0 : 2);
	if (fault == HOST_NUL)
		wr_string(w, "a\0b", 3);
	else
		faulty_text(w, fault == HOST_LONG, 255, "h");
	faulty_text(w, fault == SOURCE_LONG, 4096, "s");
	faulty_text(w, fault == PROGRAM_LONG, 255, "p");
	if (fault == ROOT_GARBAGE)
		root.buf[1] ^= 0xff;
	wr_string(w, root.buf, fault == ROOT_EMPTY ? 0 : root.len);
	for (int i = 0; i < 5; i++)
		wr_varint(w, UINT64_MAX);
	wr_varint(w, fault == PROBLEMS_SIZE ? 1 : 0);
	wr_u8(w, CONTENT_EMPTY);
	if (fault == INO_ZERO)
		wr_varint(w, 0);
	else
		wr_varint(w, (UINT64_C(1) << 48) + (fault == INO_BIG ? 1 : 0));
	if (fault == LEFTOVER)
		wr_u8(w, 0);
}

static void
record_body_decode__refuses_each_fault(void **state)
{

	(void)state;
	for (int i = NONE; i < FAULTS; i++) {
		struct record r = {
		    .head = {.type = RECORD_SNAPSHOT, .time = INT64_MAX}};
		WR_AUTO struct wr w = {0};
		int rc;
		struct err why;

		faulty_body(&w, (enum fault)i);
		rc = record_body_decode(w.buf, w.len, &r, &why);
		record_release(&r);
		if (rc != (i == NONE ? 0 : ERR_CORRUPT))
			fail_msg("fault %d: %d", i, rc);
	}
}

static void
record_body_decode__cut_off_anywhere(void **state)
{
	WR_AUTO struct wr w = {0};

	(void)state;
	expected_body(&w);
	for (size_t len = 0; len < w.len; len++) {
		struct record r = {
		    .head = {.type = RECORD_SNAPSHOT, .time = 1700000060}};

		assert_rc(
		    ERR_CORRUPT, record_body_decode(w.buf, len, &r, &err));
		record_release(&r);
	}
}

static void
record_body_decode__signed_when_the_snapshot_ended(void **state)
{
	struct record r = {
	    .head = {.type = RECORD_SNAPSHOT, .time = 1700000061}};
	WR_AUTO struct wr w = {0};

	(void)state;
	expected_body(&w);
	assert_fails(ERR_CORRUPT, "another time",
	    record_body_decode(w.buf, w.len, &r, &err));
	record_release(&r);
}

/* --- the other types ----------------------------------------------------- */

/* FORMAT.md section 9, written down by hand. */
static void
expected_other(struct wr *w, enum record_type type)
{
	uint8_t name[OBJECT_NAME_LEN] = {0x53};
	uint8_t site[IDENTITY_ID_LEN] = {0};

	site[15] = 0x1d;
	if (type == RECORD_EXPIRE) {
		wr_bytes(w, "\2\3", 2);
		wr_bytes(w, name, sizeof(name));
	}
	name[0] = 0x58;
	if (type == RECORD_EXPIRE || type == RECORD_HOLD) {
		wr_u8(w, 8);
		wr_bytes(w, name, sizeof(name));
	}
	if (type == RECORD_EXPIRE)
		wr_string(w, "--keep-last 3", 13);
	if (type == RECORD_HOLD)
		wr_bytes(w, "\1\11a lawsuit", 11);
	if (type == RECORD_RULES) {
		wr_varint(w, 7776000);
		wr_bytes(w, "\1\30\36\10\14\7", 6);
	}
	if (type == RECORD_PRUNE)
		wr_bytes(w, "\1\2\3\4\5\6\7\254\2", 9);
	if (type == RECORD_PRIMARY) {
		wr_string(w, "dr-london", 9);
		wr_bytes(w, site, sizeof(site));
		wr_u8(w, 2);
	}
}

static void
record_encode__every_type(void **state)
{
	struct fixture *f = *state;

	for (int i = RECORD_EXPIRE; i <= RECORD_PRIMARY; i++) {
		enum record_type type = (enum record_type)i;
		AUTO(record) struct record *r = other_record(f, type);
		AUTO(record) struct record *again = NULL;
		WR_AUTO struct wr w = {0};
		WR_AUTO struct wr want = {0};
		WR_AUTO struct wr body = {0};
		WR_AUTO struct wr back = {0};

		expected_other(&want, type);
		assert_ok(record_body_encode(r, &body, &err));
		assert_int_equal(body.len, want.len);
		assert_memory_equal(body.buf, want.buf, want.len);
		assert_ok(record_encode(
		    r, &fixture_lists, f->ks, f->signer, &w, &err));
		assert_ok(
		    record_check(w.buf, w.len, &f->signer->pub.sign, &err));
		assert_ok(record_decode(w.buf, w.len, f->keys, &again, &err));
		assert_int_equal(again->head.type, type);
		assert_int_equal(again->head.time, 1700001000);
		assert_ok(record_body_encode(again, &back, &err));
		assert_int_equal(back.len, want.len);
		assert_memory_equal(back.buf, want.buf, want.len);
	}
}

static void
record_body_decode__others_cut_off_or_too_long(void **state)
{

	(void)state;
	for (int i = RECORD_EXPIRE; i <= RECORD_PRIMARY; i++) {
		WR_AUTO struct wr w = {0};
		struct err why;

		expected_other(&w, (enum record_type)i);
		wr_u8(&w, 0);
		for (size_t len = 0; len <= w.len; len++) {
			struct record r = {
			    .head = {.type = (enum record_type)i, .seq = 9}};
			int rc = record_body_decode(w.buf, len, &r, &why);

			record_release(&r);
			assert_int_equal(
			    rc, len == w.len - 1 ? 0 : ERR_CORRUPT);
		}
	}
}

/* A byte of the body that makes it one that can't be. */
static void
record_body_decode__refuses_what_can_t_be(void **state)
{
	static const struct {
		enum record_type type;
		size_t at;
		uint8_t byte;
	} cases[] = {
	    {RECORD_EXPIRE, 0, 0},                     /* no target */
	    {RECORD_EXPIRE, 1, 0},                     /* record 0 */
	    {RECORD_EXPIRE, 1, 8},                     /* not ascending */
	    {RECORD_EXPIRE, 34, 9},                    /* itself */
	    {RECORD_HOLD, 0, 9}, {RECORD_HOLD, 33, 2}, /* neither on nor off */
	    {RECORD_HOLD, 35, 0},                      /* NUL in a text */
	    {RECORD_PRIMARY, 26, 0},                   /* no number */
	    {RECORD_PRIMARY, 1, 0},                    /* NUL in the name */
	    {RECORD_RULES, 3, 0xff}, /* over 32 bits, see below */
	};
	struct err why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct record r = {.head = {.type = cases[i].type, .seq = 9}};
		WR_AUTO struct wr w = {0};

		if (cases[i].type == RECORD_RULES) {
			wr_varint(&w, (uint64_t)UINT32_MAX + 1);
			wr_bytes(&w, "\0\0\0\0\0\0", 6);
		} else {
			expected_other(&w, cases[i].type);
			w.buf[cases[i].at] = cases[i].byte;
		}
		if (record_body_decode(w.buf, w.len, &r, &why) != ERR_CORRUPT)
			fail_msg("case %zu", i);
		record_release(&r);
	}
}

/* --- times ---------------------------------------------------------------- */

static void
moment_compare__orders(UNUSED void **state)
{
	const struct moment m[] = {{INT64_MIN, 0}, {-1, 999999999}, {0, 0},
	    {0, 1}, {INT64_MAX, 999999999}};

	for (int i = 0; i < (int)ARRAY_LEN(m); i++)
		for (int j = 0; j < (int)ARRAY_LEN(m); j++)
			assert_int_equal(
			    moment_compare(m[i], m[j]), (i > j) - (i < j));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    record_test(record_body_decode__refuses_each_fault),
	    record_test(record_body_decode__cut_off_anywhere),
	    record_test(record_body_decode__signed_when_the_snapshot_ended),
	    record_test(record_encode__every_type),
	    record_test(record_body_decode__others_cut_off_or_too_long),
	    record_test(record_body_decode__refuses_what_can_t_be),
	    cmocka_unit_test(moment_compare__orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
