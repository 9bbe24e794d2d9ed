#!/bin/sh
# Holes are kept, wherever they lie and however big they are.
. "$(dirname "$0")/lib.sh"

roomy "$T/fs"
src=$T/fs/source
mkdir "$src"
"$BIN/makebig" sparse "$src"

new_store
backup sparse "$src"
equal "$(newest sparse bytes)" "$(find "$src" -type f -printf '%s\n' |
    awk '{ n += $1 } END { printf "%.0f", n }')" 'bytes of the snapshot'
mount_store "$T/mnt"
there=$(latest "$T/mnt" sparse)
restore sparse@latest "$T/fs/restored"

# Blocks of 4 KiB, since a filesystem gives no less.
blocks() {
	echo $((($(stat -c %b "$1") + 7) / 8))
}

for f in "$src"/*; do
	name=${f##*/}
	part "$name"
	for copy in "$there/$name" "$T/fs/restored/$name"; do
		nothing "$BIN/samedata" "$f" "$copy"
		equal "$(blocks "$copy")" "$(blocks "$f")" "blocks of $copy"
	done
done

part 'what lies between the data is zeros'
nothing cmp "$src/holes" "$there/holes"
nothing cmp "$src/comb" "$there/comb"
nothing cmp -n 65536 -i 1099511562240 "$src/tera" "$there/tera"
nothing cmp -n 65536 -i 4294934528 "$src/over-4g" "$there/over-4g"

part 'a hole that has been written to, data that have become a hole'
dd if=/dev/urandom of="$src/over-4g" bs=4096 count=1 seek=1000000 \
    conv=notrunc status=none
fallocate -p -o 307200 -l 8192 "$src/holes"
backup sparse "$src"
restore sparse@latest "$T/fs/again"
for f in over-4g holes; do
	nothing "$BIN/samedata" "$src/$f" "$T/fs/again/$f"
done
whole
