#include "snapshot/site/country.h"
#include "tests/unit/access_fixture.h"
#include "tests/unit/site_fixture.h"

#define PATH (SCRATCH_PATH + 64)
#define NOW START

/* A plan for a replica of alice's store, and its root object. */
struct plan {
	struct sitedir_plan p;
	uint8_t *root;
	char dir[PATH];
};

static void
plan_new(struct world *w, struct plan *out)
{
	struct object_ref ref = {.cls = OBJECT_ROOT};
	size_t len;

	*out = (struct plan){.p = site_plan("dr", NOW, -1)};
	(void)snprintf(out->dir, sizeof(out->dir), "%s/dr", w->dir);
	assert_ok(store_get(access_store(w->alice), &ref, ROOT_OBJECT_MAX,
	    &out->root, &len, &err));
	out->p.root = out->root;
	out->p.rootlen = len;
}

static void
plan_clear(struct plan *p)
{
	free(p->root);
}
#define PLAN_AUTO __attribute__((cleanup(plan_clear)))
#define MADE_AUTO __attribute__((cleanup(sitedir_made_clear)))

static bool
is_replica(const char *address)
{
	AUTO(store) struct store *s = NULL;
	char site[STORE_SITE_MAX];
	bool replica;

	assert_ok(store_open(address, &s, &err));
	assert_ok(store_replica(s, &replica, site, &err));
	if (replica)
		assert_string_equal(site, "dr");
	return replica;
}

static void
sitedir_init__makes_an_empty_replica(void **state)
{
	struct world *w = *state;
	PLAN_AUTO struct plan plan;
	MADE_AUTO struct sitedir_made made = {0};
	AUTO(sitedir) struct sitedir *d = NULL;
	struct site_request r;
	char path[PATH + 16];
	struct stat st;

	plan_new(w, &plan);
	assert_ok(sitedir_init(plan.dir, &plan.p, NOW, &made, &err));
	assert_true(made.replica && !made.renewed);
	assert_true(made.lock == SITEDB_LOCK_DEFAULT);
	assert_true(is_replica(plan.dir));
	assert_ok(site_request_parse(
	    (const char *)made.text.buf, made.text.len, &r, &err));
	assert_string_equal(r.site.pub.name, "dr");
	assert_memory_equal(
	    r.fingerprint, access_root(w->alice)->fingerprint, FINGERPRINT_LEN);

	assert_ok(sitedir_open(plan.dir, &d, &err));
	assert_memory_equal(
	    sitedir_key(d)->pub.id, r.site.pub.id, IDENTITY_ID_LEN);
	(void)snprintf(path, sizeof(path), "%s/site/key", plan.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* The lock is not the default's because its file has gone. */
static void
sitedir_open__makes_nothing_anew(void **state)
{
	struct world *w = *state;
	PLAN_AUTO struct plan plan;
	MADE_AUTO struct sitedir_made made = {0};
	AUTO(sitedir) struct sitedir *d = NULL;
	char path[2 * SCRATCH_PATH];

	plan_new(w, &plan);
	plan.p.lock = SITEDB_LOCK_MAX;
	assert_ok(sitedir_init(plan.dir, &plan.p, NOW, &made, &err));
	sitedir_made_clear(&made);
	(void)snprintf(path, sizeof(path), "%s/site/site.db", plan.dir);
	assert_int_equal(unlink(path), 0);
	assert_fails(ERR_CORRUPT, path, sitedir_open(plan.dir, &d, &err));
	plan.p.lock = -1;
	assert_fails(ERR_CORRUPT, "--lock",
	    sitedir_init(plan.dir, &plan.p, NOW, &made, &err));
	assert_fails(ERR_CORRUPT, path, sitedir_open(plan.dir, &d, &err));
	plan.p.lock = 5;
	assert_ok(sitedir_init(plan.dir, &plan.p, NOW, &made, &err));
	assert_true(made.renewed && made.lock == 5);
	assert_ok(sitedir_open(plan.dir, &d, &err));
}

static void
sitedir_adopt__takes_the_right_root_only(void **state)
{
	struct world *w = *state;
	PLAN_AUTO struct plan plan;
	MADE_AUTO struct sitedir_made made = {0};
	AUTO(sitedir) struct sitedir *d = NULL;
	AUTO(store) struct store *s = NULL;
	uint8_t wrong[FINGERPRINT_LEN] = {1};
	struct sitedir_plan p;

	plan_new(w, &plan);
	p = plan.p;
	p.root = NULL;
	p.fingerprint = access_root(w->alice)->fingerprint;
	assert_ok(sitedir_init(plan.dir, &p, NOW, &made, &err));
	assert_fails(
	    ERR_NOT_FOUND, "nothing was sent", store_open(plan.dir, &s, &err));
	assert_ok(sitedir_open(plan.dir, &d, &err));
	assert_ok(sitedir_adopt(d, plan.p.root, plan.p.rootlen, &s, &err));
	assert_true(is_replica(plan.dir));
	store_close(STEAL(s));
	sitedir_close(STEAL(d));
	sitedir_made_clear(&made);

	(void)strcat(plan.dir, "2");
	p.fingerprint = wrong;
	assert_ok(sitedir_init(plan.dir, &p, NOW, &made, &err));
	assert_ok(sitedir_open(plan.dir, &d, &err));
	assert_fails(ERR_AUTH, "another store",
	    sitedir_adopt(d, plan.p.root, plan.p.rootlen, &s, &err));
	assert_fails(
	    ERR_NOT_FOUND, "nothing was sent", store_open(plan.dir, &s, &err));
}

static void
sitedir_init__gives_a_primary_a_key(void **state)
{
	struct world *w = *state;
	PLAN_AUTO struct plan plan;
	MADE_AUTO struct sitedir_made made = {0};
	uint8_t wrong[FINGERPRINT_LEN] = {1};

	plan_new(w, &plan);
	plan.p.root = NULL;
	assert_ok(sitedir_init(w->path, &plan.p, NOW, &made, &err));
	assert_false(made.replica);
	assert_false(is_replica(w->path));
	assert_memory_equal(made.request.fingerprint,
	    access_root(w->alice)->fingerprint, FINGERPRINT_LEN);
	sitedir_made_clear(&made);
	plan.p.fingerprint = wrong;
	assert_fails(ERR_USAGE, "another store",
	    sitedir_init(w->path, &plan.p, NOW, &made, &err));
}

static void
sitedir_init__renews_a_request(void **state)
{
	struct world *w = *state;
	PLAN_AUTO struct plan plan;
	MADE_AUTO struct sitedir_made made = {0};
	struct sitedir_plan more = {.until = NOW + 5000, .lock = -1};
	uint8_t id[IDENTITY_ID_LEN];

	plan_new(w, &plan);
	assert_ok(sitedir_init(plan.dir, &plan.p, NOW, &made, &err));
	memcpy(id, made.request.site.pub.id, sizeof(id));
	sitedir_made_clear(&made);
	assert_ok(sitedir_init(plan.dir, &more, NOW, &made, &err));
	assert_true(made.renewed && made.replica);
	assert_memory_equal(made.request.site.pub.id, id, sizeof(id));
	assert_true(made.request.site.until == NOW + 5000);
	assert_string_equal(made.request.site.country, "GB");
	assert_true(made.lock == SITEDB_LOCK_DEFAULT);
	sitedir_made_clear(&made);
	more.name = "paris";
	assert_fails(ERR_USAGE, "can't be changed",
	    sitedir_init(plan.dir, &more, NOW, &made, &err));
	more.name = NULL;
	more.lock = 5;
	assert_fails(ERR_DENIED, "never shortened",
	    sitedir_init(plan.dir, &more, NOW, &made, &err));
	more.lock = 2 * SITEDB_LOCK_DEFAULT;
	assert_ok(sitedir_init(plan.dir, &more, NOW, &made, &err));
	assert_true(made.lock == 2 * SITEDB_LOCK_DEFAULT);
}

static void
sitedir_init__says_what_is_missing(void **state)
{
	static const struct {
		const char *part;
		struct sitedir_plan p;
	} bad[] = {
	    {"--site", {.country = "GB"}},
	    {"can't be a site's name", {.name = "a b"}},
	    {"--country", {.name = "dr"}},
	    {"did you mean GB", {.name = "dr", .country = "UK"}},
	    {"--accreditation", {.name = "dr", .country = "GB"}},
	    {"--until", {.name = "dr", .country = "GB", .accreditation = "x"}},
	    {"ended", {.name = "dr",
			  .country = "GB",
			  .accreditation = "x",
			  .until = NOW}},
	    {"for which store", {.name = "dr",
				    .country = "GB",
				    .accreditation = "x",
				    .until = NOW + 1}},
	};
	struct world *w = *state;
	char dir[PATH];

	(void)snprintf(dir, sizeof(dir), "%s/none", w->dir);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct sitedir_made made;

		assert_fails(ERR_USAGE, bad[i].part,
		    sitedir_init(dir, &bad[i].p, NOW, &made, &err));
		assert_false(scratch_exists(dir));
	}
}

static void
sitedir_init__wants_a_directory_to_itself(void **state)
{
	struct world *w = *state;
	PLAN_AUTO struct plan plan;
	MADE_AUTO struct sitedir_made made = {0};
	char path[PATH + 16];

	plan_new(w, &plan);
	assert_int_equal(mkdir(plan.dir, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/notes", plan.dir);
	scratch_write(path, "x", 1);
	assert_fails(ERR_USAGE, "not empty",
	    sitedir_init(plan.dir, &plan.p, NOW, &made, &err));
	assert_int_equal(unlink(path), 0);
	assert_ok(sitedir_init(plan.dir, &plan.p, NOW, &made, &err));
}

static void
access_init__leaves_a_waiting_site_alone(void **state)
{
	struct world *w = *state;
	PLAN_AUTO struct plan plan;
	MADE_AUTO struct sitedir_made made = {0};
	AUTO(access) struct access *a = NULL;
	AUTO(recovery) struct recovery *recovery = NULL;

	plan_new(w, &plan);
	plan.p.root = NULL;
	plan.p.fingerprint = access_root(w->alice)->fingerprint;
	assert_ok(sitedir_init(plan.dir, &plan.p, NOW, &made, &err));
	assert_fails(ERR_USAGE, "it is a site",
	    access_init(plan.dir, "eve", "pass", &a, &recovery, &err));
}

static void
sitedir_receipt__is_signed_by_the_site(void **state)
{
	static const uint8_t dataset[RECEIPT_DATASET_LEN] = {4};
	static const uint8_t head[RECEIPT_NAME_LEN] = {5};
	struct world *w = *state;
	const struct root *root = access_root(w->alice);
	PLAN_AUTO struct plan plan;
	MADE_AUTO struct sitedir_made made = {0};
	AUTO(sitedir) struct sitedir *d = NULL;
	uint8_t buf[RECEIPT_LEN];
	struct receipt r;

	plan_new(w, &plan);
	assert_ok(sitedir_init(plan.dir, &plan.p, NOW, &made, &err));
	assert_ok(sitedir_open(plan.dir, &d, &err));
	assert_ok(sitedir_receipt(
	    d, root->store, dataset, 7, head, NOW + 5, buf, &err));
	assert_ok(
	    receipt_decode(buf, sizeof(buf), &made.request.site.pub, &r, &err));
	assert_true(r.seq == 7 && r.time == NOW + 5);
	assert_memory_equal(r.store, root->store, STORE_ID_LEN);
	/* A clock that was set back doesn't date receipts back. */
	assert_ok(sitedir_receipt(
	    d, root->store, dataset, 8, head, NOW - 5000, buf, &err));
	assert_ok(
	    receipt_decode(buf, sizeof(buf), &made.request.site.pub, &r, &err));
	assert_true(r.time == NOW + 5);
}

/* --- the mark ----------------------------------------------------------- */

static void
store_lock__belongs_to_one_side(void **state)
{
	struct world *w = *state;
	static const uint8_t ds[STORE_DATASET_LEN] = {1};
	struct store *s = access_store(w->alice);
	struct store_lock *lock;

	assert_fails(ERR_DENIED, "is a primary",
	    store_lock_replica(s, ds, STORE_LOCK_APPEND, &lock, &err));
	assert_ok(store_lock_dataset(s, ds, STORE_LOCK_APPEND, &lock, &err));
	store_unlock(lock);
	assert_ok(store_set_replica(s, "dr", &err));
	assert_fails(ERR_DENIED, "varve promote",
	    store_lock_dataset(s, ds, STORE_LOCK_APPEND, &lock, &err));
	assert_fails(ERR_DENIED, "(site dr)", store_check_primary(s, &err));
	assert_ok(store_lock_replica(s, ds, STORE_LOCK_APPEND, &lock, &err));
	store_unlock(lock);
	/* Both again, twice. */
	assert_ok(store_set_replica(s, NULL, &err));
	assert_ok(store_set_replica(s, NULL, &err));
	assert_ok(store_lock_dataset(s, ds, STORE_LOCK_APPEND, &lock, &err));
	store_unlock(lock);
}

static void
access__adds_no_key_to_a_replica(void **state)
{
	static const char *const gb[] = {"GB"};
	struct world *w = *state;
	AUTO(identity) struct identity *host = world_host("h");
	const struct dataset *ds = world_dataset(w, "d");
	const struct dataset *none;

	assert_ok(store_set_replica(access_store(w->alice), "dr", &err));
	assert_fails(ERR_DENIED, "is a replica",
	    access_create_dataset(w->alice, "e", &none, &err));
	assert_fails(ERR_DENIED, "is a replica",
	    access_grant(
		w->alice, &host->pub, ROLE_WRITER, ds, INT64_MAX, &err));
	assert_fails(
	    ERR_DENIED, "is a replica", site_allow(w->alice, gb, 1, &err));
}

static void
country_check__knows_the_countries(void **state)
{
	(void)state;
	assert_ok(country_check("GB", &err));
	assert_ok(country_check("ZW", &err));
	assert_fails(ERR_USAGE, "did you mean GB", country_check("UK", &err));
	assert_fails(ERR_USAGE, "did you mean GB", country_check("gb", &err));
	assert_fails(ERR_USAGE, "'XX'", country_check("XX", &err));
	assert_fails(ERR_USAGE, "'GBR'", country_check("GBR", &err));
	assert_fails(ERR_USAGE, "''", country_check("", &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(sitedir_init__makes_an_empty_replica),
	    world_test(sitedir_open__makes_nothing_anew),
	    world_test(sitedir_adopt__takes_the_right_root_only),
	    world_test(sitedir_init__gives_a_primary_a_key),
	    world_test(sitedir_init__renews_a_request),
	    world_test(sitedir_init__says_what_is_missing),
	    world_test(sitedir_init__wants_a_directory_to_itself),
	    world_test(access_init__leaves_a_waiting_site_alone),
	    world_test(sitedir_receipt__is_signed_by_the_site),
	    world_test(store_lock__belongs_to_one_side),
	    world_test(access__adds_no_key_to_a_replica),
	    world_test(country_check__knows_the_countries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
