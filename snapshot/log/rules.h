#ifndef SNAPSHOT_LOG_RULES_H
#define SNAPSHOT_LOG_RULES_H

/*
 * What is to be kept of a dataset (FORMAT.md section 9, type 4). Thread: safe.
 */
#include "crypto/bytes.h"
#include "crypto/err.h"

enum rule {
	RULE_WITHIN, /* seconds */
	RULE_LAST,   /* the others are counts */
	RULE_HOURLY,
	RULE_DAILY,
	RULE_WEEKLY,
	RULE_MONTHLY,
	RULE_YEARLY,
};
#define RULES 7

/* 0: by that rule, nothing is kept. */
struct rules {
	uint32_t keep[RULES];
};

/** rule_name(rule): 'within', 'last', 'hourly', ... */
const char *rule_name(enum rule rule);

/** rules_any(r): Whether any rule keeps anything. */
bool rules_any(const struct rules *r);

#define RULES_TEXT 192
/** rules_text(r, out): As options: '--keep-within 90d --keep-daily 30'. */
const char *rules_text(const struct rules *r, char out[RULES_TEXT]);

/** rules_write(r, w): The body of a record of type 4. */
void rules_write(const struct rules *r, struct wr *w);
/** rules_read(rd, out): One that is malformed fails ${rd}. */
void rules_read(struct rd *rd, struct rules *out);

#endif
