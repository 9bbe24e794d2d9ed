#include "tests/unit/realm_files.h"

static void
add_files(
    const char *root, const char *dir, const char *part, struct files *out)
{
	char path[2 * SCRATCH_PATH];
	DIR *d;
	const struct dirent *e;

	(void)snprintf(path, sizeof(path), "%s/%s", root, dir);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char name[512];

		if (e->d_name[0] == '.' || strcmp(e->d_name, "tmp") == 0 ||
		    strcmp(e->d_name, "lock") == 0 ||
		    strcmp(e->d_name, "run") == 0 ||
		    strcmp(e->d_name, "prune") == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s%s%s", dir,
		    dir[0] != '\0' ? "/" : "", e->d_name);
		if (e->d_type == DT_DIR) {
			add_files(root, name, part, out);
		} else if (strstr(name, part) != NULL) {
			assert_true(out->n < FILES_MAX);
			assert_true(strlen(name) < sizeof(out->name[0]));
			strcpy(out->name[out->n++], name);
		}
	}
	(void)closedir(d);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

void
files_find(const struct realm *r, const char *part, struct files *out)
{
	out->n = 0;
	add_files(r->store, "", part, out);
	qsort(out->name, out->n, sizeof(out->name[0]), compare_names);
}

void
files_pick(const struct realm *r, const char *part, char out[192])
{
	struct files files;

	files_find(r, part, &files);
	assert_int_equal(files.n, 1);
	strcpy(out, files.name[0]);
}

void
files_dataset_dir(const struct realm *r, const char *dataset, char out[64])
{
	const struct dataset *ds = access_find(r->admin, dataset);
	size_t len;

	assert_non_null(ds);
	strcpy(out, "datasets/");
	len = strlen(out);
	for (size_t i = 0; i < DATASET_ID_LEN; i++)
		(void)snprintf(out + len + 2 * i, 3, "%02x", ds->id[i]);
	strcat(out, "/");
}

void
files_find_class(const struct realm *r, const char *dataset, const char *class,
    struct files *out)
{
	char part[128];

	files_dataset_dir(r, dataset, part);
	strcat(part, class);
	strcat(part, "/");
	files_find(r, part, out);
	assert_true(out->n > 0);
}

void
files_find_pack(const struct realm *r, int kind, char out[192])
{
	struct files packs;
	size_t best = 0;

	files_find_class(r, "files", "packs", &packs);
	for (size_t i = 0; i < packs.n; i++) {
		struct original o = original_take(r, packs.name[i]);

		if (o.buf[8] == kind && o.len > best) {
			best = o.len;
			strcpy(out, packs.name[i]);
		}
		free(o.buf);
	}
	assert_true(best > 0);
}

struct original
original_take(const struct realm *r, const char *object)
{
	struct original o = {0};
	struct stat st;
	FILE *file;

	(void)snprintf(o.path, sizeof(o.path), "%s/%s", r->store, object);
	assert_int_equal(stat(o.path, &st), 0);
	o.len = (size_t)st.st_size;
	o.buf = malloc(o.len + 1);
	assert_non_null(o.buf);
	file = fopen(o.path, "rb");
	assert_non_null(file);
	assert_int_equal(fread(o.buf, 1, o.len, file), o.len);
	(void)fclose(file);
	return o;
}

void
original_put(struct original *o)
{
	scratch_write(o->path, o->buf, o->len);
	free(o->buf);
	memset(o, 0, sizeof(*o));
}

void
original_flip(const struct original *o, size_t off)
{
	o->buf[off] ^= 0x10;
	scratch_write(o->path, o->buf, o->len);
	o->buf[off] ^= 0x10;
}

void
original_cut(const struct original *o, size_t len)
{
	scratch_write(o->path, o->buf, len);
}

void
original_remove(const struct original *o)
{
	assert_int_equal(unlink(o->path), 0);
}

int
object_kind(const struct realm *r, const char *object)
{
	struct original o = original_take(r, object);
	int kind = o.buf[8];

	free(o.buf);
	return kind;
}
