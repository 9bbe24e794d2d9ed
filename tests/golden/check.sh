#!/bin/bash
# Every golden store reads as it did on the day it was made, and what is wrong
# with it is refused. Usage: check.sh VARVE
set -u
varve=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
[ "$(id -u)" = 0 ] || { echo 'needs root: owners and devices are restored'; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state
status=0

bad() {
	echo "$1"
	status=1
}

# expect STATUS TEXT COMMAND...: its exit status, and what it says on stderr.
expect() {
	want=$1 text=$2
	shift 2
	"$@" >"$work/out" 2>"$work/err"
	got=$?
	[ $got = "$want" ] || bad "exit $got, not $want: $* ($(cat "$work/err"))"
	grep -qh -- "$text" "$work/out" "$work/err" || bad "'$text' not said by: $*: $(cat "$work/err")"
}

# --- whole ------------------------------------------------------------------

for golden in "$here"/v*/; do
	golden=${golden%/}
	rm -rf "$work/store"
	cp -r "$golden/store" "$work/store"
	export VARVE_STORE=$work/store
	"$varve" check -q --read-data || bad "$golden: damage found"
	"$varve" check -q --no-keys || bad "$golden: damage found without keys"
	"$varve" list --json first/tree | diff - "$golden/list.json" ||
	    bad "$golden: listed otherwise"
	n=0
	for id in $(jq -r '.snapshots[].id' "$golden/list.json"); do
		n=$((n + 1))
		rm -rf "$work/out.$n"
		"$varve" restore -q --numeric-ids "first/tree@$id" "$work/out.$n" ||
		    bad "$golden: snapshot $n does not restore"
		describe "$work/out.$n" | diff - "$golden/manifest-$n" ||
		    bad "$golden: snapshot $n is not what it was"
	done
	"$varve" restore -q second@latest:numbers "$work/numbers.$(basename "$golden")"
	seq 1 100 | cmp - "$work/numbers.$(basename "$golden")" ||
	    bad "$golden: the command's output is not what it was"
	VARVE_PASSPHRASE='' "$varve" list -q --recovery-key-file \
	    "$golden/recovery-key" >/dev/null || bad "$golden: recovery key refused"
	cp "$golden/host.key" "$work/host.key"
	chmod 600 "$work/host.key"
	expect 1 'may not' "$varve" restore --key-file "$work/host.key" \
	    first/tree@latest "$work/never"
done

# --- should fail ------------------------------------------------------------

fresh() {
	rm -rf "$work/store"
	cp -r "$golden/store" "$work/store"
	find "$work/store" -type f -exec chmod u+w {} +
}
patch() { # FILE OFFSET BYTE(octal)
	printf "\\$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
some() { find "$work/store/datasets" -path "*/$1/*" -type f | sort | head -1; }

fresh
patch "$work/store/varve" 4 002
expect 1 'of version 2' "$varve" list
fresh
patch "$work/store/varve" 0 000
expect 3 'root' "$varve" list
fresh
VARVE_PASSPHRASE=wrong expect 1 'passphrase' "$varve" list
fresh
file=$(some log)
truncate -s -1 "$file"
expect 3 "$(basename "$file" | cut -c 1-16)" "$varve" check
fresh
file=$(some packs)
size=$(stat -c %s "$file")
patch "$file" $((size / 2)) 377
expect 3 "$(basename "$file" | cut -c 1-16)" "$varve" check --read-data
fresh
file=$(some index)
rm "$file"
expect 3 "$(basename "$file" | cut -c 1-16)" "$varve" check

exit $status
