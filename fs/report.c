#include "fs/report.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RECENT 64   /* lines remembered, so as not to repeat them */
#define REPEAT_S 60 /* for so long */
#define BURST 32    /* lines at once; then one a second */
#define LINE_MAX_LEN 2048

struct report {
	fs_log_fn *log;
	void *arg;

	pthread_mutex_t mu;
	/* guarded by mu */
	struct {
		uint64_t hash;
		int64_t until;
	} recent[RECENT];
	size_t next;
	unsigned tokens;
	int64_t filled; /* when tokens were last added */
	unsigned long left_out;
};

int
report_new(fs_log_fn *log, void *arg, struct report **out, struct err *err)
{
	struct report *r = calloc(1, sizeof(*r));

	*out = r;
	if (r == NULL)
		return err_nomem(err);
	r->log = log;
	r->arg = arg;
	r->tokens = BURST;
	pthread_mutex_init(&r->mu, NULL);
	return 0;
}

void
report_free(struct report *r)
{
	if (r == NULL)
		return;
	pthread_mutex_destroy(&r->mu);
	free(r);
}

static int64_t
now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* FNV-1a: equal lines are all it has to recognise. */
static uint64_t
hash_line(const char *line)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *line != '\0'; line++)
		h = (h ^ (uint8_t)*line) * UINT64_C(0x100000001b3);
	return h;
}

static bool
said_lately(struct report *r, uint64_t hash, int64_t now)
{
	for (size_t i = 0; i < RECENT; i++)
		if (r->recent[i].hash == hash && r->recent[i].until > now)
			return true;
	return false;
}

/* Whether to give a line now; *${left_out} lines before it were not given. */
static bool
admit(struct report *r, const char *line, unsigned long *left_out)
{
	uint64_t hash = hash_line(line);
	int64_t now = now_s();
	bool admitted = false;

	*left_out = 0;
	pthread_mutex_lock(&r->mu);
	if (r->filled < now) {
		int64_t gained = now - r->filled;

		r->tokens = gained > BURST - (int64_t)r->tokens
				? BURST
				: r->tokens + (unsigned)gained;
		r->filled = now;
	}
	if (!said_lately(r, hash, now)) {
		if (r->tokens > 0) {
			r->tokens--;
			r->recent[r->next].hash = hash;
			r->recent[r->next].until = now + REPEAT_S;
			r->next = (r->next + 1) % RECENT;
			*left_out = r->left_out;
			r->left_out = 0;
			admitted = true;
		} else {
			r->left_out++;
		}
	}
	pthread_mutex_unlock(&r->mu);
	return admitted;
}

static void
say(struct report *r, const char *line, const char *path)
{
	unsigned long left_out;
	char text[64];

	if (r->log == NULL || !admit(r, line, &left_out))
		return;
	if (left_out > 0) {
		(void)snprintf(text, sizeof(text),
		    "%lu lines like the next were left out", left_out);
		r->log(r->arg, text, NULL);
	}
	r->log(r->arg, line, path);
}

void
report_line(struct report *r, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	say(r, line, NULL);
}

/* The last ancestor whose path says nothing about anybody's files. */
static const struct node *
public_part(const struct node *n)
{
	while (n->kind == NODE_FILE || (n->kind == NODE_DIR && n->s == NULL))
		n = n->parent;
	return n;
}

static void
say_about(struct report *r, const struct node *n, const struct err *why)
{
	WR_AUTO struct wr where = {0};
	WR_AUTO struct wr path = {0};
	char line[LINE_MAX_LEN];

	node_path(public_part(n), &where);
	wr_u8(&where, 0);
	node_path(n, &path);
	wr_u8(&path, 0);
	if (where.failed || path.failed) {
		say(r, why->text, NULL);
		return;
	}
	(void)snprintf(line, sizeof(line), "'%s', inode %llu: %s",
	    (const char *)where.buf, (unsigned long long)n->st_ino, why->text);
	say(r, line, (const char *)path.buf);
}

static int
errno_of(const struct err *why)
{
	switch ((enum err_code)why->code) {
	case ERR_NOMEM:
		return ENOMEM;
	case ERR_DENIED:
		return EACCES;
	case ERR_LOCKED:
		return EBUSY;
	case ERR_FULL:
		return ENOSPC;
	case ERR_USAGE:
		return EINVAL;
	case ERR_CANCELLED:
		return EINTR;
	case ERR_NOT_FOUND:
	case ERR_CORRUPT:
	case ERR_AUTH:
	case ERR_VERSION:
	case ERR_IO:
	case ERR_BUG:
		break;
	}
	return EIO;
}

int
report_errno(struct report *r, const struct node *n, const struct err *why)
{
	if (n != NULL)
		say_about(r, n, why);
	else
		say(r, why->text, NULL);
	return errno_of(why);
}
