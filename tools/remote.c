#include "tools/remote.h"

#include "crypto/secret.h"
#include "tools/passphrase.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECT_MS 20000

/* What serves a directory of this machine: the same program. */
static const char self[] = "/proc/self/exe";

const struct option remote_options[1] = {
    {"ssh", 0, OPTION_TEXT, "COMMAND",
	"reach ssh:// addresses by COMMAND, in place of 'ssh'", "VARVE_SSH",
	offsetof(struct remote_args, ssh), 0, 0},
};

/* --- this side ---------------------------------------------------------- */

static bool
names_key(const struct store_args *args)
{
	return args->person != NULL || args->key_file != NULL ||
	       args->recovery_key_file != NULL;
}

static int
open_site(struct remote *r, const char *address, struct err *err)
{
	struct err why;
	int rc = sitedir_open(address, &r->site, &why);

	return rc == 0 || rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
}

/* Whether the store knows its own site's key, so that others do. */
static bool
site_is_known(const struct remote *r)
{
	char text[PEER_TEXT];
	struct err ignored;

	return access_peer(r->session->access, &sitedir_key(r->site)->pub.sign,
		   party_time(), text, &ignored) == 0;
}

/* A child must not find the passphrase, needed or not. */
static int
forget_passphrase(struct err *err)
{
	char *env = NULL;
	int rc = passphrase_take_env(&env, err);

	secret_free(env);
	return rc;
}

static int
open_as_site(struct remote *r, const struct store_args *args, struct err *err)
{
	struct err why;
	int rc = session_open_keyless(r->run, args, &r->session, &why);

	/* An empty replica isn't a store yet. */
	if (rc != 0 && rc != ERR_NOT_FOUND)
		return err_copy(err, &why);
	r->party.key = sitedir_key(r->site);
	return 0;
}

static int
open_by_key(struct remote *r, const struct store_args *args, struct err *err)
{
	const struct identity *id;
	int rc = session_open(r->run, args, &r->session, err);

	if (rc != 0)
		return rc;
	id = access_identity(r->session->access);
	if (id == NULL)
		return err_set(err, ERR_USAGE,
		    "other sites know persons, hosts and sites: the recovery "
		    "key"
		    " is none of them");
	r->party.key = id;
	return 0;
}

static int
open_store(struct remote *r, const struct store_args *args, enum remote_by by,
    struct err *err)
{
	bool as_site = by == REMOTE_BY_SITE;
	int rc = 0;

	if (as_site && r->site == NULL)
		return err_set(err, ERR_USAGE,
		    "'%s' is no site, which alone can pull: see 'varve serve"
		    " --init'",
		    args->store);
	if (r->site != NULL && by != REMOTE_BY_PERSON &&
	    (as_site || !names_key(args))) {
		rc = open_as_site(r, args, err);
		if (rc != 0 || as_site ||
		    (r->session != NULL && site_is_known(r)))
			return rc != 0 ? rc : forget_passphrase(err);
		session_close(STEAL(r->session));
	}
	return open_by_key(r, args, err);
}

int
remote_open(const struct run *run, const struct store_args *args,
    const struct remote_args *how, enum remote_by by, struct remote **out,
    struct err *err)
{
	AUTO(remote) struct remote *r = calloc(1, sizeof(*r));
	const char *address;
	int rc;

	*out = NULL;
	if (r == NULL)
		return err_nomem(err);
	r->run = run;
	r->ssh = how->ssh;
	r->transport.fd = -1;
	(void)signal(SIGPIPE, SIG_IGN);
	rc = session_address(args, &address, err);
	if (rc == 0)
		rc = open_site(r, address, err);
	if (rc == 0)
		rc = open_store(r, args, by, err);
	if (rc != 0)
		return rc;
	r->party.address = address;
	r->party.site = r->site;
	if (r->session != NULL) {
		r->party.access = r->session->access;
		r->party.fingerprint =
		    access_root(r->party.access)->fingerprint;
	} else {
		r->party.fingerprint = sitedir_request(r->site)->fingerprint;
	}
	*out = STEAL(r);
	return 0;
}

void
remote_close(struct remote *r)
{
	if (r == NULL)
		return;
	remote_disconnect(r);
	/* That of an empty replica, which was opened when it was no longer so. */
	if (r->session == NULL)
		access_close(r->party.access);
	session_close(r->session);
	sitedir_close(r->site);
	free(r);
}

const char *
remote_dataset(const struct remote *r, const uint8_t dataset[DATASET_ID_LEN])
{
	const struct access *a = r->party.access;

	for (size_t i = 0; a != NULL && i < access_datasets(a); i++) {
		const struct dataset *ds = access_dataset(a, i);

		if (memcmp(ds->id, dataset, DATASET_ID_LEN) == 0)
			return ds->name;
	}
	return NULL;
}

/* --- the other side ----------------------------------------------------- */

static bool
is_address(const char *name)
{
	return strchr(name, '/') != NULL;
}

int
remote_find(struct remote *r, const char *name, struct err *err)
{
	int rc;

	if (is_address(name)) {
		rc = transport_check(name, err);
		if (rc == 0 && strlen(name) > SITE_ADDRESS_MAX)
			rc = err_set(err, ERR_USAGE, "the address is too long");
		if (rc != 0)
			return rc;
		(void)snprintf(r->address, sizeof(r->address), "%s", name);
		(void)snprintf(r->text, sizeof(r->text), "'%s'", name);
		return 0;
	}
	if (r->party.access == NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "this replica is empty and knows no site yet: say the"
		    " address, such as tls://HOST:PORT");
	rc = site_find(r->party.access, name, &r->statement, err);
	if (rc != 0)
		return rc;
	r->known = true;
	(void)snprintf(
	    r->address, sizeof(r->address), "%s", r->statement.address);
	(void)snprintf(r->text, sizeof(r->text), "site '%s'", name);
	return 0;
}

/* A program that ended badly says more than that nobody answers any more. */
static int
blame_child(const struct remote *r, int rc, struct err *err)
{
	const struct err was = *err;
	int status = r->transport.status;

	if (rc != ERR_IO || !WIFEXITED(status) || WEXITSTATUS(status) == 0)
		return rc;
	if (WEXITSTATUS(status) == TRANSPORT_NO_PROGRAM)
		return err_set(err, ERR_IO,
		    "%s (the program that reaches it, or 'varve' there, can't"
		    " be run)",
		    was.text);
	return err_set(err, ERR_IO,
	    "%s (the program that reaches it ended with status %d)", was.text,
	    WEXITSTATUS(status));
}

int
remote_connect(
    struct remote *r, enum hello_mode mode, bool follow, struct err *err)
{
	const struct transport_plan plan = {
	    .program = self, .ssh = r->ssh, .connect_ms = CONNECT_MS};
	const struct wish wish = {
	    .mode = mode,
	    .follow = follow,
	    .site = r->known ? &r->statement : NULL,
	    .text = r->text,
	};
	int fd;
	int rc = transport_connect(r->address, &plan, &r->transport, err);

	if (rc != 0)
		return rc;
	fd = r->transport.fd;
	r->transport.fd = -1;
	rc = party_connect(&r->party, fd, &wish, &r->meeting, err);
	if (rc == 0)
		return 0;
	remote_disconnect(r);
	return blame_child(r, rc, err);
}

void
remote_disconnect(struct remote *r)
{
	channel_free(STEAL(r->meeting.channel));
	transport_close(&r->transport);
}
