#include "tools/prompt.h"

#include "crypto/secret.h"
#include "tools/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/*
 * While echo is off, signals that would end or suspend the process are held
 * back and only noticed; they take effect once the terminal is as it was.
 */
struct prompt {
	int tty;
	int signals; /* a signalfd: readable when one is held back */
	sigset_t mask;
	struct termios modes;
};

static int
prompt_open(struct prompt *p, struct err *err)
{
	static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
	sigset_t set;

	p->tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (p->tty < 0)
		return err_set(err, ERR_NOT_FOUND, "no terminal to ask at");
	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		(void)sigaddset(&set, held[i]);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals < 0 || tcgetattr(p->tty, &p->modes) != 0) {
		(void)err_errno(err, "cannot ask at the terminal");
		if (p->signals >= 0)
			(void)close(p->signals);
		(void)close(p->tty);
		return err->code;
	}
	(void)sigprocmask(SIG_BLOCK, &set, &p->mask);
	return 0;
}

static void
prompt_close(struct prompt *p)
{
	(void)tcsetattr(p->tty, TCSAFLUSH, &p->modes);
	(void)close(p->signals);
	(void)close(p->tty);
	/* What was held back happens here: the process may end, or stop. */
	(void)sigprocmask(SIG_SETMASK, &p->mask, NULL);
}

static int
write_all(int fd, const char *text, struct err *err)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			return err_errno(err, "cannot write to the terminal");
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* 1 when there is something to read, 0 when a signal came instead. */
static int
prompt_wait(const struct prompt *p, struct err *err)
{
	struct pollfd fds[] = {
	    {.fd = p->tty, .events = POLLIN},
	    {.fd = p->signals, .events = POLLIN},
	};

	while (poll(fds, ARRAY_LEN(fds), -1) < 0) {
		if (errno != EINTR)
			return err_errno(err, "cannot wait for the terminal");
	}
	return (fds[1].revents & POLLIN) != 0 ? 0 : 1;
}

/* Read a line into ${buf}. 1: it is there; 0: a signal came instead. */
static int
prompt_read(const struct prompt *p, char *buf, struct err *err)
{
	size_t len = 0;

	for (;;) {
		int r = prompt_wait(p, err);
		ssize_t n;

		if (r <= 0)
			return r;
		n = read(p->tty, buf + len, PROMPT_MAX + 1 - len);
		if (n < 0)
			return err_errno(err, "cannot read the terminal");
		if (n == 0)
			return err_set(err, ERR_CANCELLED, "nothing typed");
		len += (size_t)n;
		if (buf[len - 1] == '\n') {
			buf[len - 1] = '\0';
			return 1;
		}
		if (len > PROMPT_MAX)
			return err_set(err, ERR_USAGE, "that is too long");
	}
}

/* Ask once. 1: answered; 0: a signal came, and has been let through. */
static int
ask(const char *question, char *buf, struct err *err)
{
	struct prompt p;
	struct termios silent;
	int r = prompt_open(&p, err);

	if (r != 0)
		return r;
	silent = p.modes;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	silent.c_lflag |= ICANON | ISIG;
	if (tcsetattr(p.tty, TCSAFLUSH, &silent) != 0)
		r = err_errno(err, "cannot turn the terminal's echo off");
	else
		r = write_all(p.tty, question, err);
	if (r == 0) {
		r = prompt_read(&p, buf, err);
		if (write_all(p.tty, "\n", NULL) != 0 && r > 0)
			r = err_errno(err, "cannot write to the terminal");
	}
	prompt_close(&p);
	return r;
}

int
prompt_secret(const char *question, char **out, struct err *err)
{
	char *buf = secret_alloc(PROMPT_MAX + 2);
	int r;

	*out = NULL;
	if (buf == NULL)
		return err_nomem(err);
	do {
		r = ask(question, buf, err);
		if (r == 0 && atomic_load(signals_stop()))
			r = err_set(err, ERR_CANCELLED, "stopped");
	} while (r == 0);
	if (r < 0) {
		secret_free(buf);
		return r;
	}
	*out = buf;
	return 0;
}
