/* Damage in a store, and the depth that has to find it: snapshot/check/. */
#include "tests/unit/check_fixture.h"

#include "snapshot/log/when.h"

#include <time.h>

static int
setup(void **state)
{
	struct realm *r = realm_new();

	realm_fill(r);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	realm_free(*state);
	return 0;
}

/* --- what there is ------------------------------------------------------ */

static const enum check_depth depths[] = {
    CHECK_NO_KEYS, CHECK_STRUCTURE, CHECK_READ_DATA};

/* The directory of a dataset's objects: "datasets/ID/". */
static void
dataset_dir(const struct realm *r, const char *dataset, char out[64])
{
	const struct dataset *ds = access_find(r->admin, dataset);
	size_t len;

	assert_non_null(ds);
	strcpy(out, "datasets/");
	len = strlen(out);
	for (size_t i = 0; i < DATASET_ID_LEN; i++)
		(void)snprintf(out + len + 2 * i, 3, "%02x", ds->id[i]);
	strcat(out, "/");
}

static void
find_in(const struct realm *r, const char *dataset, const char *class,
    struct files *out)
{
	char part[128];

	dataset_dir(r, dataset, part);
	strcat(part, class);
	strcat(part, "/");
	files_find(r, part, out);
	assert_true(out->n > 0);
}

/* The largest pack of a kind of the dataset 'files'. */
static void
find_pack(const struct realm *r, int kind, char out[192])
{
	struct files packs;
	size_t best = 0;

	find_in(r, "files", "packs", &packs);
	for (size_t i = 0; i < packs.n; i++) {
		struct original o = original_take(r, packs.name[i]);

		if (o.buf[8] == kind && o.len > best) {
			best = o.len;
			strcpy(out, packs.name[i]);
		}
		free(o.buf);
	}
	assert_true(best > 0);
}

/* --- no damage ---------------------------------------------------------- */

static void
check_run__whole_store_has_no_damage(void **state)
{
	const struct realm *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		FINDINGS_AUTO struct findings f;

		check_realm(r, depths[i], &f);
		assert_clean(&f);
	}
}

static void
check_run__counts_what_it_looked_at(void **state)
{
	const struct realm *r = *state;
	FINDINGS_AUTO struct findings none = {0}, all = {0};
	struct files files;
	uint64_t bytes = 0;

	files_find(r, "", &files);
	for (size_t i = 0; i < files.n; i++) {
		struct original o = original_take(r, files.name[i]);

		bytes += o.len;
		free(o.buf);
	}
	check_realm(r, CHECK_NO_KEYS, &none);
	assert_int_equal(none.result.objects, files.n);
	assert_int_equal(none.result.bytes, bytes);
	assert_int_equal(none.result.snapshots, 0);
	assert_int_equal(none.result.entries, 0);

	check_realm(r, CHECK_READ_DATA, &all);
	assert_int_equal(all.result.snapshots, 3);
	/* 'many', and what is beside and below it, is looked at once ... */
	assert_true(all.result.entries > 600 * 2 + 30 + 9);
	/* ... though two snapshots have it. */
	assert_true(all.result.entries < 600 * 3);
	assert_true(all.result.chunks > 600);
}

/* As after a run that never came to its record. */
static void
check_run__what_no_record_needs_is_unreferenced(void **state)
{
	const struct realm *r = *state;
	AUTO(access) struct access *a = realm_open(r);
	struct check_options opt = {.depth = CHECK_READ_DATA};
	FINDINGS_AUTO struct findings both, one;
	struct files records;
	struct original o;

	check_realm(r, CHECK_READ_DATA, &both);
	assert_int_equal(both.result.unreferenced, 0);
	find_in(r, "files", "log", &records);
	o = original_take(r, records.name[1]);
	original_remove(&o);
	check_with(a, NULL, &opt, &one);
	original_put(&o);
	assert_clean(&one);
	/* A pack of data, one of pages, and their index. */
	assert_int_equal(one.result.unreferenced, 3);
}

static void
check_run__progress_ends_at_its_total(void **state)
{
	const struct realm *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		AUTO(access) struct access *a = realm_open(r);
		FINDINGS_AUTO struct findings f;
		struct check_progress p = {0};
		struct check_options opt = {.depth = depths[i], .progress = &p};

		check_with(a, r->heads, &opt, &f);
		assert_clean(&f);
		assert_int_equal(atomic_load(&p.objects), f.result.objects);
		assert_int_equal(atomic_load(&p.bytes), f.result.bytes);
		assert_int_equal(atomic_load(&p.total), f.result.bytes);
	}
}

static void
check_run__stops_when_asked(void **state)
{
	const struct realm *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		AUTO(access) struct access *a = realm_open(r);
		atomic_bool stop = true;
		struct check_options opt = {.depth = depths[i], .stop = &stop};
		struct check_result result;
		struct err err;

		assert_int_equal(
		    check_run(a, r->heads, &opt, &result, &err), ERR_CANCELLED);
		assert_int_equal(err.code, ERR_CANCELLED);
		assert_int_equal(result.damaged, 0);
	}
}

static void
check_run__knows_no_such_dataset(void **state)
{
	const struct realm *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		struct check_options opt = {
		    .depth = depths[i], .dataset = "nobody"};
		struct check_result result;
		struct err err;

		assert_int_equal(
		    check_run(r->admin, r->heads, &opt, &result, &err),
		    ERR_NOT_FOUND);
	}
}

/* --- a byte ------------------------------------------------------------- */

/* Where to turn a byte: the beginnings of an object's parts, and in between. */
static size_t
offset_of(size_t i, size_t len)
{
	static const size_t first[] = {0, 4, 6, 8, 25, 41, 72, 90, 100, 130};
	size_t back;

	if (i < ARRAY_LEN(first))
		return first[i] < len ? first[i] : len / 2;
	back = i - ARRAY_LEN(first);
	if (back < 3)
		return len - 1 - 9 * back < len ? len - 1 - 9 * back : 0;
	return (size_t)((i * UINT64_C(0x9e3779b97f4a7c15)) % len);
}
#define OFFSETS 17

static void
check_run__finds_any_byte_without_keys(void **state)
{
	const struct realm *r = *state;
	struct files files;

	files_find(r, "/", &files); /* all but the root */
	assert_true(files.n > 10);
	for (size_t i = 0; i < files.n; i++) {
		struct original o = original_take(r, files.name[i]);

		for (size_t j = 0; j < OFFSETS; j++) {
			FINDINGS_AUTO struct findings f;

			original_flip(&o, offset_of(j, o.len));
			check_realm(r, CHECK_NO_KEYS, &f);
			assert_only(&f, files.name[i]);
			assert_int_equal(f.n, 1);
		}
		original_put(&o);
	}
}

/* What structure needs is found by structure. */
static void
check_run__finds_a_byte_of_logs_and_indexes(void **state)
{
	static const char *const classes[] = {"log", "index"};
	const struct realm *r = *state;

	for (size_t i = 0; i < 2 * ARRAY_LEN(classes); i++) {
		struct files files;
		struct original o;

		find_in(r, "files", classes[i / 2], &files);
		assert_int_equal(files.n, 2);
		o = original_take(r, files.name[i % 2]);
		for (size_t j = 0; j < OFFSETS; j++) {
			FINDINGS_AUTO struct findings f;

			original_flip(&o, offset_of(j, o.len));
			check_realm(r, CHECK_STRUCTURE, &f);
			assert_only(&f, files.name[i % 2]);
			assert_true(found(&f, files.name[i % 2], ""));
		}
		original_put(&o);
	}
}

/* The object at the address has changed under who has it open. */
static void
check_run__finds_a_byte_of_the_root(void **state)
{
	const struct realm *r = *state;
	struct original o = original_take(r, "varve");

	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		AUTO(access) struct access *a = realm_open(r);
		struct check_options opt = {.depth = depths[i]};
		FINDINGS_AUTO struct findings f;

		original_flip(&o, o.len / 2);
		check_with(a, r->heads, &opt, &f);
		scratch_write(o.path, o.buf, o.len);
		assert_only(&f, "varve");
	}
	original_put(&o);
}

/* --- what it affects ---------------------------------------------------- */

/* That a check's findings are the truth about a snapshot's files. */
static void
assert_truth(const struct realm *r, const struct findings *f, const char *pack,
    size_t snapshot, const char *label)
{
	LOSSES_AUTO struct losses l;
	size_t told = 0;

	losses_find(r, "files", snapshot, &l);
	for (size_t i = 0; i < l.n; i++) {
		char path[SCRATCH_PATH];

		(void)snprintf(path, sizeof(path), "%s%s", label, l.paths[i]);
		if (!found(f, pack, path))
			fail_msg("'%s' was not found", path);
	}
	for (size_t i = 0; i < f->n; i++)
		told += strncmp(f->v[i].affects, label, strlen(label)) == 0;
	/* Behind a damaged page there may be more than a reader gets to see. */
	if (!l.dirs)
		assert_int_equal(told, l.n);
}

/* An older snapshot that has damaged things in common is named, too. */
static void
assert_older(const struct realm *r, const struct findings *f)
{
	LOSSES_AUTO struct losses l;
	size_t told = 0;

	losses_find(r, "files", 0, &l);
	for (size_t i = 0; i < f->n; i++)
		told += strncmp(f->v[i].affects, FIRST_LABEL,
			    strlen(FIRST_LABEL)) == 0;
	assert_int_equal(told > 0, l.n > 0);
}

static void
check_run__names_the_files_that_a_pack_damages(void **state)
{
	const struct realm *r = *state;
	char pack[192];

	for (int kind = PACK_DATA; kind <= PACK_META; kind++) {
		struct original o;

		find_pack(r, kind, pack);
		o = original_take(r, pack);
		for (size_t j = 0; j < OFFSETS + 10; j++) {
			FINDINGS_AUTO struct findings f;

			original_flip(&o, offset_of(j, o.len));
			check_realm(r, CHECK_READ_DATA, &f);
			assert_only(&f, pack);
			assert_true(found(&f, pack, ""));
			assert_truth(r, &f, pack, 1, SECOND_LABEL);
			assert_older(r, &f);
		}
		original_put(&o);
	}
}

static void
check_run__structure_finds_damaged_pages(void **state)
{
	const struct realm *r = *state;
	FINDINGS_AUTO struct findings f;
	struct original o;
	char pack[192];

	find_pack(r, PACK_META, pack);
	o = original_take(r, pack);
	original_flip(&o, PACK_HEADER_LEN + 20);
	check_realm(r, CHECK_STRUCTURE, &f);
	assert_only(&f, pack);
	assert_truth(r, &f, pack, 1, SECOND_LABEL);
	assert_older(r, &f);
	original_put(&o);
}

/* Structure does not read data; that is what the other depths are for. */
static void
check_run__structure_leaves_data_unread(void **state)
{
	const struct realm *r = *state;
	FINDINGS_AUTO struct findings f;
	struct original o;
	char pack[192];

	find_pack(r, PACK_DATA, pack);
	o = original_take(r, pack);
	original_flip(&o, PACK_HEADER_LEN + 20);
	check_realm(r, CHECK_STRUCTURE, &f);
	assert_clean(&f);
	original_put(&o);
}

/* --- less of it --------------------------------------------------------- */

static void
check_run__finds_truncated_objects(void **state)
{
	const struct realm *r = *state;
	struct files files;

	files_find(r, "/", &files);
	for (size_t i = 0; i < files.n; i++) {
		struct original o = original_take(r, files.name[i]);
		const size_t lens[] = {0, 1, 100, o.len / 2, o.len - 1};

		for (size_t j = 0; j < ARRAY_LEN(lens); j++) {
			FINDINGS_AUTO struct findings f;

			original_cut(&o, lens[j]);
			check_realm(r, CHECK_NO_KEYS, &f);
			assert_only(&f, files.name[i]);
		}
		original_put(&o);
	}
}

static void
check_run__finds_truncated_packs_by_their_size(void **state)
{
	const struct realm *r = *state;
	char pack[192];

	for (int kind = PACK_DATA; kind <= PACK_META; kind++) {
		struct original o;

		find_pack(r, kind, pack);
		o = original_take(r, pack);
		for (size_t j = 0; j <= o.len; j += o.len / 4 + 1) {
			FINDINGS_AUTO struct findings f;

			original_cut(&o, j);
			check_realm(r, CHECK_STRUCTURE, &f);
			assert_only(&f, pack);
			assert_true(found_what(&f, pack, " are listed"));
			assert_truth(r, &f, pack, 1, SECOND_LABEL);
		}
		original_put(&o);
	}
}

static void
check_run__finds_missing_packs(void **state)
{
	const struct realm *r = *state;
	struct files packs;

	find_in(r, "files", "packs", &packs);
	for (size_t i = 0; i < packs.n; i++) {
		struct original o = original_take(r, packs.name[i]);

		original_remove(&o);
		for (size_t j = 1; j < ARRAY_LEN(depths); j++) {
			FINDINGS_AUTO struct findings f;

			check_realm(r, depths[j], &f);
			assert_only(&f, packs.name[i]);
			assert_true(found_what(&f, packs.name[i], "missing"));
			assert_truth(r, &f, packs.name[i], 1, SECOND_LABEL);
			assert_older(r, &f);
		}
		original_put(&o);
	}
}

/* The indexes say in the clear which there are. */
static void
check_run__finds_missing_packs_without_keys(void **state)
{
	const struct realm *r = *state;
	struct files packs;

	find_in(r, "files", "packs", &packs);
	for (size_t i = 0; i < packs.n; i++) {
		FINDINGS_AUTO struct findings f;
		struct original o = original_take(r, packs.name[i]);

		original_remove(&o);
		check_realm(r, CHECK_NO_KEYS, &f);
		assert_only(&f, packs.name[i]);
		assert_int_equal(f.n, 1);
		assert_true(found_what(&f, packs.name[i], "missing"));
		original_put(&o);
	}
}

static void
check_run__finds_a_missing_index(void **state)
{
	const struct realm *r = *state;
	struct files indexes;

	find_in(r, "files", "index", &indexes);
	assert_int_equal(indexes.n, 2);
	for (size_t i = 0; i < indexes.n; i++) {
		FINDINGS_AUTO struct findings f;
		struct original o = original_take(r, indexes.name[i]);

		original_remove(&o);
		check_realm(r, CHECK_STRUCTURE, &f);
		assert_only(&f, indexes.name[i]);
		assert_true(found(&f, indexes.name[i], ""));
		assert_truth(r, &f, indexes.name[i], 1, SECOND_LABEL);
		assert_older(r, &f);
		/* What nothing seems to need is not called harmless now. */
		assert_int_equal(f.result.unreferenced, 0);
		original_put(&o);
	}
}

static void
check_run__finds_missing_records(void **state)
{
	const struct realm *r = *state;
	struct files records;

	find_in(r, "files", "log", &records);
	assert_int_equal(records.n, 2);
	for (size_t i = 0; i < records.n; i++) {
		struct original o = original_take(r, records.name[i]);

		original_remove(&o);
		for (size_t j = 0; j < ARRAY_LEN(depths); j++) {
			FINDINGS_AUTO struct findings f;

			check_realm(r, depths[j], &f);
			assert_only(&f, records.name[i]);
			assert_int_equal(f.n, 1);
			assert_true(found_what(&f, records.name[i], "missing"));
		}
		original_put(&o);
	}
}

/* Who has not seen it can't know that there was one more. */
static void
check_run__missing_head_needs_a_memory(void **state)
{
	const struct realm *r = *state;
	AUTO(access) struct access *a = NULL;
	struct check_options opt = {.depth = CHECK_NO_KEYS};
	FINDINGS_AUTO struct findings f;
	struct files records;
	struct original o;

	find_in(r, "files", "log", &records);
	o = original_take(r, records.name[1]);
	original_remove(&o);
	assert_ok(access_open_keyless(r->store, &a, &err));
	check_with(a, NULL, &opt, &f);
	assert_clean(&f);
	original_put(&o);
}

/* --- something else in its place ---------------------------------------- */

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

		find_in(r, "files", classes[i], &files);
		find_in(r, "other", classes[i], &others);
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

		find_in(r, "other", classes[i], &theirs);
		dataset_dir(r, "files", as);
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
plant_record(const struct realm *r, const struct identity *signer, uint64_t seq,
    size_t prev, int hours, char object[OBJECT_REF_TEXT])
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
	assert_ok(record_encode(
	    &record, &lists, keyring_latest(ds->keys), signer, &w, &err));
	memcpy(ref.dataset, ds->id, DATASET_ID_LEN);
	assert_ok(store_put(access_store(r->admin), &ref, w.buf, w.len, &err));
	object_ref_text(&ref, object);
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

static void
check_run__finds_a_fork(void **state)
{
	const struct realm *r = *state;
	struct files records;
	char object[OBJECT_REF_TEXT];

	find_in(r, "files", "log", &records);
	plant_record(r, access_identity(r->admin), 2, 1, 5, object);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		FINDINGS_AUTO struct findings f;

		check_realm(r, depths[i], &f);
		assert_int_equal(f.n, 1);
		assert_true(
		    found_what(&f, object, "a second record 2") ||
		    found_what(&f, records.name[1], "a second record 2"));
	}
	unplant(r, object);
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

	find_in(r, "files", "packs", &packs);
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

/* --- who looks ---------------------------------------------------------- */

static struct access *
open_as_writer(const struct realm *r)
{
	AUTO(identity) struct identity *host = NULL;
	const struct dataset *ds = access_find(r->admin, "files");
	struct access *a = NULL;
	char path[2 * SCRATCH_PATH];
	struct credential cred = {.keyfile = path};

	assert_ok(identity_new(IDENTITY_HOST, "db1", &host, &err));
	assert_ok(access_grant(
	    r->admin, &host->pub, ROLE_WRITER, ds, INT64_MAX, &err));
	(void)snprintf(path, sizeof(path), "%s/host.key", r->dir);
	(void)unlink(path);
	assert_ok(access_write_keyfile(host, path, &err));
	assert_ok(access_open(r->store, &cred, &a, &err));
	return a;
}

static void
check_run__writer_checks_what_it_can_open(void **state)
{
	const struct realm *r = *state;
	AUTO(access) struct access *a = open_as_writer(r);
	struct check_options opt = {.depth = CHECK_STRUCTURE};
	FINDINGS_AUTO struct findings whole, gone, bytes;
	struct original o;
	char pack[192];

	assert_int_equal(access_datasets(a), 1);
	check_with(a, r->heads, &opt, &whole);
	assert_clean(&whole);
	assert_true(whole.result.chunks > 600);
	assert_int_equal(whole.result.snapshots, 0);

	find_pack(r, PACK_DATA, pack);
	o = original_take(r, pack);
	original_remove(&o);
	check_with(a, r->heads, &opt, &gone);
	assert_only(&gone, pack);
	assert_int_equal(gone.n, 1);

	original_flip(&o, o.len / 2);
	opt.depth = CHECK_READ_DATA;
	check_with(a, r->heads, &opt, &bytes);
	assert_only(&bytes, pack);
	assert_int_equal(bytes.n, 1);
	original_put(&o);
}

/* The name of a snapshot in a finding is one that restoring takes. */
static void
check_run__names_snapshots_as_people_do(void **state)
{
	const struct realm *r = *state;
	AUTO(log) struct log *log = NULL;
	const struct snapshot *s = NULL;
	const char *time = strchr(SECOND_LABEL, '@') + 1;
	char text[64];

	(void)snprintf(text, sizeof(text), "%.*s", (int)strlen(time) - 2, time);
	assert_ok(log_load(
	    r->admin, access_find(r->admin, "files"), NULL, &log, &err));
	assert_ok(when_select(log, text, (struct moment){0}, &s, &err));
	assert_ptr_equal(s, log_head(log));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_run__whole_store_has_no_damage),
	    cmocka_unit_test(check_run__counts_what_it_looked_at),
	    cmocka_unit_test(check_run__what_no_record_needs_is_unreferenced),
	    cmocka_unit_test(check_run__progress_ends_at_its_total),
	    cmocka_unit_test(check_run__stops_when_asked),
	    cmocka_unit_test(check_run__knows_no_such_dataset),
	    cmocka_unit_test(check_run__finds_any_byte_without_keys),
	    cmocka_unit_test(check_run__finds_a_byte_of_logs_and_indexes),
	    cmocka_unit_test(check_run__finds_a_byte_of_the_root),
	    cmocka_unit_test(check_run__names_the_files_that_a_pack_damages),
	    cmocka_unit_test(check_run__structure_finds_damaged_pages),
	    cmocka_unit_test(check_run__structure_leaves_data_unread),
	    cmocka_unit_test(check_run__finds_truncated_objects),
	    cmocka_unit_test(check_run__finds_truncated_packs_by_their_size),
	    cmocka_unit_test(check_run__finds_missing_packs),
	    cmocka_unit_test(check_run__finds_missing_packs_without_keys),
	    cmocka_unit_test(check_run__finds_a_missing_index),
	    cmocka_unit_test(check_run__finds_missing_records),
	    cmocka_unit_test(check_run__missing_head_needs_a_memory),
	    cmocka_unit_test(check_run__finds_swapped_objects),
	    cmocka_unit_test(check_run__finds_objects_of_another_dataset),
	    cmocka_unit_test(check_run__finds_objects_of_another_store),
	    cmocka_unit_test(check_run__finds_records_of_who_may_not_write),
	    cmocka_unit_test(check_run__accepts_records_of_writers),
	    cmocka_unit_test(check_run__finds_a_fork),
	    cmocka_unit_test(check_run__finds_a_record_after_another_one),
	    cmocka_unit_test(check_run__finds_two_snapshots_of_one_time),
	    cmocka_unit_test(check_run__damage_of_one_dataset_is_not_anothers),
	    cmocka_unit_test(check_run__names_snapshots_as_people_do),
	    cmocka_unit_test(check_run__writer_checks_what_it_can_open),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
