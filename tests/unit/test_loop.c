/* The threads that serve requests: fs/loop.c, with a socket for the kernel. */
#include "fs/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include <cmocka.h>

#define SLOW 1000 /* nodes from here on: served when they are released */
#define MANY 200

struct state {
	struct fuse_session *session;
	struct loop *loop;
	pthread_t thread; /* runs it */
	int kernel;       /* the other end of the session's socket */
	int rc;           /* of the run */

	pthread_mutex_t mu;
	pthread_cond_t changed;
	/* guarded by mu */
	unsigned begun; /* slow requests */
	bool released;
};

/* --- the filesystem ------------------------------------------------------ */

static void
serve(fuse_req_t req, fuse_ino_t ino)
{
	struct state *st = fuse_req_userdata(req);

	if (ino < SLOW)
		return;
	pthread_mutex_lock(&st->mu);
	st->begun++;
	pthread_cond_broadcast(&st->changed);
	while (!st->released)
		pthread_cond_wait(&st->changed, &st->mu);
	pthread_mutex_unlock(&st->mu);
}

static void
op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	serve(req, ino);
	fuse_reply_readlink(req, "target");
}

static void
op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)size;
	(void)off;
	(void)fi;
	serve(req, ino);
	fuse_reply_buf(req, "bytes", 5);
}

static ssize_t
socket_writev(int fd, struct iovec *iov, int n, void *arg)
{
	(void)arg;
	return writev(fd, iov, n);
}

static ssize_t
socket_read(int fd, void *buf, size_t len, void *arg)
{
	(void)arg;
	return read(fd, buf, len);
}

/* --- the kernel ---------------------------------------------------------- */

static void
ask(struct state *st, uint32_t opcode, uint64_t node, uint64_t unique,
    const void *arg, size_t len)
{
	struct fuse_in_header head = {
	    .len = (uint32_t)(sizeof(head) + len),
	    .opcode = opcode,
	    .unique = unique,
	    .nodeid = node,
	};
	uint8_t buf[256];

	assert_in_range(head.len, sizeof(head), sizeof(buf));
	memcpy(buf, &head, sizeof(head));
	if (len > 0)
		memcpy(buf + sizeof(head), arg, len);
	assert_int_equal(write(st->kernel, buf, head.len), head.len);
}

/* The next answer's number. */
static uint64_t
answer(struct state *st)
{
	uint8_t buf[4096];
	struct fuse_out_header head;
	ssize_t n = read(st->kernel, buf, sizeof(buf));

	assert_true(n >= (ssize_t)sizeof(head));
	memcpy(&head, buf, sizeof(head));
	assert_int_equal(head.error, 0);
	return head.unique;
}

static void
ask_name(struct state *st, uint64_t node, uint64_t unique)
{
	ask(st, FUSE_READLINK, node, unique, NULL, 0);
}

static void
ask_data(struct state *st, uint64_t node, uint64_t unique)
{
	struct fuse_read_in in = {.size = 4096};

	ask(st, FUSE_READ, node, unique, &in, sizeof(in));
}

static void
greet(struct state *st)
{
	struct fuse_init_in in = {
	    .major = FUSE_KERNEL_VERSION,
	    .minor = FUSE_KERNEL_MINOR_VERSION,
	};

	ask(st, FUSE_INIT, 0, 1, &in, sizeof(in));
	assert_int_equal(answer(st), 1);
}

/* --- making -------------------------------------------------------------- */

static void *
run(void *arg)
{
	struct state *st = arg;

	st->rc = loop_run(st->loop);
	return NULL;
}

static int
setup(void **state)
{
	static const struct fuse_lowlevel_ops ops = {
	    .readlink = op_readlink,
	    .read = op_read,
	};
	static const struct fuse_custom_io io = {
	    .writev = socket_writev,
	    .read = socket_read,
	};
	char name[] = "test", *argv[] = {name};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct state *st = calloc(1, sizeof(*st));
	int fds[2];

	*state = st;
	if (st == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) != 0)
		return -1;
	st->kernel = fds[0];
	pthread_mutex_init(&st->mu, NULL);
	pthread_cond_init(&st->changed, NULL);
	st->session = fuse_session_new(&args, &ops, sizeof(ops), st);
	fuse_opt_free_args(&args);
	if (st->session == NULL ||
	    fuse_session_custom_io(st->session, &io, fds[1]) != 0 ||
	    fuse_set_signal_handlers(st->session) != 0 ||
	    loop_new(st->session, 0, &st->loop, NULL) != 0)
		return -1;
	return pthread_create(&st->thread, NULL, run, st);
}

static int
teardown(void **state)
{
	struct state *st = *state;

	loop_free(st->loop);
	fuse_remove_signal_handlers(st->session);
	fuse_session_destroy(st->session);
	if (st->kernel >= 0)
		(void)close(st->kernel);
	pthread_mutex_destroy(&st->mu);
	pthread_cond_destroy(&st->changed);
	free(st);
	return 0;
}

#define loop_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* --- tests --------------------------------------------------------------- */

static void
wait_until_begun(struct state *st, unsigned n)
{
	pthread_mutex_lock(&st->mu);
	while (st->begun < n)
		pthread_cond_wait(&st->changed, &st->mu);
	pthread_mutex_unlock(&st->mu);
}

static void
release(struct state *st)
{
	pthread_mutex_lock(&st->mu);
	st->released = true;
	pthread_cond_broadcast(&st->changed);
	pthread_mutex_unlock(&st->mu);
}

/* As a signal does it: the run ends, in a moment when nothing happens. */
static void
stop(struct state *st)
{
	assert_int_equal(pthread_kill(st->thread, SIGTERM), 0);
	assert_int_equal(pthread_join(st->thread, NULL), 0);
	assert_int_equal(st->rc, 0);
}

static void
loop_run__answers_one_after_the_other(void **state)
{
	struct state *st = *state;

	greet(st);
	for (uint64_t i = 2; i < MANY; i++) {
		if (i % 7 == 0)
			ask_data(st, 5, i);
		else
			ask_name(st, 5, i);
		assert_int_equal(answer(st), i);
		/* Longer than anybody looks out for it. */
		if (i % 50 == 0)
			(void)usleep(1000);
	}
	stop(st);
}

static void
loop_run__answers_many_at_once(void **state)
{
	struct state *st = *state;
	bool answered[MANY] = {0};

	greet(st);
	for (uint64_t i = 2; i < MANY; i++)
		if (i / 50 % 2 == 0)
			ask_data(st, 5, i);
		else
			ask_name(st, 5, i);
	for (uint64_t i = 2; i < MANY; i++) {
		uint64_t unique = answer(st);

		assert_in_range(unique, 2, MANY - 1);
		assert_false(answered[unique]);
		answered[unique] = true;
	}
	stop(st);
}

/* ${n} slow ones keep nobody from getting his answer. */
static void
others_are_served(struct state *st, unsigned n)
{
	for (uint64_t i = 100; i < 110; i++) {
		ask_name(st, 5, i);
		assert_int_equal(answer(st), i);
	}
	release(st);
	while (n-- > 0)
		assert_in_range(answer(st), 2, 99);
	stop(st);
}

static void
loop_run__a_slow_one_holds_nobody_up(void **state)
{
	struct state *st = *state;

	greet(st);
	ask_name(st, SLOW, 2);
	wait_until_begun(st, 1);
	others_are_served(st, 1);
}

static void
loop_run__nor_do_several(void **state)
{
	struct state *st = *state;

	greet(st);
	for (uint64_t i = 2; i < 10; i++) {
		ask_name(st, SLOW + i, i);
		wait_until_begun(st, (unsigned)i - 1);
	}
	others_are_served(st, 8);
}

static void
loop_run__nor_do_reads(void **state)
{
	struct state *st = *state;

	greet(st);
	for (uint64_t i = 2; i < 10; i++)
		ask_data(st, SLOW + i, i);
	wait_until_begun(st, 8);
	others_are_served(st, 8);
}

static void
loop_run__goes_from_reading_to_names_and_back(void **state)
{
	struct state *st = *state;

	greet(st);
	for (uint64_t i = 2; i < 1000; i++) {
		if (i / 100 % 2 == 0)
			ask_data(st, 5, i);
		else
			ask_name(st, 5, i);
		assert_int_equal(answer(st), i);
	}
	ask_name(st, SLOW, 2);
	wait_until_begun(st, 1);
	others_are_served(st, 1);
}

/*
 * Threads that took requests for data may be left beside the leader, and be
 * held up as well.
 */
static void
loop_run__nor_do_several_after_reads(void **state)
{
	struct state *st = *state;

	greet(st);
	for (uint64_t i = 2; i < 10; i++)
		ask_data(st, 5, i);
	for (uint64_t i = 2; i < 10; i++)
		(void)answer(st);
	for (uint64_t i = 10; i < 100; i++) {
		ask_name(st, 5, i);
		assert_int_equal(answer(st), i);
		/* Until the leader sleeps, too. */
		(void)usleep(200);
	}
	for (uint64_t i = 2; i < 11; i++) {
		ask_name(st, SLOW + i, i);
		wait_until_begun(st, (unsigned)i - 1);
	}
	others_are_served(st, 9);
}

static void
loop_run__ends_with_what_it_reads_from(void **state)
{
	struct state *st = *state;

	greet(st);
	(void)close(st->kernel);
	st->kernel = -1;
	assert_int_equal(pthread_join(st->thread, NULL), 0);
	/* A socket that is closed reads as an empty request. */
	assert_int_equal(st->rc, EIO);
}

static void
loop_run__ends_while_nothing_is_asked(void **state)
{
	struct state *st = *state;

	greet(st);
	stop(st);
}

/* The kernel waits for each answer, whenever the run has ended. */
static void
loop_answer__serves_what_the_run_left(void **state)
{
	enum { ASKED = 40 };
	struct state *st = *state;
	bool answered[ASKED] = {0};

	greet(st);
	for (uint64_t i = 0; i < ASKED / 2; i++)
		ask_data(st, 5, i + 2);
	assert_int_equal(pthread_kill(st->thread, SIGTERM), 0);
	for (uint64_t i = ASKED / 2; i < ASKED; i++)
		ask_name(st, 5, i + 2);
	assert_int_equal(pthread_join(st->thread, NULL), 0);
	for (int i = 0; i < ASKED; i++)
		loop_answer(st->loop);
	/* Or a test that fails would wait for ever. */
	assert_int_equal(fcntl(st->kernel, F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < ASKED; i++) {
		uint64_t unique = answer(st);

		assert_in_range(unique, 2, ASKED + 1);
		assert_false(answered[unique - 2]);
		answered[unique - 2] = true;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    loop_test(loop_run__answers_one_after_the_other),
	    loop_test(loop_run__answers_many_at_once),
	    loop_test(loop_run__a_slow_one_holds_nobody_up),
	    loop_test(loop_run__nor_do_several),
	    loop_test(loop_run__nor_do_reads),
	    loop_test(loop_run__nor_do_several_after_reads),
	    loop_test(loop_run__goes_from_reading_to_names_and_back),
	    loop_test(loop_run__ends_with_what_it_reads_from),
	    loop_test(loop_run__ends_while_nothing_is_asked),
	    loop_test(loop_answer__serves_what_the_run_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
