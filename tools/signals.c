#include "tools/signals.h"

#include "crypto/attr.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static const int caught[] = {SIGINT, SIGTERM, SIGHUP};

/* A signal handler has no context to be passed: the only mutable global. */
static atomic_bool stop;

static void
on_signal(UNUSED int signum)
{
	atomic_store(&stop, true);
}

static void
set_all(void (*handler)(int), bool once)
{
	for (size_t i = 0; i < ARRAY_LEN(caught); i++) {
		struct sigaction sa = {.sa_handler = handler};
		struct sigaction old;

		(void)sigemptyset(&sa.sa_mask);
		if (once)
			sa.sa_flags = (int)SA_RESETHAND;
		if (sigaction(caught[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			(void)sigaction(caught[i], &sa, NULL);
	}
}

void
signals_catch(void)
{
	/* No SA_RESTART: a read from the terminal must not wait on. */
	set_all(on_signal, true);
	/* A limit on the size of files is an error of the write, and told. */
	(void)signal(SIGXFSZ, SIG_IGN);
}

void
signals_release(void)
{
	set_all(SIG_DFL, false);
	(void)signal(SIGXFSZ, SIG_DFL);
}

const atomic_bool *
signals_stop(void)
{
	return &stop;
}
