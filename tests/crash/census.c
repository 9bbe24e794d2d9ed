#include "tests/crash/census.h"
#include "crypto/hash.h"
#include "snapshot/tree/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 16

/* A census under way. */
struct census {
	FILE *out;
	char *text;
	size_t len;
	/* Files with several links, by the first one met. */
	struct link {
		uint64_t ino;
		char *path;
	} links[LINKS_MAX];
	size_t nlinks;
};

/* What is said of an entry. */
struct facts {
	uint32_t mode; /* as st_mode */
	uint32_t uid, gid;
	int64_t mtime;
	uint32_t mtime_ns;
	uint64_t ino, nlink;
	const void *data; /* a file's bytes, a symlink's target */
	size_t len;
};

static void
must(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		abort();
	}
}

static void
census_begin(struct census *c)
{
	memset(c, 0, sizeof(*c));
	c->out = open_memstream(&c->text, &c->len);
	must(c->out != NULL, "open_memstream");
}

static char *
census_end(struct census *c, const struct dir_totals *t)
{
	(void)fprintf(c->out,
	    "files %" PRIu64 " dirs %" PRIu64 " others %" PRIu64
	    " bytes %" PRIu64 "\n",
	    t->files, t->dirs, t->others, t->bytes);
	must(fclose(c->out) == 0, "fclose");
	for (size_t i = 0; i < c->nlinks; i++)
		free(c->links[i].path);
	return c->text;
}

/* The path under which a file with several links was met first. */
static const char *
first_link(struct census *c, uint64_t ino, const char *path)
{
	for (size_t i = 0; i < c->nlinks; i++)
		if (c->links[i].ino == ino)
			return c->links[i].path;
	must(c->nlinks < LINKS_MAX, "too many links");
	c->links[c->nlinks] = (struct link){ino, strdup(path)};
	return c->links[c->nlinks++].path;
}

static void
put(struct census *c, const char *path, const struct facts *f)
{
	uint8_t hash[HASH_LEN];

	must(sha256(f->data, f->len, hash, NULL) == 0, "sha256");
	(void)fprintf(c->out,
	    "/%s %o %u:%u %" PRId64 ".%09u %" PRIu64 " '%s' %zu ", path,
	    f->mode, f->uid, f->gid, f->mtime, f->mtime_ns, f->nlink,
	    f->nlink > 1 ? first_link(c, f->ino, path) : "", f->len);
	for (size_t i = 0; i < sizeof(hash); i++)
		(void)fprintf(c->out, "%02x", hash[i]);
	(void)fputc('\n', c->out);
}

static char *
join(const char *dir, const char *name)
{
	char *path;

	must(asprintf(&path, "%s%s%s", dir, *dir != '\0' ? "/" : "", name) > 0,
	    "asprintf");
	return path;
}

/* --- of a source ------------------------------------------------------- */

static void *
file_bytes(int dir, const char *name, const struct stat *st)
{
	size_t len = (size_t)st->st_size;
	char *buf = malloc(len + 1);
	int fd;

	must(buf != NULL, "malloc");
	if (S_ISLNK(st->st_mode)) {
		must(readlinkat(dir, name, buf, len) == st->st_size, name);
		return buf;
	}
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && read(fd, buf, len) == st->st_size, name);
	(void)close(fd);
	return buf;
}

static void source_entries(
    struct census *c, int dir, const char *path, struct dir_totals *t);

static void
source_entry(struct census *c, int dir, const char *name, const char *path,
    struct dir_totals *t)
{
	struct stat st;
	struct facts f;
	void *data = NULL;

	must(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0, path);
	f = (struct facts){
	    .mode = st.st_mode,
	    .uid = st.st_uid,
	    .gid = st.st_gid,
	    .mtime = st.st_mtim.tv_sec,
	    .mtime_ns = (uint32_t)st.st_mtim.tv_nsec,
	    .ino = st.st_ino,
	    .nlink = S_ISDIR(st.st_mode) ? 1 : st.st_nlink,
	};
	if (S_ISDIR(st.st_mode)) {
		put(c, path, &f);
		t->dirs++;
		source_entries(c,
		    openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path,
		    t);
		return;
	}
	f.data = data = file_bytes(dir, name, &st);
	f.len = (size_t)st.st_size;
	put(c, path, &f);
	free(data);
	if (S_ISREG(st.st_mode)) {
		t->files++;
		t->bytes += (uint64_t)st.st_size;
	} else {
		t->others++;
	}
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
not_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* Closes ${dir}. */
static void
source_entries(
    struct census *c, int dir, const char *path, struct dir_totals *t)
{
	struct dirent **names;
	int n = scandirat(dir, ".", &names, not_dots, by_name);

	must(n >= 0, path);
	for (int i = 0; i < n; i++) {
		char *below = join(path, names[i]->d_name);

		source_entry(c, dir, names[i]->d_name, below, t);
		free(below);
		free(names[i]);
	}
	free(names);
	(void)close(dir);
}

char *
census_source(const char *dir)
{
	struct dir_totals totals = {0};
	struct census c;

	census_begin(&c);
	source_entry(&c, AT_FDCWD, dir, "", &totals);
	totals.dirs--; /* the top directory is not counted */
	return census_end(&c, &totals);
}

/* --- of a snapshot ----------------------------------------------------- */

static int
content_bytes(
    struct chunks *chunks, const struct entry *e, uint8_t *buf, struct err *err)
{
	AUTO(content_cursor) struct content_cursor *cur = NULL;
	struct content content;
	size_t got;
	int rc;

	if ((rc = entry_content(e, &content, err)) != 0)
		return rc;
	rc = content_cursor_new(chunks, &content, e->size, &cur, err);
	for (size_t at = 0; rc == 0 && at < e->size; at += got) {
		rc = content_read(
		    cur, at, buf + at, (size_t)e->size - at, &got, err);
		if (rc == 0 && got == 0)
			rc = err_set(err, ERR_CORRUPT, "a file ends early");
	}
	return rc;
}

static int
put_file(struct census *c, struct chunks *chunks, const char *path,
    const struct entry *e, struct facts *f, struct err *err)
{
	uint8_t *buf = malloc((size_t)e->size + 1);
	int rc;

	must(buf != NULL, "malloc");
	rc = content_bytes(chunks, e, buf, err);
	f->data = buf;
	f->len = (size_t)e->size;
	if (rc == 0)
		put(c, path, f);
	free(buf);
	return rc;
}

static int snapshot_entries(struct census *c, struct chunks *chunks,
    const struct dir_ref *dir, const char *path, struct err *err);

static int
snapshot_entry(struct census *c, struct chunks *chunks, const char *path,
    const struct entry *e, struct err *err)
{
	struct facts f = {
	    .mode = entry_mode(e),
	    .uid = e->uid,
	    .gid = e->gid,
	    .mtime = e->mtime,
	    .mtime_ns = e->mtime_ns,
	    .ino = e->ino,
	    .nlink = e->nlink,
	    .data = e->target.p,
	    .len = e->target.len,
	};

	if (e->type == ENTRY_FILE)
		return put_file(c, chunks, path, e, &f, err);
	put(c, path, &f);
	if (e->type != ENTRY_DIR)
		return 0;
	return snapshot_entries(c, chunks, &e->dir, path, err);
}

static int
snapshot_entries(struct census *c, struct chunks *chunks,
    const struct dir_ref *dir, const char *path, struct err *err)
{
	AUTO(dir_cursor) struct dir_cursor *cur = NULL;
	struct dir_entry de;
	int rc = dir_cursor_new(chunks, dir, &cur, err);

	if (rc != 0)
		return rc;
	while ((rc = dir_cursor_next(cur, &de, err)) == 1) {
		char name[ENTRY_NAME_MAX + 1];
		char *below;

		memcpy(name, de.name.p, de.name.len);
		name[de.name.len] = '\0';
		below = join(path, name);
		rc = snapshot_entry(c, chunks, below, &de.e, err);
		free(below);
		if (rc != 0)
			return rc;
	}
	return rc;
}

int
census_snapshot(struct chunks *chunks, const struct snapshot *s, char **out,
    struct err *err)
{
	struct census c;
	struct entry root;
	int rc = entry_decode(s->root, s->root_len, &root, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	census_begin(&c);
	rc = snapshot_entry(&c, chunks, "", &root, err);
	*out = census_end(&c, &root.totals);
	if (rc != 0)
		free(STEAL(*out));
	return rc;
}
