#ifndef SNAPSHOT_SITE_SITEDIR_INTERNAL_H
#define SNAPSHOT_SITE_SITEDIR_INTERNAL_H

/* Private to this folder: the files of a site's directory. */
#include "snapshot/site/sitedir.h"

#define SITEDIR_KEY "site/key"
#define SITEDIR_REQUEST "site/request"
#define SITEDIR_DB "site/site.db"

#define SITEDIR_PATH 4096

/** sitedir_file_path(address, file, out, err): ERR_USAGE too long. */
NODISCARD int sitedir_file_path(const char *address, const char *file,
    char out[SITEDIR_PATH], struct err *err);

/**
 * sitedir_file_read(path, max, buf, len, err):
 * A whole small file, and a NUL after it. Errors: ERR_NOT_FOUND, ERR_DENIED,
 * ERR_IO; ERR_CORRUPT over ${max} bytes, or no file.
 */
NODISCARD int sitedir_file_read(
    const char *path, size_t max, char **buf, size_t *len, struct err *err);

/** sitedir_file_write(path, buf, len, err): Replaces it at once; durable. */
NODISCARD int sitedir_file_write(
    const char *path, const void *buf, size_t len, struct err *err);

/** sitedir_file_mkdir(address, err): STORE/site/, durable. */
NODISCARD int sitedir_file_mkdir(const char *address, struct err *err);

#endif
