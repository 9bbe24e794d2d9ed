#!/bin/sh
# Who may mount, who may enter; mount(8) and fstab(5). All in a mount namespace
# of its own, since it changes what everybody sees in /dev, /sbin and /etc.
if [ "${VARVE_TEST_NAMESPACE:-}" != "$$" ]; then
	# In a chroot whose root is no mount there is none to be had.
	unshare -m true 2>/dev/null ||
	    grep -q '^[^ ]* [^ ]* [^ ]* [^ ]* / ' /proc/self/mountinfo || {
		echo 'no mount namespace of its own to be had here'
		exit 77
	}
	exec env -u VARVE_TEST_NAMESPACE unshare -m \
	    sh -c 'VARVE_TEST_NAMESPACE=$$ exec "$@"' - "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"

# As a distribution has it; a container's /dev may keep users out.
mknod "$T/fuse" c 10 229
chmod 666 "$T/fuse"
mount --bind "$T/fuse" /dev/fuse

src=$T/source
mkdir "$src"
echo 'for all' >"$src/open"
echo 'for root' >"$src/closed"
chmod 600 "$src/closed"
echo 'for 65534' >"$src/theirs"
chown 65534 "$src/theirs"
chmod 400 "$src/theirs"

part 'an ordinary user makes a store, backs up, mounts and unmounts'
as_user mkdir "$T/u/source" "$T/u/mnt"
echo mine | as_user tee "$T/u/source/file" >"$T/out"
as_user "$VARVE" init -q -s "$T/u/store" --name u \
    --recovery-key-file "$T/u/recovery" >"$T/out"
run 0 as_user "$VARVE" backup -s "$T/u/store" mine "$T/u/source"
run 0 as_user "$VARVE" mount -s "$T/u/store" "$T/u/mnt"
equal "$(as_user cat "$T/u/mnt/mine/latest/file")" mine 'what is read'
nothing as_user diff -r "$T/u/source" "$T/u/mnt/mine/latest/"
as_user fusermount3 -u "$T/u/mnt"
nothing ls -A "$T/u/mnt"

part 'a target that would hand its ACL on to what a user restores in it'
install -d -m 1777 "$T/u/theirs"
setfacl -d -m u:1:rwx "$T/u/theirs"
refused 1 'would hand its ACL on' as_user "$VARVE" restore -s "$T/u/store" \
    mine@latest "$T/u/theirs"
nothing ls -A "$T/u/theirs"
run 0 as_user "$VARVE" restore -s "$T/u/store" mine@latest "$T/u/theirs/new"
getfacl -cnR "$T/u/theirs/new" >"$T/acls"
grep -q user:1: "$T/acls" && fail "the ACL was handed on: $(cat "$T/acls")"

part 'nobody else enters it'
run 0 as_user "$VARVE" mount -s "$T/u/store" "$T/u/mnt"
chmod 755 "$T/u"
run 1 cat "$T/u/mnt/mine/latest/file" # not even root
err_has 'Permission denied'
run 2 setpriv --reuid 1 --regid 1 --clear-groups ls "$T/u/mnt"
err_has 'Permission denied'
as_user fusermount3 -u "$T/u/mnt"

part '--allow-other of a user, where fuse.conf has no user_allow_other'
if ! grep -qs '^user_allow_other' /etc/fuse.conf; then
	refused 2 'user_allow_other' as_user "$VARVE" mount -s "$T/u/store" \
	    --allow-other "$T/u/mnt"
	nothing ls -A "$T/u/mnt"
fi

part 'a mount of root, and others'
new_store
backup d "$src"
mount_store "$T/mnt"
equal "$(cat "$T/mnt/d/latest/closed")" 'for root' 'what root reads'
run 2 as_user ls "$T/mnt"
err_has 'Permission denied'
unmount "$T/mnt"
mount_store "$T/mnt" --allow-other
equal "$(as_user cat "$T/mnt/d/latest/open")" 'for all' 'open'
equal "$(as_user cat "$T/mnt/d/latest/theirs")" 'for 65534' 'theirs'
run 1 as_user cat "$T/mnt/d/latest/closed"
err_has 'Permission denied'
run 1 setpriv --reuid 1 --regid 1 --clear-groups cat \
    "$T/mnt/d/latest/theirs"
err_has 'Permission denied'
unmount "$T/mnt"

part 'a relative store, and a mount that outlives its shell'
cd "$T"
(VARVE_STORE=store varve mount mnt)
cd /
equal "$(cat "$T/mnt/d/latest/open")" 'for all' 'through a relative store'
backup d "$src"
two() {
	[ "$(find "$T/mnt/d" -mindepth 2 -maxdepth 2 -type d | wc -l)" = 2 ]
}
within 3 two
unmount "$T/mnt"

part 'a mount without any terminal, output or input'
setsid "$VARVE" mount "$T/mnt" </dev/null >"$T/out" 2>&1
[ ! -s "$T/out" ] || fail "said: $(cat "$T/out")"
equal "$(cat "$T/mnt/d/latest/open")" 'for all' 'through it'
unmount "$T/mnt"
# Whoever waits for the end of a pipe does not wait for the daemon.
varve mount "$T/mnt" | cat
unmount "$T/mnt"

part 'mount -t fuse.varve, and fstab'
helper=$(dirname "$VARVE")/mount.fuse.varve
printf '%s\n' "$VARVE_PASSPHRASE" >"$T/pass"
chmod 600 "$T/pass"
unset VARVE_PASSPHRASE VARVE_STORE
mkdir "$T/upper" "$T/work" "$T/by-name" "$T/by-fstab"
# The installed helper runs the installed program.
sed "s|^exec '[^']*'|exec '$VARVE'|" "$helper" >"$T/upper/mount.fuse.varve"
chmod 755 "$T/upper/mount.fuse.varve"
sbin=$(realpath /sbin)
mount -t overlay -o "lowerdir=$sbin,upperdir=$T/upper,workdir=$T/work" \
    helpers "$sbin"
printf '%s %s fuse.varve noauto,passphrase_file=%s,allow_other 0 0\n' \
    "$T/store" "$T/by-fstab" "$T/pass" >"$T/fstab"
mount --bind "$T/fstab" /etc/fstab

run 0 mount -t fuse.varve "$T/store" "$T/by-name" \
    -o "passphrase_file=$T/pass,dataset=d,noexec,nodiratime,noiversion" \
    -o nomand,silent,nostrictatime,X-mount.mkdir,nosymfollow
equal "$(cat "$T/by-name/d/latest/open")" 'for all' 'by type'
grep " $T/by-name fuse.varve ro," /proc/mounts | grep -q noexec ||
    fail "options: $(grep "$T/by-name" /proc/mounts)"
run 0 mount "$T/by-fstab"
equal "$(cat "$T/by-fstab/d/latest/closed")" 'for root' 'by fstab'
equal "$(as_user cat "$T/by-fstab/d/latest/open")" 'for all' 'allow_other'
umount "$T/by-fstab" "$T/by-name"
nothing ls -A "$T/by-fstab"

part 'mount(8) fails when it fails'
for options in passphrase_file="$T/none" passphrase_file="$T/pass",none \
    passphrase_file="$T/pass",dataset=none; do
	if mount -t fuse.varve "$T/store" "$T/by-name" -o "$options" \
	    >"$T/out" 2>"$T/err"; then
		fail "mounted with $options"
	fi
	err_has 'varve: '
done
if mount -t fuse.varve "$T/none" "$T/by-name" \
    -o passphrase_file="$T/pass" 2>"$T/err"; then
	fail 'mounted no store'
fi
err_has 'no store at'
umount "$sbin" /etc/fstab /dev/fuse
