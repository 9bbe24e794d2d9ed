#ifndef TESTS_UNIT_SITE_FIXTURE_H
#define TESTS_UNIT_SITE_FIXTURE_H

/* Stores that stand at a site. */
#include "snapshot/site/sitedir.h"
#include "tests/unit/outcome.h"

/* One in Britain, whose accreditation ends in a thousand seconds. */
static inline UNUSED struct sitedir_plan
site_plan(const char *name, int64_t now, int64_t lock)
{
	return (struct sitedir_plan){
	    .name = name,
	    .country = "GB",
	    .accreditation = "ISO/IEC 27001:2022",
	    .until = now + 1000,
	    .lock = lock,
	};
}

/* Make the store at ${address} stand there; sitedir_close(). */
static inline UNUSED struct sitedir *
site_new(const char *address, const char *name, int64_t now, int64_t lock)
{
	const struct sitedir_plan plan = site_plan(name, now, lock);
	struct sitedir_made made;
	struct sitedir *d;

	assert_ok(sitedir_init(address, &plan, now, &made, &err));
	sitedir_made_clear(&made);
	assert_ok(sitedir_open(address, &d, &err));
	return d;
}

#endif
