/*
 * Copying out of a snapshot. One thread walks the trees and makes everything
 * there is; the filler's threads write the files' content. Every step goes
 * through the directory made before it, never through a path, so no name and
 * no symlink in a snapshot can lead out of the target.
 */
#include "snapshot/restore/bare.h"
#include "snapshot/restore/restore_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- results ----------------------------------------------------------- */

void
restore_tell(struct restore *rs, const char *path, const struct err *err)
{
	pthread_mutex_lock(&rs->mu);
	rs->out->failed++;
	if (err->code == ERR_CORRUPT || err->code == ERR_AUTH)
		rs->out->damaged = true;
	if (rs->opt->on_problem != NULL)
		rs->opt->on_problem(
		    rs->opt->arg, *path != '\0' ? path : ".", err);
	pthread_mutex_unlock(&rs->mu);
}

/*
 * ${path} could not be filled: told now, and taken away when no directory's
 * metadata are to be set any more.
 */
static void
file_failed(struct restore *rs, const char *path, const struct err *err)
{
	char *own = strdup(path);

	if (err->code != ERR_CANCELLED)
		restore_tell(rs, path, err);
	pthread_mutex_lock(&rs->mu);
	if (err->code == ERR_FULL && rs->full.code == 0)
		rs->full = *err;
	if (rs->nfailed == rs->failed_cap) {
		size_t cap = rs->failed_cap * 2 + 16;
		char **failed = reallocarray(rs->failed, cap, sizeof(*failed));

		if (failed != NULL) {
			rs->failed = failed;
			rs->failed_cap = cap;
		}
	}
	if (own != NULL && rs->nfailed < rs->failed_cap)
		rs->failed[rs->nfailed++] = STEAL(own);
	else
		restore_unmake(rs, path);
	pthread_mutex_unlock(&rs->mu);
	free(own);
}

static void
take_failed_away(struct restore *rs)
{
	for (size_t i = 0; i < rs->nfailed; i++) {
		restore_unmake(rs, rs->failed[i]);
		free(rs->failed[i]);
	}
	free(rs->failed);
}

/* No link to the file can be made from now on. */
static void
links_failed(struct restore *rs, struct made_file *file, const struct err *err)
{
	made_lock(rs->made);
	made_take(rs->made, file);
	made_unlock(rs->made);
	for (size_t i = 0; i < file->npaths; i++)
		file_failed(rs, file->paths[i], err);
	made_file_free(file);
}

/* A filler_done_fn; ${tag} is a struct made_file, or NULL. */
static void
file_done(void *arg, const char *path, void *tag, uint64_t bytes, bool whole,
    const struct err *err)
{
	struct restore *rs = arg;
	struct made_file *file = tag;
	uint64_t links = 1;

	if (!whole && file != NULL)
		links_failed(rs, file, err);
	else if (!whole)
		file_failed(rs, path, err);
	if (!whole)
		return;
	if (file != NULL) {
		made_lock(rs->made);
		links = file->links;
		made_filled(rs->made, file);
		made_unlock(rs->made);
	}
	if (err != NULL) { /* its metadata: what there is stays */
		restore_tell(rs, path, err);
		return;
	}
	pthread_mutex_lock(&rs->mu);
	rs->out->files += links;
	rs->out->bytes += links * bytes;
	pthread_mutex_unlock(&rs->mu);
}

bool
restore_is_fatal(int code)
{
	return code == ERR_NOMEM || code == ERR_FULL || code == ERR_CANCELLED ||
	       code == ERR_BUG;
}

/* --- the target -------------------------------------------------------- */

/* Whether ${fd} lists nothing; a system error is -1. */
static int
dir_is_empty(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own >= 0 ? fdopendir(own) : NULL;
	struct dirent *de;
	int empty = 1;

	if (dir == NULL) {
		if (own >= 0)
			close(own);
		return -1;
	}
	while (empty == 1 && (de = readdir(dir)) != NULL) {
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			empty = 0;
	}
	closedir(dir);
	return empty;
}

/* The directory to restore into: new, or there and empty. */
static int
open_target_dir(struct restore *rs, struct err *err)
{
	const char *target = rs->opt->target;
	int empty;

	if (mkdir(target, 0700) != 0 && errno != EEXIST)
		return err_errno(err, "cannot make target '%s'", target);
	rs->root_fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rs->root_fd < 0 && errno == ENOTDIR)
		return err_set(err, ERR_USAGE,
		    "target '%s' is there, and is no directory", target);
	if (rs->root_fd < 0)
		return err_errno(err, "cannot open target '%s'", target);
	if ((empty = dir_is_empty(rs->root_fd)) < 0)
		return err_errno(err, "cannot list target '%s'", target);
	if (empty == 0)
		return err_set(err, ERR_USAGE,
		    "target '%s' is not empty: nothing is restored over files "
		    "that are there",
		    target);
	return 0;
}

/*
 * What the target has of its own, or of the directory that it was made in, goes
 * first of all: else everything below would come by its default ACL. An attribute
 * that stays harms nothing but the likeness.
 */
static int
make_target_bare(struct restore *rs, struct err *err)
{
	struct err why;

	if (bare_acls(rs->root_fd, NULL, err) != 0)
		return err_wrap(err,
		    "target '%s' would hand its ACL on to all that is restored "
		    "(try one that is not there yet)",
		    rs->opt->target);
	if (bare_attributes(rs->root_fd, geteuid() == 0, &why) != 0)
		restore_tell(rs, "", &why);
	return 0;
}

static int
restore_dir(struct restore *rs, struct span raw, struct err *err)
{
	int fd, ret;

	if ((ret = open_target_dir(rs, err)) != 0)
		return ret;
	if ((ret = make_target_bare(rs, err)) != 0)
		return ret;
	if ((ret = restore_path(rs, (const uint8_t *)"", 0, err)) != 0)
		return ret;
	if ((fd = fcntl(rs->root_fd, F_DUPFD_CLOEXEC, 0)) < 0)
		return err_errno(err, "cannot open the target again");
	ret = restore_push(rs, fd, raw, err);
	return ret != 0 ? ret : restore_walk(rs, err);
}

/* ${name} is what stands in the way: the target, or of that name in it. */
static int
refuse_to_replace(const struct restore *rs, const char *name, struct err *err)
{
	const char *target = rs->opt->target;
	struct stat st;
	bool inside = stat(target, &st) == 0 && S_ISDIR(st.st_mode);

	return err_set(err, ERR_USAGE,
	    "'%s%s%s' is there: nothing is restored over it", target,
	    inside ? "/" : "", inside ? name : "");
}

/* Where one file goes: into the directory ${target}, or as ${target}. */
static int
open_target_file(
    struct restore *rs, const char *own_name, char **name, struct err *err)
{
	const char *target = rs->opt->target;
	const char *slash = strrchr(target, '/');
	struct stat st;
	char *dir;

	if (stat(target, &st) == 0 && S_ISDIR(st.st_mode)) {
		dir = strdup(target);
		*name = strdup(own_name);
	} else {
		dir = slash != NULL
			  ? strndup(target, (size_t)(slash - target) + 1)
			  : strdup(".");
		*name = strdup(slash != NULL ? slash + 1 : target);
	}
	if (dir == NULL || *name == NULL) {
		free(dir);
		return err_nomem(err);
	}
	rs->root_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rs->root_fd < 0)
		(void)err_errno(err, "cannot open target '%s'", dir);
	free(dir);
	return rs->root_fd < 0 ? err->code : 0;
}

static int
restore_file(struct restore *rs, const struct dir_entry *de,
    const char *own_name, struct err *err)
{
	char *name = NULL;
	struct stat st;
	int ret;

	if ((ret = open_target_file(rs, own_name, &name, err)) != 0) {
		free(name);
		return ret;
	}
	if (fstatat(rs->root_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		ret = refuse_to_replace(rs, name, err);
	if (ret == 0)
		ret =
		    restore_path(rs, (const uint8_t *)name, strlen(name), err);
	apply_inherits(rs->apply);
	if (ret == 0)
		ret = restore_make(rs, rs->root_fd, name, de, err);
	free(name);
	return ret;
}

/* --- the whole --------------------------------------------------------- */

static int
run(struct restore *rs, const struct snapshot *s, struct err *err)
{
	DIR_ENTRY_AUTO struct dir_entry de = {0};
	struct span root = {s->root, s->root_len};
	const char *path = rs->opt->path != NULL ? rs->opt->path : "";
	const char *slash;
	int ret;

	while (*path == '/')
		path++;
	if ((ret = dir_resolve(rs->chunks, &root, path, &de, err)) != 0)
		return ret;
	if (de.e.type == ENTRY_DIR) {
		ret = restore_dir(rs, de.raw, err);
	} else {
		slash = strrchr(path, '/');
		ret = restore_file(
		    rs, &de, slash != NULL ? slash + 1 : path, err);
	}
	if (ret == 0)
		filler_wait(rs->filler);
	if (ret == 0 && rs->opt->stop != NULL && atomic_load(rs->opt->stop))
		ret = err_set(err, ERR_CANCELLED, "stopped");
	if (ret == 0 && rs->full.code != 0)
		ret = err_copy(err, &rs->full);
	return ret;
}

int
restore_run(struct chunks *chunks, const struct snapshot *s,
    const struct restore_options *opt, struct restore_result *out,
    struct err *err)
{
	struct restore rs = {
	    .chunks = chunks, .opt = opt, .out = out, .root_fd = -1};
	int ret;

	memset(out, 0, sizeof(*out));
	pthread_mutex_init(&rs.mu, NULL);
	ret = apply_new(chunks, opt, &rs.apply, err);
	if (ret == 0)
		ret = made_new(&rs.made, err);
	if (ret == 0)
		ret = filler_new(
		    chunks, rs.apply, opt, file_done, &rs, &rs.filler, err);
	if (ret == 0)
		ret = run(&rs, s, err);
	filler_free(rs.filler);
	take_failed_away(&rs);
	restore_levels_clear(&rs);
	made_free(rs.made);
	apply_free(rs.apply);
	if (rs.root_fd >= 0)
		close(rs.root_fd);
	pthread_mutex_destroy(&rs.mu);
	return ret;
}
