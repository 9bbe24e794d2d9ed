#include "snapshot/check/check_internal.h"
#include "snapshot/content/name_set.h"

#include <stdlib.h>

/*
 * The root and the key objects. Access tells of those that it passed over when
 * it opened the store; reading them again tells what has happened since.
 */
struct keys {
	struct check *c;
	struct name_set told;
};

static int
root_matches(struct check *c, const uint8_t *buf, size_t len, struct err *err)
{
	struct root root;
	int rc = root_decode(buf, len, &root, err);

	if (rc == 0 &&
	    memcmp(root.fingerprint, access_root(c->access)->fingerprint,
		FINGERPRINT_LEN) != 0)
		return err_set(err, ERR_CORRUPT,
		    "it has changed since the store was opened");
	return rc;
}

static int
check_root(struct check *c, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_ROOT};
	struct err why;
	uint8_t *buf = NULL;
	size_t len;
	int rc = store_get(c->store, &ref, ROOT_OBJECT_MAX, &buf, &len, &why);

	check_expect(c, len);
	check_count(c, 1, len);
	if (rc == 0)
		rc = root_matches(c, buf, len, &why);
	free(buf);
	return check_pass_over(c, &ref, rc, &why, err);
}

/* --- key objects -------------------------------------------------------- */

static void
name_of(const struct object_ref *ref, struct chunk_name *name)
{
	memcpy(name->b, ref->name, sizeof(name->b));
}

static int
read_key(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct keys *k = arg;
	struct chunk_name name;
	struct err why;
	uint8_t *buf = NULL;
	size_t len;
	int rc = check_stopped(k->c, err);

	if (rc != 0)
		return rc;
	rc = store_get(k->c->store, ref, GRANT_OBJECT_MAX, &buf, &len, &why);
	if (rc == ERR_NOT_FOUND) /* removed since it was listed */
		return 0;
	check_expect(k->c, len);
	check_count(k->c, 1, len);
	free(buf);
	if (rc == 0)
		return 0;
	name_of(ref, &name);
	if (name_set_add(&k->told, &name, err) < 0)
		return ERR_NOMEM;
	return check_pass_over(k->c, ref, rc, &why, err);
}

static int
tell_passed_over(void *arg, const struct object_ref *ref, const struct err *why,
    UNUSED struct err *err)
{
	struct keys *k = arg;
	struct chunk_name name;

	name_of(ref, &name);
	if (!name_set_has(&k->told, &name))
		check_damage(k->c, ref, why, NULL);
	return 0;
}

/* The root says that it is an admin; what an admin is granted isn't there. */
static void
check_first_admin(struct check *c)
{
	const struct identity *who = access_identity(c->access);

	if (who == NULL || access_is_admin(c->access) ||
	    memcmp(who->pub.id, access_root(c->access)->admin.id,
		sizeof(who->pub.id)) != 0)
		return;
	check_tell(c, "keys",
	    "the grant of the first admin is missing or damaged: 'varve repair "
	    "--from SITE' fetches it; without a site, 'varve grant' makes one "
	    "anew for another admin, or with the recovery key",
	    NULL);
}

int
check_keys(struct check *c, struct err *err)
{
	struct keys k = {.c = c};
	struct err why;
	int rc = check_root(c, err);

	if (rc == 0) {
		rc = store_list(c->store, OBJECT_KEY, NULL, read_key, &k, &why);
		rc = check_unlisted(c, OBJECT_KEY, NULL, rc, &why, err);
	}
	check_first_admin(c);
	if (rc == 0)
		rc = access_visit_damage(c->access, tell_passed_over, &k, err);
	name_set_clear(&k.told);
	return rc;
}
