/* A prune on a disk that is full, which is when people prune. */
#include "snapshot/access/access_internal.h"
#include "snapshot/store/dirstore.h"
#include "tests/unit/prune_fixture.h"

#include <errno.h>
#include <time.h>

#define KIB ((uint64_t)1024)

/* --- a disk that holds so much ---------------------------------------------- */

/*
 * What is written takes room, and what is unlinked gives it back. A store's own
 * calls come from several threads.
 */
struct disk {
	struct sysio io;
	pthread_mutex_t mu;
	uint64_t room;    /* guarded by mu */
	unsigned refused; /* guarded by mu; writes */
};

static ssize_t
disk_write(void *arg, int fd, const void *buf, size_t len)
{
	struct disk *d = arg;
	bool fits;

	pthread_mutex_lock(&d->mu);
	fits = len <= d->room;
	if (fits)
		d->room -= len;
	else
		d->refused++;
	pthread_mutex_unlock(&d->mu);
	if (fits)
		return sysio_libc.write(NULL, fd, buf, len);
	errno = ENOSPC;
	return -1;
}

static int
disk_unlink(void *arg, int dir, const char *path, int flags)
{
	struct disk *d = arg;
	struct stat st;
	int rc;

	if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	rc = sysio_libc.unlink(NULL, dir, path, flags);
	pthread_mutex_lock(&d->mu);
	if (rc == 0 && st.st_nlink == 1)
		d->room += (uint64_t)st.st_size;
	pthread_mutex_unlock(&d->mu);
	return rc;
}

static int64_t
tell_time(UNUSED void *arg)
{
	return (int64_t)time(NULL);
}

/* The admin, by way of a disk that holds ${room} bytes more. */
static struct access *
enter(const struct realm *r, struct disk *d, uint64_t room)
{
	static const struct access_clock wall_clock = {.now = tell_time};
	const struct credential cred = {.passphrase = tell_passphrase};
	struct access *a = NULL;
	struct store *s;

	memset(d, 0, sizeof(*d));
	pthread_mutex_init(&d->mu, NULL);
	d->room = room;
	d->io = sysio_libc;
	d->io.arg = d;
	d->io.write = disk_write;
	d->io.unlink = disk_unlink;
	assert_ok(dirstore_open(r->store, &d->io, &s, &err));
	assert_ok(access_open_store(s, &cred, &wall_clock, &a, &err));
	return a;
}

/* --- pruning it ------------------------------------------------------------- */

static void
count_passes(void *arg, enum prune_step step)
{
	*(unsigned *)arg += step == PRUNE_BEGUN;
}

/* A prune with so much room, and what it came to. */
struct trial {
	struct disk disk;
	struct access *access; /* the one that prunes */
	struct prune_result out;
	unsigned passes;
};

static void
trial_clear(struct trial *t)
{
	access_close(STEAL(t->access));
}
#define TRIAL_AUTO __attribute__((cleanup(trial_clear)))

static int
prune_in(const struct realm *r, uint64_t room, struct trial *t, struct err *err)
{
	const struct prune_options opt = {
	    .max_dead = 25, .on_step = count_passes, .arg = &t->passes};

	trial_clear(t);
	t->access = enter(r, &t->disk, room);
	t->passes = 0;
	return prune_run(t->access, access_find(t->access, "files"), NULL, &opt,
	    &t->out, err);
}

/* All is there, and nothing else. */
static void
assert_tidy(const struct realm *r)
{
	FINDINGS_AUTO struct findings f = {0};

	check_realm(r, CHECK_READ_DATA, &f);
	assert_clean(&f);
	assert_int_equal(f.result.unreferenced, 0);
	assert_int_equal(count_of(r, "tmp/"), 0);
}

/* And of the packs only what is needed. */
static void
assert_lean(const struct realm *r)
{
	assert_in_range(bytes_of(r, "packs/"), 4 * PIECE, 5 * PIECE);
	assert_tidy(r);
}

/*
 * The first is wholly dead, of ${dead} ("" leaves it out); of what each of the
 * two after it has stored, a third is needed.
 */
static struct realm *
mostly_dead(const char *dead)
{
	struct realm *r = realm_new();
	int n = 2;

	if (dead[0] != '\0') {
		put_pieces(r, "one", dead);
		realm_backup(r, "files", r->source, 0);
		n++;
	}
	put_pieces(r, "one", "abcdef");
	realm_backup(r, "files", r->source, 1);
	put_pieces(r, "two", "ghijkl");
	realm_backup(r, "files", r->source, 2);
	put_pieces(r, "one", "ef");
	put_pieces(r, "two", "kl");
	realm_backup(r, "files", r->source, 3);
	while (n-- > 0)
		expire_one(r->admin, "files", 0);
	return r;
}

/* --- tests ------------------------------------------------------------------ */

/* Nothing can be repacked until what is dead has gone; then all can. */
static void
prune_run__what_is_dead_makes_the_room(UNUSED void **state)
{
	struct realm *r = mostly_dead("qrstuvwxyz");
	TRIAL_AUTO struct trial t = {0};

	assert_ok(prune_in(r, 100 * KIB, &t, &err));
	assert_true(t.disk.refused > 0);
	assert_int_equal(t.passes, 2);
	assert_true(t.out.dead.bytes > 10 * PIECE);
	assert_true(t.out.repacked.n >= 2);
	assert_true(t.out.written.bytes > PIECE);
	assert_int_equal(t.out.no_room.n, 0);
	assert_true(t.out.removed.bytes > 22 * PIECE);
	assert_lean(r);
	realm_free(r);
}

/* What went makes room for a part of it, and that for the rest. */
static void
prune_run__bit_by_bit(UNUSED void **state)
{
	struct realm *r = mostly_dead("xyz");
	TRIAL_AUTO struct trial t = {0};

	assert_ok(prune_in(r, 100 * KIB, &t, &err));
	assert_in_range(t.passes, 3, 4);
	assert_int_equal(t.out.no_room.n, 0);
	assert_true(t.out.repacked.n >= 2);
	assert_lean(r);
	realm_free(r);
}

/* Then it says so, and leaves no half of anything. */
static void
prune_run__no_room_at_all(UNUSED void **state)
{
	struct realm *r = mostly_dead("");
	TRIAL_AUTO struct trial t = {0};
	uint64_t before = bytes_of(r, "packs/");

	assert_ok(prune_in(r, 100 * KIB, &t, &err));
	assert_true(t.out.no_room.n >= 2);
	assert_true(t.out.no_room.bytes > 12 * PIECE);
	assert_true(t.out.kept_dead.bytes > 7 * PIECE);
	/* There may be room for directories, and those that are dead go. */
	assert_true(t.out.written.bytes < 20 * KIB);
	assert_in_range(bytes_of(r, "packs/"), before - 20 * KIB, before);
	assert_tidy(r);

	assert_ok(prune_in(r, UINT64_MAX / 2, &t, &err));
	assert_int_equal(t.out.no_room.n, 0);
	assert_lean(r);
	realm_free(r);
}

/* Not even for the record: nothing goes, and it is said what to do. */
static void
prune_run__no_room_for_a_record(UNUSED void **state)
{
	struct realm *r = mostly_dead("yz");
	TRIAL_AUTO struct trial t = {0};
	uint64_t before = bytes_of(r, "packs/");
	size_t objects = count_of(r, "");

	assert_fails(ERR_FULL, "free some", prune_in(r, 0, &t, &err));
	assert_int_equal(t.out.removed.n, 0);
	assert_int_equal(bytes_of(r, "packs/"), before);
	assert_int_equal(count_of(r, ""), objects);
	assert_whole(r);
	realm_free(r);
}

/*
 * However much room there is, nothing is lost; and with room again all that is
 * dead goes.
 */
static void
prune_run__with_any_room(UNUSED void **state)
{
	for (uint64_t room = 0; room < 2000 * KIB; room += 173 * KIB) {
		struct realm *r = mostly_dead("yz");
		TRIAL_AUTO struct trial t = {0};
		struct err err;
		int rc;

		rc = prune_in(r, room, &t, &err);
		if (rc != 0)
			assert_int_equal(rc, ERR_FULL);
		assert_whole(r);
		if (rc == 0)
			assert_tidy(r);
		if (rc == 0 && t.out.no_room.n == 0)
			assert_true(bytes_of(r, "packs/") < 5 * PIECE);
		assert_true(t.passes <= 5);
		(void)prune_with(r->admin, "files", 25);
		assert_true(bytes_of(r, "packs/") < 5 * PIECE);
		assert_whole(r);
		realm_free(r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prune_run__what_is_dead_makes_the_room),
	    cmocka_unit_test(prune_run__bit_by_bit),
	    cmocka_unit_test(prune_run__no_room_at_all),
	    cmocka_unit_test(prune_run__no_room_for_a_record),
	    cmocka_unit_test(prune_run__with_any_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
