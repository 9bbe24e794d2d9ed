/* varve init: make a store, its first admin and its recovery key. */
#include "snapshot/expire/expire.h"
#include "tools/keep.h"
#include "tools/message.h"
#include "tools/passphrase.h"
#include "tools/recovery_file.h"
#include "tools/session.h"

#include "crypto/secret.h"

#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

struct init_args {
	struct common_args common;
	struct store_args store;
	const char *name;
	const char *recovery_key_file;
	struct keep_args keep;
};

static const struct option init_options[] = {
    {"name", 0, OPTION_TEXT, "NAME",
	"the first admin's name; your login name by default", NULL,
	offsetof(struct init_args, name), 0, 0},
    {"recovery-key-file", 0, OPTION_TEXT, "FILE",
	"write the recovery key to the new FILE instead of showing it", NULL,
	offsetof(struct init_args, recovery_key_file), 0, 0},
};

/* Who is at the keyboard: not 'root' where somebody used sudo. */
static int
login_name(char *out, size_t cap, struct err *err)
{
	const struct passwd *pw;

	if (getlogin_r(out, cap) == 0 && out[0] != '\0')
		return 0;
	pw = getpwuid(getuid());
	if (pw == NULL)
		return err_set(err, ERR_USAGE,
		    "user %ju has no login name: say --name NAME",
		    (uintmax_t)getuid());
	(void)snprintf(out, cap, "%s", pw->pw_name);
	return 0;
}

static int
choose_passphrase(const struct run *run, const struct store_args *store,
    const char *name, char **out, struct err *err)
{
	struct passphrase_source src = {
	    .file = store->passphrase_file,
	    .command = store->passphrase_command,
	    .fresh = true,
	};
	char question[384];
	char *env;
	int r = passphrase_take_env(&env, err);

	*out = NULL;
	src.given = env;
	(void)snprintf(
	    question, sizeof(question), "Choose a passphrase for %s: ", name);
	if (r == 0)
		r = passphrase_get(run, &src, question, out, err);
	secret_free(env);
	return r;
}

static void
show_text(const struct run *run, const struct init_args *args,
    const char *address, const char *name, const char *fingerprint,
    const char *recovery)
{
	if (message_summary(run))
		(void)printf(
		    "Made store '%s'; %s is its admin.\n\n", address, name);
	(void)printf("Fingerprint   %s\n", fingerprint);
	if (args->recovery_key_file == NULL)
		(void)printf("Recovery key  %s\n", recovery);
	else
		(void)printf(
		    "Recovery key  in '%s'\n", args->recovery_key_file);
	if (!message_summary(run))
		return;
	(void)printf("\n"
		     "Put both in a safe, on paper. The recovery key opens "
		     "every backup when all\n"
		     "passphrases are lost, and is not shown again. The "
		     "fingerprint tells this store\n"
		     "from any other.\n\n"
		     "Next:  export VARVE_STORE='%s'\n"
		     "       varve backup home /home\n",
	    address);
}

static void
show_json(struct json_out *o, const struct init_args *args, const char *address,
    const char *name, const char *fingerprint, const char *recovery)
{
	json_out_member(o, "store", json_out_name(address, strlen(address)));
	json_out_member(o, "person", json_string(name));
	json_out_member(o, "fingerprint", json_string(fingerprint));
	if (args->recovery_key_file == NULL)
		json_out_member(o, "recovery_key", json_string(recovery));
}

static void
show(const struct run *run, const struct init_args *args,
    const struct access *access, const struct recovery *recovery)
{
	const char *address = store_address(access_store(access));
	const char *name = access_identity(access)->pub.name;
	char fingerprint[FINGERPRINT_TEXT];
	char text[RECOVERY_TEXT];

	root_fingerprint_text(access_root(access)->fingerprint, fingerprint);
	recovery_text(recovery, text);
	if (run->json != NULL)
		show_json(run->json, args, address, name, fingerprint, text);
	else
		show_text(run, args, address, name, fingerprint, text);
	secret_wipe(text, sizeof(text));
}

/* The store is an operand, or named as every other command has it. */
static int
where(const struct init_args *args, const char **out, struct err *err)
{
	if (args->common.operands.n == 0)
		return session_address(&args->store, out, err);
	*out = args->common.operands.v[0];
	return 0;
}

/* What can be told before anyone chooses a passphrase. */
static int
check_free(const char *address, struct err *err)
{
	AUTO(access) struct access *there = NULL;

	if (access_open_keyless(address, &there, NULL) != 0)
		return 0;
	return err_set(
	    err, ERR_USAGE, "there is a store already: '%s'", address);
}

static int
make_store(const char *address, const char *name, const char *pass,
    const char *key_file, struct access **access, struct recovery **recovery,
    struct err *err)
{
	int fd = -1;
	int r;

	if (key_file == NULL)
		return access_init(address, name, pass, access, recovery, err);
	r = recovery_file_create(key_file, &fd, err);
	if (r != 0)
		return r;
	r = access_init(address, name, pass, access, recovery, err);
	if (r != 0)
		(void)unlink(key_file);
	else if (recovery_file_write(fd, key_file, *recovery, err) != 0)
		r = err_wrap(err,
		    "the store is made, but its recovery key is lost (remove "
		    "it and start again)");
	(void)close(fd);
	return r;
}

/* Who can't see the recovery key has lost it. */
static int
show_made(struct run *run, const struct init_args *args, const char *address,
    struct access *access, const struct recovery *recovery, struct err *err)
{
	show(run, args, access, recovery);
	if (run->json == NULL && args->recovery_key_file == NULL &&
	    (fflush(stdout) != 0 || ferror(stdout) != 0))
		return err_set(err, ERR_IO,
		    "the store '%s' is made, but its recovery key could not be "
		    "shown, and is lost (remove the store and start again)",
		    address);
	return 0;
}

static int
init_run(struct run *run, void *values, struct err *err)
{
	const struct init_args *args = values;
	AUTO(access) struct access *access = NULL;
	AUTO(recovery) struct recovery *recovery = NULL;
	char login[LOGIN_NAME_MAX + 1];
	const char *name = args->name;
	const char *address;
	struct rules rules;
	bool ruled;
	char *pass = NULL;
	int r = where(args, &address, err);

	if (r == 0)
		r = keep_parse(&args->keep, &rules, &ruled, err);
	if (r == 0)
		r = check_free(address, err);
	if (r == 0 && name == NULL) {
		r = login_name(login, sizeof(login), err);
		name = login;
	}
	if (r == 0)
		r = choose_passphrase(run, &args->store, name, &pass, err);
	if (r == 0)
		r = make_store(address, name, pass, args->recovery_key_file,
		    &access, &recovery, err);
	secret_free(pass);
	if (r == 0)
		r = show_made(run, args, address, access, recovery, err);
	if (r != 0 || !ruled)
		return r;
	r = expire_set_default(access, &rules, err);
	return r != 0 ? err_wrap(err,
			    "the store is made, but without what is to be kept "
			    "('varve dataset set --default')")
		      : EXIT_DONE;
}

static const struct option_group groups[] = {
    OPTION_GROUP("Options", init_options, 0),
    KEEP_GROUP(offsetof(struct init_args, keep)),
    /* Not --fingerprint: there is none yet. */
    {.title = "Store",
	.options = store_options,
	.n = 1,
	.base = offsetof(struct init_args, store)},
    PASSPHRASE_GROUP(offsetof(struct init_args, store)),
    COMMON_GROUP,
};

const struct command cmd_init = {
    .name = "init",
    .summary = "make a store and its first admin",
    .about = "Make a new store in the directory STORE, which must be "
	     "missing or empty,\nand its first admin; show the store's "
	     "fingerprint and its recovery key.",
    .operands = {"[STORE]"},
    .groups = groups,
    .ngroups = ARRAY_LEN(groups),
    .args_size = sizeof(struct init_args),
    .run = init_run,
};
