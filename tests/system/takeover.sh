#!/bin/sh
# To whom a store is sent, and how one site takes over from another: what the
# policy, a key or a history forbids is refused, and nothing is lost.
. "$(dirname "$0")/lib.sh"

src=$T/source
mkdir -p "$src"
echo one >"$src/file"
new_store
backup d "$src"

# What each machine remembers is its own: prod's is lib.sh's.
dr() {
	env XDG_STATE_HOME="$T/dr.state" "$VARVE" -s "$T/dr" "$@"
}

# init_site DIRECTORY NAME COUNTRY OPTION...: its request is in $T/NAME.request.
init_site() {
	local dir=$1 name=$2 country=$3
	shift 3
	run 0 varve serve "$dir" --init --site "$name" --country "$country" \
	    --accreditation 'ISO/IEC 27001:2022' --until 2099-01-01 "$@"
	mv "$T/out" "$T/$name.request"
}

# not_sent SITE STATUS WHY: it is not, and nothing came.
not_sent() {
	refused "$2" "$3" varve replicate "$1"
	[ ! -e "$T/dr/keys" ] || [ -z "$(ls "$T/dr/keys")" ] ||
		fail 'something was sent'
}

snapshots_of() {
	"$@" list --json d | jq -c '[.snapshots[].id]'
}

part 'no site, no sending'
init_site "$T/dr" dr GB --for "$VARVE_STORE"
not_sent dr 1 "no statement of a site 'dr'"

part 'a country that is not allowed'
run 0 varve site add dr "$T/dr" "$T/dr.request"
run 0 varve site allow FR
not_sent dr 1 'stands in GB, which is not one of the countries'
run 0 varve site allow GB

part 'a site that was taken away'
run 0 varve site remove dr
not_sent dr 1 'was taken away on'

part 'an accreditation that has expired'
end=$(($(date +%s) + 5))
run 0 varve serve "$T/dr" --init \
    --until "$(date -u -d "@$end" +%Y-%m-%dT%H:%M:%SZ)"
mv "$T/out" "$T/dr.request"
run 0 varve site add dr "$T/dr" "$T/dr.request"
while [ "$(date +%s)" -le "$end" ]; do sleep 0.2; done
not_sent dr 1 'expired on'
run 0 varve serve "$T/dr" --init --until 2099-01-01
mv "$T/out" "$T/dr.request"
run 0 varve site add dr "$T/dr" "$T/dr.request"

part 'another key than the statement has'
init_site "$T/evil" evil GB --for "$VARVE_STORE"
run 0 varve site add evil "$T/dr" "$T/evil.request"
not_sent evil 1 "is not site 'evil'"
run 0 varve site remove evil

part 'a statement that nobody here signed'
varve -s "$T/elsewhere" init --name eve >"$T/out"
init_site "$T/dr2" dr-two GB --for "$T/elsewhere"
ls "$T/elsewhere/keys" >"$T/before"
run 0 varve -s "$T/elsewhere" site add dr-two "$T/dr" "$T/dr-two.request"
forged=$(ls "$T/elsewhere/keys" | grep -vxFf "$T/before")
cp "$T/elsewhere/keys/$forged" "$VARVE_STORE/keys/"
not_sent dr-two 1 "'dr-two'"
rm "$VARVE_STORE/keys/$forged"

part 'and then it is sent'
init_site "$VARVE_STORE" prod GB
run 0 varve site add prod "$VARVE_STORE" "$T/prod.request"
run 0 varve replicate dr
run 0 varve status --json
equal "$(jq -c '[.sites[] | [.site, .behind_snapshots, .behind_bytes]]' \
    "$T/out")" '[["dr",0,0]]' 'what the site lacks'
run 0 env -u VARVE_PASSPHRASE "$VARVE" -s "$T/dr" check --no-keys

part 'a site passes on what it has'
init_site "$T/third" third GB --for "$VARVE_STORE"
run 0 varve site add third "$T/third" "$T/third.request"
run 0 varve replicate dr
run 0 env -u VARVE_PASSPHRASE XDG_STATE_HOME="$T/dr.state" "$VARVE" \
    -s "$T/dr" replicate third
equal "$(snapshots_of varve -s "$T/third")" "$(snapshots_of dr)" \
    'what the third site has'

part 'how far it is behind'
head -c 300000 /dev/urandom >"$src/more"
backup d "$src"
run 0 varve list --sites --json
equal "$(jq -c '[.sites[] | select(.site == "dr") | [.behind_snapshots,
    .behind_bytes > 300000, .behind_bytes < 400000]]' "$T/out")" \
    '[[1,true,true]]' 'what the site lacks'

part 'a replica refuses what would change it'
on_replica() {
	refused 1 'is a replica (site dr)' dr "$@"
}
on_replica backup d "$src"
on_replica grant admin --person bob --new-passphrase-file "$T/recovery"
on_replica site remove dr
for c in 'expire d --keep-last 1' 'prune' 'hold d@latest --why x'; do
	# shellcheck disable=SC2086
	if "$VARVE" ${c%% *} --help >"$T/out" 2>&1; then
		on_replica $c
	fi
done

part 'nobody comes back as a replica of one that is only behind'
refused 1 'has taken nothing over' varve demote dr
backup d "$src"
run 0 varve replicate dr
refused 1 'has taken nothing over' varve demote dr

part 'the site takes over'
echo lost >"$src/file"
backup d "$src"
backup only-here "$src"
before=$(snapshots_of dr)
run 0 dr promote
out_has "'d': 3 snapshots"
refused 2 'is a primary already' dr promote
echo two >"$src/file"
run 0 dr backup d "$src"
equal "$(snapshots_of dr | jq -c '.[:3]')" "$before" 'what was there before'

part 'two histories of one dataset never mix'
refused 1 'is a primary' varve replicate dr
run 0 varve replicate third
run 4 env -u VARVE_PASSPHRASE XDG_STATE_HOME="$T/dr.state" "$VARVE" \
    -s "$T/dr" replicate third
err_has 'two histories'
run 4 env -u VARVE_PASSPHRASE XDG_STATE_HOME="$T/dr.state" "$VARVE" \
    -s "$T/dr" replicate third
out_has 'nothing moved: what was held back'
run 0 env -u VARVE_PASSPHRASE "$VARVE" -s "$T/third" status
out_has 'sends nothing after'
out_has 'two histories'
run 4 env -u VARVE_PASSPHRASE "$VARVE" -s "$T/third" replicate --pull "$T/dr"
err_has 'two histories'
out_has 'nothing moved: what was held back'

part 'the former primary comes back'
lost=$(varve list --json d | jq -r '.snapshots[-1].id')
find "$VARVE_STORE/datasets" -path '*/packs/*' -type f | sort >"$T/packs"
run 0 varve demote dr --dry-run
out_has "to be moved aside"
run 0 varve status
out_has 'role   primary'
run 0 varve demote dr --json
aside=$VARVE_STORE/$(jq -r .aside "$T/out")
equal "$(jq -c '[.datasets[] | [.records, .snapshots]] | sort' "$T/out")" \
    '[[1,1],[1,1]]' 'what was moved aside'
[ -n "$(find "$aside" -name "*$lost")" ] || fail 'the lost record is not there'
equal "$(find "$aside" -type f | wc -l)" 2 'records that were moved aside'
find "$VARVE_STORE/datasets" -path '*/packs/*' -type f | sort >"$T/now"
equal "$(comm -23 "$T/packs" "$T/now")" '' 'packs that are gone'
equal "$(snapshots_of varve)" "$(snapshots_of dr)" 'the snapshots of both'
refused 1 'is a replica (site prod)' varve backup d "$src"
run 0 varve check --read-data
restore d@latest "$T/restored"
diff -r "$src" "$T/restored"

part 'and takes over again'
run 0 varve promote
run 0 dr demote prod
[ ! -e "$T/dr/aside" ] || fail 'something was moved aside'
echo three >"$src/file"
backup d "$src"
run 0 varve replicate dr
equal "$(snapshots_of varve)" "$(snapshots_of dr)" 'the snapshots of both'
refused 1 'is a replica (site dr)' dr backup d "$src"
run 0 dr check --read-data
