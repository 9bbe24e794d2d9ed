#include "fs/loop_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#define THREADS 10
#define SPIN_NS 50000 /* to look out for the next request */
#define NS_PER_S 1000000000L
#define ANSWER_MS 5 /* to wait for a request when it has ended */

/* --- making -------------------------------------------------------------- */

static void
cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

int
loop_new(struct fuse_session *session, unsigned threads, struct loop **out,
    struct err *err)
{
	struct loop *l = calloc(1, sizeof(*l));

	*out = NULL;
	if (l == NULL)
		return err_nomem(err);
	l->over_fd = eventfd(0, EFD_CLOEXEC);
	if (l->over_fd < 0) {
		free(l);
		return err_errno(err, "cannot make an event");
	}
	l->session = session;
	/* Where there is one processor, who spins keeps it from the others. */
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		l->spin_ns = SPIN_NS;
	l->max = threads == 0 ? THREADS : threads;
	if (l->max < 2)
		l->max = 2;
	if (l->max > LOOP_THREADS_MAX)
		l->max = LOOP_THREADS_MAX;
	pthread_mutex_init(&l->mu, NULL);
	cond_init(&l->lead);
	cond_init(&l->stall);
	*out = l;
	return 0;
}

static void
clear_worker(struct worker *w)
{
	(void)close(w->epoll_fd);
	free(w->mem);
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	for (unsigned i = 0; i < l->n; i++)
		clear_worker(&l->workers[i]);
	(void)close(l->over_fd);
	pthread_mutex_destroy(&l->mu);
	pthread_cond_destroy(&l->lead);
	pthread_cond_destroy(&l->stall);
	free(l);
}

/* One request is to wake one thread, the end all of them. */
static int
new_epoll(const struct loop *l, int *out)
{
	struct epoll_event request = {.events = EPOLLIN | EPOLLEXCLUSIVE};
	struct epoll_event over = {.events = EPOLLIN};
	int fd = epoll_create1(EPOLL_CLOEXEC), errnum;

	if (fd < 0)
		return errno;
	if (epoll_ctl(fd, EPOLL_CTL_ADD, fuse_session_fd(l->session),
		&request) == 0 &&
	    epoll_ctl(fd, EPOLL_CTL_ADD, l->over_fd, &over) == 0) {
		*out = fd;
		return 0;
	}
	errnum = errno;
	(void)close(fd);
	return errnum;
}

static void *worker_main(void *arg);

int
loop_add_worker(struct loop *l)
{
	struct worker *w = &l->workers[l->n];
	int rc;

	if (l->n == l->max)
		return EAGAIN;
	w->loop = l;
	rc = new_epoll(l, &w->epoll_fd);
	if (rc != 0)
		return rc;
	w->mem = malloc(loop_request_max());
	rc = w->mem == NULL ? ENOMEM
			    : pthread_create(&w->thread, NULL, worker_main, w);
	if (rc == 0)
		l->n++;
	else
		clear_worker(w);
	return rc;
}

static void
end(struct loop *l, int errnum)
{
	static const uint64_t one = 1;

	if (!l->over) {
		l->over = true;
		l->errnum = errnum;
		fuse_session_exit(l->session);
		(void)!write(l->over_fd, &one, sizeof(one));
	}
	pthread_cond_broadcast(&l->lead);
	pthread_cond_broadcast(&l->stall);
}

/* --- requests ------------------------------------------------------------ */

/* What libfuse tells the kernel to expect: 256 pages, and what is before them. */
size_t
loop_request_max(void)
{
	return (size_t)sysconf(_SC_PAGESIZE) * 256 + 4096;
}

int
loop_receive(const struct fuse_session *session, char *mem)
{
	/* libfuse drops what it took when the session has ended meanwhile. */
	ssize_t n = read(fuse_session_fd((struct fuse_session *)session), mem,
	    loop_request_max());

	if (n < 0 && errno == ENODEV)
		return 0;
	if (n < 0) /* ENOENT: it was taken back while it was being read */
		return errno == ENOENT ? -EINTR : -errno;
	return (size_t)n < sizeof(struct fuse_in_header) ? -EIO : (int)n;
}

static bool
is_read(const char *mem)
{
	struct fuse_in_header head;

	memcpy(&head, mem, sizeof(head));
	return head.opcode == FUSE_READ;
}

/* Until there is a request; false: the worker is to wait for the lead again. */
static bool
sleep_till_request(struct loop *l, const struct worker *me)
{
	struct epoll_event event;
	bool stay;

	pthread_mutex_lock(&l->mu);
	stay = loop_may_take(l, me);
	if (l->leader == me)
		l->asleep = true;
	pthread_mutex_unlock(&l->mu);
	if (!stay)
		return false;
	(void)epoll_wait(me->epoll_fd, &event, 1, -1);
	pthread_mutex_lock(&l->mu);
	if (l->leader == me)
		l->asleep = false;
	pthread_mutex_unlock(&l->mu);
	return true;
}

static long
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/*
 * Its length; 0: the session has ended; -EAGAIN: the worker is to wait for the
 * lead again; or another negative errno.
 */
static int
next_request(struct loop *l, const struct worker *me, long spin_ns)
{
	long since = now_ns();

	while (!fuse_session_exited(l->session)) {
		int n = loop_receive(l->session, me->mem);

		if (n != -EAGAIN && n != -EINTR)
			return n;
		if (now_ns() - since < spin_ns) {
			/* Whoever has work to do may have the processor. */
			(void)sched_yield();
			continue;
		}
		if (!sleep_till_request(l, me))
			return -EAGAIN;
		since = now_ns();
	}
	return 0;
}

static void
serve(struct loop *l, const struct worker *me, int len)
{
	const struct fuse_buf buf = {.mem = me->mem, .size = (size_t)len};

	l->served++;
	l->serving++;
	loop_look_after_next(l, me, is_read(me->mem));
	pthread_mutex_unlock(&l->mu);
	fuse_session_process_buf(l->session, &buf);
	pthread_mutex_lock(&l->mu);
	l->serving--;
}

static void *
worker_main(void *arg)
{
	const struct worker *me = arg;
	struct loop *l = me->loop;
	int n = -EAGAIN;

	pthread_mutex_lock(&l->mu);
	while (n > 0 || n == -EAGAIN) {
		/* Who was called because others work had better let them. */
		long spin_ns = l->leader == me ? l->spin_ns : 0;

		if (!loop_enter(l, me))
			break;
		l->taking++;
		pthread_mutex_unlock(&l->mu);
		n = next_request(l, me, spin_ns);
		pthread_mutex_lock(&l->mu);
		l->taking--;
		if (n > 0)
			serve(l, me, n);
	}
	if (n <= 0 && n != -EAGAIN)
		end(l, -n);
	pthread_mutex_unlock(&l->mu);
	return NULL;
}

/* --- from outside -------------------------------------------------------- */

/* The others come when they are needed. All signals stay with the caller. */
static int
start(struct loop *l)
{
	int fd = fuse_session_fd(l->session);
	int flags = fcntl(fd, F_GETFL), rc;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return errno;
	pthread_mutex_lock(&l->mu);
	rc = loop_add_worker(l);
	pthread_mutex_unlock(&l->mu);
	return rc;
}

static void
join(struct loop *l)
{
	pthread_mutex_lock(&l->mu);
	end(l, 0);
	for (unsigned i = 0; i < l->n; i++) {
		pthread_t thread = l->workers[i].thread;

		pthread_mutex_unlock(&l->mu);
		(void)pthread_join(thread, NULL);
		pthread_mutex_lock(&l->mu);
	}
	pthread_mutex_unlock(&l->mu);
}

int
loop_run(struct loop *l)
{
	struct pollfd fd = {.fd = l->over_fd, .events = POLLIN};
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = start(l);
	/* A signal is let in while nothing is looked at, so none is missed. */
	while (rc == 0 && !fuse_session_exited(l->session) &&
	       ppoll(&fd, 1, NULL, &old) < 0 && errno == EINTR)
		;
	join(l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc != 0 ? rc : l->errnum;
}

void
loop_answer(struct loop *l)
{
	struct pollfd fd = {
	    .fd = fuse_session_fd(l->session),
	    .events = POLLIN,
	};
	struct fuse_buf buf = {0};
	int n;

	/* Where no worker could be made, nothing was asked for. */
	if (poll(&fd, 1, ANSWER_MS) <= 0 || l->n == 0)
		return;
	buf.mem = l->workers[0].mem;
	n = loop_receive(l->session, buf.mem);
	if (n <= 0)
		return;
	buf.size = (size_t)n;
	fuse_session_process_buf(l->session, &buf);
}
