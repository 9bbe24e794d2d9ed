#!/bin/sh
# A page of an index is damaged, and what it listed can't be found any more: the
# next backup stores the directories again that it can't find, and a full one all
# that it can't find.
. "$(dirname "$0")/lib.sh"

src=$T/source
for d in $(seq 15); do
	dir=$src/t$((d % 3))/only/directories/d$d
	mkdir -p "$dir"
	for i in $(seq 120); do
		head -c 300 /dev/urandom >"$dir/$i"
	done
done
new_store
use_key d
sleep 3.1 # out of the grain of the clock
run 0 varve backup d "$src"
mv "$VARVE_STORE" "$T/sound"
mv "$XDG_STATE_HOME" "$T/sound.state"
index=$(cd "$T/sound" && find datasets -path '*/index/*' -type f)
equal "$(echo "$index" | wc -l)" 1 'indexes'
size=$(stat -c %s "$T/sound/$index")

# flip FILE OFFSET: one bit.
flip() {
	chmod u+w "$1"
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "\\$(printf %03o $((byte ^ 16)))" |
	    dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# What the snapshot has; what can't be restored is left out, and told.
back() {
	rm -rf "$T/back"
	varve restore -q d@latest "$T/back" 2>"$T/err" || [ $? = 3 ]
}

dirs=$(find "$src" -type d | wc -l)
step=4096
lost=0
for at in $(seq 300 $step $((size - 1))); do
	part "byte $at of $size"
	rm -rf "$VARVE_STORE" "$XDG_STATE_HOME"
	cp -a "$T/sound" "$VARVE_STORE"
	cp -a "$T/sound.state" "$XDG_STATE_HOME"
	flip "$VARVE_STORE/$index" "$at"
	run 0 varve backup d "$src"
	back
	# Files are taken over unread, and some can't be found.
	files=$(find "$T/back" -type f | wc -l)
	[ "$files" -gt 1700 ] || fail "$files of 1800 files"
	lost=$((lost + 1800 - files))
	equal "$(find "$T/back" -type d | wc -l)" "$dirs" 'directories'
	run 0 varve backup d "$src" --full
	back
	nothing diff -r "$src" "$T/back"
	nothing cat "$T/err"
done
[ $lost -gt 0 ] || fail 'the damage was nowhere that matters'
