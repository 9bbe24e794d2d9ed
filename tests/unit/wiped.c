#include "tests/unit/wiped.h"
#include "tests/unit/content_fixture.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096

static size_t count, failures;

int __wrap_munmap(void *p, size_t len);
int __real_munmap(void *p, size_t len);

static bool
is_zero(const uint8_t *page)
{
	for (size_t i = 0; i < PAGE; i++)
		if (page[i] != 0)
			return false;
	return true;
}

/* Into ${page}; false: the program may not read there. */
static bool
look(const uint8_t *at, uint8_t page[PAGE])
{
	const struct iovec to = {.iov_base = page, .iov_len = PAGE};
	const struct iovec from = {
	    .iov_base = (void *)(uintptr_t)at, .iov_len = PAGE};

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == PAGE;
}

static bool
is_wiped(const uint8_t *p, size_t len)
{
	uint8_t page[PAGE];
	bool wiped = true;

	for (size_t off = 0; wiped && off < len; off += PAGE)
		wiped = look(p + off, page) && is_zero(page);
	return wiped;
}

/* What begins with a guard page is a key's, and has a head of its own. */
int
__wrap_munmap(void *p, size_t len)
{
	uint8_t page[PAGE];

	if (look(p, page)) {
		count++;
		failures += !is_wiped(p, len);
	}
	return __real_munmap(p, len);
}

size_t
wiped_count(void)
{
	return count;
}

size_t
wiped_failures(void)
{
	return failures;
}

void
wiped_reset(void)
{
	count = 0;
	failures = 0;
}

void
wiped__all(void **state)
{
	(void)state;
	assert_true(count > 0);
	assert_int_equal(failures, 0);
}
