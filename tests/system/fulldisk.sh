#!/bin/sh
# A disk that is full: a clear error, nothing lost, and it goes on when there is
# room again.
. "$(dirname "$0")/lib.sh"

mkdir "$T/small" "$T/source"
head -c 8000000 /dev/urandom >"$T/source/small"

# try WHERE: a store in WHERE, which holds some 40 MB; grow() gives it more.
try() {
	VARVE_STORE=$1/store
	rm -rf "$XDG_STATE_HOME"
	rm -f "$T/recovery" "$T/source/big"*
	new_store
	backup d "$T/source"
	mount_store "$T/mnt"

	part 'full'
	for i in 1 2 3 4 5 6 7 8; do
		head -c 8000000 /dev/urandom >"$T/source/big$i"
	done
	refused 1 'No space left on device' varve backup d "$T/source"
	equal "$(snapshots d)" 1 'snapshots'
	refused 1 'No space left on device' varve backup d "$T/source"

	part 'nothing is lost, and no half of anything is left'
	run 0 varve check --read-data
	equal "$(find "$VARVE_STORE/tmp" -type f | wc -l)" 0 'leftovers'
	nothing cmp "$T/source/small" "$T/mnt/d/latest/small"
	restore d@latest "$T/restored"
	nothing cmp "$T/source/small" "$T/restored/small"
	rm -r "$T/restored"

	part 'room again'
	grow
	backup d "$T/source"
	within 5 test -e "$T/mnt/d/latest/big8"
	nothing diff -r "$T/source" "$T/mnt/d/latest/"
	whole
	unmount "$T/mnt"
}

part 'a tmpfs'
mount -t tmpfs -o size=40m small "$T/small"
grow() {
	mount -o remount,size=200m "$T/small"
}
try "$T/small"
within 10 umount "$T/small"

part 'an ext4'
truncate -s 256M "$T/image"
mkfs.ext4 -q -m 0 "$T/image"
mount -o loop "$T/image" "$T/small"
free=$(df --output=avail -k "$T/small" | tail -n 1)
fallocate -l $((free - 40000))K "$T/small/ballast"
grow() {
	rm "$T/small/ballast"
}
try "$T/small"
within 10 umount "$T/small"

part "a state's disk that is full"
VARVE_STORE=$T/store
rm -f "$T/recovery"
new_store
backup d "$T/source"
mount -t tmpfs -o size=64k full "$T/small"
head -c 100000 /dev/zero >"$T/small/ballast" 2>/dev/null || true
XDG_STATE_HOME=$T/small varve backup d "$T/source" >"$T/out" 2>"$T/err" ||
    equal $? 1 'exit status'
err_has 'is full'
whole

part 'a restore to a full disk'
run 1 varve restore d@latest "$T/small/out"
err_has 'No space left on device'
within 10 umount "$T/small"

# noise BYTES FILE: what does not compress.
noise() {
	head -c "$1" /dev/urandom >"$2"
}

# fill KIB: of the small disk, so much is left.
fill() {
	local free
	free=$(df --output=avail -k "$T/small" | tail -n 1)
	fallocate -l $((free - $1))K "$T/small/ballast"
}

part 'a prune when the disk is full: what is dead makes room for the rest'
VARVE_STORE=$T/small/store
rm -r "$T/source" "$T/image" "$XDG_STATE_HOME"
rm -f "$T/recovery"
mkdir "$T/source"
truncate -s 40M "$T/image"
mkfs.ext4 -q -m 0 "$T/image"
mount -o loop "$T/image" "$T/small"
new_store
noise 1000000 "$T/source/always"
for i in 1 2 3 4; do
	noise 3900000 "$T/source/changing"
	backup d "$T/source"
done
for i in 1 2 3 4 5 6; do
	noise 500000 "$T/source/part$i"
done
backup d "$T/source"
rm "$T/source/part"[1-4]
backup d "$T/source"
run 0 varve expire -q d --keep-last 1
fill 60
run 0 varve prune d --json
equal "$(jq -c '.datasets[0] | .dead.objects > 0, .repacked.objects > 0,
    .removed.bytes > 12000000, .no_room.objects' "$T/out" | tr '\n' ' ')" \
    'true true true 0 ' 'what was done'
equal "$(find "$VARVE_STORE/tmp" -type f | wc -l)" 0 'leftovers'
whole
rm "$T/small/ballast"

part 'nothing is dead as a whole, and there is no room'
for i in 1 2 3 4 5 6; do
	noise 500000 "$T/source/more$i"
done
backup d "$T/source"
rm "$T/source/more"[1-4]
backup d "$T/source"
run 0 varve expire -q d --keep-last 1
fill 60
run 4 varve prune d
err_has 'no room to repack'
whole
restore d@latest "$T/restored"
nothing diff -r "$T/source" "$T/restored"
rm "$T/small/ballast"
run 0 varve prune d
out_has 'repacked'
whole
