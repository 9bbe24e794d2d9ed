#!/bin/bash
# Sources that are no directory: a command's output, one file, a device.
. "$(dirname "$0")/lib.sh"
new_store

part 'the output of a command'
backup dump --exec 'seq 100000' --name numbers.txt
restore dump@latest:numbers.txt "$T/numbers"
nothing cmp "$T/numbers" <(seq 100000)
equal "$(newest dump files)" 1 files
backup dump --exec "printf 'a\\0b'; exit 0" --name 'with a blank'
restore dump@latest "$T/two"
equal "$(ls "$T/two")" 'with a blank' 'its name'
nothing cmp "$T/two/with a blank" <(printf 'a\0b')
backup dump --exec true --name empty
restore dump@latest:empty "$T/empty"
equal "$(stat -c %s "$T/empty")" 0 'size of no output'

part 'a lot of it, twice, with little between'
dump='seq 3000000; seq 100000 | rev'
backup big --exec "$dump" --name dump.sql
backup big --exec "echo changed; $dump" --name dump.sql
restore big@latest:dump.sql "$T/dump"
nothing cmp "$T/dump" <(echo changed; eval "$dump")
added=$(newest big stored_bytes)
[ "$added" -lt 1000000 ] || fail "the second dump took $added bytes"

part 'a command that fails leaves no snapshot'
had=$(snapshots dump)
refused 1 'exit' varve backup dump --exec 'seq 1000; exit 3' --name x
refused 1 '' varve backup dump --exec 'seq 1000; kill -9 $$' --name x
refused 1 '' varve backup dump --exec '/no/such/command' --name x
refused 1 '' varve backup dump \
    --exec 'set -o pipefail 2>/dev/null; false' --name x
equal "$(snapshots dump)" "$had" 'snapshots'
refused 1 '' varve backup new --exec false --name x

part 'a backup that is stopped ends its command, and leaves no snapshot'
env --default-signal=INT,TERM "$VARVE" backup dump \
    --exec "echo \$\$ >'$T/pid'; seq 1000; exec sleep 1000" --name x \
    >"$T/out" 2>"$T/err" &
running=$!
within 10 test -s "$T/pid"
kill -TERM $running
ended() {
	case $(ps -o stat= -p $running) in
	Z* | '') ;;
	*) return 1 ;;
	esac
}
within 20 ended
status=0
wait $running || status=$?
equal "$status" 1 'exit status'
err_has 'stopped'
gone() {
	! kill -0 "$(cat "$T/pid")"
}
within 10 gone
equal "$(snapshots dump)" "$had" 'snapshots'

part 'a backup that is killed ends its command, down to what that runs'
rm "$T/pid"
"$VARVE" backup dump --exec "trap '' INT; kill -INT 0; trap - INT
    seq 1000; sleep 1000 & echo \$\$ \$! >'$T/pid'
    wait; echo more" --name x >"$T/out" 2>"$T/err" &
running=$!
within 10 test -s "$T/pid"
read -r shell _ <"$T/pid"
group=$(ps -o pgid= -p "$shell" | tr -d ' ')
differ "$group" "$(ps -o pgid= -p $running | tr -d ' ')" 'process groups'
kill -KILL $running
wait $running || true
# Those that have ended may wait for somebody to ask how.
no_group() {
	! ps -eo pgid=,pid=,stat= | grep -E "^ *$group .* [^Z ]+\$"
}
within 10 no_group
equal "$(snapshots dump)" "$had" 'snapshots'

part 'what a command leaves running is its own affair'
rm "$T/pid"
backup dump --exec "sleep 1000 >&- 2>&- & echo \$! >'$T/pid'" --name x
left=$(cat "$T/pid")
group=$(ps -o pgid= -p "$left" | tr -d ' ')
equal "$(pgrep -g "$group")" "$left" 'all that is left of its group'
kill "$left"

part 'wrong usage'
refused 2 '--name' varve backup dump --exec true
refused 2 '--exec' varve backup dump --name x
refused 2 'SOURCE' varve backup dump
refused 2 '--exec' varve backup dump /etc --exec true --name x
refused 2 'name' varve backup dump --exec true --name a/b
refused 2 'name' varve backup dump --exec true --name ..
longest=$(printf '%0255d' 0)
refused 2 '256 bytes' varve backup dump --exec true --name "0$longest"
backup dump --exec true --name "$longest"
restore dump@latest "$T/longest"
[ -e "$T/longest/$longest" ] || fail 'the longest name is not there'

part 'the command has no passphrase'
backup dump --exec 'env; cat /proc/self/environ' --name env
restore dump@latest:env "$T/env"
if grep -a "$VARVE_PASSPHRASE" "$T/env"; then
	fail 'the passphrase reached the command'
fi

part 'one file'
head -c 3000000 /dev/urandom >"$T/file"
setfattr -n user.kept -v yes "$T/file"
touch -d '1999-12-31 23:59:59.5' "$T/file"
backup one "$T/file"
mount_store "$T/mnt"
there=$(latest "$T/mnt" one)
equal "$(ls -A "$there")" file 'its snapshot'
nothing cmp "$T/file" "$there/file"
equal "$(stat -c '%y %a' "$there/file")" "$(stat -c '%y %a' "$T/file")" stat
equal "$(getfattr --only-values --absolute-names -n user.kept \
    "$there/file")" yes attribute
restore one@latest:file "$T/restored"
nothing cmp "$T/file" "$T/restored"
ln -s file "$T/link"
backup linked "$T/link"

part 'a block device'
truncate -s 32M "$T/image"
mkfs.ext4 -q "$T/image"
if loop=$(losetup -f --show "$T/image" 2>"$T/err"); then
	backup disk "$loop"
	restore disk@latest "$T/disk"
	nothing cmp "$T/image" "$T/disk/${loop##*/}"
	equal "$(newest disk bytes)" 33554432 'its size'
	e2fsck -fn "$(latest "$T/mnt" disk)/${loop##*/}" >"$T/out" 2>&1 ||
	    fail "e2fsck: $(cat "$T/out")"
	losetup -d "$loop"
else
	echo "no loop device, so no block device: $(cat "$T/err")"
fi

part 'what can be no source'
mkfifo "$T/fifo"
refused 2 'neither' varve backup no "$T/fifo"
refused 2 'neither' varve backup no /dev/null
whole
