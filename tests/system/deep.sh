#!/bin/sh
# A path longer than any system call takes.
. "$(dirname "$0")/lib.sh"

mkdir "$T/source"
"$BIN/makebig" deep "$T/source"

# What rsync and diff can't walk, find can: names, metadata, and a sum a file.
contents() {
	(cd "$1" && find . -type f -execdir sha256sum {} + | sort | uniq -c)
}

new_store
backup deep "$T/source"
equal "$(newest deep directories)" 40 'directories'
mount_store "$T/mnt"
restore deep@latest "$T/restored"

metadata "$T/source" >"$T/wanted"
[ "$(tr '\0' '\n' <"$T/wanted" | wc -L)" -gt 10000 ] ||
    fail 'no path is that deep'
for copy in "$(latest "$T/mnt" deep)" "$T/restored"; do
	part "$copy"
	metadata "$copy" >"$T/got"
	nothing cmp "$T/wanted" "$T/got"
	equal "$(contents "$copy")" "$(contents "$T/source")" 'contents'
done

part 'again, nothing changed'
backup deep "$T/source"
equal "$(newest deep added_bytes)" 0 'bytes added'
whole
