#include "tools/serve_run.h"

#include "snapshot/replicate/server.h"
#include "snapshot/replicate/transport.h"
#include "snapshot/state/receipts.h"
#include "snapshot/state/state.h"
#include "tools/message.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENERS 16
#define CLIENTS_MAX 1024

const struct option serve_run_options[3] = {
    {"listen", 0, OPTION_TEXT, "ADDRESS:PORT",
	"serve whoever connects there, and is known to the store", NULL,
	offsetof(struct serve_run_args, listen), 0, 0},
    {"stdio", 0, OPTION_FLAG, NULL,
	"serve one client over standard input and output, as ssh runs it", NULL,
	offsetof(struct serve_run_args, stdio), 0, 0},
    {"clients", 0, OPTION_NUMBER, "N",
	"serve N clients at once at most; by default 32", NULL,
	offsetof(struct serve_run_args, clients), 1, CLIENTS_MAX},
};

struct serving {
	const struct run *run;
	bool quiet;                /* the client says it all */
	struct receipts *receipts; /* NULL: they can't be kept */
};

/* A line for the journal. */
static void
on_event(void *arg, const char *client, const struct err *why)
{
	const struct serving *sv = arg;
	const struct run *run = sv->run;

	if (sv->quiet)
		return;
	if (why->code == 0 && client != NULL)
		message_note(run, "%s: %s", client, why->text);
	else if (why->code == 0)
		message_note(run, "%s", why->text);
	else if (client != NULL)
		message_problem(run, "%s: %s", client, why->text);
	else
		message_problem(run, "%s", why->text);
}

/* --- receipts of who fetches, for 'varve status' ------------------------- */

static int
keep_receipt(void *arg, const uint8_t buf[RECEIPT_LEN],
    UNUSED const struct receipt *receipt, struct err *err)
{
	const struct serving *sv = arg;

	return sv->receipts != NULL
		   ? receipts_put(sv->receipts, buf, RECEIPT_LEN, err)
		   : 0;
}

/* Nothing is fetched from an empty replica: it can do without. */
static void
open_receipts(struct serving *sv, const char *address)
{
	AUTO(access) struct access *a = NULL;
	char dir[STATE_PATH_MAX];
	struct err why = {0};

	if (access_open_keyless(address, &a, NULL) != 0)
		return;
	if ((state_default_dir(dir, &why) != 0 ||
		receipts_open(
		    dir, access_root(a)->store, &sv->receipts, &why) != 0) &&
	    !sv->quiet)
		message_warning(sv->run,
		    "receipts can't be kept on this machine: %s", why.text);
}

/* ------------------------------------------------------------------------- */

/* Each client has some hundred files open while a batch fills. */
static void
raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	/* Without it, fewer clients find room. */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int
listen_there(const struct server_options *opt, const struct run *run,
    const char *address, struct err *err)
{
	int fds[LISTENERS];
	size_t n;
	int r = transport_listen(address, fds, LISTENERS, &n, err);

	if (r != 0)
		return r;
	message_result(run, "serving '%s' at %s", opt->address, address);
	r = server_listen(opt, fds, n, err);
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
	return r != 0 ? r : EXIT_DONE;
}

static int
serve_stdio(const struct server_options *opt, struct err *err)
{
	const char *from = getenv("SSH_CONNECTION");
	struct transport t;
	int r = transport_stdio(&t, err);

	if (r != 0)
		return r;
	r = server_one(opt, t.fd, from != NULL ? from : "standard input", err);
	t.fd = -1;
	transport_close(&t);
	/* The client has been told, and says it. */
	return r != 0 ? EXIT_FAILED : EXIT_DONE;
}

int
serve_run(const struct run *run, const struct serve_run_args *args,
    const char *address, struct err *err)
{
	AUTO(sitedir) struct sitedir *site = NULL;
	struct serving serving = {
	    .run = run,
	    .quiet = args->stdio && !run->common->verbose,
	};
	struct server_options opt = {
	    .address = address,
	    .clients =
		args->clients != 0 ? (unsigned)args->clients : SERVER_CLIENTS,
	    .stop = run->stop,
	    .on_event = on_event,
	    .on_receipt = keep_receipt,
	    .arg = &serving,
	};
	int r;

	if (args->stdio == (args->listen != NULL))
		return err_set(err, ERR_USAGE,
		    "what is to be done? --init, --listen ADDRESS:PORT or"
		    " --stdio");
	if (args->stdio && args->clients != 0)
		return err_set(err, ERR_USAGE,
		    "--clients goes with --listen: --stdio serves one");
	r = sitedir_open(address, &site, err);
	if (r != 0)
		return r;
	opt.site = site;
	(void)signal(SIGPIPE, SIG_IGN);
	raise_limits();
	open_receipts(&serving, address);
	r = args->stdio ? serve_stdio(&opt, err)
			: listen_there(&opt, run, args->listen, err);
	receipts_close(serving.receipts);
	return r;
}
