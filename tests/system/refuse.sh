#!/bin/sh
# What replication refuses: the wrong key, the wrong store, the wrong place, the
# wrong words; a disk that is full or read-only; a site that isn't one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/sitelib.sh"

src=$T/source
mkdir -p "$src"
head -c 1000000 /dev/urandom >"$src/data"
new_store
passphrase=$VARVE_PASSPHRASE
use_key d
backup d "$src"
port=$(free_port)
new_site "$T/dr" dr-london GB
add_site dr-london "tls://127.0.0.1:$port"
serve_at "$T/dr" "$port"

# refusals DIR TEXT: the site has noted it.
refusals() {
	run 0 varve status --json -s "$1"
	grep -qF -e "$2" "$T/out" || fail "not noted: $2: $(cat "$T/out")"
}

# empty_site DIR: nothing of the store's has come.
empty_site() {
	[ -z "$(find "$1/datasets" -type f ! -name lock ! -name prune \
	    2>/dev/null)" ] || fail "something has come to $1"
}

part 'who is no site'
refused 1 'no statement of a site' varve replicate dr-nowhere
refused 2 'is an address' varve replicate "tls://127.0.0.1:$port"
refused 2 'is no site' varve replicate --pull dr-london

part "somebody else's key at the site's address"
new_site "$T/false" dr-london GB
add_site dr-london "tls://127.0.0.1:$port"
refused 1 'dr-london' varve replicate dr-london
err_has 'key'
empty_site "$T/dr"
VARVE_PASSPHRASE=$passphrase run 0 env -u VARVE_KEY_FILE "$VARVE" serve \
    "$T/dr" --init
cp "$T/out" "$T/dr-london.request"
sleep 1
add_site dr-london "tls://127.0.0.1:$port"

part 'a country that is not allowed'
as_admin site allow FR
refused 1 'GB' varve replicate dr-london
empty_site "$T/dr"
sleep 1
as_admin site allow GB FR

part 'a site that was taken away'
sleep 1
as_admin site remove dr-london
refused 1 'dr-london' varve replicate dr-london
empty_site "$T/dr"
sleep 1
add_site dr-london "tls://127.0.0.1:$port"

part "a client that was granted nothing"
cp -r "$VARVE_STORE" "$T/other"
(
	VARVE_STORE=$T/stranger VARVE_PASSPHRASE=$passphrase
	export VARVE_STORE VARVE_PASSPHRASE
	unset VARVE_KEY_FILE
	XDG_STATE_HOME=$T/stranger.state
	export XDG_STATE_HOME
	run 0 varve init -q --name mallory \
	    --recovery-key-file "$T/stranger.recovery" "$T/stranger"
	"$VARVE" grant writer x --host h --key-file "$T/strange.key" >/dev/null
)
refused 1 'never granted' varve replicate --key-file "$T/strange.key" dr-london

part 'the site of another store'
(
	VARVE_STORE=$T/stranger VARVE_PASSPHRASE=$passphrase
	XDG_STATE_HOME=$T/stranger.state
	export VARVE_STORE VARVE_PASSPHRASE XDG_STATE_HOME
	unset VARVE_KEY_FILE
	run 0 varve serve "$T/theirs" --init --site dr-theirs --country GB \
	    --accreditation x --until 2099-01-01 --for "$T/stranger/varve"
	cp "$T/out" "$T/dr-theirs.request"
	# Its request names its own store.
	refused 1 'another store' varve site add -s "$T/other" dr-theirs \
	    "tls://127.0.0.1:$port" "$T/dr-theirs.request"
)

# throw: standard input at the server, whatever it says.
throw() {
	timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; cat >&3; cat <&3" \
	    >"$T/answer" 2>&1 || :
}

part 'what does not speak the protocol'
printf 'GET / HTTP/1.0\r\n\r\n' | throw
head -c 100000 /dev/urandom | throw
within 10 grep -q 'TLS' "$T/serve.err"
openssl s_client -connect "127.0.0.1:$port" -tls1_2 </dev/null \
    >"$T/answer" 2>&1 || :
openssl s_client -connect "127.0.0.1:$port" -tls1_3 -alpn varve </dev/null \
    >"$T/answer" 2>&1 || :
within 10 grep -q 'Ed25519 key' "$T/serve.err"

part 'another version of the protocol'
openssl req -x509 -newkey ed25519 -nodes -keyout "$T/tls.key" -subj /CN=x \
    -out "$T/tls.pem" 2>/dev/null
# A HELLO of versions 7 to 9: its first 8 bytes are the same in all.
{
	printf '\012\0\0\0\001\0\0\0VRVw\007\0\011\0\0\0'
	sleep 2
} | timeout 10 openssl s_client -connect "127.0.0.1:$port" -tls1_3 \
    -alpn varve -cert "$T/tls.pem" -key "$T/tls.key" -quiet \
    >"$T/answer" 2>/dev/null || :
grep -aq 'version' "$T/answer" || fail "no ERROR: $(od -c "$T/answer")"
equal "$(od -An -tu1 -j4 -N1 "$T/answer" | tr -d ' ')" 23 'type of the answer'
equal "$(od -An -tu1 -j8 -N1 "$T/answer" | tr -d ' ')" 9 'code of the answer'
within 10 grep -q 'version' "$T/serve.err"

part 'many who say nothing keep nobody out'
silent=
for i in $(seq 40); do
	bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; : >'$T/silent.$i'
	    exec sleep 60" 2>/dev/null &
	silent="$silent $!"
done
# One that comes while they do may have to make room; it comes after them.
for _ in $(seq 100); do
	[ ! -e "$T/silent.40" ] || [ "$(ls "$T"/silent.* | wc -l)" -lt 40 ] ||
	    break
	sleep 0.1
done
# A queue that was full for a moment hands some over a second or three later.
sleep 4
run 0 timeout 60 "$VARVE" replicate dr-london
for j in $silent; do
	kill "$j" 2>/dev/null || :
done
same_objects "$VARVE_STORE" "$T/dr"

part 'a replica takes no backups, and a primary no replication'
refused 1 'is a replica' varve backup -s "$T/dr" d "$src"
port2=$(free_port)
run 0 varve serve "$VARVE_STORE" --init --site prod --country GB \
    --accreditation x --until 2099-01-01
cp "$T/out" "$T/prod.request"
add_site prod "tls://127.0.0.1:$port2"
first=$server
serve_at "$VARVE_STORE" "$port2"
new_site "$T/unknown" dr-unknown GB
for _ in 1 2 3; do
	refused 1 'neither a grant that holds nor a statement' env \
	    -u VARVE_KEY_FILE "$VARVE" replicate -s "$T/unknown" \
	    --pull "tls://127.0.0.1:$port2"
done
[ ! -e "$T/unknown/keys" ] || empty_site "$T/unknown"
refusals "$VARVE_STORE" 'neither a grant'
equal "$(jq -c '[.refusals[] | select(.what | test("neither a grant")) |
    [.client, .times, .known]]' "$T/out")" '[["127.0.0.1",3,false]]' \
    'what a stranger was refused again and again'
run 0 env -u VARVE_KEY_FILE "$VARVE" replicate -s "$T/dr" \
    --pull "tls://127.0.0.1:$port2"
run 1 env -u VARVE_KEY_FILE "$VARVE" replicate -s "$T/dr" prod
err_has 'is a primary'
stop_server
server=$first

part 'two histories'
cp -r "$VARVE_STORE" "$T/fork"
rm -rf "$T/fork/site"
echo one >"$src/one"
XDG_STATE_HOME=$T/fork.state run 0 varve backup -s "$T/fork" d "$src"
echo two >"$src/two"
backup d "$src"
replicate dr-london
XDG_STATE_HOME=$T/fork.state run 4 varve replicate -s "$T/fork" dr-london
err_has 'two histories'
same_objects "$VARVE_STORE" "$T/dr"

part 'an old copy of the store'
rm -rf "$T/fork"
cp -r "$T/other" "$T/fork"
XDG_STATE_HOME=$T/fork.state run 4 varve replicate -s "$T/fork" dr-london
err_has 'old copy'

part 'an object whose bytes are not what its name says'
echo three >"$src/three"
head -c 500000 /dev/urandom >"$src/data2"
backup d "$src"
bad=$(find "$VARVE_STORE" -path '*/packs/*' -type f -newer "$src/three" \
    -size +100k | head -n 1)
chmod u+w "$bad"
cp -p "$bad" "$T/good"
printf 'X' | dd of="$bad" bs=1 seek=1000 conv=notrunc 2>/dev/null
run 4 varve replicate dr-london
err_has 'is not its name'
err_has "$(basename "$bad")"
[ ! -e "$T/dr/${bad#"$VARVE_STORE"}" ] || fail 'it was taken'
run 0 env XDG_STATE_HOME="$T/dr.state" "$VARVE" check --no-keys -s "$T/dr"
cp -p "$T/good" "$bad"
replicate dr-london
same_objects "$VARVE_STORE" "$T/dr"

part 'what was there is never overwritten'
echo four >"$src/four"
head -c 300000 /dev/urandom >"$src/data4"
backup d "$src"
bad=$(find "$VARVE_STORE" -path '*/packs/*' -type f -newer "$src/four" \
    -size +100k | head -n 1)
there=$T/dr${bad#"$VARVE_STORE"}
mkdir -p "$(dirname "$there")"
head -c 1000 "$bad" >"$there"
run 4 varve replicate dr-london
err_has 'damaged at this site'
equal "$(stat -c %s "$there")" 1000 'size of what was there'
rm -f "$there"
replicate dr-london
same_objects "$VARVE_STORE" "$T/dr"

part 'a grant that ends while its host is connected'
as_admin grant writer d --host visitor --key-file "$T/visitor" \
    --until "$(date -u -d '+6 seconds' +%Y-%m-%dT%H:%M:%SZ)"
replicate dr-london
VARVE_KEY_FILE=$T/visitor "$VARVE" replicate --watch dr-london \
    >"$T/watch.out" 2>&1 &
watcher=$!
within 5 eval 'ss -Htn state established "dport = :$port" | grep -q .'
sleep 7
there=$(find "$T/dr/datasets" -type f | wc -l)
echo visitor >"$src/visitor"
backup d "$src"
within 20 eval '"$VARVE" status --json -s "$T/dr" |
    grep -qF "nothing more is taken"'
refusals "$T/dr" 'neither a grant that holds'
wait "$watcher" && fail 'the host went on'
grep -q 'nothing more is taken' "$T/watch.out" || fail 'the host was not told'
equal "$(find "$T/dr/datasets" -type f | wc -l)" "$there" 'objects there'
replicate dr-london
same_objects "$VARVE_STORE" "$T/dr"

part 'one key keeps nobody out, and not even itself for long'
as_admin grant writer d --host hog --key-file "$T/hog"
replicate dr-london
hogs=
for i in 1 2 3 4; do
	VARVE_KEY_FILE=$T/hog "$VARVE" replicate --watch dr-london \
	    >"$T/hog.$i" 2>&1 &
	hogs="$hogs $!"
done
within 10 eval '[ "$(ss -Htn state established "dport = :$port" | wc -l)" \
    -eq 4 ]'
sleep 1
refused 1 '4 connections of this key' env "VARVE_KEY_FILE=$T/hog" \
    "$VARVE" replicate dr-london
refusals "$T/dr" '4 connections of this key'
replicate dr-london
# By now they have had nothing to say for 20 s.
sleep 20
run 0 env "VARVE_KEY_FILE=$T/hog" "$VARVE" replicate dr-london
within 5 grep -q 'another connection of this key' "$T/hog.1" "$T/hog.2" \
    "$T/hog.3" "$T/hog.4"
for j in $hogs; do
	kill "$j"
done
stop_server

part 'a disk that is full'
mkdir "$T/small"
mount -t tmpfs -o size=3m small "$T/small"
new_site "$T/small/dr" dr-small GB
head -c 5000000 /dev/urandom >"$src/big"
backup d "$src"
add_site dr-small "$T/small/dr"
refused 1 'No space left' varve replicate dr-small
run 0 env XDG_STATE_HOME="$T/small.state" "$VARVE" check --no-keys \
    -s "$T/small/dr"
mount -o remount,size=30m "$T/small"
replicate dr-small
same_objects "$VARVE_STORE" "$T/small/dr"

part 'a disk that is read-only'
mount -o remount,ro "$T/small"
echo five >"$src/five"
backup d "$src"
refused 1 'site.db' varve replicate dr-small
mount -o remount,rw "$T/small"
replicate dr-small
umount "$T/small"
