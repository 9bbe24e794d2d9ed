#include "crypto/openssl.h"

#include <openssl/err.h>

int
openssl_fail(struct err *err, const char *what)
{
	unsigned long first = ERR_peek_error();
	bool nomem = ERR_GET_REASON(first) == ERR_R_MALLOC_FAILURE;
	char text[160];

	ERR_error_string_n(first, text, sizeof(text));
	ERR_clear_error();
	if (nomem)
		return err_nomem(err);
	return err_set(err, ERR_BUG, "OpenSSL failed at %s: %s", what, text);
}

void
openssl_clear(void)
{
	ERR_clear_error();
}
