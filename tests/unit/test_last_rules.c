/* Whether a file is as it was last seen, and whether that can be believed. */
#include "tests/unit/last_fixture.h"

static void
last_doubtful__keeps_clear_of_the_clocks_grain(void **state)
{
	static const struct {
		int64_t ctime, mtime; /* seconds after it was looked at */
		bool doubtful;
	} cases[] = {
	    {-1000, -1000, false},
	    {-3, -3, false},
	    {-3, -1000, false},
	    {-2, -1000, true},
	    {-1, -1000, true},
	    {0, 0, true},
	    {1, 1, true},
	    {1000, -1000, true}, /* the clocks disagree */
	    {1000, 1000, true},
	    {-1000, -3, false},
	    {-1000, -2, true}, /* set by hand, or a clock that jumped */
	    {-1000, 0, true},
	    {-1000, 2, true},
	    {-1000, 3, false}, /* set by hand */
	    {-1000, 100000, false},
	};
	const struct moment seen = {.s = 1700000000, .ns = 500000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stat st = {
		    .st_ctim = {.tv_sec = seen.s + cases[i].ctime},
		    .st_mtim = {.tv_sec = seen.s + cases[i].mtime},
		};

		for (long ns = 0; ns < 1000000000; ns += 499999999) {
			st.st_ctim.tv_nsec = st.st_mtim.tv_nsec = ns;
			if (last_doubtful(&st, seen) != cases[i].doubtful)
				fail_msg("case %zu, %ld ns", i, ns);
		}
	}
}

/* What last_unchanged() compares. */
struct pair {
	struct stat st;
	struct entry e;
	struct last_entry last;
};

static struct pair
pair_new(void)
{
	static const uint8_t nothing[1] = {CONTENT_EMPTY};
	struct pair p = {
	    .st =
		{
		    .st_mode = S_IFREG | 0640,
		    .st_ino = 7,
		    .st_nlink = 1,
		    .st_uid = 3,
		    .st_gid = 4,
		    .st_mtim = {100, 5},
		    .st_ctim = {200, 6},
		},
	    .e =
		{
		    .type = ENTRY_FILE,
		    .mode = 0640,
		    .uid = 3,
		    .gid = 4,
		    .mtime = 100,
		    .mtime_ns = 5,
		    .ino = 99, /* the dataset's, not the source's */
		    .nlink = 1,
		    .content = {nothing, 1},
		},
	    .last = {.ino = 7, .ctime = {200, 6}},
	};

	return p;
}

static bool
unchanged(struct pair *p)
{
	WR_AUTO struct wr w = {0};

	entry_encode(&p->e, &w);
	p->last.raw = (struct span){w.buf, w.len};
	return last_unchanged(&p->last, &p->st);
}

#define assert_changed_by(what)                                                \
	do {                                                                   \
		struct pair p = pair_new();                                    \
		what;                                                          \
		assert_false(unchanged(&p));                                   \
	} while (0)

static void
last_unchanged__compares_all_that_tells(void **state)
{
	struct pair same = pair_new();

	(void)state;
	assert_true(unchanged(&same));
	assert_changed_by(p.last.doubtful = true);
	assert_changed_by(p.st.st_ino++);
	assert_changed_by(p.st.st_ctim.tv_sec++);
	assert_changed_by(p.st.st_ctim.tv_nsec++);
	assert_changed_by(p.st.st_mtim.tv_sec++);
	assert_changed_by(p.st.st_mtim.tv_nsec++);
	assert_changed_by(p.st.st_mode ^= 1);
	assert_changed_by(p.st.st_mode ^= S_ISUID);
	assert_changed_by(p.st.st_mode = S_IFIFO | 0640);
	assert_changed_by(p.st.st_uid++);
	assert_changed_by(p.st.st_gid++);
	assert_changed_by(p.st.st_nlink++);
	assert_changed_by(p.st.st_size++);
}

static void
last_unchanged__compares_what_the_type_has(void **state)
{
	struct pair dir = pair_new(), fifo = pair_new();

	(void)state;
	dir.e.type = ENTRY_DIR;
	dir.st.st_mode = S_IFDIR | 0640;
	dir.st.st_nlink = 5;
	dir.st.st_size = 4096;
	assert_true(unchanged(&dir));
	fifo.e.type = ENTRY_FIFO;
	fifo.st.st_mode = S_IFIFO | 0640;
	fifo.st.st_size = 3;
	assert_true(unchanged(&fifo));
	fifo.st.st_nlink = 2;
	assert_false(unchanged(&fifo));
}

static void
last_unchanged__does_not_trust_a_malformed_entry(void **state)
{
	struct pair p = pair_new();

	(void)state;
	p.last.raw = (struct span){(const uint8_t *)"\1", 1};
	assert_false(last_unchanged(&p.last, &p.st));
}

static void
last_stays__where_the_record_says_all(void **state)
{
	const struct moment seen = {.s = 1000};
	struct stat st = pair_new().st;

	(void)state;
	assert_true(last_stays(&st, seen));
	st.st_mode = S_IFLNK | 0777;
	assert_true(last_stays(&st, seen));
	/* What is below a directory may have changed. */
	st.st_mode = S_IFDIR | 0755;
	assert_false(last_stays(&st, seen));
	st = pair_new().st;
	st.st_nlink = 2;
	assert_false(last_stays(&st, seen));
	st = pair_new().st;
	st.st_ctim.tv_sec = seen.s;
	assert_false(last_stays(&st, seen));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(last_doubtful__keeps_clear_of_the_clocks_grain),
	    cmocka_unit_test(last_unchanged__compares_all_that_tells),
	    cmocka_unit_test(last_unchanged__compares_what_the_type_has),
	    cmocka_unit_test(last_unchanged__does_not_trust_a_malformed_entry),
	    cmocka_unit_test(last_stays__where_the_record_says_all),
	};

	return cmocka_run_group_tests_name("last_rules", tests, NULL, NULL);
}
