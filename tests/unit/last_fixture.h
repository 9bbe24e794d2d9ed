#ifndef TESTS_UNIT_LAST_FIXTURE_H
#define TESTS_UNIT_LAST_FIXTURE_H

/* Entries as they were last seen. */
#include "snapshot/backup/last.h"
#include "tests/unit/state_fixture.h"

/* An entry that is made of its name and a number. */
static inline UNUSED struct last_entry
entry_of(const char *name, uint64_t i)
{
	return (struct last_entry){
	    .name = {(const uint8_t *)name, strlen(name)},
	    .ctime = {.s = (int64_t)i - 5, .ns = (uint32_t)(999999999 - i)},
	    .ino = i,
	    .doubtful = i % 2 == 1,
	    .raw = {(const uint8_t *)name, strlen(name)},
	};
}

#endif
