#include "snapshot/replicate/transport_internal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
copy_part(char *out, size_t cap, const char *from, size_t len)
{
	if (len >= cap)
		return false;
	memcpy(out, from, len);
	out[len] = '\0';
	return true;
}

static bool
is_port(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 5 && strspn(text, "0123456789") == len &&
	       atoi(text) >= 1 && atoi(text) <= UINT16_MAX;
}

bool
transport_split(const char *text, size_t len, struct host_port *out)
{
	const char *end = text + len;
	const char *colon = memrchr(text, ':', len);
	const char *close = memchr(text, ']', len);

	(void)snprintf(out->port, sizeof(out->port), "%s", TRANSPORT_PORT);
	if (len > 0 && text[0] == '[') {
		if (close == NULL || !copy_part(out->host, sizeof(out->host),
					 text + 1, (size_t)(close - text) - 1))
			return false;
		if (close + 1 == end)
			return true;
		if (close[1] != ':')
			return false;
		colon = close + 1;
	} else if (!copy_part(out->host, sizeof(out->host), text,
		       colon != NULL ? (size_t)(colon - text) : len)) {
		return false;
	}
	return colon == NULL || (copy_part(out->port, sizeof(out->port),
				     colon + 1, (size_t)(end - colon) - 1) &&
				    is_port(out->port));
}

int
transport_bad_address(const char *address, struct err *err)
{
	return err_set(err, ERR_USAGE,
	    "'%s' is no address of a site: tls://HOST:PORT, "
	    "ssh://USER@HOST/PATH"
	    " or a directory",
	    address);
}

/* A host that starts with '-' would be taken for an option. */
bool
transport_parse_ssh(const char *rest, struct ssh_target *out)
{
	const char *slash = strchr(rest, '/');
	const char *at, *host;
	struct host_port hp;
	size_t len;

	if (slash == NULL || slash == rest || rest[0] == '-' ||
	    slash[1] == '\0')
		return false;
	len = (size_t)(slash - rest);
	at = memrchr(rest, '@', len);
	host = at != NULL ? at + 1 : rest;
	if (!transport_split(host, (size_t)(slash - host), &hp) ||
	    hp.host[0] == '\0' || hp.host[0] == '-')
		return false;
	out->port[0] = '\0';
	if (slash[-1] != ']' && memchr(host, ':', (size_t)(slash - host)))
		memcpy(out->port, hp.port, sizeof(out->port));
	out->path = slash;
	return snprintf(out->host, sizeof(out->host), "%.*s%s",
		   (int)(host - rest), rest, hp.host) < (int)sizeof(out->host);
}

bool
transport_starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

int
transport_check(const char *address, struct err *err)
{
	struct ssh_target ssh;
	struct host_port hp;
	bool ok;

	if (transport_starts(address, "tls://"))
		ok = transport_split(address + 6, strlen(address + 6), &hp) &&
		     hp.host[0] != '\0';
	else if (transport_starts(address, "ssh://"))
		ok = transport_parse_ssh(address + 6, &ssh);
	else
		ok = address[0] != '\0' && strstr(address, "://") == NULL;
	return ok ? 0 : transport_bad_address(address, err);
}
