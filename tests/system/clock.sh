#!/bin/sh
# A site whose clock is wrong: what it has to keep, it keeps.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/sitelib.sh"

src=$T/source
mkdir -p "$src"
new_store
passphrase=$VARVE_PASSPHRASE

# at SECONDS COMMAND...: by a clock that is so much ahead, or behind.
at() {
	local seconds=$1
	shift
	SHIFT=$seconds LD_PRELOAD=$BIN/libshift.so "$@"
}
packs() {
	find "$1" -path '*/packs/*' -type f | sort
}

# pruned_site DIR NAME LOCK: it holds packs that are gone at the primary, and
# waits for its lock.
pruned_site() {
	new_site "$1" "$2" GB --lock "$3"
	add_site "$2" "$1"
	for _ in 1 2; do
		head -c 300000 /dev/urandom >"$src/data"
		backup "$2" "$src"
		replicate "$2"
	done
	packs "$1" >"$T/$2.packs"
	run 0 varve expire -q "$2" --keep-last 1
	run 0 varve prune -q "$2" --max-dead 0
	replicate "$2"
	packs "$1" >"$T/now"
	equal "$(comm -23 "$T/$2.packs" "$T/now")" '' 'packs that went too early'
}

part 'set forward, past the lock'
pruned_site "$T/ahead" dr-ahead 1h
run 0 at 7200 "$VARVE" replicate dr-ahead
packs "$T/ahead" >"$T/now"
equal "$(comm -23 "$T/dr-ahead.packs" "$T/now")" '' 'packs that went too early'
run 0 at 7200 "$VARVE" -s "$T/ahead" status
out_has 'ahead of what is borne out'
run 0 at 7200 "$VARVE" -s "$T/ahead" status --json
[ "$(jq .clock_ahead_seconds "$T/out")" -ge 7000 ] ||
	fail "ahead by $(jq .clock_ahead_seconds "$T/out") s"

part 'until a signed record bears it out'
echo more >"$src/more"
run 0 at 7200 "$VARVE" backup -q dr-ahead "$src"
run 0 at 7200 "$VARVE" replicate dr-ahead
packs "$T/ahead" >"$T/now"
[ -n "$(comm -23 "$T/dr-ahead.packs" "$T/now")" ] || fail 'nothing went'
run 0 varve -s "$T/ahead" check --no-keys

part 'set back, when the lock has passed'
pruned_site "$T/behind" dr-behind 25s
sleep 26
run 0 at -3600 "$VARVE" -s "$T/behind" status
out_has 'behind what it was: nothing is deleted'
run 0 at -3600 "$VARVE" replicate dr-behind
packs "$T/behind" >"$T/now"
equal "$(comm -23 "$T/dr-behind.packs" "$T/now")" '' 'packs that went too early'
run 0 varve replicate dr-behind
packs "$T/behind" >"$T/now"
[ -n "$(comm -23 "$T/dr-behind.packs" "$T/now")" ] ||
    fail 'nothing went when the clock was right again'
run 0 varve -s "$T/behind" check --no-keys
