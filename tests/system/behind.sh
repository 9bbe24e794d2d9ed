#!/bin/sh
# A replica that has yet to get what this machine has seen at the primary, as
# every one has when there is a disaster: it is read, told of, and takes over.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/sitelib.sh"

src=$T/source
mkdir -p "$src"
echo one >"$src/file"
new_store
passphrase=$VARVE_PASSPHRASE
backup d "$src"
new_site "$T/dr" dr GB
add_site dr "$T/dr"
run 0 varve serve "$VARVE_STORE" --init --site prod --country GB \
    --accreditation 'ISO/IEC 27001:2022' --until 2099-01-01
cp "$T/out" "$T/prod.request"
add_site prod "$VARVE_STORE"
# Of 'new' the site has what opens it, and no record.
run 0 varve grant writer new --host somebody --key-file "$T/somebody"
replicate dr

# dr COMMAND...: at the site, on the machine that has seen the primary, too.
dr() {
	"$VARVE" -s "$T/dr" "$@"
}

# behind RECORDS DATASET: the last run said so, once.
behind() {
	equal "$(grep -c "is $1 behind what this machine has seen of dataset '$2'" \
	    "$T/err")" 1 "times that '$2' is said to be behind"
}

mount_dr() {
	mkdir -p "$T/mnt"
	run 0 dr mount "$T/mnt"
}

part 'a running mount goes from one to the next'
echo two >"$src/file"
backup d "$src"
mount_dr
behind '1 record' d
equal "$(cat "$T/mnt/d/latest/file")" one 'the newest there'
replicate dr
is_two() {
	[ "$(cat "$T/mnt/d/latest/file")" = two ]
}
within 5 is_two
unmount "$T/mnt"
run 0 dr list d
[ ! -s "$T/err" ] || fail "said: $(cat "$T/err")"

part 'what is hidden from a primary is found out'
first=$(varve list --json d | jq -r '.snapshots[0].id')
backup d "$src"
newest=$(find "$VARVE_STORE/datasets" -path '*/log/*03-*')
mv "$newest" "$T/hidden"
refused 3 'was cut back' varve list d
refused 3 'was cut back' varve restore d@latest "$T/none"
run 3 varve check

part 'with the mark of a replica it is told of, and takes no backup'
echo dr >"$VARVE_STORE/site/replica"
run 0 varve list d
behind '1 record' d
run 0 varve list -q d
behind '1 record' d
run 1 varve backup d "$src"
err_has 'is a replica'
run 1 varve expire d --keep-last 1
run 1 varve expire d --keep-last 1 --dry-run
err_has 'nothing of dataset'
rm "$VARVE_STORE/site/replica"
refused 3 'was cut back' varve list d
mv "$T/hidden" "$newest"
run 0 varve check

part 'the disaster'
echo three >"$src/file"
backup d "$src"
backup new "$src"
mv "$VARVE_STORE" "$T/lost"
run 0 dr list
behind '2 records' d
behind '1 record' new
err_has 'no snapshot is here'
run 0 dr list --json
equal "$(jq -c '[.behind[] | [.dataset, .seen, .shown, .newest == null]]' \
    "$T/out")" '[["d",4,2,false],["new",1,0,true]]' 'what is behind'
run 0 dr list d
behind '2 records' d
run 0 dr restore -q d@latest "$T/restored"
behind '2 records' d
equal "$(cat "$T/restored/file")" two 'the newest there'
run 0 dr restore --json "d@$first" "$T/first"
equal "$(jq -c '[.behind[].dataset]' "$T/out")" '["d"]' 'what is behind'
equal "$(cat "$T/first/file")" one 'the first'
run 0 dr diff "d@$first" d@latest
behind '2 records' d
run 0 dr find file
behind '2 records' d
mount_dr
behind '2 records' d
behind '1 record' new
equal "$(cat "$T/mnt/d/latest/file")" two 'the newest there'
nothing ls "$T/mnt/new"
unmount "$T/mnt"
for how in '' --read-data --no-keys; do
	# shellcheck disable=SC2086
	run 0 dr check $how
	out_has '2 datasets behind'
	out_has 'no damage found'
done
run 0 env -u VARVE_PASSPHRASE "$VARVE" -s "$T/dr" status
err_has '2 records behind'
err_has '1 record behind'

part 'the site takes over, and says what it leaves behind'
run 0 dr promote --dry-run
behind '2 records' d
out_has "'d': 2 snapshots"
out_has 'without 2 records that this machine has seen'
run 0 dr status
out_has 'role   replica'
run 0 dr promote
behind '2 records' d
behind '1 record' new
err_has 'the promotion leaves behind what is not here'
out_has 'without 2 records that this machine has seen'
run 0 dr list d
[ ! -s "$T/err" ] || fail "said: $(cat "$T/err")"
echo four >"$src/file"
run 0 dr backup d "$src"
run 0 dr backup new "$src"
mount_dr
equal "$(cat "$T/mnt/d/latest/file")" four 'the newest there'
unmount "$T/mnt"
run 0 dr check --read-data

part 'the former primary comes back'
mv "$T/lost" "$VARVE_STORE"
run 0 varve demote dr --json
equal "$(jq '[.datasets[].snapshots] | add' "$T/out")" 3 \
    'snapshots that were moved aside'
run 0 varve list --json d
equal "$(jq -c .snapshots "$T/out")" \
    "$(dr list --json d | jq -c .snapshots)" 'the snapshots of both'
run 0 varve check --read-data
run 0 varve promote
backup d "$src"
