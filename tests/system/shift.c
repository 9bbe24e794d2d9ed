/*
 * A clock that is wrong, preloaded into the program under test: SHIFT is so many
 * seconds ahead, or with '-' behind. How long the machine has been running stays
 * as it is.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *t);
time_t time(time_t *t);

static time_t
shift(void)
{
	const char *text = getenv("SHIFT");

	return text != NULL ? (time_t)strtol(text, NULL, 10) : 0;
}

int
clock_gettime(clockid_t id, struct timespec *t)
{
	int (*real)(clockid_t, struct timespec *) = (int (*)(
	    clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int rc = real(id, t);

	if (rc == 0 && id == CLOCK_REALTIME)
		t->tv_sec += shift();
	return rc;
}

time_t
time(time_t *t)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (t != NULL)
		*t = now.tv_sec;
	return now.tv_sec;
}
