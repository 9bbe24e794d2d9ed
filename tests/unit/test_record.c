/* Log records: snapshot/log/record*.c. */
#include "crypto/box.h"
#include "snapshot/log/record_body.h"
#include "tests/unit/log_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define HEAD 92 /* bytes before the box */

struct fixture {
	struct identity *signer;
	struct keyset *ks; /* the keyring's */
	struct keyring *keys;
	struct snapshot *snapshot;
	struct record_head head;
	struct wr record;
	struct err err;
};

#define assert_rc(want, call)                                                  \
	do {                                                                   \
		int rc_ = (call);                                              \
		if (rc_ != (want))                                             \
			fail_msg("%d (%s), not %d", rc_,                       \
			    rc_ == 0 ? "done" : f->err.text, (int)(want));     \
	} while (0)
#define assert_ok(call) assert_rc(0, call)

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*state = f;
	assert_ok(identity_new(IDENTITY_HOST, "db1", &f->signer, &f->err));
	assert_ok(keyset_new("customers", &f->ks, &f->err));
	assert_ok(keyring_new(&f->keys, &f->err));
	assert_ok(keyring_add(f->keys, f->ks, &f->err));
	f->snapshot = snapshot_at(1700000000, 123456789);
	memcpy(f->head.dataset, f->ks->dataset, DATASET_ID_LEN);
	f->head.seq = 0x0102030405060708;
	memset(f->head.prev, 0x99, OBJECT_NAME_LEN);
	assert_ok(record_encode_snapshot(
	    f->snapshot, &f->head, f->ks, f->signer, &f->record, &f->err));
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	wr_clear(&f->record);
	snapshot_free(f->snapshot);
	keyring_free(f->keys);
	identity_free(f->signer);
	free(f);
	return 0;
}

#define record_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* --- to the byte ------------------------------------------------------- */

/* FORMAT.md section 9, written down by hand. */
static void
expected_body(struct wr *w)
{
	WR_AUTO struct wr root = {0};
	uint8_t index[OBJECT_NAME_LEN] = {0};
	struct chunk_name problems = {{0xe1}};

	root_entry(&root);
	wr_u8(w, 1);
	wr_svarint(w, 1700000000);
	wr_varint(w, 123456789);
	wr_svarint(w, 1700000060);
	wr_varint(w, 7);
	wr_u8(w, 1);
	wr_string(w, "db1", 3);
	wr_string(w, "/srv/data", 9);
	wr_string(w, "varve 1", 7);
	wr_string(w, root.buf, root.len);
	wr_varint(w, 300);
	wr_varint(w, 70000);
	wr_varint(w, 66000);
	wr_varint(w, 1);
	wr_varint(w, 2);
	wr_varint(w, 10); /* the problems: size, form, level, root */
	wr_u8(w, 2);
	wr_u8(w, 0);
	wr_bytes(w, problems.b, sizeof(problems.b));
	wr_varint(w, 77);
	wr_varint(w, 2);
	index[0] = 0xa1;
	wr_bytes(w, index, sizeof(index));
	index[0] = 0xa2;
	wr_bytes(w, index, sizeof(index));
	assert_false(w->failed);
}

static void
record_encode_snapshot__layout(void **state)
{
	struct fixture *f = *state;
	const uint8_t *p = f->record.buf;
	WR_AUTO struct wr want = {0};
	WR_AUTO struct wr body = {0};
	WR_AUTO struct wr opened = {0};
	WR_AUTO struct wr msg = {0};
	struct key32 key;
	size_t boxlen;

	expected_body(&body);
	boxlen = body.len + BOX_OVERHEAD;
	wr_bytes(&want, "VRVl\1\0\0\0", 8);
	wr_bytes(&want, f->ks->dataset, 16);
	wr_u32(&want, 1);
	wr_u32(&want, 0);
	wr_bytes(&want, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
	wr_bytes(&want, f->head.prev, 32);
	wr_bytes(&want, f->signer->pub.id, 16);
	wr_u32(&want, (uint32_t)boxlen);
	assert_int_equal(want.len, HEAD);
	assert_int_equal(f->record.len, HEAD + boxlen + SIGNATURE_LEN);
	assert_memory_equal(p, want.buf, HEAD);

	memcpy(key.b, f->ks->index.b, sizeof(key.b));
	assert_ok(box_open(
	    &key, "varve log v1", p, HEAD, p + HEAD, boxlen, &opened, &f->err));
	assert_int_equal(opened.len, body.len);
	assert_memory_equal(opened.buf, body.buf, body.len);

	wr_bytes(&msg, "varve log record v1", 20); /* with its zero byte */
	wr_bytes(&msg, p, HEAD + boxlen);
	assert_ok(sign_check(&f->signer->pub.sign, msg.buf, msg.len,
	    p + HEAD + boxlen, &f->err));
}

static void
record_peek__reads_the_head(void **state)
{
	struct fixture *f = *state;
	struct record_head head;

	assert_ok(record_peek(f->record.buf, f->record.len, &head, &f->err));
	assert_memory_equal(head.dataset, f->ks->dataset, DATASET_ID_LEN);
	assert_int_equal(head.epoch, 1);
	assert_int_equal(head.seq, 0x0102030405060708);
	assert_memory_equal(head.prev, f->head.prev, OBJECT_NAME_LEN);
	assert_memory_equal(head.signer, f->signer->pub.id, IDENTITY_ID_LEN);
}

static void
record_decode_snapshot__as_encoded(void **state)
{
	struct fixture *f = *state;
	AUTO(snapshot) struct snapshot *s = NULL;

	assert_ok(record_decode_snapshot(
	    f->record.buf, f->record.len, f->keys, &s, &f->err));
	assert_int_equal(s->seq, 0x0102030405060708);
	assert_memory_equal(s->prev, f->head.prev, OBJECT_NAME_LEN);
	assert_memory_equal(s->signer, f->signer->pub.id, IDENTITY_ID_LEN);
	assert_int_equal(moment_compare(s->time, f->snapshot->time), 0);
	assert_int_equal(moment_compare(s->end, f->snapshot->end), 0);
	assert_int_equal(s->kind, SNAPSHOT_FULL);
	assert_string_equal(s->host, "db1");
	assert_string_equal(s->source, "/srv/data");
	assert_string_equal(s->program, "varve 1");
	assert_int_equal(s->root_len, f->snapshot->root_len);
	assert_memory_equal(s->root, f->snapshot->root, s->root_len);
	assert_int_equal(s->totals.files, 3);
	assert_int_equal(s->totals.dirs, 1);
	assert_int_equal(s->totals.others, 1);
	assert_int_equal(s->totals.bytes, 1000);
	assert_int_equal(s->added_chunks, 300);
	assert_int_equal(s->added_bytes, 70000);
	assert_int_equal(s->added_stored, 66000);
	assert_int_equal(s->unreadable, 1);
	assert_int_equal(s->changed, 2);
	assert_int_equal(s->problems_size, 10);
	assert_int_equal(s->problems.form, CONTENT_TREE);
	assert_int_equal(s->problems.root.b[0], 0xe1);
	assert_int_equal(s->next_ino, 77);
	assert_int_equal(s->nindexes, 2);
	assert_memory_equal(
	    s->indexes, f->snapshot->indexes, 2 * OBJECT_NAME_LEN);
}

/* --- what was tampered with -------------------------------------------- */

static void
record_decode_snapshot__every_flipped_byte(void **state)
{
	struct fixture *f = *state;
	struct wr *w = &f->record;

	for (size_t i = 0; i < w->len; i++) {
		AUTO(snapshot) struct snapshot *s = NULL;
		int rc;

		w->buf[i] ^= (uint8_t)(1 << i % 8);
		rc =
		    record_check(w->buf, w->len, &f->signer->pub.sign, &f->err);
		assert_true(
		    rc == ERR_CORRUPT || rc == ERR_VERSION || rc == ERR_AUTH);
		rc = record_decode_snapshot(
		    w->buf, w->len, f->keys, &s, &f->err);
		if (i < w->len - SIGNATURE_LEN) {
			assert_true(rc == ERR_CORRUPT || rc == ERR_VERSION ||
				    rc == ERR_AUTH || rc == ERR_DENIED);
			assert_null(s);
		} else {
			assert_int_equal(rc, 0);
		}
		w->buf[i] ^= (uint8_t)(1 << i % 8);
	}
	assert_ok(record_check(w->buf, w->len, &f->signer->pub.sign, &f->err));
}

static void
record_peek__cut_off_or_too_long(void **state)
{
	struct fixture *f = *state;
	struct wr *w = &f->record;
	struct record_head head;

	for (size_t len = 0; len < w->len; len++)
		assert_rc(
		    ERR_CORRUPT, record_peek(w->buf, len, &head, &f->err));
	wr_u8(w, 0);
	assert_rc(ERR_CORRUPT, record_peek(w->buf, w->len, &head, &f->err));
}

static void
record_peek__head_that_can_t_be(void **state)
{
	static const struct {
		size_t at;
		size_t len;
		uint8_t byte;
		int want;
	} cases[] = {
	    {4, 1, 2, ERR_VERSION},   /* version */
	    {6, 1, 1, ERR_CORRUPT},   /* reserved */
	    {24, 4, 0, ERR_CORRUPT},  /* epoch */
	    {31, 1, 1, ERR_CORRUPT},  /* reserved */
	    {32, 8, 0, ERR_CORRUPT},  /* sequence number */
	    {40, 32, 0, ERR_CORRUPT}, /* a later record follows none */
	};
	struct fixture *f = *state;
	struct record_head head;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		WR_AUTO struct wr w = {0};

		wr_bytes(&w, f->record.buf, f->record.len);
		memset(w.buf + cases[i].at, cases[i].byte, cases[i].len);
		assert_rc(
		    cases[i].want, record_peek(w.buf, w.len, &head, &f->err));
	}
}

static void
record_check__another_signer(void **state)
{
	struct fixture *f = *state;
	AUTO(identity) struct identity *other = NULL;

	assert_ok(identity_new(IDENTITY_HOST, "db2", &other, &f->err));
	assert_rc(ERR_AUTH, record_check(f->record.buf, f->record.len,
				&other->pub.sign, &f->err));
}

/* --- keys -------------------------------------------------------------- */

static void
record_decode_snapshot__another_key(void **state)
{
	struct fixture *f = *state;
	AUTO(keyring) struct keyring *keys = NULL;
	struct keyset *other = NULL;
	struct snapshot *s = NULL;

	assert_ok(keyset_new("others", &other, &f->err));
	assert_ok(keyring_new(&keys, &f->err));
	assert_ok(keyring_add(keys, other, &f->err));
	assert_rc(ERR_CORRUPT, record_decode_snapshot(f->record.buf,
				   f->record.len, keys, &s, &f->err));
	assert_non_null(strstr(f->err.text, "another dataset"));
	memcpy(other->dataset, f->ks->dataset, DATASET_ID_LEN);
	assert_rc(ERR_AUTH, record_decode_snapshot(f->record.buf, f->record.len,
				keys, &s, &f->err));
	assert_null(s);
}

static void
record_decode_snapshot__an_epoch_not_given(void **state)
{
	struct fixture *f = *state;
	AUTO(keyset) struct keyset *next = NULL;
	AUTO(snapshot) struct snapshot *s = NULL;
	WR_AUTO struct wr w = {0};

	assert_ok(keyset_next(f->ks, &next, &f->err));
	assert_ok(record_encode_snapshot(
	    f->snapshot, &f->head, next, f->signer, &w, &f->err));
	assert_rc(ERR_DENIED,
	    record_decode_snapshot(w.buf, w.len, f->keys, &s, &f->err));
	assert_non_null(strstr(f->err.text, "epoch 2"));
	assert_ok(keyring_add(f->keys, STEAL(next), &f->err));
	assert_ok(record_decode_snapshot(w.buf, w.len, f->keys, &s, &f->err));
}

/* --- what no record can hold ------------------------------------------- */

static void
assert_refused(struct fixture *f, int want)
{
	WR_AUTO struct wr w = {0};

	assert_rc(want, record_encode_snapshot(f->snapshot, &f->head, f->ks,
			    f->signer, &w, &f->err));
	assert_int_equal(w.len, 0);
}

static void
replace_text(char **text, size_t len)
{
	free(*text);
	*text = calloc(1, len + 1);
	assert_non_null(*text);
	memset(*text, 'x', len);
}

static void
record_encode_snapshot__texts_have_limits(void **state)
{
	struct fixture *f = *state;
	WR_AUTO struct wr w = {0};

	replace_text(&f->snapshot->host, 255);
	replace_text(&f->snapshot->source, 4096);
	replace_text(&f->snapshot->program, 255);
	assert_ok(record_encode_snapshot(
	    f->snapshot, &f->head, f->ks, f->signer, &w, &f->err));
	replace_text(&f->snapshot->host, 256);
	assert_refused(f, ERR_USAGE);
	replace_text(&f->snapshot->host, 0);
	replace_text(&f->snapshot->source, 4097);
	assert_refused(f, ERR_USAGE);
	replace_text(&f->snapshot->source, 0);
	replace_text(&f->snapshot->program, 256);
	assert_refused(f, ERR_USAGE);
}

static void
record_encode_snapshot__never_what_can_t_be_read(void **state)
{
	struct fixture *f = *state;
	struct snapshot *s = f->snapshot;
	struct snapshot good = *s;

	s->time.ns = 1000000000;
	assert_refused(f, ERR_BUG);
	*s = good;
	s->next_ino = 0;
	assert_refused(f, ERR_BUG);
	*s = good;
	s->kind = (enum snapshot_kind)3;
	assert_refused(f, ERR_BUG);
	*s = good;
	s->root_len--;
	assert_refused(f, ERR_BUG);
	*s = good;
	s->root[0] = ENTRY_FILE;
	assert_refused(f, ERR_BUG);
	s->root[0] = ENTRY_DIR;
	f->head.seq = 1;
	assert_refused(f, ERR_BUG);
	f->head.seq = 2;
	memset(f->head.prev, 0, sizeof(f->head.prev));
	assert_refused(f, ERR_BUG);
}

/* --- the body ---------------------------------------------------------- */

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
	INDEXES_MANY,
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
	wr_u8(w, 1);
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
	wr_varint(w, fault == INDEXES_MANY ? UINT64_MAX / 32 + 2 : 0);
	if (fault == LEFTOVER)
		wr_u8(w, 0);
}

static void
record_body_decode__refuses_each_fault(void **state)
{
	struct fixture *f = *state;

	for (int i = NONE; i < FAULTS; i++) {
		AUTO(snapshot) struct snapshot *s = NULL;
		WR_AUTO struct wr w = {0};
		int rc;

		faulty_body(&w, (enum fault)i);
		rc = record_body_decode(w.buf, w.len, &s, &f->err);
		if (rc != (i == NONE ? 0 : ERR_CORRUPT))
			fail_msg("fault %d: %d", i, rc);
	}
}

static void
record_body_decode__cut_off_anywhere(void **state)
{
	struct fixture *f = *state;
	WR_AUTO struct wr w = {0};

	expected_body(&w);
	for (size_t len = 0; len < w.len; len++) {
		struct snapshot *s = NULL;

		assert_rc(
		    ERR_CORRUPT, record_body_decode(w.buf, len, &s, &f->err));
		assert_null(s);
	}
}

static void
record_body_decode__unknown_type_is_version(void **state)
{
	struct fixture *f = *state;
	struct snapshot *s = NULL;
	WR_AUTO struct wr w = {0};

	expected_body(&w);
	w.buf[0] = 2;
	assert_rc(ERR_VERSION, record_body_decode(w.buf, w.len, &s, &f->err));
	assert_non_null(strstr(f->err.text, "type 2"));
}

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
	    record_test(record_encode_snapshot__layout),
	    record_test(record_peek__reads_the_head),
	    record_test(record_decode_snapshot__as_encoded),
	    record_test(record_decode_snapshot__every_flipped_byte),
	    record_test(record_peek__cut_off_or_too_long),
	    record_test(record_peek__head_that_can_t_be),
	    record_test(record_check__another_signer),
	    record_test(record_decode_snapshot__another_key),
	    record_test(record_decode_snapshot__an_epoch_not_given),
	    record_test(record_encode_snapshot__texts_have_limits),
	    record_test(record_encode_snapshot__never_what_can_t_be_read),
	    record_test(record_body_decode__refuses_each_fault),
	    record_test(record_body_decode__cut_off_anywhere),
	    record_test(record_body_decode__unknown_type_is_version),
	    cmocka_unit_test(moment_compare__orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
