#!/bin/sh
# A site takes over, and the log of one dataset is damaged: it keeps nobody from
# the others, and is taken over when it is mended. No two histories come of it.
. "$(dirname "$0")/lib.sh"

src=$T/source
mkdir -p "$src"
new_store

# What each machine remembers is its own: prod's is lib.sh's.
dr() {
	env XDG_STATE_HOME="$T/dr.state" "$VARVE" -s "$T/dr" "$@"
}

# init_site DIRECTORY NAME [OPTION]...: and prod knows it.
init_site() {
	local dir=$1 name=$2
	shift 2
	run 0 varve serve "$dir" --init --site "$name" --country GB \
	    --accreditation 'ISO/IEC 27001:2022' --until 2099-01-01 "$@"
	mv "$T/out" "$T/request"
	run 0 varve site add "$name" "$dir" "$T/request"
}

# record STORE DATASET NUMBER: the file of a record.
record() {
	local id
	id=$(varve status --json |
	    jq -r --arg d "$2" '.datasets[] | select(.dataset == $d).dataset_id')
	echo "$1/datasets/$id/log/$(printf %016x "$3")"-*
}

# flip FILE: one byte of it; it is kept in $T/flipped.
flip() {
	local byte
	cp -p "$1" "$T/flipped"
	byte=$(od -An -tu1 -j 200 -N 1 "$1" | tr -d ' ')
	chmod u+w "$1"
	printf "\\$(printf %o $(((byte + 1) % 256)))" |
	    dd of="$1" bs=1 seek=200 conv=notrunc 2>/dev/null
}

snapshots_of() {
	"$@" list --json d | jq -c '[.snapshots[].id]'
}

# taken: what the last run of 'promote --json' says of 'd' and 'other'.
taken() {
	jq -c '[.datasets | sort_by(.dataset)[] | .promoted]' "$T/out"
}

for i in 1 2 3; do
	echo "$i" >"$src/file"
	backup d "$src"
	backup other "$src"
done
init_site "$T/dr" dr --for "$VARVE_STORE"
init_site "$VARVE_STORE" prod
run 0 varve replicate dr

part 'where nothing can be taken over, nothing is written'
cp -a "$T/dr" "$T/dr.whole"
flip "$(record "$T/dr" d 2)"
flip "$(record "$T/dr" other 1)"
run 3 dr promote --json
equal "$(taken)" '[false,false]' 'datasets that were taken over'
err_has "dataset 'd' is not taken over"
err_has 'stays a replica'
refused 1 'is a replica (site dr)' dr backup other "$src"
equal "$(find "$T/dr/datasets" -path '*/log/*' | wc -l)" 6 'records'
rm -rf "$T/dr"
mv "$T/dr.whole" "$T/dr"
echo 4 >"$src/file"
backup d "$src"
run 0 varve replicate dr
[ ! -s "$T/err" ] || fail "production can't go on: $(cat "$T/err")"

part 'one flipped byte keeps nobody from the other dataset'
before=$(snapshots_of dr)
flip "$(record "$T/dr" d 2)"
run 3 dr promote --json
equal "$(taken)" '[false,true]' 'datasets that were taken over'
equal "$(jq -r '.datasets[] | select(.promoted | not).why' "$T/out" |
    grep -c "record 2 of the log of dataset 'd'")" 1 'why not'
err_has "'varve repair --from SITE'"
run 0 dr backup other "$src"
refused 3 "run 'varve promote' again" dr backup d "$src"
run 0 dr backup new "$src"
run 3 dr expire --keep-last 100
out_has 'other: 0 snapshots'
run 3 dr prune
out_has 'other:'
equal "$(snapshots_of dr)" "$(echo "$before" | jq -c 'del(.[1])')" \
    'what can be read'
run 3 dr status
out_has 'd (not taken over'
run 3 dr status --json
equal "$(jq -c '[.datasets | sort_by(.dataset)[] | .left]' "$T/out")" \
    '[true,false,false]' 'datasets that were left'

part 'nothing is received for what was left'
echo lost >"$src/file"
backup d "$src"
refused 1 'is a primary' varve replicate dr
refused 1 'has not taken dataset' varve demote dr

part 'that it is whole again is not enough'
run 3 dr promote
err_has "dataset 'd' is not taken over"
[ ! -s "$T/out" ] || fail "taken over: $(cat "$T/out")"
run 0 dr repair --from prod
refused 3 "run 'varve promote' again" dr backup d "$src"
run 0 dr promote --json
equal "$(jq -c '[.datasets[] | [.dataset, .promoted]]' "$T/out")" \
    '[["d",true]]' 'datasets that were taken over'
refused 2 'is a primary already' dr promote
equal "$(snapshots_of dr)" "$before" 'what was there before'
run 0 dr backup d "$src"
run 0 dr prune
run 0 dr check --read-data

part 'the former primary comes back'
run 0 varve demote dr
out_has "1 snapshot (1 record) of '"
equal "$(snapshots_of varve)" "$(snapshots_of dr)" 'the snapshots of both'
run 0 varve check --read-data

part 'the end of a log is given up'
run 0 dr backup d "$src"
run 0 varve replicate --pull dr
before=$(snapshots_of dr)
newest=$(varve status --json |
    jq '.datasets[] | select(.dataset == "d").records')
flip "$(record "$VARVE_STORE" d "$newest")"
run 3 varve promote --json
equal "$(taken)" '[false,true,true]' 'datasets that were taken over'
run 0 varve promote --up-to-readable
out_has "1 record moved to 'aside/"
equal "$(find "$VARVE_STORE/aside" -name "$(printf %016x "$newest")-*" |
    wc -l)" 1 'records that were moved aside'
equal "$(snapshots_of varve)" "$(echo "$before" | jq -c 'del(.[-1])')" \
    'what was there before'
run 0 varve backup d "$src"
run 0 varve check --read-data
run 0 dr demote prod
equal "$(snapshots_of varve)" "$(snapshots_of dr)" 'the snapshots of both'
run 0 dr check --read-data
