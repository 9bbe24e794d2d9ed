/* How far a site's clock has come, and how much of that is borne out. */
#include "snapshot/state/sitedb_internal.h"

#include <stdio.h>
#include <time.h>

#define CLOCK_STEP 10 /* seconds that may pass before they are written down */

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* Any 63 bits of it will do; where there is none, each look is a new start. */
static int64_t
read_boot(void)
{
	char text[64] = "";
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	FILE *f = fopen(BOOT_ID, "re");

	if (f == NULL)
		return 0;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	(void)fclose(f);
	for (const char *p = text; *p != '\0'; p++)
		hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	return text[0] != '\0' ? (int64_t)(hash >> 1) : 0;
}

void
site_clock_now(int64_t wall, struct site_clock *out)
{
	struct timespec up = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	*out = (struct site_clock){
	    .wall = wall, .up = (int64_t)up.tv_sec, .boot = read_boot()};
}

static int
borne_set(
    struct sql *q, int64_t time, const struct site_clock *c, struct err *err)
{
	sql_int(q, BORNE_SET, 1, time);
	sql_int(q, BORNE_SET, 2, c->up);
	sql_int(q, BORNE_SET, 3, c->boot);
	return sql_run(q, BORNE_SET, err);
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* mu is held. The first time, the clock is believed. */
static int
borne_get(
    struct sql *q, const struct site_clock *c, int64_t *time, struct err *err)
{
	int64_t was = 0, up = 0, boot = 0;
	int rc = sql_row(q, BORNE_GET, err);

	if (rc > 0) {
		was = sqlite3_column_int64(q->st[BORNE_GET], 0);
		up = sqlite3_column_int64(q->st[BORNE_GET], 1);
		boot = sqlite3_column_int64(q->st[BORNE_GET], 2);
	}
	sql_reset(q, BORNE_GET);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		*time = c->wall;
		return borne_set(q, c->wall, c, err);
	}
	*time = was;
	if (boot == 0 || c->boot != boot || c->up < up)
		return borne_set(q, was, c, err);
	if (c->wall > was)
		*time = least(c->wall, was + (c->up - up));
	return *time - was >= CLOCK_STEP ? borne_set(q, *time, c, err) : 0;
}

int
sitedb_bear_out(struct sitedb *db, const struct site_clock *clock, int64_t time,
    struct err *err)
{
	int64_t borne;
	int rc;

	time = least(time, clock->wall);
	(void)pthread_mutex_lock(&db->mu);
	rc = borne_get(db->sql, clock, &borne, err);
	if (rc == 0 && time > borne)
		rc = borne_set(db->sql, time, clock, err);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&sitedb_kind, rc, err);
}

int
sitedb_clock(
    struct sitedb *db, int64_t clock, struct site_time *out, struct err *err)
{
	struct site_clock c;

	site_clock_now(clock, &c);
	return sitedb_clock_at(db, &c, out, err);
}

int
sitedb_clock_at(struct sitedb *db, const struct site_clock *c,
    struct site_time *out, struct err *err)
{
	int64_t clock = c->wall, high, borne = 0;
	int rc;

	(void)pthread_mutex_lock(&db->mu);
	rc = sitedb_setting_get(db->sql, SETTING_CLOCK, 0, &high, err);
	if (rc == 0 && clock > high && clock - high >= CLOCK_STEP)
		rc = sitedb_setting_raise(db->sql, SETTING_CLOCK, clock, err);
	if (rc == 0)
		rc = borne_get(db->sql, c, &borne, err);
	(void)pthread_mutex_unlock(&db->mu);
	*out = (struct site_time){
	    .borne = borne,
	    .now = clock > high ? clock : high,
	    .back = clock < high ? high - clock : 0,
	    .behind = clock < high && high - clock > SITEDB_CLOCK_SLACK,
	};
	return sql_explain(&sitedb_kind, rc, err);
}
