/* varve grant: give a person or a host a role. */
#include "snapshot/expire/expire.h"
#include "snapshot/log/when.h"
#include "tools/describe.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/subject.h"
#include "tools/suggest.h"

#include <string.h>

struct grant_args {
	struct common_args common;
	struct store_args store;
	const char *person;
	const char *host;
	const char *key_file;
	const char *new_passphrase_file;
	const char *until;
};

static const struct option grant_options[] = {
    {"person", 0, OPTION_TEXT, "NAME",
	"the person who gets the role; made when new", NULL,
	offsetof(struct grant_args, person), 0, 0},
    {"new-passphrase-file", 0, OPTION_TEXT, "FILE",
	"that person's passphrase, instead of asking for it", NULL,
	offsetof(struct grant_args, new_passphrase_file), 0, 0},
    {"host", 0, OPTION_TEXT, "NAME", "the host that gets the role", NULL,
	offsetof(struct grant_args, host), 0, 0},
    {"key-file", 0, OPTION_TEXT, "FILE",
	"that host's key file; made when missing", NULL,
	offsetof(struct grant_args, key_file), 0, 0},
    {"until", 0, OPTION_TEXT, "TIME", "when the grant ends; by default never",
	NULL, offsetof(struct grant_args, until), 0, 0},
};

/* '--person' names somebody else here. */
static const struct option admin_options[] = {
    {"as", 0, OPTION_TEXT, "NAME", "the admin who grants", "VARVE_PERSON",
	offsetof(struct store_args, person), 0, 0},
    {"recovery-key-file", 0, OPTION_TEXT, "FILE",
	"grant by the recovery key that FILE holds", NULL,
	offsetof(struct store_args, recovery_key_file), 0, 0},
};

/* A grant being made. */
struct granting {
	struct run *run;
	const struct grant_args *args;
	struct session *session;
	enum role role;
	const struct dataset *dataset; /* NULL for an admin */
	bool created_dataset;
	int64_t until;
	struct subject subject;
};

static int
parse_role(const char *text, enum role *out, struct err *err)
{
	static const enum role roles[] = {ROLE_ADMIN, ROLE_READER, ROLE_WRITER};
	char hint[SUGGEST_HINT];
	struct suggest near = {.typed = text};

	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		*out = roles[i];
		if (strcmp(text, role_name(roles[i])) == 0)
			return 0;
		suggest_offer(&near, role_name(roles[i]));
	}
	return err_set(err, ERR_USAGE,
	    "no role '%s': admin, reader or writer%s", text,
	    suggest_hint(&near, hint));
}

static int
parse_until(const char *text, int64_t *out, struct err *err)
{
	struct moment m;
	int r;

	*out = INT64_MAX;
	if (text == NULL)
		return 0;
	r = when_parse(text, session_now(), &m, err);
	if (r != 0)
		return err_wrap(err, "--until");
	*out = m.s + 1; /* the grant's end is exclusive */
	return 0;
}

static int
check_args(const struct granting *g, struct err *err)
{
	const struct grant_args *args = g->args;

	if ((args->person != NULL) == (args->host != NULL))
		return err_set(err, ERR_USAGE,
		    "who gets the role? --person NAME, or --host NAME "
		    "--key-file FILE");
	if ((args->host != NULL) != (args->key_file != NULL))
		return err_set(
		    err, ERR_USAGE, "--host and --key-file go together");
	if (args->person == NULL && args->new_passphrase_file != NULL)
		return err_set(err, ERR_USAGE,
		    "--new-passphrase-file is a person's: a host has none");
	if ((g->role == ROLE_ADMIN) != (args->common.operands.n == 1))
		return err_set(err, ERR_USAGE,
		    g->role == ROLE_ADMIN
			? "an admin is one of the whole store: no DATASET"
			: "on which DATASET?");
	return 0;
}

/* A host that is to make a dataset's first backup needs the dataset before. */
static int
find_dataset(struct granting *g, const char *name, struct err *err)
{
	struct access *a = g->session->access;
	int r;

	g->dataset = access_find(a, name);
	if (g->dataset != NULL)
		return 0;
	if (g->role != ROLE_WRITER)
		return err_set(err, ERR_NOT_FOUND, "no dataset '%s'", name);
	g->created_dataset = true;
	r = access_create_dataset(a, name, &g->dataset, err);
	return r != 0 ? r
		      : expire_inherit(a, g->dataset, g->session->heads, err);
}

static void
show_text(const struct granting *g)
{
	const struct identity_public *pub = &g->subject.identity->pub;
	char time[OUTPUT_TIME];

	if (g->created_dataset)
		(void)printf("made dataset '%s'\n", g->dataset->name);
	(void)printf("%s '%s' is now %s", g->args->host ? "host" : "person",
	    pub->name, role_name(g->role));
	if (g->dataset != NULL)
		(void)printf(" of '%s'", g->dataset->name);
	if (g->until != INT64_MAX)
		(void)printf(" until %s", output_until(g->until, time));
	(void)putchar('\n');
	if (g->args->host != NULL && g->subject.created)
		(void)printf("its key is in '%s': keep it where only root of "
			     "that host can read it\n",
		    g->args->key_file);
}

static void
show_json(const struct granting *g)
{
	const struct identity_public *pub = &g->subject.identity->pub;
	struct json_out *o = g->run->json;
	char id[2 * IDENTITY_ID_LEN + 1];

	json_out_member(o, "role", json_string(role_name(g->role)));
	json_out_member(o, "kind", json_string(identity_kind_name(pub->kind)));
	json_out_member(o, "name", json_string(pub->name));
	json_out_member(
	    o, "id", json_string(output_hex(pub->id, IDENTITY_ID_LEN, id)));
	json_out_member(o, "dataset",
	    g->dataset != NULL ? json_string(g->dataset->name) : json_null());
	json_out_member(o, "until",
	    g->until != INT64_MAX
		? describe_moment((struct moment){g->until, 0})
		: json_null());
	json_out_member(o, "created", json_boolean(g->subject.created));
	json_out_member(o, "created_dataset", json_boolean(g->created_dataset));
}

static int
grant(struct granting *g, struct err *err)
{
	const struct operands *o = &g->args->common.operands;
	int r;

	if (!access_is_admin(g->session->access))
		return err_set(err, ERR_DENIED, "only an admin may grant");
	r = o->n > 1 ? find_dataset(g, o->v[1], err) : 0;
	if (r == 0 && g->args->host != NULL)
		r = subject_host(
		    g->args->host, g->args->key_file, &g->subject, err);
	else if (r == 0)
		r = subject_person(g->session, g->args->person,
		    g->args->new_passphrase_file, &g->subject, err);
	if (r == 0)
		r = access_grant(g->session->access, &g->subject.identity->pub,
		    g->role, g->dataset, g->until, err);
	if (r != 0)
		return r;
	if (g->run->json != NULL)
		show_json(g);
	else if (!g->run->common->quiet)
		show_text(g);
	return EXIT_DONE;
}

static int
grant_command(struct run *run, void *values, struct err *err)
{
	const struct grant_args *args = values;
	AUTO(session) struct session *s = NULL;
	struct granting g = {.run = run, .args = args};
	const struct operands *o = &args->common.operands;
	const char *dataset = o->n > 1 ? o->v[1] : NULL;
	int r = parse_role(o->v[0], &g.role, err);

	if (r == 0)
		r = check_args(&g, err);
	if (r == 0)
		r = parse_until(args->until, &g.until, err);
	if (r == 0)
		r = session_open_for(run, &args->store, &dataset, 1, &s, err);
	if (r != 0)
		return r;
	g.session = s;
	r = grant(&g, err);
	subject_clear(&g.subject);
	return r;
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", grant_options, 0),
    STORE_GROUP(offsetof(struct grant_args, store)),
    OPTION_GROUP("Key", admin_options, offsetof(struct grant_args, store)),
    PASSPHRASE_GROUP(offsetof(struct grant_args, store)),
    COMMON_GROUP,
};

const struct command cmd_grant = {
    .name = "grant",
    .summary = "give a person or a host a role",
    .about = "Give a person or a host the ROLE admin, reader or writer. A "
	     "reader may open the\nbackups of DATASET; a writer may make "
	     "them, but not open them; an admin may do\nboth with every "
	     "dataset, and grant.",
    .operands = {"ROLE", "[DATASET]"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct grant_args),
    .run = grant_command,
};
