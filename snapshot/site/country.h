#ifndef SNAPSHOT_SITE_COUNTRY_H
#define SNAPSHOT_SITE_COUNTRY_H

/* The countries of ISO 3166-1, by their alpha-2 codes. Thread: safe. */
#include "crypto/site.h"

/**
 * country_check(text, err): ERR_USAGE when no country has this code; where it
 * is one that people take for another's, the text says which.
 */
NODISCARD int country_check(const char *text, struct err *err);

#endif
