#ifndef SNAPSHOT_BACKUP_OWNERS_H
#define SNAPSHOT_BACKUP_OWNERS_H

/* The names of users and groups, each asked of the system once. */
#include "crypto/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct owners;

NODISCARD int owners_new(struct owners **out, struct err *err);
void owners_free(struct owners *o);
DEFINE_AUTO(owners, owners_free)

/** owners_user(o, uid): "" when it has no name; NULL out of memory. */
const char *owners_user(struct owners *o, uid_t uid);
const char *owners_group(struct owners *o, gid_t gid);

#endif
