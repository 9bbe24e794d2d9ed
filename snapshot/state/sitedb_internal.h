#ifndef SNAPSHOT_STATE_SITEDB_INTERNAL_H
#define SNAPSHOT_STATE_SITEDB_INTERNAL_H

/* What the files of a site's database share. */
#include "snapshot/state/sitedb.h"
#include "snapshot/state/sql.h"

#include <pthread.h>

/* Names of settings: never given to anything else. */
enum { SETTING_LOCK = 1, SETTING_CLOCK = 2 };

enum {
	SETTING_GET,
	SETTING_RAISE,
	BORNE_GET,
	BORNE_SET,
	ARRIVAL_ADD,
	ARRIVAL_GET,
	ARRIVAL_NEWEST,
	ARRIVAL_SET,
	ARRIVAL_DROP,
	ARRIVAL_FORGET,
	REFUSAL_ADD,
	REFUSAL_DROP_CLIENT,
	REFUSAL_DROP_KIND,
	REFUSAL_LIST,
	NSTATEMENTS
};

extern const struct sql_kind sitedb_kind;

struct sitedb {
	pthread_mutex_t mu;
	struct sql *sql; /* guarded by mu */
};

/*
 * Settings are numbers. ${unset}: what one is that was never raised. They only
 * ever go up. Call with mu held.
 */
NODISCARD int sitedb_setting_get(
    struct sql *q, int name, int64_t unset, int64_t *value, struct err *err);
NODISCARD int sitedb_setting_raise(
    struct sql *q, int name, int64_t value, struct err *err);

#endif
