/* Which store it is: by its fingerprint, and by what this machine remembers. */
#include "tools/session_known.h"
#include "tools/session.h"

#include "tools/message.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Whether two fingerprints are equal but for case and '-'. */
static bool
same_fingerprint(const char *a, const char *b)
{
	do {
		while (*a == '-')
			a++;
		while (*b == '-')
			b++;
		if (toupper((unsigned char)*a) != toupper((unsigned char)*b))
			return false;
	} while (*a++ != '\0' && *b++ != '\0');
	return true;
}

/* Its letters and digits, without the '-' between them. */
static size_t
fingerprint_len(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text != '-';
	return n;
}

static int
check_fingerprint(
    const struct session *s, const struct store_args *args, struct err *err)
{
	char text[FINGERPRINT_TEXT];

	if (args->fingerprint == NULL)
		return 0;
	root_fingerprint_text(access_root(s->access)->fingerprint, text);
	if (same_fingerprint(args->fingerprint, text))
		return 0;
	if (fingerprint_len(args->fingerprint) != fingerprint_len(text))
		return err_set(err, ERR_USAGE,
		    "'%s' is no fingerprint: a fingerprint has %zu letters and"
		    " digits, as 'varve init' printed them",
		    args->fingerprint, fingerprint_len(text));
	return err_set(err, ERR_AUTH,
	    "store '%s' has the fingerprint %s, which is not the one given: it"
	    " is another store",
	    store_address(access_store(s->access)), text);
}

/* An address that is the same from wherever it is named. */
static int
real_address(const struct session *s, char **out, struct err *err)
{
	const struct store *store = access_store(s->access);
	const char *path = store_path(store);

	*out =
	    path != NULL ? realpath(path, NULL) : strdup(store_address(store));
	if (*out == NULL)
		return err_errno(
		    err, "cannot tell where '%s' is", store_address(store));
	return 0;
}

static int
open_heads(struct session *s, const char *dir, const struct store_args *args,
    struct err *err)
{
	const struct root *root = access_root(s->access);
	char *address = NULL;
	int r = real_address(s, &address, err);

	/* It was compared with the one given. */
	if (r == 0 && args->fingerprint != NULL)
		r = heads_accept(dir, root, address, err);
	if (r == 0)
		r = heads_open(dir, root, address, &s->heads, err);
	if (r == ERR_AUTH)
		r = err_wrap(
		    err, "store '%s'", store_address(access_store(s->access)));
	free(address);
	return r;
}

/*
 * What this machine remembers guards against a store that hides snapshots, and
 * against another one in its place. It must not keep anyone from reading his
 * backups on a machine without a home; but where something was remembered and
 * is damaged, a backup may go to a stranger.
 */
static bool
is_grave(const struct run *run, int r)
{
	return r == ERR_AUTH || r == ERR_NOMEM ||
	       (r == ERR_CORRUPT && run->command == &cmd_backup);
}

/* Who checks is to know what can't be found out any more. */
static void
tell_forgotten(const struct run *run, const struct err *why)
{
	static const char text[] =
	    "nothing can be remembered of this store: %s";

	if (why->code != ERR_CORRUPT || run->command != &cmd_check) {
		message_warning(run, text, why->text);
		return;
	}
	message_problem(run, text, why->text);
	if (run->damaged != NULL)
		*run->damaged = true;
}

int
session_remember(
    struct session *s, const struct store_args *args, struct err *err)
{
	char dir[STATE_PATH_MAX];
	struct err why = {0};
	int r = check_fingerprint(s, args, err);

	if (r != 0)
		return r;
	r = state_default_dir(dir, &why);
	if (r == 0)
		r = open_heads(s, dir, args, &why);
	if (is_grave(s->run, r))
		return err_copy(err, &why);
	if (r != 0) {
		tell_forgotten(s->run, &why);
		return 0;
	}
	s->state_dir = strdup(dir);
	return s->state_dir != NULL ? 0 : err_nomem(err);
}

int
session_compare(
    const struct session *s, const struct store_args *args, struct err *err)
{
	char dir[STATE_PATH_MAX];
	char *address = NULL;
	int r = check_fingerprint(s, args, err);

	if (r != 0 || args->fingerprint != NULL)
		return r;
	r = state_default_dir(dir, err);
	if (r == 0)
		r = real_address(s, &address, err);
	if (r == 0)
		r = heads_compare(dir, access_root(s->access), address, err);
	free(address);
	return r != ERR_AUTH ? r
			     : err_wrap(err, "store '%s'",
				   store_address(access_store(s->access)));
}
