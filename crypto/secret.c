#include "crypto/secret.h"

#include <openssl/crypto.h>

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * An allocation, ${map_len} bytes between two guard pages:
 *
 *	| guard | struct head ... unused ... secret | guard |
 *
 * The secret ends where the guard begins (up to alignment), so that running
 * over its end faults at once.
 */
#define ALIGN 16

struct head {
	_Alignas(ALIGN) size_t map_len;
	size_t len;
};

/*
 * The one variable of this program that is not passed as context: it tells of
 * the process, and only ever turns true.
 */
static atomic_bool lock_refused;

static size_t
page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* The head stands at the start of the page that the byte before p is in. */
static struct head *
head_of(void *p)
{
	uintptr_t before = (uintptr_t)p - 1;

	return (struct head *)(before - before % page_size());
}

void
secret_wipe(void *p, size_t len)
{
	OPENSSL_cleanse(p, len);
}

void
secret_wipe_key(void *key)
{
	OPENSSL_cleanse(key, KEY_LEN);
}

/*
 * A forked child does not get these pages at all (MADV_DONTFORK): a process
 * that goes to the background does so before it unlocks any key, and no child
 * has use for one. A kernel that refuses to keep pages out of core files or
 * children would break the promise of this module, so that is a failure.
 * Locking is different: it is commonly limited, and the program says so.
 */
static bool
protect(void *map, size_t len)
{
	if (mprotect(map, len, PROT_READ | PROT_WRITE) != 0 ||
	    madvise(map, len, MADV_DONTDUMP) != 0 ||
	    madvise(map, len, MADV_DONTFORK) != 0)
		return false;
	if (mlock(map, len) != 0)
		atomic_store(&lock_refused, true);
	return true;
}

void *
secret_alloc(size_t len)
{
	size_t page = page_size();
	size_t rounded, map_len;
	struct head *head;
	uint8_t *base;

	if (len > SIZE_MAX / 2)
		return NULL;
	rounded = (len + ALIGN - 1) / ALIGN * ALIGN;
	map_len = (sizeof(struct head) + rounded + page - 1) / page * page;
	base = mmap(NULL, map_len + 2 * page, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	if (!protect(base + page, map_len)) {
		(void)munmap(base, map_len + 2 * page);
		return NULL;
	}
	head = (struct head *)(base + page);
	head->map_len = map_len;
	head->len = len;
	return base + page + map_len - rounded;
}

void
secret_free(void *p)
{
	size_t page = page_size();
	struct head *head;
	size_t map_len;

	if (p == NULL)
		return;
	head = head_of(p);
	map_len = head->map_len;
	secret_wipe(p, head->len);
	/* Unmapping unlocks too. */
	(void)munmap((uint8_t *)head - page, map_len + 2 * page);
}

bool
secret_locked(void)
{
	return !atomic_load(&lock_refused);
}

/*
 * The limit is 1, not 0: where core_pattern names a pipe, the kernel ignores a
 * limit of 0 and sends the whole core to the collector, but takes 1 to mean
 * 'do not dump' (do_coredump() in fs/coredump.c). A file of at most 1 byte is
 * never written either. Where an earlier hard limit of 0 keeps us from setting
 * 1, the process gives up being dumpable altogether.
 */
void
secret_no_core(void)
{
	struct rlimit none = {.rlim_cur = 1, .rlim_max = 1};

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		(void)prctl(PR_SET_DUMPABLE, 0);
}
