#include "tools/subject.h"

#include "crypto/secret.h"
#include "tools/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
subject_clear(struct subject *s)
{
	identity_free(s->identity);
	*s = (struct subject){0};
}

/* --- hosts --------------------------------------------------------------- */

static int
read_keyfile(
    int fd, const char *keyfile, struct identity **out, struct err *err)
{
	uint8_t buf[IDENTITY_OBJECT_MAX + 1];
	ssize_t n = read(fd, buf, sizeof(buf));
	int r;

	if (n < 0)
		return err_errno(err, "cannot read key file '%s'", keyfile);
	r = identity_decode(buf, (size_t)n, NULL, out, err);
	secret_wipe(buf, sizeof(buf));
	return r == 0 ? 0 : err_wrap(err, "key file '%s'", keyfile);
}

static int
new_host(
    const char *name, const char *keyfile, struct subject *out, struct err *err)
{
	int r = identity_new(IDENTITY_HOST, name, &out->identity, err);

	out->created = true;
	return r != 0 ? r : access_write_keyfile(out->identity, keyfile, err);
}

int
subject_host(
    const char *name, const char *keyfile, struct subject *out, struct err *err)
{
	int fd = open(keyfile, O_RDONLY | O_CLOEXEC);
	int r;

	*out = (struct subject){0};
	if (fd < 0 && errno == ENOENT)
		return new_host(name, keyfile, out, err);
	if (fd < 0)
		return err_errno(err, "cannot open key file '%s'", keyfile);
	r = read_keyfile(fd, keyfile, &out->identity, err);
	(void)close(fd);
	if (r == 0 && strcmp(out->identity->pub.name, name) != 0)
		return err_set(err, ERR_USAGE,
		    "key file '%s' is that of host '%s'", keyfile,
		    out->identity->pub.name);
	return r;
}

/* --- persons ------------------------------------------------------------- */

/* The objects of all persons called ${name}. */
struct finding {
	struct store *store;
	const char *name;
	struct object_ref *refs;
	size_t n;
};

static bool
is_person(const uint8_t *buf, size_t len, const char *name)
{
	struct identity_public pub;

	return identity_peek(buf, len, &pub, NULL) == 0 &&
	       pub.kind == IDENTITY_PERSON && strcmp(pub.name, name) == 0;
}

static int
find_person(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct finding *f = arg;
	uint8_t *buf = NULL;
	size_t len;
	struct object_ref *refs;
	bool found;
	int r = store_get(f->store, ref, GRANT_OBJECT_MAX, &buf, &len, err);

	/* Damaged objects are no persons; 'varve check' names them. */
	if (r == ERR_CORRUPT || r == ERR_NOT_FOUND)
		return 0;
	if (r != 0)
		return r;
	found = is_person(buf, len, f->name);
	free(buf);
	if (!found)
		return 0;
	refs = reallocarray(f->refs, f->n + 1, sizeof(*refs));
	if (refs == NULL)
		return err_nomem(err);
	f->refs = refs;
	refs[f->n++] = *ref;
	return 0;
}

/* Unlock the one of them that the passphrase opens. */
static int
unlock_person(const struct finding *f, const char *pass, struct identity **out,
    struct err *err)
{
	int r = ERR_AUTH;

	for (size_t i = 0; i < f->n && r == ERR_AUTH; i++) {
		uint8_t *buf;
		size_t len;

		r = store_get(
		    f->store, &f->refs[i], GRANT_OBJECT_MAX, &buf, &len, err);
		if (r != 0)
			return r;
		r = identity_decode(buf, len, pass, out, err);
		free(buf);
	}
	return r == 0 ? 0 : err_wrap(err, "person '%s'", f->name);
}

static int
new_person(struct session *s, const char *name, const char *pass,
    struct subject *out, struct err *err)
{
	int r = identity_new(IDENTITY_PERSON, name, &out->identity, err);

	out->created = true;
	return r != 0 ? r
		      : access_add_person(s->access, out->identity, pass, err);
}

int
subject_person(struct session *s, const char *name, const char *passphrase_file,
    struct subject *out, struct err *err)
{
	struct finding f = {.store = access_store(s->access), .name = name};
	struct passphrase_source src = {.file = passphrase_file};
	char question[384];
	char *pass = NULL;
	int r;

	*out = (struct subject){0};
	r = store_list(f.store, OBJECT_KEY, NULL, find_person, &f, err);
	src.fresh = f.n == 0;
	(void)snprintf(question, sizeof(question),
	    src.fresh ? "New passphrase, for %s to choose: "
		      : "Passphrase of %s: ",
	    name);
	if (r == 0)
		r = passphrase_get(s->run, &src, question, &pass, err);
	if (r == 0)
		r = f.n == 0 ? new_person(s, name, pass, out, err)
			     : unlock_person(&f, pass, &out->identity, err);
	secret_free(pass);
	free(f.refs);
	return r;
}
