/* varve site: where the store's objects may lie. */
#include "snapshot/access/site.h"
#include "snapshot/replicate/transport.h"
#include "snapshot/site/country.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/suggest.h"
#include "tools/table.h"

#include <errno.h>
#include <string.h>

struct site_args {
	struct common_args common;
	struct store_args store;
};

static json_t *
site_json(const struct session *s, const struct statement *st)
{
	const struct site *site = &st->site;
	char id[2 * IDENTITY_ID_LEN + 1];
	struct err why = {0};
	int allowed = site_allowed(s->access, st, session_now().s, &why);

	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:b, s:o}", "site",
	    site->pub.name, "id", output_hex(site->pub.id, IDENTITY_ID_LEN, id),
	    "country", site->country, "accreditation", site->accreditation,
	    "until", describe_moment((struct moment){site->until, 0}),
	    "address", st->address, "allowed", allowed == 0, "why",
	    allowed == 0 ? json_null() : json_string(why.text));
}

/* --- add ---------------------------------------------------------------- */

static int
read_request(const char *path, struct site_request *out, struct err *err)
{
	char text[SITE_REQUEST_TEXT_MAX + 1];
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	size_t n;
	int r = 0;

	if (f == NULL)
		return err_errno(err, "cannot open '%s'", path);
	n = fread(text, 1, sizeof(text), f);
	if (ferror(f))
		r = err_errno(err, "cannot read '%s'", path);
	if (!is_stdin)
		(void)fclose(f);
	if (r == 0)
		r = site_request_parse(text, n, out, err);
	return r != 0 ? err_wrap(err, "'%s'", path) : 0;
}

static void
show_added(const struct run *run, const struct statement *st)
{
	const struct site *s = &st->site;
	char id[2 * IDENTITY_ID_LEN + 1], until[OUTPUT_TIME];

	if (!message_summary(run))
		return;
	(void)printf("site           %s\n", s->pub.name);
	(void)printf(
	    "key            %s\n", output_hex(s->pub.id, IDENTITY_ID_LEN, id));
	(void)printf("country        %s\n", s->country);
	(void)printf("accreditation  %s\n", s->accreditation);
	(void)printf("until          %s\n", output_until(s->until, until));
	(void)printf("address        %s\n", st->address);
	(void)printf("\nCompare the key with what 'varve serve --init' said at "
		     "the site. If it is another,\ntake it away again: varve "
		     "site remove %s\n",
	    s->pub.name);
}

/* It is signed, and read on other machines and in other directories. */
static int
check_address(const char *address, struct err *err)
{
	int r = transport_check(address, err);

	if (r == 0 && strstr(address, "://") == NULL && address[0] != '/')
		r = err_set(err, ERR_USAGE,
		    "address '%s' is a path from where you are: give it from "
		    "'/' on",
		    address);
	return r;
}

static int
site_add_action(
    struct run *run, struct session *s, const char **v, struct err *err)
{
	struct site_request request;
	struct statement st;
	int r = check_address(v[1], err);

	if (r == 0)
		r = read_request(v[2], &request, err);
	if (r == 0)
		r = country_check(request.site.country, err);
	if (r == 0)
		r = site_add(s->access, v[0], v[1], &request, &st, err);
	if (r != 0)
		return r;
	if (run->json != NULL)
		json_out_member(run->json, "site", site_json(s, &st));
	else
		show_added(run, &st);
	return EXIT_DONE;
}

/* --- remove, allow ------------------------------------------------------ */

static int
site_remove_action(
    struct run *run, struct session *s, const char **v, struct err *err)
{
	int r = site_remove(s->access, v[0], err);

	if (r != 0)
		return r;
	if (message_summary(run))
		(void)printf("'%s' is no site of this store any more: nothing "
			     "is sent there from now on.\nWhat it holds, it "
			     "still holds.\n",
		    v[0]);
	return EXIT_DONE;
}

/* A site that can't be used from now on is told of, not taken away. */
static int
warn_if_shut_out(void *arg, const struct statement *st, struct err *err)
{
	const struct session *s = arg;
	struct err why = {0};

	(void)err;
	if (!statement_ended(st) &&
	    site_allowed(s->access, st, session_now().s, &why) != 0)
		message_warning(s->run, "%s", why.text);
	return 0;
}

static int
site_allow_action(
    struct run *run, struct session *s, const char **v, struct err *err)
{
	const size_t n = run->common->operands.n - 1;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = country_check(v[i], err);
	if (r == 0)
		r = site_allow(s->access, v, n, err);
	if (r == 0)
		r = site_each(s->access, warn_if_shut_out, s, err);
	return r != 0 ? r : EXIT_DONE;
}

/* --- list --------------------------------------------------------------- */

struct listing {
	struct run *run;
	struct session *session;
	struct table table;
};

static int
list_one(void *arg, const struct statement *st, struct err *err)
{
	struct listing *l = arg;
	const struct site *s = &st->site;
	char until[OUTPUT_TIME];
	struct err why = {0};
	const char *cells[] = {s->pub.name, s->country, until,
	    site_allowed(l->session->access, st, session_now().s, &why) == 0
		? "yes"
		: "no",
	    st->address[0] != '\0' ? st->address : "-", s->accreditation};

	(void)err;
	if (l->run->json != NULL) {
		json_out_item(l->run->json, site_json(l->session, st));
		return 0;
	}
	(void)output_until(s->until, until);
	table_row(&l->table, cells);
	return 0;
}

static int
show_policy(const struct listing *l, struct err *err)
{
	struct policy p = {0};
	struct err why = {0};
	int r = site_policy(l->session->access, &p, &why);
	json_t *list;

	if (r != 0 && r != ERR_NOT_FOUND)
		return err_copy(err, &why);
	if (l->run->json != NULL) {
		list = r == 0 ? json_array() : json_null();
		for (size_t i = 0; i < p.n; i++)
			(void)json_array_append_new(
			    list, json_string(p.countries[i]));
		json_out_member(l->run->json, "countries", list);
		return 0;
	}
	(void)fputs("countries:", stdout);
	for (size_t i = 0; i < p.n; i++)
		(void)printf(" %s", p.countries[i]);
	(void)puts(p.n == 0 ? " any ('varve site allow' names them)" : "");
	return 0;
}

static int
site_list_action(
    struct run *run, struct session *s, const char **v, struct err *err)
{
	struct listing l = {
	    .run = run,
	    .session = s,
	    .table = {.ncolumns = 6,
		.titles = {"SITE", "COUNTRY", "UNTIL", "ALLOWED", "ADDRESS",
		    "ACCREDITATION"}},
	};
	int r = show_policy(&l, err);

	(void)v;
	if (r == 0 && run->json != NULL)
		json_out_list(run->json, "sites");
	if (r == 0)
		r = site_each(s->access, list_one, &l, err);
	if (r == 0 && run->json == NULL && l.table.ncells > 0)
		r = table_print(&l.table, !run->common->quiet, stdout, err);
	table_clear(&l.table);
	return r != 0 ? r : EXIT_DONE;
}

/* --- which -------------------------------------------------------------- */

static const struct action {
	const char *name, *operands;
	size_t min, max; /* words after the name */
	bool keyless;
	int (*run)(struct run *run, struct session *s, const char **v,
	    struct err *err);
} actions[] = {
    {"add", "NAME ADDRESS REQUEST", 3, 3, false, site_add_action},
    {"remove", "NAME", 1, 1, false, site_remove_action},
    {"allow", "COUNTRY...", 1, POLICY_COUNTRIES_MAX, false, site_allow_action},
    {"list", "", 0, 0, true, site_list_action},
};

static const struct action *
find_action(const struct operands *o, struct err *err)
{
	char hint[SUGGEST_HINT];
	struct suggest near = {.typed = o->v[0]};

	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		const struct action *a = &actions[i];

		suggest_offer(&near, a->name);
		if (strcmp(a->name, o->v[0]) != 0)
			continue;
		if (o->n - 1 >= a->min && o->n - 1 <= a->max)
			return a;
		err_set(err, ERR_USAGE, "that is: varve site %s%s%s", a->name,
		    a->operands[0] != '\0' ? " " : "", a->operands);
		return NULL;
	}
	err_set(err, ERR_USAGE, "no action '%s': add, remove, allow or list%s",
	    o->v[0], suggest_hint(&near, hint));
	return NULL;
}

static int
site_run(struct run *run, void *values, struct err *err)
{
	const struct site_args *args = values;
	const struct operands *o = &args->common.operands;
	AUTO(session) struct session *s = NULL;
	const struct action *a = find_action(o, err);
	int r;

	if (a == NULL)
		return err->code;
	r = a->keyless ? session_open_keyless(run, &args->store, &s, err)
		       : session_open(run, &args->store, &s, err);
	return r != 0 ? r : a->run(run, s, o->v + 1, err);
}

static const struct option_group groups[] = {
    STORE_GROUP(offsetof(struct site_args, store)),
    KEY_GROUP(offsetof(struct site_args, store)),
    PASSPHRASE_GROUP(offsetof(struct site_args, store)),
    COMMON_GROUP,
};

const struct command cmd_site = {
    .name = "site",
    .summary = "say to which sites the store may be sent",
    .about =
	"ACTION is one of\n"
	"  add NAME ADDRESS REQUEST  sign that the site which made the file\n"
	"                            REQUEST may hold this store\n"
	"  remove NAME               sign that it may not any more\n"
	"  allow COUNTRY...          sign in which countries sites may stand\n"
	"  list                      show all that; needs no key",
    .operands = {"ACTION", "[ARGUMENT]..."},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct site_args),
    .run = site_run,
};
