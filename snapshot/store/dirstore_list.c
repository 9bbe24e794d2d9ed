#include "snapshot/store/dirstore.h"
#include "snapshot/store/object_ref.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static DIR *
open_dir(const struct dirstore *d, const char *path)
{
	int fd = openat(
	    d->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL && fd >= 0) {
		int errnum = errno;

		(void)close(fd);
		errno = errnum;
	}
	return dir;
}

static bool
is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int
dirstore_each(const struct dirstore *d, const char *path, dirstore_entry_fn *fn,
    void *arg, struct err *err)
{
	DIR *dir = open_dir(d, path);
	int rc = 0;

	if (dir == NULL)
		return errno == ENOENT ? 0
				       : dirstore_fail(d, err, "list", path);
	while (rc == 0) {
		const struct dirent *e;

		errno = 0;
		e = readdir(dir);
		if (e == NULL) {
			if (errno != 0)
				rc = dirstore_fail(d, err, "list", path);
			break;
		}
		if (!is_dot(e->d_name))
			rc = fn(arg, dirfd(dir), e, err);
	}
	(void)closedir(dir);
	return rc;
}

/* What a listing carries along. */
struct listing {
	const struct dirstore *d;
	const char *path; /* of the directory being read */
	uint8_t xx;       /* of OBJECT_PACK: its first byte */
	struct object_ref ref;
	store_visit_fn *visit;
	void *arg;
};

/*
 * An entry's type (S_IFMT), and its size if that is asked for; 0 when it has
 * gone since the directory was read.
 */
static int
entry_type(const struct listing *l, int dir, const struct dirent *e,
    mode_t *type, uint64_t *size, struct err *err)
{
	struct stat st;

	if (size == NULL && e->d_type != DT_UNKNOWN) {
		*type = (mode_t)DTTOIF(e->d_type);
		return 0;
	}
	*type = 0;
	if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT)
			return 0;
		return err_errno(err, "cannot look at '%s/%s/%s'",
		    l->d->base.address, l->path, e->d_name);
	}
	*type = st.st_mode & S_IFMT;
	if (size != NULL)
		*size = (uint64_t)st.st_size;
	return 0;
}

static int
visit_object(void *arg, int dir, const struct dirent *e, struct err *err)
{
	struct listing *l = arg;
	bool sized = l->ref.cls == OBJECT_INDEX || l->ref.cls == OBJECT_PACK;
	uint64_t size = 0;
	mode_t type;
	int rc;

	if (!object_ref_parse(&l->ref, e->d_name))
		return 0;
	if (l->ref.cls == OBJECT_PACK && l->ref.name[0] != l->xx)
		return 0;
	rc = entry_type(l, dir, e, &type, sized ? &size : NULL, err);
	/* What has an object's name and is no file is one that is damaged. */
	if (rc != 0 || type == 0)
		return rc;
	return l->visit(l->arg, &l->ref, type == S_IFREG ? size : 0, err);
}

/* --- packs: one directory for each first byte -------------------------- */

static int
list_packs(struct listing *l, struct err *err)
{
	char path[OBJECT_REF_TEXT];
	int rc = 0;

	for (unsigned xx = 0; xx <= UINT8_MAX && rc == 0; xx++) {
		l->ref.name[0] = l->xx = (uint8_t)xx;
		object_ref_dir(&l->ref, path);
		l->path = path;
		rc = dirstore_each(l->d, path, visit_object, l, err);
	}
	return rc;
}

/* --- log records: by their sequence numbers ---------------------------- */

struct record {
	uint64_t seq;
	uint8_t name[OBJECT_NAME_LEN];
};

struct records {
	struct record *v;
	size_t n, cap;
};

static int
add_record(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct records *rs = arg;
	struct record *r;

	if (rs->n == rs->cap) {
		size_t cap = rs->cap == 0 ? 256 : 2 * rs->cap;

		r = reallocarray(rs->v, cap, sizeof(*r));
		if (r == NULL)
			return err_nomem(err);
		rs->v = r;
		rs->cap = cap;
	}
	r = &rs->v[rs->n++];
	r->seq = ref->seq;
	memcpy(r->name, ref->name, sizeof(r->name));
	return 0;
}

/* Two records of one number are damage; their order is at least the same. */
static int
by_seq(const void *a, const void *b)
{
	const struct record *x = a;
	const struct record *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return memcmp(x->name, y->name, sizeof(x->name));
}

static int
list_log(struct listing *l, struct err *err)
{
	struct records rs = {0};
	store_visit_fn *visit = l->visit;
	void *arg = l->arg;
	int rc;

	l->visit = add_record;
	l->arg = &rs;
	rc = dirstore_each(l->d, l->path, visit_object, l, err);
	if (rc == 0 && rs.n > 0)
		qsort(rs.v, rs.n, sizeof(rs.v[0]), by_seq);
	for (size_t i = 0; i < rs.n && rc == 0; i++) {
		l->ref.seq = rs.v[i].seq;
		memcpy(l->ref.name, rs.v[i].name, OBJECT_NAME_LEN);
		rc = visit(arg, &l->ref, 0, err);
	}
	free(rs.v);
	return rc;
}

/* --- the listings of store.h ------------------------------------------- */

int
dirstore_list(struct store *s, enum object_class cls,
    const uint8_t dataset[STORE_DATASET_LEN], store_visit_fn *visit, void *arg,
    struct err *err)
{
	char path[OBJECT_REF_TEXT];
	struct listing l = {
	    .d = dirstore_of(s),
	    .path = path,
	    .ref = {.cls = cls},
	    .visit = visit,
	    .arg = arg,
	};

	if (cls != OBJECT_ROOT && cls != OBJECT_KEY)
		memcpy(l.ref.dataset, dataset, STORE_DATASET_LEN);
	object_ref_class_dir(cls, l.ref.dataset, path);
	if (cls == OBJECT_PACK)
		return list_packs(&l, err);
	if (cls == OBJECT_LOG)
		return list_log(&l, err);
	return dirstore_each(l.d, path, visit_object, &l, err);
}

static int
visit_dataset(void *arg, int dir, const struct dirent *e, struct err *err)
{
	struct listing *l = arg;
	mode_t type;
	int rc;

	if (!object_ref_hex(e->d_name, l->ref.dataset, STORE_DATASET_LEN))
		return 0;
	rc = entry_type(l, dir, e, &type, NULL, err);
	if (rc != 0 || type == 0)
		return rc;
	return l->visit(l->arg, &l->ref, 0, err);
}

int
dirstore_list_datasets(
    struct store *s, store_visit_fn *visit, void *arg, struct err *err)
{
	struct listing l = {
	    .d = dirstore_of(s),
	    .path = "datasets",
	    .ref = {.cls = OBJECT_LOG},
	    .visit = visit,
	    .arg = arg,
	};

	return dirstore_each(l.d, l.path, visit_dataset, &l, err);
}
