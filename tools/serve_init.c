#include "tools/serve_init.h"

#include "snapshot/log/when.h"
#include "snapshot/site/sitedir.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/number.h"
#include "tools/output.h"
#include "tools/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct option serve_init_options[8] = {
    {"init", 0, OPTION_FLAG, NULL,
	"make DIRECTORY a site, or renew its request; then end", NULL,
	offsetof(struct serve_init_args, init), 0, 0},
    {"for", 0, OPTION_TEXT, "STORE",
	"the store it is to hold: a copy of that store's file 'varve', or its"
	" fingerprint",
	NULL, offsetof(struct serve_init_args, store), 0, 0},
    {"site", 0, OPTION_TEXT, "NAME", "the site's name", NULL,
	offsetof(struct serve_init_args, site), 0, 0},
    {"country", 0, OPTION_TEXT, "CC",
	"where it stands: two capital letters, as ISO 3166-1 has them", NULL,
	offsetof(struct serve_init_args, country), 0, 0},
    {"accreditation", 0, OPTION_TEXT, "TEXT", "what it is accredited for", NULL,
	offsetof(struct serve_init_args, accreditation), 0, 0},
    {"until", 0, OPTION_TEXT, "TIME", "when that ends", NULL,
	offsetof(struct serve_init_args, until), 0, 0},
    {"lock", 0, OPTION_TEXT, "TIME",
	"delete nothing that arrived less than TIME ago (90d, 12h); 90d at"
	" first, and never less than it was",
	NULL, offsetof(struct serve_init_args, lock), 0, 0},
    {"request", 0, OPTION_TEXT, "FILE",
	"write the request to FILE, not to standard output", NULL,
	offsetof(struct serve_init_args, request), 0, 0},
};

int
serve_init_check(const struct serve_init_args *args, struct err *err)
{
	if (args->init)
		return 0;
	if (args->store != NULL || args->site != NULL ||
	    args->country != NULL || args->accreditation != NULL ||
	    args->until != NULL || args->lock != NULL || args->request != NULL)
		return err_set(err, ERR_USAGE,
		    "--for, --site, --country, --accreditation, --until, --lock"
		    " and --request go with --init");
	return 0;
}

int
serve_init_lock(const char *text, int64_t *out, struct err *err)
{
	uint64_t seconds;
	int r;

	*out = -1;
	if (text == NULL)
		return 0;
	r = number_duration(text, 0, (uint64_t)SITEDB_LOCK_MAX, &seconds, err);
	if (r != 0)
		return err_wrap(err, "--lock");
	*out = (int64_t)seconds;
	return 0;
}

/* --- what is asked for -------------------------------------------------- */

/* A plan, and what it points to. */
struct planning {
	struct sitedir_plan plan;
	uint8_t root[ROOT_OBJECT_MAX + 1];
	uint8_t fingerprint[FINGERPRINT_LEN];
};

static int
read_root(const char *path, struct planning *p, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, p->root, sizeof(p->root));

	if (n < 0)
		(void)err_errno(err, "cannot read '%s'", path);
	if (fd >= 0)
		(void)close(fd);
	if (n < 0)
		return err->code;
	if ((size_t)n > ROOT_OBJECT_MAX)
		return err_set(err, ERR_CORRUPT,
		    "'%s' is no root object: the file 'varve' of a store",
		    path);
	p->plan.root = p->root;
	p->plan.rootlen = (size_t)n;
	return 0;
}

/* A file, or a store's directory, which holds it; else a fingerprint. */
static int
plan_store(const char *text, struct planning *p, struct err *err)
{
	char path[4096];
	struct stat st;
	int r;

	if (text == NULL)
		return 0;
	if (stat(text, &st) == 0) {
		(void)snprintf(path, sizeof(path), "%s%s", text,
		    S_ISDIR(st.st_mode) ? "/varve" : "");
		r = read_root(path, p, err);
	} else {
		r = root_fingerprint_parse(text, p->fingerprint, err);
		if (r == ERR_USAGE)
			r = err_set(err, ERR_USAGE,
			    "'%s' is neither a file nor a fingerprint", text);
		p->plan.fingerprint = p->fingerprint;
	}
	return r != 0 ? err_wrap(err, "--for") : 0;
}

static int
make_plan(
    const struct serve_init_args *args, struct planning *p, struct err *err)
{
	struct moment until = {0, 0};
	int r;

	p->plan.name = args->site;
	p->plan.country = args->country;
	p->plan.accreditation = args->accreditation;
	if (args->until != NULL) {
		r = when_parse(args->until, session_now(), &until, err);
		if (r != 0)
			return err_wrap(err, "--until");
		p->plan.until = until.s + 1; /* the end is exclusive */
	}
	r = serve_init_lock(args->lock, &p->plan.lock, err);
	return r != 0 ? r : plan_store(args->store, p, err);
}

/* --- what came of it ---------------------------------------------------- */

static int
write_request(const char *path, const struct wr *text, struct err *err)
{
	FILE *f = fopen(path, "wxe");
	bool ok;

	if (f == NULL && errno == EEXIST)
		return err_set(err, ERR_USAGE, "'%s' exists already", path);
	if (f == NULL)
		return err_errno(err, "cannot make '%s'", path);
	ok = fwrite(text->buf, 1, text->len, f) == text->len;
	ok = fclose(f) == 0 && ok;
	return ok ? 0 : err_errno(err, "cannot write '%s'", path);
}

static void
show_text(struct run *run, const struct sitedir_made *made, const char *address)
{
	const struct site *s = &made->request.site;
	char id[2 * IDENTITY_ID_LEN + 1];
	char until[OUTPUT_TIME], lock[OUTPUT_TEXT];

	message_result(run, "site '%s' at '%s': %s, key %s", s->pub.name,
	    address, made->replica ? "a replica" : "a primary",
	    output_hex(s->pub.id, IDENTITY_ID_LEN, id));
	message_result(run, "in %s, accredited for '%s', until %s; lock %s",
	    s->country, s->accreditation, output_until(s->until, until),
	    output_duration((double)made->lock, lock));
	message_result(run,
	    "give the request to an admin of the store, and compare the key:"
	    " varve site add %s ADDRESS REQUEST",
	    s->pub.name);
}

static void
show_json(struct json_out *o, const struct sitedir_made *made)
{
	const struct site *s = &made->request.site;
	char id[2 * IDENTITY_ID_LEN + 1];

	json_out_member(o, "site", json_string(s->pub.name));
	json_out_member(
	    o, "id", json_string(output_hex(s->pub.id, IDENTITY_ID_LEN, id)));
	json_out_member(o, "country", json_string(s->country));
	json_out_member(o, "accreditation", json_string(s->accreditation));
	json_out_member(
	    o, "until", describe_moment((struct moment){s->until, 0}));
	json_out_member(o, "lock_seconds", json_integer(made->lock));
	json_out_member(o, "replica", json_boolean(made->replica));
	json_out_member(o, "renewed", json_boolean(made->renewed));
	json_out_member(o, "request",
	    json_stringn((const char *)made->text.buf, made->text.len));
}

static int
show(struct run *run, const struct serve_init_args *args,
    const struct sitedir_made *made, const char *address, struct err *err)
{
	int r = 0;

	if (args->request != NULL)
		r = write_request(args->request, &made->text, err);
	if (r != 0)
		return err_wrap(err,
		    "the site is made, and its request is in '%s/site/request'",
		    address);
	if (run->json != NULL) {
		show_json(run->json, made);
		return EXIT_DONE;
	}
	show_text(run, made, address);
	if (args->request == NULL)
		(void)fwrite(made->text.buf, 1, made->text.len, stdout);
	return EXIT_DONE;
}

int
serve_init(struct run *run, const struct serve_init_args *args,
    const char *address, struct err *err)
{
	struct planning p = {0};
	struct sitedir_made made = {0};
	int r = make_plan(args, &p, err);

	if (r == 0)
		r = sitedir_init(address, &p.plan, session_now().s, &made, err);
	if (r == 0)
		r = show(run, args, &made, address, err);
	sitedir_made_clear(&made);
	return r;
}
