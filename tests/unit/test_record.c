/* Log records: snapshot/log/record.c. */
#include "crypto/box.h"
#include "tests/unit/record_fixture.h"

#define HEAD (96 + 1 + 2 * 32 + 1 + 4) /* bytes before the box */

/* --- to the byte ------------------------------------------------------- */

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
	    &key, "varve log v1", p, HEAD, p + HEAD, boxlen, &opened, &err));
	assert_int_equal(opened.len, body.len);
	assert_memory_equal(opened.buf, body.buf, body.len);

	wr_bytes(&msg, "varve log record v1", 20); /* with its zero byte */
	wr_bytes(&msg, p, HEAD + boxlen);
	assert_ok(sign_check(
	    &f->signer->pub.sign, msg.buf, msg.len, p + HEAD + boxlen, &err));
}

static void
record_peek__reads_the_head(void **state)
{
	struct fixture *f = *state;
	struct record_clear clear;
	const struct record_head *head = &clear.head;

	assert_ok(record_peek(f->record.buf, f->record.len, &clear, &err));
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
	    record_decode(f->record.buf, f->record.len, f->keys, &r, &err));
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
	struct err why;

	for (size_t i = 0; i < w->len; i++) {
		AUTO(record) struct record *s = NULL;
		int rc;

		w->buf[i] ^= (uint8_t)(1 << i % 8);
		rc = record_check(w->buf, w->len, &f->signer->pub.sign, &why);
		assert_true(
		    rc == ERR_CORRUPT || rc == ERR_VERSION || rc == ERR_AUTH);
		rc = record_decode(w->buf, w->len, f->keys, &s, &why);
		if (i < w->len - SIGNATURE_LEN) {
			assert_true(rc == ERR_CORRUPT || rc == ERR_VERSION ||
				    rc == ERR_AUTH || rc == ERR_DENIED);
			assert_null(s);
		} else {
			assert_int_equal(rc, 0);
		}
		w->buf[i] ^= (uint8_t)(1 << i % 8);
	}
	assert_ok(record_check(w->buf, w->len, &f->signer->pub.sign, &err));
}

static void
record_peek__cut_off_or_too_long(void **state)
{
	struct fixture *f = *state;
	struct wr *w = &f->record;
	struct record_clear head;

	for (size_t len = 0; len < w->len; len++)
		assert_rc(ERR_CORRUPT, record_peek(w->buf, len, &head, &err));
	wr_u8(w, 0);
	assert_rc(ERR_CORRUPT, record_peek(w->buf, w->len, &head, &err));
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
		    cases[i].want, record_peek(w.buf, w.len, &head, &err));
	}
}

/* --- the index set ------------------------------------------------------ */

/* An index set of ${n} names, no two the same. */
static uint8_t (*many_names(size_t n))[OBJECT_NAME_LEN]
{
	uint8_t(*names)[OBJECT_NAME_LEN] = calloc(n, sizeof(*names));

	assert_non_null(names);
	for (size_t i = 0; i < n; i++) {
		/* Not in order: the order is another one. */
		size_t as = (i * 2741) % n;

		names[i][30] = (uint8_t)(as >> 8);
		names[i][31] = (uint8_t)as;
	}
	return names;
}

static int
encode_names(struct fixture *f, uint8_t (*names)[OBJECT_NAME_LEN], size_t n,
    struct wr *w, struct err *why)
{
	const struct record_lists lists = {
	    .indexes = (const uint8_t(*)[OBJECT_NAME_LEN])names, .nindexes = n};

	return record_encode(f->made, &lists, f->ks, f->signer, w, why);
}

static void
record_peek__no_index_twice(void **state)
{
	struct fixture *f = *state;
	uint8_t(*names)[OBJECT_NAME_LEN] = many_names(RECORD_INDEXES_MAX);
	struct record_clear clear;
	WR_AUTO struct wr w = {0};
	size_t first, last = RECORD_INDEXES_MAX - 1;

	assert_ok(encode_names(f, names, RECORD_INDEXES_MAX, &w, &err));
	assert_ok(record_peek(w.buf, w.len, &clear, &err));
	assert_int_equal(clear.nindexes, RECORD_INDEXES_MAX);
	assert_memory_equal(clear.indexes, names, 32 * RECORD_INDEXES_MAX);
	/* The last of the list once more, far from its twin. */
	first = 96 + 2;
	memcpy(w.buf + first + 32 * 7, w.buf + first + 32 * last, 32);
	assert_rc(ERR_CORRUPT, record_peek(w.buf, w.len, &clear, &err));
	memcpy(names[7], names[last], 32);
	wr_clear(&w);
	assert_rc(
	    ERR_BUG, encode_names(f, names, RECORD_INDEXES_MAX, &w, &err));
	assert_int_equal(w.len, 0);
	free(names);
}

static void
record_peek__no_more_indexes_than_may_be(void **state)
{
	struct fixture *f = *state;
	size_t n = RECORD_INDEXES_MAX + 1, first = 96 + 2;
	uint8_t(*names)[OBJECT_NAME_LEN] = many_names(n);
	struct record_clear clear;
	WR_AUTO struct wr good = {0};
	WR_AUTO struct wr bad = {0};

	assert_fails(
	    ERR_FULL, "4097 indexes", encode_names(f, names, n, &bad, &err));
	assert_int_equal(bad.len, 0);
	/* As one who doesn't ask would write it. */
	assert_ok(encode_names(f, names, n - 1, &good, &err));
	wr_bytes(&bad, good.buf, 96);
	wr_varint(&bad, n);
	wr_bytes(&bad, names, 32 * n);
	wr_bytes(&bad, good.buf + first + 32 * (n - 1),
	    good.len - first - 32 * (n - 1));
	assert_rc(ERR_CORRUPT, record_peek(bad.buf, bad.len, &clear, &err));
	free(names);
}

static void
record_check__another_signer(void **state)
{
	struct fixture *f = *state;
	AUTO(identity) struct identity *other = NULL;

	assert_ok(identity_new(IDENTITY_HOST, "db2", &other, &err));
	assert_rc(ERR_AUTH,
	    record_check(f->record.buf, f->record.len, &other->pub.sign, &err));
}

/* --- keys -------------------------------------------------------------- */

static void
record_decode__another_key(void **state)
{
	struct fixture *f = *state;
	AUTO(keyring) struct keyring *keys = NULL;
	struct keyset *other = NULL;
	struct record *s = NULL;

	assert_ok(keyset_new("others", &other, &err));
	assert_ok(keyring_new(&keys, &err));
	assert_ok(keyring_add(keys, other, &err));
	assert_fails(ERR_CORRUPT, "another dataset",
	    record_decode(f->record.buf, f->record.len, keys, &s, &err));
	memcpy(other->dataset, f->ks->dataset, DATASET_ID_LEN);
	assert_rc(ERR_AUTH,
	    record_decode(f->record.buf, f->record.len, keys, &s, &err));
	assert_null(s);
}

static void
record_decode__an_epoch_not_given(void **state)
{
	struct fixture *f = *state;
	AUTO(keyset) struct keyset *next = NULL;
	AUTO(record) struct record *s = NULL;
	WR_AUTO struct wr w = {0};

	assert_ok(keyset_next(f->ks, &next, &err));
	assert_ok(
	    record_encode(f->made, &fixture_lists, next, f->signer, &w, &err));
	assert_fails(ERR_DENIED, "epoch 2",
	    record_decode(w.buf, w.len, f->keys, &s, &err));
	assert_ok(keyring_add(f->keys, STEAL(next), &err));
	assert_ok(record_decode(w.buf, w.len, f->keys, &s, &err));
}

/* --- what no record can hold ------------------------------------------- */

static void
assert_refused(struct fixture *f, int want)
{
	WR_AUTO struct wr w = {0};

	assert_rc(want,
	    record_encode(f->made, &fixture_lists, f->ks, f->signer, &w, &err));
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
	assert_ok(
	    record_encode(f->made, &fixture_lists, f->ks, f->signer, &w, &err));
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
	assert_ok(record_encode(r, &lists, f->ks, f->signer, &w, &err));
	assert_memory_equal(w.buf + 161, "\4\1\xb1", 3);
	assert_int_equal(w.buf[162 + 33], 2);
	assert_ok(record_peek(w.buf, w.len, &clear, &err));
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
	    ERR_BUG, record_encode(r, &lists, f->ks, f->signer, &w, &err));
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
	    record_test(record_peek__no_index_twice),
	    record_test(record_peek__no_more_indexes_than_may_be),
	    record_test(record_check__another_signer),
	    record_test(record_decode__another_key),
	    record_test(record_decode__an_epoch_not_given),
	    record_test(record_encode__texts_have_limits),
	    record_test(record_encode__never_what_can_t_be_read),
	    record_test(record_peek__condemned),
	    record_test(record_encode__no_lists_that_contradict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
