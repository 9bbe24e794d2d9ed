#include "snapshot/state/state.h"
#include "tests/bench/parts/parts.h"
#include "tests/unit/scratch.h"

#include <sqlite3.h>

#define DIRS 20000
#define PAGE_LEN 300 /* a directory of a few files */

struct remembering {
	char dir[SCRATCH_PATH];
	struct state *state;
	uint8_t (*keys)[HASH_LEN];
	uint8_t page[PAGE_LEN];
	uint64_t seed;
	sqlite3 *db;
	sqlite3_stmt *put, *get;
};

/* --- varve's ------------------------------------------------------------ */

static uint64_t
put_all(void *arg)
{
	struct remembering *r = arg;

	must(state_begin(r->state, &err));
	for (size_t i = 0; i < DIRS; i++)
		must(state_dir_put(
		    r->state, r->keys[i], 0, r->page, PAGE_LEN, &err));
	state_rollback(r->state);
	return DIRS;
}

static uint64_t
get_all(void *arg)
{
	struct remembering *r = arg;
	WR_AUTO struct wr w = {0};

	for (size_t i = 0; i < DIRS; i++) {
		wr_reset(&w);
		must(state_dir_get(
		    r->state, r->keys[mix(r->seed++) % DIRS], 0, &w, &err));
	}
	return DIRS;
}

/* --- SQLite's ----------------------------------------------------------- */

static void
sql(struct remembering *r, const char *text)
{
	if (sqlite3_exec(r->db, text, NULL, NULL, NULL) != SQLITE_OK)
		die("%s: %s", text, sqlite3_errmsg(r->db));
}

static void
insert_rows(struct remembering *r)
{
	for (size_t i = 0; i < DIRS; i++) {
		(void)sqlite3_bind_blob(
		    r->put, 1, r->keys[i], HASH_LEN, SQLITE_STATIC);
		(void)sqlite3_bind_blob(
		    r->put, 2, r->page, PAGE_LEN, SQLITE_STATIC);
		if (sqlite3_step(r->put) != SQLITE_DONE)
			die("insert: %s", sqlite3_errmsg(r->db));
		(void)sqlite3_reset(r->put);
	}
}

static uint64_t
insert_all(void *arg)
{
	struct remembering *r = arg;

	sql(r, "BEGIN IMMEDIATE");
	insert_rows(r);
	sql(r, "ROLLBACK");
	return DIRS;
}

static uint64_t
select_all(void *arg)
{
	struct remembering *r = arg;

	for (size_t i = 0; i < DIRS; i++) {
		(void)sqlite3_bind_blob(r->get, 1,
		    r->keys[mix(r->seed++) % DIRS], HASH_LEN, SQLITE_STATIC);
		if (sqlite3_step(r->get) != SQLITE_ROW ||
		    sqlite3_column_bytes(r->get, 0) != PAGE_LEN)
			die("select: %s", sqlite3_errmsg(r->db));
		(void)sqlite3_reset(r->get);
	}
	return DIRS;
}

static void
sql_init(struct remembering *r)
{
	char path[SCRATCH_PATH + 16];

	(void)snprintf(path, sizeof(path), "%s/plain.db", r->dir);
	if (sqlite3_open(path, &r->db) != SQLITE_OK)
		die("cannot open '%s'", path);
	sql(r, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
	sql(r, "CREATE TABLE dir(key BLOB PRIMARY KEY, page BLOB)");
	if (sqlite3_prepare_v2(r->db,
		"INSERT OR REPLACE INTO dir(key, page) VALUES(?, ?)", -1,
		&r->put, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(r->db, "SELECT page FROM dir WHERE key = ?", -1,
		&r->get, NULL) != SQLITE_OK)
		die("%s", sqlite3_errmsg(r->db));
	sql(r, "BEGIN");
	insert_rows(r);
	sql(r, "COMMIT");
}

static void
sql_clear(struct remembering *r)
{
	(void)sqlite3_finalize(r->put);
	(void)sqlite3_finalize(r->get);
	(void)sqlite3_close(r->db);
}

/* ------------------------------------------------------------------------ */

static void
state_init(struct remembering *r)
{
	static const struct state_base base = {.id = {1}, .source = {1}};
	static const uint8_t store[STORE_ID_LEN] = {2};
	AUTO(keyset) struct keyset *ks = NULL;

	must(keyset_new("bench", &ks, &err));
	must(state_open(r->dir, store, ks, &r->state, &err));
	for (size_t i = 0; i < DIRS; i++)
		must(state_dir_key(r->state, &i, sizeof(i), r->keys[i], &err));
	must(state_begin(r->state, &err));
	for (size_t i = 0; i < DIRS; i++)
		must(state_dir_put(
		    r->state, r->keys[i], 0, r->page, PAGE_LEN, &err));
	must(state_publish(r->state, &base, &err));
}

void
part_state(const struct source *src)
{
	struct remembering r = {0};

	scratch_new(r.dir);
	r.keys = need(calloc(DIRS, sizeof(*r.keys)));
	memcpy(r.page, src->buf, PAGE_LEN);
	state_init(&r);
	sql_init(&r);
	pair_measure(&(struct pair){
	    .what = "writing down what directories hold",
	    .unit = PART_OPERATIONS,
	    .own = put_all,
	    .beside = "SQLite's INSERT, unsealed",
	    .limit = insert_all,
	    .arg = &r,
	});
	pair_measure(&(struct pair){
	    .what = "asking what directories hold",
	    .unit = PART_OPERATIONS,
	    .own = get_all,
	    .beside = "SQLite's SELECT, unsealed",
	    .limit = select_all,
	    .arg = &r,
	});
	state_close(r.state);
	sql_clear(&r);
	free(r.keys);
	scratch_rm(r.dir);
}
