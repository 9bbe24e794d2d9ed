#!/bin/sh
# A writer's key in the wrong hands begins a second history at a site: nothing
# is lost, and an admin says which of the two counts.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/sitelib.sh"

src=$T/source
mkdir -p "$src"
head -c 300000 /dev/urandom >"$src/data"
two_datasets_and_a_site

dr() {
	env -u VARVE_KEY_FILE VARVE_PASSPHRASE="$passphrase" \
	    XDG_STATE_HOME="$T/dr.state" "$VARVE" -s "$T/dr" "$@"
}
ids() {
	"$@" list --json d | jq -c '[.snapshots[].id]'
}

# The thief has the host's key, and a copy of the store as it was.
thief() {
	XDG_STATE_HOME=$T/thief.state "$VARVE" -s "$T/stolen" "$@"
}
steal() {
	rm -rf "$T/stolen" "$T/thief.state"
	cp -r "$VARVE_STORE" "$T/stolen"
	rm -rf "$T/stolen/site"
}

part 'a second history'
steal
echo forged >"$src/forged"
for _ in 1 2 3; do
	run 0 thief backup d "$src"
done
rm "$src/forged"
run 0 thief replicate dr-london
forged=$(ids dr)
echo true >"$src/true"

part 'nothing to settle yet'
as_settler() {
	VARVE_PASSPHRASE=$passphrase env -u VARVE_KEY_FILE "$VARVE" settle "$@"
}
refused 2 'make a backup' as_settler d dr-london
refused 2 'has one history' as_settler other dr-london
refused 1 'no dataset' as_settler nowhere dr-london
run 4 varve replicate dr-london
err_has 'there are only'
backup d "$src"
backup other "$src"
run 4 varve replicate dr-london
err_has 'see varve-settle(1)'
equal "$(ids dr)" "$forged" 'what the site has'
refused 1 'only an admin' varve settle d dr-london

part 'what it would do'
run 0 as_settler --dry-run d dr-london
out_has "3 records of 'd' at site 'dr-london' after number 1"
equal "$(grep -c "snapshot, .*, signed by tester" "$T/out")" 3 'records shown'
run 4 varve replicate dr-london

part 'a site that says of another that they signed'
newest=$(find "$T/dr/datasets" -path '*/log/*' -name '*0000000004-*')
cp "$newest" "$T/bent"
last=$(tail -c 1 "$T/bent" | od -An -tu1)
printf "\\$(printf %o $((last ^ 1)))" |
    dd of="$T/bent" bs=1 seek=$(($(stat -c %s "$T/bent") - 1)) conv=notrunc \
        status=none
bent=${newest%-*}-$(sha256sum "$T/bent" | cut -d' ' -f1)
mv "$newest" "$T/newest"
cp "$T/bent" "$bent"
run 0 as_settler --dry-run d dr-london
out_has 'not signed by who may, but says tester'
equal "$(grep -c ', signed by tester' "$T/out")" 2 'records that tester signed'
run 0 as_settler --dry-run --json d dr-london
equal "$(jq -c '[.newest[].verified]' "$T/out")" '[false,true,true]' \
    'records that are shown as signed'
rm "$bent"
mv "$T/newest" "$newest"

part 'an admin settles it'
find "$T/dr/datasets" -path '*/packs/*' -type f | sort >"$T/packs"
run 0 as_settler d dr-london --json
equal "$(jq -c '[.dataset, .common, .records, (.newest | length), .settled]' \
    "$T/out")" '["d",1,3,3,true]' 'what was settled'
replicate dr-london
run 0 dr list d
err_has 'another history'
run 0 dr list d
[ ! -s "$T/err" ] || fail "said twice: $(cat "$T/err")"
equal "$(ids dr)" "$(ids varve)" 'the snapshots of both'
run 0 dr status
out_has "3 records were moved to 'aside/"
equal "$(find "$T/dr/aside" -type f | wc -l)" 3 'records that were moved aside'
for id in $(echo "$forged" | jq -r '.[1:][]'); do
	[ -n "$(find "$T/dr/aside" -name "*$id")" ] || fail "$id is not kept"
done
find "$T/dr/datasets" -path '*/packs/*' -type f | sort >"$T/now"
equal "$(comm -23 "$T/packs" "$T/now")" '' 'packs that are gone'
run 0 dr check --read-data
run 0 env -u VARVE_KEY_FILE "$VARVE" -s "$T/dr" check --no-keys

part 'the thief comes again'
run 4 thief replicate dr-london
err_has 'two histories'
equal "$(ids dr)" "$(ids varve)" 'the snapshots of both'
backup d "$src"
replicate dr-london
out_has 'sent to'
equal "$(ids dr)" "$(ids varve)" 'the snapshots of both'

part 'and once more, from what is there now: pulled this time'
steal
run 0 thief backup d "$src"
run 0 thief replicate dr-london
backup d "$src"
as_admin settle d dr-london
run 0 varve serve "$VARVE_STORE" --init --site prod --country GB \
    --accreditation x --until 2099-01-01
cp "$T/out" "$T/prod.request"
add_site prod "$VARVE_STORE"
run 0 env -u VARVE_KEY_FILE "$VARVE" replicate -s "$T/dr" --pull "$VARVE_STORE"
equal "$(ids dr)" "$(ids varve)" 'the snapshots of both'
run 0 dr check --read-data

part 'settled, and lost before it was sent'
steal
run 0 thief backup d "$src"
run 0 thief replicate dr-london
backup d "$src"
as_admin settle d dr-london
as_dr() {
	VARVE_PASSPHRASE=$passphrase run 0 env -u VARVE_KEY_FILE \
	    XDG_STATE_HOME="$T/dr.state" "$VARVE" -s "$T/dr" "$@"
}
as_dr promote
as_dr backup d "$src"
as_admin demote dr-london
run 4 dr replicate prod
err_has 'see varve-settle(1)'
as_dr settle d prod --dry-run
out_has 'has no other record'
run 4 dr replicate prod
# This one is to be the newer, by the second: dr does not know of the other, and
# of two of one second their names decide.
sleep 3
as_dr settle d prod --json
equal "$(jq -c '[.records, .newest, .settled]' "$T/out")" '[0,[],true]' \
    'what was settled'
run 0 dr replicate prod
equal "$(ids varve)" "$(ids dr)" 'the snapshots of both'
run 0 varve check --read-data
