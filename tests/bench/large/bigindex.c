/*
 * Give a dataset an index of many chunks: bigindex STORE DATASET CHUNKS
 *
 * DATASET of STORE, whose admin's passphrase is 'bench', has a snapshot
 * already. CHUNKS made-up chunks, 6 to a segment of 256 KiB and 128 segments
 * to a pack, get indexes as a run writes them, a quarter of a million in each,
 * joined as at its end; a copy of the newest record names the result. The packs
 * are files of the right size, and empty. Prints what the index takes, and how
 * fast chunks are looked up in it.
 */
#include "snapshot/access/access_internal.h"
#include "snapshot/content/chunks.h"
#include "snapshot/log/log.h"
#include "tests/bench/large/mix.h"
#include "tests/bench/large/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define IN_A_SEGMENT 6
#define SEGMENTS 128
#define SEALED (256 * 1024 - 1024)
#define IN_A_RUN (256 * 1024)
#define LOOKUPS 200000

static void
fail(const char *what, const struct err *err)
{
	(void)fprintf(stderr, "bigindex: %s: %s\n", what,
	    err != NULL ? err->text : strerror(errno));
	exit(1);
}

/* Of this process's work: what else the machine does is left out. */
static double
seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
name_of(uint64_t i, uint8_t out[32])
{
	for (unsigned k = 0; k < 4; k++) {
		uint64_t v = mix(4 * i + k);

		memcpy(out + 8 * k, &v, 8);
	}
}

/* --- making ------------------------------------------------------------- */

/* A file of the pack's size, so that a backup finds it there. */
static void
make_pack(struct store *store, const struct object_ref *ref, uint64_t size)
{
	char text[OBJECT_REF_TEXT], path[8192], *slash;
	int fd;

	object_ref_text(ref, text);
	(void)snprintf(path, sizeof(path), "%s/%s", store_path(store), text);
	slash = strrchr(path, '/');
	*slash = '\0';
	(void)mkdir(path, 0777);
	*slash = '/';
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	if (fd < 0 || ftruncate(fd, (off_t)size) != 0 || close(fd) != 0)
		fail(path, NULL);
}

static void
add_pack(struct store *store, struct index_builder *b, uint64_t first,
    uint64_t end, const uint8_t dataset[DATASET_ID_LEN])
{
	struct segment_place places[SEGMENTS];
	struct object_ref ref = {.cls = OBJECT_PACK};
	size_t n = (size_t)(end - first + IN_A_SEGMENT - 1) / IN_A_SEGMENT;
	uint64_t size = pack_padded(PACK_HEADER_LEN + n * SEALED + 4096);
	struct err err;
	uint32_t pack;

	memcpy(ref.dataset, dataset, sizeof(ref.dataset));
	name_of(first + (UINT64_C(1) << 60), ref.name);
	for (size_t i = 0; i < n; i++)
		places[i] = (struct segment_place){(uint32_t)i,
		    (uint32_t)(PACK_HEADER_LEN + i * SEALED), SEALED};
	if (index_builder_pack(
		b, &ref, size, PACK_DATA, places, n, &pack, &err) != 0)
		fail("pack", &err);
	for (uint64_t i = first; i < end; i++) {
		struct chunk_name name;

		name_of(i, name.b);
		if (index_builder_chunk(b, &name, pack,
			(uint32_t)((i - first) / IN_A_SEGMENT), &err) != 0)
			fail("chunk", &err);
	}
	make_pack(store, &ref, size);
}

static struct index *
make_run(
    struct store *store, const struct dataset *ds, uint64_t first, uint64_t end)
{
	AUTO(index_builder) struct index_builder *b = NULL;
	const uint64_t in_a_pack = IN_A_SEGMENT * SEGMENTS;
	struct object_ref ref;
	struct index *ix = NULL;
	struct err err;

	if (index_builder_new(&b, &err) != 0)
		fail("builder", &err);
	for (uint64_t i = first; i < end; i += in_a_pack)
		add_pack(store, b, i, i + in_a_pack < end ? i + in_a_pack : end,
		    ds->id);
	if (index_builder_store(
		b, keyring_latest(ds->keys), store, &ref, &err) != 0 ||
	    index_open(store, &ref, ds->keys, &ix, &err) != 0)
		fail("index", &err);
	return ix;
}

/* All of them, as one index. */
static void
make_index(struct store *store, const struct dataset *ds, uint64_t chunks,
    struct object_ref *ref)
{
	size_t n = (size_t)((chunks + IN_A_RUN - 1) / IN_A_RUN);
	struct index **v = calloc(n, sizeof(struct index *));
	double begun = seconds();
	uint64_t size = 0;
	struct err err;

	for (size_t i = 0; i < n; i++) {
		uint64_t first = i * (uint64_t)IN_A_RUN;
		uint64_t end = first + IN_A_RUN;

		v[i] = make_run(store, ds, first, end < chunks ? end : chunks);
	}
	(void)printf(
	    "bigindex: %zu indexes written in %.1f s\n", n, seconds() - begun);
	begun = seconds();
	if (index_join(store, keyring_latest(ds->keys), v, n, ref, &err) != 0 ||
	    store_size(store, ref, &size, &err) != 0)
		fail("joining", &err);
	(void)printf(
	    "bigindex: joined in %.1f s, %.1f MB: %.1f bytes a chunk\n",
	    seconds() - begun, (double)size / 1e6,
	    (double)size / (double)chunks);
	for (size_t i = 0; i < n; i++) {
		if (store_remove(store, index_ref(v[i]), &err) != 0)
			fail("removing", &err);
		index_close(v[i]);
	}
	free(v);
}

/* --- naming it ---------------------------------------------------------- */

/* A record like the newest, but for its time, with one more index. */
static void
append(struct log *log, const struct object_ref *ref)
{
	size_t n;
	const uint8_t(*indexes)[OBJECT_NAME_LEN] = log_indexes(log, &n);
	const struct snapshot *head = log_head(log);
	struct snapshot *s = calloc(1, sizeof(*s));
	uint8_t(*more)[OBJECT_NAME_LEN] = calloc(n + 1, sizeof(*more));
	struct err err;

	if (head == NULL || s == NULL || more == NULL)
		fail("no snapshot", NULL);
	*s = *head;
	s->time.s++;
	s->end.s++;
	s->host = strdup(head->host);
	s->source = strdup(head->source);
	s->program = strdup(head->program);
	s->root = malloc(head->root_len);
	memcpy(s->root, head->root, head->root_len);
	memcpy(more[0], ref->name, OBJECT_NAME_LEN);
	memcpy(more[1], indexes, n * sizeof(*more));
	if (log_append(log, s, (const uint8_t(*)[OBJECT_NAME_LEN])more, n + 1,
		&err) != 0)
		fail("record", &err);
	free(more);
}

/* --- asking ------------------------------------------------------------- */

static void
ask(struct store *store, const struct dataset *ds, const struct object_ref *ref,
    uint64_t chunks)
{
	AUTO(segcache) struct segcache *cache = NULL;
	AUTO(chunks) struct chunks *c = NULL;
	double begun, opened = 0;
	struct err err;

	if (segcache_new((size_t)64 << 20, &cache, &err) != 0 ||
	    chunks_new(store, cache, ds->keys, &c, &err) != 0 ||
	    chunks_set_indexes(c, (const uint8_t(*)[32])ref->name, 1, &err) !=
		0)
		fail("chunks", &err);
	begun = seconds();
	for (unsigned i = 0; i < LOOKUPS; i++) {
		struct chunk_name name;
		struct chunk_place place;

		name_of(mix(i) % chunks, name.b);
		if (chunks_place(c, &name, &place, &err) != 0)
			fail("look-up", &err);
		if (i == 0)
			opened = seconds() - begun;
	}
	(void)printf("bigindex: first look-up %.1f ms, then %.0f a second\n",
	    opened * 1e3, LOOKUPS / (seconds() - begun));
}

int
main(int argc, char **argv)
{
	AUTO(access) struct access *a = NULL;
	AUTO(log) struct log *log = NULL;
	const struct credential cred = {.passphrase = give_pass};
	const struct dataset *ds;
	struct object_ref ref;
	struct err err;
	uint64_t chunks;

	if (argc != 4) {
		(void)fprintf(stderr, "usage: bigindex STORE DATASET CHUNKS\n");
		return 2;
	}
	chunks = strtoull(argv[3], NULL, 10);
	if (access_open(argv[1], &cred, &a, &err) != 0)
		fail(argv[1], &err);
	ds = access_find(a, argv[2]);
	if (ds == NULL)
		fail("no such dataset", NULL);
	if (log_load(a, ds, NULL, &log, &err) != 0)
		fail("log", &err);
	make_index(access_store(a), ds, chunks, &ref);
	append(log, &ref);
	ask(access_store(a), ds, &ref, chunks);
	return 0;
}
