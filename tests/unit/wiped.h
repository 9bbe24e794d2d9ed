#ifndef TESTS_UNIT_WIPED_H
#define TESTS_UNIT_WIPED_H

/*
 * Whether memory is wiped before the system gets it back. For tests that are
 * linked with -Wl,--wrap=munmap. Thread: belongs to one thread.
 */
#include <stddef.h>

/** wiped_count(): Mappings given back since wiped_reset(). */
size_t wiped_count(void);
/** wiped_failures(): How many of them held anything but zeros. */
size_t wiped_failures(void);
void wiped_reset(void);

/** wiped__all(): A group's last test: some were given back, and all wiped. */
void wiped__all(void **state);

#endif
