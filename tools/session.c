#include "tools/session.h"

#include "crypto/secret.h"
#include "tools/message.h"
#include "tools/passphrase.h"
#include "tools/recovery_file.h"
#include "tools/session_known.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct option store_options[2] = {
    {"store", 's', OPTION_TEXT, "STORE", "the store: a directory",
	"VARVE_STORE", offsetof(struct store_args, store), 0, 0},
    {"fingerprint", 0, OPTION_TEXT, "TEXT",
	"open the store only if this is its fingerprint, and remember it",
	"VARVE_FINGERPRINT", offsetof(struct store_args, fingerprint), 0, 0},
};

const struct option passphrase_options[2] = {
    {"passphrase-file", 0, OPTION_TEXT, "FILE",
	"take the passphrase from the first line of FILE",
	"VARVE_PASSPHRASE_FILE", offsetof(struct store_args, passphrase_file),
	0, 0},
    {"passphrase-command", 0, OPTION_TEXT, "COMMAND",
	"take the passphrase from the first line that COMMAND prints",
	"VARVE_PASSPHRASE_COMMAND",
	offsetof(struct store_args, passphrase_command), 0, 0},
};

const struct option key_options[3] = {
    {"person", 0, OPTION_TEXT, "NAME",
	"whose passphrase it is, where the store knows several persons",
	"VARVE_PERSON", offsetof(struct store_args, person), 0, 0},
    {"key-file", 0, OPTION_TEXT, "FILE",
	"open the store with a host's key file; no passphrase is needed",
	"VARVE_KEY_FILE", offsetof(struct store_args, key_file), 0, 0},
    {"recovery-key-file", 0, OPTION_TEXT, "FILE",
	"open the store with the recovery key that FILE holds", NULL,
	offsetof(struct store_args, recovery_key_file), 0, 0},
};

struct moment
session_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (struct moment){now.tv_sec, (uint32_t)now.tv_nsec};
}

int
session_address(
    const struct store_args *args, const char **out, struct err *err)
{
	*out = args->store;
	if (args->store == NULL || args->store[0] == '\0')
		return err_set(err, ERR_USAGE,
		    "which store? say --store STORE, or set VARVE_STORE");
	return 0;
}

/* What the passphrase's callback works from. */
struct asking {
	const struct run *run;
	const struct store_args *args;
	const struct meanwhile *meanwhile; /* or NULL */
	const char *address;
	char *env;                   /* from the environment, or NULL */
	const char *const *datasets; /* those to open */
	size_t ndatasets;            /* 0: all */
};

static void
none_awaited(const struct asking *a)
{
	if (a->meanwhile != NULL && a->meanwhile->given != NULL)
		a->meanwhile->given(a->meanwhile->arg);
}

static int
ask_passphrase(void *arg, const char *name, char **pass, struct err *err)
{
	const struct asking *a = arg;
	const struct meanwhile *m = a->meanwhile;
	const struct passphrase_source src = {
	    .file = a->args->passphrase_file,
	    .command = a->args->passphrase_command,
	    .given = a->env,
	};
	char question[512];
	int r;

	(void)snprintf(question, sizeof(question),
	    "Passphrase of %.128s for '%.256s': ", name, a->address);
	if (m != NULL && m->asking != NULL)
		m->asking(m->arg, a->address);
	r = passphrase_get(a->run, &src, question, pass, err);
	if (r == 0)
		none_awaited(a);
	return r;
}

/* What would be passed over was meant for something. */
static int
check_one_key(const struct store_args *args, struct err *err)
{
	if (args->key_file != NULL && args->recovery_key_file != NULL)
		return err_set(err, ERR_USAGE,
		    "a key file and a recovery key are given: which one?");
	if (args->person == NULL)
		return 0;
	if (args->key_file != NULL)
		return err_set(err, ERR_USAGE,
		    "a person and a key file are given (--person or "
		    "VARVE_PERSON, --key-file or VARVE_KEY_FILE): which one?");
	if (args->recovery_key_file != NULL)
		return err_set(err, ERR_USAGE,
		    "a person and a recovery key are given: which one?");
	return 0;
}

static int
open_with_key(struct asking *asking, struct access **out, struct err *err)
{
	const struct store_args *args = asking->args;
	AUTO(recovery) struct recovery *recovery = NULL;
	struct credential cred = {
	    .person = args->person,
	    .passphrase = ask_passphrase,
	    .arg = asking,
	    .keyfile = args->key_file,
	};
	int r = check_one_key(args, err);

	if (r == 0 && args->recovery_key_file != NULL)
		r = recovery_file_read(args->recovery_key_file, &recovery, err);
	if (r != 0)
		return r;
	cred.recovery = recovery;
	if (args->key_file != NULL || recovery != NULL)
		none_awaited(asking);
	return access_open_datasets(asking->address, &cred, asking->datasets,
	    asking->ndatasets, out, err);
}

/* --- opening --------------------------------------------------------------- */

static int
session_new(const struct run *run, const struct store_args *args,
    struct access *access, struct session **out, struct err *err)
{
	AUTO(session) struct session *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL) {
		access_close(access);
		return err_nomem(err);
	}
	s->run = run;
	s->access = access;
	r = session_remember(s, args, err);
	if (r != 0)
		return r;
	*out = STEAL(s);
	return 0;
}

static void
note_who(const struct run *run, const struct access *access)
{
	const struct identity *id = access_identity(access);

	message_note(run, "opened store '%s' as %s%s",
	    store_address(access_store(access)),
	    id != NULL ? id->pub.name : "the holder of the recovery key",
	    access_is_admin(access) ? ", admin" : "");
	if (!secret_locked())
		message_note(run,
		    "keys could not be locked in memory: raise 'ulimit -l'");
}

/*
 * No key of ours opens a store that was put in the place of another: whoever is
 * told so need not look for what is wrong with the key. What can't be told is
 * left, for the failure is told anyway; and nothing is remembered of the store.
 */
static int
explain(const struct asking *asking, int r, struct err *err)
{
	AUTO(session) struct session *s = NULL;
	struct err why;

	if (r != ERR_DENIED && r != ERR_AUTH && r != ERR_NOT_FOUND)
		return r;
	s = calloc(1, sizeof(*s));
	if (s == NULL ||
	    access_open_keyless(asking->address, &s->access, &why) != 0 ||
	    session_compare(s, asking->args, &why) != ERR_AUTH)
		return r;
	return err_copy(err, &why);
}

static int
open_session(struct asking *asking, struct session **out, struct err *err)
{
	struct access *access = NULL;
	int r;

	*out = NULL;
	r = passphrase_take_env(&asking->env, err);
	if (r == 0)
		r = session_address(asking->args, &asking->address, err);
	if (r == 0)
		r = open_with_key(asking, &access, err);
	secret_free(asking->env);
	if (r != 0)
		return explain(asking, r, err);
	note_who(asking->run, access);
	r = session_new(asking->run, asking->args, access, out, err);
	if (r == 0 && asking->ndatasets == 0 && session_sees_none(*out))
		message_problem(asking->run,
		    "this key may see none of the datasets that store '%s' "
		    "holds: it was granted none, or its grant is missing (see "
		    "'varve check')",
		    store_address(access_store(access)));
	return r;
}

int
session_open(const struct run *run, const struct store_args *args,
    struct session **out, struct err *err)
{
	return session_open_meanwhile(run, args, NULL, 0, NULL, out, err);
}

int
session_open_for(const struct run *run, const struct store_args *args,
    const char *const *datasets, size_t n, struct session **out,
    struct err *err)
{
	return session_open_meanwhile(run, args, datasets, n, NULL, out, err);
}

int
session_open_meanwhile(const struct run *run, const struct store_args *args,
    const char *const *datasets, size_t n, const struct meanwhile *m,
    struct session **out, struct err *err)
{
	struct asking asking = {
	    .run = run,
	    .args = args,
	    .meanwhile = m,
	    .datasets = datasets,
	    .ndatasets = n,
	};

	for (size_t i = 0; i < n; i++) {
		if (datasets[i] == NULL)
			asking.ndatasets = 0;
	}
	return open_session(&asking, out, err);
}

int
session_open_keyless(const struct run *run, const struct store_args *args,
    struct session **out, struct err *err)
{
	struct access *access;
	const char *address;
	int r = session_address(args, &address, err);

	*out = NULL;
	if (r == 0)
		r = access_open_keyless(address, &access, err);
	return r != 0 ? r : session_new(run, args, access, out, err);
}

void
session_close(struct session *s)
{
	if (s == NULL)
		return;
	segcache_free(s->cache);
	heads_close(s->heads);
	access_close(s->access);
	free(s->state_dir);
	free(s);
}
