/* What the file of remembered heads looks like. */
#include "snapshot/state/heads_internal.h"

/*
 * A store's id is what its root says of itself, so it tells only whether two
 * roots claim to be one store. What somebody else put in a store's place has an
 * id of its own: that is found out by the address.
 */
static const char schema[] = "CREATE TABLE store("
			     "  id BLOB NOT NULL PRIMARY KEY,"
			     "  fingerprint BLOB NOT NULL"
			     ") WITHOUT ROWID, STRICT;"
			     "CREATE TABLE place("
			     "  address BLOB NOT NULL PRIMARY KEY,"
			     "  fingerprint BLOB NOT NULL"
			     ") WITHOUT ROWID, STRICT;"
			     "CREATE TABLE head("
			     "  store BLOB NOT NULL,"
			     "  dataset BLOB NOT NULL,"
			     "  seq INTEGER NOT NULL,"
			     "  name BLOB NOT NULL,"
			     "  changes INTEGER NOT NULL,"
			     "  latest INTEGER NOT NULL,"
			     "  next_ino INTEGER NOT NULL,"
			     "  settled INTEGER NOT NULL,"
			     "  settled_object BLOB NOT NULL,"
			     "  PRIMARY KEY(store, dataset)"
			     ") WITHOUT ROWID, STRICT;";

#define NEWLY_SETTLED                                                          \
	"(excluded.settled, excluded.settled_object) >"                        \
	" (settled, settled_object)"

static const char *const statements[NSTATEMENTS] = {
    [STORE_ADD] = "INSERT OR IGNORE INTO store(id, fingerprint) VALUES(?, ?)",
    [STORE_GET] = "SELECT fingerprint FROM store WHERE id = ?",
    [STORE_SET] = "REPLACE INTO store(id, fingerprint) VALUES(?, ?)",
    [PLACE_ADD] =
	"INSERT OR IGNORE INTO place(address, fingerprint) VALUES(?, ?)",
    [PLACE_GET] = "SELECT fingerprint FROM place WHERE address = ?",
    [PLACE_SET] = "REPLACE INTO place(address, fingerprint) VALUES(?, ?)",
    [HEAD_GET] = "SELECT seq, name, changes, latest, next_ino,"
		 " settled, settled_object FROM head"
		 " WHERE store = ? AND dataset = ?",
    [HEAD_FORGET] = "DELETE FROM head WHERE store = ? AND dataset = ?",
    [HEAD_SET] =
	"INSERT INTO head(store, dataset, seq, name, changes, latest,"
	" next_ino, settled, settled_object)"
	" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"
	" ON CONFLICT DO UPDATE SET seq = excluded.seq,"
	" name = excluded.name, changes = excluded.changes,"
	" latest = excluded.latest, next_ino = excluded.next_ino,"
	" settled = max(settled, excluded.settled),"
	" settled_object = CASE WHEN " NEWLY_SETTLED
	" THEN excluded.settled_object ELSE settled_object END"
	" WHERE excluded.changes > changes OR (excluded.changes = changes AND"
	" (" NEWLY_SETTLED " OR excluded.seq > seq))",
};

/* Nothing else remembers them, so a damaged file is never replaced. */
const struct sql_kind heads_kind = {
    .application = 0x56525668, /* "VRVh" */
    .version = 6,
    .durable = true,
    .schema = schema,
    .statements = statements,
    .nstatements = NSTATEMENTS,
    .advice = "the remembered heads are damaged and can't be rebuilt: bring the"
	      " file back from a copy; or move it away to trust what the stores"
	      " show now",
};
