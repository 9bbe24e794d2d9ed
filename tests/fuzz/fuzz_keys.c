/*
 * Every decoder of key objects, and of the texts people type, on hostile bytes.
 */
#include "crypto/grant.h"
#include "crypto/object.h"
#include "crypto/policy.h"
#include "crypto/receipt.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char pass[] = "correct horse";

/* The cost that a person object asks for, where it has one at all. */
static unsigned
person_cost(const uint8_t *data, size_t len)
{
	struct rd r = rd_init(data, len);
	struct identity_public pub;

	if (object_head_read(&r, 'n', "", NULL) != 0 ||
	    identity_public_decode(&r, &pub, NULL) != 0)
		return 0;
	return rd_u8(&r);
}

/* What every decoder keeps to: a result or a code, never both or neither. */
static void
expect(int rc, const struct err *err, const void *out)
{
	if (rc > 0 || (rc != 0 && rc != err->code) ||
	    (rc == 0) != (out != NULL))
		abort();
}

/* For those that fill what the caller owns. */
static void
expect_code(int rc, const struct err *err)
{
	expect(rc, err, rc == 0 ? "" : NULL);
}

static void
fuzz_identity(const uint8_t *data, size_t len)
{
	AUTO(identity) struct identity *host = NULL;
	AUTO(identity) struct identity *person = NULL;
	struct identity_public pub;
	struct err err;
	int rc = identity_peek(data, len, &pub, &err);

	expect_code(rc, &err);
	rc = identity_decode(data, len, NULL, &host, &err);
	expect(rc, &err, host);
	/* What the scrypt of other costs does is no business of a fuzzer. */
	if (person_cost(data, len) == 10) {
		rc = identity_decode(data, len, pass, &person, &err);
		expect(rc, &err, person);
	}
}

static void
fuzz_root(const uint8_t *data, size_t len)
{
	struct root root;
	struct err err;
	int rc = root_decode(data, len, &root, &err);

	expect_code(rc, &err);
}

static void
fuzz_typed(const uint8_t *data, size_t len)
{
	AUTO(recovery) struct recovery *r = NULL;
	char *text = malloc(len + 1);
	struct err err;
	int rc;

	if (text == NULL)
		return;
	memcpy(text, data, len);
	text[len] = '\0';
	rc = recovery_parse(text, &r, &err);
	expect(rc, &err, r);
	rc = keyset_name_check(text, &err);
	expect_code(rc, &err);
	free(text);
}

static void
fuzz_recovery(const uint8_t *data, size_t len)
{
	AUTO(master) struct master *m = NULL;
	const struct recovery r = {.key = {{1}}};
	struct root root = {0};
	struct err err;
	int rc;

	/* The store is the one it names, so that the box is reached. */
	if (len >= 8 + STORE_ID_LEN)
		memcpy(root.store, data + 8, STORE_ID_LEN);
	rc = recovery_open(&r, &root, data, len, &m, &err);
	expect(rc, &err, m);
}

static void
fuzz_keyset(const uint8_t *data, size_t len)
{
	AUTO(keyset) struct keyset *inner = NULL;
	AUTO(keyset) struct keyset *ks = NULL;
	struct rd r = rd_init(data, len);
	const struct master m = {.seal = {{1}}};
	struct root root = {0};
	struct keyset_head head;
	struct err err;
	int rc = keyset_peek(data, len, &head, &err);

	expect_code(rc, &err);
	if (len >= 8 + STORE_ID_LEN)
		memcpy(root.store, data + 8, STORE_ID_LEN);
	rc = keyset_open(data, len, &root, &root.admin.sign, &m, &ks, &err);
	expect(rc, &err, ks);
	rc = keyset_decode(&r, &inner, &err);
	expect(rc, &err, inner);
}

/* Open it as its own subject, so that more than the comparison is reached. */
static void
fuzz_grant(const uint8_t *data, size_t len)
{
	WR_AUTO struct wr keys = {0};
	struct identity subject = {.seal = {{1}}};
	struct grant g;
	struct err err;
	int rc = grant_peek(data, len, &g, &err);

	expect_code(rc, &err);
	if (rc != 0)
		return;
	subject.pub = g.subject;
	rc = grant_check(data, len, &g.subject.sign, &err);
	expect_code(rc, &err);
	rc = grant_open(data, len, &subject, &keys, &err);
	expect_code(rc, &err);
}

/* What admins and sites say of sites. */
static void
fuzz_site(const uint8_t *data, size_t len)
{
	struct identity_public pub = {0};
	struct site_request request;
	struct statement statement;
	struct policy policy;
	struct receipt receipt;
	struct err err;

	expect_code(site_request_decode(data, len, &request, &err), &err);
	expect_code(
	    site_request_parse((const char *)data, len, &request, &err), &err);
	if (statement_peek(data, len, &statement, &err) == 0)
		expect_code(
		    statement_check(data, len, &statement.site.pub.sign, &err),
		    &err);
	if (policy_peek(data, len, &policy, &err) == 0)
		expect_code(policy_check(data, len, &pub.sign, &err), &err);
	if (receipt_peek(data, len, &receipt, &err) == 0) {
		memcpy(pub.id, receipt.site, sizeof(pub.id));
		expect_code(
		    receipt_decode(data, len, &pub, &receipt, &err), &err);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_identity(data, len);
	fuzz_root(data, len);
	fuzz_typed(data, len);
	fuzz_recovery(data, len);
	fuzz_keyset(data, len);
	fuzz_grant(data, len);
	fuzz_site(data, len);
	return 0;
}
