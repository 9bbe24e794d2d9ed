#!/bin/sh
# ahead.sh: what the kernel has in its page cache without having asked for it.
#
# A daemon that is stopped answers nothing: what can be read then was in the
# page cache.
. "$(dirname "$0")/lib.sh"

# Stopped processes would outlive the test.
waken() {
	pkill -CONT -f "^$VARVE mount .*$T" || true
}
trap 'waken; clean_up' EXIT

mkdir -p "$T/source/many" "$T/source/dirs"
i=100
while [ $i -lt 500 ]; do
	# A page and a bit, so that a last page is partly zeros.
	seq $i $((i + 1200)) >"$T/source/many/f$i"
	i=$((i + 1))
done
for d in a b c d e f; do
	cp -a "$T/source/many" "$T/source/dirs/$d"
	find "$T/source/dirs/$d" -name 'f[2-4]*' -delete
	for f in "$T/source/dirs/$d"/*; do
		echo "$d" >>"$f"
	done
done
dd if=/dev/urandom of="$T/source/long" bs=1M count=16 status=none

new_store
use_key ahead
backup ahead "$T/source"
sleep 1.1
echo more >"$T/source/more"
backup ahead "$T/source"
mount_store "$T/mnt"
set -- "$T/mnt"/ahead/*-*-*/*Z
first=$1 second=$2
daemon=$(pgrep -f "^$VARVE mount .*$T")

# unasked FILE: it can be read while nobody answers.
unasked() {
	timeout -s KILL 1 cat "$1" >"$T/read" 2>/dev/null
}

part 'a file of two snapshots is one to the page cache'
cd "$second/many"
ls -l >/dev/null
cat "$first/many/f300" >"$T/read"
kill -STOP "$daemon"
unasked f300 || fail 'the second snapshot asks for what the first gave'
nothing cmp "$T/source/many/f300" "$T/read"
! unasked f200 || fail 'the daemon was not stopped'
kill -CONT "$daemon"
cd /

part 'without sharing it is not'
mount_store "$T/apart" --no-sharing
set -- "$T/apart"/ahead/*-*-*/*Z
differ "$(stat -c %i "$1/many/f300")" "$(stat -c %i "$2/many/f300")" 'inodes'
nothing cmp "$1/many/f300" "$2/many/f300"
nothing rsync -rnc --delete -i "$T/source/" "$2/"
unmount "$T/apart"

part 'what is read next is there before it is asked for'
cd "$first/many"
ls -l >/dev/null
for i in $(seq 100 179); do
	cat "f$i"
done >"$T/read"
sleep 0.3
kill -STOP "$daemon"
there=0
for i in $(seq 180 199); do
	unasked "f$i" || continue
	nothing cmp "$T/source/many/f$i" "$T/read"
	there=$((there + 1))
done
kill -CONT "$daemon"
cd /
[ "$there" -ge 15 ] || fail "only $there of 20 files were there"

part 'what was opened along with a page is there'
# page N: of the long file; one alone is read, and not ahead.
page() {
	timeout -s KILL 1 dd if="$1/long" bs=4096 count=1 skip="$2" \
	    status=none >"$T/read" 2>/dev/null
}
cd "$first"
ls -l >/dev/null
page . 3000
sleep 0.3
kill -STOP "$daemon"
there=0
for i in $(seq 2990 3010); do
	page . "$i" || continue
	cp "$T/read" "$T/there"
	page "$T/source" "$i"
	nothing cmp "$T/read" "$T/there"
	there=$((there + 1))
done
kill -CONT "$daemon"
cd /
[ "$there" -ge 10 ] || fail "only $there of 21 pages were there"
for i in 3900 100 2000 1500 3500 2500 4095 1000; do
	page "$first" "$i"
done
nothing cmp "$T/source/long" "$first/long"

part 'all of it is right'
unmount "$T/mnt"
mount_store "$T/mnt"
nothing diff -r "$T/source" "$second"
unmount "$T/mnt"
mount_store "$T/mnt"
(cd "$second" && find . -type f -print0 | xargs -0 md5sum) >"$T/sums"
(cd "$T/source" && nothing md5sum --quiet -c "$T/sums")

part 'it ends in the middle of it'
for i in 1 2 3 4 5 6 7 8; do
	(while find "$second" -type f -exec cat {} + >/dev/null; do :; done) \
	    2>/dev/null &
	reader=$!
	sleep 0.0$i
	pkill -TERM -f "^$VARVE mount .*$T"
	within 10 eval '! pgrep -f "^$VARVE mount .*$T"'
	wait $reader || true
	! grep -q " $T/mnt " /proc/mounts || fail 'still mounted'
	mount_store "$T/mnt"
done
