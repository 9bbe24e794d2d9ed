#include "crypto/keyset.h"
#include "crypto/utf8.h"

#include <string.h>

static bool
is(const char *part, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(part, word, len) == 0;
}

/* YYYY-MM-DD: any digits, for a mount would have to tell them apart. */
static bool
is_date(const char *part, size_t len)
{
	static const char shape[] = "dddd-dd-dd";

	if (len != strlen(shape))
		return false;
	for (size_t i = 0; i < len; i++) {
		bool digit = part[i] >= '0' && part[i] <= '9';

		if (shape[i] == 'd' ? !digit : part[i] != '-')
			return false;
	}
	return true;
}

/* What is wrong with one folder of a name; NULL when nothing is. */
static const char *
part_fault(const char *part, size_t len)
{
	if (len == 0)
		return "has an empty folder";
	if (is(part, len, ".") || is(part, len, ".."))
		return "has a folder '.' or '..'";
	if (is(part, len, "latest"))
		return "has a folder 'latest'";
	if (part[0] == '-')
		return "has a folder that starts with '-'";
	if (is_date(part, len))
		return "has a folder that looks like a date";
	return NULL;
}

static const char *
name_fault(const char *name)
{
	size_t len = strlen(name);

	if (len == 0)
		return "is empty";
	if (len > DATASET_NAME_MAX)
		return "is longer than 255 bytes";
	if (!utf8_printable(name, len))
		return "is not UTF-8 without control characters";
	if (strpbrk(name, "@:") != NULL)
		return "has an '@' or a ':'";
	for (;;) {
		size_t part = strcspn(name, "/");
		const char *fault = part_fault(name, part);

		if (fault != NULL || name[part] == '\0')
			return fault;
		name += part + 1;
	}
}

/* What keeps a name from being told from others by eye. */
static const char *
look_fault(const char *name)
{
	size_t len = strlen(name);

	if (!utf8_plain(name, len))
		return "has characters that don't show";
	if (name[0] == ' ' || name[len - 1] == ' ' ||
	    strstr(name, " /") != NULL || strstr(name, "/ ") != NULL)
		return "has a folder that starts or ends with a blank";
	return NULL;
}

/* The name may be unfit to print, so it is not. */
static int
tell(const char *fault, struct err *err)
{
	return fault == NULL
		   ? 0
		   : err_set(err, ERR_USAGE, "the dataset's name %s", fault);
}

int
keyset_name_check(const char *name, struct err *err)
{
	return tell(name_fault(name), err);
}

int
keyset_name_check_new(const char *name, struct err *err)
{
	const char *fault = name_fault(name);

	return tell(fault != NULL ? fault : look_fault(name), err);
}
