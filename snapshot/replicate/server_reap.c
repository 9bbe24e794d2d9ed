/* A server removes what was pruned, while it serves. */
#include "snapshot/replicate/reap.h"
#include "snapshot/replicate/server_internal.h"

#include <stdio.h>
#include <time.h>

#define REAP_SECONDS 60

static void
reap(struct server *s, struct reaper *r)
{
	const struct server_options *opt = s->opt;
	struct party p = {.address = opt->address, .site = opt->site};
	struct reap_result out = {.removed = 0};
	struct err err;
	char site[STORE_SITE_MAX];
	bool replica = false;
	int rc = access_open_keyless(opt->address, &p.access, &err);

	if (rc == 0)
		rc =
		    store_replica(access_store(p.access), &replica, site, &err);
	if (rc == 0 && replica)
		rc = reaper_run(r, &p, &out, &err);
	/* An empty replica isn't a store yet. */
	if (rc != 0 && rc != ERR_NOT_FOUND)
		server_event(opt, s, NULL, &err);
	if (out.removed > 0) {
		err = (struct err){0};
		(void)snprintf(err.text, sizeof(err.text),
		    "removed %ju objects, %ju bytes, that were pruned",
		    (uintmax_t)out.removed, (uintmax_t)out.removed_bytes);
		server_event(opt, s, NULL, &err);
	}
	access_close(p.access);
}

void *
server_reap_thread(void *arg)
{
	struct server *s = arg;
	struct reaper *r;
	struct timespec at;
	struct err err;
	bool closing = false;

	if (reaper_new(&r, &err) != 0) {
		server_event(s->opt, s, NULL, &err);
		return NULL;
	}
	while (!closing) {
		int rc = 0;

		reap(s, r);
		(void)clock_gettime(CLOCK_REALTIME, &at);
		at.tv_sec += REAP_SECONDS;
		pthread_mutex_lock(&s->mu);
		while (!s->closing && rc == 0)
			rc = pthread_cond_timedwait(&s->changed, &s->mu, &at);
		closing = s->closing;
		pthread_mutex_unlock(&s->mu);
	}
	reaper_free(r);
	return NULL;
}
