#!/bin/sh
# many.sh [N]: a directory of N entries (20,000).
. "$(dirname "$0")/lib.sh"

n=${1:-20000}
mkdir -p "$T/source/many"
"$BIN/makebig" many "$T/source/many" "$n"

new_store
backup many "$T/source"
equal "$(newest many files)" "$n" 'files'
mount_store "$T/mnt"
there=$(latest "$T/mnt" many)

part 'listing'
equal "$(ls -U "$there/many" | wc -l)" "$n" 'entries in the mount'
equal "$(ls -U "$there/many" | sort -u | wc -l)" "$n" 'different entries'
metadata "$T/source" >"$T/wanted"
metadata "$there" >"$T/got"
nothing cmp "$T/wanted" "$T/got"

part 'looking up'
for i in 0000000 0000010 "$(printf %07d $((n - 10)))"; do
	nothing cmp "$T/source/many/entry-$i" "$there/many/entry-$i"
done
run 1 cat "$there/many/entry-none"
err_has 'No such file'

part 'all contents'
nothing rsync -aHAXnc --delete -i "$T/source/" "$there/"

part 'one entry more'
echo new >"$T/source/many/entry-0000005x"
backup many "$T/source"
added=$(newest many stored_bytes)
[ "$added" -lt 200000 ] || fail "one entry took $added bytes"
within 5 test -e "$T/mnt/many/latest/many/entry-0000005x"

part 'restore'
restore many@latest "$T/restored"
metadata "$T/source" >"$T/wanted"
metadata "$T/restored" >"$T/got"
nothing cmp "$T/wanted" "$T/got"
whole
