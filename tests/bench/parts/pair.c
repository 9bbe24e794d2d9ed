#include "tests/bench/parts/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 9
#define SAMPLE_NS 100000000 /* what one round of one side takes, at least */

/* Rates of one side, by round. */
struct side {
	part_fn *fn;
	void *arg;
	unsigned times; /* gone through in a round */
	double rate[ROUNDS];
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* A second's worth of what ${s} does. */
static double
sample(const struct side *s, uint64_t *took)
{
	uint64_t begin = now_ns();
	uint64_t done = 0;

	for (unsigned i = 0; i < s->times; i++)
		done += s->fn(s->arg);
	*took = now_ns() - begin;
	if (*took == 0)
		*took = 1;
	return (double)done * 1e9 / (double)*took;
}

/* So often that a round lasts long enough; which warms it up as well. */
static void
calibrate(struct side *s)
{
	uint64_t took;

	s->times = 1;
	(void)sample(s, &took);
	(void)sample(s, &took);
	if (took < SAMPLE_NS)
		s->times = (unsigned)(SAMPLE_NS / took) + 1;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* '1.23 GB/s', '456 k/s': three digits that count. */
static void
rate_text(double rate, enum part_unit unit, char *out, size_t size)
{
	static const char *const scale[] = {"", "k", "M", "G"};
	size_t i = 0;

	while (rate >= 999.5 && i + 1 < ARRAY_LEN(scale)) {
		rate /= 1000;
		i++;
	}
	(void)snprintf(out, size, "%.*f %s%s/s",
	    rate < 9.995   ? 2
	    : rate < 99.95 ? 1
			   : 0,
	    rate, scale[i], unit == PART_BYTES ? "B" : "");
}

static void
print_side(const struct side *s, enum part_unit unit)
{
	char median[32], least[32], most[32];

	rate_text(s->rate[ROUNDS / 2], unit, median, sizeof(median));
	rate_text(s->rate[0], unit, least, sizeof(least));
	rate_text(s->rate[ROUNDS - 1], unit, most, sizeof(most));
	printf(" %10s (%s to %s)\n", median, least, most);
}

void
pair_measure(const struct pair *p)
{
	struct side own = {.fn = p->own, .arg = p->arg};
	struct side limit = {.fn = p->limit, .arg = p->arg};
	uint64_t took;

	calibrate(&own);
	calibrate(&limit);
	for (unsigned i = 0; i < ROUNDS; i++) {
		own.rate[i] = sample(&own, &took);
		limit.rate[i] = sample(&limit, &took);
	}
	qsort(own.rate, ROUNDS, sizeof(double), by_value);
	qsort(limit.rate, ROUNDS, sizeof(double), by_value);
	printf("%s: %.2f of %s\n  %-32s", p->what,
	    own.rate[ROUNDS / 2] / limit.rate[ROUNDS / 2], p->beside, "varve");
	print_side(&own, p->unit);
	printf("  %-32s", p->beside);
	print_side(&limit, p->unit);
	(void)fflush(stdout);
}

/* --- help --------------------------------------------------------------- */

void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fprintf(stderr, "parts: ");
	(void)vfprintf(stderr, fmt, ap);
	(void)fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

void *
need(void *p)
{
	if (p == NULL)
		die("out of memory");
	return p;
}

uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}
