#!/bin/sh
# Sites: how they are made, where they may stand, and what a replica refuses.
. "$(dirname "$0")/lib.sh"

src=$T/source
mkdir -p "$src"
echo one >"$src/file"
new_store
backup d "$src"

# init_site DIRECTORY NAME COUNTRY OPTION...: its request is in $T/NAME.request.
init_site() {
	local dir=$1 name=$2 country=$3
	shift 3
	run 0 varve serve "$dir" --init --site "$name" --country "$country" \
	    --accreditation 'ISO/IEC 27001:2022' --until 2099-01-01 "$@"
	cp "$T/out" "$T/$name.request"
	cp "$T/err" "$T/$name.said"
}

# site_state NAME: whether it may be sent to, and why not.
site_state() {
	varve site list --json | jq -r --arg name "$1" \
	    '.sites[] | select(.site == $name) | "\(.allowed) \(.why)"'
}

allowed() {
	equal "$(site_state "$1")" 'true null' "whether '$1' is allowed"
}

# denied NAME WHY: it is not, and why.
denied() {
	site_state "$1" >"$T/why"
	grep -q '^false .*'"$2" "$T/why" ||
	    fail "'$1' is not denied because '$2': $(cat "$T/why")"
}

part 'a site is made'
init_site "$T/dr" dr-london GB --for "$VARVE_STORE/varve"
equal "$(stat -c %a "$T/dr/site/key")" 600 'mode of the key file'
equal "$(cat "$T/dr/site/replica")" dr-london 'the mark of the replica'
cmp "$T/dr/varve" "$VARVE_STORE/varve"
cmp "$T/dr/site/request" "$T/dr-london.request"
run 0 varve -s "$T/dr" check --no-keys
key=$(sed -n 's/.*key \([0-9a-f]*\)$/\1/p' "$T/dr-london.said")

part 'what is needed to make one'
refused 2 'needs --site' varve serve "$T/no" --init
refused 2 'needs --country' varve serve "$T/no" --init --site x
refused 2 'did you mean GB' varve serve "$T/no" --init --site x --country UK
refused 2 'for which store' varve serve "$T/no" --init --site x --country GB \
    --accreditation y --until 2099-01-01
refused 2 'neither a file nor a fingerprint' varve serve "$T/no" --init \
    --site x --country GB --accreditation y --until 2099-01-01 --for nonsense
refused 2 'has ended' varve serve "$T/no" --init --site x --country GB \
    --accreditation y --until 2001-01-01 --for "$VARVE_STORE/varve"
refused 2 'go with --init' varve serve "$T/no" --site x
[ ! -e "$T/no" ] || fail 'something was made'

part 'a site is added by an admin, and shown to all'
run 0 varve site add dr-london tls://dr.example:7710 "$T/dr-london.request"
out_has "$key"
allowed dr-london
run 0 env -u VARVE_PASSPHRASE "$VARVE" site list
out_has 'tls://dr.example:7710'
varve grant writer d --host h --key-file "$T/h" >"$T/out"
refused 1 'only an admin' env VARVE_KEY_FILE="$T/h" "$VARVE" site add \
    dr-london tls://x:1 "$T/dr-london.request"
refused 2 "calls itself 'dr-london'" varve site add other tls://x:1 \
    "$T/dr-london.request"
printf 'no request\n' >"$T/garbage"
refused 2 'no address of a site' varve site add dr-london http://dr.example \
    "$T/dr-london.request"
refused 2 "from '/' on" varve site add dr-london dr "$T/dr-london.request"
refused 3 'not a site request' varve site add x tls://x:1 "$T/garbage"
sed 's/[A-Z]/Q/6' "$T/dr-london.request" >"$T/changed"
run 3 varve site add dr-london tls://x:1 "$T/changed"
varve -s "$T/elsewhere" init --name eve >"$T/out"
refused 1 'another store' varve -s "$T/elsewhere" site add dr-london tls://x:1 \
    "$T/dr-london.request"
refused 2 "did you mean 'list'?" varve site lisst
refused 2 'varve site add NAME ADDRESS REQUEST' varve site add x

part 'an end shows as it was given'
run 0 varve serve "$T/dates" --init --site dr-dates --country GB \
    --accreditation x --until 2098-07-31 --for "$VARVE_STORE"
cp "$T/out" "$T/dr-dates.request"
err_has 'until 2098-07-31;'
run 0 varve site add dr-dates tls://x:1 "$T/dr-dates.request"
grep -qx 'until          2098-07-31' "$T/out" || fail 'another end'
run 0 varve site list
out_has ' 2098-07-31 '
run 0 varve site remove dr-dates

part 'countries'
refused 2 "'XX'" varve site allow XX
run 0 varve site allow GB IE
allowed dr-london
init_site "$T/paris" dr-paris FR --for "$VARVE_STORE"
refused 1 'stands in FR' varve site add dr-paris tls://x:1 \
    "$T/dr-paris.request"
run 0 varve site allow FR
err_has 'stands in GB'
denied dr-london 'stands in GB, which is not one of the countries'
run 0 varve site allow GB
allowed dr-london

part 'an accreditation that ended'
end=$(($(date +%s) + 5))
init_site "$T/short" dr-short GB --for "$VARVE_STORE" \
    --until "$(date -u -d "@$end" +%Y-%m-%dT%H:%M:%SZ)"
run 0 varve site add dr-short tls://x:1 "$T/dr-short.request"
allowed dr-short
while [ "$(date +%s)" -le "$end" ]; do sleep 0.2; done
denied dr-short 'expired on'
run 0 varve status
err_has 'expired on'
refused 2 'has expired' varve site add dr-short tls://x:1 "$T/dr-short.request"
run 0 varve serve "$T/short" --init --until "$(date -u -d '20 days' +%F)"
mv "$T/out" "$T/dr-short.request"
run 0 varve site add dr-short tls://x:1 "$T/dr-short.request"
run 0 varve status
err_has "'dr-short' ends on"
run 0 varve serve "$T/short" --init --until 2098-01-01
mv "$T/out" "$T/dr-short.request"
run 0 varve site add dr-short tls://x:1 "$T/dr-short.request"
allowed dr-short
run 0 varve status
equal "$(cat "$T/err")" '' 'warnings of status'

part 'a site is taken away'
run 0 varve site remove dr-short
denied dr-short 'taken away'
refused 1 'already' varve site remove dr-short
refused 1 "'nobody'" varve site remove nobody

part 'a statement that nobody here signed'
varve serve "$T/dr2" --init --site dr-two --country GB --accreditation x \
    --until 2099-01-01 --for "$T/elsewhere" >"$T/two" 2>"$T/err"
ls "$T/elsewhere/keys" >"$T/before"
run 0 varve -s "$T/elsewhere" site add dr-two tls://evil:1 "$T/two"
forged=$(ls "$T/elsewhere/keys" | grep -vxFf "$T/before")
cp "$T/elsewhere/keys/$forged" "$VARVE_STORE/keys/"
equal "$(site_state dr-two)" '' 'a statement of another store'
run 3 varve check
out_has "$forged"
rm "$VARVE_STORE/keys/$forged"

part 'a request is renewed, a lock lengthened'
refused 1 'never shortened' varve serve "$T/dr" --init --lock 10d
refused 2 "can't be changed" varve serve "$T/dr" --init --site dr-paris
run 0 varve serve "$T/dr" --init --lock 100d
err_has 'lock 100 days'
err_has "$key"
refused 1 'never shortened' varve serve "$T/dr" --init --lock 90d

part 'a site of which only the fingerprint is known'
fingerprint=$(sed -n 's/^Fingerprint *//p' "$T/fingerprint")
init_site "$T/waits" dr-waits GB --for "$fingerprint"
[ ! -e "$T/waits/varve" ] || fail 'a store without a root'
refused 1 'nothing was sent to it' varve -s "$T/waits" list
refused 2 'it is a site' varve -s "$T/waits" init --name eve

part 'the site of a primary, which stays one'
init_site "$VARVE_STORE" prod GB
err_has 'a primary'
backup d "$src"

part 'a replica takes nothing but what is sent to it'
cp -a "$VARVE_STORE/keys" "$VARVE_STORE/datasets" "$T/dr/"
find "$T/dr" -type f | sort >"$T/before"
on_replica() {
	refused 1 'is a replica (site dr-london)' "$VARVE" -s "$T/dr" \
	    "$@"
}
on_replica backup d "$src"
on_replica backup e "$src"
on_replica grant writer d --host h2 --key-file "$T/h2"
on_replica site allow GB
on_replica site remove dr-london
find "$T/dr" -type f | sort | cmp - "$T/before"

part 'but it can be read'
run 0 varve -s "$T/dr" restore -q d@latest "$T/restored"
diff -r "$src" "$T/restored"
run 0 varve -s "$T/dr" check --read-data
run 0 varve -s "$T/dr" check --no-keys

part 'what a store is, and how far behind'
run 0 env -u VARVE_PASSPHRASE "$VARVE" status
out_has 'role   primary'
out_has 'site   prod, GB'
run 0 varve status --json
equal "$(jq -c '[.sites[] | select(.dataset == "d") |
    [.site, .receipt, .behind_snapshots]]' "$T/out")" \
    '[["dr-london",null,2]]' 'what the site lacks'
run 0 varve list --sites
out_has dr-london
run 0 varve -s "$T/dr" status
out_has 'role   replica'
out_has 'lock   100 days'
run 0 varve -s "$T/waits" status
out_has 'nothing was sent to it yet'

part 'a site takes over'
refused 1 'signs no log' varve -s "$T/dr" promote --recovery-key-file \
    "$T/recovery"
refused 1 'only an admin' env VARVE_KEY_FILE="$T/h" "$VARVE" -s "$T/dr" promote
refused 2 'is a primary already' varve promote
run 0 varve -s "$T/dr" promote
out_has "'d': 2 snapshots, the newest of"
refused 2 'is a primary already' varve -s "$T/dr" promote
run 0 varve -s "$T/dr" status
out_has 'role   primary'
echo two >"$src/file"
run 0 varve -s "$T/dr" backup d "$src"
run 0 varve -s "$T/dr" check --read-data
equal "$(varve -s "$T/dr" list --json d | jq '.snapshots | length')" 3 \
    'snapshots at the site that took over'
