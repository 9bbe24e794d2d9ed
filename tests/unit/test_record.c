/* Log records: snapshot/log/record*.c. */
#include "crypto/box.h"
#include "snapshot/log/record_body.h"
#include "tests/unit/log_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define HEAD (96 + 1 + 2 * 32 + 1 + 4) /* bytes before the box */

struct fixture {
	struct identity *signer;
	struct keyset *ks; /* the keyring's */
	struct keyring *keys;
	struct record *made;
	struct snapshot *snapshot; /* its */
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
	f->made = record_at(1700000000, 123456789);
	f->snapshot = f->made->snapshot;
	memcpy(f->made->head.dataset, f->ks->dataset, DATASET_ID_LEN);
	f->made->head.seq = 0x0102030405060708;
	memset(f->made->head.prev, 0x99, OBJECT_NAME_LEN);
	assert_ok(record_encode(
	    f->made, &fixture_lists, f->ks, f->signer, &f->record, &f->err));
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	wr_clear(&f->record);
	record_free(f->made);
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
	struct chunk_name problems = {{0xe1}};

	root_entry(&root);
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
	wr_varint(w, 6);
	assert_false(w->failed);
}

static void
record_encode__layout(void **state)
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
	wr_bytes(&want, "\1\0\0\0", 4);
	wr_bytes(&want, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
	wr_bytes(&want, f->made->head.prev, 32);
	wr_bytes(&want, f->signer->pub.id, 16);
	wr_u64(&want, 1700000060);
	wr_u8(&want, 2);
	wr_bytes(&want, fixture_indexes, 64);
	wr_u8(&want, 0);
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
	struct record_clear clear;
	const struct record_head *head = &clear.head;

	assert_ok(record_peek(f->record.buf, f->record.len, &clear, &f->err));
	assert_int_equal(head->type, RECORD_SNAPSHOT);
	assert_int_equal(head->time, 1700000060);
	assert_int_equal(clear.nindexes, 2);
	assert_memory_equal(clear.indexes, fixture_indexes, 64);
	assert_int_equal(clear.ncondemned, 0);
	assert_memory_equal(head->dataset, f->ks->dataset, DATASET_ID_LEN);
	assert_int_equal(head->epoch, 1);
	assert_int_equal(head->seq, 0x0102030405060708);
	assert_memory_equal(head->prev, f->made->head.prev, OBJECT_NAME_LEN);
	assert_memory_equal(head->signer, f->signer->pub.id, IDENTITY_ID_LEN);
}

static void
record_decode__as_encoded(void **state)
{
	struct fixture *f = *state;
	AUTO(record) struct record *r = NULL;
	const struct snapshot *s;

	assert_ok(
	    record_decode(f->record.buf, f->record.len, f->keys, &r, &f->err));
	assert_true(r->open);
	assert_int_equal(r->head.type, RECORD_SNAPSHOT);
	s = r->snapshot;
	assert_int_equal(s->seq, 0x0102030405060708);
	assert_memory_equal(s->prev, f->made->head.prev, OBJECT_NAME_LEN);
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
	assert_int_equal(s->next_ino, 6);
}

/* --- what was tampered with -------------------------------------------- */

static void
record_decode__every_flipped_byte(void **state)
{
	struct fixture *f = *state;
	struct wr *w = &f->record;

	for (size_t i = 0; i < w->len; i++) {
		AUTO(record) struct record *s = NULL;
		int rc;

		w->buf[i] ^= (uint8_t)(1 << i % 8);
		rc =
		    record_check(w->buf, w->len, &f->signer->pub.sign, &f->err);
		assert_true(
		    rc == ERR_CORRUPT || rc == ERR_VERSION || rc == ERR_AUTH);
		rc = record_decode(w->buf, w->len, f->keys, &s, &f->err);
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
	struct record_clear head;

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
	    {4, 1, 2, ERR_VERSION},    /* version */
	    {6, 1, 1, ERR_CORRUPT},    /* reserved */
	    {24, 4, 0, ERR_CORRUPT},   /* epoch */
	    {28, 1, 0, ERR_VERSION},   /* type */
	    {28, 1, 7, ERR_VERSION},   /* type */
	    {29, 1, 1, ERR_CORRUPT},   /* reserved */
	    {31, 1, 1, ERR_CORRUPT},   /* reserved */
	    {32, 8, 0, ERR_CORRUPT},   /* sequence number */
	    {40, 32, 0, ERR_CORRUPT},  /* a later record follows none */
	    {96, 1, 127, ERR_CORRUPT}, /* more indexes than bytes */
	    {161, 1, 1, ERR_CORRUPT},  /* condemned, but no prune */
	};
	struct fixture *f = *state;
	struct record_clear head;

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
record_decode__another_key(void **state)
{
	struct fixture *f = *state;
	AUTO(keyring) struct keyring *keys = NULL;
	struct keyset *other = NULL;
	struct record *s = NULL;

	assert_ok(keyset_new("others", &other, &f->err));
	assert_ok(keyring_new(&keys, &f->err));
	assert_ok(keyring_add(keys, other, &f->err));
	assert_rc(ERR_CORRUPT,
	    record_decode(f->record.buf, f->record.len, keys, &s, &f->err));
	assert_non_null(strstr(f->err.text, "another dataset"));
	memcpy(other->dataset, f->ks->dataset, DATASET_ID_LEN);
	assert_rc(ERR_AUTH,
	    record_decode(f->record.buf, f->record.len, keys, &s, &f->err));
	assert_null(s);
}

static void
record_decode__an_epoch_not_given(void **state)
{
	struct fixture *f = *state;
	AUTO(keyset) struct keyset *next = NULL;
	AUTO(record) struct record *s = NULL;
	WR_AUTO struct wr w = {0};

	assert_ok(keyset_next(f->ks, &next, &f->err));
	assert_ok(record_encode(
	    f->made, &fixture_lists, next, f->signer, &w, &f->err));
	assert_rc(
	    ERR_DENIED, record_decode(w.buf, w.len, f->keys, &s, &f->err));
	assert_non_null(strstr(f->err.text, "epoch 2"));
	assert_ok(keyring_add(f->keys, STEAL(next), &f->err));
	assert_ok(record_decode(w.buf, w.len, f->keys, &s, &f->err));
}

/* --- what no record can hold ------------------------------------------- */

static void
assert_refused(struct fixture *f, int want)
{
	WR_AUTO struct wr w = {0};

	assert_rc(want, record_encode(f->made, &fixture_lists, f->ks, f->signer,
			    &w, &f->err));
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
record_encode__texts_have_limits(void **state)
{
	struct fixture *f = *state;
	WR_AUTO struct wr w = {0};

	replace_text(&f->snapshot->host, 255);
	replace_text(&f->snapshot->source, 4096);
	replace_text(&f->snapshot->program, 255);
	assert_ok(record_encode(
	    f->made, &fixture_lists, f->ks, f->signer, &w, &f->err));
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
record_encode__never_what_can_t_be_read(void **state)
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
	f->made->head.seq = 1;
	assert_refused(f, ERR_BUG);
	f->made->head.seq = 2;
	memset(f->made->head.prev, 0, sizeof(f->made->head.prev));
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
	struct fixture *f = *state;

	for (int i = NONE; i < FAULTS; i++) {
		struct record r = {
		    .head = {.type = RECORD_SNAPSHOT, .time = INT64_MAX}};
		WR_AUTO struct wr w = {0};
		int rc;

		faulty_body(&w, (enum fault)i);
		rc = record_body_decode(w.buf, w.len, &r, &f->err);
		record_release(&r);
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
		struct record r = {
		    .head = {.type = RECORD_SNAPSHOT, .time = 1700000060}};

		assert_rc(
		    ERR_CORRUPT, record_body_decode(w.buf, len, &r, &f->err));
		record_release(&r);
	}
}

static void
record_body_decode__signed_when_the_snapshot_ended(void **state)
{
	struct fixture *f = *state;
	struct record r = {
	    .head = {.type = RECORD_SNAPSHOT, .time = 1700000061}};
	WR_AUTO struct wr w = {0};

	expected_body(&w);
	assert_rc(ERR_CORRUPT, record_body_decode(w.buf, w.len, &r, &f->err));
	assert_non_null(strstr(f->err.text, "another time"));
	record_release(&r);
}

/* --- the other types ----------------------------------------------------- */

static char *
text(const char *of)
{
	char *copy = strdup(of);

	assert_non_null(copy);
	return copy;
}

/* A record of the type, with everything that one can have. */
static struct record *
other_record(const struct fixture *f, enum record_type type)
{
	struct record *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->head = f->made->head;
	r->head.type = type;
	r->head.seq = 9;
	r->head.time = 1700001000;
	r->open = true;
	if (type == RECORD_EXPIRE) {
		r->expire.targets = calloc(2, sizeof(*r->expire.targets));
		assert_non_null(r->expire.targets);
		r->expire.n = 2;
		r->expire.targets[0] = (struct record_target){3, {0x53}};
		r->expire.targets[1] = (struct record_target){8, {0x58}};
		r->expire.why = text("--keep-last 3");
	} else if (type == RECORD_HOLD) {
		r->hold.target = (struct record_target){8, {0x58}};
		r->hold.on = true;
		r->hold.why = text("a lawsuit");
	} else if (type == RECORD_RULES) {
		r->rules = (struct rules){{7776000, 1, 24, 30, 8, 12, 7}};
	} else if (type == RECORD_PRUNE) {
		r->prune = (struct record_prune){1, 2, 3, 4, 5, 6, 7, 300};
	} else {
		r->primary.site = text("dr-london");
		r->primary.id[15] = 0x1d;
		r->primary.change = 2;
	}
	return r;
}

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
		assert_ok(record_body_encode(r, &body, &f->err));
		assert_int_equal(body.len, want.len);
		assert_memory_equal(body.buf, want.buf, want.len);
		assert_ok(record_encode(
		    r, &fixture_lists, f->ks, f->signer, &w, &f->err));
		assert_ok(
		    record_check(w.buf, w.len, &f->signer->pub.sign, &f->err));
		assert_ok(
		    record_decode(w.buf, w.len, f->keys, &again, &f->err));
		assert_int_equal(again->head.type, type);
		assert_int_equal(again->head.time, 1700001000);
		assert_ok(record_body_encode(again, &back, &f->err));
		assert_int_equal(back.len, want.len);
		assert_memory_equal(back.buf, want.buf, want.len);
	}
}

static void
record_body_decode__others_cut_off_or_too_long(void **state)
{
	struct fixture *f = *state;

	for (int i = RECORD_EXPIRE; i <= RECORD_PRIMARY; i++) {
		WR_AUTO struct wr w = {0};

		expected_other(&w, (enum record_type)i);
		wr_u8(&w, 0);
		for (size_t len = 0; len <= w.len; len++) {
			struct record r = {
			    .head = {.type = (enum record_type)i, .seq = 9}};
			int rc = record_body_decode(w.buf, len, &r, &f->err);

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
	struct fixture *f = *state;

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
		if (record_body_decode(w.buf, w.len, &r, &f->err) !=
		    ERR_CORRUPT)
			fail_msg("case %zu", i);
		record_release(&r);
	}
}

/* --- what is condemned --------------------------------------------------- */

static const struct condemned condemned[] = {
    {.cls = OBJECT_INDEX, .name = {0xb1}, .gone = true},
    {.cls = OBJECT_INDEX, .name = {0xb3}},
    {.cls = OBJECT_PACK, .name = {0xa1}, .gone = true},
    {.cls = OBJECT_PACK, .name = {0xb1}},
};

static void
record_peek__condemned(void **state)
{
	struct fixture *f = *state;
	AUTO(record) struct record *r = other_record(f, RECORD_PRUNE);
	struct record_lists lists = fixture_lists;
	WR_AUTO struct wr w = {0};
	struct record_clear clear;
	struct condemned found;

	lists.condemned = condemned;
	lists.ncondemned = ARRAY_LEN(condemned);
	assert_ok(record_encode(r, &lists, f->ks, f->signer, &w, &f->err));
	assert_memory_equal(w.buf + 161, "\4\1\xb1", 3);
	assert_int_equal(w.buf[162 + 33], 2);
	assert_ok(record_peek(w.buf, w.len, &clear, &f->err));
	assert_int_equal(clear.ncondemned, ARRAY_LEN(condemned));
	for (size_t i = 0; i < ARRAY_LEN(condemned); i++) {
		struct condemned c = record_condemned(&clear, i);

		assert_int_equal(c.cls, condemned[i].cls);
		assert_int_equal(c.gone, condemned[i].gone);
		assert_true(record_find_condemned(
		    &clear, c.cls, condemned[i].name, &found));
		assert_int_equal(found.gone, condemned[i].gone);
	}
	assert_false(record_find_condemned(
	    &clear, OBJECT_PACK, condemned[1].name, &found));
}

static void
assert_lists_refused(struct fixture *f, const struct condemned *v, size_t n)
{
	AUTO(record) struct record *r = other_record(f, RECORD_PRUNE);
	struct record_lists lists = fixture_lists;
	WR_AUTO struct wr w = {0};

	lists.condemned = v;
	lists.ncondemned = n;
	assert_rc(
	    ERR_BUG, record_encode(r, &lists, f->ks, f->signer, &w, &f->err));
	assert_int_equal(w.len, 0);
}

static void
record_encode__no_lists_that_contradict(void **state)
{
	static const struct condemned twice[] = {
	    {.cls = OBJECT_PACK, .name = {1}},
	    {.cls = OBJECT_PACK, .name = {1}, .gone = true},
	};
	static const struct condemned in_use[] = {
	    {.cls = OBJECT_INDEX, .name = {0xa2}, .gone = true},
	};
	struct fixture *f = *state;
	struct condemned swapped[] = {condemned[2], condemned[1]};

	assert_lists_refused(f, twice, 2);
	assert_lists_refused(f, swapped, 2);
	assert_lists_refused(f, in_use, 1);
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
	    record_test(record_encode__layout),
	    record_test(record_peek__reads_the_head),
	    record_test(record_decode__as_encoded),
	    record_test(record_decode__every_flipped_byte),
	    record_test(record_peek__cut_off_or_too_long),
	    record_test(record_peek__head_that_can_t_be),
	    record_test(record_check__another_signer),
	    record_test(record_decode__another_key),
	    record_test(record_decode__an_epoch_not_given),
	    record_test(record_encode__texts_have_limits),
	    record_test(record_encode__never_what_can_t_be_read),
	    record_test(record_body_decode__refuses_each_fault),
	    record_test(record_body_decode__cut_off_anywhere),
	    record_test(record_body_decode__signed_when_the_snapshot_ended),
	    record_test(record_encode__every_type),
	    record_test(record_body_decode__others_cut_off_or_too_long),
	    record_test(record_body_decode__refuses_what_can_t_be),
	    record_test(record_peek__condemned),
	    record_test(record_encode__no_lists_that_contradict),
	    cmocka_unit_test(moment_compare__orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
