#include "tools/mount_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int
apply(const char *text, struct mount_args *args, struct mount_options *out,
    struct err *err)
{
	struct option_item item = {.text = text};

	*args = (struct mount_args){.options = {&item, 1}};
	return mount_options_apply(args, out, err);
}

static void
apply__sets_the_arguments(UNUSED void **state)
{
	MOUNT_OPTIONS_AUTO struct mount_options m = {0};
	struct mount_args args;
	struct err err = {0};

	assert_int_equal(apply("allow_other,no_sharing,dataset=db/a,cache=64M,"
			       "person=ann,passphrase_file=/p,key_file=/k",
			     &args, &m, &err),
	    0);
	assert_true(args.allow_other);
	assert_true(args.no_sharing);
	assert_string_equal(args.dataset, "db/a");
	assert_int_equal(args.cache, 64 << 20);
	assert_string_equal(args.store.person, "ann");
	assert_string_equal(args.store.passphrase_file, "/p");
	assert_string_equal(args.store.key_file, "/k");
	assert_null(m.fuse);
}

static void
apply__hands_on_what_is_libfuse_s(UNUSED void **state)
{
	MOUNT_OPTIONS_AUTO struct mount_options m = {0};
	struct mount_args args;
	struct err err = {0};

	assert_int_equal(apply("nosuid,rw,noexec,dev", &args, &m, &err), 0);
	assert_string_equal(m.fuse, "nosuid,noexec,dev");
}

static void
apply__passes_over_what_is_mount_s(UNUSED void **state)
{
	MOUNT_OPTIONS_AUTO struct mount_options m = {0};
	struct mount_args args;
	struct err err = {0};

	assert_int_equal(apply("defaults,rw,ro,noauto,nofail,_netdev,user,"
			       "x-systemd.automount,x-a=b,,comment=c",
			     &args, &m, &err),
	    0);
	assert_null(m.fuse);
	assert_false(args.allow_other);
}

/* "FILESYSTEM-INDEPENDENT MOUNT OPTIONS", but for what is handed on. */
static void
apply__knows_all_of_mount_s(UNUSED void **state)
{
	MOUNT_OPTIONS_AUTO struct mount_options m = {0};
	struct mount_args args;
	struct err err = {0};

	assert_int_equal(
	    apply("async,auto,noauto,defaults,diratime,nodiratime,dirsync,"
		  "group,iversion,noiversion,mand,nomand,_netdev,nofail,"
		  "relatime,norelatime,strictatime,nostrictatime,lazytime,"
		  "nolazytime,silent,loud,owner,ro,rw,sync,user,nouser,users,"
		  "user=ann,X-mount.mkdir=755,X-mount.subdir=a,x-initrd.mount,"
		  "nosymfollow,symfollow,noowner,nogroup,nousers",
		&args, &m, &err),
	    0);
	assert_null(m.fuse);
}

static void
apply__hands_labels_on(UNUSED void **state)
{
	MOUNT_OPTIONS_AUTO struct mount_options m = {0};
	struct mount_args args;
	struct err err = {0};

	assert_int_equal(
	    apply("context=u:object_r:t:s0,noexec", &args, &m, &err), 0);
	assert_string_equal(m.fuse, "context=u:object_r:t:s0,noexec");
}

static void
refuse(const char *text, const char *why)
{
	MOUNT_OPTIONS_AUTO struct mount_options m = {0};
	struct mount_args args;
	struct err err = {0};

	assert_int_equal(apply(text, &args, &m, &err), ERR_USAGE);
	assert_string_equal(err.text, why);
}

static void
apply__refuses(UNUSED void **state)
{
	refuse("allow_othr",
	    "no mount option 'allow_othr'; did you mean 'allow_other'?");
	refuse("frobnicate=1", "no mount option 'frobnicate'");
	refuse("context", "mount option 'context' needs a value");
	refuse("remount", "a mount can't be mounted anew by 'remount': unmount "
			  "it, and mount it again");
	refuse("dataset", "mount option 'dataset' needs a value");
	refuse("allow_other=1", "mount option 'allow_other' takes no value");
	refuse("cache=1K", "'1K' is too small: at least 8388608");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(apply__sets_the_arguments),
	    cmocka_unit_test(apply__hands_on_what_is_libfuse_s),
	    cmocka_unit_test(apply__passes_over_what_is_mount_s),
	    cmocka_unit_test(apply__knows_all_of_mount_s),
	    cmocka_unit_test(apply__hands_labels_on),
	    cmocka_unit_test(apply__refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
