/*
 * Make a host's key file that reads and writes every dataset of a store, so that
 * no passphrase has to be derived: keyfor STORE KEYFILE
 * The passphrase of the store's admin is 'bench'.
 */
#include "snapshot/access/access.h"
#include "tests/bench/large/pass.h"

#include <stdio.h>
#include <string.h>

static int
make_key(const char *store, const char *path, struct err *err)
{
	const struct credential cred = {.passphrase = give_pass};
	AUTO(identity) struct identity *host = NULL;
	AUTO(access) struct access *a = NULL;
	int rc = access_open(store, &cred, &a, err);

	if (rc == 0)
		rc = identity_new(IDENTITY_HOST, "bench-host", &host, err);
	if (rc == 0)
		rc = access_write_keyfile(host, path, err);
	for (size_t i = 0; rc == 0 && i < access_datasets(a); i++) {
		const struct dataset *ds = access_dataset(a, i);

		rc = access_grant(
		    a, &host->pub, ROLE_READER, ds, INT64_MAX, err);
		if (rc == 0)
			rc = access_grant(
			    a, &host->pub, ROLE_WRITER, ds, INT64_MAX, err);
	}
	return rc;
}

int
main(int argc, char **argv)
{
	struct err err;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: keyfor STORE KEYFILE\n");
		return 2;
	}
	if (make_key(argv[1], argv[2], &err) == 0)
		return 0;
	(void)fprintf(stderr, "keyfor: %s\n", err.text);
	return 1;
}
