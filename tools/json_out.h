#ifndef TOOLS_JSON_OUT_H
#define TOOLS_JSON_OUT_H

/*
 * What --json prints: one object, {"varve": 1, "command": ..., ...,
 * "status": ...}, described in varve(1). It is written member by member, so that
 * a list may be longer than what memory holds.
 * Thread: belongs to one thread.
 */
#include "crypto/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define JSON_OUT_SCHEMA 1

struct json_out {
	FILE *f;
	bool in_list;
	bool first;  /* nothing in the open list yet */
	bool failed; /* out of memory */
};

/** json_out_begin(o, f, command): Open the object. */
void json_out_begin(struct json_out *o, FILE *f, const char *command);

/** json_out_member(o, key, value): Takes ${value} over; NULL: no memory. */
void json_out_member(struct json_out *o, const char *key, json_t *value);

/** json_out_list(o, key): Open a list; items follow until it is ended. */
void json_out_list(struct json_out *o, const char *key);
void json_out_item(struct json_out *o, json_t *value);
void json_out_end_list(struct json_out *o);

/**
 * json_out_finish(o, status, failure, err):
 * Close what is open and add the exit status and, unless it is NULL, the error
 * ${failure}. Errors: ERR_NOMEM something could not be printed on the way.
 */
NODISCARD int json_out_finish(
    struct json_out *o, int status, const struct err *failure, struct err *err);

/**
 * json_out_name(name, len):
 * A name from a backup: a string, or {"bytes": BASE64} where it is not UTF-8.
 */
json_t *json_out_name(const void *name, size_t len);

#endif
