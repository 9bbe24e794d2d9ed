#include "crypto/site.h"
#include "crypto/site_internal.h"
#include "crypto/utf8.h"

#include <string.h>

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

bool
site_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > SITE_NAME_MAX || !is_alnum(name[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(name[i]) && strchr("._-", name[i]) == NULL)
			return false;
	return true;
}

bool
country_ok(const char *country)
{
	return country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' &&
	       country[1] <= 'Z' && country[2] == '\0';
}

/* What every site keeps to, when it is written and when it is read. */
const char *
site_fault(const struct site *s)
{
	size_t len = strlen(s->accreditation);

	if (s->pub.kind != IDENTITY_SITE || !site_name_ok(s->pub.name))
		return "has a name that no site can have: letters, digits, "
		       "'.', '_' and '-' make one, of at most 63";
	if (!country_ok(s->country))
		return "has no country: two capital letters of ISO 3166-1";
	if (len == 0 || !utf8_printable(s->accreditation, len))
		return "has no accreditation that can be printed";
	return NULL;
}

/* KEYS.md 'Sites': what a site says of itself. */
void
site_encode(const struct site *s, struct wr *w)
{
	identity_public_encode(&s->pub, w);
	wr_bytes(w, s->country, COUNTRY_LEN);
	wr_string(w, s->accreditation, strlen(s->accreditation));
	wr_u64(w, (uint64_t)s->until);
}

int
site_decode(struct rd *r, struct site *out, struct err *err)
{
	const char *why;
	int rc;

	*out = (struct site){0};
	rc = identity_public_decode(r, &out->pub, err);
	if (rc != 0)
		return rc;
	rd_copy(r, out->country, COUNTRY_LEN);
	site_text_decode(r, out->accreditation, ACCREDITATION_MAX);
	out->until = (int64_t)rd_u64(r);
	if (r->failed)
		return err_set(err, ERR_CORRUPT, "malformed");
	why = site_fault(out);
	if (why != NULL)
		return err_set(err, ERR_CORRUPT, "site that %s", why);
	return 0;
}

/* A string that holds no NUL, into ${max} + 1 bytes. */
void
site_text_decode(struct rd *r, char *out, size_t max)
{
	size_t len;
	const uint8_t *p = rd_string(r, &len);

	out[0] = '\0';
	if (p == NULL)
		return;
	if (len > max || memchr(p, '\0', len) != NULL) {
		r->failed = true;
		return;
	}
	memcpy(out, p, len);
	out[len] = '\0';
}
