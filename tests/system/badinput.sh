#!/bin/bash
# Bad input gets a clear error, and nothing is lost.
. "$(dirname "$0")/lib.sh"

src=$T/source
mkdir "$src"
echo one >"$src/one"
new_store
backup d "$src"

part 'sources'
refused 1 "'$T/none'" varve backup d "$T/none"
refused 2 'no source' varve backup d ''
refused 2 'lies inside the store' varve backup d "$VARVE_STORE"
refused 2 'lies inside the store' varve backup d "$VARVE_STORE/keys"
ln -s "$VARVE_STORE" "$T/way"
refused 2 'lies inside the store' varve backup d "$T/way/"

part 'mount points'
mkdir "$T/empty" "$T/full"
touch "$T/full/x" "$T/file"
refused 2 'does not exist' varve mount "$T/none"
refused 2 'not a directory' varve mount "$T/file"
refused 2 'not empty' varve mount "$T/full"
mkdir "$VARVE_STORE/inside"
refused 2 'lies in the store' varve mount "$VARVE_STORE/inside"
rmdir "$VARVE_STORE/inside"
refused 2 'not empty' varve mount "$T" # which holds the store
refused 2 'mounted on' varve mount /proc
mount_store "$T/mnt"
refused 2 'mounted on' varve mount "$T/mnt"
nothing cmp "$src/one" "$T/mnt/d/latest/one"
nothing ls -A "$T/empty"

part 'two mounts at once on one directory'
varve grant reader d --host here --key-file "$T/key" >"$T/out"
mkdir "$T/race"
# mount_racing N: its status and its messages are in $T/race.status.N, $T/race.N.
mount_racing() {
	local status=0
	varve mount "$T/race" --key-file "$T/key" 2>"$T/race.$1" || status=$?
	echo $status >"$T/race.status.$1"
}
for round in 1 2 3 4; do
	for i in 1 2 3; do
		mount_racing $i &
	done
	wait
	equal "$(sort "$T"/race.status.? | paste -s -d ' ')" '0 2 2' \
	    "how three mounts ended, round $round"
	equal "$(cat "$T"/race.[123] | sort | uniq -c | sed 's/^ *//')" \
	    "2 varve: something is mounted on '$T/race' already" \
	    'what two of them said'
	equal "$(grep -c " $T/race " /proc/self/mountinfo)" 1 'mounts'
	unmount "$T/race"
done

part 'a mount waits for who is mounting, and looks again'
exec 9<"$T/race"
flock 9
mount_racing 1 9<&- &
sleep 1
kill -0 $! || fail 'it did not wait'
mount -t tmpfs other "$T/race"
flock -u 9
exec 9<&-
wait
equal "$(cat "$T/race.status.1")" 2 'status'
grep -q 'is mounted on' "$T/race.1" || fail "said: $(cat "$T/race.1")"
umount "$T/race"

part 'what is no store'
refused 1 'no such directory' varve list -s "$T/none"
refused 3 'not a Varve store' varve list -s "$T/empty"
refused 3 'not a Varve store' varve list -s "$T/file"
refused 3 'not a Varve store' varve backup -s "$T/full" d "$src"
refused 2 'which store' env -u VARVE_STORE "$VARVE" list
refused 2 "address 's3://bucket'" varve list -s s3://bucket
refused 2 'not empty' varve init "$T/full"
refused 2 'already' varve init "$VARVE_STORE"
refused 1 'parent directory' varve init "$T/none/store"
equal "$(ls -A "$T/full")" x 'what was there'

part 'a store from a newer version'
cp -a "$VARVE_STORE" "$T/newer"
printf '\002' | dd of="$T/newer/varve" bs=1 seek=4 conv=notrunc status=none
refused 1 'of version 2' varve list -s "$T/newer"
refused 1 'of version 2' varve backup -s "$T/newer" d "$src"
refused 1 'of version 2' varve mount -s "$T/newer" "$T/empty"
printf 'NOTVARVE' | dd of="$T/newer/varve" bs=1 conv=notrunc status=none
run 3 varve list -s "$T/newer"

part 'names of datasets'
datasets=$(varve list --json | jq '.datasets | length')
for name in '' . .. a/../b /a a/ a//b latest a/latest 2026-01-01 \
    a/2026-11-21/b a@b a:b '@latest' -- -a $'a\nb' $'a\033b' $'\xff' \
    ' ' 'a ' 'a/ b' $'a\u202eb' $'a\u200bb' "$(printf '%0256d' 0)"; do
	refused 2 '' varve backup -- "$name" "$src"
done
equal "$(varve list --json | jq '.datasets | length')" "$datasets" datasets
refused 2 '' varve backup d/below "$src"
for name in 2026-1-1 'a b' é latest-one "$(printf '%0255d' 0)"; do
	backup "$name" "$src"
	[ -e "$T/mnt/$name/latest/one" ] || within 3 \
	    test -e "$T/mnt/$name/latest/one"
done
refused 1 "no dataset 'e'" varve list e
refused 1 "no dataset 'e'" varve restore e@latest "$T/target"

part 'times'
refused 1 'oldest is of' varve restore d@2001-01-01 "$T/target"
refused 1 'no snapshot' varve restore d@ffffffff "$T/target"
refused 2 '' varve restore d@ "$T/target"
refused 2 '' varve restore d "$T/target"
refused 2 'nonsense' varve restore d@nonsense "$T/target"
refused 2 '' varve restore d@2026-02-30 "$T/target"
refused 1 'missing' varve restore d@latest:missing "$T/target"
refused 2 'one/below' varve restore d@latest:one/below "$T/target"
[ ! -e "$T/target" ] || fail 'something was restored'

part 'targets of a restore'
refused 2 '' varve restore d@latest "$T/full"
refused 2 '' varve restore d@latest "$T/file"
refused 2 '' varve restore d@latest:one "$T/file"
refused 1 '' varve restore d@latest "$T/none/out"
equal "$(stat -c %s "$T/file")" 0 'what was there'

part 'wrong usage'
refused 2 'which command' varve
refused 2 'backup' varve bakcup d "$src"
refused 2 '--exclude' varve backup --exlude x d "$src"
refused 2 '' varve backup
refused 2 '' varve backup d "$src" more
refused 2 '' varve backup --threads 0 d "$src"
refused 2 '' varve backup --threads 2x d "$src"
refused 2 '' varve mount --cache 64Q "$T/empty"
refused 2 'needs' varve mount -o cache "$T/empty"
refused 2 'no_sharing' varve mount -o no_sharin "$T/empty"
refused 2 'needs keys' varve check --read-data --no-keys

part 'options that say nothing without another'
for o in person key-file recovery-key-file fingerprint passphrase-file \
    passphrase-command; do
	refused 2 "--other-$o is for another store of B's: say --other-store" \
	    varve diff d@latest d@latest "--other-$o" x
done
for words in '' d@latest '--sites' 'd --expired'; do
	# shellcheck disable=SC2086 # words
	refused 2 '--last is for' varve list --last 1 $words
done
refused 2 'exclude each other' varve list --sites --expired
for o in --exclude=x --exclude-file=x --exclude-caches --cross-filesystems; do
	refused 2 'for a SOURCE' varve backup c --exec true --name x "$o"
done
for o in --keep-last=1 --keep-all --default; do
	refused 2 "'varve dataset set'" varve dataset show d "$o"
done
refused 2 'exclude each other' \
    varve restore d@latest "$T/none" --no-owner --numeric-ids
for o in --key-file --recovery-key-file; do
	refused 2 'which one' varve list --person me "$o" "$T/none"
done
refused 2 'VARVE_PERSON' env VARVE_PERSON=me VARVE_KEY_FILE="$T/none" \
    "$VARVE" list
refused 2 'goes with --listen' varve serve "$VARVE_STORE" --stdio --clients 1
refused 2 'afterwards' varve serve "$T/none" --init --clients 1
for c in init backup list mount restore diff find check grant; do
	run 0 varve "$c" --help
	out_has "varve $c"
done

part 'closed or full standard streams'
for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
	echo "$closed"
	eval "varve mount '$T/empty' $closed" || fail 'no mount'
	nothing cmp "$src/one" "$T/empty/d/latest/one"
	unmount "$T/empty"
	eval "varve backup -q d '$src' $closed" || fail 'no backup'
done
whole
status=0
"$VARVE" list >&- 2>"$T/err" || status=$?
equal "$status" 1 'exit status of a list that goes nowhere'
status=0
VARVE_STORE=$T/unseen "$VARVE" init >/dev/full 2>"$T/err" || status=$?
equal "$status" 1 'exit status of a recovery key that goes nowhere'
err_has 'recovery key could not be shown'

part 'a limit on open files: nothing is damaged'
for n in 6 8 9 10 11 12 13 14 15 16 18 20 24 28 32 40; do
	status=0
	(
		ulimit -n $n
		exec "$VARVE" check --read-data
	) >"$T/out" 2>"$T/err" || status=$?
	if grep -h '^damaged' "$T/out" "$T/err"; then
		fail "what could not be opened with $n files counts as damaged"
	fi
	[ "$status" = 0 ] && break
	equal "$status" 1 "exit status of a check with $n files"
	err_has 'Too many open files'
done
equal "$status" 0 'exit status of a check with 40 files'
whole

part 'a limit on the size of files'
head -c 3000000 /dev/urandom >"$src/large"
status=0
(
	ulimit -f 1000
	exec "$VARVE" backup d "$src"
) >"$T/out" 2>"$T/err" || status=$?
equal "$status" 1 'exit status of a backup that may write no more'
err_has 'File too large'
rm "$src/large"
truncate -s 3000000 "$src/large"
backup d "$src"
status=0
(
	ulimit -f 1000
	exec "$VARVE" restore d@latest "$T/limited"
) >"$T/out" 2>"$T/err" || status=$?
equal "$status" 4 'exit status of a restore without what is too large'
err_has "'large' as it was: the target can't hold a file of 3000000"
[ ! -e "$T/limited/large" ] || fail "a part of what is too large"
rm "$src/large"
nothing diff -r "$src" "$T/limited"
whole

part 'two backups of one dataset at once'
"$VARVE" backup -q d --exec "touch '$T/started'; sleep 1000" --name x \
    2>"$T/first" &
first=$!
within 10 test -e "$T/started"
refused 1 'd' varve backup d "$src"
grep -qE 'another|running' "$T/err" || fail "$(cat "$T/err")"
backup other "$src"
run 0 varve list d
kill $first
wait $first && fail 'the first was not stopped'
backup d "$src"

part 'a read-only store'
mkdir "$T/ro"
mount --bind "$VARVE_STORE" "$T/ro"
mount -o remount,ro,bind "$T/ro"
VARVE_STORE=$T/ro
echo two >"$src/two"
refused 1 'Read-only file system' varve backup d "$src"
run 0 varve check --read-data
run 0 varve list d
mount_store "$T/romnt"
nothing cmp "$src/one" "$T/romnt/d/latest/one"
restore d@latest "$T/target"
nothing cmp "$src/one" "$T/target/one"
VARVE_STORE=$T/store

part 'files that a user may not read'
as_user mkdir "$T/u/source" "$T/u/source/closed"
for f in readable unreadable closed/below; do
	echo "$f" | as_user tee "$T/u/source/$f" >/dev/null
done
as_user chmod 000 "$T/u/source/unreadable" "$T/u/source/closed"
as_user "$VARVE" init -q -s "$T/u/store" --name u \
    --recovery-key-file "$T/u/recovery" >"$T/out"
run 4 as_user "$VARVE" backup -s "$T/u/store" mine "$T/u/source"
err_has "cannot read 'unreadable': Permission denied"
err_has "cannot read 'closed': Permission denied"
out_has '2 entries could not be read'
run 4 as_user "$VARVE" backup -q -s "$T/u/store" mine "$T/u/source"
err_has "cannot read 'unreadable': Permission denied"
run 0 as_user "$VARVE" list -s "$T/u/store" mine@latest
out_has 'unreadable'
run 0 as_user "$VARVE" restore -s "$T/u/store" mine@latest "$T/u/out"
nothing cmp "$T/u/source/readable" "$T/u/out/readable"
as_user chmod 644 "$T/u/source/unreadable"
as_user chmod 755 "$T/u/source/closed"
run 0 as_user "$VARVE" backup -s "$T/u/store" mine "$T/u/source"
run 0 as_user "$VARVE" restore -s "$T/u/store" mine@latest "$T/u/all"
nothing diff -r "$T/u/source" "$T/u/all"
refused 1 'ermission denied' as_user "$VARVE" backup -s "$T/u/store" mine \
    "$T/state"
chmod 700 "$VARVE_STORE"
refused 1 'ermission denied' as_user "$VARVE" list

part 'files that grow, shrink and vanish while they are read'
busy=$T/busy
mkdir "$busy"
head -c 300000000 /dev/zero | tr '\0' a >"$busy/grows"
cp "$busy/grows" "$busy/shrinks"
echo still >"$busy/quiet"
(while :; do
	echo more >>"$busy/grows"
	truncate -s -1 "$busy/shrinks"
	touch "$busy/comes"
	rm "$busy/comes"
done) &
changer=$!
run 0 varve backup busy "$busy"
kill $changer
wait $changer 2>/dev/null || true
err_has "'grows' changed while it was read"
err_has "'shrinks' changed while it was read"
out_has '2 files changed while being read'
restore busy@latest "$T/busy2"
nothing cmp "$busy/quiet" "$T/busy2/quiet"
nothing cmp -n 300000000 "$busy/grows" "$T/busy2/grows"
nothing cmp -n 290000000 "$busy/shrinks" "$T/busy2/shrinks"
# Now that they are still, they are found to differ.
rm -f "$busy/comes"
run 0 varve backup busy "$busy"
restore busy@latest "$T/busy3"
nothing diff -r "$busy" "$T/busy3"

part 'nothing was lost'
whole
VARVE_STORE=$T/u/store run 0 as_user "$VARVE" check --read-data

part 'a source that is removed while it is read'
# removed: the status of a backup of a directory that is removed half-way.
removed() {
	mkdir "$T/gone"
	for i in $(seq 2000); do
		head -c 3000 /dev/urandom >"$T/gone/$i"
	done
	"$VARVE" backup -q --threads 1 gone "$T/gone" 2>"$T/err" &
	backup=$!
	while [ "$(sed -n 's/^rchar: //p' /proc/$backup/io ||
	    echo 99999999)" -lt 2000000 ]; do
		:
	done 2>/dev/null
	kill -STOP $backup
	rm -rf "$T/gone"
	kill -CONT $backup
	status=0
	wait $backup || status=$?
	echo $status
}
# It may not have begun then, or be over.
for i in 1 2 3 4 5; do
	status=$(removed)
	[ "$status" != 4 ] || break
done
equal "$status" 4 'status of the backup'
err_has "cannot read '.': No such file or directory"
equal "$(varve list --json gone | jq '.snapshots[-1].unreadable')" 1 problems
