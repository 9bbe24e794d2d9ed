#!/bin/sh
# Whose key opens what, and that nothing of a source is in the clear.
. "$(dirname "$0")/lib.sh"

src=$T/source
mkdir -p "$src/MarkDirectory"
echo 'MarkContent in a file' >"$src/MarkDirectory/MarkFilename"
ln -s MarkTarget "$src/MarkLink"
setfattr -n user.MarkAttribute -v MarkValue "$src/MarkDirectory"
head -c 2000000 /dev/urandom >"$src/MarkRandom"
new_store
backup MarkDataset "$src"
backup other "$src"

part 'a writer'
varve grant writer MarkDataset --host producer --key-file "$T/writer" \
    >"$T/out"
equal "$(stat -c %a "$T/writer")" 600 'mode of the key file'
as_writer() {
	env -u VARVE_PASSPHRASE VARVE_KEY_FILE="$T/writer" "$@"
}
echo more >"$src/MarkDirectory/more"
run 0 as_writer "$VARVE" backup MarkDataset "$src"
run 0 as_writer "$VARVE" backup MarkDataset "$src" --full
added=$(newest MarkDataset added_bytes)
equal "$added" 0 'bytes added by a writer: it deduplicates'
run 0 as_writer "$VARVE" list MarkDataset
may_not() {
	refused 1 "$@"
}
may_not '' as_writer "$VARVE" restore MarkDataset@latest "$T/restored"
may_not '' as_writer "$VARVE" restore \
    MarkDataset@latest:MarkDirectory/MarkFilename "$T/restored"
may_not '' as_writer "$VARVE" find MarkFilename MarkDataset
may_not 'may not open backups' as_writer "$VARVE" find MarkFilename
run 0 as_writer "$VARVE" check
grep -q 'not all snapshots of 2 datasets were looked into' "$T/out" ||
    fail 'a check says nothing of what it could not open'
run 0 "$VARVE" check --read-data --json
jq -e --arg f "$(sed -n 's/^Fingerprint *//p' "$T/fingerprint")" '.fingerprint == $f and .time <= .end and
    .closed == 0' "$T/out" >"$T/jq" || fail "no report: $(cat "$T/out")"
may_not '' as_writer "$VARVE" diff MarkDataset@now MarkDataset@latest
may_not '' as_writer "$VARVE" backup other "$src"
may_not '' as_writer "$VARVE" backup brand-new "$src"
refused 2 'passphrase' as_writer "$VARVE" grant reader MarkDataset --host x \
    --key-file "$T/x"
[ ! -e "$T/restored" ] || fail 'something was restored'
if as_writer "$VARVE" list --json | grep -q '"other"'; then
	fail 'a writer of one dataset sees the name of another'
fi
mkdir "$T/wmnt"
# The dates are a writer's to know, but not what is in there.
if as_writer "$VARVE" mount "$T/wmnt" 2>"$T/err"; then
	if find "$T/wmnt" 2>"$T/err" | grep 'Mark[FLR]'; then
		fail 'a writer walks through a backup'
	fi
fi

part "a reader"
varve grant reader MarkDataset --host tester --key-file "$T/reader" \
    >"$T/out"
as_reader() {
	env -u VARVE_PASSPHRASE VARVE_KEY_FILE="$T/reader" "$@"
}
run 0 as_reader "$VARVE" restore MarkDataset@latest "$T/restored"
same_tree "$src" "$T/restored"
run 0 as_reader "$VARVE" check --read-data
mkdir "$T/rmnt"
run 0 as_reader "$VARVE" mount "$T/rmnt"
nothing diff -r --no-dereference "$src" "$(latest "$T/rmnt" MarkDataset)"
equal "$(ls "$T/rmnt")" MarkDataset 'what a reader sees'
may_not '' as_reader "$VARVE" backup MarkDataset "$src"
may_not '' as_reader "$VARVE" restore other@latest "$T/x"

part 'a person with a passphrase of his own'
(umask 077 && echo "bob's words" >"$T/bob")
varve grant reader MarkDataset --person bob --new-passphrase-file "$T/bob" \
    >"$T/out"
as_bob() {
	env VARVE_PASSPHRASE="bob's words" VARVE_PERSON=bob "$@"
}
run 0 as_bob "$VARVE" restore MarkDataset@latest:MarkRandom "$T/random"
nothing cmp "$src/MarkRandom" "$T/random"
may_not '' as_bob "$VARVE" backup MarkDataset "$src"
may_not '' env VARVE_PERSON=bob "$VARVE" list
refused 2 'bob' varve list # which of two?
VARVE_PERSON=alice
export VARVE_PERSON

part 'a grant that ends'
refused 2 'passed' varve grant reader MarkDataset --host x \
    --key-file "$T/x" --until 2001-01-01
varve grant reader MarkDataset --host brief --key-file "$T/brief" --until \
    "$(date -u -d '+10 seconds' +%Y-%m-%dT%H:%M:%SZ)" >"$T/out"
granted=$(date +%s)
as_brief() {
	env -u VARVE_PERSON -u VARVE_PASSPHRASE VARVE_KEY_FILE="$T/brief" "$@"
}
run 0 as_brief "$VARVE" list

part 'the recovery key'
recovery() {
	env -u VARVE_PASSPHRASE -u VARVE_PERSON "$VARVE" "$@" \
	    --recovery-key-file "$T/recovery"
}
equal "$(stat -c %a "$T/recovery")" 600 'mode of its file'
run 0 recovery restore MarkDataset@latest "$T/recovered"
same_tree "$src" "$T/recovered"
sed 's/X$/Y/; t; s/.$/X/' "$T/recovery" >"$T/wrong"
run 2 env -u VARVE_PERSON "$VARVE" list --recovery-key-file "$T/wrong"
VARVE_STORE=$T/store2 varve init -q --name eve \
    --recovery-key-file "$T/recovery2" >/dev/null
may_not 'does not open' env -u VARVE_PERSON "$VARVE" list \
    --recovery-key-file "$T/recovery2"

part 'wrong passphrases'
may_not 'passphrase' env VARVE_PASSPHRASE=wrong "$VARVE" list
may_not 'passphrase' env VARVE_PASSPHRASE="$VARVE_PASSPHRASE " "$VARVE" list
refused 2 '' env VARVE_PASSPHRASE= "$VARVE" list
run 0 env -u VARVE_PASSPHRASE "$VARVE" list \
    --passphrase-command "echo '$VARVE_PASSPHRASE'"
may_not '' env -u VARVE_PASSPHRASE "$VARVE" list --passphrase-command false
printf '%s\nsecond line\n' "$VARVE_PASSPHRASE" >"$T/pass"
run 0 env -u VARVE_PASSPHRASE "$VARVE" list --passphrase-file "$T/pass"
refused 2 '' env -u VARVE_PASSPHRASE setsid -w "$VARVE" list </dev/null

part "a host's key file that others may read"
unset VARVE_PERSON
chmod 644 "$T/reader"
may_not 'chmod 600' as_reader "$VARVE" list
chmod 600 "$T/reader"
run 0 as_reader "$VARVE" list
may_not '' env VARVE_KEY_FILE="$T/none" "$VARVE" list
echo 'root:x:0:0:root:/root:/bin/bash' >"$T/words"
may_not 'is no key file' env VARVE_KEY_FILE="$T/words" "$VARVE" list
head -c 100000 /dev/zero >"$T/long"
refused 2 'too long' env VARVE_KEY_FILE="$T/long" "$VARVE" list
refused 2 'is not a file' env VARVE_KEY_FILE=/dev/null "$VARVE" list
cp "$T/reader" "$T/damaged"
printf X | dd of="$T/damaged" bs=1 seek=100 conv=notrunc status=none
run 3 env VARVE_KEY_FILE="$T/damaged" "$VARVE" list

part 'the grant has ended'
while [ "$(date +%s)" -le $((granted + 11)) ]; do
	sleep 0.2
done
may_not '' as_brief "$VARVE" list

part 'nothing in the clear'
in_clear() {
	grep -raqF -e "$1" "$2" || find "$2" | grep -qF -e "$1"
}
for word in MarkDirectory MarkFilename MarkContent MarkLink MarkTarget \
    MarkAttribute MarkValue MarkRandom MarkDataset 'correct horse' \
    "bob's words" "$src" "$(tr -d ' \n-' <"$T/recovery")"; do
	for place in "$VARVE_STORE" "$XDG_STATE_HOME"; do
		if in_clear "$word" "$place"; then
			fail "'$word' is in the clear in $place"
		fi
	done
done
# So it would have been found:
for word in MarkDirectory MarkContent; do
	in_clear "$word" "$src" || fail "'$word' is not looked for"
done
# Sixteen bytes of it. A line's end would make two patterns of them, and a short
# one is anywhere.
skip=1000
while
	dd if="$src/MarkRandom" of="$T/random16" bs=16 skip=$skip count=1 \
	    status=none
	[ "$(wc -l <"$T/random16")" -ne 0 ]
do
	skip=$((skip + 1))
done
if grep -raqF -f "$T/random16" "$VARVE_STORE" "$XDG_STATE_HOME"; then
	fail 'content of a file is in the clear'
fi

part 'no key for anybody else'
equal "$(find "$XDG_STATE_HOME/varve" -perm /077 | wc -l)" 0 \
    'files of the state that others may read'
