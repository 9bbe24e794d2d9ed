#!/bin/sh
# Differentials: what changed is found, however it changed; what didn't is not
# read again. And what is left out.
. "$(dirname "$0")/lib.sh"

roomy "$T/fs"
src=$T/fs/source
mkdir "$src" "$src/dir" "$src/dir/below"
for i in $(seq 20); do
	echo "file $i" >"$src/dir/$i"
	echo "below $i" >"$src/dir/below/$i"
done
head -c 1000000 /dev/urandom >"$src/large"
files=41
new_store
use_key d e x
turn=0

# settle: until what was written is out of the clock's grain.
settle() {
	sleep 3.1
}

# faithful UNCHANGED WHAT [OPTION]...: the next backup takes UNCHANGED files over
# unread ('-': not known), and what it stored is what the source is.
faithful() {
	local want=$1 what=$2
	shift 2
	part "$what"
	run 0 varve backup --json d "$src" "$@"
	[ "$want" = - ] || equal "$(jq .unchanged "$T/out")" "$want" \
	    "files taken over: $what"
	turn=$((turn + 1))
	restore d@latest "$T/fs/r$turn"
	nothing rsync -aHAXnc --delete -i "$src/" "$T/fs/r$turn/"
	metadata "$src" >"$T/wanted"
	metadata "$T/fs/r$turn" >"$T/got"
	nothing cmp "$T/wanted" "$T/got"
}

faithful 0 'the first backup is full'
equal "$(newest d kind)" full kind
settle
# Those so young that they could have changed unseen are read once more.
faithful - 'the second'
settle
faithful $files 'nothing changed'
equal "$(newest d kind)" differential kind
equal "$(newest d added_bytes)" 0 'bytes added'
faithful 0 '--full reads everything' --full
equal "$(newest d kind)" full kind
equal "$(newest d added_bytes)" 0 'bytes added by a full'

part 'one edit each'
echo 'file 1, longer than before' >"$src/dir/1"
faithful $((files - 1)) 'longer'
touch -r "$src/dir/2" "$T/time"
printf 'FILE 2\n' >"$src/dir/2"
touch -r "$T/time" "$src/dir/2"
faithful - 'the same size, the same mtime'
mv "$src/dir/3" "$src/dir/three"
mv "$src/dir/4" "$src/dir/below/four"
faithful - 'renamed, and moved'
touch -r "$src/dir/5" "$T/time"
printf 'FILE 5\n' >"$src/five"
touch -r "$T/time" "$src/five"
mv "$src/five" "$src/dir/5"
faithful - 'replaced by another of the same size and mtime'
ln "$src/dir/6" "$src/dir/below/six"
faithful - 'a hard link added'
rm "$src/dir/6"
faithful - 'and the first of its names removed'
chmod 4711 "$src/dir/7"
chmod 700 "$src/dir/below"
faithful - 'chmod only'
setfattr -n user.note -v changed "$src/dir/8"
setfacl -m u:1:r "$src/dir/9"
setfattr -n user.note -v 'on a directory' "$src/dir/below"
faithful - 'attributes and ACLs only'
chown 5:6 "$src/dir/10"
chown -h 7:8 "$src/dir/below"
faithful - 'owners only'
rm "$src/dir/11"
mkdir "$src/dir/11"
rm -r "$src/dir/below/11"
ln -s elsewhere "$src/dir/below/11"
faithful - 'of another type'
touch -d '2001-02-03 04:05:06.789' "$src/dir/12" "$src/dir"
faithful - 'mtime only'
rm -r "$src/dir/below"
faithful - 'a directory removed'

part 'what was written less than two seconds before is read again'
for try in 1 2 3 4 5 6; do
	settle
	start=$(date +%s)
	echo "try $try" >"$src/young"
	run 0 varve backup d "$src"
	took=$(($(date +%s) - start))
	[ $took -gt 1 ] || break
done
if [ $took -le 1 ]; then
	n=$(find "$src" -type f | wc -l)
	faithful $((n - 1)) 'all but one taken over'
else
	echo 'this machine is too slow to tell'
fi

part 'edited while it is backed up, within the grain of the clock'
# Each round rewrites a file at the same size until a backup is on its way; the
# last bytes are caught by the next backup, whatever the times say.
for round in 1 2 3; do
	(while :; do
		printf '%06d' "$round" >"$src/racing"
		printf 'other!' >"$src/racing"
	done) &
	writer=$!
	run 0 varve backup d "$src"
	kill "$writer"
	wait "$writer" 2>/dev/null || true
	printf 'last %d' "$round" >"$src/racing"
	faithful - "round $round"
done

# Directories may be new, as inode numbers are, but no file is stored again.
no_content_added() {
	local added
	added=$(newest d added_bytes)
	[ "$added" -lt 20000 ] || fail "$added bytes were added"
}

part 'without what this machine remembers'
settle
faithful - 'settled'
n=$(find "$src" -type f | wc -l)
faithful "$n" 'with it'
rm -r "$XDG_STATE_HOME"
faithful 0 'without it'
no_content_added
faithful "$n" 'with it again'

part 'damaged, too'
for f in $(find "$XDG_STATE_HOME" -name '*.db' ! -name heads.db); do
	dd if=/dev/urandom of="$f" bs=4096 count=2 conv=notrunc status=none
done
faithful - 'with a damaged state'

part 'a source that has moved'
cp -a "$src" "$T/fs/moved"
src=$T/fs/moved
faithful - 'moved'
no_content_added

part 'another machine in between'
settle
faithful - 'settled again'
faithful "$n" 'nothing changed again'
mkdir "$T/fs/other"
(cd "$src" && printf '%s\0' *) | (cd "$T/fs/other" && xargs -0 touch)
XDG_STATE_HOME=$T/other.state run 0 varve backup d "$T/fs/other"
faithful "$n" 'as it was, although the newest snapshot is of something else'
no_content_added

# --- what is left out ------------------------------------------------------

src=$T/fs/big
mkdir -p "$src/build/out" "$src/keep/build" "$src/cache/sub" "$src/logs/a/b" \
    "$src/other"
touch "$src/a.o" "$src/keep/b.o" "$src/build/out/x" "$src/keep/build/y" \
    "$src/logs/a/b/1.log" "$src/logs/important.log" "$src/cache/sub/z" \
    "$src/star" "$src/é.tmp" "$src/[odd]"
printf 'Signature: 8a477f597d28d172789f06886806bc55\n' \
    >"$src/cache/CACHEDIR.TAG"
printf 'Signature: not that\n' >"$src/other/CACHEDIR.TAG"
mount -t tmpfs below "$src/other"
touch "$src/other/on-another-filesystem"

# holds WANTED [OPTION]...: these files are in the snapshot, sorted.
holds() {
	local want=$1
	shift
	run 0 varve backup e "$src" "$@"
	rm -rf "$T/fs/out"
	restore e@latest "$T/fs/out"
	equal "$(cd "$T/fs/out" && find . -type f -printf '%P\n' | sort |
	    paste -s -d ' ')" "$want" "files with $*"
}
all='[odd] a.o build/out/x cache/CACHEDIR.TAG cache/sub/z keep/b.o'
all="$all keep/build/y logs/a/b/1.log logs/important.log star é.tmp"

# without WORD...: what 'all' is without these.
without() {
	for f in $all; do
		case " $* " in
		*" $f "*) ;;
		*) printf '%s ' "$f" ;;
		esac
	done | sed 's/ $//'
}

part 'other filesystems'
holds "$all"
[ -d "$T/fs/out/other" ] || fail 'the mount point is gone'
nothing ls -A "$T/fs/out/other"
run 0 varve backup x "$src"
out_has '1 directory on other filesystems left out'
run 0 varve backup x "$src" --cross-filesystems
grep -q 'left out' "$T/out" && fail 'something was left out'
restore x@latest "$T/fs/crossed"
[ -e "$T/fs/crossed/other/on-another-filesystem" ] ||
    fail 'the other filesystem is missing'

part '--exclude'
holds "$(without a.o keep/b.o)" --exclude '*.o'
holds "$(without a.o)" --exclude '/*.o'
holds "$(without build/out/x keep/build/y)" --exclude build/
holds "$(without build/out/x)" --exclude /build
holds "$(without logs/a/b/1.log)" --exclude '*.log' --exclude '!important.log'
holds "$(without logs/a/b/1.log)" --exclude 'logs/**/1.log'
holds "$all" --exclude 'star/' --exclude 'out'/none
holds "$(without star)" --exclude 's?a[r-t]' --exclude '[!a-z]tar'
holds "$(without '[odd]' é.tmp)" --exclude '\[odd]' --exclude '*.t?p'

part '--exclude-file'
printf '# a comment\n\n*.o\n!/keep/b.o\n/logs/\n' >"$T/patterns"
holds "$(without a.o logs/a/b/1.log logs/important.log)" \
    --exclude-file "$T/patterns"
holds "$(without a.o logs/a/b/1.log logs/important.log star)" \
    --exclude-file "$T/patterns" --exclude star
refused 1 "$T/none" varve backup e "$src" --exclude-file "$T/none"

part '--exclude-caches'
holds "$(without cache/sub/z)" --exclude-caches

part 'what was left out comes back when it is not any more'
holds "$all"
whole
