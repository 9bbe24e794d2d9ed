#!/bin/sh
# Every kind of file comes back whole, in a mount and in a restore.
. "$(dirname "$0")/lib.sh"

roomy "$T/fs"
src=$T/fs/source
mkdir "$src"
"$BIN/maketree" "$src"

# ACLs, of access and default, with a mask and without.
cd "$src"
mkdir acls acls/dir
touch acls/file acls/dir/file -- acls/-dash
setfacl -m u:4321:rw,g:8765:r,m:rwx acls/file
setfacl -m u:4294967294:--- -- acls/-dash
setfacl -m u:1:rwx,d:u:2:r-x,d:g:3:rw,d:o:- acls/dir
setfacl -d -m u:5:rwx acls
cd /

new_store
part 'backup'
backup odd "$src"
out_has 'odd@'
mount_store "$T/mnt"
there=$(latest "$T/mnt" odd)

# What diff finds; of two FIFOs, sockets or devices it knows no more than that.
differences() {
	diff -r --no-dereference "$1" "$2" |
	    grep -av ' is a \(.*\) while file .* is a \1$' || [ $? = 1 ]
}

part 'source and mount'
same_tree "$src" "$there"
nothing differences "$src" "$there"

part 'source and restore'
restore odd@latest "$T/fs/restored"
same_tree "$src" "$T/fs/restored"
nothing differences "$src" "$T/fs/restored"

part 'link counts are true, and equal is not linked'
equal "$(stat -c %h "$there/links/zz/three")" 3 'links of three'
differ "$(stat -c %i "$there/links/a/alone")" \
    "$(stat -c %i "$there/links/a/one")" 'inode of an equal file, no link'

part 'each FIFO, socket and device is what it was'
for t in p s b c; do
	differ "$(find "$src" -type $t | wc -l)" 0 "entries of type $t"
done

part 'tar'
# Attributes are left to what was compared above: tar keeps the order in which a
# filesystem lists them.
archive() {
	tar -C "$1" --sort=name --format=posix --numeric-owner \
	    --pax-option=delete=atime,delete=ctime -cf - . 2>"$T/tar.err"
}
archive "$src" >"$T/source.tar"
archive "$there" >"$T/mount.tar"
nothing cmp "$T/source.tar" "$T/mount.tar"

part 'what can be run, and nothing else'
equal "$(cd "$there" && find . -type f -executable | sort | sha256sum)" \
    "$(cd "$src" && find . -type f -executable | sort | sha256sum)" 'programs'
[ -n "$(cd "$src" && find . -type f ! -executable | head -n 1)" ] ||
    fail 'no file to tell'

part 'cp -a'
cp -a "$there" "$T/fs/copied"
same_tree "$src" "$T/fs/copied"

part 'a part of it, and one file'
restore odd@latest:links "$T/fs/part"
nothing differences "$src/links" "$T/fs/part"
restore odd@latest:sizes/1048577 "$T/fs/one"
nothing cmp "$src/sizes/1048577" "$T/fs/one"
restore "odd@latest:names/new
line" "$T/fs/line"
nothing cmp "$src/names/new
line" "$T/fs/line"

part 'nothing of the ACLs and attributes that a target has, or would inherit'
mkdir "$T/fs/given"
setfacl -m u:65534:rwx,d:u:65534:rwx "$T/fs/given"
mkdir "$T/fs/given/empty"
setfattr -n user.old -v 1 "$T/fs/given/empty"
setfattr -n trusted.old -v 1 "$T/fs/given/empty"
for t in new empty; do
	restore odd@latest "$T/fs/given/$t"
	same_tree "$src" "$T/fs/given/$t"
	rm -r "$T/fs/given/$t"
done
for f in acls/file sizes/1048577 special/fifo; do
	restore "odd@latest:$f" "$T/fs/given/"
	equal "$(getfacl -cnp "$T/fs/given/${f##*/}")" \
	    "$(getfacl -cnp "$src/$f")" "ACL of $f"
done
rm -r "$T/fs/given"

part 'setuid and setgid go with the owner'
mkdir "$T/fs/su"
for mode in 4755 2755 6755; do
	install -o 1234 -g 1234 -m $mode /bin/true "$T/fs/su/$mode"
done
backup su "$T/fs/su"
restore su@latest "$T/fs/su.owner"
restore --no-owner su@latest "$T/fs/su.none"
for mode in 4755 2755 6755; do
	equal "$(stat -c '%u %g %a' "$T/fs/su.owner/$mode")" "1234 1234 $mode" \
	    "a file of mode $mode"
	equal "$(stat -c '%u %g %a' "$T/fs/su.none/$mode")" '0 0 755' \
	    "a file of mode $mode without its owner"
done
rm -r "$T/fs/su" "$T/fs/su.owner" "$T/fs/su.none"

part 'a file with a link outside of the source'
mkdir "$T/fs/half"
ln "$src/sizes/4096" "$T/fs/half/inside"
backup half "$T/fs/half"
within 5 test -e "$T/mnt/half/latest/inside"
equal "$(stat -c %h "$T/mnt/half/latest/inside")" 2 'links'
restore half@latest "$T/fs/halved"
nothing cmp "$src/sizes/4096" "$T/fs/halved/inside"
rm -r "$T/fs/half"

part 'a source that holds the store'
was=$VARVE_STORE
mkdir "$T/fs/both"
echo one >"$T/fs/both/file"
VARVE_STORE=$T/fs/both/store
varve init -q --name alice --recovery-key-file "$T/recovery.both" >"$T/out"
for way in first early '--full' '--cross-filesystems'; do
	case $way in
	--*) run 0 varve backup s "$T/fs/both" "$way" ;;
	*) run 0 varve backup s "$T/fs/both" ;;
	esac
	out_has '1 file in 1 directory'
	out_has 'the store itself, in this source, left out'
done
restore s@latest "$T/fs/both.out"
equal "$(cd "$T/fs/both.out" && find . | sort | paste -s -d ' ')" \
    '. ./file ./store' 'what is restored'
json=$(varve backup --json s "$T/fs/both")
equal "$(echo "$json" | jq .store_left_out)" true 'store_left_out'
json=$(varve backup --json s "$T/fs/both" --exclude /store/)
equal "$(echo "$json" | jq .store_left_out)" false 'store_left_out, excluded'
# By another name; and what was a store, but isn't the one.
mkdir "$T/fs/both/again"
mount --bind "$T/fs/both/store" "$T/fs/both/again"
run 0 varve backup s "$T/fs/both"
out_has '1 file in 2 directories'
umount "$T/fs/both/again"
run 0 varve backup s / --exclude '/*'
grep -q 'left out' "$T/out" && fail 'the store was met where it is not'
refused 2 'lies inside the store' varve backup s "$T/fs/both/store/keys"
VARVE_STORE=$was
run 0 varve backup s "$T/fs/both" --exclude '/store/*'
grep -q 'left out' "$T/out" && fail 'another store was left out'
rm -r "$T/fs/both" "$T/fs/both.out"

part 'files that show no size'
for f in /proc/version /proc/sys/kernel/ostype; do
	backup procfs "$f"
	restore "procfs@latest:${f##*/}" "$T/shown"
	nothing cmp "$f" "$T/shown"
	rm "$T/shown"
done

mkdir "$T/shown"
touch "$T/shown/version" "$T/shown/empty"
mount --bind /proc/version "$T/shown/version"
backup --cross-filesystems shown "$T/shown"
umount "$T/shown/version"
restore shown@latest "$T/shown.again"
nothing cmp /proc/version "$T/shown.again/version"
nothing cmp /dev/null "$T/shown.again/empty"

part 'an unchanged source gives an equal snapshot'
backup odd "$src"
equal "$(newest odd added_bytes)" 0 'bytes added'
newer() {
	[ "$(latest "$T/mnt" odd)" != "$there" ]
}
within 5 newer
same_tree "$there" "$(latest "$T/mnt" odd)"
whole
