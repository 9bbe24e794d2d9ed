#include "crypto/base32.h"
#include "crypto/object.h"
#include "crypto/site.h"
#include "crypto/site_internal.h"

#include <stdlib.h>
#include <string.h>

#define LETTER 'q'
#define SIGN_LABEL "varve/1/sign/request"

static int
parse(const uint8_t *buf, size_t len, struct site_request *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	int rc = object_head_read(&r, LETTER, "site request", err);

	if (rc != 0)
		return rc;
	rd_copy(&r, out->fingerprint, FINGERPRINT_LEN);
	rc = site_decode(&r, &out->site, err);
	if (rc != 0)
		return err_wrap(err, "site request");
	(void)rd_bytes(&r, SIGNATURE_LEN);
	if (!rd_done(&r) || len > SITE_OBJECT_MAX)
		return err_set(err, ERR_CORRUPT, "malformed site request");
	return 0;
}

int
site_request_make(const struct site_request *r, const struct identity *key,
    struct wr *w, struct err *err)
{
	struct site site = r->site;
	WR_AUTO struct wr o = {0};
	const char *why;
	int rc;

	site.pub = key->pub;
	why = site_fault(&site);
	if (why != NULL)
		return err_set(err, ERR_USAGE, "a site that %s", why);
	object_head_write(&o, LETTER);
	wr_bytes(&o, r->fingerprint, FINGERPRINT_LEN);
	site_encode(&site, &o);
	rc = object_sign(&o, SIGN_LABEL, &key->sign, err);
	if (rc != 0)
		return rc;
	wr_bytes(w, o.buf, o.len);
	return w->failed ? err_nomem(err) : 0;
}

int
site_request_decode(
    const uint8_t *buf, size_t len, struct site_request *out, struct err *err)
{
	int rc;

	*out = (struct site_request){0};
	rc = parse(buf, len, out, err);
	if (rc != 0)
		return rc;
	rc = object_check(buf, len, SIGN_LABEL, &out->site.pub.sign, err);
	return rc != 0 ? err_wrap(err, "site request") : 0;
}

/* --- as text (KEYS.md 'Sites') ------------------------------------------ */

#define FIRST "-----BEGIN VARVE SITE REQUEST-----"
#define LAST "-----END VARVE SITE REQUEST-----"
#define LINE 70 /* fourteen groups of four, and their '-' */

void
site_request_text(const uint8_t *buf, size_t len, struct wr *w)
{
	char *text = malloc(BASE32_TEXT(len));
	size_t left;

	if (text == NULL) {
		w->failed = true;
		return;
	}
	base32_encode(buf, len, text);
	left = strlen(text);
	wr_bytes(w, FIRST "\n", sizeof(FIRST));
	for (const char *p = text; left > 0;) {
		size_t n = left < LINE ? left : LINE;

		wr_bytes(w, p, n);
		wr_u8(w, '\n');
		p += n;
		left -= n;
	}
	wr_bytes(w, LAST "\n", sizeof(LAST));
	free(text);
}

/* What stands between the two lines, as a string of its own; or NULL. */
static char *
between(const char *text, size_t len)
{
	const char *from = memmem(text, len, FIRST, strlen(FIRST));
	const char *to;

	if (from == NULL)
		return NULL;
	from += strlen(FIRST);
	to = memmem(from, len - (size_t)(from - text), LAST, strlen(LAST));
	if (to == NULL || memchr(from, '\0', (size_t)(to - from)) != NULL)
		return NULL;
	return strndup(from, (size_t)(to - from));
}

/* The bytes that so many characters of base32 stand for. */
static size_t
measure(const char *text)
{
	size_t chars = 0;

	for (; *text != '\0'; text++)
		chars += strchr("- \t\r\n", *text) == NULL;
	return chars * 5 / 8;
}

int
site_request_parse(
    const char *text, size_t len, struct site_request *out, struct err *err)
{
	uint8_t buf[SITE_OBJECT_MAX];
	char *armoured = NULL;
	bool ok = false;
	size_t n = 0;

	*out = (struct site_request){0};
	if (len <= SITE_REQUEST_TEXT_MAX)
		armoured = between(text, len);
	if (armoured != NULL) {
		n = measure(armoured);
		ok = n <= sizeof(buf) && base32_decode(armoured, buf, n);
	}
	free(armoured);
	if (!ok)
		return err_set(err, ERR_CORRUPT,
		    "not a site request: the lines from '" FIRST "' to '" LAST
		    "', as the site's 'varve serve --init' wrote them");
	return site_request_decode(buf, n, out, err);
}
