#ifndef CRYPTO_SITE_INTERNAL_H
#define CRYPTO_SITE_INTERNAL_H

/* Private to this folder: what requests and statements have in common. */
#include "crypto/site.h"

/** site_fault(s): Why ${s} can't be a site ("has ..."), or NULL. */
const char *site_fault(const struct site *s);

void site_encode(const struct site *s, struct wr *w);
NODISCARD int site_decode(struct rd *r, struct site *out, struct err *err);

/** site_text_decode(r, out, max): A string without NUL, of ${max} at most. */
void site_text_decode(struct rd *r, char *out, size_t max);

#endif
