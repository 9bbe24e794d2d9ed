#include "crypto/secret.h"

#include "tests/unit/hex.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The address sanitizer turns mlock() into nothing. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOCKS false
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LOCKS false
#endif
#ifndef LOCKS
#define LOCKS true
#endif

/* Run ${fn} in a child; returns the signal that killed it, 0 for none. */
static int
death_of(void (*fn)(uint8_t *), uint8_t *arg)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit none = {0};

		/* Sanitizers and cmocka would turn the signal into a report. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		setrlimit(RLIMIT_CORE, &none);
		fn(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
alloc_and_run_over(uint8_t *unused)
{
	volatile uint8_t *p = secret_alloc(64);

	(void)unused;
	p[64] = 1;
}

static void
alloc_and_run_under(uint8_t *unused)
{
	long page = sysconf(_SC_PAGESIZE);
	volatile uint8_t *p = secret_alloc(64);

	(void)unused;
	p[-page] = 1;
}

static void
alloc_free_and_touch(uint8_t *unused)
{
	volatile uint8_t *p = secret_alloc(64);

	(void)unused;
	secret_free((void *)p);
	p[0] = 1;
}

static void
alloc_and_stay_inside(uint8_t *unused)
{
	volatile uint8_t *p = secret_alloc(64);

	(void)unused;
	p[0] = 1;
	p[63] = 1;
}

static void
touch(uint8_t *p)
{
	*(volatile uint8_t *)p = 1;
}

static void
secret_alloc__gives_zeroed_memory_of_any_size(void **state)
{
	static const size_t sizes[] = {
	    0, 1, 15, 16, 17, 4063, 4064, 4080, 4081, 4096, 4097, 20000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = secret_alloc(sizes[i]);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(p[j], 0);
		memset(p, 0xff, sizes[i]);
		secret_free(p);
	}
	secret_free(NULL);
	assert_null(secret_alloc(SIZE_MAX));
}

static void
secret_alloc__faults_beyond_its_ends(void **state)
{
	(void)state;
	assert_int_equal(death_of(alloc_and_stay_inside, NULL), 0);
	assert_int_equal(death_of(alloc_and_run_over, NULL), SIGSEGV);
	assert_int_equal(death_of(alloc_and_run_under, NULL), SIGSEGV);
	assert_int_equal(death_of(alloc_free_and_touch, NULL), SIGSEGV);
}

static void
secret_alloc__is_not_there_in_a_child(void **state)
{
	uint8_t *p = secret_alloc(32);

	(void)state;
	assert_int_equal(death_of(touch, p), SIGSEGV);
	touch(p);
	secret_free(p);
}

/* What the kernel says of the pages: locked (lo), not dumped (dd), dc. */
static void
secret_alloc__pages_are_locked_and_left_out_of_cores(void **state)
{
	uint8_t *p = secret_alloc(32);
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long from, to;
	bool inside = false, found = false;
	char line[512];

	(void)state;
	if (f == NULL)
		skip();
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = (uintptr_t)p >= from && (uintptr_t)p < to;
		if (!inside || strncmp(line, "VmFlags:", 8) != 0)
			continue;
		found = true;
		assert_non_null(strstr(line, " dd"));
		assert_non_null(strstr(line, " dc"));
		if (LOCKS && secret_locked())
			assert_non_null(strstr(line, " lo"));
	}
	fclose(f);
	secret_free(p);
	if (!found)
		skip();
}

static void
exceed_lock_limit(uint8_t *unused)
{
	struct rlimit none = {0};
	uint8_t *p;

	(void)unused;
	(void)setrlimit(RLIMIT_MEMLOCK, &none);
	/* Root may lock all the same. */
	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		_exit(0);
	p = secret_alloc(32);
	if (p == NULL || secret_locked())
		raise(SIGABRT);
}

static void
secret_locked__tells_that_the_limit_was_met(void **state)
{
	(void)state;
	if (!LOCKS)
		skip();
	assert_int_equal(death_of(exceed_lock_limit, NULL), 0);
}

static void
secret_wipe__leaves_zeros(void **state)
{
	uint8_t b[40], zero[40] = {0};
	struct key32 k;

	(void)state;
	memset(b, 0xff, sizeof(b));
	secret_wipe(b, 39);
	assert_memory_equal(b, zero, 39);
	assert_int_equal(b[39], 0xff);
	memset(&k, 0xff, sizeof(k));
	secret_wipe_key(&k);
	assert_memory_equal(k.b, zero, sizeof(k));
}

static void
check_limit(uint8_t *unused)
{
	struct rlimit limit;

	(void)unused;
	secret_no_core();
	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 1 ||
	    limit.rlim_max != 1)
		raise(SIGABRT);
}

/* In death_of() the limit is 0 already, so start from what main has. */
static void
secret_no_core__sets_the_limit_that_pipes_heed(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		check_limit(NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secret_alloc__gives_zeroed_memory_of_any_size),
	    cmocka_unit_test(secret_alloc__faults_beyond_its_ends),
	    cmocka_unit_test(secret_alloc__is_not_there_in_a_child),
	    cmocka_unit_test(
		secret_alloc__pages_are_locked_and_left_out_of_cores),
	    cmocka_unit_test(secret_locked__tells_that_the_limit_was_met),
	    cmocka_unit_test(secret_wipe__leaves_zeros),
	    cmocka_unit_test(secret_no_core__sets_the_limit_that_pipes_heed),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
