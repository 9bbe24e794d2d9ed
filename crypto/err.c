#include "crypto/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int
code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_DENIED;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_FULL;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return ERR_NOMEM;
	default:
		return ERR_IO;
	}
}

int
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return code;
	err->code = code;
	err->errnum = 0;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

int
err_errno(struct err *err, const char *fmt, ...)
{
	int errnum = errno;
	int code = code_of_errno(errnum);
	va_list ap;
	size_t len;
	char buf[128];

	if (err == NULL)
		return code;
	err->code = code;
	err->errnum = errnum;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s",
	    strerror_r(errnum, buf, sizeof(buf)));
	return code;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	char text[sizeof(((struct err *)0)->text)];
	va_list ap;
	size_t len;

	if (err == NULL)
		return ERR_BUG;
	memcpy(text, err->text, sizeof(text));
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s", text);
	return err->code;
}

int
err_nomem(struct err *err)
{
	return err_set(err, ERR_NOMEM, "out of memory");
}

int
err_copy(struct err *dst, const struct err *src)
{
	if (dst != NULL && dst != src)
		*dst = *src;
	return src->code;
}
