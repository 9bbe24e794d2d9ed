#include "tests/fuzz/corpus.h"

#include "crypto/policy.h"
#include "crypto/receipt.h"
#include "tests/unit/key_fixture.h"

/* A root with its recovery object and a key set, sealed to one master key. */
static int
put_store(const struct corpus *c, const struct key_fixture *f, struct err *err)
{
	AUTO(recovery) struct recovery *recovery = NULL;
	AUTO(keyset) struct keyset *ks = NULL;
	char text[RECOVERY_TEXT];
	WR_AUTO struct wr w = {0};
	struct root root;
	int rc;

	rc = root_create(f->ada, f->master, CREATED, &w, &root, err);
	if (rc != 0)
		return rc;
	corpus_put(c, "root", &w);
	if ((rc = recovery_new(&recovery, err)) != 0 ||
	    (rc = recovery_seal(recovery, &root, f->master, &w, err)) != 0)
		return rc;
	corpus_put(c, "recovery", &w);
	recovery_text(recovery, text);
	wr_bytes(&w, text, strlen(text));
	corpus_put(c, "recovery-text", &w);
	if ((rc = keyset_new("db/customers", &ks, err)) != 0 ||
	    (rc = keyset_seal(ks, &root, f->ada, f->master, &w, err)) != 0)
		return rc;
	corpus_put(c, "key-set", &w);
	w.secret = true;
	keyset_encode(ks, true, &w);
	corpus_put(c, "key-set-inside", &w);
	wr_bytes(&w, ks->name, strlen(ks->name));
	corpus_put(c, "name", &w);
	return 0;
}

static int
put_grants(const struct corpus *c, const struct key_fixture *f, struct err *err)
{
	AUTO(keyset) struct keyset *ks = NULL;
	WR_AUTO struct wr keys = {.secret = true};
	WR_AUTO struct wr w = {0};
	struct grant g = {
	    .role = ROLE_ADMIN,
	    .subject = f->db1->pub,
	    .from = CREATED,
	    .until = UNTIL,
	};
	int rc;

	memcpy(g.store, f->root.store, sizeof(g.store));
	rc = grant_make(&g, f->master->seed.b, sizeof(f->master->seed.b), NULL,
	    f->master, &w, err);
	if (rc != 0)
		return rc;
	corpus_put(c, "grant-admin", &w);
	if ((rc = keyset_new("customers", &ks, err)) != 0)
		return rc;
	keyset_encode(ks, true, &keys);
	g.role = ROLE_READER;
	g.epoch = ks->epoch;
	memcpy(g.dataset, ks->dataset, sizeof(g.dataset));
	rc = grant_make(&g, keys.buf, keys.len, f->ada, NULL, &w, err);
	if (rc == 0)
		corpus_put(c, "grant-reader", &w);
	return rc;
}

/* What admins and the site say of a site. */
static int
put_sites(const struct corpus *c, const struct key_fixture *f, struct err *err)
{
	AUTO(identity) struct identity *key = NULL;
	struct site_request q = {.site = {.country = "GB",
				     .accreditation = "ISO/IEC 27001:2022",
				     .until = UNTIL}};
	struct statement st = {.address = "tls://dr:7710", .from = CREATED};
	struct policy p = {.from = CREATED, .n = 2, .countries = {"GB", "IE"}};
	struct receipt r = {.seq = 6480, .time = CREATED};
	uint8_t buf[RECEIPT_LEN];
	WR_AUTO struct wr text = {0};
	WR_AUTO struct wr w = {0};
	int rc;

	if ((rc = identity_new(IDENTITY_SITE, "dr", &key, err)) != 0 ||
	    (rc = site_request_make(&q, key, &w, err)) != 0)
		return rc;
	site_request_text(w.buf, w.len, &text);
	corpus_put(c, "site-request", &w);
	corpus_put(c, "site-request-text", &text);
	st.site = q.site;
	st.site.pub = key->pub;
	if ((rc = statement_make(&st, f->ada, NULL, &w, err)) != 0)
		return rc;
	corpus_put(c, "statement", &w);
	if ((rc = policy_make(&p, f->ada, NULL, &w, err)) != 0)
		return rc;
	corpus_put(c, "policy", &w);
	if ((rc = receipt_make(&r, key, buf, err)) != 0)
		return rc;
	wr_bytes(&w, buf, sizeof(buf));
	corpus_put(c, "receipt", &w);
	return 0;
}

int
corpus_keys(const struct corpus *c, struct err *err)
{
	void *state = NULL;
	const struct key_fixture *f;
	WR_AUTO struct wr w = {0};
	uint8_t buf[512];
	int rc;

	if (key_fixture_new(&state) != 0)
		return err_set(err, ERR_BUG, "the keys of the fixture");
	f = state;
	/* A person at the lowest cost, so that it can be opened quickly. */
	wr_bytes(&w, buf, hex(V_PERSON, buf));
	corpus_put(c, "person", &w);
	if ((rc = identity_encode(f->db1, NULL, &w, err)) == 0) {
		corpus_put(c, "host", &w);
		rc = put_store(c, f, err);
	}
	if (rc == 0)
		rc = put_grants(c, f, err);
	if (rc == 0)
		rc = put_sites(c, f, err);
	(void)key_fixture_free(&state);
	return rc;
}
