/* Objects in the place of others, which checks have to find out. */
#include "tests/unit/check_fixture.h"

#include <time.h>

static void
swap(const struct realm *r, const char *a, const char *b)
{
	struct original x = original_take(r, a);
	struct original y = original_take(r, b);

	scratch_write(x.path, y.buf, y.len);
	scratch_write(y.path, x.buf, x.len);
	free(x.buf);
	free(y.buf);
}

static void
check_run__finds_swapped_objects(void **state)
{
	static const char *const classes[] = {"log", "index", "packs"};
	const struct realm *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		FINDINGS_AUTO struct findings bytes, inside;
		struct files files, others;

		files_find_class(r, "files", classes[i], &files);
		files_find_class(r, "other", classes[i], &others);
		swap(r, files.name[0], others.name[0]);
		check_realm(r, CHECK_NO_KEYS, &bytes);
		check_realm(r, CHECK_READ_DATA, &inside);
		swap(r, files.name[0], others.name[0]);
		assert_int_equal(bytes.n, 2);
		assert_true(found(&bytes, files.name[0], ""));
		assert_true(found(&bytes, others.name[0], ""));
		assert_true(found(&inside, others.name[0], NULL));
	}
}

/* Copy an object of another store or dataset. */
static void
plant(const struct realm *from, const char *object, const struct realm *to,
    const char *as)
{
	struct original o = original_take(from, object);
	char path[3 * SCRATCH_PATH], *slash;

	(void)snprintf(path, sizeof(path), "%s/%s", to->store, as);
	slash = strrchr(path, '/');
	*slash = '\0';
	(void)mkdir(path, 0755);
	*slash = '/';
	scratch_write(path, o.buf, o.len);
	free(o.buf);
}

static void
unplant(const struct realm *r, const char *object)
{
	char path[3 * SCRATCH_PATH];

	(void)snprintf(path, sizeof(path), "%s/%s", r->store, object);
	assert_int_equal(unlink(path), 0);
}

static void
check_run__finds_objects_of_another_dataset(void **state)
{
	static const char *const classes[] = {"log", "index", "packs"};
	const struct realm *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		FINDINGS_AUTO struct findings f;
		struct files theirs;
		char as[256];

		files_find_class(r, "other", classes[i], &theirs);
		files_dataset_dir(r, "files", as);
		strcat(
		    as, strchr(theirs.name[0] + strlen("datasets/"), '/') + 1);
		plant(r, theirs.name[0], r, as);
		check_realm(r, CHECK_NO_KEYS, &f);
		unplant(r, as);
		assert_only(&f, as);
		assert_int_equal(f.n, 1);
		assert_true(found_what(&f, as,
		    strcmp(classes[i], "log") == 0 ? "another dataset"
						   : "another dataset's"));
	}
}

/* Only the snapshot in whose record's place it lies is lost. */
static void
check_run__looks_behind_a_record_of_another_dataset(void **state)
{
	const struct realm *r = *state;
	struct files mine, theirs;
	struct original o;
	char as[256];

	files_find_class(r, "files", "log", &mine);
	files_find_class(r, "other", "log", &theirs);
	files_dataset_dir(r, "files", as);
	strcat(as, strchr(theirs.name[0] + strlen("datasets/"), '/') + 1);
	plant(r, theirs.name[0], r, as);
	o = original_take(r, mine.name[0]);
	unplant(r, mine.name[0]);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		FINDINGS_AUTO struct findings f;

		check_realm(r, depths[i], &f);
		assert_only(&f, as);
		assert_int_equal(f.n, 1);
		if (depths[i] != CHECK_NO_KEYS)
			assert_int_equal(f.result.snapshots, 2);
	}
	unplant(r, as);
	original_put(&o);
}

static void
check_run__finds_objects_of_another_store(void **state)
{
	const struct realm *r = *state;
	struct realm *foreign = realm_new();
	struct files keys;

	files_find(foreign, "keys/", &keys);
	assert_int_equal(keys.n, 3);
	for (size_t i = 0; i < keys.n; i++) {
		FINDINGS_AUTO struct findings f;
		struct original o = original_take(foreign, keys.name[i]);
		bool person = o.buf[3] == 'n';

		plant(foreign, keys.name[i], r, keys.name[i]);
		check_realm(r, CHECK_NO_KEYS, &f);
		unplant(r, keys.name[i]);
		/* A person is no store's own. */
		if (person)
			assert_clean(&f);
		else
			assert_only(&f, keys.name[i]);
		free(o.buf);
	}
	realm_free(foreign);
}

/* The newest record once more, to follow record ${prev}, signed by somebody. */
static void
plant_record_under(const struct realm *r, const struct keyset *ks,
    const struct identity *signer, uint64_t seq, size_t prev, int hours,
    char object[OBJECT_REF_TEXT])
{
	const struct dataset *ds = access_find(r->admin, "files");
	AUTO(log) struct log *log = NULL;
	WR_AUTO struct wr w = {0};
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = seq};
	struct record_lists lists = {0};
	struct snapshot s;
	struct record record = {
	    .head = {.type = RECORD_SNAPSHOT, .seq = seq},
	    .snapshot = &s,
	};

	assert_ok(log_load(r->admin, ds, NULL, &log, &err));
	s = *log_head(log);
	s.time.s = FIRST_TIME + hours * 3600;
	s.end.s = time(NULL);
	memcpy(record.head.dataset, ds->id, DATASET_ID_LEN);
	memcpy(
	    record.head.prev, log_snapshot(log, prev - 1)->id, OBJECT_NAME_LEN);
	lists.indexes = log_indexes(log, &lists.nindexes);
	assert_ok(record_encode(&record, &lists, ks, signer, &w, &err));
	memcpy(ref.dataset, ds->id, DATASET_ID_LEN);
	assert_ok(store_put(access_store(r->admin), &ref, w.buf, w.len, &err));
	object_ref_text(&ref, object);
}

static void
plant_record(const struct realm *r, const struct identity *signer, uint64_t seq,
    size_t prev, int hours, char object[OBJECT_REF_TEXT])
{
	const struct dataset *ds = access_find(r->admin, "files");

	plant_record_under(
	    r, keyring_latest(ds->keys), signer, seq, prev, hours, object);
}

/* Its writer made up an epoch, or the key set is lost: an admin has them all. */
static void
check_run__finds_records_that_no_key_set_opens(void **state)
{
	const struct realm *r = *state;
	const struct dataset *ds = access_find(r->admin, "files");
	AUTO(keyset) struct keyset *next = NULL;
	char object[OBJECT_REF_TEXT];

	assert_ok(keyset_next(keyring_latest(ds->keys), &next, &err));
	plant_record_under(r, next, access_identity(r->admin), 3, 2, 5, object);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		struct check_options opt = {.depth = depths[i]};
		FINDINGS_AUTO struct findings f;

		check_with(r->admin, NULL, &opt, &f);
		if (depths[i] == CHECK_NO_KEYS) {
			assert_clean(&f);
			continue;
		}
		assert_only(&f, object);
		assert_int_equal(f.n, 1);
		assert_true(found_what(
		    &f, object, "epoch 2, of which the store has no key set"));
	}
	unplant(r, object);
}

static void
check_run__finds_records_of_who_may_not_write(void **state)
{
	const struct realm *r = *state;
	AUTO(identity) struct identity *nobody = NULL;
	char object[OBJECT_REF_TEXT];

	assert_ok(identity_new(IDENTITY_HOST, "nobody", &nobody, &err));
	plant_record(r, nobody, 3, 2, 5, object);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		FINDINGS_AUTO struct findings f;

		check_realm(r, depths[i], &f);
		assert_only(&f, object);
		assert_int_equal(f.n, 1);
		assert_true(found_what(&f, object, "was not granted"));
	}
	unplant(r, object);
}

static void
check_run__accepts_records_of_writers(void **state)
{
	const struct realm *r = *state;
	AUTO(identity) struct identity *host = NULL;
	char object[OBJECT_REF_TEXT];

	assert_ok(identity_new(IDENTITY_HOST, "db2", &host, &err));
	assert_ok(access_grant(r->admin, &host->pub, ROLE_WRITER,
	    access_find(r->admin, "files"), INT64_MAX, &err));
	plant_record(r, host, 3, 2, 5, object);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		AUTO(access) struct access *a = realm_open(r);
		struct check_options opt = {.depth = depths[i]};
		FINDINGS_AUTO struct findings f;

		check_with(a, NULL, &opt, &f);
		assert_clean(&f);
	}
	unplant(r, object);
}

/* Of the two, the one that this machine has seen is the first, whatever its name. */
static void
check_run__finds_a_fork(void **state)
{
	const struct realm *r = *state;
	char object[OBJECT_REF_TEXT];

	for (int hours = 5; hours < 10; hours++) {
		plant_record(r, access_identity(r->admin), 2, 1, hours, object);
		for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
			FINDINGS_AUTO struct findings f;

			check_realm(r, depths[i], &f);
			assert_int_equal(f.n, 1);
			assert_true(
			    found_what(&f, object, "a second record 2"));
		}
		unplant(r, object);
	}
}

/* Where none was seen: it can't be told which is the first, and both lead on. */
static void
check_run__finds_a_fork_before_the_end(void **state)
{
	const struct realm *r = *state;
	char fork[OBJECT_REF_TEXT], next[OBJECT_REF_TEXT];

	for (int hours = 5; hours < 10; hours++) {
		struct files records;

		files_find_class(r, "files", "log", &records);
		plant_record(r, access_identity(r->admin), 3, 2, 20, next);
		plant_record(r, access_identity(r->admin), 2, 1, hours, fork);
		for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
			AUTO(access) struct access *a = realm_open(r);
			struct check_options opt = {.depth = depths[i]};
			FINDINGS_AUTO struct findings f;

			check_with(a, NULL, &opt, &f);
			assert_int_equal(f.n, 1);
			assert_true(found_what(&f, fork, "a second record 2") ||
				    found_what(&f, records.name[1],
					"a second record 2"));
		}
		unplant(r, fork);
		unplant(r, next);
	}
}

static void
check_run__finds_a_record_after_another_one(void **state)
{
	const struct realm *r = *state;
	char object[OBJECT_REF_TEXT];

	plant_record(r, access_identity(r->admin), 3, 1, 5, object);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		FINDINGS_AUTO struct findings f;

		check_realm(r, depths[i], &f);
		assert_only(&f, object);
		assert_int_equal(f.n, 1);
		assert_true(found_what(&f, object, "does not follow"));
	}
	unplant(r, object);
}

/* Each of the records is sound; but people could not tell them apart. */
static void
check_run__finds_two_snapshots_of_one_time(void **state)
{
	const struct realm *r = *state;
	FINDINGS_AUTO struct findings f;
	char object[OBJECT_REF_TEXT];

	plant_record(r, access_identity(r->admin), 3, 2, 1, object);
	check_realm(r, CHECK_STRUCTURE, &f);
	unplant(r, object);
	*strrchr(object, '/') = '\0';
	assert_only(&f, object);
	assert_true(found_what(&f, object, "the same time"));
}

static void
check_run__damage_of_one_dataset_is_not_anothers(void **state)
{
	const struct realm *r = *state;
	struct files packs;
	struct original o;

	files_find_class(r, "files", "packs", &packs);
	o = original_take(r, packs.name[0]);
	original_flip(&o, o.len / 3);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		AUTO(access) struct access *a = realm_open(r);
		FINDINGS_AUTO struct findings f;
		struct check_options opt = {
		    .depth = depths[i], .dataset = "other"};

		check_with(a, r->heads, &opt, &f);
		assert_clean(&f);
		findings_clear(&f);
		opt.dataset = "files";
		opt.depth = CHECK_READ_DATA;
		check_with(a, r->heads, &opt, &f);
		assert_only(&f, packs.name[0]);
	}
	original_put(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_run__finds_swapped_objects),
	    cmocka_unit_test(check_run__finds_objects_of_another_dataset),
	    cmocka_unit_test(
		check_run__looks_behind_a_record_of_another_dataset),
	    cmocka_unit_test(check_run__finds_objects_of_another_store),
	    cmocka_unit_test(check_run__finds_records_that_no_key_set_opens),
	    cmocka_unit_test(check_run__finds_records_of_who_may_not_write),
	    cmocka_unit_test(check_run__accepts_records_of_writers),
	    cmocka_unit_test(check_run__finds_a_fork),
	    cmocka_unit_test(check_run__finds_a_fork_before_the_end),
	    cmocka_unit_test(check_run__finds_a_record_after_another_one),
	    cmocka_unit_test(check_run__finds_two_snapshots_of_one_time),
	    cmocka_unit_test(check_run__damage_of_one_dataset_is_not_anothers),
	};

	return cmocka_run_group_tests(
	    tests, realm_group_setup, realm_group_teardown);
}
