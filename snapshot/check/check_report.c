#include "snapshot/check/check_internal.h"
#include "snapshot/store/object_ref.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE_LEN (1024 * 1024)

bool
check_fatal(int rc)
{
	return rc == ERR_NOMEM || rc == ERR_BUG || rc == ERR_CANCELLED;
}

int
check_stopped(const struct check *c, struct err *err)
{
	if (c->opt->stop != NULL && atomic_load(c->opt->stop))
		return err_set(err, ERR_CANCELLED, "stopped");
	return 0;
}

/* --- damage ------------------------------------------------------------- */

void
check_tell(
    struct check *c, const char *object, const char *what, const char *affects)
{
	(void)pthread_mutex_lock(&c->mu);
	if (again_is_to_tell(c, object, what, affects)) {
		c->damaged++;
		if (c->opt->on_damage != NULL)
			c->opt->on_damage(c->opt->arg, object, what, affects);
	}
	(void)pthread_mutex_unlock(&c->mu);
}

/*
 * Texts of errors name the object ("pack 'OBJECT': segment 3: ...",
 * "'STORE/OBJECT' is cut short: ..."), which is told beside them.
 */
static const char *
without_object(const char *text, const char *object)
{
	static const char *const glue[] = {"' is damaged: ", "': ", "' "};
	const char *at = strstr(text, object);

	if (at == NULL)
		return text;
	at += strlen(object);
	for (size_t i = 0; i < ARRAY_LEN(glue); i++) {
		size_t len = strlen(glue[i]);

		if (strncmp(at, glue[i], len) == 0 && at[len] != '\0')
			return at + len;
	}
	return text;
}

void
check_damage(struct check *c, const struct object_ref *ref,
    const struct err *why, const char *affects)
{
	char object[OBJECT_REF_TEXT];

	object_ref_text(ref, object);
	check_tell(c, object, without_object(why->text, object), affects);
}

void
check_say(struct check *c, const struct object_ref *ref, const char *fmt, ...)
{
	char object[OBJECT_REF_TEXT];
	struct err why;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why.text, sizeof(why.text), fmt, ap);
	va_end(ap);
	object_ref_text(ref, object);
	check_tell(c, object, why.text, NULL);
}

int
check_pass_over(struct check *c, const struct object_ref *ref, int rc,
    const struct err *why, struct err *err)
{
	if (rc == 0)
		return 0;
	if (check_fatal(rc))
		return err_copy(err, why);
	check_damage(c, ref, why, NULL);
	return 0;
}

int
check_unlisted(struct check *c, enum object_class cls,
    const uint8_t dataset[DATASET_ID_LEN], int rc, const struct err *why,
    struct err *err)
{
	char dir[OBJECT_REF_TEXT];

	if (rc == 0)
		return 0;
	if (check_fatal(rc))
		return err_copy(err, why);
	object_ref_class_dir(cls, dataset, dir);
	check_tell(c, dir, why->text, NULL);
	return 0;
}

void
check_lag(struct check *c, const uint8_t dataset[DATASET_ID_LEN],
    const struct dataset *ds, const struct log_behind *b)
{
	(void)pthread_mutex_lock(&c->mu);
	c->out->behind++;
	if (c->opt->on_behind != NULL)
		c->opt->on_behind(
		    c->opt->arg, dataset, ds != NULL ? ds->name : NULL, b);
	(void)pthread_mutex_unlock(&c->mu);
}

/* --- threads ------------------------------------------------------------ */

unsigned
check_threads(unsigned asked)
{
	long n = asked;

	if (n == 0)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	if (n < 1)
		return 1;
	return n > CHECK_THREADS_MAX ? CHECK_THREADS_MAX : (unsigned)n;
}

/* --- counting ----------------------------------------------------------- */

void
check_count(struct check *c, uint64_t objects, uint64_t bytes)
{
	atomic_fetch_add(&c->done.objects, objects);
	atomic_fetch_add(&c->done.bytes, bytes);
	if (c->opt->progress == NULL)
		return;
	atomic_fetch_add(&c->opt->progress->objects, objects);
	atomic_fetch_add(&c->opt->progress->bytes, bytes);
}

void
check_expect(struct check *c, uint64_t bytes)
{
	if (c->opt->progress != NULL)
		atomic_fetch_add(&c->opt->progress->total, bytes);
}

/* --- reading ------------------------------------------------------------ */

int
reader_init(struct reader *r, struct err *err)
{
	int rc = sha256_new(&r->sha, err);

	if (rc != 0)
		return rc;
	r->buf = malloc(PIECE_LEN);
	return r->buf == NULL ? err_nomem(err) : 0;
}

void
reader_clear(struct reader *r)
{
	sha256_free(r->sha);
	free(r->buf);
	memset(r, 0, sizeof(*r));
}

static int
hash_object(struct check *c, struct reader *r, const struct object_ref *ref,
    uint64_t size, struct err *err)
{
	for (uint64_t off = 0; off < size;) {
		size_t len =
		    size - off < PIECE_LEN ? (size_t)(size - off) : PIECE_LEN;
		int rc = check_stopped(c, err);

		if (rc == 0)
			rc =
			    store_read_at(c->store, ref, off, r->buf, len, err);
		if (rc == 0)
			rc = sha256_update(r->sha, r->buf, len, err);
		if (rc != 0)
			return rc;
		check_count(c, 0, len);
		off += len;
	}
	return 0;
}

int
check_object(struct check *c, struct reader *r, const struct object_ref *ref,
    uint64_t size, struct err *err)
{
	uint64_t most = object_size_max(ref->cls);
	uint8_t name[HASH_LEN];
	struct err late;
	int rc, done;

	/* A sparse file of any size costs nobody a byte, but to read. */
	if (size > most)
		return err_set(err, ERR_CORRUPT,
		    "it has %ju bytes, and no such object more than %ju",
		    (uintmax_t)size, (uintmax_t)most);
	/* Nothing is listed of what is no file: this says so. */
	rc = size == 0 ? store_size(c->store, ref, &size, err) : 0;
	if (rc == 0)
		rc = hash_object(c, r, ref, size, err);
	/* Also after a failure: it makes the hash start over. */
	done = sha256_final(r->sha, name, &late);
	check_count(c, 1, 0);
	if (rc == 0 && done != 0)
		return err_copy(err, &late);
	if (rc == 0 && memcmp(name, ref->name, OBJECT_NAME_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "its SHA-256 is not its name");
	return rc;
}
